/* What the LUT of a CLAHE tile (clip.h) needs of AVX-512: the levels are in four quarters. */
#ifndef CHEQ_CLIP512_H
#define CHEQ_CLIP512_H

#include "kernels/x86/moves512.h"

CHEQ_AVX512_INLINE void cheq_clipped_avx512(const uint32_t *hist, int32_t most, __m512i x[8]) {
    const __m512i lower = _mm512_set_epi64(11, 9, 10, 8, 3, 1, 2, 0), upper = _mm512_set_epi64(15, 13, 14, 12, 7, 5, 6, 4);
    for (int r = 0; r < 8; r += 2) { /* sixteen levels of each quarter: the lower eight, and the upper */
        __m512i counts[4];
        for (int q = 0; q < 4; q++) {
            counts[q] = _mm512_min_epi32(_mm512_loadu_si512(hist + 64 * q + 8 * r), _mm512_set1_epi32(most));
        }
        const __m512i low = _mm512_packus_epi32(counts[0], counts[1]), high = _mm512_packus_epi32(counts[2], counts[3]);
        x[r] = _mm512_permutex2var_epi64(low, lower, high);
        x[r + 1] = _mm512_permutex2var_epi64(low, upper, high);
    }
}

CHEQ_AVX512_INLINE __m512i cheq_parts_before_avx512(__m512i last) {
    const __m512i zero = _mm512_setzero_si512(), one = _mm512_alignr_epi32(last, zero, 12);
    const __m512i two = _mm512_alignr_epi32(last, zero, 8), three = _mm512_alignr_epi32(last, zero, 4);
    return _mm512_add_epi16(_mm512_add_epi16(one, two), three);
}

CHEQ_AVX512_INLINE int32_t cheq_sum_words_avx512(const __m512i x[8]) {
    __m512i total = x[0];
    for (int r = 1; r < 8; r++) {
        total = _mm512_add_epi16(total, x[r]);
    }
    return _mm512_reduce_add_epi32(_mm512_madd_epi16(total, _mm512_set1_epi16(1))) & UINT16_MAX;
}

CHEQ_AVX512_INLINE __m512i cheq_first_levels_avx512(void) {
    const __m128i first = _mm_set_epi16(8, 7, 6, 5, 4, 3, 2, 1), quarter = _mm_set1_epi16(64), half = _mm_set1_epi16(128);
    const __m256i low = _mm256_set_m128i(_mm_add_epi16(first, quarter), first);
    return cheq_join512(low, _mm256_add_epi16(low, _mm256_broadcastsi128_si256(half)));
}

/* Sixteen bytes of each quarter, four times. */
CHEQ_AVX512_INLINE void cheq_store_parts_avx512(const __m512i x[4], uint8_t *lut) {
    const __m512i a = _mm512_shuffle_i32x4(x[0], x[1], 0x44), b = _mm512_shuffle_i32x4(x[2], x[3], 0x44);
    const __m512i c = _mm512_shuffle_i32x4(x[0], x[1], 0xee), d = _mm512_shuffle_i32x4(x[2], x[3], 0xee);
    _mm512_storeu_si512(lut, _mm512_shuffle_i32x4(a, b, 0x88));
    _mm512_storeu_si512(lut + 64, _mm512_shuffle_i32x4(a, b, 0xdd));
    _mm512_storeu_si512(lut + 128, _mm512_shuffle_i32x4(c, d, 0x88));
    _mm512_storeu_si512(lut + 192, _mm512_shuffle_i32x4(c, d, 0xdd));
}

#endif
