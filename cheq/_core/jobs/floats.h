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

/* A thread's room, of any content, for floats of either size. */
typedef struct {
    CHEQ_ALIGNED uint8_t pixels[CHEQ_PIECE * sizeof(double)];
    CHEQ_ALIGNED uint8_t others[CHEQ_PIECE * sizeof(double)]; /* those that are counted, or results */
    uint8_t mask[CHEQ_PIECE];
} cheq_floats_room;

CHEQ_BODY void cheq_floats_move(const uint8_t *from, ptrdiff_t step, size_t bytes, size_t n, uint8_t *to, ptrdiff_t to_step) {
    for (size_t i = 0; i < n; i++) {
        memcpy(to + (ptrdiff_t)i * to_step, from + (ptrdiff_t)i * step, bytes);
    }
}

/* The pixels of a piece, dense: as they lie, or in the buffer. */
static inline const uint8_t *cheq_floats_load(const cheq_floats_job *job, const cheq_layout *layout, const cheq_walk *walk,
                                              size_t n, uint8_t *buffer) {
    const uint8_t *from = walk->at[CHEQ_IMAGES];
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_IMAGES);
    if (step == job->bytes) {
        return from;
    }
    if (job->bytes == 4) {
        cheq_floats_move(from, step, 4, n, buffer, 4);
    } else {
        cheq_floats_move(from, step, 8, n, buffer, 8);
    }
    return buffer;
}

/* Results to where they are wanted. */
static inline void cheq_floats_store(const cheq_floats_job *job, const uint8_t *results, size_t n, uint8_t *to,
                                     ptrdiff_t step) {
    if (step == job->result_bytes) {
        memcpy(to, results, n * (size_t)job->result_bytes);
    } else if (job->result_bytes == 4) {
        cheq_floats_move(results, 4, 4, n, to, step);
    } else {
        cheq_floats_move(results, 8, 8, n, to, step);
    }
}

/* Those of n pixels that a mask selects, if there is one, and that are finite, if it is asked: dense at `to`. How many. */
CHEQ_BODY size_t cheq_floats_keep(const uint8_t *from, int bytes, const uint8_t *mask, ptrdiff_t step, int finite, size_t n,
                                  uint8_t *to) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const double value = cheq_float_at(from, bytes, i);
        cheq_put_float(to, bytes, kept, value);
        kept += (!mask || mask[(ptrdiff_t)i * step] != 0) & (!finite || value * 0.0 == 0);
    }
    return kept;
}

/* Of a walk's n pixels, those that are counted, and how many they are. */
static inline const uint8_t *cheq_floats_counted(const cheq_floats_job *job, const cheq_walk *walk, int finite, size_t *n,
                                                 cheq_floats_room *room) {
    const cheq_layout *layout = &job->counted;
    const uint8_t *pixels = cheq_floats_load(job, layout, walk, *n, room->pixels);
    const uint8_t *mask = layout->masked ? walk->at[CHEQ_MASK] : NULL;
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_MASK);
    if (!mask && !finite) {
        return pixels;
    }
    *n = job->bytes == 4 ? cheq_floats_keep(pixels, 4, mask, step, finite, *n, room->others)
                         : cheq_floats_keep(pixels, 8, mask, step, finite, *n, room->others);
    return room->others;
}

/* ---- the first pass: the range of every plane ------------------------------- */

