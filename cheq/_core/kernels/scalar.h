/* The portable kernels: plain C11, any machine, any byte order. */
#ifndef CHEQ_SCALAR_H
#define CHEQ_SCALAR_H

#include "formulas/lut.h"
#include "kernels/color.h"
#include "kernels/counters.h"
#include "kernels/moves.h"

/* Eight looked-up bytes are one store. */
static inline void cheq_apply_step(const uint8_t *pixels, uint8_t *out, const uint8_t lut[CHEQ_LEVELS]) {
    uint64_t word = 0;
    for (int i = 0; i < CHEQ_STEP; i++) {
        word |= (uint64_t)lut[pixels[i]] << CHEQ_BYTE_SHIFT(i);
    }
    memcpy(out, &word, CHEQ_STEP);
}

CHEQ_BYTEWISE static void cheq_apply_steps(const uint8_t *pixels, uint8_t *out, size_t steps,
                                           const uint8_t lut[CHEQ_LEVELS]) {
    for (; steps > 0; steps--, pixels += CHEQ_STEP, out += CHEQ_STEP) {
        cheq_apply_step(pixels, out, lut);
    }
}

static void cheq_apply_scalar(const uint8_t *pixels, uint8_t *out, size_t n,
                              const uint8_t lut[CHEQ_LEVELS]) {
    cheq_apply_steps(pixels, out, n / CHEQ_STEP, lut);
    for (size_t i = n - n % CHEQ_STEP; i < n; i++) {
        out[i] = lut[pixels[i]];
    }
}

static void cheq_count_scalar(const uint8_t *pixels, size_t n, uint32_t hist[CHEQ_LEVELS], cheq_ahead ahead,
                              void *room) {
    (void)ahead; /* slow enough for the machine's own prefetching */
    while (n > CHEQ_FEW) {
        const size_t part = cheq_min(n - n % CHEQ_STEP, CHEQ_MANY);
        uint16_t(*tables)[CHEQ_LEVELS] = room;
        memset(tables, 0, sizeof(cheq_tables16));
        cheq_count_steps16(pixels, part / CHEQ_STEP, tables);
        cheq_sum_tables16(tables, hist);
        pixels += part, n -= part;
    }
    const size_t rest = n % CHEQ_STEP;
    if (n > rest) {
        cheq_tables tables = {{0}};
        cheq_count_steps(pixels, n / CHEQ_STEP, tables);
        cheq_sum_tables(tables, hist);
    }
    cheq_count_rest(pixels + n - rest, rest, hist);
}

CHEQ_BYTEWISE static void cheq_count_apply_few(const uint8_t *next, cheq_tables tables, const uint8_t *pixels,
                                               uint8_t *out, size_t n, const uint8_t lut[CHEQ_LEVELS]) {
    for (size_t i = 0; i < n; i += CHEQ_STEP) {
        cheq_count_step(next + i, tables);
        cheq_apply_step(pixels + i, out + i, lut);
    }
}

CHEQ_BYTEWISE static void cheq_count_apply_many(const uint8_t *next, cheq_tables16 tables, const uint8_t *pixels,
                                                uint8_t *out, size_t n, const uint8_t lut[CHEQ_LEVELS]) {
    for (size_t i = 0; i < n; i += CHEQ_STEP) {
        cheq_count_step16(next + i, tables);
        cheq_apply_step(pixels + i, out + i, lut);
    }
}

static void cheq_count_apply_scalar(const uint8_t *next, uint32_t hist[CHEQ_LEVELS],
                                    const uint8_t *pixels, uint8_t *out, size_t n,
                                    const uint8_t lut[CHEQ_LEVELS], void *room) {
    while (n > CHEQ_FEW) {
        const size_t part = cheq_min(n - n % CHEQ_STEP, CHEQ_MANY);
        uint16_t(*tables)[CHEQ_LEVELS] = room;
        memset(tables, 0, sizeof(cheq_tables16));
        cheq_count_apply_many(next, tables, pixels, out, part, lut);
        cheq_sum_tables16(tables, hist);
        next += part, pixels += part, out += part;
        n -= part;
    }
    const size_t rest = n % CHEQ_STEP, steps = n - rest;
    if (steps > 0) {
        cheq_tables tables = {{0}};
        cheq_count_apply_few(next, tables, pixels, out, steps, lut);
        cheq_sum_tables(tables, hist);
    }
    cheq_count_rest(next + steps, rest, hist);
    cheq_apply_scalar(pixels + steps, out + steps, rest, lut);
}

static inline void cheq_lut_identity(uint8_t lut[CHEQ_LEVELS]) {
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        lut[v] = (uint8_t)v;
    }
}

/* cheq_lut_opencv in loops that vectorize: the running counts first, then all
 * levels alike, and last the zeros below the first occupied bin. */
