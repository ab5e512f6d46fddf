/* The LUT that gives a plane the histogram of another: method "skimage" of match_histograms. */
#ifndef CHEQ_MATCH_H
#define CHEQ_MATCH_H

#include "formulas/lut.h"

/* What a plane is to be like: the share of a reference's pixels at or below each of its values, as the x of a knot, and
 * the value, as its y; only values that there are, and at last a knot at infinity. Without a knot but that, where others
 * changed the reference in mid-call, nothing is known. */
typedef struct {
    const cheq_knot *knots;
    size_t n; /* without the last */
} cheq_target;

/* For all planes; and what becomes of what lies between two levels. */
typedef struct {
    const cheq_knot *knots;
    const int64_t (*rows)[2]; /* of each plane, or one for all: its first knot, and their number */
    size_t n_rows;
    int truncates; /* toward zero, as scikit-image does where it writes integers; or else to the nearest */
} cheq_matching;

static inline cheq_target cheq_target_of(const cheq_matching *matching, size_t plane) {
    const int64_t *row = matching->rows[cheq_min(plane, matching->n_rows - 1)];
    const cheq_target target = {matching->knots + row[0], (size_t)row[1]};
    return target;
}

/* Have n knots know the slopes to the next, and end with one at infinity; returns n. */
static inline size_t cheq_knots_join(cheq_knot *knots, size_t n) {
    for (size_t i = 0; i + 1 < n; i++) {
        knots[i].slope = (knots[i + 1].y - knots[i].y) / (knots[i + 1].x - knots[i].x);
    }
    knots[n] = (cheq_knot){INFINITY, 0.0, 0.0, 0.0};
    return n;
}

/* np.interp of a share, 0..1, that is at least the last one: *j is the knot found then, and the one found now. A knot's own
 * share gives its value itself, -0.0 too. */
CHEQ_BODY double cheq_match_at(double share, const cheq_target *target, const cheq_knot **j) {
    const cheq_knot *at = *j;
    while (share >= at[1].x) {
        at++;
    }
    *j = at;
    return share <= at->x || at + 1 == target->knots + target->n ? at->y : cheq_interpolate_at(share, at);
}

/* A value as a level of the dtype, which holds it: both lie between two levels of the reference. */
CHEQ_BODY void cheq_put_value(const cheq_entries *to, size_t bin, double value, int truncates) {
    if (to->bytes == 8) {
        ((double *)to->lut)[bin] = value;
    } else {
        const int32_t level = truncates ? (int32_t)value : (int32_t)cheq_round(value);
        cheq_put_level(to, bin, (uint32_t)(level + (int32_t)to->flip));
    }
}

/* skimage.exposure.match_histograms of integers (scikit-image, exposure/histogram_matching.py): the share of the plane's
 * pixels at or below a level, running count / total, is looked up among the reference's. Between two levels that are
 * counted nothing changes. */
CHEQ_BODY void cheq_lut_match(const void *context, const cheq_counts *counts, const cheq_entries *to) {
    const cheq_matching *matching = context;
    const cheq_target target = cheq_target_of(matching, counts->plane);
    const cheq_knot *j = target.knots;
    const double total = (double)cheq_summarize(counts).total;
    double value = j->y;
    uint64_t running = 0;
    if (total == 0 || target.n == 0) {
        cheq_put_unknown(counts, to);
        return;
    }
    for (size_t i = 0; i < counts->n; i++) {
        const size_t bin = cheq_bin_at(counts, i);
        const uint64_t count = cheq_count_at(counts, bin);
        if (count > 0) {
            running += count;
            value = cheq_match_at(cheq_pixels_to_double(running) / total, &target, &j);
        }
        cheq_put_value(to, bin, value, matching->truncates);
    }
}

CHEQ_MAKER(match)

/* ---- targets ------------------------------------------------------------ */

/* Where the targets of references go: each plane has room for as many knots. Threads may change the pixels, so that there
 * are more levels than pixels, or the arrays' shape: what has no room is left out. */
typedef struct {
    cheq_knot *knots;
    int64_t (*rows)[2];
    size_t n_rows, room;
    double lowest; /* of the dtype */
} cheq_learning;

/* A formula that makes no LUT, but a target, of counts that are not all 0. */
CHEQ_BODY void cheq_lut_learn(const void *context, const cheq_counts *counts, const cheq_entries *to) {
    const cheq_learning *learning = context;
    const double total = (double)cheq_summarize(counts).total;
    uint64_t running = 0;
    size_t n = 0;
    (void)to;
    if (counts->plane >= learning->n_rows) {
        return;
    }
    const size_t first = counts->plane * learning->room;
    cheq_knot *knots = learning->knots + first;
    for (size_t i = 0; i < counts->n; i++) {
        const size_t bin = cheq_bin_at(counts, i);
        const uint64_t count = cheq_count_at(counts, bin);
        if (count > 0 && n + 1 < learning->room) {
            running += count;
            const double share = cheq_pixels_to_double(running) / total;
            knots[n++] = (cheq_knot){share, learning->lowest + (double)(int64_t)bin, 0.0, 0.0};
        }
    }
    learning->rows[counts->plane][0] = (int64_t)first;
    learning->rows[counts->plane][1] = (int64_t)cheq_knots_join(knots, n);
}

CHEQ_MAKER(learn)

/* The knots of a reference, by the share of its pixels at or below each level, of those levels that are there; and one
 * more. Returns their number without that. */
static inline size_t cheq_knots_make(const double *shares, const uint8_t *present, size_t levels, double lowest,
                                     cheq_knot *knots) {
    size_t n = 0;
    for (size_t level = 0; level < levels; level++) {
        if (present[level]) {
            knots[n++] = (cheq_knot){shares[level], lowest + (double)level, 0.0, 0.0};
        }
    }
    return cheq_knots_join(knots, n);
}

#endif
