/* Lab for AVX-512, 64 pixels at a time: byte permutes look up all tables. Words are unpacked within 128 bits, which
 * packing undoes: `lane` 0 has the pixels 0 to 7, 16 to 23 and so on, and 1 the others. */
#ifndef CHEQ_LAB512_H
#define CHEQ_LAB512_H

#include "kernels/x86/lookup512.h"

/* Words of 64 pixels. */
typedef struct {
    __m512i lane[2];
} cheq_words512;

CHEQ_AVX512_INLINE cheq_words512 cheq_words_of512(__m512i low, __m512i high) {
    const cheq_words512 words = {{_mm512_unpacklo_epi8(low, high), _mm512_unpackhi_epi8(low, high)}};
    return words;
}

/* ---- looking up ----------------------------------------------------------- */

CHEQ_AVX512_INLINE __m512i cheq_lookup_at512(const uint8_t table[CHEQ_LEVELS], __m512i index) {
    const cheq_lut512 lut = cheq_load_lut512(table);
    return cheq_lookup512(&lut, index);
}

/* Words of 256, whose bytes lie apart. */
CHEQ_AVX512_INLINE cheq_words512 cheq_lookup_words512(const uint8_t tables[2][256], __m512i index) {
    return cheq_words_of512(cheq_lookup_at512(tables[0], index), cheq_lookup_at512(tables[1], index));
}

/* 128 bytes of a table, of which the low seven bits of an index pick one. */
CHEQ_AVX512_INLINE __m512i cheq_pick128_512(const uint8_t *table, __m512i index) {
    return _mm512_permutex2var_epi8(_mm512_loadu_si512(table), index, _mm512_loadu_si512(table + 64));
}

/* An index of up to 11 bits: the low ones for permutes, and a mask for each of the four above. */
typedef struct {
    __m512i low;
    __mmask64 bit[4];
} cheq_index512;

CHEQ_AVX512_INLINE cheq_index512 cheq_index_of512(cheq_words512 i) {
    const __m512i bytes = _mm512_set1_epi16(255);
    const __m512i high = _mm512_packus_epi16(_mm512_srli_epi16(i.lane[0], 7), _mm512_srli_epi16(i.lane[1], 7));
    const cheq_index512 index = {
        .low = _mm512_packus_epi16(_mm512_and_si512(i.lane[0], bytes), _mm512_and_si512(i.lane[1], bytes)),
        .bit = {
            _mm512_test_epi8_mask(high, _mm512_set1_epi8(1)), _mm512_test_epi8_mask(high, _mm512_set1_epi8(2)),
            _mm512_test_epi8_mask(high, _mm512_set1_epi8(4)), _mm512_test_epi8_mask(high, _mm512_set1_epi8(8)),
        },
    };
    return index;
}

CHEQ_AVX512_INLINE __m512i cheq_pick256_512(const uint8_t *table, const cheq_index512 *i) {
    return _mm512_mask_blend_epi8(i->bit[0], cheq_pick128_512(table, i->low), cheq_pick128_512(table + 128, i->low));
}

CHEQ_AVX512_INLINE __m512i cheq_pick512_512(const uint8_t *table, const cheq_index512 *i) {
    return _mm512_mask_blend_epi8(i->bit[1], cheq_pick256_512(table, i), cheq_pick256_512(table + 256, i));
}

CHEQ_AVX512_INLINE __m512i cheq_pick1024_512(const uint8_t *table, const cheq_index512 *i) {
    return _mm512_mask_blend_epi8(i->bit[2], cheq_pick512_512(table, i), cheq_pick512_512(table + 512, i));
}

CHEQ_AVX512_INLINE __m512i cheq_pick2048_512(const uint8_t *table, const cheq_index512 *i) {
    return _mm512_mask_blend_epi8(i->bit[3], cheq_pick1024_512(table, i), cheq_pick1024_512(table + 1024, i));
}

CHEQ_AVX512_INLINE cheq_words512 cheq_lab_root512(const cheq_lab *lab, cheq_words512 xyz) {
    const cheq_index512 i = cheq_index_of512(xyz);
    return cheq_words_of512(cheq_pick2048_512(lab->root_bytes[0], &i), cheq_pick2048_512(lab->root_bytes[1], &i));
}

/* ---- there ---------------------------------------------------------------- */

CHEQ_AVX512_INLINE __m512i cheq_pair512(int16_t first, int16_t second) {
    return _mm512_set1_epi32((int32_t)((uint32_t)(uint16_t)second << 16 | (uint16_t)first));
}

/* Red and blue less green, in pairs, and green. */
typedef struct {
    __m512i low[2], high[2];
    cheq_words512 green;
} cheq_linear512;

