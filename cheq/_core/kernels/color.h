/* Gray and YCrCb of dense channels: the portable kernels, and bodies for those of other instruction sets. */
#ifndef CHEQ_COLOR_H
#define CHEQ_COLOR_H

#include "kernels/kernels.h"

static void cheq_gray_scalar(const cheq_weights *weights, uint8_t *const *rgb, size_t n, uint8_t *restrict gray) {
    const cheq_weights w = *weights;
    const uint8_t *restrict r = rgb[0], *restrict g = rgb[1], *restrict b = rgb[2];
    for (size_t i = 0; i < n; i++) {
        gray[i] = cheq_weigh(w, r[i], g[i], b[i]);
    }
}

static void cheq_recolor_scalar(uint8_t *const *rgb, const uint8_t *restrict y, const uint8_t *restrict new_y,
                                size_t n) {
    uint8_t *restrict r = rgb[0], *restrict g = rgb[1], *restrict b = rgb[2];
    for (size_t i = 0; i < n; i++) {
        const int16_t cr = cheq_chroma(CHEQ_R_TO_CR, r[i], y[i]);
        const int16_t cb = cheq_chroma(CHEQ_B_TO_CB, b[i], y[i]);
        r[i] = cheq_color(new_y[i], CHEQ_CR_TO_R, cr, 0, 0);
        g[i] = cheq_color(new_y[i], CHEQ_CR_TO_G, cr, CHEQ_CB_TO_G, cb);
        b[i] = cheq_color(new_y[i], 0, 0, CHEQ_CB_TO_B, cb);
    }
}

CHEQ_BODY uint16_t cheq_load16(const uint8_t *at, int swapped) {
    uint16_t x;
    memcpy(&x, at, sizeof x); /* no alignment is asked for */
    return swapped ? (uint16_t)(x << 8 | x >> 8) : x;
}

CHEQ_BODY void cheq_gray16_by(cheq_weights w, const uint8_t *at, ptrdiff_t stride, ptrdiff_t step, int swapped,
                              size_t n, uint16_t *restrict gray) {
    for (size_t i = 0; i < n; i++, at += step) {
        gray[i] = cheq_weigh16(w, cheq_load16(at, swapped), cheq_load16(at + stride, swapped),
                               cheq_load16(at + 2 * stride, swapped));
    }
}

/* Strides known to the compiler leave vectors: channels apart, and dense RGB. */
CHEQ_BODY void cheq_gray16_body(const cheq_weights *weights, const uint8_t *at, ptrdiff_t stride, ptrdiff_t step,
                                int swapped, size_t n, uint16_t *gray) {
    if (step == 2) {
        cheq_gray16_by(*weights, at, stride, 2, swapped, n, gray);
    } else if (stride == 2 && step == 6) {
        cheq_gray16_by(*weights, at, 2, 6, swapped, n, gray);
    } else {
        cheq_gray16_by(*weights, at, stride, step, swapped, n, gray);
    }
}

static void cheq_gray16_scalar(const cheq_weights *weights, const uint8_t *at, ptrdiff_t stride, ptrdiff_t step,
                               int swapped, size_t n, uint16_t *gray) {
    cheq_gray16_body(weights, at, stride, step, swapped, n, gray);
}

#endif
