/* Planes of floats: NumPy's bins from the smallest value to the largest, a distribution
 * made of their counts, and np.interp of every pixel. */
#ifndef CHEQ_FLOATING_H
#define CHEQ_FLOATING_H

#include <math.h>

#include "jobs/makers.h"
#include "jobs/plane.h"
#include "jobs/work.h"

/* What is known of a plane before anything is counted. */
typedef struct {
    double smallest, largest; /* of the counted finite pixels, if there are any */
    uint8_t counted, has_nan, has_infinity; /* any finite, any NaN, any infinity among those to be counted */
} cheq_values;

typedef struct {
    const cheq_kernels *kernels;
    cheq_distribution *distribution;
    int masked;
    int bytes;        /* of a pixel, 4 or 8 */
    int result_bytes; /* 4 or 8 */
    cheq_layout counted, applied; /* as in cheq_job */
    size_t groups, pixels, n;     /* n: bins */
    cheq_values *values;          /* one a plane: written by the first pass, read by the second */
    double *cdf, *points;         /* where distributions are wanted, (planes, n) each; else NULL */
    int applies;
} cheq_floating_job;

/* ---- pieces --------------------------------------------------------------- */

/* Pixels of a piece as doubles, which hold floats too, and dense. */
static inline const double *cheq_floats_load(const cheq_floating_job *job, const cheq_layout *layout,
                                             const cheq_walk *walk, size_t n, double buffer[CHEQ_PIECE]) {
    const uint8_t *from = walk->at[CHEQ_IMAGES];
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_IMAGES);
    float value;
    if (job->bytes == 8) {
        if (step == 8 && (uintptr_t)from % sizeof(double) == 0) {
            return (const double *)from;
        }
        for (size_t i = 0; i < n; i++) {
            memcpy(&buffer[i], from + (ptrdiff_t)i * step, sizeof(double));
        }
    } else if (step == 4) {
        job->kernels->floats_to_doubles(from, buffer, n);
    } else {
        for (size_t i = 0; i < n; i++) {
            memcpy(&value, from + (ptrdiff_t)i * step, sizeof(float));
            buffer[i] = (double)value;
        }
    }
    return buffer;
}

static inline void cheq_floats_store(const cheq_floating_job *job, const cheq_walk *walk, ptrdiff_t step, size_t n,
                                     const double *values) {
    uint8_t *to = walk->at[CHEQ_OTHER];
    if (job->result_bytes == 8) {
        for (size_t i = 0; i < n; i++) {
            memcpy(to + (ptrdiff_t)i * step, &values[i], sizeof(double));
        }
    } else if (step == sizeof(float)) {
        job->kernels->doubles_to_floats(values, to, n);
    } else {
        for (size_t i = 0; i < n; i++) {
            float value = (float)values[i];
            memcpy(to + (ptrdiff_t)i * step, &value, sizeof(float));
        }
    }
}

/* Bring the counted ones of n pixels to the front of a buffer. */
static inline size_t cheq_floats_select(const cheq_layout *layout, const cheq_walk *walk, const double *from,
                                        size_t n, double *to) {
    const uint8_t *mask = walk->at[CHEQ_OTHER];
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_OTHER);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        double value = from[i];
        to[kept] = value;
        kept += mask[(ptrdiff_t)i * step] != 0;
    }
    return kept;
}

/* ---- the first pass: the range of every plane ------------------------------- */

static inline void cheq_values_add(const cheq_kernels *k, cheq_values *values, const double *pixels, size_t n) {
    double smallest = values->smallest, largest = values->largest;
    if (k->bounds(pixels, n, &smallest, &largest)) {
        values->counted |= n > 0;
        values->smallest = smallest;
        values->largest = largest;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        double x = pixels[i];
        if (x != x) {
            values->has_nan = 1;
        } else if (x * 0.0 != 0) {
            values->has_infinity = 1;
        } else {
            values->counted = 1;
            values->smallest = x < values->smallest ? x : values->smallest;
            values->largest = x > values->largest ? x : values->largest;
        }
    }
}

static inline void cheq_values_join(cheq_values *values, const cheq_values *others) {
    values->smallest = others->smallest < values->smallest ? others->smallest : values->smallest;
    values->largest = others->largest > values->largest ? others->largest : values->largest;
    values->counted |= others->counted;
    values->has_nan |= others->has_nan;
    values->has_infinity |= others->has_infinity;
}

static void cheq_values_of(const cheq_floating_job *job, size_t group, size_t begin, size_t end,
                           cheq_values *values) {
    double buffer[CHEQ_PIECE], selected[CHEQ_PIECE];
    cheq_values found = {INFINITY, -INFINITY, 0, 0, 0};
    cheq_walk walk;
    cheq_walk_begin(&walk, &job->counted, group, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        const double *pixels = cheq_floats_load(job, &job->counted, &walk, n, buffer);
        if (job->masked) {
            n = cheq_floats_select(&job->counted, &walk, pixels, n, selected);
            pixels = selected;
        }
        cheq_values_add(job->kernels, &found, pixels, n);
    }
    *values = found;
}

