/* CLAHE for AVX-512. The four LUTs of a cell fill sixteen registers; 64 pixels are a block: of one row, or of two rows where
 * the cell has at most 32 columns, or of four where it has at most 16. */
#ifndef CHEQ_TILES512_H
#define CHEQ_TILES512_H

#include "kernels/x86/lookup512.h"

/* The weights of a block's columns. Of a dword of looked-up entries, byte k is piece k of the block.
 *
 * Floats: entries less a trick. Under the exponent of 2^23 byte 0 is 2^23 + entry, and byte 1 is 2^23 + 256 * entry. A
 * fused product with the weight (byte 1: with 1/256 of it) less 2^23 times that is entry * weight, rounded once.
 *
 * Integers: pairs of bytes, left and right, in 1/128. */
typedef union {
    struct {
        __m512 left[4], left_base[4], right[4], right_base[4];
    } floats;
    __m512i pairs[2];
} cheq_columns512;

/* The weights of a block's rows, in each dword its row's; and as pairs of words in 1/512. */
typedef struct {
    __m512 upper, lower;
    __m512i pair;
} cheq_rows512;

/* Blocks of a row of a wide cell whose weights fit the room. */
#define CHEQ_BLOCKS512 (CHEQ_ROOM / sizeof(cheq_columns512))

/* Rows between a store and the line that is asked for: 100 to 200 ns. */
#define CHEQ_ROWS_AHEAD512 6

/* ---- weights ------------------------------------------------------------ */

/* Of up to four rows, n of them there. */
CHEQ_AVX512_INLINE cheq_rows512 cheq_load_rows512(const float *below, size_t n, int rows) {
    const __m512i dword = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i one = _mm512_set1_epi32(512);
    cheq_rows512 w;
    if (rows == 1) {
        w.lower = _mm512_set1_ps(*below);
        w.pair = _mm512_set1_epi32(_mm_cvtss_si32(_mm_set_ss(*below * 512)) * 65535); /* times 65536 less 1 */
    } else {
        const __m512 each = _mm512_castps128_ps512(_mm_maskz_loadu_ps((__mmask8)((1u << n) - 1), below));
        w.lower = _mm512_permutexvar_ps(_mm512_srli_epi32(dword, rows == 2 ? 3 : 2), each);
        const __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(w.lower, _mm512_set1_ps(512)));
        w.pair = _mm512_sub_epi32(_mm512_slli_epi32(whole, 16), whole);
    }
    w.upper = _mm512_sub_ps(_mm512_set1_ps(1), w.lower);
    w.pair = _mm512_add_epi32(w.pair, one);
    return w;
}

/* The weights of bytes 0 to 63 of a block whose rows have n columns, in order. */
CHEQ_AVX512_INLINE void cheq_load_right512(const float *right, size_t n, int rows, __m512 x[4]) {
    for (int i = 0; i < 4; i++) {
        const size_t at = 16 * (size_t)(i % (4 / rows));
        x[i] = _mm512_maskz_loadu_ps((__mmask16)(cheq_first512(n) >> at), right + cheq_min(at, n));
    }
}

/* Dword d of piece k is byte 4 * d + k of a block. */
CHEQ_AVX512_INLINE __m512 cheq_piece_of512(const __m512 x[4], int rows, int k) {
    const __m512i fourth = _mm512_set_epi32(28, 24, 20, 16, 12, 8, 4, 0, 28, 24, 20, 16, 12, 8, 4, 0);
    const __m512i of = _mm512_add_epi32(fourth, _mm512_set1_epi32(k)); /* modulo 16, or 32 for two registers */
    if (rows == 4) {
        return _mm512_permutexvar_ps(of, x[0]);
    }
    const __m512 low = _mm512_permutex2var_ps(x[0], of, x[1]);
    return rows == 2 ? low : _mm512_mask_blend_ps(0xff00, low, _mm512_permutex2var_ps(x[2], of, x[3]));
}

CHEQ_AVX512_INLINE void cheq_load_floats512(const float *right, size_t n, int rows, cheq_columns512 *columns) {
    const __m512 base = _mm512_set1_ps(8388608);
    __m512 x[4];
    cheq_load_right512(right, n, rows, x);
    for (int k = 0; k < 4; k++) {
        const __m512 weight = cheq_piece_of512(x, rows, k), scale = _mm512_set1_ps(k % 2 ? 1.0f / 256 : 1.0f);
        columns->floats.right[k] = _mm512_mul_ps(weight, scale);
        columns->floats.left[k] = _mm512_mul_ps(_mm512_sub_ps(_mm512_set1_ps(1), weight), scale);
        columns->floats.right_base[k] = _mm512_mul_ps(columns->floats.right[k], base);
        columns->floats.left_base[k] = _mm512_mul_ps(columns->floats.left[k], base);
    }
}

