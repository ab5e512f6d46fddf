/* Planes of floats that get the histograms of others: sorted, so that each value knows its share of the pixels. */
#ifndef CHEQ_JOB_MATCH_H
#define CHEQ_JOB_MATCH_H

#include <math.h>

#include "formulas/match.h"
#include "jobs/passes.h"
#include "jobs/plane.h"
#include "jobs/sort.h"

typedef struct {
    int bytes;             /* of a pixel, and of a result: 4 or 8 */
    int keeps;             /* what is outside the mask */
    cheq_layout layout;    /* of the images, the mask and the result */
    size_t groups, pixels;
    cheq_matching matching; /* what planes are to be like; or, of references, the other two */
    cheq_knot *knots;      /* for each plane one more than it has pixels */
    int64_t (*rows)[2];
} cheq_match_job;

/* ---- a thread's memory ------------------------------------------------------ */

typedef struct {
    cheq_key *keys;        /* of all pixels, and then what they become, bit by bit */
    cheq_ranked *ranked;   /* those that are numbers */
    cheq_ranked *spare;
    uint8_t *counted;      /* where there is a mask */
    cheq_digit_counts *digits;
} cheq_match_room;

static inline size_t cheq_match_column(const cheq_match_job *job) {
    return cheq_lines(job->pixels * sizeof(cheq_key));
}

static inline size_t cheq_match_room_bytes(const cheq_match_job *job) {
    const size_t digits = cheq_lines(sizeof(cheq_digit_counts));
    return digits + 3 * cheq_match_column(job) + (job->layout.masked ? job->pixels : 0);
}

static inline cheq_match_room cheq_match_room_in(const cheq_match_job *job, char *memory) {
    const size_t column = cheq_match_column(job);
    char *columns = memory + cheq_lines(sizeof(cheq_digit_counts));
    const cheq_match_room room = {
        .digits = (cheq_digit_counts *)memory, .keys = (cheq_key *)columns,
        .ranked = (cheq_ranked *)(columns + column), .spare = (cheq_ranked *)(columns + 2 * column),
        .counted = (uint8_t *)(columns + 3 * column),
    };
    return room;
}

/* ---- load and sort ------------------------------------------------------------ */

/* A plane in the room: how many of its pixels are ranked, and how many are counted. */
typedef struct {
    size_t ranked, counted;
} cheq_match_plane;

/* The key of a value in memory; returns whether that is a number. */
static inline int cheq_read_key(const uint8_t *at, int bytes, cheq_key *key) {
    float single;
    double value;
    if (bytes == 4) {
        memcpy(&single, at, 4);
        *key = cheq_key_of_float(single);
        return single == single;
    }
    memcpy(&value, at, 8);
    *key = cheq_key_of_double(value);
    return value == value;
}

/* The bits of what a pixel becomes, of the value's size. */
static inline cheq_key cheq_match_bits(double value, int bytes) {
    const float single = (float)value;
    uint32_t bits32;
    cheq_key bits = 0;
    if (bytes == 4) {
        memcpy(&bits32, &single, 4);
        return bits32;
    }
    memcpy(&bits, &value, 8);
    return bits;
}

/* Bring a plane's pixels to the room, and rank those that are numbers; `all`: or else only the counted ones. */
CHEQ_BODY cheq_match_plane cheq_match_load(const cheq_match_job *job, size_t group, int bytes, int all,
                                           const cheq_match_room *room) {
    const cheq_layout *layout = &job->layout;
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_IMAGES), mask_step = cheq_run_stride(layout, CHEQ_MASK);
    cheq_key smallest = UINT64_MAX, largest = 0;
    cheq_match_plane plane = {0, 0};
    size_t place = 0;
    cheq_walk walk;
    cheq_walk_begin(&walk, layout, group, 0, job->pixels);
    for (size_t n; (n = cheq_walk_next(&walk, SIZE_MAX)) > 0;) {
        const uint8_t *at = walk.at[CHEQ_IMAGES], *mask = walk.at[CHEQ_MASK];
        for (size_t i = 0; i < n; i++, place++, at += step) {
            cheq_key key;
            const int is_number = cheq_read_key(at, bytes, &key);
            int counted = is_number;
            if (layout->masked) {
                counted = is_number && mask[(ptrdiff_t)i * mask_step] != 0;
                room->counted[place] = (uint8_t)counted;
            }
            const int ranked = all ? is_number : counted;
            plane.counted += (size_t)counted;
            room->keys[place] = key;
            room->ranked[plane.ranked] = place;
            plane.ranked += (size_t)ranked;
            smallest = ranked && key < smallest ? key : smallest;
            largest = ranked && key > largest ? key : largest;
        }
    }
    cheq_sort(room->keys, smallest, largest, room->ranked, room->spare, plane.ranked, *room->digits);
    return plane;
}

/* Zeros of both signs are one value. */
CHEQ_BODY int cheq_are_equal(cheq_key first, cheq_key next, int bytes) {
    const cheq_key zero = (cheq_key)1 << (bytes * 8 - 1);
    return first == next || (first == zero - 1 && next == zero);
}

/* Behind the pixels that are equal to the one that is ranked first from `begin` on. */
CHEQ_BODY size_t cheq_match_equals(const cheq_match_room *room, size_t begin, size_t ranked, int bytes) {
    const cheq_key first = room->keys[(uint32_t)room->ranked[begin]];
    size_t end = begin + 1;
    while (end < ranked && cheq_are_equal(first, room->keys[(uint32_t)room->ranked[end]], bytes)) {
        end++;
    }
    return end;
}

