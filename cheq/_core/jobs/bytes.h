/* Planes of bytes to planes of bytes: their histograms, their LUTs, and these looked up. */
#ifndef CHEQ_BYTES_H
#define CHEQ_BYTES_H

#include "jobs/makers.h"
#include "jobs/plane.h"
#include "jobs/passes.h"

typedef struct {
    const cheq_kernels *kernels;
    cheq_maker maker;     /* of LUTs; nothing is made by one without a formula */
    int counts;           /* histograms are taken */
    int applies;          /* LUTs are applied */
    cheq_layout counted;  /* images and mask, in the images' memory order */
    cheq_layout applied;  /* images and result, in the result's; and the mask, if what is outside it is kept */
    int channels;         /* planes in a group */
    size_t groups, pixels; /* pixels: of one plane */
    uint64_t *hist;       /* where histograms are wanted, (planes, 256); else NULL */
    const uint8_t *luts;  /* where LUTs are given: one, or one a plane; else NULL */
    size_t lut_step;      /* 0 or 256 */
} cheq_bytes_job;

/* Both layouts must agree on the groups, since they share the histograms. */
static inline void cheq_bytes_group(cheq_bytes_job *job) {
    job->channels = cheq_layout_channels(job->applies ? &job->applied : &job->counted);
    if (job->counts) {
        cheq_layout_group(&job->counted, job->channels);
    }
    if (job->applies) {
        cheq_layout_group(&job->applied, job->channels);
    }
    const cheq_layout *layout = job->applies ? &job->applied : &job->counted;
    job->groups = cheq_axes_size(&layout->batch);
    job->pixels = cheq_axes_size(&layout->pixels);
}

/* Planes that are one dense run can be counted while their neighbors are looked up. */
static inline int cheq_bytes_are_dense(const cheq_bytes_job *job) {
    const cheq_axes *counted = &job->counted.pixels, *applied = &job->applied.pixels;
    return job->channels == 1 && counted->ndim == 1 &&
           applied->ndim == 1 && counted->strides[CHEQ_IMAGES][0] == 1 &&
           applied->strides[CHEQ_IMAGES][0] == 1 && applied->strides[CHEQ_OUT][0] == 1;
}

/* Equalize one plane that is a dense run in both arrays; room: of the kernels. */
static inline void cheq_equalize_plane(const cheq_kernels *k, const cheq_maker *maker, const uint8_t *images,
                                       uint8_t *out, size_t pixels, void *room) {
    const cheq_ahead ahead = {NULL, NULL};
    const cheq_arithmetic before = cheq_arithmetic_begin();
    uint8_t lut[CHEQ_LEVELS];
    cheq_hist hist = {0};
    k->count(images, pixels, hist, ahead, room);
    cheq_make_lut_of_bytes(maker, 0, hist, lut, room);
    k->apply(images, out, pixels, lut);
    cheq_arithmetic_end(before);
}

/* Equalize dense planes [begin, end): count the next one while looking up this one. */
static void cheq_equalize_dense(const cheq_bytes_job *job, size_t begin, size_t end, void *room) {
    const cheq_kernels *k = job->kernels;
    uint8_t *at[CHEQ_OPERANDS], *next[CHEQ_OPERANDS];
    uint8_t lut[CHEQ_LEVELS];
    cheq_hist hist = {0};
    cheq_layout_locate(&job->applied, begin, at);
    cheq_ahead ahead = {at[CHEQ_IMAGES] + job->pixels, NULL};
    k->count(at[CHEQ_IMAGES], job->pixels, hist, ahead, room);
    for (size_t group = begin + 1; group < end; group++) {
        cheq_layout_locate(&job->applied, group, next);
        cheq_make_lut_of_bytes(&job->maker, group - 1, hist, lut, room);
        memset(hist, 0, sizeof hist);
        k->count_apply(next[CHEQ_IMAGES], hist, at[CHEQ_IMAGES], at[CHEQ_OUT], job->pixels, lut, room);
        memcpy(at, next, sizeof at);
    }
    cheq_make_lut_of_bytes(&job->maker, end - 1, hist, lut, room);
    k->apply(at[CHEQ_IMAGES], at[CHEQ_OUT], job->pixels, lut);
}

/* Equalize one small group: move its pixels to a stage, count them there, and look
 * them up there too or, if their channels alternate alike, where they came from. */
static void cheq_equalize_staged(const cheq_bytes_job *job, size_t group, cheq_room *room) {
    const cheq_kernels *k = job->kernels;
    const cheq_layout *layout = &job->applied;
    const int alike = cheq_alternate_alike(k, layout);
    const int to_dense = job->channels == 1 && layout->pixels.ndim == 1 && cheq_run_stride(layout, CHEQ_OUT) == 1;
    uint8_t luts[CHEQ_MAX_CHANNELS][CHEQ_LEVELS];
    cheq_ahead ahead = {NULL, NULL};
    cheq_stage_load(k, layout, group, job->pixels, room);
    for (int c = 0; c < job->channels; c++) {
        cheq_hist hist = {0};
        uint8_t *staged = room->pending[c].pixels, *at[CHEQ_OPERANDS] = {NULL, staged};
        k->count(staged, job->pixels, hist, ahead, room->tables);
        cheq_make_lut_of_bytes(&job->maker, group * (size_t)job->channels + (size_t)c, hist, luts[c], room->tables);
        if (alike) {
            continue;
        }
        if (to_dense) {
            cheq_layout_locate(layout, group, at);
        }
        k->apply(staged, at[CHEQ_OUT], job->pixels, luts[c]);
    }
    if (alike) {
        cheq_apply_pixels(k, layout, group, 0, job->pixels, luts[0], CHEQ_LEVELS, room);
    } else if (!to_dense) {
        cheq_stage_store(k, layout, group, job->pixels, room);
    }
}

