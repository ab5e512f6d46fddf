/* Counting with AVX-512: bit planes, and scalar increments beside them. */
#ifndef CHEQ_COUNT512_H
#define CHEQ_COUNT512_H

#include <immintrin.h>

#include "kernels/x86/bins.h"
#include "kernels/x86/moves512.h"

/* 512 pixels become eight bit planes of one register each. For a set S of bits,
 * the AND of its planes has a one for each pixel whose level contains S; popcounts
 * add up to counts[S] = the number of such pixels. That is three operations a set
 * and 512 pixels, whatever the data. The histogram is the Mobius inverse over the
 * subsets, taken once a chunk: for each bit, counts[S] -= counts[S + bit].
 *
 * The vector units are busy with this, the store port is not: in the same loop
 * scalar code increments the bins of further pixels, nearly for free. */
enum {
    CHEQ_BLOCK512 = 512,
    CHEQ_BESIDE512 = 16 * 3 * CHEQ_STEP, /* pixels beside a block: three steps a family, 16 families */
    CHEQ_UNIT512 = CHEQ_BLOCK512 + CHEQ_BESIDE512,
    CHEQ_CHUNK512 = 16, /* blocks a chunk: their bit planes take 12 KiB of L1 */
    /* steps, at most, beside the sums that end a family: with 9,216 pixels .162 ns a
     * pixel for .167, with 4,096 .182 for .201; more gain nothing */
    CHEQ_ENDING512 = 4,
};

/* Fewer pixels are counted by scalar increments alone, whose fixed cost is smaller
 * (1,728 pixels: 500 ns for 518; 1,792: 517 for 424). */
#define CHEQ_FEW512 (2 * CHEQ_UNIT512)

/* The counts of a chunk, of the pixels beside it and of the rest that joins the last
 * one are summed in 16 bits, whatever the data. */
_Static_assert(CHEQ_CHUNK512 * CHEQ_UNIT512 + 16 * CHEQ_STEP * CHEQ_ENDING512 + CHEQ_FEW512 <= 65536, "16-bit counts of a chunk overflow");

/* Of each pair of bits, the highest first: the plane of the lower one, of the higher one, their AND. */
typedef __m512i cheq_bit_planes512[4][3];

/* The bit planes of 512 pixels. The order of the pixels is lost, but the same in
 * all planes. One affine product a register transposes 8 x 8 bits: byte j of a
 * qword then has bit j of eight pixels. Three stages bring equal j together. */
CHEQ_AVX512 CHEQ_BODY void cheq_load_bit_planes512(const uint8_t *pixels, cheq_bit_planes512 planes) {
    const __m512i identity = _mm512_set1_epi64((long long)0x8040201008040201ull);
    const __m512i even = _mm512_loadu_si512(cheq_split2_512[0]), odd = _mm512_loadu_si512(cheq_split2_512[1]);
    const __m512i even16 = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(even));
    const __m512i odd16 = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(odd));
    __m512i r[8], s[8];
    for (int i = 0; i < 8; i++) {
        r[i] = _mm512_gf2p8affine_epi64_epi8(identity, _mm512_loadu_si512(pixels + 64 * i), 0);
    }
    for (int i = 0; i < 4; i++) { /* dwords: bits 0 to 3 into s[0..3], 4 to 7 into s[4..7] */
        __m512 x = _mm512_castsi512_ps(r[2 * i]), y = _mm512_castsi512_ps(r[2 * i + 1]);
        s[i] = _mm512_castps_si512(_mm512_shuffle_ps(x, y, 0x88));
        s[i + 4] = _mm512_castps_si512(_mm512_shuffle_ps(x, y, 0xdd));
    }
    for (int i = 0; i < 8; i += 4) { /* words: pairs of bits into r[0..1], r[2..3], ... */
        for (int j = 0; j < 2; j++) {
            r[i + j] = _mm512_permutex2var_epi16(s[i + 2 * j], even16, s[i + 2 * j + 1]);
            r[i + 2 + j] = _mm512_permutex2var_epi16(s[i + 2 * j], odd16, s[i + 2 * j + 1]);
        }
    }
    for (int pair = 0; pair < 4; pair++) { /* bytes */
        __m512i *plane = planes[3 - pair];
        plane[0] = _mm512_permutex2var_epi8(r[2 * pair], even, r[2 * pair + 1]);
        plane[1] = _mm512_permutex2var_epi8(r[2 * pair], odd, r[2 * pair + 1]);
        plane[2] = _mm512_and_si512(plane[0], plane[1]);
    }
}

