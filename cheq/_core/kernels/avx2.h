/* The kernels for AVX2 (Intel Haswell and later, AMD Zen and later): looking up by byte
 * shuffles, counting by scalar increments that hide the shuffles. */
#ifndef CHEQ_AVX2_H
#define CHEQ_AVX2_H

#include <immintrin.h>

#include "counters.h"
#include "lut.h"
#include "moves256.h"

#define CHEQ_AVX2_RUNS_HERE \
    (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))

/* ---- apply -------------------------------------------------------------- */

/* The LUT is 16 rows of 16 entries. A shuffle looks up one row by the low four bits of
 * its index and gives 0 where bit 7 is set. Take the lower eight rows: with the index
 * lowered by 16 from row to row, and staying negative once it is, row k answers for
 * every pixel of level 16 k or more. So each row but the first is kept as its
 * difference (xor) to the row before, and the answers' xor is the one that is meant.
 * Levels from 128 on are negative and answer nothing; with bit 7 flipped they are
 * the ones that the upper eight rows answer for, the lower levels negative. */
typedef struct {
    __m256i row[16];
} cheq_rows256;

CHEQ_AVX2_INLINE cheq_rows256 cheq_load_rows256(const uint8_t lut[CHEQ_LEVELS]) {
    cheq_rows256 rows;
    __m256i before = _mm256_setzero_si256();
    for (int k = 0; k < 16; k++) {
        __m256i row = _mm256_broadcastsi128_si256(cheq_load128(lut + 16 * k));
        rows.row[k] = k == 8 ? row : _mm256_xor_si256(row, before);
        before = row;
    }
    return rows;
}

/* The answers of rows k to k + n - 1, for the index of row k; lowers the index by n rows. */
CHEQ_AVX2_INLINE __m256i cheq_answer256(const cheq_rows256 *rows, int k, int n, __m256i *index) {
    __m256i answer = _mm256_setzero_si256();
    for (int i = k; i < k + n; i++) {
        answer = _mm256_xor_si256(answer, _mm256_shuffle_epi8(rows->row[i], *index));
        *index = _mm256_subs_epi8(*index, _mm256_set1_epi8(16));
    }
    return answer;
}

CHEQ_AVX2_INLINE __m256i cheq_lookup256(const cheq_rows256 *rows, __m256i pixels) {
    __m256i low = pixels, high = _mm256_xor_si256(pixels, _mm256_set1_epi8(-128));
    __m256i answer = cheq_answer256(rows, 0, 8, &low);
    return _mm256_xor_si256(answer, cheq_answer256(rows, 8, 8, &high));
}

CHEQ_AVX2_INLINE __m256i cheq_load256(const void *from) {
    return _mm256_loadu_si256((const __m256i *)from);
}

CHEQ_AVX2_INLINE void cheq_store256(void *to, __m256i x) {
    _mm256_storeu_si256((__m256i *)to, x);
}

CHEQ_AVX2 static void cheq_apply_avx2(const uint8_t *pixels, uint8_t *out, size_t n,
                                      const uint8_t lut[CHEQ_LEVELS]) {
    if (n < 256) { /* the rows would cost more than they save */
        cheq_apply_scalar(pixels, out, n, lut);
        return;
    }
    const cheq_rows256 rows = cheq_load_rows256(lut);
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        cheq_store256(out + i, cheq_lookup256(&rows, cheq_load256(pixels + i)));
    }
    cheq_apply_scalar(pixels + i, out + i, n - i, lut);
}

/* ---- count -------------------------------------------------------------- */

CHEQ_AVX2_INLINE void cheq_add256(uint32_t hist[8], __m256i counts) {
    cheq_store256(hist, _mm256_add_epi32(cheq_load256(hist), counts));
}

CHEQ_AVX2 static void cheq_sum_tables16_avx2(cheq_tables16 tables, uint32_t hist[CHEQ_LEVELS]) {
    const __m256i low16 = _mm256_set1_epi32(0xffff);
    for (int v = 0; v < CHEQ_LEVELS; v += 16) { /* in 32 bits: eight bins may pass 65,535 together */
        __m256i even = _mm256_setzero_si256(), odd = even;
        for (int i = 0; i < CHEQ_STEP; i++) {
            __m256i bins = cheq_load256(&tables[i][v]);
            even = _mm256_add_epi32(even, _mm256_and_si256(bins, low16));
            odd = _mm256_add_epi32(odd, _mm256_srli_epi32(bins, 16));
        }
        __m256i a = _mm256_unpacklo_epi32(even, odd), b = _mm256_unpackhi_epi32(even, odd);
        cheq_add256(hist + v, _mm256_permute2x128_si256(a, b, 0x20));
        cheq_add256(hist + v + 8, _mm256_permute2x128_si256(a, b, 0x31));
    }
}