CHEQ_AVX512_INLINE void cheq_load_pairs512(const float *right, size_t n, int rows, cheq_columns512 *columns) {
    __m512 x[4];
    __m128i bytes[4];
    cheq_load_right512(right, n, rows, x);
    for (int i = 0; i < 4; i++) {
        bytes[i] = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(x[i], _mm512_set1_ps(128))));
    }
    const __m512i weight = cheq_join512(_mm256_set_m128i(bytes[1], bytes[0]), _mm256_set_m128i(bytes[3], bytes[2]));
    const __m512i left = _mm512_sub_epi8(_mm512_set1_epi8(-128), weight);
    columns->pairs[0] = _mm512_unpacklo_epi8(left, weight);
    columns->pairs[1] = _mm512_unpackhi_epi8(left, weight);
}

/* ---- interpolate -------------------------------------------------------- */

/* One row of tiles: left entry * left weight + right entry * right weight. */
CHEQ_AVX512_INLINE __m512 cheq_across512(__m512i left, __m512i right, int k, const cheq_columns512 *columns) {
    const __m512i mask = _mm512_set1_epi32(k % 2 ? 0xff00 : 0xff), exponent = _mm512_set1_epi32(0x4b000000);
    const __m512 l = _mm512_castsi512_ps(_mm512_ternarylogic_epi32(left, mask, exponent, 0xea)); /* (a & b) | c */
    const __m512 r = _mm512_castsi512_ps(_mm512_ternarylogic_epi32(right, mask, exponent, 0xea));
    return _mm512_add_ps(_mm512_fmsub_ps(l, columns->floats.left[k], columns->floats.left_base[k]),
                         _mm512_fmsub_ps(r, columns->floats.right[k], columns->floats.right_base[k]));
}

/* x: the entries of the four LUTs. The sum with 2^23 is rounded to an integer, half to even, its lowest byte. */
CHEQ_AVX512_INLINE __m512i cheq_floats512(__m512i x[4], const cheq_columns512 *columns, const cheq_rows512 *rows) {
    __m512i piece[4];
    for (int k = 0; k < 4; k++) {
        const __m512 upper = _mm512_mul_ps(cheq_across512(x[0], x[1], k, columns), rows->upper);
        const __m512 lower = _mm512_mul_ps(cheq_across512(x[2], x[3], k, columns), rows->lower);
        piece[k] = _mm512_castps_si512(_mm512_add_ps(_mm512_add_ps(upper, lower), _mm512_set1_ps(8388608)));
        for (int l = 0; k == 1 && l < 4; l++) {
            x[l] = _mm512_srli_epi32(x[l], 16);
        }
    }
    const __m512i higher = _mm512_ternarylogic_epi32(_mm512_slli_epi32(piece[1], 8), _mm512_slli_epi32(piece[2], 16),
                                                     _mm512_slli_epi32(piece[3], 24), 0xfe); /* a | b | c */
    return _mm512_ternarylogic_epi32(higher, piece[0], _mm512_set1_epi32(0xff), 0xf8);       /* a | (b & c) */
}

/* Byte 2 of each dword of two registers; and from two such the pixels' order, which unpacking changed. */
#define CHEQ_BYTES_2(i, c) ((i) / 16 * 64 + (i) % 16 * 4 + 2) & 127
#define CHEQ_IN_ORDER(i, c) ((i) / 8 % 2 * 64 + (i) / 4 % 2 * 16 + (i) / 16 * 4 + (i) % 4)
static const uint8_t cheq_bytes_2_512[64] = CHEQ_64(CHEQ_BYTES_2, 0), cheq_in_order_512[64] = CHEQ_64(CHEQ_IN_ORDER, 0);

/* x: the entries less 128. Sums of products are results less 128, times 2^16; with 128 added back they fit three bytes, and
 * byte 2 is the result when 2^15 has been added, or 1 less where the result would be even without it. */
CHEQ_AVX512_INLINE __m512i cheq_integers512(const __m512i x[4], const cheq_columns512 *columns, const cheq_rows512 *rows) {
    const __m512i bias = _mm512_set1_epi32((128 << 16) + 1);
    const __m512i odd = _mm512_set1_epi32(1), half = _mm512_set1_epi32(0x7ffe);
    __m512i sum[4];
    for (int h = 0; h < 2; h++) {
        const __m512i upper = h ? _mm512_unpackhi_epi8(x[0], x[1]) : _mm512_unpacklo_epi8(x[0], x[1]);
        const __m512i lower = h ? _mm512_unpackhi_epi8(x[2], x[3]) : _mm512_unpacklo_epi8(x[2], x[3]);
        const __m512i above = _mm512_maddubs_epi16(columns->pairs[h], upper);
        const __m512i below = _mm512_maddubs_epi16(columns->pairs[h], lower);
        sum[2 * h] = _mm512_dpwssd_epi32(bias, _mm512_unpacklo_epi16(above, below), rows->pair);
        sum[2 * h + 1] = _mm512_dpwssd_epi32(bias, _mm512_unpackhi_epi16(above, below), rows->pair);
    }
    for (int i = 0; i < 4; i++) { /* the bias has the 1 that 0x7ffe or 0x7fff lack */
        sum[i] = _mm512_add_epi32(sum[i], _mm512_ternarylogic_epi32(_mm512_srli_epi32(sum[i], 16), odd, half, 0xea));
    }
    return cheq_permute512(cheq_permute512(sum[0], cheq_bytes_2_512, sum[1]), cheq_in_order_512,
                           cheq_permute512(sum[2], cheq_bytes_2_512, sum[3]));
}

