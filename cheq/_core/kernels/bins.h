/* NumPy's equal bins, the distributions that are made of them, and its linear
 * interpolation: np.histogram (numpy/lib/_histograms_impl.py), np.linspace and
 * np.interp (numpy/_core/src/multiarray/compiled_base.c) of NumPy 2, operation by
 * operation, since their roundings are part of the answer. */
#ifndef CHEQ_BINS_H
#define CHEQ_BINS_H

#include <stddef.h>
#include <stdint.h>

/* ---- bins ---------------------------------------------------------------- */

/* n bins of equal width between first and last; edges[n] is last. `single`: in
 * float32, as NumPy does for float32 data; the doubles then hold float32 values. */
typedef struct {
    double first, last, width; /* width: last - first */
    size_t n;
    int single;
    const double *edges; /* n + 1 */
} cheq_value_bins;

/* The bins from the smallest value to the largest; round one value if they are equal. */
static inline cheq_value_bins cheq_bins_make(double smallest, double largest, size_t n, int single, double *edges) {
    cheq_value_bins bins = {.first = smallest, .last = largest, .n = n, .single = single, .edges = edges};
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

/* np.histogram's guess, and its two corrections by one bin. */
static inline size_t cheq_bin_corrected(double x, size_t guess, const cheq_value_bins *bins) {
    size_t i = guess < bins->n ? guess : bins->n - 1;
    i -= x < bins->edges[i];
    i += i + 1 < bins->n && x >= bins->edges[i + 1];
    return i;
}

static inline size_t cheq_bin_of(double x, const cheq_value_bins *bins) {
    return cheq_bin_corrected(x, (size_t)((x - bins->first) / bins->width * (double)bins->n), bins);
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

/* And its centres of the bins. */
static inline void cheq_bin_centers(const cheq_value_bins *bins, double *centers) {
    for (size_t i = 0; i < bins->n; i++) {
        double left = bins->edges[i], right = bins->edges[i + 1];
        centers[i] = bins->single ? (double)(((float)left + (float)right) / 2.0f) : (left + right) / 2.0;
    }
}

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

/* ---- interpolation ------------------------------------------------------- */

/* A line through the points (x[i], y[i]), x increasing; flat outside. */
typedef struct {
    const double *x, *y, *slopes; /* n, n, n - 1 */
    size_t n;
    double scale; /* pieces per unit of x, about */
} cheq_curve;

static inline cheq_curve cheq_curve_make(const double *x, const double *y, size_t n, double *slopes) {
    for (size_t i = 0; i + 1 < n; i++) {
        slopes[i] = (y[i + 1] - y[i]) / (x[i + 1] - x[i]);
    }
    cheq_curve curve = {x, y, slopes, n, n > 1 ? (double)(n - 1) / (x[n - 1] - x[0]) : 0.0};
    return curve;
}

/* The last point at or before value, which is at least x[0] and less than x[n - 1]: a
 * guess from the points' even spacing, and then steps. */
static inline size_t cheq_curve_find(const cheq_curve *curve, double value) {
    double guess = (value - curve->x[0]) * curve->scale;
    size_t j = guess < (double)(curve->n - 2) ? (size_t)guess : curve->n - 2;
    while (value < curve->x[j]) {
        j--;
    }
    while (value >= curve->x[j + 1]) {
        j++;
    }
    return j;
}

/* np.interp; a NaN stays one. */
static inline double cheq_interpolate(double value, const cheq_curve *curve) {
    const size_t last = curve->n - 1;
    if (!(value >= curve->x[0])) {
        return value < curve->x[0] || last == 0 ? curve->y[0] : value;
    }
    if (value >= curve->x[last]) {
        return curve->y[last];
    }
    size_t j = cheq_curve_find(curve, value);
    double y = curve->slopes[j] * (value - curve->x[j]) + curve->y[j];
    if (value == curve->x[j]) {
        return curve->y[j];
    }
    if (y != y) { /* infinite slopes: NumPy tries from the other side */
        y = curve->slopes[j] * (value - curve->x[j + 1]) + curve->y[j + 1];
        if (y != y && curve->y[j] == curve->y[j + 1]) {
            y = curve->y[j];
        }
    }
    return y;
}

#endif