/* ---- references ------------------------------------------------------------------ */

CHEQ_BODY void cheq_learn_reference(const cheq_match_job *job, size_t group, int bytes, const cheq_match_room *room) {
    const cheq_match_plane plane = cheq_match_load(job, group, bytes, 0, room);
    const size_t first = group * (job->pixels + 1);
    cheq_knot *knots = job->knots + first;
    size_t n = 0;
    for (size_t begin = 0, end; begin < plane.ranked; begin = end) {
        const cheq_key key = room->keys[(uint32_t)room->ranked[begin]];
        end = cheq_match_equals(room, begin, plane.ranked, bytes);
        const double value = bytes == 4 ? (double)cheq_float_of_key(key) : cheq_double_of_key(key);
        knots[n++] = (cheq_knot){(double)end / (double)plane.ranked, value, 0.0, 0.0};
    }
    job->rows[group][0] = (int64_t)first;
    job->rows[group][1] = (int64_t)cheq_knots_join(knots, n);
}

static void cheq_references_run(const void *of, size_t begin, size_t end, void *memory) {
    const cheq_match_job *job = of;
    const cheq_match_room room = cheq_match_room_in(job, memory);
    for (size_t group = begin; group < end; group++) {
        if (job->bytes == 4) {
            cheq_learn_reference(job, group, 4, &room);
        } else {
            cheq_learn_reference(job, group, 8, &room);
        }
    }
}

/* ---- images ------------------------------------------------------------------------ */

/* Replace the keys by what the pixels become. Pixels that are not counted become what the largest counted value at or
 * below theirs becomes, or the reference's lowest; NaN stays. */
CHEQ_BODY void cheq_match_ranked(const cheq_match_job *job, size_t group, int bytes, cheq_match_plane plane,
                                 const cheq_match_room *room) {
    const cheq_target target = cheq_target_of(&job->matching, group);
    const cheq_knot *j = target.knots;
    const double total = (double)plane.counted;
    size_t running = 0;
    for (size_t begin = 0, end; begin < plane.ranked; begin = end) {
        end = cheq_match_equals(room, begin, plane.ranked, bytes);
        for (size_t i = begin; i < end && job->layout.masked; i++) {
            running += room->counted[(uint32_t)room->ranked[i]];
        }
        running = job->layout.masked ? running : end;
        const cheq_key bits = cheq_match_bits(cheq_match_at((double)running / total, &target, &j), bytes);
        for (size_t i = begin; i < end; i++) {
            room->keys[(uint32_t)room->ranked[i]] = bits;
        }
    }
}

CHEQ_BODY void cheq_match_store(const cheq_match_job *job, size_t group, int bytes, int unknown,
                                const cheq_match_room *room) {
    const cheq_layout *layout = &job->layout;
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_IMAGES), out_step = cheq_run_stride(layout, CHEQ_OUT);
    const cheq_key nan = cheq_match_bits(NAN, bytes);
    size_t place = 0;
    cheq_walk walk;
    cheq_walk_begin(&walk, layout, group, 0, job->pixels);
    for (size_t n; (n = cheq_walk_next(&walk, SIZE_MAX)) > 0;) {
        const uint8_t *at = walk.at[CHEQ_IMAGES], *mask = walk.at[CHEQ_MASK];
        const ptrdiff_t mask_step = cheq_run_stride(layout, CHEQ_MASK);
        uint8_t *to = walk.at[CHEQ_OUT];
        for (size_t i = 0; i < n; i++, place++, at += step, to += out_step) {
            cheq_key key;
            const int kept = job->keeps && !mask[(ptrdiff_t)i * mask_step];
            if (kept || (!unknown && !cheq_read_key(at, bytes, &key))) {
                memmove(to, at, (size_t)bytes);
                continue;
            }
            const cheq_key bits = unknown ? nan : room->keys[place];
            const uint32_t bits32 = (uint32_t)bits;
            if (bytes == 4) {
                memcpy(to, &bits32, 4);
            } else {
                memcpy(to, &bits, 8);
            }
        }
    }
}

CHEQ_BODY void cheq_match_plane_of(const cheq_match_job *job, size_t group, int bytes, const cheq_match_room *room) {
    const cheq_match_plane plane = cheq_match_load(job, group, bytes, 1, room);
    const int known = plane.counted > 0 && cheq_target_of(&job->matching, group).n > 0;
    if (known) {
        cheq_match_ranked(job, group, bytes, plane, room);
    }
    cheq_match_store(job, group, bytes, !known, room);
}

static void cheq_match_run(const void *of, size_t begin, size_t end, void *memory) {
    const cheq_match_job *job = of;
    const cheq_match_room room = cheq_match_room_in(job, memory);
    for (size_t group = begin; group < end; group++) {
        if (job->bytes == 4) {
            cheq_match_plane_of(job, group, 4, &room);
        } else {
            cheq_match_plane_of(job, group, 8, &room);
        }
    }
}

/* What a plane costs beside its pixels: digits are counted in some thousand places. */
#define CHEQ_MATCH_COST 1024

/* Of images or, where knots are wanted, of references. */
static inline cheq_work cheq_match_work(const cheq_match_job *job) {
    cheq_work work = {
        .job = job, .groups = job->groups, .pixels = job->pixels, .planes = 1, .cost = CHEQ_MATCH_COST,
        .run = job->knots ? cheq_references_run : cheq_match_run,
        .room_bytes = cheq_match_room_bytes(job),
    };
    return work;
}

#endif
