/* The kernels for AVX-512 with VBMI, VPOPCNTDQ, VNNI and GFNI (Intel Ice Lake and later,
 * AMD Zen 4 and later). */
#ifndef CHEQ_AVX512_H
#define CHEQ_AVX512_H

#include "formulas/lut.h"
#include "kernels/x86/clip512.h"
#include "kernels/x86/count512.h"
#include "kernels/x86/few512.h"
#include "kernels/x86/floats256.h"
#include "kernels/x86/lookup512.h"
#include "kernels/x86/moves512.h"
#include "kernels/x86/spaces512.h"
#include "kernels/x86/tiles512.h"

/* ---- count -------------------------------------------------------------- */

CHEQ_AVX512 static void cheq_count_avx512(const uint8_t *pixels, size_t n, uint32_t hist[CHEQ_LEVELS],
                                          cheq_ahead ahead, void *room) {
    if (n < CHEQ_FEW512) {
        cheq_count_few512(pixels, n, hist);
    } else {
        cheq_count_many512(pixels, n, hist, ahead, room);
    }
}

/* Looking up costs so little here that only its memory is worth overlapping; and,
 * with few pixels, the wait of the wide loads that sum the bins for the increments
 * still on their way to L1. */
CHEQ_AVX512 static void cheq_count_apply_avx512(const uint8_t *next, uint32_t hist[CHEQ_LEVELS],
                                                const uint8_t *pixels, uint8_t *out, size_t n,
                                                const uint8_t lut[CHEQ_LEVELS], void *room) {
    if (n >= CHEQ_FEW512) {
        cheq_ahead ahead = {next + n, out};
        cheq_count_many512(next, n, hist, ahead, room);
        cheq_apply_avx512(pixels, out, n, lut);
        return;
    }
    cheq_bins bins;
    cheq_clear_bins512(bins);
    cheq_count_steps_in_bins(next, n / CHEQ_STEP, bins);
    cheq_apply_avx512(pixels, out, n, lut);
    cheq_sum_bins512(bins, hist);
    cheq_count_rest(next + n - n % CHEQ_STEP, n % CHEQ_STEP, hist);
}

/* ---- LUT ---------------------------------------------------------------- */

/* Running sums within a register of sixteen. */
CHEQ_AVX512 static inline __m512i cheq_running512(__m512i x) {
    const __m512i zero = _mm512_setzero_si512();
    x = _mm512_add_epi32(x, _mm512_alignr_epi32(x, zero, 15));
    x = _mm512_add_epi32(x, _mm512_alignr_epi32(x, zero, 14));
    x = _mm512_add_epi32(x, _mm512_alignr_epi32(x, zero, 12));
    return _mm512_add_epi32(x, _mm512_alignr_epi32(x, zero, 8));
}

/* cheq_lut_opencv with sixteen levels at a time; s is negative below the first
 * occupied bin, where the packing to unsigned bytes saturates to 0. */
CHEQ_AVX512 static void cheq_lut_opencv_avx512(const uint32_t hist[CHEQ_LEVELS], uint8_t lut[CHEQ_LEVELS]) {
    int32_t running[CHEQ_LEVELS];
    int32_t before[17];
    int first = 0;
    for (__mmask16 occupied = 0; first < CHEQ_LEVELS; first += 16) {
        __m512i counts = _mm512_loadu_si512(hist + first);
        occupied = _mm512_test_epi32_mask(counts, counts);
        if (occupied) {
            first += (int)_tzcnt_u32(occupied);
            break;
        }
    }
    int32_t first_count = first < CHEQ_LEVELS ? (int32_t)hist[first] : 0;
    before[0] = -first_count;
    for (int r = 0; r < 16; r++) {
        _mm512_storeu_si512(running + 16 * r, cheq_running512(_mm512_loadu_si512(hist + 16 * r)));
    }
    for (int r = 0; r < 16; r++) {
        before[r + 1] = before[r] + running[16 * r + 15];
    }
    if (before[16] == 0) {
        cheq_lut_identity(lut);
        return;
    }
    const __m512 scale = _mm512_set1_ps(cheq_opencv_scale(255.0f, (uint64_t)before[16] + (uint64_t)first_count,
                                                          (uint64_t)first_count));
    /* the packs work within 128 bits: dword d of register i comes out as dword 4d + i */
    const __m512i unpack = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    for (int r = 0; r < 16; r += 4) {
        __m512i level[4];
        for (int i = 0; i < 4; i++) {
            __m512i s = _mm512_add_epi32(_mm512_loadu_si512(running + 16 * (r + i)), _mm512_set1_epi32(before[r + i]));
            level[i] = _mm512_cvt_roundps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(s), scale),
                                                _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        }
        __m512i packed = _mm512_packus_epi16(_mm512_packus_epi32(level[0], level[1]), _mm512_packus_epi32(level[2], level[3]));
        _mm512_storeu_si512(lut + 16 * r, _mm512_permutexvar_epi32(unpack, packed));
    }
}

