/* Looking up with AVX-512: the LUT in four registers, asked by byte permutes. */
#ifndef CHEQ_LOOKUP512_H
#define CHEQ_LOOKUP512_H

#include "kernels/x86/moves512.h"

typedef struct {
    __m512i quarter[4];
} cheq_lut512;

CHEQ_AVX512 static inline cheq_lut512 cheq_load_lut512(const uint8_t lut[CHEQ_LEVELS]) {
    cheq_lut512 table;
    for (int i = 0; i < 4; i++) {
        table.quarter[i] = _mm512_loadu_si512(lut + 64 * i);
    }
    return table;
}

/* A permute of two registers looks up the low seven bits; the top bit picks the half. */
CHEQ_AVX512 static inline __m512i cheq_lookup512(const cheq_lut512 *table, __m512i pixels) {
    __m512i low = _mm512_permutex2var_epi8(table->quarter[0], pixels, table->quarter[1]);
    __m512i high = _mm512_permutex2var_epi8(table->quarter[2], pixels, table->quarter[3]);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(pixels), low, high);
}

CHEQ_AVX512 static void cheq_apply_avx512(const uint8_t *pixels, uint8_t *out, size_t n,
                                          const uint8_t lut[CHEQ_LEVELS]) {
    const cheq_lut512 table = cheq_load_lut512(lut);
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        _mm512_storeu_si512(out + i, cheq_lookup512(&table, _mm512_loadu_si512(pixels + i)));
    }
    if (i < n) {
        __mmask64 rest = cheq_first512(n - i);
        __m512i last = _mm512_maskz_loadu_epi8(rest, pixels + i);
        _mm512_mask_storeu_epi8(out + i, rest, cheq_lookup512(&table, last));
    }
}

/* Up to 64 pixels whose channels alternate, taken apart and put together in registers. */
CHEQ_AVX512_INLINE void cheq_apply_channels_block512(const uint8_t *pixels, uint8_t *out, size_t n, int channels,
                                                     int reversed, const cheq_lut512 luts[4]) {
    const size_t size = n * (size_t)channels;
    __m512i x[4], y[4];
    cheq_load_apart512(pixels, channels, size, y);
    for (int c = 0; c < channels; c++) {
        x[c] = cheq_lookup512(&luts[c], y[reversed ? channels - 1 - c : c]);
    }
    cheq_store_together512(x, channels, size, out);
}

CHEQ_AVX512_INLINE void cheq_apply_channels_by_avx512(const uint8_t *pixels, uint8_t *out, size_t n, int channels,
                                                  int reversed, const uint8_t *const *luts) {
    cheq_lut512 tables[4];
    for (int c = 0; c < channels; c++) {
        tables[c] = cheq_load_lut512(luts[c]);
    }
    const size_t bytes = (size_t)channels;
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        cheq_apply_channels_block512(pixels + i * bytes, out + i * bytes, 64, channels, reversed, tables);
    }
    if (i < n) {
        cheq_apply_channels_block512(pixels + i * bytes, out + i * bytes, n - i, channels, reversed, tables);
    }
}

#endif