CHEQ_AVX512_INLINE cheq_linear512 cheq_lab_linear512(const cheq_lab *lab, const __m512i rgb[3]) {
    const cheq_words512 r = cheq_lookup_words512(lab->linear_bytes, rgb[0]);
    const cheq_words512 b = cheq_lookup_words512(lab->linear_bytes, rgb[2]);
    cheq_linear512 linear = {.green = cheq_lookup_words512(lab->linear_bytes, rgb[1])};
    for (int k = 0; k < 2; k++) {
        const __m512i red = _mm512_sub_epi16(r.lane[k], linear.green.lane[k]);
        const __m512i blue = _mm512_sub_epi16(b.lane[k], linear.green.lane[k]);
        linear.low[k] = _mm512_unpacklo_epi16(red, blue);
        linear.high[k] = _mm512_unpackhi_epi16(red, blue);
    }
    return linear;
}

CHEQ_AVX512_INLINE __m512i cheq_weigh512(__m512i pairs, __m512i weights, int bits) {
    return _mm512_srai_epi32(_mm512_add_epi32(_mm512_madd_epi16(pairs, weights), _mm512_set1_epi32(1 << (bits - 1))),
                             (unsigned)bits);
}

CHEQ_AVX512_INLINE cheq_words512 cheq_lab_xyz512(const cheq_linear512 *linear, cheq_lab_row w) {
    const __m512i weights = cheq_pair512(w.r, w.b);
    cheq_words512 sum;
    for (int k = 0; k < 2; k++) {
        const __m512i above = _mm512_packs_epi32(cheq_weigh512(linear->low[k], weights, 12),
                                                 cheq_weigh512(linear->high[k], weights, 12));
        sum.lane[k] = _mm512_add_epi16(linear->green.lane[k], above);
    }
    return sum;
}

CHEQ_AVX512_INLINE __m512i cheq_lab_lightness512(const cheq_lab *lab, const __m512i rgb[3]) {
    const cheq_linear512 linear = cheq_lab_linear512(lab, rgb);
    const cheq_index512 i = cheq_index_of512(cheq_lab_xyz512(&linear, lab->by.y));
    return cheq_pick2048_512(lab->lightness, &i);
}

/* a or b less 128, by half the doubled factor: the instruction doubles. */
CHEQ_AVX512_INLINE __m512i cheq_lab_chroma512(int16_t doubled, const cheq_words512 *f, const cheq_words512 *g) {
    const __m512i factor = _mm512_set1_epi16((int16_t)(doubled / 2));
    return _mm512_packs_epi16(_mm512_mulhrs_epi16(_mm512_sub_epi16(f->lane[0], g->lane[0]), factor),
                              _mm512_mulhrs_epi16(_mm512_sub_epi16(f->lane[1], g->lane[1]), factor));
}

/* L, a and b as they are stored. */
CHEQ_AVX512_INLINE void cheq_to_lab512(const cheq_lab *lab, __m512i x[3]) {
    const cheq_linear512 linear = cheq_lab_linear512(lab, x);
    const __m512i middle = _mm512_set1_epi8(INT8_MIN);
    const __m512i factor = _mm512_set1_epi16((int16_t)(lab->by.lightness / 2));
    const cheq_words512 fx = cheq_lab_root512(lab, cheq_lab_xyz512(&linear, lab->by.x));
    const cheq_words512 fy = cheq_lab_root512(lab, cheq_lab_xyz512(&linear, lab->by.y));
    const cheq_words512 fz = cheq_lab_root512(lab, cheq_lab_xyz512(&linear, lab->by.z));
    __m512i l[2];
    for (int k = 0; k < 2; k++) {
        l[k] = _mm512_mulhrs_epi16(_mm512_sub_epi16(fy.lane[k], _mm512_set1_epi16(17801)), factor);
        l[k] = _mm512_add_epi16(l[k], _mm512_set1_epi16(120));
    }
    x[0] = _mm512_packus_epi16(l[0], l[1]);
    x[1] = _mm512_xor_si512(cheq_lab_chroma512(lab->by.a, &fx, &fy), middle);
    x[2] = _mm512_xor_si512(cheq_lab_chroma512(lab->by.b_of_lab, &fy, &fz), middle);
}

/* ---- back ----------------------------------------------------------------- */

/* See cheq_lab_line; with the 145 that the cube has too much. */
CHEQ_AVX512_INLINE __m512i cheq_lab_line512(const cheq_lab_factors *by, __m512i f) {
    const __m512i low = _mm512_min_epi16(f, _mm512_set1_epi16(3390)), size = _mm512_abs_epi16(low);
    const __m512i parts = _mm512_set1_epi16(by->line_parts);
    __m512i whole = _mm512_mulhi_epu16(size, _mm512_set1_epi16(by->line_inverse));
    const __m512i rest = _mm512_sub_epi16(_mm512_mullo_epi16(size, _mm512_set1_epi16(by->line)),
                                          _mm512_mullo_epi16(whole, parts));
    whole = _mm512_mask_add_epi16(whole, _mm512_cmpge_epi16_mask(rest, parts), whole, _mm512_set1_epi16(1));
    whole = _mm512_mask_sub_epi16(whole, _mm512_movepi16_mask(low), _mm512_setzero_si512(), whole);
    return _mm512_sub_epi16(whole, _mm512_set1_epi16(290 + 145));
}

