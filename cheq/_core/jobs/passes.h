/* Count, join, make, apply: the passes over whole groups, and over one group in parts. */
#ifndef CHEQ_PASSES_H
#define CHEQ_PASSES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formulas/base.h"
#include "jobs/arithmetic.h"
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

/* What the threads write: the sum of all, and what each has of its own, a `step` apart. One block
 * of memory: of two, the system would take one back after every call and clear it for the next. */
typedef struct {
    char *block;        /* as it was allocated */
    char *sum, *counts; /* zeros at first */
    char *made, *room;  /* of any content; made is one for all where they share a group */
    size_t counts_step, made_step, room_step;
} cheq_memory;

static inline void cheq_memory_close(cheq_memory *memory) {
    free(memory->block);
}

/* For a team that shares groups, or takes whole ones; 0: there is none. */
static inline int cheq_memory_open(cheq_memory *memory, const cheq_work *work, size_t team, int shares) {
    const size_t made = cheq_lines(work->made_bytes), sum = shares ? cheq_lines(work->sum_bytes) : 0;
    memset(memory, 0, sizeof *memory);
    memory->counts_step = cheq_lines(work->counts_bytes);
    memory->made_step = shares ? 0 : made;
    memory->room_step = cheq_lines(work->room_bytes);
    const size_t zeros = sum + team * memory->counts_step, all_made = shares ? made : team * made;
    memory->block = malloc(zeros + all_made + team * memory->room_step + CHEQ_LINE);
    if (!memory->block) {
        return 0;
    }
    memory->sum = cheq_first_line(memory->block);
    memory->counts = memory->sum + sum;
    memory->made = memory->counts + team * memory->counts_step;
    memory->room = memory->made + all_made;
    memset(memory->sum, 0, zeros);
    return 1;
}

/* ---- whole groups ---------------------------------------------------------- */

static inline void cheq_run_groups(const cheq_work *work, size_t begin, size_t end, const cheq_memory *memory,
                                   size_t thread) {
    void *counts = memory->counts + thread * memory->counts_step, *made = memory->made + thread * memory->made_step;
    void *room = memory->room + thread * memory->room_step;
    const cheq_arithmetic before = cheq_arithmetic_begin();
    if (work->run) {
        work->run(work->job, begin, end, room);
        begin = end;
    }
    for (size_t group = begin; group < end; group++) {
        if (work->count) {
            work->count(work->job, group, 0, work->pixels, counts, room);
            work->make(work->job, group, counts, NULL, made, room);
        }
        if (work->apply) {
            work->apply(work->job, group, 0, work->pixels, made, room);
        }
    }
    cheq_arithmetic_end(before);
}

/* ---- one group in parts ------------------------------------------------------ */

/* Pixels that a thread may count between two joins. */
#define CHEQ_MOST_COUNTED ((size_t)1 << 31)

/* Count, or else apply, part i of n of the pixels [begin, end), cut at multiples of 64 where that
 * matters: no two threads write into one cache line of an aligned result. */
static inline void cheq_run_part(const cheq_work *work, const cheq_memory *memory, int counting, size_t group,
                                 size_t begin, size_t end, int i, int n) {
    const size_t length = end - begin;
    const size_t part = (length / (size_t)n + 64) / 64 * 64; /* at least length / n, rounded up */
    const size_t first = part * (size_t)i < length ? part * (size_t)i : length;
    void *room = memory->room + (size_t)i * memory->room_step;
    const cheq_arithmetic before = cheq_arithmetic_begin();
    end = begin + (first + part < length ? first + part : length);
    begin += first;
    if (begin < end && counting) {
        work->count(work->job, group, begin, end, memory->counts + (size_t)i * memory->counts_step, room);
    } else if (begin < end) {
        work->apply(work->job, group, begin, end, memory->made, room);
    }
    cheq_arithmetic_end(before);
}

static inline void cheq_join_parts(const cheq_work *work, const cheq_memory *memory, int n) {
    const cheq_arithmetic before = cheq_arithmetic_begin();
    for (int i = 0; i < n; i++) {
        work->join(work->bins, memory->counts + (size_t)i * memory->counts_step, memory->sum);
    }
    cheq_arithmetic_end(before);
}

/* Once the group's counts are joined; the sum is ready for the next group. */
static inline void cheq_make_joined(const cheq_work *work, const cheq_memory *memory, size_t group) {
    const cheq_arithmetic before = cheq_arithmetic_begin();
    work->make(work->job, group, memory->counts, memory->sum, memory->made, memory->room);
    memset(memory->sum, 0, work->sum_bytes);
    cheq_arithmetic_end(before);
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
