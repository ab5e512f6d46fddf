/* The kernels for Advanced SIMD, which every 64-bit ARM CPU has: looking up by table
 * instructions, channels apart and together by the loads and stores made for it. Counting
 * is the scalar kernels': an increment is a load and a store, whatever the registers. */
#ifndef CHEQ_NEON_H
#define CHEQ_NEON_H

#include <arm_neon.h>

#include "kernels/arm/tiles.h"

/* ---- apply -------------------------------------------------------------- */

enum { CHEQ_LANES_NEON = 16 };

/* Half of the 32 registers hold the whole LUT, in four tables of 64 entries. They are
 * variables, not an array or a struct, which GCC 12 would load anew for each 16 pixels.
 * An index of 64 or more is outside of a table: TBL then gives 0, TBX keeps what was there.
 * Of a pixel, lowered by 64 from table to table and wrapping, one table only holds the index. */
#define CHEQ_LOAD_LUT_NEON(lut) \
    const uint8x16x4_t lut0 = vld1q_u8_x4(lut), lut1 = vld1q_u8_x4((lut) + 64); \
    const uint8x16x4_t lut2 = vld1q_u8_x4((lut) + 128), lut3 = vld1q_u8_x4((lut) + 192)

CHEQ_BODY void cheq_apply_step_neon(const uint8_t *from, uint8_t *out, uint8x16x4_t lut0, uint8x16x4_t lut1,
                                    uint8x16x4_t lut2, uint8x16x4_t lut3) {
    const uint8x16_t pixels = vld1q_u8(from);
    uint8x16_t found = vqtbl4q_u8(lut0, pixels);
    found = vqtbx4q_u8(found, lut1, vsubq_u8(pixels, vdupq_n_u8(64)));
    found = vqtbx4q_u8(found, lut2, vsubq_u8(pixels, vdupq_n_u8(128)));
    vst1q_u8(out, vqtbx4q_u8(found, lut3, vsubq_u8(pixels, vdupq_n_u8(192))));
}

static void cheq_apply_neon(const uint8_t *pixels, uint8_t *out, size_t n, const uint8_t lut[CHEQ_LEVELS]) {
    CHEQ_LOAD_LUT_NEON(lut);
    size_t i = 0;
    for (; i + CHEQ_LANES_NEON <= n; i += CHEQ_LANES_NEON) {
        cheq_apply_step_neon(pixels + i, out + i, lut0, lut1, lut2, lut3);
    }
    cheq_apply_scalar(pixels + i, out + i, n - i, lut);
}

/* ---- count_apply -------------------------------------------------------- */

/* Registers of 16 bytes for which the scalar kernels' bins of a byte suffice: two of their
 * steps, each one increment a table at most. */
#define CHEQ_ROUNDS_NEON (CHEQ_STEPS_MAX / 2)

static void cheq_count_apply_neon(const uint8_t *next, uint32_t hist[CHEQ_LEVELS], const uint8_t *pixels,
                                  uint8_t *out, size_t n, const uint8_t lut[CHEQ_LEVELS], void *room) {
    CHEQ_LOAD_LUT_NEON(lut);
    for (size_t part; (part = cheq_min(n / CHEQ_LANES_NEON, CHEQ_ROUNDS_NEON) * CHEQ_LANES_NEON) > 0; n -= part) {
        cheq_tables tables = {{0}};
        for (size_t i = 0; i < part; i += CHEQ_LANES_NEON) {
            cheq_count_step(next + i, tables);
            cheq_count_step(next + i + CHEQ_STEP, tables);
            cheq_apply_step_neon(pixels + i, out + i, lut0, lut1, lut2, lut3);
        }
        cheq_sum_tables(tables, hist);
        next += part, pixels += part, out += part;
    }
    cheq_count_apply_scalar(next, hist, pixels, out, n, lut, room);
}

/* ---- channels ----------------------------------------------------------- */

static void cheq_split_neon(const uint8_t *from, int channels, size_t n, uint8_t *const *to) {
    size_t i = 0;
    for (; i + CHEQ_LANES_NEON <= n; i += CHEQ_LANES_NEON) {
        const uint8_t *at = from + i * (size_t)channels;
        uint8x16x4_t x;
        if (channels == 2) {
            uint8x16x2_t two = vld2q_u8(at);
            x.val[0] = two.val[0], x.val[1] = two.val[1];
        } else if (channels == 3) {
            uint8x16x3_t three = vld3q_u8(at);
            x.val[0] = three.val[0], x.val[1] = three.val[1], x.val[2] = three.val[2];
        } else {
            x = vld4q_u8(at);
        }
        for (int c = 0; c < channels; c++) {
            vst1q_u8(to[c] + i, x.val[c]);
        }
    }
    for (int c = 0; c < channels; c++) {
        cheq_gather_scalar(from + i * (size_t)channels + c, channels, n - i, to[c] + i);
    }
}

static void cheq_merge_neon(const uint8_t *const *from, int channels, size_t n, uint8_t *to) {
    const uint8_t *rest[CHEQ_MAX_CHANNELS];
    size_t i = 0;
    for (; i + CHEQ_LANES_NEON <= n; i += CHEQ_LANES_NEON) {
        uint8_t *at = to + i * (size_t)channels;
        uint8x16_t x[CHEQ_MAX_CHANNELS];
        for (int c = 0; c < channels; c++) {
            x[c] = vld1q_u8(from[c] + i);
        }
        if (channels == 2) {
            const uint8x16x2_t two = {{x[0], x[1]}};
            vst2q_u8(at, two);
        } else if (channels == 3) {
            const uint8x16x3_t three = {{x[0], x[1], x[2]}};
            vst3q_u8(at, three);
        } else {
            const uint8x16x4_t four = {{x[0], x[1], x[2], x[3]}};
            vst4q_u8(at, four);
        }
    }
    for (int c = 0; c < channels; c++) {
        rest[c] = from[c] + i;
    }
    cheq_merge_scalar(rest, channels, n - i, to + i * (size_t)channels);
}

#define CHEQ_ISA neon
#define CHEQ_ATTRIBUTES
#include "kernels/blend.h"
#undef CHEQ_ATTRIBUTES
#undef CHEQ_ISA

static const cheq_kernels cheq_kernels_neon = {
    .name = "neon", .needs = "asimd",
    .count = cheq_count_scalar, .apply = cheq_apply_neon, .count_apply = cheq_count_apply_neon,
    .lut_opencv = cheq_lut_opencv_scalar, .lut_pillow = cheq_lut_pillow_scalar,
    .select = cheq_select_scalar, .gather = cheq_gather_scalar, .scatter = cheq_scatter_scalar,
    .split = cheq_split_neon, .merge = cheq_merge_neon,
    .bounds = cheq_bounds_scalar, .count_floats = cheq_count_floats_scalar, .interpolate = cheq_interpolate_scalar,
    .lightness = cheq_lightness_scalar, .gray16 = cheq_gray16_scalar,
    .to_space = cheq_to_space_scalar, .from_space = cheq_from_space_scalar, .recolor16 = cheq_recolor16_scalar,
    .lightness_dense = cheq_lab_lightness_dense_scalar, .recolor_dense = cheq_lab_recolor_dense_scalar,
    .lut_few = cheq_lut_few_scalar,
    .lut_clip = cheq_lut_clip_scalar, .lut_clip16 = cheq_lut_clip16_scalar,
    .blend = cheq_blend_neon, .blend16 = cheq_blend16_scalar,
};

#endif
