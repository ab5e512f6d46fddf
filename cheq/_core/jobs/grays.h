/* Pixels of every dtype to levels of 16 bits, these to bins, and scikit-image's grays to results. */
#ifndef CHEQ_GRAYS_H
#define CHEQ_GRAYS_H

#include "formulas/adapt.h"
#include "jobs/levels.h"

typedef enum { CHEQ_UINT8, CHEQ_BOOL, CHEQ_UINT16, CHEQ_INT16, CHEQ_FLOAT32, CHEQ_FLOAT64 } cheq_kind;

static inline size_t cheq_kind_bytes(cheq_kind kind) {
    static const uint8_t bytes[] = {1, 1, 2, 2, 4, 8};
    return bytes[kind];
}

/* The lowest and the highest of some levels, or grays. */
typedef struct {
    uint16_t lowest, highest;
} cheq_extent;

static const cheq_extent cheq_no_extent = {UINT16_MAX, 0};

static inline void cheq_extend(cheq_extent *extent, cheq_extent by) {
    extent->lowest = by.lowest < extent->lowest ? by.lowest : extent->lowest;
    extent->highest = by.highest > extent->highest ? by.highest : extent->highest;
}

static inline cheq_extent cheq_extent_of(const uint16_t *values, size_t n) {
    cheq_extent extent = cheq_no_extent;
    for (size_t i = 0; i < n; i++) {
        extent.lowest = values[i] < extent.lowest ? values[i] : extent.lowest;
        extent.highest = values[i] > extent.highest ? values[i] : extent.highest;
    }
    return extent;
}

/* ---- pixels to levels --------------------------------------------------------- */

CHEQ_BODY void cheq_load_levels_of(cheq_kind kind, const uint8_t *from, ptrdiff_t step, size_t n, uint16_t *to) {
    for (size_t i = 0; i < n; i++, from += step) {
        int16_t word;
        float single;
        double number;
        switch (kind) {
        case CHEQ_UINT8:
            to[i] = *from;
            break;
        case CHEQ_BOOL:
            to[i] = *from != 0;
            break;
        case CHEQ_UINT16:
            memcpy(&to[i], from, sizeof to[i]);
            break;
        case CHEQ_INT16:
            memcpy(&word, from, sizeof word);
            to[i] = cheq_level_of_int16(word);
            break;
        case CHEQ_FLOAT32:
            memcpy(&single, from, sizeof single);
            to[i] = cheq_level_of_float(single);
            break;
        case CHEQ_FLOAT64:
            memcpy(&number, from, sizeof number);
            to[i] = cheq_level_of_double(number);
        }
    }
}

CHEQ_BODY void cheq_load_levels_by(cheq_kind kind, const uint8_t *from, ptrdiff_t step, ptrdiff_t bytes, size_t n,
                                   uint16_t *to) {
    if (step == bytes) {
        cheq_load_levels_of(kind, from, bytes, n, to);
    } else {
        cheq_load_levels_of(kind, from, step, n, to);
    }
}

static void cheq_load_levels(cheq_kind kind, const uint8_t *from, ptrdiff_t step, size_t n, uint16_t *to) {
    switch (kind) {
    case CHEQ_UINT8:
        cheq_load_levels_by(CHEQ_UINT8, from, step, 1, n, to);
        break;
    case CHEQ_BOOL:
        cheq_load_levels_by(CHEQ_BOOL, from, step, 1, n, to);
        break;
    case CHEQ_UINT16:
        cheq_load_levels_by(CHEQ_UINT16, from, step, 2, n, to);
        break;
    case CHEQ_INT16:
        cheq_load_levels_by(CHEQ_INT16, from, step, 2, n, to);
        break;
    case CHEQ_FLOAT32:
        cheq_load_levels_by(CHEQ_FLOAT32, from, step, 4, n, to);
        break;
    case CHEQ_FLOAT64:
        cheq_load_levels_by(CHEQ_FLOAT64, from, step, 8, n, to);
    }
}

/* ---- levels to bins ------------------------------------------------------------ */

static inline cheq_grays cheq_grays_of(cheq_kind kind, cheq_extent levels, size_t nbins) {
    const double unit = kind == CHEQ_UINT8 ? 257.0 : kind == CHEQ_BOOL ? 65535.0 : 1.0;
    const cheq_grays grays = {
        levels.lowest, (double)levels.highest - (double)levels.lowest, unit, 1.0 / (double)cheq_grays_of_bin(nbins),
    };
    return grays;
}

static inline void cheq_bins_of_levels(const cheq_grays *grays, uint16_t *pixels, size_t n) {
    for (size_t i = 0; i < n; i++) {
        pixels[i] = cheq_bin_of_level(pixels[i], grays);
    }
}

/* The bins of all levels from the lowest to the highest. */
static void cheq_make_bin_table(const cheq_grays *grays, cheq_extent levels, uint16_t *table) {
    const size_t n = (size_t)(levels.highest - levels.lowest) + 1;
    table += levels.lowest;
    for (size_t i = 0; i < n; i++) {
        table[i] = (uint16_t)(levels.lowest + i);
    }
    if (n > 1) {
        cheq_bins_of_levels(grays, table, n);
    } else {
        table[0] = cheq_bin_of_only_level(grays);
    }
}

static inline void cheq_look_up_bins(const uint16_t *table, uint16_t *pixels, size_t n) {
    for (size_t i = 0; i < n; i++) {
        pixels[i] = table[pixels[i]];
    }
}

/* ---- grays to results ------------------------------------------------------------ */

/* What a gray becomes: its share of the plane's range, or that share of the range of levels. */
CHEQ_BODY void cheq_put_result(const cheq_entries *to, cheq_kind kind, cheq_extent grays, uint32_t gray) {
    const double share = cheq_rescaled((int32_t)gray, grays.lowest, grays.highest);
    if (kind == CHEQ_FLOAT32) {
        ((float *)to->lut)[gray] = (float)share;
    } else {
        cheq_put_cdf(to, gray, share);
    }
}

static inline cheq_entries cheq_results_in(cheq_kind kind, void *table) {
    const cheq_entries entries = {
        table, (int)cheq_kind_bytes(kind), kind == CHEQ_UINT8 ? 1 << 8 : 1 << 16, kind == CHEQ_INT16 ? 1 << 15 : 0, NULL,
    };
    return entries;
}

/* The table of what all grays from the lowest to the highest become. */
static void cheq_make_result_table(cheq_kind kind, cheq_extent grays, void *table) {
    const cheq_entries entries = cheq_results_in(kind, table);
    for (uint32_t gray = grays.lowest; gray <= grays.highest; gray++) {
        cheq_put_result(&entries, kind, grays, gray);
    }
}

/* Only of those that n pixels have. */
static void cheq_make_result_table_for(cheq_kind kind, cheq_extent grays, const uint16_t *pixels, size_t n, void *table) {
    const cheq_entries entries = cheq_results_in(kind, table);
    for (size_t i = 0; i < n; i++) {
        cheq_put_result(&entries, kind, grays, pixels[i]);
    }
}

#endif