/* Sixteen counters of eight lanes each become sixteen 16-bit sums. */
CHEQ_AVX512 static inline __m256i cheq_sum_lanes512(const __m512i counter[16]) {
    __m512i r[4];
    for (int c = 0; c < 4; c++) {
        const __m512i *x = counter + 4 * c;
        __m512i low = _mm512_or_si512(x[0], _mm512_slli_epi64(x[1], 16));
        __m512i high = _mm512_or_si512(x[2], _mm512_slli_epi64(x[3], 16));
        r[c] = _mm512_or_si512(low, _mm512_slli_epi64(high, 32));
    }
    __m512i u = _mm512_add_epi64(_mm512_unpacklo_epi64(r[0], r[1]), _mm512_unpackhi_epi64(r[0], r[1]));
    __m512i v = _mm512_add_epi64(_mm512_unpacklo_epi64(r[2], r[3]), _mm512_unpackhi_epi64(r[2], r[3]));
    __m512i w = _mm512_add_epi64(_mm512_shuffle_i64x2(u, v, 0x88), _mm512_shuffle_i64x2(u, v, 0xdd));
    w = _mm512_add_epi64(_mm512_shuffle_i64x2(w, w, 0x88), _mm512_shuffle_i64x2(w, w, 0xdd));
    return _mm512_castsi512_si256(w);
}

/* The lines fetched while counting: one of each kind a family and block. */
typedef struct {
    const uint8_t *read, *write;
    size_t read_step, write_step; /* 64, or 0 where nothing is wanted */
} cheq_fetch;

static inline const uint8_t *cheq_count_beside(const uint8_t *pixels, size_t steps, cheq_tables16 tables) {
    for (; steps > 0; steps--, pixels += CHEQ_STEP) {
        cheq_count_step16(pixels, tables);
    }
    return pixels;
}

/* One family: the 16 sets that share their upper four bits, `family`. Four rows of
 * four: no bit, the lower, the higher or both of bits 2 and 3; then of bits 0 and 1.
 * Sixteen counters stay in registers while the blocks go by. Counts the pixels at
 * `beside` too, `ending` steps of them at the end, and returns where those left lie. */
CHEQ_AVX512 CHEQ_BODY const uint8_t *cheq_count_family512(const cheq_bit_planes512 *restrict planes, size_t blocks,
                                                              int family, const uint8_t *beside,
                                                              size_t ending, uint16_t (*restrict tables)[CHEQ_LEVELS],
                                                              cheq_fetch *fetch, uint16_t counts[16]) {
    const __m512i all = _mm512_set1_epi64(-1);
    const int upper = family >> 2, lower = family & 3;
    __m512i counter[16];
    for (int i = 0; i < 16; i++) {
        counter[i] = _mm512_setzero_si512();
    }
    for (size_t b = 0; b < blocks; b++) {
        const __m512i(*plane)[3] = planes[b];
        __m512i top = _mm512_and_si512(upper ? plane[0][upper - 1] : all, lower ? plane[1][lower - 1] : all);
        __builtin_prefetch(fetch->read, 0);
        __builtin_prefetch(fetch->write, 1);
        fetch->read += fetch->read_step;
        fetch->write += fetch->write_step;
#pragma GCC unroll 4
        for (int c = 0; c < 4; c++) {
            __m512i row = c ? _mm512_and_si512(top, plane[2][c - 1]) : top;
#pragma GCC unroll 4
            for (int d = 0; d < 4; d++) {
                __m512i set = d ? _mm512_and_si512(row, plane[3][d - 1]) : row;
                counter[4 * c + d] = _mm512_add_epi64(counter[4 * c + d], _mm512_popcnt_epi64(set));
            }
            if (c < 3) {
                cheq_count_step16(beside, tables);
                beside += CHEQ_STEP;
            }
        }
    }
    beside = cheq_count_beside(beside, ending, tables);
    _mm256_storeu_si256((__m256i *)counts, cheq_sum_lanes512(counter));
    return beside;
}

/* The Mobius inverse over the bits 0 to 4, which tell the lanes of a register apart. */
CHEQ_AVX512 static inline __m512i cheq_invert_lanes512(__m512i x) {
    x = _mm512_mask_sub_epi16(x, 0x0000ffff, x, _mm512_shuffle_i64x2(x, x, 0x4e));
    x = _mm512_mask_sub_epi16(x, 0x00ff00ff, x, _mm512_shuffle_i64x2(x, x, 0xb1));
    x = _mm512_mask_sub_epi16(x, 0x0f0f0f0f, x, _mm512_shuffle_epi32(x, 0x4e));
    x = _mm512_mask_sub_epi16(x, 0x33333333, x, _mm512_shuffle_epi32(x, 0xb1));
    return _mm512_mask_sub_epi16(x, 0x55555555, x, _mm512_rol_epi32(x, 16));
}