CHEQ_AVX512_INLINE __m512i cheq_lab_cube512(const cheq_lab_factors *by, __m512i f) {
    const __m512i high = _mm512_max_epi16(f, _mm512_set1_epi16(3390)), twice = _mm512_add_epi16(high, high);
    const __m512i square = _mm512_mulhi_epu16(twice, twice);
    return _mm512_add_epi16(_mm512_mulhi_epu16(_mm512_add_epi16(square, square), twice), cheq_lab_line512(by, f));
}

/* Of Z, the fours and the rest. */
CHEQ_AVX512_INLINE void cheq_lab_cube17_512(const cheq_lab_factors *by, __m512i f, __m512i *fours, __m512i *rest) {
    const __m512i high = _mm512_max_epi16(f, _mm512_set1_epi16(3390)), twice = _mm512_add_epi16(high, high);
    const __m512i square = _mm512_mulhi_epu16(twice, twice);
    *fours = _mm512_mulhi_epu16(square, high);
    *rest = _mm512_add_epi16(_mm512_srli_epi16(_mm512_mullo_epi16(square, high), 14), cheq_lab_line512(by, f));
}

/* X and Y, and Z's fours and rest, in pairs. */
typedef struct {
    __m512i xy[2][2], z[2][2];
} cheq_xyz512;

CHEQ_AVX512_INLINE cheq_xyz512 cheq_lab_cubes512(const cheq_lab *lab, const __m512i x[3]) {
    const cheq_words512 fy = cheq_lookup_words512(lab->root_y_bytes, x[0]);
    const cheq_words512 y = cheq_lookup_words512(lab->y_bytes, x[0]);
    const cheq_words512 a = cheq_lookup_words512(lab->fx_bytes, x[1]), b = cheq_lookup_words512(lab->fz_bytes, x[2]);
    cheq_xyz512 xyz;
    for (int k = 0; k < 2; k++) {
        const __m512i cube = cheq_lab_cube512(&lab->by, _mm512_add_epi16(fy.lane[k], a.lane[k]));
        __m512i fours, rest;
        cheq_lab_cube17_512(&lab->by, _mm512_add_epi16(fy.lane[k], b.lane[k]), &fours, &rest);
        xyz.xy[k][0] = _mm512_unpacklo_epi16(cube, y.lane[k]);
        xyz.xy[k][1] = _mm512_unpackhi_epi16(cube, y.lane[k]);
        xyz.z[k][0] = _mm512_unpacklo_epi16(fours, rest);
        xyz.z[k][1] = _mm512_unpackhi_epi16(fours, rest);
    }
    return xyz;
}

/* Linear r, g or b; packing makes what is below 0 that. */
CHEQ_AVX512_INLINE cheq_words512 cheq_lab_rgb512(const cheq_xyz512 *xyz, cheq_lab_column w) {
    const __m512i of_xy = cheq_pair512(w.x, w.y), of_z = cheq_pair512((int16_t)(4 * w.z), w.z);
    cheq_words512 rgb;
    for (int k = 0; k < 2; k++) {
        __m512i sum[2];
        for (int h = 0; h < 2; h++) {
            sum[h] = _mm512_add_epi32(_mm512_madd_epi16(xyz->xy[k][h], of_xy), _mm512_madd_epi16(xyz->z[k][h], of_z));
            sum[h] = _mm512_srai_epi32(_mm512_add_epi32(sum[h], _mm512_set1_epi32(1 << 13)), 14);
        }
        rgb.lane[k] = _mm512_min_epu16(_mm512_packus_epi32(sum[0], sum[1]), _mm512_set1_epi16(CHEQ_LAB_COLORS - 1));
    }
    return rgb;
}

/* Below 1,024 as they are; above by sixteens. */
CHEQ_AVX512_INLINE __m512i cheq_lab_color512(const cheq_lab *lab, cheq_words512 linear) {
    const cheq_index512 i = cheq_index_of512(linear);
    const __m512i sixteens = _mm512_packus_epi16(_mm512_srli_epi16(linear.lane[0], 4),
                                                 _mm512_srli_epi16(linear.lane[1], 4));
    const __m512i rest = _mm512_and_si512(i.low, _mm512_set1_epi8(15));
    const __mmask64 rises = _mm512_cmpge_epu8_mask(rest, cheq_lookup_at512(lab->color_rise, sixteens));
    const __m512i first = cheq_lookup_at512(lab->color_first, sixteens);
    const __m512i high = _mm512_mask_add_epi8(first, rises, first, _mm512_set1_epi8(1));
    const __mmask64 is_high = _mm512_cmpge_epu8_mask(sixteens, _mm512_set1_epi8(64));
    return _mm512_mask_blend_epi8(is_high, cheq_pick1024_512(lab->color, &i), high);
}

CHEQ_AVX512_INLINE void cheq_from_lab512(const cheq_lab *lab, __m512i x[3]) {
    const cheq_xyz512 xyz = cheq_lab_cubes512(lab, x);
    x[0] = cheq_lab_color512(lab, cheq_lab_rgb512(&xyz, lab->by.r));
    x[1] = cheq_lab_color512(lab, cheq_lab_rgb512(&xyz, lab->by.g));
    x[2] = cheq_lab_color512(lab, cheq_lab_rgb512(&xyz, lab->by.b));
}

#endif