static inline void cheq_values_add(const cheq_floats_job *job, cheq_values *values, const uint8_t *pixels, size_t n) {
    double smallest = values->smallest, largest = values->largest;
    if (job->kernels->bounds(pixels, job->bytes, n, &smallest, &largest)) {
        values->counted |= n > 0;
        values->smallest = smallest;
        values->largest = largest;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const double x = cheq_float_at(pixels, job->bytes, i);
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
        const uint8_t *pixels = cheq_floats_counted(job, &walk, 0, &n, room);
        cheq_values_add(job, &found, pixels, n);
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
    double *edges, *inner; /* n + 1 each */
} cheq_floats_counts;

static inline size_t cheq_floats_counts_bytes(size_t n, size_t tables) {
    const size_t hist = tables * n * sizeof(uint64_t);
    return hist + sizeof(cheq_value_bins) + 2 * (n + 1) * sizeof(double);
}

static inline cheq_floats_counts cheq_floats_counts_in(void *memory, size_t n, size_t tables) {
    uint64_t *hist = memory;
    cheq_value_bins *bins = (cheq_value_bins *)(hist + tables * n);
    double *edges = (double *)(bins + 1);
    cheq_floats_counts counts = {hist, bins, edges, edges + n + 1};
    return counts;
}

static inline void cheq_floats_bins(const cheq_floats_job *job, size_t group, const cheq_floats_counts *counts) {
    const cheq_values *values = &job->values[group];
    const double smallest = values->counted ? values->smallest : 0, largest = values->counted ? values->largest : 1;
    *counts->bins = cheq_bins_make(smallest, largest, job->n, job->bytes == 4, counts->edges, counts->inner);
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
    const int finite = job->values[group].has_nan || job->values[group].has_infinity;
    cheq_walk walk;
    cheq_floats_bins(job, group, &counts);
    cheq_walk_begin(&walk, &job->counted, group, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        const uint8_t *pixels = cheq_floats_counted(job, &walk, finite, &n, room);
        job->kernels->count_floats(pixels, job->bytes, n, counts.bins, counts.hist, job->tables);
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
static inline void cheq_floats_interpolate(const cheq_floats_job *job, size_t group, const uint8_t *pixels, size_t n,
                                           const cheq_curve *curve, uint8_t *to) {
    if (job->values[group].counted) {
        job->kernels->interpolate(pixels, job->bytes, to, job->result_bytes, n, curve);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        cheq_put_float(to, job->result_bytes, i, NAN);
    }
}

/* The bits of a float in a dtype of so many bytes, which the float's own has at most. */
CHEQ_BODY uint64_t cheq_float_bits(const uint8_t *floats, int bytes, size_t i, int as_bytes) {
    uint64_t bits = 0;
    uint32_t bits32;
    if (as_bytes == 4) {
        memcpy(&bits32, floats + i * sizeof bits32, sizeof bits32);
        return bits32;
    }
    const double number = cheq_float_at(floats, bytes, i);
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

CHEQ_BODY void cheq_floats_restore_to(const uint8_t *restrict pixels, int bytes, const uint8_t *restrict mask, size_t n,
                                      uint8_t *restrict to, int to_bytes) {
    for (size_t i = 0; i < n; i++) {
        const uint64_t selected = -(uint64_t)(mask[i] != 0);
        const uint64_t found = cheq_float_bits(to, to_bytes, i, to_bytes), kept = cheq_float_bits(pixels, bytes, i, to_bytes);
        const uint64_t bits = (found & selected) | (kept & ~selected);
        const uint32_t bits32 = (uint32_t)bits;
        if (to_bytes == 4) {
            memcpy(to + i * sizeof bits32, &bits32, sizeof bits32);
        } else {
            memcpy(to + i * sizeof bits, &bits, sizeof bits);
        }
    }
}

/* Where the mask does not select, pixels as they are; without a branch on the mask, which may be noise. */
static inline void cheq_floats_restore(const cheq_floats_job *job, const uint8_t *pixels, const uint8_t *mask, size_t n,
                                       uint8_t *to) {
    if (job->bytes == 8) {
        cheq_floats_restore_to(pixels, 8, mask, n, to, 8);
    } else if (job->result_bytes == 8) {
        cheq_floats_restore_to(pixels, 4, mask, n, to, 8);
    } else {
        cheq_floats_restore_to(pixels, 4, mask, n, to, 4);
    }
}

static void cheq_floats_apply(const void *of, size_t group, size_t begin, size_t end, const void *curve,
                              void *of_thread) {
    const cheq_floats_job *job = of;
    cheq_floats_room *room = of_thread;
    const cheq_layout *layout = &job->applied;
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_OUT);
    const int dense = !layout->masked && step == job->result_bytes;
    cheq_walk walk;
    CHEQ_ASSUME(room != NULL);
    cheq_walk_begin(&walk, layout, group, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        const uint8_t *mask = cheq_mask_of(job->kernels, layout, &walk, 0, n, room->mask);
        const uint8_t *pixels = cheq_floats_load(job, layout, &walk, n, room->pixels);
        uint8_t *to = dense ? walk.at[CHEQ_OUT] : room->others;
        cheq_floats_interpolate(job, group, pixels, n, curve, to);
        if (mask) {
            cheq_floats_restore(job, pixels, mask, n, to);
        }
        if (!dense) {
            cheq_floats_store(job, to, n, walk.at[CHEQ_OUT], step);
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
