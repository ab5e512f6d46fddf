/* Lab for AVX2: its arithmetic, 16 pixels at a time; what is looked up is loaded, as everywhere (lab.h). */
#ifndef CHEQ_LAB256_H
#define CHEQ_LAB256_H

#include "kernels/lab.h"
#include "kernels/x86/moves256.h"

CHEQ_AVX2_INLINE __m256i cheq_words_at256(int16_t x) {
    return _mm256_set1_epi16(x);
}

CHEQ_AVX2_INLINE __m256i cheq_word_pairs256(int16_t first, int16_t second) {
    return _mm256_set1_epi32((int32_t)((uint32_t)(uint16_t)second << 16 | (uint16_t)first));
}

/* 32 bytes of two registers of words that are bytes, in order. */
CHEQ_AVX2_INLINE __m256i cheq_in_order256(__m256i packed) {
    return _mm256_permute4x64_epi64(packed, 0xD8);
}

/* a or b of 32 pixels; the instruction doubles, and packing saturates. */
CHEQ_AVX2_INLINE __m256i cheq_lab_chroma256(int16_t doubled, const uint16_t *f, const uint16_t *g) {
    const __m256i factor = cheq_words_at256((int16_t)(doubled / 2));
    const __m256i low = _mm256_mulhrs_epi16(_mm256_sub_epi16(cheq_load256(f), cheq_load256(g)), factor);
    const __m256i high = _mm256_mulhrs_epi16(_mm256_sub_epi16(cheq_load256(f + 16), cheq_load256(g + 16)), factor);
    return _mm256_xor_si256(cheq_in_order256(_mm256_packs_epi16(low, high)), _mm256_set1_epi8(INT8_MIN));
}

CHEQ_AVX2_INLINE __m256i cheq_lab_lightness256(const cheq_lab_factors *by, const uint16_t *fy) {
    const __m256i factor = cheq_words_at256((int16_t)(by->lightness / 2));
    const __m256i zero = cheq_words_at256(17801), at_zero = cheq_words_at256(120);
    const __m256i low = _mm256_mulhrs_epi16(_mm256_sub_epi16(cheq_load256(fy), zero), factor);
    const __m256i high = _mm256_mulhrs_epi16(_mm256_sub_epi16(cheq_load256(fy + 16), zero), factor);
    return cheq_in_order256(_mm256_packus_epi16(_mm256_add_epi16(low, at_zero), _mm256_add_epi16(high, at_zero)));
}

CHEQ_AVX2_INLINE void cheq_lab_there_avx2(const cheq_lab_factors *by, cheq_lab_words f, size_t n, uint8_t *const *lab) {
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        cheq_store256(lab[0] + i, cheq_lab_lightness256(by, f[1] + i));
        cheq_store256(lab[1] + i, cheq_lab_chroma256(by->a, f[0] + i, f[1] + i));
        cheq_store256(lab[2] + i, cheq_lab_chroma256(by->b_of_lab, f[1] + i, f[2] + i));
    }
    for (; i < n; i++) {
        lab[0][i] = cheq_lab_lightness(by, f[1][i]);
        lab[1][i] = cheq_lab_chroma(by->a, f[0][i], f[1][i]);
        lab[2][i] = cheq_lab_chroma(by->b_of_lab, f[1][i], f[2][i]);
    }
}

/* ---- back ----------------------------------------------------------------- */

/* (x factor + part) >> 16, where the low half is `part` below 2^16 or more if its bits from `shift` on are all set. */
CHEQ_AVX2_INLINE __m256i cheq_high_of256(__m256i x, int16_t factor, int shift) {
    const __m256i by = cheq_words_at256(factor), low = _mm256_srli_epi16(_mm256_mullo_epi16(x, by), shift);
    const __m256i carries = _mm256_cmpeq_epi16(low, cheq_words_at256((int16_t)((1 << (16 - shift)) - 1)));
    return _mm256_sub_epi16(_mm256_mulhi_epu16(x, by), carries);
}

CHEQ_AVX2_INLINE __m256i cheq_lab_fx256(const cheq_lab_factors *by, __m256i fy, __m256i a) {
    const __m256i whole = _mm256_sub_epi16(_mm256_slli_epi16(a, 5), cheq_words_at256(4194));
    const __m256i part = cheq_high_of256(_mm256_slli_epi16(a, 3), by->a_to_fx, 10);
    return _mm256_add_epi16(fy, _mm256_add_epi16(whole, part));
}

CHEQ_AVX2_INLINE __m256i cheq_lab_fz256(const cheq_lab_factors *by, __m256i fy, __m256i b) {
    const __m256i whole = _mm256_sub_epi16(cheq_words_at256(10484), _mm256_mullo_epi16(b, cheq_words_at256(81)));
    const __m256i part = cheq_high_of256(_mm256_slli_epi16(b, 7), by->b_to_fz, 11);
    return _mm256_add_epi16(fy, _mm256_sub_epi16(whole, part));
}

