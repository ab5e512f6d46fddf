/* Gray and YCrCb for AVX-512 where channels alternate in memory: 64 pixels are taken apart, worked on
 * and put together in registers, without the way through L1. The arithmetic is that of
 * color256.h on both halves. */
#ifndef CHEQ_COLOR512_H
#define CHEQ_COLOR512_H

#include "kernels/x86/color256.h"
#include "kernels/x86/lookup512.h"

CHEQ_AVX512_INLINE __m256i cheq_half512(__m512i x, int half) {
    return half ? _mm512_extracti64x4_epi64(x, 1) : _mm512_castsi512_si256(x);
}

CHEQ_AVX512_INLINE __m512i cheq_join512(__m256i low, __m256i high) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

CHEQ_AVX512_INLINE __m512i cheq_gray512(const cheq_weights256 *w, const __m512i rgb[3]) {
    __m256i gray[2];
    for (int h = 0; h < 2; h++) {
        gray[h] = cheq_gray256(w, cheq_half512(rgb[0], h), cheq_half512(rgb[1], h), cheq_half512(rgb[2], h));
    }
    return cheq_join512(gray[0], gray[1]);
}

CHEQ_AVX512_INLINE void cheq_recolor512(__m512i rgb[3], __m512i y, __m512i new_y) {
    __m256i x[2][3];
    for (int h = 0; h < 2; h++) {
        for (int c = 0; c < 3; c++) {
            x[h][c] = cheq_half512(rgb[c], h);
        }
        cheq_recolor256(x[h], cheq_half512(y, h), cheq_half512(new_y, h));
    }
    for (int c = 0; c < 3; c++) {
        rgb[c] = cheq_join512(x[0][c], x[1][c]);
    }
}

CHEQ_AVX512_INLINE void cheq_gray_by512(const cheq_weights *weights, const uint8_t *pixels, int channels, size_t size,
                                        size_t n, uint8_t *gray) {
    const cheq_weights256 w = cheq_load_weights256(weights);
    const size_t bytes = (size_t)channels;
    __m512i x[4];
    size_t i = 0;
    for (; i + 64 <= n && 64 * bytes <= size - i * bytes; i += 64) {
        cheq_load_apart512(pixels + i * bytes, channels, 64 * bytes, x);
        _mm512_storeu_si512(gray + i, cheq_gray512(&w, x));
    }
    if (i < n) {
        cheq_load_apart512(pixels + i * bytes, channels, size - i * bytes, x);
        cheq_store512(gray + i, n - i, 0, cheq_gray512(&w, x));
    }
}

/* A number of channels known to the compiler leaves straight code. */
CHEQ_AVX512 static void cheq_gray_dense_avx512(const cheq_weights *weights, const uint8_t *pixels, int channels,
                                               size_t size, size_t n, uint8_t *gray) {
    if (channels == 3) {
        cheq_gray_by512(weights, pixels, 3, size, n, gray);
    } else {
        cheq_gray_by512(weights, pixels, 4, size, n, gray);
    }
}

/* Up to 64 pixels; first: the byte of R, 0 or 2, of which B is the other. */
CHEQ_AVX512_INLINE void cheq_recolor_block512(const uint8_t *pixels, uint8_t *out, size_t n, int channels, int first,
                                              const cheq_weights256 *w, const cheq_lut512 *lut) {
    const size_t size = n * (size_t)channels;
    __m512i x[4];
    cheq_load_apart512(pixels, channels, size, x);
    __m512i rgb[3] = {x[first], x[1], x[2 - first]};
    const __m512i luma = cheq_gray512(w, rgb);
    cheq_recolor512(rgb, luma, cheq_lookup512(lut, luma));
    x[first] = rgb[0], x[1] = rgb[1], x[2 - first] = rgb[2];
    cheq_store_together512(x, channels, size, out);
}

CHEQ_AVX512_INLINE void cheq_recolor_by512(const uint8_t *pixels, uint8_t *out, size_t n, int channels, int first,
                                           const uint8_t lut[CHEQ_LEVELS]) {
    const cheq_weights256 w = cheq_load_weights256(&cheq_luma_opencv);
    const cheq_lut512 table = cheq_load_lut512(lut);
    const size_t bytes = (size_t)channels;
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        cheq_recolor_block512(pixels + i * bytes, out + i * bytes, 64, channels, first, &w, &table);
    }
    if (i < n) {
        cheq_recolor_block512(pixels + i * bytes, out + i * bytes, n - i, channels, first, &w, &table);
    }
}

CHEQ_AVX512 static void cheq_recolor_dense_avx512(const uint8_t *pixels, uint8_t *out, size_t n, int channels,
                                                  int first, const uint8_t lut[CHEQ_LEVELS]) {
    switch (channels + first) {
    case 3:
        cheq_recolor_by512(pixels, out, n, 3, 0, lut);
        break;
    case 4:
        cheq_recolor_by512(pixels, out, n, 4, 0, lut);
        break;
    case 5:
        cheq_recolor_by512(pixels, out, n, 3, 2, lut);
        break;
    default:
        cheq_recolor_by512(pixels, out, n, 4, 2, lut);
    }
}

#endif