static void cheq_run_dense(const void *of, size_t begin, size_t end, void *room) {
    if (begin < end) {
        cheq_equalize_dense(of, begin, end, room);
    }
}

static void cheq_run_staged(const void *of, size_t begin, size_t end, void *room) {
    for (size_t group = begin; group < end; group++) {
        cheq_equalize_staged(of, group, room);
    }
}

/* ---- other groups, step by step --------------------------------------------- */

/* Where a group's result begins, if it is worth fetching while the group is counted:
 * if it still fits L2 beside the images when it is written. */
static inline const uint8_t *cheq_bytes_result(const cheq_bytes_job *job, size_t group) {
    uint8_t *at[CHEQ_OPERANDS];
    if (!job->applies || job->pixels * (size_t)job->channels > 3 << 17) {
        return NULL;
    }
    cheq_layout_locate(&job->applied, group, at);
    return at[CHEQ_OUT];
}

static void cheq_bytes_count(const void *of, size_t group, size_t begin, size_t end, void *counts, void *room) {
    const cheq_bytes_job *job = of;
    const uint8_t *result = end - begin == job->pixels ? cheq_bytes_result(job, group) : NULL;
    cheq_count_pixels(job->kernels, &job->counted, group, begin, end, result, counts, room);
}

/* Of one plane, whose histogram is hist64 or, if that is NULL, hist32, which is left zeros. */
static inline void cheq_bytes_make_plane(const cheq_bytes_job *job, size_t plane, cheq_hist hist32,
                                         const uint64_t *hist64, uint8_t lut[CHEQ_LEVELS], cheq_room *room) {
    const cheq_entries entries = {lut, 1, CHEQ_LEVELS, 0, room->tables};
    if (job->hist) {
        cheq_put_hist(hist32, hist64, CHEQ_LEVELS, job->hist + plane * CHEQ_LEVELS);
    }
    if (job->maker.make && hist64) {
        cheq_make_lut_of_hist(&job->maker, plane, hist64, &entries);
    } else if (job->maker.make) {
        cheq_make_lut_of_bytes(&job->maker, plane, hist32, lut, room->tables);
    }
    if (!hist64) {
        memset(hist32, 0, sizeof(cheq_hist));
    }
}

static void cheq_bytes_make(const void *of, size_t group, void *counts, const void *sum, void *made, void *room) {
    const cheq_bytes_job *job = of;
    const size_t channels = (size_t)job->channels;
    cheq_hist *hist32 = counts;
    uint8_t *luts = made;
    for (size_t c = 0; c < channels; c++) {
        const uint64_t *hist64 = sum ? (const uint64_t *)sum + c * CHEQ_LEVELS : NULL;
        cheq_bytes_make_plane(job, group * channels + c, hist32[c], hist64, luts + c * CHEQ_LEVELS, room);
    }
}

static void cheq_bytes_apply(const void *of, size_t group, size_t begin, size_t end, const void *made,
                             void *room) {
    const cheq_bytes_job *job = of;
    const uint8_t *luts = job->luts ? job->luts + group * (size_t)job->channels * job->lut_step : made;
    cheq_apply_pixels(job->kernels, &job->applied, group, begin, end, luts, job->luts ? job->lut_step : CHEQ_LEVELS,
                      room);
}

/* A plane's fixed cost (clearing and summing the sub-histograms, the LUT, the lookup of
 * its place) in pixels, for cutting work into pieces of about equal time: some 200 ns. */
#define CHEQ_PLANE_COST 512

static inline cheq_work cheq_bytes_work(const cheq_bytes_job *job) {
    const size_t channels = (size_t)job->channels;
    cheq_work work = {
        .job = job, .groups = job->groups, .pixels = job->pixels, .planes = channels, .cost = CHEQ_PLANE_COST,
        .count = job->counts ? cheq_bytes_count : NULL, .join = cheq_join_bins, .make = cheq_bytes_make,
        .apply = job->applies ? cheq_bytes_apply : NULL, .bins = channels * CHEQ_LEVELS,
        .counts_bytes = channels * sizeof(cheq_hist), .sum_bytes = channels * CHEQ_LEVELS * sizeof(uint64_t),
        .made_bytes = channels * CHEQ_LEVELS, .room_bytes = cheq_room_bytes(channels),
    };
    if (job->counts && job->applies && !job->counted.masked) {
        work.run = cheq_bytes_are_dense(job) ? cheq_run_dense : job->pixels <= CHEQ_BLOCK ? cheq_run_staged : NULL;
    }
    if (work.run == cheq_run_dense) {
        work.room_bytes = CHEQ_ROOM;
    }
    return work;
}

#endif
