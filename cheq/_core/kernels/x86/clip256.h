/* What the LUT of a CLAHE tile (clip.h) needs of AVX2: the levels are in two halves. */
#ifndef CHEQ_CLIP256_H
#define CHEQ_CLIP256_H

#include "kernels/x86/moves256.h"

CHEQ_AVX2_INLINE void cheq_clipped_avx2(const uint32_t *hist, int32_t most, __m256i x[16]) {
    for (int r = 0; r < 16; r++) {
        const __m256i low = _mm256_min_epi32(cheq_load256(hist + 8 * r), _mm256_set1_epi32(most));
        const __m256i high = _mm256_min_epi32(cheq_load256(hist + 128 + 8 * r), _mm256_set1_epi32(most));
        x[r] = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xd8);
    }
}

CHEQ_AVX2_INLINE __m256i cheq_parts_before_avx2(__m256i last) {
    return _mm256_permute2x128_si256(last, last, 0x08);
}

CHEQ_AVX2_INLINE int32_t cheq_sum_words_avx2(const __m256i x[16]) {
    __m256i total = x[0];
    for (int r = 1; r < 16; r++) {
        total = _mm256_add_epi16(total, x[r]);
    }
    total = _mm256_madd_epi16(total, _mm256_set1_epi16(1));
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(total), _mm256_extracti128_si256(total, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1))) & UINT16_MAX;
}

CHEQ_AVX2_INLINE __m256i cheq_first_levels_avx2(void) {
    const __m128i first = _mm_set_epi16(8, 7, 6, 5, 4, 3, 2, 1);
    return _mm256_set_m128i(_mm_add_epi16(first, _mm_set1_epi16(128)), first);
}

/* Sixteen bytes of each half, eight times. */
CHEQ_AVX2_INLINE void cheq_store_parts_avx2(const __m256i x[8], uint8_t *lut) {
    for (int r = 0; r < 8; r++) {
        _mm_storeu_si128((__m128i *)(lut + 16 * r), _mm256_castsi256_si128(x[r]));
        _mm_storeu_si128((__m128i *)(lut + 128 + 16 * r), _mm256_extracti128_si256(x[r], 1));
    }
}

#endif