/* See cheq_lab_line; with the 145 that the cube has too much. */
CHEQ_AVX2_INLINE __m256i cheq_lab_line256(const cheq_lab_factors *by, __m256i f) {
    const __m256i low = _mm256_min_epi16(f, cheq_words_at256(3390)), size = _mm256_abs_epi16(low);
    const __m256i parts = cheq_words_at256(by->line_parts);
    const __m256i quotient = _mm256_mulhi_epu16(size, cheq_words_at256(by->line_inverse));
    const __m256i rest = _mm256_sub_epi16(_mm256_mullo_epi16(size, cheq_words_at256(by->line)),
                                          _mm256_mullo_epi16(quotient, parts));
    const __m256i fits = _mm256_cmpgt_epi16(parts, rest); /* -1, or 0 where the quotient is one too low */
    const __m256i whole = _mm256_add_epi16(_mm256_add_epi16(quotient, fits), cheq_words_at256(1));
    return _mm256_sub_epi16(_mm256_sign_epi16(whole, low), cheq_words_at256(290 + 145));
}

CHEQ_AVX2_INLINE __m256i cheq_lab_cube256(const cheq_lab_factors *by, __m256i f) {
    const __m256i high = _mm256_max_epi16(f, cheq_words_at256(3390)), twice = _mm256_add_epi16(high, high);
    const __m256i square = _mm256_mulhi_epu16(twice, twice);
    return _mm256_add_epi16(_mm256_mulhi_epu16(_mm256_add_epi16(square, square), twice), cheq_lab_line256(by, f));
}

/* Two words by two, of sixteen pixels in two registers; packing makes what is below 0 that. */
CHEQ_AVX2_INLINE __m256i cheq_lab_rgb256(const __m256i xy[2], const __m256i z[2], cheq_lab_column w) {
    const __m256i of_xy = cheq_word_pairs256(w.x, w.y), of_z = cheq_word_pairs256((int16_t)(4 * w.z), w.z);
    __m256i sum[2];
    for (int h = 0; h < 2; h++) {
        sum[h] = _mm256_add_epi32(_mm256_madd_epi16(xy[h], of_xy), _mm256_madd_epi16(z[h], of_z));
        sum[h] = _mm256_srai_epi32(_mm256_add_epi32(sum[h], _mm256_set1_epi32(1 << 13)), 14);
    }
    return _mm256_min_epu16(_mm256_packus_epi32(sum[0], sum[1]), cheq_words_at256(CHEQ_LAB_COLORS - 1));
}

/* The lower or the upper halves of 16 pairs, in order. */
CHEQ_AVX2_INLINE __m256i cheq_lower_halves256(__m256i first, __m256i second) {
    const __m256i mask = _mm256_set1_epi32(0xFFFF);
    return cheq_in_order256(_mm256_packus_epi32(_mm256_and_si256(first, mask), _mm256_and_si256(second, mask)));
}

CHEQ_AVX2_INLINE __m256i cheq_upper_halves256(__m256i first, __m256i second) {
    return cheq_in_order256(_mm256_packus_epi32(_mm256_srli_epi32(first, 16), _mm256_srli_epi32(second, 16)));
}

CHEQ_AVX2_INLINE void cheq_lab_back_step256(const cheq_lab_factors *by, const uint32_t *pairs, const uint8_t *a,
                                            const uint8_t *b, uint16_t *to[3]) {
    const __m256i first = cheq_load256(pairs), second = cheq_load256(pairs + 8);
    const __m256i fy = cheq_upper_halves256(first, second), y = cheq_lower_halves256(first, second);
    const __m256i fz = cheq_lab_fz256(by, fy, _mm256_cvtepu8_epi16(cheq_load128(b)));
    const __m256i x = cheq_lab_cube256(by, cheq_lab_fx256(by, fy, _mm256_cvtepu8_epi16(cheq_load128(a))));
    const __m256i high = _mm256_max_epi16(fz, cheq_words_at256(3390)), twice = _mm256_add_epi16(high, high);
    const __m256i square = _mm256_mulhi_epu16(twice, twice), fours = _mm256_mulhi_epu16(square, high);
    const __m256i ones = _mm256_srli_epi16(_mm256_mullo_epi16(square, high), 14);
    const __m256i rest = _mm256_add_epi16(ones, cheq_lab_line256(by, fz));
    const __m256i xy[2] = {_mm256_unpacklo_epi16(x, y), _mm256_unpackhi_epi16(x, y)};
    const __m256i z[2] = {_mm256_unpacklo_epi16(fours, rest), _mm256_unpackhi_epi16(fours, rest)};
    cheq_store256(to[0], cheq_lab_rgb256(xy, z, by->r));
    cheq_store256(to[1], cheq_lab_rgb256(xy, z, by->g));
    cheq_store256(to[2], cheq_lab_rgb256(xy, z, by->b));
}

CHEQ_AVX2_INLINE void cheq_lab_back_avx2(const cheq_lab_factors *by, const uint32_t *pairs, const uint8_t *a,
                                         const uint8_t *b, size_t n, cheq_lab_words linear) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        uint16_t *to[3] = {linear[0] + i, linear[1] + i, linear[2] + i};
        cheq_lab_back_step256(by, pairs + i, a + i, b + i, to);
    }
    for (; i < n; i++) {
        const uint16_t fy = (uint16_t)(pairs[i] >> 16);
        const int16_t x = cheq_lab_cube(by, cheq_lab_fx(by, fy, a[i])), y = (int16_t)(uint16_t)pairs[i];
        const cheq_lab_value z = cheq_lab_cube17(by, cheq_lab_fz(by, fy, b[i]));
        linear[0][i] = cheq_lab_rgb(by->r, x, y, z);
        linear[1][i] = cheq_lab_rgb(by->g, x, y, z);
        linear[2][i] = cheq_lab_rgb(by->b, x, y, z);
    }
}

#endif
