/* CLAHE as scikit-image's equalize_adapthist defines it (skimage/exposure/_adapthist.py; exposure.py: rescale_intensity;
 * util/dtype.py: _convert), operation by operation, since the roundings are part of the answer. */
#ifndef CHEQ_ADAPT_H
#define CHEQ_ADAPT_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "formulas/base.h"

#define CHEQ_GRAYS 16384 /* scikit-image's NR_OF_GRAY: what is counted, and what LUTs give, is one of 0 to 16383 */

/* ---- pixels to levels of 16 bits: img_as_uint ------------------------------ */

/* Bytes and bools stay what they are, and are multiplied later: see cheq_grays. */
CHEQ_BODY uint16_t cheq_level_of_int16(int16_t x) {
    return x < 0 ? 0 : (uint16_t)(x << 1 | x >> 14);
}

/* rint(x * 65535) of -1 <= x <= 1, and 0 for what is below. Beside 1.5 * 2^23, or 2^52, the last bit of a sum is worth 1:
 * the addition rounds half to even, and the low bits are the number. Negative ones are masked: a comparison would keep
 * compilers from vectors. */
CHEQ_BODY uint16_t cheq_level_of_float(float x) {
    const float beside = 0x1.8p23f, sum = x * 65535.0f + beside;
    uint32_t bits, of_zero;
    memcpy(&bits, &sum, sizeof bits);
    memcpy(&of_zero, &beside, sizeof of_zero);
    const int32_t level = (int32_t)(bits - of_zero);
    return (uint16_t)(level & ~(level >> 31));
}

CHEQ_BODY uint16_t cheq_level_of_double(double x) {
    const double sum = x * 65535.0 + 0x1.8p52;
    int64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    const int32_t level = (int32_t)bits;
    return (uint16_t)(level & ~(level >> 31));
}

/* ---- levels to bins ---------------------------------------------------------- */

/* How a plane's levels become grays, by their range, and these become bins. */
typedef struct {
    double lowest, range; /* of the levels before they are multiplied, which makes no difference to the quotient */
    double unit;          /* what they are multiplied by to be of 16 bits: 257 for bytes, 65535 for bools, else 1 */
    double bins_a_gray;   /* 1 / the grays of a bin */
} cheq_grays;

static inline size_t cheq_grays_of_bin(size_t nbins) {
    return 1 + CHEQ_GRAYS / nbins;
}

/* Bins that grays can be in, at most nbins. */
static inline size_t cheq_bins_reached(size_t nbins) {
    return (CHEQ_GRAYS - 1) / cheq_grays_of_bin(nbins) + 1;
}

/* rescale_intensity to 0..16383, np.round, and the floor of the division by a bin's grays: gray + 0.5 lies so far from
 * every multiple of them that the product with the reciprocal is on the same side. */
CHEQ_BODY uint16_t cheq_bin_of_level(uint16_t level, const cheq_grays *grays) {
    double gray = ((double)level - grays->lowest) / grays->range * (CHEQ_GRAYS - 1);
    gray = (gray + 0x1p52) - 0x1p52;
    return (uint16_t)(int32_t)((gray + 0.5) * grays->bins_a_gray);
}

/* Where all levels are one, they are clipped instead. */
static inline uint16_t cheq_bin_of_only_level(const cheq_grays *grays) {
    const double level = grays->lowest * grays->unit, most = CHEQ_GRAYS - 1;
    return (uint16_t)(int32_t)(((level < most ? level : most) + 0.5) * grays->bins_a_gray);
}

/* ---- a tile's LUT ------------------------------------------------------------ */

#define CHEQ_MOST_TILE_PIXELS ((1 << 30) - 1) /* so that counts, their sums and twice as many are of 32 bits */

/* The most that a bin may count in a tile of so many pixels; a limit of 0 or less: all of them. */
static inline int32_t cheq_adapt_limit(double clip_limit, int32_t pixels) {
    const double most = clip_limit * (double)pixels;
    return clip_limit > 0 ? (int32_t)(most > 1 ? most : 1) : pixels;
}

/* Every step-th bin from `start` on that is below the limit gets one more. Returns how many those were, and takes those
 * that are below it no longer from *below. */
CHEQ_BODY int32_t cheq_raise(int32_t *hist, size_t start, size_t n, size_t step, int32_t limit, int32_t *below) {
    int32_t raised = 0, filled = 0;
    for (size_t i = start; i < n; i += step) {
        const int32_t has_room = hist[i] < limit;
        hist[i] += has_room;
        raised += has_room;
        filled += has_room & (hist[i] == limit);
    }
    *below -= filled;
    return raised;
}

/* Once from every bin on, give what is left of the excess to bins below the limit, in steps that spread it; the excess
 * may end below 0. Where every bin was tried and has no room, those behind it have none either. */