CHEQ_AVX2_INLINE void cheq_clear_bins256(cheq_bins bins) {
    for (int v = 0; v < CHEQ_LEVELS; v += 4) {
        cheq_store256(bins[v], _mm256_setzero_si256());
    }
}

CHEQ_AVX2_INLINE void cheq_sum_bins256(cheq_bins bins, uint32_t hist[CHEQ_LEVELS]) {
    const __m256i zero = _mm256_setzero_si256();
    for (int v = 0; v < CHEQ_LEVELS; v += 8) { /* sums of 64 bits; the even dwords of two are 0, 1, 4, 5, 2, 3, 6, 7 */
        __m256 low = _mm256_castsi256_ps(_mm256_sad_epu8(cheq_load256(bins[v]), zero));
        __m256 high = _mm256_castsi256_ps(_mm256_sad_epu8(cheq_load256(bins[v + 4]), zero));
        __m256i sums = _mm256_castps_si256(_mm256_shuffle_ps(low, high, 0x88));
        cheq_add256(hist + v, _mm256_permute4x64_epi64(sums, 0xd8));
    }
}

CHEQ_AVX2 static void cheq_count_few256(const uint8_t *pixels, size_t n, uint32_t hist[CHEQ_LEVELS]) {
    cheq_bins bins;
    cheq_clear_bins256(bins);
    cheq_count_steps_in_bins(pixels, n / CHEQ_STEP, bins);
    cheq_sum_bins256(bins, hist);
    cheq_count_rest(pixels + n - n % CHEQ_STEP, n % CHEQ_STEP, hist);
}

/* Pixels that bins of a byte can hold, and tables of 16 bits, whatever the data. */
#define CHEQ_FEW256 ((size_t)CHEQ_STEP * CHEQ_STEPS_MAX)
#define CHEQ_MANY256 ((size_t)CHEQ_STEP * 65528)

CHEQ_BYTEWISE static void cheq_count_steps16(const uint8_t *pixels, size_t steps, cheq_tables16 tables) {
    for (; steps > 0; steps--, pixels += CHEQ_STEP) {
        cheq_count_step16(pixels, tables);
    }
}

CHEQ_AVX2 static void cheq_count_avx2(const uint8_t *pixels, size_t n, uint32_t hist[CHEQ_LEVELS],
                                      cheq_ahead ahead) {
    (void)ahead; /* slow enough for the machine's own prefetching */
    while (n > CHEQ_FEW256) {
        size_t part = n < CHEQ_MANY256 ? n - n % CHEQ_STEP : CHEQ_MANY256;
        cheq_tables16 tables;
        memset(tables, 0, sizeof tables);
        cheq_count_steps16(pixels, part / CHEQ_STEP, tables);
        cheq_sum_tables16_avx2(tables, hist);
        pixels += part;
        n -= part;
    }
    cheq_count_few256(pixels, n, hist);
}

/* ---- count_apply -------------------------------------------------------- */

/* Bytes between a store and the line asked for: some 100 ns, what memory takes. */
#define CHEQ_WRITE_AHEAD256 512

/* 32 pixels looked up in 16 shuffles, with an increment step after every four: the
 * increments wait for the store port, and the shuffles cost nothing beside them. */
CHEQ_AVX2 __attribute__((noinline)) static void cheq_count_apply_steps256(
    const uint8_t *next, cheq_tables16 tables, const uint8_t *pixels, uint8_t *out, size_t n,
    const cheq_rows256 *rows) {
    const __m256i flip = _mm256_set1_epi8(-128);
    for (size_t i = 0; i < n; i += 32) {
        __m256i low = cheq_load256(pixels + i), high = _mm256_xor_si256(low, flip);
        __builtin_prefetch(next + n + i, 0); /* counted next */
        __builtin_prefetch(out + CHEQ_WRITE_AHEAD256 + i, 1);
        __m256i answer = cheq_answer256(rows, 0, 4, &low);
        cheq_count_step16(next + i, tables);
        answer = _mm256_xor_si256(answer, cheq_answer256(rows, 4, 4, &low));
        cheq_count_step16(next + i + 8, tables);
        answer = _mm256_xor_si256(answer, cheq_answer256(rows, 8, 4, &high));
        cheq_count_step16(next + i + 16, tables);
        answer = _mm256_xor_si256(answer, cheq_answer256(rows, 12, 4, &high));
        cheq_count_step16(next + i + 24, tables);
        cheq_store256(out + i, answer);
    }
}

