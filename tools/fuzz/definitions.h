/* The definitions once more, in plain C that shares nothing with cheq's headers: what each library does, as
 * tests/reference.py states it. Bins: level - the dtype's minimum. */
#ifndef CHEQ_FUZZ_DEFINITIONS_H
#define CHEQ_FUZZ_DEFINITIONS_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* ---- LUTs of a histogram ---------------------------------------------------- */

/* Occupied bins; returns how many there are. */
static uint32_t occupied(const uint64_t *hist, uint32_t levels, uint32_t *first, uint32_t *last, uint64_t *total) {
    uint32_t n = 0;
    *total = 0;
    for (uint32_t v = 0; v < levels; v++) {
        if (hist[v] > 0) {
            *first = n++ ? *first : v;
            *last = v;
            *total += hist[v];
        }
    }
    return n;
}

static void opencv_lut(const uint64_t *hist, uint32_t levels, uint32_t *lut) {
    uint32_t first = 0, last = 0, n;
    uint64_t total, since = 0;
    n = occupied(hist, levels, &first, &last, &total);
    for (uint32_t v = 0; v < levels; v++) {
        since += v > first ? hist[v] : 0;
        float scale = (float)(levels - 1) / (float)(n > 1 ? total - hist[first] : 1);
        lut[v] = n < 2 ? v : (uint32_t)fminf(nearbyintf((float)since * scale), (float)(levels - 1));
    }
}

static void pillow_lut(const uint64_t *hist, uint32_t levels, uint32_t *lut) {
    uint32_t first = 0, last = 0;
    uint64_t total, below = 0;
    occupied(hist, levels, &first, &last, &total);
    const uint64_t step = (total - (total ? hist[last] : 0)) / 255;
    for (uint32_t v = 0; v < levels; v++) {
        uint64_t level = step ? (step / 2 + below) / step : v;
        lut[v] = (uint32_t)(level < 255 ? level : 255);
        below += hist[v];
    }
}

/* Of a tile of CLAHE: bins above `most` are cut, what was cut is shared out to all, and the rest of that to some. */
static void clahe_lut(uint64_t *hist, uint32_t levels, uint64_t most, uint32_t *lut) {
    uint64_t area = 0, excess = 0, since = 0;
    for (uint32_t v = 0; v < levels; v++) {
        area += hist[v];
        excess += hist[v] > most ? hist[v] - most : 0;
        hist[v] = hist[v] > most ? most : hist[v];
    }
    const float scale = (float)(levels - 1) / (float)area;
    uint64_t rest = excess % levels;
    const uint64_t step = rest > 0 && levels / rest > 1 ? levels / rest : 1;
    for (uint32_t v = 0; v < levels; v++) {
        const int one_more = rest > 0 && v % step == 0;
        rest -= (uint64_t)one_more;
        since += hist[v] + excess / levels + (uint64_t)one_more;
        lut[v] = (uint32_t)fminf(nearbyintf((float)since * scale), (float)(levels - 1));
    }
}

static void skimage_cdf(const uint64_t *hist, uint32_t levels, double *cdf) {
    uint32_t first = 0, last = 0;
    uint64_t total, running = 0;
    occupied(hist, levels, &first, &last, &total);
    for (uint32_t v = 0; v < levels; v++) {
        running += hist[v];
        cdf[v] = (double)(v < first ? hist[first] : running) / (double)total;
    }
}

/* np.interp: the last point at or before x decides. */
static double interpolated(double x, const double *xp, const double *fp, size_t n) {
    size_t j = 0;
    if (isnan(x) || x < xp[0]) {
        return isnan(x) ? x : fp[0];
    }
    for (size_t i = 0; i < n; i++) {
        j = xp[i] <= x ? i : j;
    }
    if (j == n - 1 || xp[j] == x) {
        return fp[j];
    }
    const double slope = (fp[j + 1] - fp[j]) / (xp[j + 1] - xp[j]);
    double y = slope * (x - xp[j]) + fp[j];
    if (isnan(y)) {
        y = slope * (x - xp[j + 1]) + fp[j + 1];
        y = isnan(y) && fp[j] == fp[j + 1] ? fp[j] : y;
    }
    return y;
}

