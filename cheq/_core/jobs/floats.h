/* Planes of floats: NumPy's bins from the smallest value to the largest, a distribution
 * made of their counts, and np.interp of every pixel. */
#ifndef CHEQ_FLOATS_JOB_H
#define CHEQ_FLOATS_JOB_H

#include <math.h>

#include "jobs/makers.h"
#include "jobs/plane.h"
#include "jobs/passes.h"

/* What is known of a plane before anything is counted. */
typedef struct {
    double smallest, largest; /* of the counted finite pixels, if there are any */
    uint8_t counted, has_nan, has_infinity; /* any finite, any NaN, any infinity among those to be counted */
} cheq_values;

typedef struct {
    const cheq_kernels *kernels;
    cheq_distribution *distribution;
    int bytes;        /* of a pixel, 4 or 8 */
    int result_bytes; /* 4 or 8 */
    cheq_layout counted, applied; /* as in cheq_bytes_job */
    size_t groups, pixels, n;     /* n: bins */
    size_t tables;                /* of counts, 1 or 4 */
    cheq_values *values;          /* one a plane: written by the first pass, read by the second */
    double *cdf, *points;         /* where distributions are wanted, (planes, n) each; else NULL */
    int applies;
} cheq_floats_job;

/* ---- pieces --------------------------------------------------------------- */

/* A thread's room, of any content. */
typedef struct {
    CHEQ_ALIGNED double pixels[CHEQ_PIECE];
    CHEQ_ALIGNED double others[CHEQ_PIECE]; /* those that are counted, or results */
    uint8_t mask[CHEQ_PIECE];
} cheq_floats_room;