/* ---- blocks ------------------------------------------------------------- */

/* The pixels of a block, each row under a mask, or 64 of one row: masked stores would take a sixth longer in all. */
CHEQ_AVX512_INLINE __m512i cheq_load_block512(const uint8_t *from, ptrdiff_t step, int rows, int whole,
                                              const __mmask64 *masks) {
    if (whole) {
        return _mm512_loadu_si512(from);
    }
    if (rows == 1) {
        return _mm512_maskz_loadu_epi8(masks[0], from);
    }
    if (rows == 2) {
        return cheq_join512(_mm256_maskz_loadu_epi8((__mmask32)masks[0], from),
                            _mm256_maskz_loadu_epi8((__mmask32)masks[1], from + step));
    }
    __m128i x[4];
    for (int r = 0; r < 4; r++) {
        x[r] = _mm_maskz_loadu_epi8((__mmask16)masks[r], from + r * step);
    }
    return cheq_join512(_mm256_set_m128i(x[1], x[0]), _mm256_set_m128i(x[3], x[2]));
}

CHEQ_AVX512_INLINE void cheq_store_block512(uint8_t *to, ptrdiff_t step, int rows, int whole, const __mmask64 *masks,
                                            __m512i x) {
    if (whole) {
        _mm512_storeu_si512(to, x);
    } else if (rows == 1) {
        _mm512_mask_storeu_epi8(to, masks[0], x);
    } else if (rows == 2) {
        _mm256_mask_storeu_epi8(to, (__mmask32)masks[0], cheq_half512(x, 0));
        _mm256_mask_storeu_epi8(to + step, (__mmask32)masks[1], cheq_half512(x, 1));
    } else {
        _mm_mask_storeu_epi8(to, (__mmask16)masks[0], _mm512_castsi512_si128(x));
        _mm_mask_storeu_epi8(to + step, (__mmask16)masks[1], _mm512_extracti32x4_epi32(x, 1));
        _mm_mask_storeu_epi8(to + 2 * step, (__mmask16)masks[2], _mm512_extracti32x4_epi32(x, 2));
        _mm_mask_storeu_epi8(to + 3 * step, (__mmask16)masks[3], _mm512_extracti32x4_epi32(x, 3));
    }
}

/* Fetch the lines of a block in rows to come of the result, and those of the same place in what is wanted next. */
CHEQ_AVX512_INLINE void cheq_fetch_ahead512(const cheq_band *band, const uint8_t *to, size_t y, size_t x, int rows) {
    for (int r = 0; r < rows; r++) {
        __builtin_prefetch(to + (r + CHEQ_ROWS_AHEAD512) * band->out_step, 1);
        if (band->next) {
            __builtin_prefetch(band->next + (y + (size_t)r) * band->width + x, 0);
        }
    }
}

/* A cell, or the end of one, in each of whose blocks are 2 or 4 rows: few blocks, for which the LUTs are left in memory. */
CHEQ_AVX512_INLINE void cheq_blend_narrow512(const cheq_band *band, size_t begin, size_t end, const void *const luts[4],
                                             int rows, int integers) {
    const cheq_band b = *band;
    cheq_columns512 columns;
    __mmask64 masks[4];
    (integers ? cheq_load_pairs512 : cheq_load_floats512)(b.right + begin, end - begin, rows, &columns);
    for (int r = 0; r < 4; r++) {
        masks[r] = cheq_first512(end - begin);
    }
    for (size_t y = 0; y < b.height; y += (size_t)rows) {
        const size_t here = cheq_min((size_t)rows, b.height - y);
        const cheq_rows512 weights = cheq_load_rows512(b.below + y, here, rows);
        const uint8_t *from = b.pixels + (ptrdiff_t)y * b.pixels_step + begin;
        uint8_t *to = b.out + (ptrdiff_t)y * b.out_step + begin;
        __m512i entries[4];
        for (size_t r = here; r < (size_t)rows; r++) {
            masks[r] = 0;
        }
        const __m512i pixels = cheq_load_block512(from, b.pixels_step, rows, 0, masks);
        cheq_fetch_ahead512(&b, to, y, begin, rows);
        for (int l = 0; l < 4; l++) {
            const cheq_lut512 lut = cheq_load_lut512(luts[l]);
            entries[l] = cheq_lookup512(&lut, pixels);
            entries[l] = integers ? _mm512_xor_si512(entries[l], _mm512_set1_epi8(-128)) : entries[l];
        }
        cheq_store_block512(to, b.out_step, rows, 0, masks, integers ? cheq_integers512(entries, &columns, &weights)
                                                                     : cheq_floats512(entries, &columns, &weights));
    }
}