/* cheq_lut_pillow with sixteen levels at a time: see cheq_pillow_levels. */
CHEQ_AVX512 static void cheq_lut_pillow_avx512(const uint32_t hist[CHEQ_LEVELS], uint8_t lut[CHEQ_LEVELS]) {
    __m512i running[16];
    int32_t before[17] = {0};
    for (int r = 0; r < 16; r++) {
        running[r] = cheq_running512(_mm512_loadu_si512(hist + 16 * r));
        before[r + 1] = before[r] + _mm_extract_epi32(_mm512_extracti32x4_epi32(running[r], 3), 3);
    }
    const int32_t step = (before[16] - cheq_last_count(hist)) / 255;
    if (step == 0) {
        cheq_lut_identity(lut);
        return;
    }
    const __m512i steps = _mm512_set1_epi32(step), one = _mm512_set1_epi32(1);
    const __m512 inverse = _mm512_set1_ps(1.0f / (float)step);
    for (int r = 0; r < 16; r++) {
        __m512i below = _mm512_sub_epi32(running[r], _mm512_loadu_si512(hist + 16 * r));
        __m512i sum = _mm512_add_epi32(below, _mm512_set1_epi32(before[r] + step / 2));
        __m512i level = _mm512_cvttps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), inverse));
        __m512i rest = _mm512_sub_epi32(sum, _mm512_mullo_epi32(level, steps));
        level = _mm512_mask_add_epi32(level, _mm512_cmpge_epi32_mask(rest, steps), level, one);
        level = _mm512_mask_sub_epi32(level, _mm512_movepi32_mask(rest), level, one);
        _mm_storeu_si128((__m128i *)(lut + 16 * r), _mm512_cvtusepi32_epi8(level));
    }
}

#define CHEQ_ISA avx512
#define CHEQ_ATTRIBUTES CHEQ_AVX512
#define CHEQ_APPLY_CHANNELS CHEQ_AVX512
#include "kernels/channels.h"
#define CHEQ_INTERPOLATE_4 cheq_interpolate_4_256
#include "kernels/floats.h"
#include "kernels/tiles.h"
#define CHEQ_MM(name) _mm512_##name
#define CHEQ_WORDS __m512i
#define CHEQ_PARTS 4
#include "kernels/x86/clip.h"
#undef CHEQ_PARTS
#undef CHEQ_WORDS
#undef CHEQ_MM
#undef CHEQ_APPLY_CHANNELS
#undef CHEQ_INTERPOLATE_4
#undef CHEQ_ATTRIBUTES
#undef CHEQ_ISA

static const cheq_kernels cheq_kernels_avx512 = {
    .name = "avx512", .needs = CHEQ_AVX512_NEEDS,
    .count = cheq_count_avx512, .apply = cheq_apply_avx512, .count_apply = cheq_count_apply_avx512,
    .lut_opencv = cheq_lut_opencv_avx512, .lut_pillow = cheq_lut_pillow_avx512,
    .select = cheq_select_avx512, .gather = cheq_gather_avx512, .scatter = cheq_scatter_scalar,
    .split = cheq_split_avx512, .merge = cheq_merge_avx512, .apply_channels = cheq_apply_channels_avx512,
    .bounds = cheq_bounds_avx512, .count_floats = cheq_count_floats_avx512, .interpolate = cheq_interpolate_avx512,
    .lightness = cheq_lightness_avx512, .gray16 = cheq_gray16_avx2,
    .to_space = cheq_to_space_avx512, .from_space = cheq_from_space_avx512, .recolor16 = cheq_recolor16_avx2,
    .luma_dense = 1, .lightness_dense = cheq_lightness_dense_avx512, .recolor_dense = cheq_recolor_dense_avx512,
    .lut_few = cheq_lut_few_avx512,
    .lut_clip = cheq_lut_clip_any_avx512, .lut_clip16 = cheq_lut_clip16_avx512,
    .blend = cheq_blend_avx512, .blend16 = cheq_blend16_avx512,
};

#endif