static int32_t cheq_redistribute(int32_t *hist, size_t n, int32_t limit, int32_t excess) {
    int32_t below = 0;
    for (size_t i = 0; i < n; i++) {
        below += hist[i] < limit;
    }
    for (size_t start = 0; start < n && excess > 0; start++) {
        const int32_t step = below / excess;
        const int32_t raised = step > 1 ? cheq_raise(hist, start, n, (size_t)step, limit, &below)
                                        : cheq_raise(hist, start, n, 1, limit, &below);
        if (raised == 0 && step <= 1) {
            break;
        }
        excess -= raised;
    }
    return excess;
}

/* clip_histogram: the excess above the limit goes to all bins alike, as far as the limit lets it, and then to those that
 * have room until nothing is left or nothing fits. */
static void cheq_clip_histogram(int32_t *hist, size_t n, int32_t limit) {
    int32_t excess = 0, before;
    for (size_t i = 0; i < n; i++) {
        excess += hist[i] > limit ? hist[i] - limit : 0;
        hist[i] = hist[i] < limit ? hist[i] : limit;
    }
    const int32_t share = excess / (int32_t)n, upper = limit - share;
    for (size_t i = 0; i < n; i++) {
        excess -= hist[i] < upper ? share : 0;
        hist[i] += hist[i] < upper ? share : 0;
    }
    for (size_t i = 0; i < n; i++) { /* judged on what the loop before has left */
        excess -= hist[i] >= upper ? limit - hist[i] : 0;
        hist[i] = hist[i] >= upper ? limit : hist[i];
    }
    do {
        before = excess;
        excess = cheq_redistribute(hist, n, limit, excess);
    } while (excess > 0 && excess < before);
}

/* map_histogram: running counts, scaled, truncated and at most 16383; as doubles, which is what they are multiplied as. A
 * count may pass the pixels, by less than 2^24, and from twice as many on it is 16383 at once. */
static void cheq_map_histogram(int32_t *hist, size_t n, int32_t pixels, double *lut) {
    const double scale = (double)(CHEQ_GRAYS - 1) / (double)pixels;
    for (size_t i = 1; i < n; i++) {
        hist[i] += hist[i - 1];
    }
    for (size_t i = 0; i < n; i++) {
        const int32_t count = hist[i] < 2 * pixels ? hist[i] : 2 * pixels;
        const int32_t above = (int32_t)((double)count * scale) - (CHEQ_GRAYS - 1);
        lut[i] = (double)((above & above >> 31) + (CHEQ_GRAYS - 1)); /* 0 if above 0: see cheq_level_of_float */
    }
}

/* ---- positions ----------------------------------------------------------------- */

/* How many of the numbers from begin to end - 1 are `rest` modulo `period`; rest < period. */
static inline size_t cheq_count_of_rest(size_t begin, size_t end, size_t rest, size_t period) {
    return (end - 1 + period - rest) / period - (begin - 1 + period - rest) / period;
}

/* How often the positions from begin to end - 1 of an endless row are pixel i of the n that it mirrors again and again,
 * without the edge (np.pad's "reflect"). Not more than an int32_t holds. */
static inline int32_t cheq_times_mirrored(size_t i, size_t n, size_t begin, size_t end) {
    const size_t period = 2 * (n - 1);
    if (n == 1) {
        return (int32_t)(end - begin);
    }
    const size_t back = i > 0 && i < n - 1 ? cheq_count_of_rest(begin, end, period - i, period) : 0;
    return (int32_t)(cheq_count_of_rest(begin, end, i, period) + back);
}

/* The weight of the upper one of two tiles, at a position from the middle of the lower one on. */
static inline double cheq_upper_weight(size_t position, size_t tile) {
    return (double)position / (double)tile;
}

/* sum[i] += what the four LUTs have for n bins, weighted; each is rounded to float. 0 begins a sum. */
CHEQ_BODY void cheq_add_weighted(const uint16_t *restrict bins, size_t n, const double *const weights[4],
                                 const double *const luts[4], int begins, float *restrict sum) {
    const double *restrict a = luts[0], *restrict b = luts[1], *restrict c = luts[2], *restrict d = luts[3];
    const double *restrict of_a = weights[0], *restrict of_b = weights[1], *restrict of_c = weights[2];
    const double *restrict of_d = weights[3];
    for (size_t i = 0; i < n; i++) {
        const uint32_t bin = bins[i];
        float of = begins ? 0.0f : sum[i];
        of += (float)(a[bin] * of_a[i]);
        of += (float)(b[bin] * of_b[i]);
        of += (float)(c[bin] * of_c[i]);
        of += (float)(d[bin] * of_d[i]);
        sum[i] = of;
    }
}

/* ---- results ------------------------------------------------------------------- */

/* rescale_intensity to 0..1 of a plane's grays, from the lowest to the highest. In float32 it is the same, rounded: the
 * differences are exact, and a quotient of two floats is rounded alike with or without a double between. */
static inline double cheq_rescaled(int32_t gray, int32_t lowest, int32_t highest) {
    if (lowest == highest) {
        return gray > 0 ? 1.0 : 0.0;
    }
    return (double)(gray - lowest) / (double)(highest - lowest);
}

#endif