static void cheq_ranges_run(const void *of, size_t begin, size_t end, void *scratch) {
    const cheq_floating_job *job = of;
    (void)scratch;
    for (size_t group = begin; group < end; group++) {
        cheq_values_of(job, group, 0, job->pixels, &job->values[group]);
    }
}

/* A part's result is zeros until its first share. */
typedef struct {
    cheq_values values;
    int begun;
} cheq_ranges_part;

static void cheq_ranges_share(const void *of, int phase, size_t group, size_t begin, size_t end, void *own,
                              const void *joined) {
    cheq_ranges_part *part = own;
    cheq_values values;
    (void)phase;
    (void)joined;
    cheq_values_of(of, group, begin, end, &values);
    if (part->begun) {
        cheq_values_join(&part->values, &values);
    } else {
        part->values = values;
        part->begun = 1;
    }
}

static void cheq_ranges_join(const void *of, int phase, size_t group, const void *parts, int n, void *joined) {
    const cheq_floating_job *job = of;
    const cheq_ranges_part *part = parts;
    cheq_values values = {INFINITY, -INFINITY, 0, 0, 0};
    (void)phase;
    (void)joined;
    for (int i = 0; i < n; i++) {
        if (part[i].begun) {
            cheq_values_join(&values, &part[i].values);
        }
    }
    job->values[group] = values;
}

static inline cheq_work cheq_ranges_work(const cheq_floating_job *job) {
    cheq_work work = {
        .job = job, .groups = job->groups, .pixels = job->pixels, .planes = 1, .cost = 64, .run = cheq_ranges_run,
        .phases = 1, .writes = 1, .share = cheq_ranges_share, .join = cheq_ranges_join,
        .part_bytes = sizeof(cheq_ranges_part),
    };
    return work;
}

/* ---- the second: count and look up ------------------------------------------- */

/* Leave out what is not finite. */
static inline size_t cheq_floats_finite(const double *from, size_t n, double *to) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        double value = from[i];
        to[kept] = value;
        kept += value * 0.0 == 0;
    }
    return kept;
}

static void cheq_floats_count(const cheq_floating_job *job, size_t group, size_t begin, size_t end,
                              const cheq_value_bins *bins, uint64_t *hist) {
    const cheq_values *values = &job->values[group];
    double buffer[CHEQ_PIECE], selected[CHEQ_PIECE];
    cheq_walk walk;
    cheq_walk_begin(&walk, &job->counted, group, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        const double *pixels = cheq_floats_load(job, &job->counted, &walk, n, buffer);
        if (job->masked) {
            n = cheq_floats_select(&job->counted, &walk, pixels, n, selected);
            pixels = selected;
        }
        if (values->has_nan || values->has_infinity) {
            n = cheq_floats_finite(pixels, n, selected);
            pixels = selected;
        }
        job->kernels->count_floats(pixels, n, bins, hist);
    }
}

static void cheq_floats_apply(const cheq_floating_job *job, size_t group, size_t begin, size_t end,
                              const cheq_curve *curve) {
    const ptrdiff_t step = cheq_run_stride(&job->applied, CHEQ_OTHER);
    const int dense = job->result_bytes == 8 && step == 8 && (uintptr_t)job->applied.base[CHEQ_OTHER] % 8 == 0;
    double buffer[CHEQ_PIECE], results[CHEQ_PIECE];
    cheq_walk walk;
    cheq_walk_begin(&walk, &job->applied, group, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        const double *pixels = cheq_floats_load(job, &job->applied, &walk, n, buffer);
        double *to = dense ? (double *)walk.at[CHEQ_OTHER] : results;
        if (job->values[group].counted) {
            job->kernels->interpolate(pixels, to, n, curve);
        } else {
            for (size_t i = 0; i < n; i++) {
                to[i] = NAN;
            }
        }
        if (!dense) {
            cheq_floats_store(job, &walk, step, n, results);
        }
    }
}

/* One plane's bins, counts and curve. */
typedef struct {
    cheq_knot *knots; /* n + 1 */
    cheq_bin *bin;    /* n */
    uint64_t *hist;   /* n */
    double *edges, *cdf, *centers; /* n + 1, n, n */
} cheq_floating_scratch;

static inline size_t cheq_floating_scratch_bytes(size_t n) {
    return (n + 1) * sizeof(cheq_knot) + n * sizeof(cheq_bin) + (4 * n + 1) * sizeof(double);
}

static inline cheq_floating_scratch cheq_floating_scratch_in(void *memory, size_t n) {
    cheq_knot *knots = memory;
    cheq_bin *bin = (cheq_bin *)(knots + n + 1);
    uint64_t *hist = (uint64_t *)(bin + n);
    double *edges = (double *)(hist + n);
    cheq_floating_scratch scratch = {knots, bin, hist, edges, edges + n + 1, edges + 2 * n + 1};
    return scratch;
}

