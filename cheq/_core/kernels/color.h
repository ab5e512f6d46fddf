/* Gray and other spaces of dense channels: the portable kernels, and bodies for those of other instruction sets. */
#ifndef CHEQ_COLOR_H
#define CHEQ_COLOR_H

#include "kernels/lab.h"

static void cheq_luma_scalar(const cheq_space *space, uint8_t *const *rgb, size_t n, uint8_t *restrict to) {
    const cheq_weights w = space->luma;
    const uint8_t *restrict r = rgb[0], *restrict g = rgb[1], *restrict b = rgb[2];
    for (size_t i = 0; i < n; i++) {
        to[i] = cheq_weigh(w, r[i], g[i], b[i]);
    }
}

/* YCrCb and YUV: a loop each way. */
static void cheq_to_luma_scalar(const cheq_space *space, uint8_t *const *rgb, size_t n) {
    const cheq_weights w = space->luma;
    const cheq_chromas c = space->chromas;
    uint8_t *restrict r = rgb[0], *restrict g = rgb[1], *restrict b = rgb[2];
    for (size_t i = 0; i < n; i++) {
        const uint8_t y = cheq_weigh(w, r[i], g[i], b[i]);
        g[i] = cheq_chroma(c.r_to_v, r[i], y);
        b[i] = cheq_chroma(c.b_to_u, b[i], y);
        r[i] = y;
    }
}

static void cheq_from_luma_scalar(const cheq_space *space, uint8_t *const *channels, size_t n) {
    const cheq_chromas c = space->chromas;
    uint8_t *restrict y = channels[0], *restrict v = channels[1], *restrict u = channels[2];
    for (size_t i = 0; i < n; i++) {
        const uint8_t r = cheq_color(y[i], c.v_to_r, v[i], 0, 128);
        const uint8_t g = cheq_color(y[i], c.v_to_g, v[i], c.u_to_g, u[i]);
        u[i] = cheq_color(y[i], 0, 128, c.u_to_b, u[i]);
        y[i] = r;
        v[i] = g;
    }
}

CHEQ_BODY void cheq_recolor16_body(const cheq_space *space, uint16_t *const *rgb, const uint16_t *restrict lightness,
                                   size_t n) {
    const cheq_weights w = space->luma;
    const cheq_chromas c = space->chromas;
    uint16_t *restrict r = rgb[0], *restrict g = rgb[1], *restrict b = rgb[2];
    for (size_t i = 0; i < n; i++) {
        const uint16_t y = cheq_weigh16(w, r[i], g[i], b[i]);
        const int32_t v = cheq_chroma16(c.r_to_v, r[i], y), u = cheq_chroma16(c.b_to_u, b[i], y);
        r[i] = cheq_color16(lightness[i], c.v_to_r, v, 0, 0);
        g[i] = cheq_color16(lightness[i], c.v_to_g, v, c.u_to_g, u);
        b[i] = cheq_color16(lightness[i], 0, 0, c.u_to_b, u);
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
