/* What a call's job tells the parallel loop (work.pyx): the steps that are taken of every
 * group of planes. Threads take whole groups by turns or, when groups are few and large,
 * parts of one group. */
#ifndef CHEQ_WORK_H
#define CHEQ_WORK_H

#include <stddef.h>

typedef struct {
    const void *job;
    size_t groups;
    size_t pixels; /* of a plane, the axis along which a group is cut into parts */
    size_t planes; /* in a group */
    size_t cost;   /* of a plane beside its pixels, counted in pixels */

    /* A thread's own room, `room`, has any content at first and from step to step.
     *
     * Add the pixels [begin, end) of a group to a thread's counts, which are all zeros at first:
     * fewer than 2^32 before the counts are joined or made something of. NULL: nothing is counted. */
    void (*count)(const void *job, size_t group, size_t begin, size_t end, void *counts, void *room);
    /* Add the counts of one thread to the sum of all, zeros at first, and leave zeros in the counts. */
    void (*join)(size_t bins, void *counts, void *sum);
    /* Make what is applied, and write the results that are no pixels: of the counts, which are
     * left zeros, or of the sum unless it is NULL; the counts are then what join has left. */
    void (*make)(const void *job, size_t group, void *counts, const void *sum, void *made, void *room);
    /* Write the pixels [begin, end) of a group's result. NULL: none is wanted. */
    void (*apply)(const void *job, size_t group, size_t begin, size_t end, const void *made, void *room);
    size_t bins, counts_bytes, sum_bytes, made_bytes, room_bytes;

    /* The whole groups [begin, end) in a quicker way than step by step, or NULL. With neither count nor apply, this
     * is the only way. */
    void (*run)(const void *job, size_t begin, size_t end, void *room);
} cheq_work;

#endif
