/* What CLAHE's kernel for bytes (kernels/blend.h) needs of AVX2. */
#ifndef CHEQ_TILES256_H
#define CHEQ_TILES256_H

#include "kernels/eights.h"
#include "kernels/x86/moves256.h"

typedef __m256i cheq_eight_avx2;

typedef struct {
    __m256 upper, lower;
    __m256i pair; /* words in 1/512 */
} cheq_row_avx2;

CHEQ_AVX2_INLINE cheq_row_avx2 cheq_row_of_avx2(float below) {
    const cheq_row_avx2 row = {_mm256_set1_ps(1.0f - below), _mm256_set1_ps(below),
                               _mm256_set1_epi32((int)(below * 512) * 65535 + 512)}; /* times 65536 less 1 */
    return row;
}

/* For integers, entries less 128. */
CHEQ_AVX2_INLINE void cheq_join_luts_avx2(const void *const luts[4], int integers, cheq_fours fours) {
    const __m128i less = _mm_set1_epi8(integers ? -128 : 0);
    for (int v = 0; v < CHEQ_LEVELS; v += 16) {
        __m128i x[4], pairs[4];
        for (int l = 0; l < 4; l++) {
            x[l] = _mm_xor_si128(cheq_load128((const uint8_t *)luts[l] + v), less);
        }
        for (int l = 0; l < 4; l += 2) {
            pairs[l] = _mm_unpacklo_epi8(x[l], x[l + 1]);
            pairs[l + 1] = _mm_unpackhi_epi8(x[l], x[l + 1]);
        }
        for (int h = 0; h < 2; h++) {
            _mm_storeu_si128((__m128i *)&fours[v + 8 * h], _mm_unpacklo_epi16(pairs[h], pairs[2 + h]));
            _mm_storeu_si128((__m128i *)&fours[v + 8 * h + 4], _mm_unpackhi_epi16(pairs[h], pairs[2 + h]));
        }
    }
}

CHEQ_AVX2_INLINE __m256i cheq_load_eight_avx2(const uint32_t *const at[8]) {
    __m128i x[2];
    for (int h = 0; h < 2; h++) {
        x[h] = _mm_cvtsi32_si128((int)*at[4 * h]);
        x[h] = _mm_insert_epi32(x[h], (int)*at[4 * h + 1], 1);
        x[h] = _mm_insert_epi32(x[h], (int)*at[4 * h + 2], 2);
        x[h] = _mm_insert_epi32(x[h], (int)*at[4 * h + 3], 3);
    }
    return _mm256_set_m128i(x[1], x[0]);
}

/* Byte k of each dword as a float. */
CHEQ_AVX2_INLINE __m256 cheq_byte256(__m256i x, int k) {
    const int first = (int)0x80808000 + k; /* of a shuffle's indices: 128 gives 0 */
    const __m128i dwords = _mm_set_epi32(first + 12, first + 8, first + 4, first);
    return _mm256_cvtepi32_ps(k == 0   ? _mm256_and_si256(x, _mm256_set1_epi32(255))
                              : k == 3 ? _mm256_srli_epi32(x, 24)
                                       : _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(dwords)));
}

CHEQ_AVX2_INLINE __m256i cheq_floats256(__m256i fours, const float *left, const float *right, const cheq_row_avx2 *row) {
    __m256 across[2];
    for (int l = 0; l < 2; l++) {
        across[l] = _mm256_add_ps(_mm256_mul_ps(cheq_byte256(fours, 2 * l), _mm256_loadu_ps(left)),
                                  _mm256_mul_ps(cheq_byte256(fours, 2 * l + 1), _mm256_loadu_ps(right)));
    }
    return _mm256_cvtps_epi32(_mm256_add_ps(_mm256_mul_ps(across[0], row->upper), _mm256_mul_ps(across[1], row->lower)));
}

/* Sums are results less 128, times 2^16; with 128 added back, and half of 2^16 to round, half to even, byte 2 is the result. */
CHEQ_AVX2_INLINE __m256i cheq_integers256(__m256i fours, const uint8_t pairs[][4], const cheq_row_avx2 *row) {
    const __m256i across = _mm256_maddubs_epi16(cheq_load256(pairs), fours);
    const __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(across, row->pair), _mm256_set1_epi32(128 << 16));
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(sum, 16), _mm256_set1_epi32(1));
    return _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(0x7fff)), odd), 16);
}

CHEQ_AVX2_INLINE void cheq_blend_eight_avx2(__m256i fours, const cheq_eights_room *room, size_t x, const cheq_row_avx2 *row,
                                            int integers, uint8_t *to) {
    const __m256i levels = integers ? cheq_integers256(fours, room->weights.pairs + x, row)
                                    : cheq_floats256(fours, room->weights.floats.left + x,
                                                     room->weights.floats.right + x, row);
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(levels), _mm256_extracti128_si256(levels, 1));
    _mm_storel_epi64((__m128i *)to, _mm_packus_epi16(words, words));
}

#endif
