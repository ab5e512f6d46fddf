/* NumPy's equal bins, the distributions that are made of them, and its linear
 * interpolation: np.histogram (numpy/lib/_histograms_impl.py), np.linspace and
 * np.interp (numpy/_core/src/multiarray/compiled_base.c) of NumPy 2, operation by
 * operation, since their roundings are part of the answer. */
#ifndef CHEQ_BINS_H
#define CHEQ_BINS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "formulas/base.h"

/* ---- floats ---------------------------------------------------------------- */

/* float32 or float64, by its bytes, wherever it lies; doubles hold both. */
CHEQ_BODY double cheq_float_at(const uint8_t *floats, int bytes, size_t i) {
    float single;
    double number;
    if (bytes == 4) {
        memcpy(&single, floats + i * sizeof single, sizeof single);
        return (double)single;
    }
    memcpy(&number, floats + i * sizeof number, sizeof number);
    return number;
}

CHEQ_BODY void cheq_put_float(uint8_t *floats, int bytes, size_t i, double number) {
    if (bytes == 4) {
        const float single = (float)number;
        memcpy(floats + i * sizeof single, &single, sizeof single);
    } else {
        memcpy(floats + i * sizeof number, &number, sizeof number);
    }
}

/* ---- places on a line ----------------------------------------------------- */

/* n points, x increasing, about equally far from each other. The place of a value is the number of the last point at or
 * before it. Its guess, scale * value + offset cut off, is the place or the one behind it, where the points are far
 * enough apart. */
typedef struct {
    double scale, offset, most; /* most: n - 1 */
} cheq_line;

/* The unit in the last place of the greater end of a range, or less than twice that. */
static inline double cheq_last_place(double first, double last, int single) {
    const double end = fabs(first) > fabs(last) ? fabs(first) : fabs(last);
    return end * (single ? 0x1p-23 : 0x1p-52);
}

/* Guesses are so many last places too high, more than errors make them too low: points are up to 6 away from the line
 * through the first and the last, and the operations of scale, offset and guess, in doubles, wrong by less than 6. */
#define CHEQ_TOO_HIGH 16.0

static inline cheq_line cheq_line_make(double first, double last, size_t n, int single) {
    cheq_line line = {.most = (double)(n - 1)};
    line.scale = n > 1 ? line.most / (last - first) : 0.0;
    line.offset = (CHEQ_TOO_HIGH * cheq_last_place(first, last, single) - first) * line.scale;
    return line;
}

static inline int32_t cheq_place_guess(double value, const cheq_line *line) {
    double guess = value * line->scale + line->offset;
    guess = guess < line->most ? guess : line->most; /* of NaN too */
    return (int32_t)(guess > 0.0 ? guess : 0.0);
}

/* ---- bins ---------------------------------------------------------------- */

/* n bins of equal width between first and last; edges[n] is last. `single`: in
 * float32, as NumPy does for float32 data; the doubles then hold float32 values. */
typedef struct {
    double first, last, width; /* width: last - first */
    size_t n;
    int single;
    const double *edges; /* n + 1 */
    const double *inner; /* the same, but infinite at both ends: any value, whatever arithmetic makes of it, has a bin */
    cheq_line line; /* through the lower edges */
    int wide;       /* steps are, so that guesses of places are right for edges and centers */
    int plain;      /* np.histogram's bin of a value is that of its guess or, below its edge, the one before */
} cheq_value_bins;

/* The ends of the bins' range: one value has a range as well. */
static inline double cheq_margin(double smallest, double largest) {
    return smallest == largest ? 0.5 : 0.0;
}

/* Has a step more than so many last places, and does nothing that follows from it overflow or lose digits? */
static inline int cheq_steps_exceed(double last_places, double smallest, double largest, size_t n, int single) {
    const double margin = cheq_margin(smallest, largest), first = smallest - margin, last = largest + margin;
    const double step = (last - first) / (double)n, place = cheq_last_place(first, last, single);
    const double most = single ? 0x1p126 : 0x1p1022, least = single ? 0x1p-100 : 0x1p-1000;
    return first > -most && last < most && step > last_places * place && step > least;
}

/* Then NumPy's guess is at most one too low or too high, as it and the edges are wrong by less than 8 last places
 * together; and ours, before it is cut off, less than half a step above the place, so that it is at most one too high. */
#define CHEQ_WIDE 64.0

/* Are the edges apart, as NumPy demands, where it is plain? Each is wrong by less than 3 last places. */
static inline int cheq_bins_plainly_increase(double smallest, double largest, size_t n, int single) {
    return cheq_steps_exceed(8.0, smallest, largest, n, single);
}

/* The same of edges that are made. A width that overflows, or bins too many for the range, make edges that are not
 * apart (nor are NaN). */
static inline int cheq_bins_increase(const cheq_value_bins *bins) {
    for (size_t i = 0; i < bins->n; i++) {
        if (!(bins->edges[i] < bins->edges[i + 1])) {
            return 0;
        }
    }
    return 1;
}