static void cheq_lut_opencv_scalar(const uint32_t hist[CHEQ_LEVELS], uint8_t lut[CHEQ_LEVELS]) {
    int32_t running[CHEQ_LEVELS];
    int32_t total = 0;
    size_t first = 0;
    while (first < CHEQ_LEVELS - 1 && hist[first] == 0) {
        first++;
    }
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        total += (int32_t)hist[v];
        running[v] = total;
    }
    int32_t first_count = (int32_t)hist[first];
    if (first_count == total) {
        cheq_lut_identity(lut);
        return;
    }
    float scale = cheq_opencv_scale(255.0f, (uint64_t)total, (uint64_t)first_count);
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        lut[v] = (uint8_t)cheq_opencv_level((float)(running[v] - first_count), scale);
    }
    memset(lut, 0, first);
}

/* cheq_lut_pillow in a loop that vectorizes: the quotient by a product with 1 / step,
 * at most one off since it is below 2^10 and three roundings of 2^-24 are in it, and set
 * right by its remainder. below[v]: the pixels below v. */
CHEQ_BODY void cheq_pillow_levels(const int32_t below[CHEQ_LEVELS], int32_t step, uint8_t lut[CHEQ_LEVELS]) {
    const float inverse = 1.0f / (float)step;
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        int32_t sum = step / 2 + below[v];
        int32_t level = (int32_t)((float)sum * inverse);
        int32_t rest = sum - level * step;
        level += (rest >= step) - (rest < 0);
        lut[v] = (uint8_t)(level < 255 ? level : 255);
    }
}

static inline int32_t cheq_last_count(const uint32_t hist[CHEQ_LEVELS]) {
    int last = CHEQ_LEVELS - 1;
    while (last > 0 && hist[last] == 0) {
        last--;
    }
    return (int32_t)hist[last];
}

CHEQ_BODY void cheq_lut_pillow_body(const uint32_t hist[CHEQ_LEVELS], uint8_t lut[CHEQ_LEVELS]) {
    int32_t below[CHEQ_LEVELS], total = 0;
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        below[v] = total;
        total += (int32_t)hist[v];
    }
    const int32_t step = (total - cheq_last_count(hist)) / 255;
    if (step == 0) {
        cheq_lut_identity(lut);
    } else {
        cheq_pillow_levels(below, step, lut);
    }
}

static void cheq_lut_pillow_scalar(const uint32_t hist[CHEQ_LEVELS], uint8_t lut[CHEQ_LEVELS]) {
    cheq_lut_pillow_body(hist, lut);
}

static size_t cheq_select_scalar(const uint8_t *pixels, const uint8_t *mask, size_t n, uint8_t *out) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) { /* no branch: masks are not predictable */
        out[kept] = pixels[i];
        kept += mask[i] != 0;
    }
    return kept;
}

#define CHEQ_ISA scalar
#define CHEQ_ATTRIBUTES
#define CHEQ_APPLY_CHANNELS CHEQ_BYTEWISE
#include "kernels/channels.h"
#undef CHEQ_APPLY_CHANNELS
#define CHEQ_BLEND
#include "kernels/floats.h"
#define CHEQ_LUT_FEW
#include "kernels/tiles.h"
#undef CHEQ_LUT_FEW
#undef CHEQ_BLEND
#include "kernels/spaces.h"
#undef CHEQ_ATTRIBUTES
#undef CHEQ_ISA

static const cheq_kernels cheq_kernels_scalar = {
    .name = "scalar", .needs = "",
    .count = cheq_count_scalar, .apply = cheq_apply_scalar, .count_apply = cheq_count_apply_scalar,
    .lut_opencv = cheq_lut_opencv_scalar, .lut_pillow = cheq_lut_pillow_scalar,
    .select = cheq_select_scalar, .gather = cheq_gather_scalar, .scatter = cheq_scatter_scalar,
    .split = cheq_split_scalar, .merge = cheq_merge_scalar, .apply_channels = cheq_apply_channels_scalar,
    .bounds = cheq_bounds_scalar, .count_floats = cheq_count_floats_scalar, .interpolate = cheq_interpolate_scalar,
    .lightness = cheq_lightness_scalar, .gray16 = cheq_gray16_scalar,
    .to_space = cheq_to_space_scalar, .from_space = cheq_from_space_scalar, .recolor16 = cheq_recolor16_scalar,
    .lightness_dense = cheq_lab_lightness_dense_scalar, .recolor_dense = cheq_lab_recolor_dense_scalar,
    .lut_few = cheq_lut_few_scalar,
    .lut_clip = cheq_lut_clip_scalar, .lut_clip16 = cheq_lut_clip16_scalar,
    .blend = cheq_blend_scalar, .blend16 = cheq_blend16_scalar,
};

#endif
