/* The LUT of a CLAHE tile for AVX-512, where its counts fit 16 bits. A register holds eight levels of each quarter of the
 * levels, 128 bits apart: running sums that stay within 128 bits need no permutes. */
#ifndef CHEQ_CLIP512_H
#define CHEQ_CLIP512_H

#include "kernels/x86/moves512.h"

/* The clipped counts of sixteen levels of each quarter: the lower eight, and the upper. */
CHEQ_AVX512_INLINE void cheq_clipped512(const uint32_t *hist, int32_t most, __m512i x[2]) {
    const __m512i lower = _mm512_set_epi64(11, 9, 10, 8, 3, 1, 2, 0), upper = _mm512_set_epi64(15, 13, 14, 12, 7, 5, 6, 4);
    __m512i counts[4];
    for (int q = 0; q < 4; q++) {
        counts[q] = _mm512_min_epi32(_mm512_loadu_si512(hist + 64 * q), _mm512_set1_epi32(most));
    }
    const __m512i low = _mm512_packus_epi32(counts[0], counts[1]), high = _mm512_packus_epi32(counts[2], counts[3]);
    x[0] = _mm512_permutex2var_epi64(low, lower, high);
    x[1] = _mm512_permutex2var_epi64(low, upper, high);
}

/* Running sums of the words of each quarter; returns those of the quarters before. */
CHEQ_AVX512_INLINE __m512i cheq_running_words512(__m512i x[8]) {
    const __m512i zero = _mm512_setzero_si512(), last = _mm512_set1_epi16(0x0f0e);
    __m512i before = zero;
    for (int r = 0; r < 8; r++) {
        x[r] = _mm512_add_epi16(x[r], _mm512_bslli_epi128(x[r], 2));
        x[r] = _mm512_add_epi16(x[r], _mm512_bslli_epi128(x[r], 4));
        x[r] = _mm512_add_epi16(before, _mm512_add_epi16(x[r], _mm512_bslli_epi128(x[r], 8)));
        before = _mm512_shuffle_epi8(x[r], last);
    }
    const __m512i one = _mm512_alignr_epi32(before, zero, 12), two = _mm512_alignr_epi32(before, zero, 8);
    return _mm512_add_epi16(_mm512_add_epi16(one, two), _mm512_alignr_epi32(before, zero, 4));
}

/* Of eight words of each quarter; half to even. */
CHEQ_AVX512_INLINE __m512i cheq_scaled512(__m512i words, __m512 scale) {
    const __m512i zero = _mm512_setzero_si512();
    const __m512 low = _mm512_cvtepi32_ps(_mm512_unpacklo_epi16(words, zero));
    const __m512 high = _mm512_cvtepi32_ps(_mm512_unpackhi_epi16(words, zero));
    return _mm512_packus_epi32(
        _mm512_cvt_roundps_epi32(_mm512_mul_ps(low, scale), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
        _mm512_cvt_roundps_epi32(_mm512_mul_ps(high, scale), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

/* Four registers as a square of 128 bits each, across instead of down. */
CHEQ_AVX512_INLINE void cheq_transpose512(__m512i x[4]) {
    const __m512i a = _mm512_shuffle_i32x4(x[0], x[1], 0x44), b = _mm512_shuffle_i32x4(x[2], x[3], 0x44);
    const __m512i c = _mm512_shuffle_i32x4(x[0], x[1], 0xee), d = _mm512_shuffle_i32x4(x[2], x[3], 0xee);
    x[0] = _mm512_shuffle_i32x4(a, b, 0x88), x[1] = _mm512_shuffle_i32x4(a, b, 0xdd);
    x[2] = _mm512_shuffle_i32x4(c, d, 0x88), x[3] = _mm512_shuffle_i32x4(c, d, 0xdd);
}

/* What cheq_share and cheq_clipped_level (clip.h) say, of words. v / step is (v + 1) * (65535 / step) >> 16: an error below
 * 256 / 65536, which is at most 1 / step, and less than 0 where v + 1 is a multiple of the step. Without a rest the
 * least of that and rest - 1 is -1. */
CHEQ_AVX512 static void cheq_lut_clip_words512(const uint32_t hist[CHEQ_LEVELS], const cheq_clip *clip,
                                               uint8_t lut[CHEQ_LEVELS]) {
    const __m512i one = _mm512_set1_epi16(1);
    __m512i x[8], total = _mm512_setzero_si512(), packed[4];
    for (int r = 0; r < 8; r += 2) {
        cheq_clipped512(hist + 8 * r, clip->most, x + r);
        total = _mm512_add_epi16(total, _mm512_add_epi16(x[r], x[r + 1]));
    }
    /* beside the running sums, which take as long */
    const int32_t excess = clip->area - (_mm512_reduce_add_epi32(_mm512_madd_epi16(total, one)) & UINT16_MAX);
    const int32_t rest = excess % CHEQ_LEVELS, turn = rest ? UINT16_MAX / (CHEQ_LEVELS / rest) : 0;
    const __m512i each = _mm512_set1_epi16((short)(excess / CHEQ_LEVELS)), extra = _mm512_set1_epi16((short)(rest - 1));
    const __m512i before = _mm512_add_epi16(cheq_running_words512(x), one);
    const __m512i quarter = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_set_m128i(_mm_set1_epi16(64), _mm_setzero_si128())),
                                               _mm256_set_m128i(_mm_set1_epi16(192), _mm_set1_epi16(128)), 1);
    __m512i v1 = _mm512_add_epi16(_mm512_broadcast_i32x4(_mm_set_epi16(8, 7, 6, 5, 4, 3, 2, 1)), quarter); /* v + 1 */
    for (int r = 0; r < 8; r++) {
        const __m512i turns = _mm512_min_epi16(_mm512_mulhi_epu16(v1, _mm512_set1_epi16((short)turn)), extra);
        x[r] = _mm512_add_epi16(_mm512_add_epi16(x[r], before), _mm512_add_epi16(_mm512_mullo_epi16(v1, each), turns));
        x[r] = cheq_scaled512(x[r], _mm512_set1_ps(clip->scale));
        v1 = _mm512_add_epi16(v1, _mm512_set1_epi16(8));
    }
    for (int r = 0; r < 4; r++) {
        packed[r] = _mm512_packus_epi16(x[2 * r], x[2 * r + 1]);
    }
    cheq_transpose512(packed);
    for (int q = 0; q < 4; q++) {
        _mm512_storeu_si512(lut + 64 * q, packed[q]);
    }
}

#endif
