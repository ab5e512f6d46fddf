/* Count, join, make, apply: the passes over whole groups, and over one group in parts. */
#ifndef CHEQ_PASSES_H
#define CHEQ_PASSES_H

#include <stdint.h>
#include <string.h>

#include "jobs/work.h"

/* Memory is cut at cache lines: sums of histograms whose registers cross them take 4% more of a
 * call's time, and threads do not write into each other's. */
#define CHEQ_LINE 64

static inline size_t cheq_lines(size_t bytes) {
    return (bytes + CHEQ_LINE - 1) / CHEQ_LINE * CHEQ_LINE;
}

static inline char *cheq_first_line(char *memory) {
    return memory + (CHEQ_LINE - (uintptr_t)memory % CHEQ_LINE) % CHEQ_LINE;
}

/* ---- whole groups ---------------------------------------------------------- */

/* What a thread needs, all zeros at first, and left so where it has to be. */
static inline size_t cheq_scratch_bytes(const cheq_work *work) {
    return work->run ? 0 : cheq_lines(work->counts_bytes) + cheq_lines(work->made_bytes);
}

static inline void cheq_run_groups(const cheq_work *work, size_t begin, size_t end, char *scratch) {
    void *counts = scratch, *made = scratch + cheq_lines(work->counts_bytes);
    if (work->run) {
        work->run(work->job, begin, end);
        return;
    }
    for (size_t group = begin; group < end; group++) {
        if (work->count) {
            work->count(work->job, group, 0, work->pixels, counts);
            work->make(work->job, group, counts, NULL, made);
        }
        if (work->apply) {
            work->apply(work->job, group, 0, work->pixels, made);
        }
    }
}

/* ---- one group in parts ------------------------------------------------------ */

/* Pixels that a thread may count between two joins. */
#define CHEQ_MOST_COUNTED ((size_t)1 << 31)

/* The group's sum, what is made of it, and each thread's counts. */
typedef struct {
    char *sum, *made, *counts;
    size_t step;
} cheq_parts;

static inline size_t cheq_parts_bytes(const cheq_work *work, int team) {
    return cheq_lines(work->sum_bytes) + cheq_lines(work->made_bytes) + (size_t)team * cheq_lines(work->counts_bytes);
}

/* In memory that is all zeros. */
static inline cheq_parts cheq_parts_in(const cheq_work *work, char *memory) {
    char *made = memory + cheq_lines(work->sum_bytes);
    cheq_parts parts = {memory, made, made + cheq_lines(work->made_bytes), cheq_lines(work->counts_bytes)};
    return parts;
}

/* Count, or else apply, part i of n of the pixels [begin, end), cut at multiples of 64 where that
 * matters: no two threads write into one cache line of an aligned result. */
static inline void cheq_run_part(const cheq_work *work, const cheq_parts *parts, int counting, size_t group,
                                 size_t begin, size_t end, int i, int n) {
    const size_t length = end - begin;
    const size_t part = (length / (size_t)n + 64) / 64 * 64; /* at least length / n, rounded up */
    const size_t first = part * (size_t)i < length ? part * (size_t)i : length;
    end = begin + (first + part < length ? first + part : length);
    begin += first;
    if (begin < end && counting) {
        work->count(work->job, group, begin, end, parts->counts + (size_t)i * parts->step);
    } else if (begin < end) {
        work->apply(work->job, group, begin, end, parts->made);
    }
}

static inline void cheq_join_parts(const cheq_work *work, const cheq_parts *parts, int n) {
    for (int i = 0; i < n; i++) {
        work->join(work->bins, parts->counts + (size_t)i * parts->step, parts->sum);
    }
}

/* Once the group's counts are joined; the sum is ready for the next group. */
static inline void cheq_make_joined(const cheq_work *work, const cheq_parts *parts, size_t group) {
    work->make(work->job, group, parts->counts, parts->sum, parts->made);
    memset(parts->sum, 0, work->sum_bytes);
}

/* join, where counts begin with bins of 32 bits and the sum is the same in 64. */
static inline void cheq_join_bins(size_t bins, void *counts, void *sum) {
    uint32_t *from = counts;
    uint64_t *to = sum;
    for (size_t i = 0; i < bins; i++) {
        to[i] += from[i];
        from[i] = 0;
    }
}

/* A histogram of 64 bits or, if that is NULL, of 32, to where it is wanted. */
static inline void cheq_put_hist(const uint32_t *hist32, const uint64_t *hist64, size_t bins, uint64_t *to) {
    if (hist64) {
        memcpy(to, hist64, bins * sizeof *to);
        return;
    }
    for (size_t i = 0; i < bins; i++) {
        to[i] = hist32[i];
    }
}

#endif