CHEQ_AVX2 static void cheq_count_apply_avx2(const uint8_t *next, uint32_t hist[CHEQ_LEVELS],
                                            const uint8_t *pixels, uint8_t *out, size_t n,
                                            const uint8_t lut[CHEQ_LEVELS]) {
    if (n > CHEQ_FEW256) {
        const cheq_rows256 rows = cheq_load_rows256(lut);
        while (n >= 32) {
            size_t part = n < CHEQ_MANY256 ? n - n % 32 : CHEQ_MANY256;
            cheq_tables16 tables;
            memset(tables, 0, sizeof tables);
            cheq_count_apply_steps256(next, tables, pixels, out, part, &rows);
            cheq_sum_tables16_avx2(tables, hist);
            next += part, pixels += part, out += part;
            n -= part;
        }
        cheq_count_rest(next, n, hist);
        cheq_apply_scalar(pixels, out, n, lut);
        return;
    }
    cheq_bins bins;
    cheq_clear_bins256(bins);
    cheq_count_steps_in_bins(next, n / CHEQ_STEP, bins);
    cheq_apply_avx2(pixels, out, n, lut); /* while the increments are on their way to L1 */
    cheq_sum_bins256(bins, hist);
    cheq_count_rest(next + n - n % CHEQ_STEP, n % CHEQ_STEP, hist);
}

/* ---- LUT ---------------------------------------------------------------- */

/* Running sums within a register of eight. */
CHEQ_AVX2_INLINE __m256i cheq_running256(__m256i x) {
    x = _mm256_add_epi32(x, _mm256_slli_si256(x, 4));
    x = _mm256_add_epi32(x, _mm256_slli_si256(x, 8));
    __m256i last = _mm256_permutevar8x32_epi32(x, _mm256_set1_epi32(3)); /* the lower half's sum, for the upper half */
    return _mm256_add_epi32(x, _mm256_blend_epi32(_mm256_setzero_si256(), last, 0xf0));
}

/* cheq_lut_opencv with eight levels at a time; s is negative below the first occupied
 * bin, where the packing to unsigned bytes saturates to 0. */
CHEQ_AVX2 static void cheq_lut_opencv_avx2(const uint32_t hist[CHEQ_LEVELS], uint8_t lut[CHEQ_LEVELS]) {
    int32_t running[CHEQ_LEVELS];
    int32_t before[33];
    size_t first = 0;
    while (first < CHEQ_LEVELS - 1 && hist[first] == 0) {
        first++;
    }
    const int32_t first_count = (int32_t)hist[first];
    before[0] = -first_count;
    for (int r = 0; r < 32; r++) {
        cheq_store256(running + 8 * r, cheq_running256(cheq_load256(hist + 8 * r)));
    }
    for (int r = 0; r < 32; r++) {
        before[r + 1] = before[r] + running[8 * r + 7];
    }
    if (before[32] == 0) {
        cheq_lut_identity(lut);
        return;
    }
    const __m256 scale = _mm256_set1_ps(
        cheq_opencv_scale((uint64_t)before[32] + (uint64_t)first_count, (uint64_t)first_count));
    /* the packs work within 128 bits: dword d of register i comes out as dword 4d + i */
    const __m256i unpack = _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0);
    for (int r = 0; r < 32; r += 4) {
        __m256i level[4];
        for (int i = 0; i < 4; i++) {
            __m256i s = _mm256_add_epi32(cheq_load256(running + 8 * (r + i)), _mm256_set1_epi32(before[r + i]));
            level[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(s), scale));
        }
        __m256i packed = _mm256_packus_epi16(_mm256_packus_epi32(level[0], level[1]),
                                             _mm256_packus_epi32(level[2], level[3]));
        cheq_store256(lut + 8 * r, _mm256_permutevar8x32_epi32(packed, unpack));
    }
}

#define CHEQ_AVX2_KERNELS \
    { \
        .name = "avx2", .count = cheq_count_avx2, .apply = cheq_apply_avx2, \
        .count_apply = cheq_count_apply_avx2, .lut_opencv = cheq_lut_opencv_avx2, \
        .select = cheq_select_scalar, .gather = cheq_gather_avx2, .scatter = cheq_scatter_scalar, \
        .split = cheq_split_avx2, .merge = cheq_merge_avx2, \
    }

#endif
