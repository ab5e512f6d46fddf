/* The LUT of a CLAHE tile of at most 255 pixels for AVX-512: 256 counts of a byte are four registers. */
#ifndef CHEQ_FEW512_H
#define CHEQ_FEW512_H

#include "kernels/x86/moves512.h"

/* Running sums of the 64 bytes of each register, and of those before it. */
CHEQ_AVX512_INLINE void cheq_run_bytes512(__m512i x[4]) {
    const __m512i zero = _mm512_setzero_si512(), last = _mm512_set1_epi8(15);
    __m512i before = zero; /* in every byte the sum of all registers before */
    for (int r = 0; r < 4; r++) {
        x[r] = _mm512_add_epi8(x[r], _mm512_bslli_epi128(x[r], 1));
        x[r] = _mm512_add_epi8(x[r], _mm512_bslli_epi128(x[r], 2));
        x[r] = _mm512_add_epi8(x[r], _mm512_bslli_epi128(x[r], 4));
        x[r] = _mm512_add_epi8(x[r], _mm512_bslli_epi128(x[r], 8));
        __m512i all = _mm512_shuffle_epi8(x[r], last); /* of each 128 bits, and then of those before, too */
        all = _mm512_add_epi8(all, _mm512_alignr_epi64(all, zero, 6));
        all = _mm512_add_epi8(all, _mm512_alignr_epi64(all, zero, 4));
        x[r] = _mm512_add_epi8(x[r], _mm512_add_epi8(before, _mm512_alignr_epi64(all, zero, 6)));
        before = _mm512_add_epi8(before, _mm512_shuffle_i64x2(all, all, 0xff));
    }
}

/* min(v / step + 1, rest) of 64 levels, by the product in words that add_shares (tiles.h) takes; v1: v + 1 of even ones. */
CHEQ_AVX512_INLINE __m512i cheq_rest512(__m512i v1, __m512i turn, __m512i last) {
    const __m512i even = _mm512_mulhi_epu16(v1, turn);
    const __m512i odd = _mm512_mulhi_epu16(_mm512_add_epi16(v1, _mm512_set1_epi16(1)), turn);
    const __m512i turns = _mm512_or_si512(even, _mm512_slli_epi16(odd, 8));
    return _mm512_add_epi8(_mm512_min_epu8(turns, last), _mm512_set1_epi8(1));
}

CHEQ_AVX512_INLINE void cheq_put_levels512(__m512i running, __m512 scale, uint8_t *lut) {
    const __m128i sixteen[4] = {_mm512_castsi512_si128(running), _mm512_extracti32x4_epi32(running, 1),
                                _mm512_extracti32x4_epi32(running, 2), _mm512_extracti32x4_epi32(running, 3)};
    for (int i = 0; i < 4; i++) {
        const __m512 level = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(sixteen[i])), scale);
        _mm_storeu_si128((__m128i *)(lut + 16 * i), _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(level)));
    }
}

CHEQ_AVX512 static void cheq_lut_of_few_avx512(uint8_t tables[4][CHEQ_LEVELS], const cheq_clip *clip, uint8_t *lut) {
    const __m512i most = _mm512_set1_epi8((char)(clip->most < 255 ? clip->most : 255));
    __m512i x[4], kept = _mm512_setzero_si512();
    for (int r = 0; r < 4; r++) {
        const __m512i some = _mm512_add_epi8(_mm512_load_si512(tables[0] + 64 * r), _mm512_load_si512(tables[1] + 64 * r));
        const __m512i more = _mm512_add_epi8(_mm512_load_si512(tables[2] + 64 * r), _mm512_load_si512(tables[3] + 64 * r));
        x[r] = _mm512_min_epu8(_mm512_add_epi8(some, more), most);
        kept = _mm512_add_epi64(kept, _mm512_sad_epu8(x[r], _mm512_setzero_si512()));
    }
    const int32_t rest = clip->area - (int32_t)_mm512_reduce_add_epi64(kept);
    cheq_run_bytes512(x);
    if (rest > 0) {
        const __m512i turn = _mm512_set1_epi16((short)(65535 / (CHEQ_LEVELS / rest))), last = _mm512_set1_epi8((char)(rest - 1));
        const __m512i twos = _mm512_cvtepi8_epi16(_mm256_set_epi8(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35,
            33, 31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1));
        for (int r = 0; r < 4; r++) {
            x[r] = _mm512_add_epi8(x[r], cheq_rest512(_mm512_add_epi16(twos, _mm512_set1_epi16((short)(64 * r))), turn, last));
        }
    }
    for (int r = 0; r < 4; r++) {
        cheq_put_levels512(x[r], _mm512_set1_ps(clip->scale), lut + 64 * r);
    }
}

#endif