/* np.histogram's guess, where what rounds up to n is in the last bin, in the dtype of the data; and its two
 * corrections by one bin, of which at most one is ever made. */
static inline int32_t cheq_bin_guess(double x, const cheq_value_bins *bins) {
    const int32_t last = (int32_t)bins->n - 1;
    const double guess =
        bins->single ? (double)(((float)x - (float)bins->first) / (float)bins->width * (float)bins->n)
                     : (x - bins->first) / bins->width * (double)bins->n;
    const int32_t i = (int32_t)(guess > 0.0 && guess < 0x1p31 ? guess : 0.0); /* an int holds no others, nor does a bin */
    return i < last ? i : last;
}

static inline size_t cheq_bin_of(double x, const cheq_value_bins *bins) {
    const int32_t i = cheq_bin_guess(x, bins);
    return (size_t)i - (x < bins->inner[i]) + (x >= bins->inner[i + 1]);
}

/* Where steps are not wide: as neither guess ever falls from one value to a greater one, both are right for all values
 * if they are for the edges, NumPy's at most one too low. */
static inline int cheq_bins_are_plain(const cheq_value_bins *bins) {
    int32_t wrong = 0;
    for (int32_t i = 0; i < (int32_t)bins->n; i++) {
        const double edge = bins->edges[i];
        const int32_t too_low = i - cheq_bin_guess(edge, bins);
        wrong |= (too_low & ~1) | (cheq_place_guess(edge, &bins->line) ^ i);
    }
    return wrong == 0;
}

/* edges[i] = i * step + first, as np.linspace has it, and its last. */
static inline void cheq_edges_make(const cheq_value_bins *bins, double *edges) {
    const double step = bins->width / (double)bins->n;
    const float first32 = (float)bins->first, step32 = (float)bins->width / (float)bins->n;
    for (size_t i = 0; i < bins->n; i++) {
        edges[i] = bins->single ? (double)((float)i * step32 + first32) : (double)i * step + bins->first;
    }
    edges[bins->n] = bins->last;
}

/* The bins from the smallest value to the largest; round one value if they are equal. */
static inline cheq_value_bins cheq_bins_make(double smallest, double largest, size_t n, int single, double *edges,
                                             double *inner) {
    cheq_value_bins bins = {.n = n, .single = single, .edges = edges, .inner = inner};
    const double margin = cheq_margin(smallest, largest);
    bins.first = single ? (double)((float)smallest - (float)margin) : smallest - margin;
    bins.last = single ? (double)((float)largest + (float)margin) : largest + margin;
    bins.width = single ? (double)((float)bins.last - (float)bins.first) : bins.last - bins.first;
    cheq_edges_make(&bins, edges);
    for (size_t i = 0; i < n; i++) {
        inner[i] = i > 0 ? edges[i] : -INFINITY;
    }
    inner[n] = INFINITY;
    bins.line = cheq_line_make(edges[0], edges[n - 1], n, single);
    bins.wide = cheq_steps_exceed(CHEQ_WIDE, smallest, largest, n, single);
    bins.plain = bins.wide || cheq_bins_are_plain(&bins);
    return bins;
}

/* ---- distributions ------------------------------------------------------- */

/* scikit-image's cumulative_distribution: running counts / total, float32 for float32. */
static inline void cheq_skimage_cdf(const uint64_t *hist, const cheq_value_bins *bins, double *cdf) {
    uint64_t total = 0, running = 0;
    for (size_t i = 0; i < bins->n; i++) {
        total += hist[i];
    }
    for (size_t i = 0; i < bins->n; i++) {
        running += hist[i];
        cdf[i] = cheq_pixels_to_double(running);
    }
    const double of = cheq_pixels_to_double(total);
    for (size_t i = 0; i < bins->n; i++) { /* apart, so that compilers divide several at a time */
        cdf[i] = bins->single ? (double)(float)(cdf[i] / of) : cdf[i] / of;
    }
}

/* Its centers of the bins. */
static inline void cheq_bin_centers(const cheq_value_bins *bins, double *centers) {
    for (size_t i = 0; i < bins->n; i++) {
        double left = bins->edges[i], right = bins->edges[i + 1];
        centers[i] = bins->single ? (double)(((float)left + (float)right) / 2.0f) : (left + right) / 2.0;
    }
}

/* The NumPy recipe's results that are no levels go from 0 to this. */
#define CHEQ_RECIPE_TOP 255.0

/* The NumPy recipe's: the running sum of the density, times `top`, divided by its last. */
static inline void cheq_recipe_cdf(const uint64_t *hist, const cheq_value_bins *bins, double top, double *cdf) {
    uint64_t total = 0;
    double sum = 0;
    for (size_t i = 0; i < bins->n; i++) {
        total += hist[i];
    }
    for (size_t i = 0; i < bins->n; i++) {
        double left = bins->edges[i], right = bins->edges[i + 1];
        double width = bins->single ? (double)((float)right - (float)left) : right - left;
        cdf[i] = cheq_pixels_to_double(hist[i]) / width / cheq_pixels_to_double(total);
    }
    for (size_t i = 0; i < bins->n; i++) {
        sum = i == 0 ? cdf[0] : sum + cdf[i];
        cdf[i] = sum;
    }
    const double last = sum;
    for (size_t i = 0; i < bins->n; i++) {
        cdf[i] = top * cdf[i] / last;
    }
}