/* Columns [begin, end) of a cell: whole blocks, or one of fewer columns. The LUTs are in registers. */
CHEQ_AVX512_INLINE void cheq_blend_wide512(const cheq_band *band, size_t begin, size_t end, const void *const tables[4],
                                           int whole, int integers, cheq_columns512 *columns) {
    const cheq_band b = *band;
    const __mmask64 mask = cheq_first512(end - begin);
    cheq_lut512 luts[4];
    for (int l = 0; l < 4; l++) {
        luts[l] = cheq_load_lut512(tables[l]);
        for (int q = 0; integers && q < 4; q++) {
            luts[l].quarter[q] = _mm512_xor_si512(luts[l].quarter[q], _mm512_set1_epi8(-128)); /* less 128 */
        }
    }
    for (size_t x = begin; x < end; x += 64) {
        (integers ? cheq_load_pairs512 : cheq_load_floats512)(b.right + x, end - x, 1, columns + (x - begin) / 64);
    }
    for (size_t y = 0; y < b.height; y++) {
        const cheq_rows512 weights = cheq_load_rows512(b.below + y, 1, 1);
        const uint8_t *from = b.pixels + (ptrdiff_t)y * b.pixels_step;
        uint8_t *to = b.out + (ptrdiff_t)y * b.out_step;
        const cheq_columns512 *column = columns;
        for (size_t x = begin; x < end; x += 64, column++) {
            const __m512i pixels = cheq_load_block512(from + x, b.pixels_step, 1, whole, &mask);
            __m512i entries[4];
            cheq_fetch_ahead512(&b, to + x, y, x, 1);
            for (int l = 0; l < 4; l++) {
                entries[l] = cheq_lookup512(&luts[l], pixels);
            }
            cheq_store_block512(to + x, b.out_step, 1, whole, &mask, integers ? cheq_integers512(entries, column, &weights)
                                                                              : cheq_floats512(entries, column, &weights));
        }
    }
}

/* Not inlined: each needs all registers. */
#define CHEQ_BLEND512(name, call) \
    CHEQ_AVX512 __attribute__((noinline)) static void cheq_blend_##name##_512( \
        const cheq_band *band, size_t begin, size_t end, const void *const luts[4], void *room) { \
        (void)room; \
        call; \
    }
CHEQ_BLEND512(floats_whole, cheq_blend_wide512(band, begin, end, luts, 1, 0, room))
CHEQ_BLEND512(floats_1, cheq_blend_wide512(band, begin, end, luts, 0, 0, room))
CHEQ_BLEND512(floats_2, cheq_blend_narrow512(band, begin, end, luts, 2, 0))
CHEQ_BLEND512(floats_4, cheq_blend_narrow512(band, begin, end, luts, 4, 0))
CHEQ_BLEND512(integers_whole, cheq_blend_wide512(band, begin, end, luts, 1, 1, room))
CHEQ_BLEND512(integers_1, cheq_blend_wide512(band, begin, end, luts, 0, 1, room))
CHEQ_BLEND512(integers_2, cheq_blend_narrow512(band, begin, end, luts, 2, 1))
CHEQ_BLEND512(integers_4, cheq_blend_narrow512(band, begin, end, luts, 4, 1))

static void cheq_blend_avx512(const cheq_band *band, void *room) {
    static void (*const by[2][4])(const cheq_band *, size_t, size_t, const void *const[4], void *) = {
        {cheq_blend_floats_4_512, cheq_blend_floats_2_512, cheq_blend_floats_1_512, cheq_blend_floats_whole_512},
        {cheq_blend_integers_4_512, cheq_blend_integers_2_512, cheq_blend_integers_1_512, cheq_blend_integers_whole_512},
    };
    const int integers = cheq_blends_integers(band);
    for (const cheq_cell *cell = band->cells; cell < band->cells + band->n_cells; cell++) {
        for (size_t x = cell->begin, n; x < cell->end; x += n) {
            n = cheq_min(cell->end - x, 64 * CHEQ_BLOCKS512);
            n -= n > 64 ? n % 64 : 0;
            by[integers][(n > 16) + (n > 32) + (n >= 64)](band, x, x + n, cell->luts, room);
        }
    }
}

#endif
