/* The portable kernels: plain C11, any machine, any byte order. */
#ifndef CHEQ_SCALAR_H
#define CHEQ_SCALAR_H

#include "formulas/lut.h"
#include "kernels/bytewise.h"
#include "kernels/color.h"

/* A step takes CHEQ_STEP pixels, and as many sub-histograms take turns in it. An
 * increment waits for the store of the last one to its bin, and neighbors are
 * often equal; eight turns hide that wait (constant data: one table 1.0 ns a
 * pixel, four .46, eight .28, the one store a cycle that binds all data).
 * Bins of a byte keep clearing and summing short: 70 ns, at most once in 2,040
 * pixels; a plane of 784 needs no wider ones. */
#define CHEQ_STEPS_MAX 255u /* what a bin of a byte can hold */

typedef uint8_t cheq_tables[CHEQ_STEP][CHEQ_LEVELS];

static inline void cheq_count_step(const uint8_t *pixels, cheq_tables tables) {
    unsigned a = pixels[0], b = pixels[1], c = pixels[2], d = pixels[3];
    unsigned e = pixels[4], f = pixels[5], g = pixels[6], h = pixels[7];
    tables[0][a]++, tables[1][b]++, tables[2][c]++, tables[3][d]++;
    tables[4][e]++, tables[5][f]++, tables[6][g]++, tables[7][h]++;
}

static inline void cheq_sum_tables(cheq_tables tables, uint32_t hist[CHEQ_LEVELS]) {
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        uint32_t sum = 0;
        for (int i = 0; i < CHEQ_STEP; i++) {
            sum += tables[i][v];
        }
        hist[v] += sum;
    }
}

/* Eight looked-up bytes are one store. */
static inline void cheq_apply_step(const uint8_t *pixels, uint8_t *out, const uint8_t lut[CHEQ_LEVELS]) {
    uint64_t word = 0;
    for (int i = 0; i < CHEQ_STEP; i++) {
        word |= (uint64_t)lut[pixels[i]] << CHEQ_BYTE_SHIFT(i);
    }
    memcpy(out, &word, CHEQ_STEP);
}

static inline size_t cheq_steps(size_t n) {
    size_t steps = n / CHEQ_STEP;
    return steps < CHEQ_STEPS_MAX ? steps : CHEQ_STEPS_MAX;
}

CHEQ_BYTEWISE static void cheq_count_steps(const uint8_t *pixels, size_t steps, cheq_tables tables) {
    for (; steps > 0; steps--, pixels += CHEQ_STEP) {
        cheq_count_step(pixels, tables);
    }
}

CHEQ_BYTEWISE static void cheq_apply_steps(const uint8_t *pixels, uint8_t *out, size_t steps,
                                           const uint8_t lut[CHEQ_LEVELS]) {
    for (; steps > 0; steps--, pixels += CHEQ_STEP, out += CHEQ_STEP) {
        cheq_apply_step(pixels, out, lut);
    }
}

CHEQ_BYTEWISE static void cheq_count_apply_steps(const uint8_t *next, cheq_tables tables,
                                                 const uint8_t *pixels, uint8_t *out, size_t steps,
                                                 const uint8_t lut[CHEQ_LEVELS]) {
    for (size_t i = 0; i < steps * CHEQ_STEP; i += CHEQ_STEP) {
        cheq_count_step(next + i, tables);
        cheq_apply_step(pixels + i, out + i, lut);
    }
}

static void cheq_count_scalar(const uint8_t *pixels, size_t n, uint32_t hist[CHEQ_LEVELS], cheq_ahead ahead,
                              void *room) {
    (void)ahead; /* slow enough for the machine's own prefetching */
    (void)room;
    for (size_t steps; (steps = cheq_steps(n)) > 0; n -= CHEQ_STEP * steps) {
        cheq_tables tables = {{0}};
        cheq_count_steps(pixels, steps, tables);
        cheq_sum_tables(tables, hist);
        pixels += CHEQ_STEP * steps;
    }
    for (size_t i = 0; i < n; i++) {
        hist[pixels[i]]++;
    }
}

static void cheq_apply_scalar(const uint8_t *pixels, uint8_t *out, size_t n,
                              const uint8_t lut[CHEQ_LEVELS]) {
    cheq_apply_steps(pixels, out, n / CHEQ_STEP, lut);
    for (size_t i = n - n % CHEQ_STEP; i < n; i++) {
        out[i] = lut[pixels[i]];
    }
}

