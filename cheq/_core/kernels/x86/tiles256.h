/* CLAHE for AVX2. A cell's four LUTs become one table of four bytes a level; eight pixels are looked up straight into a
 * register, whatever their cells, and interpolated there. */
#ifndef CHEQ_TILES256_H
#define CHEQ_TILES256_H

#include "kernels/x86/moves256.h"

/* Columns at a time: with the tables of their cells, as many as the room holds. */
enum { CHEQ_COLUMNS256 = 512 };

typedef struct {
    cheq_fours cells[CHEQ_CELLS];
    union {
        struct {
            float left[CHEQ_COLUMNS256], right[CHEQ_COLUMNS256];
        } floats;
        uint32_t pairs[CHEQ_COLUMNS256]; /* left, right, left, right: bytes of 1/128 */
    } weights;
    uint32_t table[CHEQ_COLUMNS256]; /* where a column's begins: for pixels of several cells */
} cheq_room256;

_Static_assert(sizeof(cheq_room256) <= CHEQ_ROOM, "the tables of cells need more room");

/* The weights of a row; and as words of 1/512, the lower one the higher. */
typedef struct {
    __m256 upper, lower;
    __m256i pair;
} cheq_row256;

/* ---- tables ------------------------------------------------------------- */

/* For integers, entries less 128. */
CHEQ_AVX2_INLINE void cheq_join_luts256(const void *const luts[4], int integers, cheq_fours fours) {
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

CHEQ_AVX2_INLINE void cheq_prepare256(const cheq_band *band, const cheq_piece *piece, int integers, cheq_room256 *room) {
    const float *right = band->right + piece->begin;
    size_t at = 0;
    for (size_t c = 0; c < piece->n_cells; c++) {
        cheq_join_luts256(piece->cells[c].luts, integers, room->cells[c]);
        for (; at < cheq_min(piece->cells[c].end, piece->end) - piece->begin; at++) {
            room->table[at] = (uint32_t)(CHEQ_LEVELS * c);
        }
    }
    for (size_t x = 0; x < at; x++) {
        if (integers) {
            const uint32_t weight = (uint32_t)(right[x] * 128);
            room->weights.pairs[x] = ((128 - weight) | weight << 8) * 0x10001u;
        } else {
            room->weights.floats.left[x] = 1.0f - right[x];
            room->weights.floats.right[x] = right[x];
        }
    }
}

/* ---- interpolate -------------------------------------------------------- */

/* Byte k of each dword as a float. */
CHEQ_AVX2_INLINE __m256 cheq_byte256(__m256i x, int k) {
    const int first = (int)0x80808000 + k; /* of a shuffle's indices: 128 gives 0 */
    const __m128i lane = _mm_set_epi32(first + 12, first + 8, first + 4, first);
    return _mm256_cvtepi32_ps(k == 0   ? _mm256_and_si256(x, _mm256_set1_epi32(255))
                              : k == 3 ? _mm256_srli_epi32(x, 24)
                                       : _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(lane)));
}

CHEQ_AVX2_INLINE __m256i cheq_floats256(__m256i fours, const cheq_room256 *room, size_t x, const cheq_row256 *row) {
    const __m256 left = _mm256_loadu_ps(room->weights.floats.left + x);
    const __m256 right = _mm256_loadu_ps(room->weights.floats.right + x);
    __m256 across[2];
    for (int l = 0; l < 2; l++) {
        across[l] = _mm256_add_ps(_mm256_mul_ps(cheq_byte256(fours, 2 * l), left),
                                  _mm256_mul_ps(cheq_byte256(fours, 2 * l + 1), right));
    }
    return _mm256_cvtps_epi32(_mm256_add_ps(_mm256_mul_ps(across[0], row->upper), _mm256_mul_ps(across[1], row->lower)));
}

/* See cheq_integers512: the result is in byte 2 of sums that half of 2^16 rounds, to even. */
CHEQ_AVX2_INLINE __m256i cheq_integers256(__m256i fours, const cheq_room256 *room, size_t x, const cheq_row256 *row) {
    const __m256i across = _mm256_maddubs_epi16(cheq_load256(room->weights.pairs + x), fours);
    const __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(across, row->pair), _mm256_set1_epi32(128 << 16));
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(sum, 16), _mm256_set1_epi32(1));
    return _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(0x7fff)), odd), 16);
}

CHEQ_AVX2_INLINE void cheq_blend_eight256(__m256i fours, const cheq_room256 *room, size_t x, const cheq_row256 *row,
                                          int integers, uint8_t *to) {
    fours = (integers ? cheq_integers256 : cheq_floats256)(fours, room, x, row);
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1));
    _mm_storel_epi64((__m128i *)to, _mm_packus_epi16(words, words));
}

