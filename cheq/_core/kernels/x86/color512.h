/* Gray, YCrCb and YUV for AVX-512 where channels alternate in memory: 64 pixels are taken apart, worked on
 * and put together in registers, without the way through L1. The arithmetic is that of
 * color256.h on both halves. */
#ifndef CHEQ_COLOR512_H
#define CHEQ_COLOR512_H

#include "kernels/x86/color256.h"
#include "kernels/x86/lookup512.h"

CHEQ_AVX512_INLINE __m512i cheq_gray512(const cheq_weights256 *w, const __m512i rgb[3]) {
    __m256i gray[2];
    for (int h = 0; h < 2; h++) {
        gray[h] = cheq_gray256(w, cheq_half512(rgb[0], h), cheq_half512(rgb[1], h), cheq_half512(rgb[2], h));
    }
    return cheq_join512(gray[0], gray[1]);
}

CHEQ_AVX512_INLINE void cheq_recolor512(const cheq_chromas256 *c, __m512i rgb[3], __m512i y, __m512i new_y) {
    __m256i x[2][3];
    for (int h = 0; h < 2; h++) {
        const __m256i old = cheq_half512(y, h);
        const cheq_words256 v = cheq_saturate256(cheq_chroma256(c->r_to_v, cheq_half512(rgb[0], h), old));
        const cheq_words256 u = cheq_chroma256(c->b_to_u, cheq_half512(rgb[2], h), old);
        cheq_rgb256(c, cheq_half512(new_y, h), v, u, x[h]);
    }
    for (int channel = 0; channel < 3; channel++) {
        rgb[channel] = cheq_join512(x[0][channel], x[1][channel]);
    }
}

/* Weights in memory's order: R is byte `first`. */
CHEQ_AVX512_INLINE cheq_weights256 cheq_load_weights_of512(const cheq_space *space, int first) {
    const cheq_weights *w = &space->luma;
    const cheq_weights in_order = {first ? w->b : w->r, w->g, first ? w->r : w->b, w->bits};
    return cheq_load_weights256(&in_order);
}

CHEQ_AVX512_INLINE void cheq_luma_by512(const cheq_space *space, const uint8_t *pixels, int channels, int first,
                                        size_t size, size_t n, uint8_t *to) {
    const cheq_weights256 w = cheq_load_weights_of512(space, first);
    const size_t bytes = (size_t)channels;
    __m512i x[4];
    size_t i = 0;
    for (; i + 64 <= n && 64 * bytes <= size - i * bytes; i += 64) {
        cheq_load_apart512(pixels + i * bytes, channels, 64 * bytes, x);
        _mm512_storeu_si512(to + i, cheq_gray512(&w, x));
    }
    if (i < n) {
        cheq_load_apart512(pixels + i * bytes, channels, size - i * bytes, x);
        cheq_store512(to + i, n - i, 0, cheq_gray512(&w, x));
    }
}

/* A number of channels known to the compiler leaves straight code. */
CHEQ_AVX512 static void cheq_luma_dense_avx512(const cheq_space *space, const uint8_t *pixels, int channels, int first,
                                               size_t size, size_t n, uint8_t *to) {
    if (channels == 3) {
        cheq_luma_by512(space, pixels, 3, first, size, n, to);
    } else {
        cheq_luma_by512(space, pixels, 4, first, size, n, to);
    }
}

/* Another Y: that of a LUT or, without one, the new one of each pixel. */
typedef struct {
    cheq_weights256 weights;
    cheq_chromas256 chromas;
    cheq_lut512 lut;
} cheq_luma512;

/* Up to 64 pixels; first: the byte of R, 0 or 2, of which B is the other. */
CHEQ_AVX512_INLINE void cheq_recolor_block512(const cheq_luma512 *luma, const uint8_t *pixels, uint8_t *out, size_t n,
                                              int channels, int first, const uint8_t *new) {
    const size_t size = n * (size_t)channels;
    __m512i x[4];
    cheq_load_apart512(pixels, channels, size, x);
    const __m512i y = cheq_gray512(&luma->weights, x);
    __m512i rgb[3] = {x[first], x[1], x[2 - first]};
    cheq_recolor512(&luma->chromas, rgb, y, new ? cheq_load512(new, n, 0) : cheq_lookup512(&luma->lut, y));
    x[first] = rgb[0], x[1] = rgb[1], x[2 - first] = rgb[2];
    cheq_store_together512(x, channels, size, out);
}

CHEQ_AVX512_INLINE void cheq_recolor_by512(const cheq_space *space, const uint8_t *pixels, uint8_t *out, size_t n,
                                           int channels, int first, const uint8_t *lut, const uint8_t *new) {
    cheq_luma512 luma = {
        .weights = cheq_load_weights_of512(space, first), .chromas = cheq_load_chromas256(&space->chromas),
    };
    if (lut) {
        luma.lut = cheq_load_lut512(lut);
    }
    const size_t bytes = (size_t)channels;
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        cheq_recolor_block512(&luma, pixels + i * bytes, out + i * bytes, 64, channels, first, new ? new + i : NULL);
    }
    if (i < n) {
        cheq_recolor_block512(&luma, pixels + i * bytes, out + i * bytes, n - i, channels, first, new ? new + i : NULL);
    }
}

CHEQ_AVX512 static void cheq_recolor_luma_avx512(const cheq_space *space, const uint8_t *pixels, uint8_t *out,
                                                 size_t n, int channels, int first, const uint8_t *lut,
                                                 const uint8_t *lightness) {
    switch (channels + first) {
    case 3:
        cheq_recolor_by512(space, pixels, out, n, 3, 0, lut, lightness);
        break;
    case 4:
        cheq_recolor_by512(space, pixels, out, n, 4, 0, lut, lightness);
        break;
    case 5:
        cheq_recolor_by512(space, pixels, out, n, 3, 2, lut, lightness);
        break;
    default:
        cheq_recolor_by512(space, pixels, out, n, 4, 2, lut, lightness);
    }
}

#endif
