/* The kernels for AVX2 (Intel Haswell and later, AMD Zen and later): looking up by byte
 * shuffles, counting by scalar increments that hide the shuffles. */
#ifndef CHEQ_AVX2_H
#define CHEQ_AVX2_H

#include "formulas/lut.h"
#include "kernels/x86/bins.h"
#include "kernels/x86/clip256.h"
#include "kernels/x86/color256.h"
#include "kernels/x86/floats256.h"
#include "kernels/x86/lookup256.h"
#include "kernels/x86/moves256.h"
#include "kernels/x86/tiles256.h"

/* ---- count -------------------------------------------------------------- */

/* Pixels that go straight into the histogram: 67 ns for 64 at worst (two levels), where
 * clearing, counting and summing in bins takes some 75. */
#define CHEQ_TINY256 64

_Static_assert(CHEQ_MANY % CHEQ_LOOKUP256 == 0, "a round is of whole look-ups");

CHEQ_AVX2_INLINE void cheq_add256(uint32_t hist[8], __m256i counts) {
    cheq_store256(hist, _mm256_add_epi32(cheq_load256(hist), counts));
}

CHEQ_AVX2 static void cheq_sum_tables16_avx2(cheq_tables16 tables, uint32_t hist[CHEQ_LEVELS]) {
    for (int v = 0; v < CHEQ_LEVELS; v += 16) {
        __m256i sum = cheq_load256(&tables[0][v]);
        for (int i = 1; i < CHEQ_STEP; i++) {
            sum = _mm256_add_epi16(sum, cheq_load256(&tables[i][v]));
        }
        cheq_add256(hist + v, _mm256_cvtepu16_epi32(_mm256_castsi256_si128(sum)));
        cheq_add256(hist + v + 8, _mm256_cvtepu16_epi32(_mm256_extracti128_si256(sum, 1)));
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

CHEQ_AVX2 static void cheq_count_avx2(const uint8_t *pixels, size_t n, uint32_t hist[CHEQ_LEVELS],
                                      cheq_ahead ahead, void *room) {
    (void)ahead; /* slow enough for the machine's own prefetching */
    while (n > CHEQ_FEW) {
        size_t part = n < CHEQ_MANY ? n - n % CHEQ_STEP : CHEQ_MANY;
        uint16_t(*tables)[CHEQ_LEVELS] = room;
        memset(tables, 0, sizeof(cheq_tables16));
        cheq_count_steps16(pixels, part / CHEQ_STEP, tables);
        cheq_sum_tables16_avx2(tables, hist);
        pixels += part;
        n -= part;
    }
    if (n > CHEQ_TINY256) {
        cheq_bins bins;
        cheq_clear_bins256(bins);
        cheq_count_steps_in_bins(pixels, n / CHEQ_STEP, bins);
        cheq_sum_bins256(bins, hist);
        pixels += n - n % CHEQ_STEP;
        n %= CHEQ_STEP;
    }
    cheq_count_rest(pixels, n, hist);
}

/* ---- count_apply -------------------------------------------------------- */

/* Bytes between a store and the line asked for: some 150 ns, what memory
 * takes; 1,024 and 1,536 measure alike. */
#define CHEQ_WRITE_AHEAD256 512

/* Two increment steps after each pair of rows: they wait for the store port, one a cycle,
 * and the shuffles cost nothing beside them. Loads share the address ports with the
 * increments, which need nearly all of them: hence four registers to a row. Not unrolled:
 * that takes .36 ns a pixel and more instead of .28. */
CHEQ_AVX2_INLINE void cheq_count_apply_by256(const uint8_t *next, void *counters, int few, const uint8_t *pixels,
                                             uint8_t *out, size_t n, const cheq_rows256 *rows) {
    for (size_t i = 0; i + CHEQ_LOOKUP256 <= n; i += CHEQ_LOOKUP256) {
        cheq_lookup256 x;
        cheq_lookup_begin256(&x, 4, pixels + i);
#pragma GCC unroll 1
        for (int k = 0; k < 8; k++) {
            const uint8_t *step = next + i + 2 * CHEQ_STEP * k;
            /* spread over the rounds: four at once, every line once, cost .02 more in cold memory */
            __builtin_prefetch(step + n, 0); /* counted next */
            __builtin_prefetch(out + CHEQ_WRITE_AHEAD256 + i + 2 * CHEQ_STEP * k, 1);
            cheq_lookup_ask256(&x, 4, rows, k);
            if (few) {
                cheq_count_step_in_bins(step, counters);
                cheq_count_step_in_bins(step + CHEQ_STEP, counters);
            } else {
                cheq_count_step16(step, counters);
                cheq_count_step16(step + CHEQ_STEP, counters);
            }
        }
        cheq_lookup_end256(&x, 4, pixels + i, out + i);
    }
}

/* Not inlined: each needs all registers. */
CHEQ_AVX2 __attribute__((noinline)) static void cheq_count_apply_few256(
    const uint8_t *next, cheq_bins bins, const uint8_t *pixels, uint8_t *out, size_t n, const cheq_rows256 *rows) {
    cheq_count_apply_by256(next, bins, 1, pixels, out, n, rows);
}

CHEQ_AVX2 __attribute__((noinline)) static void cheq_count_apply_many256(
    const uint8_t *next, cheq_tables16 tables, const uint8_t *pixels, uint8_t *out, size_t n,
    const cheq_rows256 *rows) {
    cheq_count_apply_by256(next, tables, 0, pixels, out, n, rows);
}

CHEQ_AVX2 static void cheq_count_apply_avx2(const uint8_t *next, uint32_t hist[CHEQ_LEVELS],
                                            const uint8_t *pixels, uint8_t *out, size_t n,
                                            const uint8_t lut[CHEQ_LEVELS], void *room) {
    const cheq_ahead nothing = {NULL, NULL};
    if (n < 2 * CHEQ_LOOKUP256) {
        cheq_count_avx2(next, n, hist, nothing, room);
        cheq_apply_avx2(pixels, out, n, lut);
        return;
    }
    const cheq_rows256 rows = cheq_load_rows256(lut);
    while (n > CHEQ_FEW) {
        size_t part = n < CHEQ_MANY ? n - n % CHEQ_LOOKUP256 : CHEQ_MANY;
        uint16_t(*tables)[CHEQ_LEVELS] = room;
        memset(tables, 0, sizeof(cheq_tables16));
        cheq_count_apply_many256(next, tables, pixels, out, part, &rows);
        cheq_sum_tables16_avx2(tables, hist);
        next += part, pixels += part, out += part;
        n -= part;
    }
    if (n < CHEQ_LOOKUP256) {
        cheq_count_avx2(next, n, hist, nothing, room);
        cheq_apply_rows256(pixels, out, n, &rows, lut);
        return;
    }
    const size_t blocks = n - n % CHEQ_LOOKUP256, rest = n - blocks;
    cheq_bins bins;
    cheq_clear_bins256(bins);
    cheq_count_apply_few256(next, bins, pixels, out, blocks, &rows);
    cheq_count_steps_in_bins(next + blocks, rest / CHEQ_STEP, bins);
    /* meanwhile the increments arrive in L1, from where wide loads can have them */
    cheq_apply_rows256(pixels + blocks, out + blocks, rest, &rows, lut);
    cheq_sum_bins256(bins, hist);
    cheq_count_rest(next + n - n % CHEQ_STEP, n % CHEQ_STEP, hist);
}

/* ---- LUT ---------------------------------------------------------------- */

CHEQ_AVX2_INLINE int32_t cheq_first_count256(const uint32_t hist[CHEQ_LEVELS]) {
    for (int v = 0; v < CHEQ_LEVELS; v += 8) {
        __m256i empty = _mm256_cmpeq_epi32(cheq_load256(hist + v), _mm256_setzero_si256());
        unsigned occupied = ~(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(empty)) & 0xff;
        if (occupied) {
            return (int32_t)hist[v + (int)_tzcnt_u32(occupied)];
        }
    }
    return 0;
}

/* cheq_lut_opencv with eight levels at a time: four of the lower half of the levels and
 * four of the upper, since running sums that stay within 128 bits need no permutes, and
 * packing, which works within 128 bits, then keeps each half in order. s is negative
 * below the first occupied bin, where packing to unsigned bytes saturates to 0. */
CHEQ_AVX2 static void cheq_lut_opencv_avx2(const uint32_t hist[CHEQ_LEVELS], uint8_t lut[CHEQ_LEVELS]) {
    __m256i running[32], sum = _mm256_setzero_si256();
    for (int r = 0; r < 32; r++) {
        __m256i x = _mm256_inserti128_si256(_mm256_castsi128_si256(cheq_load128(hist + 4 * r)),
                                            cheq_load128(hist + 128 + 4 * r), 1);
        x = _mm256_add_epi32(x, _mm256_slli_si256(x, 4));
        x = _mm256_add_epi32(x, _mm256_slli_si256(x, 8));
        running[r] = _mm256_add_epi32(x, sum);
        sum = _mm256_add_epi32(sum, _mm256_shuffle_epi32(x, 0xff));
    }
    const int32_t lower = _mm256_extract_epi32(sum, 0), total = lower + _mm256_extract_epi32(sum, 4);
    const int32_t first_count = cheq_first_count256(hist);
    if (first_count == total) {
        cheq_lut_identity(lut);
        return;
    }
    const __m256 scale = _mm256_set1_ps(cheq_opencv_scale(255.0f, (uint64_t)total, (uint64_t)first_count));
    const __m256i before = _mm256_set_m128i(_mm_set1_epi32(lower - first_count), _mm_set1_epi32(-first_count));
    for (int r = 0; r < 32; r += 4) {
        __m256i level[4];
        for (int i = 0; i < 4; i++) {
            __m256 s = _mm256_cvtepi32_ps(_mm256_add_epi32(running[r + i], before));
            level[i] = _mm256_cvtps_epi32(_mm256_mul_ps(s, scale)); /* half to even, as the default mode is */
        }
        __m256i packed = _mm256_packus_epi16(_mm256_packus_epi32(level[0], level[1]),
                                             _mm256_packus_epi32(level[2], level[3]));
        _mm_storeu_si128((__m128i *)(lut + 4 * r), _mm256_castsi256_si128(packed));
        _mm_storeu_si128((__m128i *)(lut + 128 + 4 * r), _mm256_extracti128_si256(packed, 1));
    }
}

/* The compiler's vectors of it. */
CHEQ_AVX2 static void cheq_lut_pillow_avx2(const uint32_t hist[CHEQ_LEVELS], uint8_t lut[CHEQ_LEVELS]) {
    cheq_lut_pillow_body(hist, lut);
}

#define CHEQ_ISA avx2
#define CHEQ_ATTRIBUTES CHEQ_AVX2
#include "kernels/channels.h"
#define CHEQ_INTERPOLATE_4 cheq_interpolate_4_256
#include "kernels/floats.h"
#define CHEQ_LUT_FEW
#include "kernels/tiles.h"
#include "kernels/blend.h"
#define CHEQ_MM(name) _mm256_##name
#define CHEQ_WORDS __m256i
#define CHEQ_PARTS 2
#include "kernels/x86/clip.h"
#undef CHEQ_PARTS
#undef CHEQ_WORDS
#undef CHEQ_MM
#undef CHEQ_LUT_FEW
#undef CHEQ_INTERPOLATE_4
#undef CHEQ_ATTRIBUTES
#undef CHEQ_ISA

static const cheq_kernels cheq_kernels_avx2 = {
    .name = "avx2", .needs = CHEQ_AVX2_NEEDS,
    .count = cheq_count_avx2, .apply = cheq_apply_avx2, .count_apply = cheq_count_apply_avx2,
    .lut_opencv = cheq_lut_opencv_avx2, .lut_pillow = cheq_lut_pillow_avx2,
    .select = cheq_select_avx2, .gather = cheq_gather_avx2, .scatter = cheq_scatter_scalar,
    .split = cheq_split_avx2, .merge = cheq_merge_avx2,
    .bounds = cheq_bounds_avx2, .count_floats = cheq_count_floats_avx2, .interpolate = cheq_interpolate_avx2,
    .lightness = cheq_lightness_avx2, .gray16 = cheq_gray16_avx2,
    .to_space = cheq_to_space_avx2, .from_space = cheq_from_space_avx2, .recolor16 = cheq_recolor16_avx2,
    .lightness_dense = cheq_lab_lightness_dense_avx2, .recolor_dense = cheq_lab_recolor_dense_avx2,
    .lut_few = cheq_lut_few_avx2,
    .lut_clip = cheq_lut_clip_any_avx2, .lut_clip16 = cheq_lut_clip16_avx2,
    .blend = cheq_blend_avx2, .blend16 = cheq_blend16_avx2,
};

#endif
