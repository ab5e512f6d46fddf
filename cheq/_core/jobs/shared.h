/* A plane of adapt.h that is large, or one of few: threads work on it together, one step after the other. */
#ifndef CHEQ_SHARED_H
#define CHEQ_SHARED_H

#include "jobs/adapt.h"

/* Pixels that a thread takes at a time where it shares a plane with others. */
#define CHEQ_SHARE (1 << 16)

/* Bytes up to which the LUTs of all layers are kept: the fewer steps, the less threads wait for each other. */
#define CHEQ_SHARED_LUTS (1 << 21)

typedef enum { CHEQ_LOAD, CHEQ_BIN, CHEQ_MAKE, CHEQ_INTERPOLATE, CHEQ_STORE } cheq_step;

/* A plane that threads work on together, a step after the other. */
typedef struct {
    const cheq_adapt_job *job;
    void *memory;
    size_t group;
    cheq_adapt_plane plane;
    cheq_step step;
    size_t first;        /* the layer that is made first */
    size_t begin, end;   /* the pixels of the step */
    cheq_extent levels, grays;
    cheq_extent *pieces; /* of each piece of CHEQ_SHARE pixels */
} cheq_adapt_shared;

static void cheq_shared_piece(const cheq_adapt_shared *shared, size_t piece, const cheq_adapt_room *room) {
    const cheq_adapt_job *job = shared->job;
    const size_t begin = shared->begin + piece * CHEQ_SHARE, end = cheq_min(begin + CHEQ_SHARE, shared->end);
    switch (shared->step) {
    case CHEQ_LOAD:
        shared->pieces[piece] = cheq_adapt_load(job, shared->group, begin, end, shared->plane.pixels);
        break;
    case CHEQ_BIN:
        cheq_adapt_bin(job, shared->levels, &shared->plane, begin, end);
        break;
    case CHEQ_MAKE:
        cheq_adapt_make(job, &shared->plane, shared->first + piece / job->layer, piece % job->layer, room);
        break;
    default:
        shared->pieces[piece] = cheq_adapt_interpolate(job, &shared->plane, begin, end, room);
    }
}

static void cheq_shared_run(const void *of, size_t begin, size_t end, void *memory) {
    const cheq_adapt_shared *shared = of;
    cheq_adapt_room room;
    cheq_adapt_room_in(shared->job, memory, &room);
    for (size_t piece = begin; piece < end; piece++) {
        cheq_shared_piece(shared, piece, &room);
    }
}

static void cheq_shared_store(const void *of, size_t group, size_t begin, size_t end, const void *made, void *room) {
    const cheq_adapt_shared *shared = of;
    (void)group, (void)made, (void)room;
    cheq_adapt_store(shared->job, shared->group, begin, end, shared->plane.pixels, shared->plane.table);
}

/* The first of the layers that are made together with the one before `end`, the last, so that all are there between
 * which pixels are interpolated then. */
static inline size_t cheq_shared_first(const cheq_adapt_shared *shared, size_t end) {
    return end > shared->plane.layers - 1 ? end - (shared->plane.layers - 1) : 0;
}

/* The work of a step: to make the layers [first, end), and then to interpolate what lies up to the layer `end` and from
 * the layer `first` on, or, if that is 0, from the beginning; over all pixels in the other steps. */
static inline cheq_work cheq_shared_work(cheq_adapt_shared *shared, cheq_step step, size_t first, size_t end) {
    const cheq_adapt_job *job = shared->job;
    cheq_adapt_room room;
    cheq_work work = {.job = shared, .groups = 1, .pixels = job->pixels, .planes = 1, .cost = CHEQ_ADAPT_COST};
    shared->step = step;
    shared->first = first;
    shared->begin = 0;
    shared->end = job->pixels;
    if (step == CHEQ_STORE) {
        work.apply = cheq_shared_store;
        return work;
    }
    if (step == CHEQ_INTERPOLATE) {
        cheq_adapt_band(job, first > 0 ? first + 1 : 0, end, &shared->begin, &shared->end);
    }
    work.run = cheq_shared_run;
    work.room_bytes = cheq_adapt_room_in(job, NULL, &room);
    if (step == CHEQ_MAKE) {
        work.groups = (end - first) * job->layer;
        work.pixels = cheq_min((size_t)job->tile_pixels, job->pixels);
        work.cost = job->nbins / CHEQ_BINS_A_COST;
    } else {
        work.groups = (shared->end - shared->begin + CHEQ_SHARE - 1) / CHEQ_SHARE;
        work.pixels = CHEQ_SHARE;
    }
    return work;
}

static inline cheq_extent cheq_shared_extent(const cheq_adapt_shared *shared) {
    const size_t pieces = (shared->end - shared->begin + CHEQ_SHARE - 1) / CHEQ_SHARE;
    cheq_extent extent = cheq_no_extent;
    for (size_t i = 0; i < pieces; i++) {
        cheq_extend(&extent, shared->pieces[i]);
    }
    return extent;
}

/* After all levels are loaded. */
static inline void cheq_shared_loaded(cheq_adapt_shared *shared) {
    const cheq_arithmetic before = cheq_arithmetic_begin();
    shared->levels = cheq_shared_extent(shared);
    shared->grays = cheq_no_extent;
    cheq_adapt_know_levels(shared->job, shared->levels, &shared->plane);
    cheq_arithmetic_end(before);
}

/* After some pixels are interpolated; and after the last ones. */
static inline void cheq_shared_interpolated(cheq_adapt_shared *shared) {
    cheq_extend(&shared->grays, cheq_shared_extent(shared));
}

static inline void cheq_shared_finished(cheq_adapt_shared *shared) {
    const cheq_arithmetic before = cheq_arithmetic_begin();
    cheq_adapt_know_grays(shared->job, shared->grays, &shared->plane);
    cheq_arithmetic_end(before);
}

/* Memory for a plane; 0: there is none. */
static inline int cheq_shared_open(cheq_adapt_shared *shared, const cheq_adapt_job *job) {
    const size_t pieces = (job->pixels + CHEQ_SHARE - 1) / CHEQ_SHARE;
    const size_t most = CHEQ_SHARED_LUTS / (job->layer * job->bins * sizeof *shared->plane.luts);
    const size_t layers = cheq_min(most > 2 ? most : 2, job->axis[0].tiles + 1);
    const size_t bytes = cheq_adapt_plane_in(job, layers, NULL, &shared->plane);
    shared->job = job;
    shared->memory = malloc(bytes + pieces * sizeof *shared->pieces + CHEQ_LINE);
    if (!shared->memory) {
        return 0;
    }
    char *memory = cheq_first_line(shared->memory);
    cheq_adapt_plane_in(job, layers, memory, &shared->plane);
    shared->pieces = (cheq_extent *)(memory + bytes);
    return 1;
}

#endif