/* Pixels of a piece as doubles, which hold floats too, and dense. */
static inline const double *cheq_floats_load(const cheq_floats_job *job, const cheq_layout *layout,
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

static inline void cheq_floats_store(const cheq_floats_job *job, const cheq_walk *walk, ptrdiff_t step, size_t n,
                                     const double *values) {
    uint8_t *to = walk->at[CHEQ_OUT];
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
    const uint8_t *mask = walk->at[CHEQ_MASK];
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_MASK);
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

/* Of no pixels all are zeros. */
static inline void cheq_values_join(cheq_values *values, const cheq_values *others) {
    if (others->counted) {
        const int alone = !values->counted;
        values->smallest = alone || others->smallest < values->smallest ? others->smallest : values->smallest;
        values->largest = alone || others->largest > values->largest ? others->largest : values->largest;
    }
    values->counted |= others->counted;
    values->has_nan |= others->has_nan;
    values->has_infinity |= others->has_infinity;
}

static void cheq_ranges_count(const void *of, size_t group, size_t begin, size_t end, void *counts, void *of_thread) {
    const cheq_floats_job *job = of;
    cheq_floats_room *room = of_thread;
    cheq_values found = {INFINITY, -INFINITY, 0, 0, 0};
    cheq_walk walk;
    cheq_walk_begin(&walk, &job->counted, group, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        const double *pixels = cheq_floats_load(job, &job->counted, &walk, n, room->pixels);
        if (job->counted.masked) {
            n = cheq_floats_select(&job->counted, &walk, pixels, n, room->others);
            pixels = room->others;
        }
        cheq_values_add(job->kernels, &found, pixels, n);
    }
    cheq_values_join(counts, &found);
}

static void cheq_ranges_join(size_t bins, void *counts, void *sum) {
    (void)bins;
    cheq_values_join(sum, counts);
    memset(counts, 0, sizeof(cheq_values));
}

static void cheq_ranges_make(const void *of, size_t group, void *counts, const void *sum, void *made, void *room) {
    const cheq_floats_job *job = of;
    (void)made, (void)room;
    memcpy(&job->values[group], sum ? sum : counts, sizeof(cheq_values));
    memset(counts, 0, sizeof(cheq_values));
}

static inline cheq_work cheq_ranges_work(const cheq_floats_job *job) {
    cheq_work work = {
        .job = job, .groups = job->groups, .pixels = job->pixels, .planes = 1, .cost = 64,
        .count = cheq_ranges_count, .join = cheq_ranges_join, .make = cheq_ranges_make,
        .counts_bytes = sizeof(cheq_values), .sum_bytes = sizeof(cheq_values), .room_bytes = sizeof(cheq_floats_room),
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

/* A counter that goes up again at once is waited for, so there are four tables in turn, unless to add them up costs more
 * than that: for few pixels, or so many bins that they would not stay near. */
#define CHEQ_FOUR_TABLES_BINS 1024
#define CHEQ_FOUR_TABLES_PIXELS 2048

static inline size_t cheq_floats_tables(size_t pixels, size_t n) {
    return pixels >= CHEQ_FOUR_TABLES_PIXELS && n <= CHEQ_FOUR_TABLES_BINS ? 4 : 1;
}

/* What a thread counts, in tables whose sum it is, and the bins of the plane that it does, for n bins in all; the
 * counts alone are zeros between planes. */
typedef struct {
    uint64_t *hist;        /* n in each of the job's tables, which are added up in the first */
    cheq_value_bins *bins;
    cheq_bin *bin;         /* n */
    double *edges;         /* n + 1 */
} cheq_floats_counts;

static inline size_t cheq_floats_counts_bytes(size_t n, size_t tables) {
    const size_t hist = tables * n * sizeof(uint64_t);
    return hist + sizeof(cheq_value_bins) + n * (sizeof(cheq_bin) + sizeof(double)) + sizeof(double);
}

static inline cheq_floats_counts cheq_floats_counts_in(void *memory, size_t n, size_t tables) {
    uint64_t *hist = memory;
    cheq_value_bins *bins = (cheq_value_bins *)(hist + tables * n);
    cheq_bin *bin = (cheq_bin *)(bins + 1);
    cheq_floats_counts counts = {hist, bins, bin, (double *)(bin + n)};
    return counts;
}

static inline void cheq_floats_bins(const cheq_floats_job *job, size_t group, const cheq_floats_counts *counts) {
    const cheq_values *values = &job->values[group];
    const double smallest = values->counted ? values->smallest : 0, largest = values->counted ? values->largest : 1;
    *counts->bins = cheq_bins_make(smallest, largest, job->n, job->bytes == 4, counts->edges, counts->bin);
}

/* Add the other tables to the first, and leave zeros there. */
static inline void cheq_floats_add_up(uint64_t *restrict first, uint64_t *restrict others, size_t tables, size_t n) {
    for (size_t t = 1; t < tables; t++, others += n) {
        for (size_t i = 0; i < n; i++) {
            first[i] += others[i];
            others[i] = 0;
        }
    }
}

static void cheq_floats_count(const void *of, size_t group, size_t begin, size_t end, void *memory, void *of_thread) {
    const cheq_floats_job *job = of;
    cheq_floats_room *room = of_thread;
    const cheq_floats_counts counts = cheq_floats_counts_in(memory, job->n, job->tables);
    const cheq_values *values = &job->values[group];
    cheq_walk walk;
    cheq_floats_bins(job, group, &counts);
    cheq_walk_begin(&walk, &job->counted, group, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        const double *pixels = cheq_floats_load(job, &job->counted, &walk, n, room->pixels);
        if (job->counted.masked) {
            n = cheq_floats_select(&job->counted, &walk, pixels, n, room->others);
            pixels = room->others;
        }
        if (values->has_nan || values->has_infinity) {
            n = cheq_floats_finite(pixels, n, room->others);
            pixels = room->others;
        }
        job->kernels->count_floats(pixels, n, counts.bins, counts.hist, job->tables);
    }
    cheq_floats_add_up(counts.hist, counts.hist + job->n, job->tables, job->n);
}

static void cheq_floats_join(size_t n, void *counts, void *sum) {
    uint64_t *from = counts, *to = sum;
    for (size_t i = 0; i < n; i++) {
        to[i] += from[i];
        from[i] = 0;
    }
}

/* The curve through the distribution; its points are written behind it, and where they are wanted.
 * In parts too, the first thread's counts have the plane's bins. */
static void cheq_floats_make(const void *of, size_t group, void *memory, const void *sum, void *made, void *room) {
    const cheq_floats_job *job = of;
    (void)room;
    const cheq_floats_counts counts = cheq_floats_counts_in(memory, job->n, job->tables);
    cheq_curve *curve = made;
    cheq_knot *knots = (cheq_knot *)((char *)made + cheq_lines(sizeof(cheq_curve)));
    double *cdf = (double *)(knots + job->n);
    const double *points = job->distribution(sum ? sum : counts.hist, counts.bins, cdf, cdf + job->n);
    *curve = cheq_curve_make(points, cdf, counts.bins, knots);
    if (job->cdf) {
        memcpy(job->cdf + group * job->n, cdf, job->n * sizeof(double));
        memcpy(job->points + group * job->n, points, job->n * sizeof(double));
    }
    memset(counts.hist, 0, job->n * sizeof *counts.hist);
}

static inline size_t cheq_floats_made_bytes(size_t n) {
    return cheq_lines(sizeof(cheq_curve)) + n * (sizeof(cheq_knot) + 2 * sizeof(double));
}

/* NaN in a plane without a counted pixel. */
static inline void cheq_floats_interpolate(const cheq_floats_job *job, size_t group, const double *pixels, size_t n,
                                           const cheq_curve *curve, double *to) {
    if (job->values[group].counted) {
        job->kernels->interpolate(pixels, to, n, curve);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        to[i] = NAN;
    }
}

static void cheq_floats_apply(const void *of, size_t group, size_t begin, size_t end, const void *curve,
                              void *of_thread) {
    const cheq_floats_job *job = of;
    cheq_floats_room *room = of_thread;
    const cheq_layout *layout = &job->applied;
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_OUT);
    const int dense = !layout->masked && job->result_bytes == 8 && step == 8;
    cheq_walk walk;
    CHEQ_ASSUME(room != NULL);
    cheq_walk_begin(&walk, layout, group, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        const uint8_t *mask = cheq_mask_of(job->kernels, layout, &walk, 0, n, room->mask);
        const double *pixels = cheq_floats_load(job, layout, &walk, n, room->pixels);
        const int aligned = (uintptr_t)walk.at[CHEQ_OUT] % sizeof(double) == 0; /* rows may be, one and not another */
        const int in_place = dense && aligned;
        double *to = in_place ? (double *)walk.at[CHEQ_OUT] : room->others;
        cheq_floats_interpolate(job, group, pixels, n, curve, to);
        for (size_t i = 0; mask && i < n; i++) {
            const double found = to[i], kept = pixels[i];
            to[i] = mask[i] ? found : kept;
        }
        if (!in_place) {
            cheq_floats_store(job, &walk, step, n, to);
        }
    }
}

static inline cheq_work cheq_floats_work(const cheq_floats_job *job) {
    cheq_work work = {
        .job = job, .groups = job->groups, .pixels = job->pixels, .planes = 1, .cost = 2 * job->n,
        .count = cheq_floats_count, .join = cheq_floats_join, .make = cheq_floats_make,
        .apply = job->applies ? cheq_floats_apply : NULL, .bins = job->n,
        .counts_bytes = cheq_floats_counts_bytes(job->n, job->tables), .sum_bytes = job->n * sizeof(uint64_t),
        .made_bytes = cheq_floats_made_bytes(job->n), .room_bytes = sizeof(cheq_floats_room),
    };
    return work;
}

/* Whether np.histogram could make bins of this plane's range; where that is not plain, this takes making them, in
 * memory for a thread's counts. */
static inline int cheq_floats_have_bins(const cheq_floats_job *job, size_t group, void *memory) {
    const cheq_values *values = &job->values[group];
    const cheq_floats_counts counts = cheq_floats_counts_in(memory, job->n, job->tables);
    if (!values->counted || cheq_bins_plainly_increase(values->smallest, values->largest, job->n, job->bytes == 4)) {
        return 1;
    }
    cheq_floats_bins(job, group, &counts);
    return cheq_bins_increase(counts.bins);
}

#endif