static inline cheq_value_bins cheq_floating_bins(const cheq_floating_job *job, size_t group,
                                                 const cheq_floating_scratch *scratch) {
    const cheq_values *values = &job->values[group];
    const double smallest = values->counted ? values->smallest : 0, largest = values->counted ? values->largest : 1;
    return cheq_bins_make(smallest, largest, job->n, job->bytes == 4, scratch->edges, scratch->bin);
}

/* The curve through the distribution, whose points stay in the scratch memory. */
static inline cheq_curve cheq_floating_curve(const cheq_floating_job *job, size_t group, const cheq_value_bins *bins,
                                             const cheq_floating_scratch *scratch) {
    const double *points = job->distribution(scratch->hist, bins, scratch->cdf, scratch->centers);
    if (job->cdf) {
        memcpy(job->cdf + group * job->n, scratch->cdf, job->n * sizeof(double));
        memcpy(job->points + group * job->n, points, job->n * sizeof(double));
    }
    return cheq_curve_make(points, scratch->cdf, job->n, scratch->knots);
}

static void cheq_floating_run(const void *of, size_t begin, size_t end, void *memory) {
    const cheq_floating_job *job = of;
    const cheq_floating_scratch scratch = cheq_floating_scratch_in(memory, job->n);
    for (size_t group = begin; group < end; group++) {
        const cheq_value_bins bins = cheq_floating_bins(job, group, &scratch);
        memset(scratch.hist, 0, job->n * sizeof *scratch.hist);
        cheq_floats_count(job, group, 0, job->pixels, &bins, scratch.hist);
        const cheq_curve curve = cheq_floating_curve(job, group, &bins, &scratch);
        if (job->applies) {
            cheq_floats_apply(job, group, 0, job->pixels, &curve);
        }
    }
}

/* In parts: each counts in its own memory, with edges that it makes for itself. */
static void cheq_floating_share(const void *of, int phase, size_t group, size_t begin, size_t end, void *own,
                                const void *joined) {
    const cheq_floating_job *job = of;
    if (phase == 0) {
        const cheq_floating_scratch scratch = cheq_floating_scratch_in(own, job->n);
        const cheq_value_bins bins = cheq_floating_bins(job, group, &scratch);
        cheq_floats_count(job, group, begin, end, &bins, scratch.hist);
        return;
    }
    const cheq_curve *curve = joined;
    cheq_floats_apply(job, group, begin, end, curve);
}

static void cheq_floating_join(const void *of, int phase, size_t group, const void *parts, int n, void *joined) {
    const cheq_floating_job *job = of;
    cheq_curve *curve = joined;
    const cheq_floating_scratch scratch = cheq_floating_scratch_in(curve + 1, job->n);
    if (phase > 0) {
        return;
    }
    memset(scratch.hist, 0, job->n * sizeof *scratch.hist);
    for (int i = 0; i < n; i++) {
        void *part = (char *)parts + (size_t)i * cheq_floating_scratch_bytes(job->n);
        const uint64_t *hist = cheq_floating_scratch_in(part, job->n).hist;
        for (size_t b = 0; b < job->n; b++) {
            scratch.hist[b] += hist[b];
        }
    }
    const cheq_value_bins bins = cheq_floating_bins(job, group, &scratch);
    *curve = cheq_floating_curve(job, group, &bins, &scratch);
}

static inline cheq_work cheq_floating_work(const cheq_floating_job *job) {
    const size_t bytes = cheq_floating_scratch_bytes(job->n);
    cheq_work work = {
        .job = job, .groups = job->groups, .pixels = job->pixels, .planes = 1, .cost = 2 * job->n,
        .run = cheq_floating_run, .scratch_bytes = bytes, .phases = 1 + job->applies, .writes = 1,
        .share = cheq_floating_share, .join = cheq_floating_join, .part_bytes = bytes,
        .joined_bytes = sizeof(cheq_curve) + bytes,
    };
    return work;
}

/* Whether np.histogram could plainly make bins of this plane's range. */
static inline int cheq_floating_plainly_has_bins(const cheq_floating_job *job, size_t group) {
    const cheq_values *values = &job->values[group];
    return !values->counted ||
           cheq_bins_plainly_increase(values->smallest, values->largest, job->n, job->bytes == 4);
}

/* Whether it could at all, which takes making them. */
static inline int cheq_floating_has_bins(const cheq_floating_job *job, size_t group, void *memory) {
    const cheq_floating_scratch scratch = cheq_floating_scratch_in(memory, job->n);
    const cheq_value_bins bins = cheq_floating_bins(job, group, &scratch);
    return cheq_bins_increase(&bins);
}

#endif
