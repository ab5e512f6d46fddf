/* NumPy's equal bins, the distributions that are made of them, and its linear
 * interpolation: np.histogram (numpy/lib/_histograms_impl.py), np.linspace and
 * np.interp (numpy/_core/src/multiarray/compiled_base.c) of NumPy 2, operation by
 * operation, since their roundings are part of the answer. */
#ifndef CHEQ_BINS_H
#define CHEQ_BINS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* ---- bins ---------------------------------------------------------------- */

/* A bin's edges, as the counting asks for them: the first bin has no lower one and the last no upper one, as it
 * holds what lies on its right edge. So no value, whatever the arithmetic makes of it, is in another bin. */
typedef struct {
    double lower, upper;
} cheq_bin;

/* n bins of equal width between first and last; edges[n] is last. `single`: in
 * float32, as NumPy does for float32 data; the doubles then hold float32 values. */
typedef struct {
    double first, last, width; /* width: last - first */
    size_t n;
    int single;
    const double *edges; /* n + 1 */
    const cheq_bin *bin; /* n */
} cheq_value_bins;

/* The bins from the smallest value to the largest; round one value if they are equal. */
static inline cheq_value_bins cheq_bins_make(double smallest, double largest, size_t n, int single, double *edges,
                                             cheq_bin *bin) {
    cheq_value_bins bins = {.n = n, .single = single, .edges = edges, .bin = bin};
    const double margin = smallest == largest ? 0.5 : 0.0;
    if (single) {
        const float first = (float)smallest - (float)margin, last = (float)largest + (float)margin;
        const float width = last - first, step = width / (float)n;
        for (size_t i = 0; i < n; i++) {
            edges[i] = (double)((float)i * step + first);
        }
        bins.first = (double)first;
        bins.last = (double)last;
        bins.width = (double)width;
    } else {
        bins.first = smallest - margin;
        bins.last = largest + margin;
        bins.width = bins.last - bins.first;
        const double step = bins.width / (double)n;
        for (size_t i = 0; i < n; i++) {
            edges[i] = (double)i * step + bins.first;
        }
    }
    edges[n] = bins.last;
    for (size_t i = 0; i < n; i++) {
        bin[i].lower = i > 0 ? edges[i] : -INFINITY;
        bin[i].upper = i + 1 < n ? edges[i + 1] : INFINITY;
    }
    return bins;
}

/* Are the edges apart, as NumPy demands? A width that overflows, or bins too many for
 * the range, make edges that are not (nor are NaN). */
static inline int cheq_bins_increase(const cheq_value_bins *bins) {
    for (size_t i = 0; i < bins->n; i++) {
        if (!(bins->edges[i] < bins->edges[i + 1])) {
            return 0;
        }
    }
    return 1;
}

/* The same without making the edges, where it is plain: each is wrong by less than
 * three units in the last place of the greater end, and a step has more than eight. */
static inline int cheq_bins_plainly_increase(double smallest, double largest, size_t n, int single) {
    const double margin = smallest == largest ? 0.5 : 0.0;
    const double first = smallest - margin, last = largest + margin;
    const double end = fabs(first) > fabs(last) ? fabs(first) : fabs(last);
    const double step = (last - first) / (double)n;
    const double unit = single ? 0x1p-23 : 0x1p-52, least = single ? 0x1p-100 : 0x1p-1000;
    const double most = single ? 0x1p126 : 0x1p1022;
    return end < most && step > 8.0 * end * unit && step > least;
}

/* np.histogram's guess, where what rounds up to n is in the last bin; and its two
 * corrections by one bin, of which at most one is ever made. */
static inline double cheq_bin_guess(double x, const cheq_value_bins *bins) {
    return (x - bins->first) / bins->width * (double)bins->n;
}

static inline int32_t cheq_bin_at(double guess, const cheq_value_bins *bins) {
    const int32_t last = (int32_t)bins->n - 1;
    const int32_t i = (int32_t)(guess > 0.0 && guess < 0x1p31 ? guess : 0.0); /* an int holds no others, nor does a bin */
    return i < last ? i : last;
}

static inline size_t cheq_bin_corrected(double x, int32_t i, const cheq_value_bins *bins) {
    const cheq_bin bin = bins->bin[i];
    return (size_t)i - (x < bin.lower) + (x >= bin.upper);
}

static inline size_t cheq_bin_of(double x, const cheq_value_bins *bins) {
    return cheq_bin_corrected(x, cheq_bin_at(cheq_bin_guess(x, bins), bins), bins);
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
        double c = (double)running / (double)total;
        cdf[i] = bins->single ? (double)(float)c : c;
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
        double density = (double)hist[i] / width / (double)total;
        sum = i == 0 ? density : sum + density;
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

/* A line through n knots, x increasing; flat outside. One more knot behind the last ends
 * every search: its x is infinite. */
typedef struct {
    const cheq_knot *knots;
    size_t n;
    double scale; /* knots a unit of x, about */
    int crowded;  /* some x are equal or infinite, as the centers of bins next to the limits of a dtype can be */
} cheq_curve;

static inline cheq_curve cheq_curve_make(const double *x, const double *y, size_t n, cheq_knot *knots) {
    for (size_t i = 0; i < n; i++) {
        /* The analyzer takes it for possible that bins.n is not N. NOLINTNEXTLINE(clang-analyzer-core.*) */
        double slope = i + 1 < n ? (y[i + 1] - y[i]) / (x[i + 1] - x[i]) : 0.0;
        cheq_knot knot = {x[i], y[i], slope, 0.0};
        knots[i] = knot;
    }
    cheq_knot end = {INFINITY, 0.0, 0.0, 0.0};
    knots[n] = end;
    cheq_curve curve = {knots, n, n > 1 ? (double)(n - 1) / (x[n - 1] - x[0]) : 0.0, 0};
    for (size_t i = 0; i < n; i++) {
        curve.crowded |= !(x[i] < knots[i + 1].x) || x[i] == -INFINITY;
    }
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

/* Where to look for a value first; anywhere for NaN. */
static inline int32_t cheq_knot_guess(double value, const cheq_curve *curve) {
    const double most = (double)(curve->n - 1);
    double guess = (value - curve->knots[0].x) * curve->scale;
    guess = guess < most ? guess : most;
    return (int32_t)(guess > 0.0 ? guess : 0.0);
}

/* What np.interp does with values outside: they are worth as much as the nearest knot. */
static inline double cheq_clamped(double value, const cheq_curve *curve) {
    const double first = curve->knots[0].x, last = curve->knots[curve->n - 1].x;
    value = value < first ? first : value;
    return value > last ? last : value;
}

static inline double cheq_interpolate_from(double value, int32_t guess, const cheq_curve *curve) {
    const cheq_knot *j = curve->knots + guess;
    while (value < j->x) {
        j--;
    }
    while (value >= j[1].x) {
        j++;
    }
    return cheq_interpolate_at(value, j);
}

/* np.interp as it is, for crowded knots: of equal ones the last counts. */
static inline double cheq_interpolate_crowded(double value, const cheq_curve *curve) {
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

static inline double cheq_interpolate(double value, const cheq_curve *curve) {
    if (curve->crowded) {
        return cheq_interpolate_crowded(value, curve);
    }
    value = cheq_clamped(value, curve);
    return cheq_interpolate_from(value, cheq_knot_guess(value, curve), curve);
}

#endif