/* Where floats are equalized: a distribution, and the points that it stands at, which are
 * returned: the edges, or what is written to `centers`. */
typedef const double *cheq_distribution(const uint64_t *hist, const cheq_value_bins *bins, double *cdf,
                                        double *centers);

static inline const double *cheq_skimage_distribution(const uint64_t *hist, const cheq_value_bins *bins, double *cdf,
                                                      double *centers) {
    cheq_skimage_cdf(hist, bins, cdf);
    cheq_bin_centers(bins, centers);
    return centers;
}

static inline const double *cheq_recipe_distribution(const uint64_t *hist, const cheq_value_bins *bins, double *cdf,
                                                     double *centers) {
    (void)centers;
    cheq_recipe_cdf(hist, bins, CHEQ_RECIPE_TOP, cdf);
    return bins->edges;
}

/* ---- interpolation ------------------------------------------------------- */

/* One point of a curve, and the slope to the next. */
typedef struct {
    double x, y, slope, unused; /* four, so that a knot lies in one cache line */
} cheq_knot;

/* A line through n knots, x increasing; flat outside. */
typedef struct {
    const cheq_knot *knots;
    size_t n;
    cheq_line line; /* through the knots' x */
    int plain;      /* a value's knot is that of its guess, or the one before; and all x and slopes are finite */
} cheq_curve;

/* Through the distribution of bins: its points, their edges or centers, and what it is there. */
static inline cheq_curve cheq_curve_make(const double *x, const double *y, const cheq_value_bins *bins,
                                         cheq_knot *knots) {
    const size_t n = bins->n;
    cheq_curve curve = {knots, n, cheq_line_make(x[0], x[n - 1], n, bins->single), 0};
    double zero = 0;
    for (size_t i = 0; i < n; i++) {
        /* The analyzer takes it for possible that bins.n is not N. NOLINTNEXTLINE(clang-analyzer-core.*) */
        double slope = i + 1 < n ? (y[i + 1] - y[i]) / (x[i + 1] - x[i]) : 0.0;
        cheq_knot knot = {x[i], y[i], slope, 0.0};
        knots[i] = knot;
        zero += x[i] * 0.0 + slope * 0.0;
    }
    int32_t wrong = zero != 0;
    for (size_t i = 0; !bins->wide && i < n; i++) {
        wrong |= cheq_place_guess(x[i], &curve.line) ^ (int32_t)i;
    }
    curve.plain = wrong == 0;
    return curve;
}

/* np.interp for a value that is NaN, or from the first knot to the last, where j is the
 * last knot at or before it. A NaN stays one. */
static inline double cheq_interpolate_at(double value, const cheq_knot *j) {
    double y = j->slope * (value - j->x) + j->y;
    if (y == y || value != value) {
        return y;
    }
    if (value == j->x) { /* infinite slopes; NumPy tries from the other side */
        return j->y;
    }
    y = j->slope * (value - j[1].x) + j[1].y;
    return y != y && j->y == j[1].y ? j->y : y;
}

/* What np.interp does with values outside: they are worth as much as the nearest knot. */
static inline double cheq_clamped(double value, const cheq_curve *curve) {
    const double first = curve->knots[0].x, last = curve->knots[curve->n - 1].x;
    value = value < first ? first : value;
    return value > last ? last : value;
}

/* np.interp as it is, for any knots: of equal ones the last counts. */
static inline double cheq_interpolate_searching(double value, const cheq_curve *curve) {
    const cheq_knot *knots = curve->knots;
    size_t at_or_before = 0, behind = curve->n;
    if (value != value) {
        return value;
    }
    if (value < knots[0].x) {
        return knots[0].y;
    }
    while (behind - at_or_before > 1) {
        size_t middle = at_or_before + (behind - at_or_before) / 2;
        *(value < knots[middle].x ? &behind : &at_or_before) = middle;
    }
    return behind == curve->n ? knots[at_or_before].y : cheq_interpolate_at(value, &knots[at_or_before]);
}

/* The same of plain knots, for a clamped value or NaN. */
static inline double cheq_interpolate_plain(double value, int32_t guess, const cheq_knot *knots) {
    const cheq_knot *j = knots + guess;
    if (CHEQ_RARELY(value < j->x)) {
        j--;
    }
    return j->slope * (value - j->x) + j->y;
}

static inline double cheq_interpolate(double value, const cheq_curve *curve) {
    if (!curve->plain) {
        return cheq_interpolate_searching(value, curve);
    }
    value = cheq_clamped(value, curve);
    return cheq_interpolate_plain(value, cheq_place_guess(value, &curve->line), curve->knots);
}

#endif
