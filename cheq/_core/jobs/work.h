/* What a call's job tells the parallel loop (work.pyx): whole groups of planes that
 * threads take by turns or, when groups are few and large, parts of one group. */
#ifndef CHEQ_WORK_H
#define CHEQ_WORK_H

#include <stddef.h>

typedef struct {
    const void *job;
    size_t groups;
    size_t pixels; /* of a plane, the axis along which a group is cut into parts */
    size_t planes; /* in a group */
    size_t cost;   /* of a plane beside its pixels, counted in pixels */

    /* Do all that the job asks of the groups [begin, end). scratch: this thread's
     * own memory, all zeros at first and left so. */
    void (*run)(const void *job, size_t begin, size_t end, void *scratch);
    size_t scratch_bytes;

    /* One group in parts: in every phase threads share the pixels, each part with
     * memory of its own, all zeros before the first phase; then one joins the parts
     * into what all of them read in the next. From phase `writes` on, results are
     * written and a group is finished before an interrupt is answered. */
    int phases, writes;
    void (*share)(const void *job, int phase, size_t group, size_t begin, size_t end, void *part, const void *joined);
    void (*join)(const void *job, int phase, size_t group, const void *parts, int n, void *joined);
    size_t part_bytes, joined_bytes;
} cheq_work;

/* Part i of n of the pixels [begin, end), cut at multiples of 64 where that
 * matters: no two threads write into one cache line of an aligned result. */
static inline void cheq_part(size_t *begin, size_t *end, int i, int n) {
    size_t length = *end - *begin;
    size_t part = (length / (size_t)n + 64) / 64 * 64; /* at least length / n, rounded up */
    size_t first = part * (size_t)i < length ? part * (size_t)i : length;
    *end = *begin + (first + part < length ? first + part : length);
    *begin += first;
}

#endif
