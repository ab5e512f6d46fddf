/* The kernels for spaces, AVX-512: Lab's loops, and which space is meant. YCrCb and YUV of channels apart are those of
 * AVX2: see color256.h. */
#ifndef CHEQ_SPACES512_H
#define CHEQ_SPACES512_H

#include "kernels/x86/color512.h"
#include "kernels/x86/lab512.h"

/* ---- channels apart ------------------------------------------------------- */

/* Up to 64 pixels, and the way back. */
CHEQ_AVX512_INLINE void cheq_load_channels512(uint8_t *const *channels, size_t at, size_t n, __m512i x[3]) {
    for (int c = 0; c < 3; c++) {
        x[c] = cheq_load512(channels[c] + at, n, 0);
    }
}

CHEQ_AVX512_INLINE void cheq_store_channels512(uint8_t *const *channels, size_t at, size_t n, const __m512i x[3]) {
    for (int c = 0; c < 3; c++) {
        cheq_store512(channels[c] + at, n, 0, x[c]);
    }
}

CHEQ_AVX512 static void cheq_lightness_avx512(const cheq_space *space, uint8_t *const *rgb, size_t n, uint8_t *to) {
    if (!space->is_lab) {
        cheq_luma_avx2(space, rgb, n, to);
        return;
    }
    for (size_t i = 0; i < n; i += 64) {
        const size_t part = cheq_min(n - i, 64);
        __m512i x[3];
        cheq_load_channels512(rgb, i, part, x);
        cheq_store512(to + i, part, 0, cheq_lab_lightness512(space->lab, x));
    }
}

CHEQ_AVX512 static void cheq_to_space_avx512(const cheq_space *space, uint8_t *const *rgb, size_t n) {
    if (!space->is_lab) {
        cheq_to_luma_avx2(space, rgb, n);
        return;
    }
    for (size_t i = 0; i < n; i += 64) {
        const size_t part = cheq_min(n - i, 64);
        __m512i x[3];
        cheq_load_channels512(rgb, i, part, x);
        cheq_to_lab512(space->lab, x);
        cheq_store_channels512(rgb, i, part, x);
    }
}

CHEQ_AVX512 static void cheq_from_space_avx512(const cheq_space *space, uint8_t *const *channels, size_t n) {
    if (!space->is_lab) {
        cheq_from_luma_avx2(space, channels, n);
        return;
    }
    for (size_t i = 0; i < n; i += 64) {
        const size_t part = cheq_min(n - i, 64);
        __m512i x[3];
        cheq_load_channels512(channels, i, part, x);
        cheq_from_lab512(space->lab, x);
        cheq_store_channels512(channels, i, part, x);
    }
}

/* ---- channels that alternate ---------------------------------------------- */

/* Where R comes last it is brought to the front, and back. */
CHEQ_AVX512_INLINE void cheq_reverse_colors512(__m512i x[3], int first) {
    const __m512i r = x[first], b = x[2 - first];
    x[0] = r, x[2] = b;
}

CHEQ_AVX512_INLINE void cheq_lab_lightness_by512(const cheq_lab *lab, const uint8_t *pixels, int channels, int first,
                                                 size_t size, size_t n, uint8_t *to) {
    const size_t bytes = (size_t)channels;
    for (size_t i = 0; i < n; i += 64) {
        __m512i x[4];
        cheq_load_apart512(pixels + i * bytes, channels, cheq_min(size - i * bytes, 64 * bytes), x);
        cheq_reverse_colors512(x, first);
        cheq_store512(to + i, cheq_min(n - i, 64), 0, cheq_lab_lightness512(lab, x));
    }
}

/* A function of its own: in the loop, clang would keep the tables of both ways in a frame of more than a page. */
__attribute__((noinline)) CHEQ_AVX512 static void cheq_lab_recolor512(const cheq_lab *lab, __m512i x[3],
                                                                      const uint8_t *lut, __m512i lightness) {
    cheq_to_lab512(lab, x);
    x[0] = lut ? cheq_lookup_at512(lut, x[0]) : lightness;
    cheq_from_lab512(lab, x);
}

CHEQ_AVX512_INLINE void cheq_lab_recolor_by512(const cheq_lab *lab, const uint8_t *pixels, uint8_t *out, size_t n,
                                               int channels, int first, const uint8_t *lut, const uint8_t *lightness) {
    const size_t bytes = (size_t)channels;
    for (size_t i = 0; i < n; i += 64) {
        const size_t part = cheq_min(n - i, 64);
        __m512i x[4];
        cheq_load_apart512(pixels + i * bytes, channels, part * bytes, x);
        cheq_reverse_colors512(x, first);
        cheq_lab_recolor512(lab, x, lut, lut ? x[0] : cheq_load512(lightness + i, part, 0));
        cheq_reverse_colors512(x, first);
        cheq_store_together512(x, channels, part * bytes, out + i * bytes);
    }
}

CHEQ_AVX512 static void cheq_lightness_dense_avx512(const cheq_space *space, const uint8_t *pixels, int channels,
                                                    int first, size_t size, size_t n, uint8_t *to) {
    if (!space->is_lab) {
        cheq_luma_dense_avx512(space, pixels, channels, first, size, n, to);
    } else if (channels == 3) {
        cheq_lab_lightness_by512(space->lab, pixels, 3, first, size, n, to);
    } else {
        cheq_lab_lightness_by512(space->lab, pixels, 4, first, size, n, to);
    }
}

CHEQ_AVX512 static void cheq_recolor_dense_avx512(const cheq_space *space, const uint8_t *pixels, uint8_t *out,
                                                  size_t n, int channels, int first, const uint8_t *lut,
                                                  const uint8_t *lightness) {
    if (!space->is_lab) {
        cheq_recolor_luma_avx512(space, pixels, out, n, channels, first, lut, lightness);
    } else if (channels == 3) {
        cheq_lab_recolor_by512(space->lab, pixels, out, n, 3, first, lut, lightness);
    } else {
        cheq_lab_recolor_by512(space->lab, pixels, out, n, 4, first, lut, lightness);
    }
}

#endif