/* ---- pixels ------------------------------------------------------------- */

CHEQ_AVX2_INLINE __m256i cheq_load_fours256(const uint32_t *const at[8]) {
    __m128i x[2];
    for (int h = 0; h < 2; h++) {
        x[h] = _mm_cvtsi32_si128((int)*at[4 * h]);
        x[h] = _mm_insert_epi32(x[h], (int)*at[4 * h + 1], 1);
        x[h] = _mm_insert_epi32(x[h], (int)*at[4 * h + 2], 2);
        x[h] = _mm_insert_epi32(x[h], (int)*at[4 * h + 3], 3);
    }
    return _mm256_set_m128i(x[1], x[0]);
}

/* Eight pixels of one cell; and of several, whose tables begin so far behind the first. */
CHEQ_AVX2_INLINE __m256i cheq_look_up256(const uint8_t *pixels, const uint32_t *fours) {
    const uint32_t *at[8];
    for (int i = 0; i < 8; i++) {
        at[i] = fours + pixels[i];
    }
    return cheq_load_fours256(at);
}

CHEQ_AVX2_INLINE __m256i cheq_look_up_apart256(const uint8_t *pixels, const uint32_t *first, const uint32_t *tables) {
    const uint32_t *at[8];
    for (int i = 0; i < 8; i++) {
        at[i] = first + tables[i] + pixels[i];
    }
    return cheq_load_fours256(at);
}

/* The last pixels of a row, fewer than eight. */
CHEQ_AVX2_INLINE void cheq_blend_last256(const uint8_t *pixels, const cheq_room256 *room, size_t x, size_t n,
                                         const cheq_row256 *row, int integers, uint8_t *to) {
    uint8_t last[8] = {0};
    uint32_t tables[8] = {0};
    memcpy(last, pixels, n);
    memcpy(tables, room->table + x, n * sizeof *tables);
    cheq_blend_eight256(cheq_look_up_apart256(last, room->cells[0], tables), room, x, row, integers, last);
    memcpy(to, last, n);
}

/* A row of a piece. Eight pixels are looked up while those before are interpolated. */
CHEQ_AVX2_INLINE void cheq_blend_row256(const cheq_piece *piece, const uint8_t *pixels, const cheq_room256 *room,
                                        const cheq_row256 *row, int integers, uint8_t *to) {
    const size_t end = piece->end - piece->begin;
    size_t x = 0;
    for (size_t c = 0; c < piece->n_cells; c++) {
        const size_t cell_end = cheq_min(piece->cells[c].end, piece->end) - piece->begin;
        if (x + 8 <= cell_end) {
            __m256i fours = cheq_look_up256(pixels + x, room->cells[c]);
            for (; x + 16 <= cell_end; x += 8) {
                const __m256i next = cheq_look_up256(pixels + x + 8, room->cells[c]);
                cheq_blend_eight256(fours, room, x, row, integers, to + x);
                fours = next;
            }
            cheq_blend_eight256(fours, room, x, row, integers, to + x);
            x += 8;
        }
        if (x < cell_end && x + 8 <= end) {
            cheq_blend_eight256(cheq_look_up_apart256(pixels + x, room->cells[0], room->table + x), room, x, row, integers,
                                to + x);
            x += 8;
        }
    }
    if (x < end) {
        cheq_blend_last256(pixels + x, room, x, end - x, row, integers, to + x);
    }
}

CHEQ_AVX2_INLINE void cheq_blend_by256(const cheq_band *band, int integers, cheq_room256 *room) {
    const cheq_cell *cell = band->cells;
    for (size_t begin = 0; begin < band->width;) {
        const cheq_piece piece = cheq_piece_from(band, begin, cell, CHEQ_COLUMNS256);
        cheq_prepare256(band, &piece, integers, room);
        for (size_t y = 0; y < band->height; y++) {
            const float below = band->below[y];
            const cheq_row256 row = {_mm256_set1_ps(1.0f - below), _mm256_set1_ps(below),
                                     _mm256_set1_epi32((int)(below * 512) * 65535 + 512)};
            cheq_blend_row256(&piece, band->pixels + (ptrdiff_t)y * band->pixels_step + begin, room, &row, integers,
                              band->out + (ptrdiff_t)y * band->out_step + begin);
        }
        begin = piece.end;
        cell = piece.next;
    }
}

CHEQ_AVX2 static void cheq_blend_avx2(const cheq_band *band, void *room) {
    if (cheq_blends_integers(band)) {
        cheq_blend_by256(band, 1, room);
    } else {
        cheq_blend_by256(band, 0, room);
    }
}

#endif