/* np.histogram's edges between two values; returns whether they increase. */
static int edges_between(double smallest, double largest, size_t n, double *edges) {
    const double first = smallest - (smallest == largest ? 0.5 : 0), last = largest + (smallest == largest ? 0.5 : 0);
    const double step = (last - first) / (double)n;
    int increase = 1;
    for (size_t i = 0; i <= n; i++) {
        edges[i] = i == n ? last : (double)i * step + first;
        increase &= i == 0 || edges[i - 1] < edges[i];
    }
    return increase;
}

static int edges_between_floats(float smallest, float largest, size_t n, double *edges) {
    const float margin = smallest == largest ? 0.5f : 0.0f, first = smallest - margin, last = largest + margin;
    const float width = last - first, step = width / (float)n;
    int increase = 1;
    for (size_t i = 0; i <= n; i++) {
        const float product = (float)i * step;
        edges[i] = (double)(i == n ? last : product + first);
        increase &= i == 0 || edges[i - 1] < edges[i];
    }
    return increase;
}

/* And the bin of a value: a guess, then a step where the edges say otherwise. */
static size_t bin_of(double x, const double *edges, size_t n, int single) {
    const double first = edges[0], last = edges[n];
    const float guess = ((float)x - (float)first) / ((float)last - (float)first) * (float)n;
    size_t i = (size_t)(single ? (double)guess : (x - first) / (last - first) * (double)n);
    i = i >= n ? n - 1 : i;
    if (x < edges[i]) {
        return i - 1;
    }
    return x >= edges[i + 1] && i != n - 1 ? i + 1 : i;
}

enum { RECIPE_BINS = 256 };

/* Of the wanted bins alone, for the search above is slow. */
static void numpy_cdf(const uint64_t *hist, const uint8_t *wanted, uint32_t levels, int32_t minimum, double top,
                      double *cdf) {
    double edges[RECIPE_BINS + 1], counts[RECIPE_BINS] = {0}, points[RECIPE_BINS], sum = 0;
    uint32_t first = 0, last = 0;
    uint64_t total;
    occupied(hist, levels, &first, &last, &total);
    edges_between((double)first + minimum, (double)last + minimum, RECIPE_BINS, edges);
    for (uint32_t v = first; v <= last; v++) {
        if (hist[v] > 0) {
            counts[bin_of((double)v + minimum, edges, RECIPE_BINS, 0)] += (double)hist[v];
        }
    }
    for (int i = 0; i < RECIPE_BINS; i++) {
        sum += counts[i] / (edges[i + 1] - edges[i]) / (double)total;
        points[i] = sum;
    }
    for (int i = 0; i < RECIPE_BINS; i++) {
        points[i] = top * points[i] / sum;
    }
    for (uint32_t v = 0; v < levels; v++) {
        cdf[v] = wanted[v] ? interpolated((double)v + minimum, edges, points, RECIPE_BINS) : 0;
    }
}

static void otsu_lut(const uint64_t *hist, uint32_t levels, uint32_t *lut) {
    uint32_t first = 0, last = 0, threshold = 0;
    uint64_t total;
    double mu = 0, mu1 = 0, q1 = 0, best = 0;
    occupied(hist, levels, &first, &last, &total);
    const double scale = 1.0 / (double)(total ? total : 1), epsilon = 0x1p-23;
    for (uint32_t v = 0; v < levels; v++) {
        mu += (double)v * (double)hist[v];
    }
    mu *= scale;
    for (uint32_t v = first; v <= last && total; v++) {
        const double p = (double)hist[v] * scale;
        mu1 *= q1;
        q1 += p;
        const double q2 = 1.0 - q1;
        if (fmin(q1, q2) < epsilon || fmax(q1, q2) > 1.0 - epsilon) {
            continue;
        }
        mu1 = (mu1 + (double)v * p) / q1;
        const double mu2 = (mu - q1 * mu1) / q2, sigma = q1 * q2 * (mu1 - mu2) * (mu1 - mu2);
        if (sigma > best) {
            best = sigma;
            threshold = v;
        }
    }
    for (uint32_t v = 0; v < levels; v++) {
        lut[v] = v > threshold ? levels - 1 : 0;
    }
}

/* ---- color ------------------------------------------------------------------ */

static uint32_t weighed(const uint32_t *weights, uint32_t bits, const uint32_t *rgb) {
    const uint64_t sum = (uint64_t)weights[0] * rgb[0] + (uint64_t)weights[1] * rgb[1] + (uint64_t)weights[2] * rgb[2];
    return (uint32_t)((sum + (1u << (bits - 1))) >> bits);
}

#endif