/* hist += the Mobius inverse of counts + the sum of the tables. */
CHEQ_AVX512 CHEQ_BODY void cheq_sum_chunk512(const uint16_t counts[CHEQ_LEVELS], cheq_tables16 tables,
                                                 uint32_t hist[CHEQ_LEVELS]) {
    __m512i x[8];
    for (int r = 0; r < 8; r++) {
        x[r] = cheq_invert_lanes512(_mm512_loadu_si512(counts + 32 * r));
    }
    for (int bit = 1; bit < 8; bit <<= 1) { /* bits 5 to 7 tell the registers apart */
        for (int r = 0; r < 8; r++) {
            if (!(r & bit)) {
                x[r] = _mm512_sub_epi16(x[r], x[r | bit]);
            }
        }
    }
    for (int r = 0; r < 8; r++) {
        for (int i = 0; i < CHEQ_STEP; i++) {
            x[r] = _mm512_add_epi16(x[r], _mm512_loadu_si512(&tables[i][32 * r]));
        }
        uint32_t *h = hist + 32 * r;
        __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(x[r]));
        __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(x[r], 1));
        _mm512_storeu_si512(h, _mm512_add_epi32(low, _mm512_loadu_si512(h)));
        _mm512_storeu_si512(h + 16, _mm512_add_epi32(high, _mm512_loadu_si512(h + 16)));
    }
}

CHEQ_AVX512 static inline void cheq_clear_bins512(cheq_bins bins) {
    for (int v = 0; v < CHEQ_LEVELS; v += 8) {
        _mm512_storeu_si512(bins[v], _mm512_setzero_si512());
    }
}

CHEQ_AVX512 static inline void cheq_sum_bins512(cheq_bins bins, uint32_t hist[CHEQ_LEVELS]) {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    for (int v = 0; v < CHEQ_LEVELS; v += 16) {
        __m512i low = _mm512_sad_epu8(_mm512_loadu_si512(bins[v]), zero);
        __m512i high = _mm512_sad_epu8(_mm512_loadu_si512(bins[v + 8]), zero);
        __m512i sums = _mm512_permutex2var_epi32(low, even, high);
        _mm512_storeu_si512(hist + v, _mm512_add_epi32(sums, _mm512_loadu_si512(hist + v)));
    }
}

CHEQ_AVX512 static void cheq_count_few512(const uint8_t *pixels, size_t n, uint32_t hist[CHEQ_LEVELS]) {
    cheq_bins bins;
    cheq_clear_bins512(bins);
    cheq_count_steps_in_bins(pixels, n / CHEQ_STEP, bins);
    cheq_sum_bins512(bins, hist);
    cheq_count_rest(pixels + n - n % CHEQ_STEP, n % CHEQ_STEP, hist);
}

typedef struct {
    cheq_bit_planes512 bit_planes[CHEQ_CHUNK512];
    cheq_tables16 tables;
    uint16_t counts[CHEQ_LEVELS];
} cheq_chunk512;

_Static_assert(sizeof(cheq_chunk512) <= CHEQ_ROOM, "a chunk needs more room");

CHEQ_AVX512 static void cheq_count_many512(const uint8_t *pixels, size_t n, uint32_t hist[CHEQ_LEVELS],
                                           cheq_ahead ahead, void *room) {
    cheq_chunk512 *chunk = room;
    /* the histogram stands in for what is not wanted: it is near */
    cheq_fetch fetch = {NULL, ahead.write ? ahead.write : (const uint8_t *)hist, 64, ahead.write ? 64 : 0};
    while (n >= CHEQ_STEP) {
        size_t blocks = cheq_min(n / CHEQ_UNIT512, CHEQ_CHUNK512);
        size_t ending = cheq_min((n - CHEQ_UNIT512 * blocks) / (16 * CHEQ_STEP), CHEQ_ENDING512);
        size_t taken = CHEQ_UNIT512 * blocks + 16 * CHEQ_STEP * ending;
        memset(chunk->tables, 0, sizeof chunk->tables);
        for (size_t b = 0; b < blocks; b++) {
            cheq_load_bit_planes512(pixels + CHEQ_BLOCK512 * b, chunk->bit_planes[b]);
        }
        const uint8_t *beside = pixels + CHEQ_BLOCK512 * blocks;
        pixels += taken;
        n -= taken;
        fetch.read = n >= CHEQ_FEW512 ? pixels : ahead.read; /* the next chunk, or what comes after the last */
        if (!fetch.read) {
            fetch.read = (const uint8_t *)hist;
            fetch.read_step = 0;
        }
        for (int family = 0; family < 16; family++) {
            beside = cheq_count_family512((const cheq_bit_planes512 *)chunk->bit_planes, blocks, family, beside, ending,
                                        chunk->tables, &fetch, chunk->counts + 16 * family);
        }
        if (n < CHEQ_FEW512) { /* what is left joins this chunk's tables */
            pixels = cheq_count_beside(pixels, n / CHEQ_STEP, chunk->tables);
            n %= CHEQ_STEP;
        }
        cheq_sum_chunk512(chunk->counts, chunk->tables, hist);
    }
    cheq_count_rest(pixels, n, hist);
}

#endif