static void cheq_count_apply_scalar(const uint8_t *next, uint32_t hist[CHEQ_LEVELS],
                                    const uint8_t *pixels, uint8_t *out, size_t n,
                                    const uint8_t lut[CHEQ_LEVELS], void *room) {
    (void)room;
    for (size_t steps; (steps = cheq_steps(n)) > 0; n -= CHEQ_STEP * steps) {
        cheq_tables tables = {{0}};
        cheq_count_apply_steps(next, tables, pixels, out, steps, lut);
        cheq_sum_tables(tables, hist);
        next += CHEQ_STEP * steps;
        pixels += CHEQ_STEP * steps;
        out += CHEQ_STEP * steps;
    }
    for (size_t i = 0; i < n; i++) {
        hist[next[i]]++;
        out[i] = lut[pixels[i]];
    }
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

/* to[i] = from[i * step], eight bytes a store; the step as a constant spares the addresses' sums. */
static inline void cheq_gather_words(const uint8_t *from, ptrdiff_t step, size_t n, uint8_t *to) {
    size_t i = 0;
    for (; i + CHEQ_STEP <= n; i += CHEQ_STEP, from += CHEQ_STEP * step) {
        uint64_t word = 0;
        for (int b = 0; b < CHEQ_STEP; b++) {
            word |= (uint64_t)from[b * step] << CHEQ_BYTE_SHIFT(b);
        }
        memcpy(to + i, &word, CHEQ_STEP);
    }
    for (; i < n; i++, from += step) {
        to[i] = *from;
    }
}

CHEQ_BYTEWISE static void cheq_gather_scalar(const uint8_t *from, ptrdiff_t step, size_t n, uint8_t *to) {
    switch (step) {
    case 1:
        memmove(to, from, n);
        break;
    case -1:
        cheq_gather_words(from, -1, n, to);
        break;
    case 2:
        cheq_gather_words(from, 2, n, to);
        break;
    case 3:
        cheq_gather_words(from, 3, n, to);
        break;
    case 4:
        cheq_gather_words(from, 4, n, to);
        break;
    default:
        cheq_gather_words(from, step, n, to);
    }
}

static void cheq_scatter_scalar(const uint8_t *from, size_t n, uint8_t *to, ptrdiff_t step) {
    if (step == 1) {
        memcpy(to, from, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        to[(ptrdiff_t)i * step] = from[i];
    }
}

static inline void cheq_split_by_scalar(const uint8_t *from, int channels, size_t n, uint8_t *const *to) {
    for (int c = 0; c < channels; c++) {
        cheq_gather_words(from + c, channels, n, to[c]);
    }
}

/* Eight pixels are as many words as they have channels; byte j of them is of channel
 * j % channels. */
static inline void cheq_merge_by_scalar(const uint8_t *const *from, int channels, size_t n, uint8_t *to) {
    size_t i = 0;
    for (; i + CHEQ_STEP <= n; i += CHEQ_STEP) {
        for (int w = 0; w < channels; w++, to += CHEQ_STEP) {
            uint64_t word = 0;
            for (int b = 0; b < CHEQ_STEP; b++) {
                int j = CHEQ_STEP * w + b;
                word |= (uint64_t)from[j % channels][i + (size_t)(j / channels)] << CHEQ_BYTE_SHIFT(b);
            }
            memcpy(to, &word, CHEQ_STEP);
        }
    }
    for (; i < n; i++) {
        for (int c = 0; c < channels; c++) {
            *to++ = from[c][i];
        }
    }
}

static inline void cheq_apply_channels_by_scalar(const uint8_t *pixels, uint8_t *out, size_t n, int channels,
                                             int reversed, const uint8_t *const *luts) {
    const uint8_t *lut[CHEQ_MAX_CHANNELS];
    size_t i = 0;
    for (int c = 0; c < channels; c++) {
        lut[c] = luts[c];
    }
    for (; i + CHEQ_STEP <= n; i += CHEQ_STEP, pixels += CHEQ_STEP * channels) {
        for (int w = 0; w < channels; w++, out += CHEQ_STEP) {
            uint64_t word = 0;
            for (int b = 0; b < CHEQ_STEP; b++) {
                int j = CHEQ_STEP * w + b, c = j % channels;
                word |= (uint64_t)lut[c][pixels[j - c + (reversed ? channels - 1 - c : c)]] << CHEQ_BYTE_SHIFT(b);
            }
            memcpy(out, &word, CHEQ_STEP);
        }
    }
    for (; i < n; i++, pixels += channels) {
        for (int c = 0; c < channels; c++) {
            *out++ = lut[c][pixels[reversed ? channels - 1 - c : c]];
        }
    }
}

#define CHEQ_ISA scalar
#define CHEQ_APPLY_CHANNELS
#define CHEQ_ATTRIBUTES CHEQ_BYTEWISE
#include "kernels/channels.h"
#undef CHEQ_APPLY_CHANNELS
#undef CHEQ_ATTRIBUTES
#define CHEQ_ATTRIBUTES
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
    .floats_to_doubles = cheq_floats_to_doubles_scalar, .doubles_to_floats = cheq_doubles_to_floats_scalar,
    .bounds = cheq_bounds_scalar, .count_floats = cheq_count_floats_scalar, .interpolate = cheq_interpolate_scalar,
    .lightness = cheq_lightness_scalar, .gray16 = cheq_gray16_scalar,
    .to_space = cheq_to_space_scalar, .from_space = cheq_from_space_scalar, .recolor16 = cheq_recolor16_scalar,
    .lightness_dense = cheq_lab_lightness_dense_scalar, .recolor_dense = cheq_lab_recolor_dense_scalar,
    .lut_few = cheq_lut_few_scalar,
    .lut_clip = cheq_lut_clip_scalar, .lut_clip16 = cheq_lut_clip16_scalar,
    .blend = cheq_blend_scalar, .blend16 = cheq_blend16_scalar,
};

#endif
