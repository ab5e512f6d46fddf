/* Looking up with AVX2, by byte shuffles. */
#ifndef CHEQ_LOOKUP256_H
#define CHEQ_LOOKUP256_H

#include "kernels/x86/moves256.h"

/* The LUT is 16 rows of 16 entries. A shuffle looks up one row by the low four bits of
 * its index and gives 0 where bit 7 is set. Take the lower eight rows, and the low seven
 * bits of a pixel as the index, lowered by 16 from row to row: from 0..127 it sinks to
 * -112 at the least, never wraps, and stays negative once it is. So row k answers for
 * every index of 16 k or more. Each row but the first is kept as its difference (xor) to
 * the row before, and the xor of the answers is the entry that is meant. The upper
 * eight rows are asked by the same index; bit 7 of the pixel picks the half. */
typedef struct {
    __m256i row[16];
} cheq_rows256;

CHEQ_AVX2_INLINE cheq_rows256 cheq_load_rows256(const uint8_t lut[CHEQ_LEVELS]) {
    cheq_rows256 rows;
    __m256i before = _mm256_setzero_si256();
    for (int k = 0; k < 16; k++) {
        __m256i row = _mm256_broadcastsi128_si256(cheq_load128(lut + 16 * k));
        rows.row[k] = k == 8 ? row : _mm256_xor_si256(row, before);
        before = row;
    }
    return rows;
}

/* Pixels looked up together: four registers share the load of a row, and fill the 16
 * registers there are. One at a time takes .12 ns a pixel, four .10. */
#define CHEQ_LOOKUP256 128

typedef struct {
    __m256i index[4], low[4], high[4];
} cheq_lookup256;

CHEQ_AVX2_INLINE void cheq_lookup_begin256(cheq_lookup256 *x, int registers, const uint8_t *pixels) {
    for (int j = 0; j < registers; j++) {
        x->index[j] = _mm256_and_si256(cheq_load256(pixels + 32 * j), _mm256_set1_epi8(127));
        x->low[j] = x->high[j] = _mm256_setzero_si256();
    }
}

/* Ask the rows k and k + 8. */
CHEQ_AVX2_INLINE void cheq_lookup_ask256(cheq_lookup256 *x, int registers, const cheq_rows256 *rows, int k) {
    for (int j = 0; j < registers; j++) {
        x->low[j] = _mm256_xor_si256(x->low[j], _mm256_shuffle_epi8(rows->row[k], x->index[j]));
        x->high[j] = _mm256_xor_si256(x->high[j], _mm256_shuffle_epi8(rows->row[k + 8], x->index[j]));
        x->index[j] = _mm256_sub_epi8(x->index[j], _mm256_set1_epi8(16));
    }
}

CHEQ_AVX2_INLINE void cheq_lookup_end256(const cheq_lookup256 *x, int registers, const uint8_t *pixels,
                                         uint8_t *out) {
    for (int j = 0; j < registers; j++) {
        __m256i half = cheq_load256(pixels + 32 * j);
        cheq_store256(out + 32 * j, _mm256_blendv_epi8(x->low[j], x->high[j], half));
    }
}

CHEQ_AVX2_INLINE void cheq_apply_by256(const uint8_t *pixels, uint8_t *out, int registers,
                                       const cheq_rows256 *rows) {
    cheq_lookup256 x;
    cheq_lookup_begin256(&x, registers, pixels);
#pragma GCC unroll 1
    for (int k = 0; k < 8; k++) {
        cheq_lookup_ask256(&x, registers, rows, k);
    }
    cheq_lookup_end256(&x, registers, pixels, out);
}

CHEQ_AVX2 static void cheq_apply_rows256(const uint8_t *pixels, uint8_t *out, size_t n, const cheq_rows256 *rows,
                                         const uint8_t lut[CHEQ_LEVELS]) {
    size_t i = 0;
    for (; i + CHEQ_LOOKUP256 <= n; i += CHEQ_LOOKUP256) {
        cheq_apply_by256(pixels + i, out + i, 4, rows);
    }
    for (; i + 32 <= n; i += 32) {
        cheq_apply_by256(pixels + i, out + i, 1, rows);
    }
    cheq_apply_scalar(pixels + i, out + i, n - i, lut);
}

CHEQ_AVX2 static void cheq_apply_avx2(const uint8_t *pixels, uint8_t *out, size_t n,
                                      const uint8_t lut[CHEQ_LEVELS]) {
    if (n < CHEQ_LOOKUP256) { /* the rows would cost more than they save */
        cheq_apply_scalar(pixels, out, n, lut);
        return;
    }
    const cheq_rows256 rows = cheq_load_rows256(lut);
    cheq_apply_rows256(pixels, out, n, &rows, lut);
}

#endif
