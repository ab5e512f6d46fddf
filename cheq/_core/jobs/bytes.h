/* One call's work, and the pieces that threads take of it: whole groups of
 * planes, or parts of one group when planes are few and large. */
#ifndef CHEQ_JOB_H
#define CHEQ_JOB_H

#include "jobs/makers.h"
#include "jobs/plane.h"
#include "jobs/work.h"

typedef struct {
    const cheq_kernels *kernels;
    cheq_maker maker;     /* of LUTs */
    int counts;           /* histograms are taken */
    int applies;          /* LUTs are applied */
    int masked;           /* counted's other array is the mask */
    cheq_layout counted;  /* images and mask, in the images' memory order */
    cheq_layout applied;  /* images and result, in the result's memory order */
    int channels;         /* planes in a group */
    size_t groups, pixels; /* pixels: of one plane */
    uint64_t *hist;       /* where histograms are wanted, (planes, 256); else NULL */
    const uint8_t *luts;  /* where LUTs are given: one, or one a plane; else NULL */
    size_t lut_step;      /* 0 or 256 */
} cheq_job;

/* Both layouts must agree on the groups, since they share the histograms. */
static inline void cheq_job_group(cheq_job *job) {
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

static inline const uint8_t *cheq_job_luts(const cheq_job *job, size_t group) {
    return job->luts + group * (size_t)job->channels * job->lut_step;
}

/* Histograms of a group, in the caller's 64 bits. */
static inline void cheq_put_hist(const cheq_hist *hist, int channels, uint64_t *to) {
    for (size_t i = 0; i < (size_t)channels * CHEQ_LEVELS; i++) {
        /* The analyzer forgets what the kernels wrote. NOLINTNEXTLINE(clang-analyzer-core.*) */
        to[i] = ((const uint32_t *)hist)[i];
    }
}

/* Planes that are one dense run can be counted while their neighbours are looked up. */
static inline int cheq_job_is_dense(const cheq_job *job) {
    const cheq_axes *counted = &job->counted.pixels, *applied = &job->applied.pixels;
    return !job->masked && job->channels == 1 && counted->ndim == 1 &&
           applied->ndim == 1 && counted->strides[CHEQ_IMAGES][0] == 1 &&
           applied->strides[CHEQ_IMAGES][0] == 1 && applied->strides[CHEQ_OTHER][0] == 1;
}

/* Equalize dense planes [begin, end): count the next one while looking up this one. */
static void cheq_equalize_dense(const cheq_job *job, size_t begin, size_t end) {
    const cheq_kernels *k = job->kernels;
    uint8_t *at[CHEQ_OPERANDS], *next[CHEQ_OPERANDS];
    uint8_t lut[CHEQ_LEVELS];
    cheq_hist hist = {0};
    cheq_layout_locate(&job->applied, begin, at);
    cheq_ahead ahead = {at[CHEQ_IMAGES] + job->pixels, NULL};
    k->count(at[CHEQ_IMAGES], job->pixels, hist, ahead);
    for (size_t group = begin + 1; group < end; group++) {
        cheq_layout_locate(&job->applied, group, next);
        cheq_make_lut_of_bytes(&job->maker, hist, lut);
        memset(hist, 0, sizeof hist);
        k->count_apply(next[CHEQ_IMAGES], hist, at[CHEQ_IMAGES], at[CHEQ_OTHER], job->pixels, lut);
        memcpy(at, next, sizeof at);
    }
    cheq_make_lut_of_bytes(&job->maker, hist, lut);
    k->apply(at[CHEQ_IMAGES], at[CHEQ_OTHER], job->pixels, lut);
}

/* Equalize one small group: move its pixels to a stage, count them there, and look
 * them up there too or, if their channels alternate alike, where they came from. */
static void cheq_equalize_staged(const cheq_job *job, size_t group) {
    const cheq_kernels *k = job->kernels;
    const cheq_layout *layout = &job->applied;
    const int alike = cheq_alternate_alike(k, layout);
    const int to_dense = job->channels == 1 && layout->pixels.ndim == 1 && cheq_run_stride(layout, CHEQ_OTHER) == 1;
    uint8_t luts[CHEQ_MAX_CHANNELS][CHEQ_LEVELS];
    cheq_stage stage;
    cheq_ahead ahead = {NULL, NULL};
    cheq_stage_load(k, layout, group, job->pixels, &stage);
    for (int c = 0; c < job->channels; c++) {
        cheq_hist hist = {0};
        uint8_t *at[CHEQ_OPERANDS] = {NULL, stage.pixels[c]};
        k->count(stage.pixels[c], job->pixels, hist, ahead);
        cheq_make_lut_of_bytes(&job->maker, hist, luts[c]);
        if (alike) {
            continue;
        }
        if (to_dense) {
            cheq_layout_locate(layout, group, at);
        }
        k->apply(stage.pixels[c], at[CHEQ_OTHER], job->pixels, luts[c]);
    }
    if (alike) {
        cheq_apply_pixels(k, layout, group, 0, job->pixels, luts[0], CHEQ_LEVELS);
    } else if (!to_dense) {
        cheq_stage_store(k, layout, group, job->pixels, &stage);
    }
}

/* Where a group's result begins, if it is worth fetching while the group is counted:
 * if it still fits L2 beside the images when it is written. */
static inline const uint8_t *cheq_job_result(const cheq_job *job, size_t group) {
    uint8_t *at[CHEQ_OPERANDS];
    if (!job->applies || job->pixels * (size_t)job->channels > 3 << 17) {
        return NULL;
    }
    cheq_layout_locate(&job->applied, group, at);
    return at[CHEQ_OTHER];
}

/* Do all that the job asks of one group. A plane has at most CHEQ_TOTAL32 pixels here. */
static void cheq_run_group(const cheq_job *job, size_t group) {
    const cheq_kernels *k = job->kernels;
    cheq_hist hist[CHEQ_MAX_CHANNELS];
    uint8_t built[CHEQ_MAX_CHANNELS][CHEQ_LEVELS];
    if (job->counts) {
        memset(hist, 0, (size_t)job->channels * sizeof *hist);
        cheq_count_pixels(k, &job->counted, job->masked, group, 0, job->pixels, cheq_job_result(job, group), hist);
    }
    if (job->hist) {
        size_t planes = group * (size_t)job->channels;
        cheq_put_hist((const cheq_hist *)hist, job->channels, job->hist + planes * CHEQ_LEVELS);
    }
    if (job->counts && job->applies) {
        for (int c = 0; c < job->channels; c++) {
            cheq_make_lut_of_bytes(&job->maker, hist[c], built[c]);
        }
        cheq_apply_pixels(k, &job->applied, group, 0, job->pixels, built[0], CHEQ_LEVELS);
    } else if (job->applies) {
        cheq_apply_pixels(k, &job->applied, group, 0, job->pixels, cheq_job_luts(job, group),
                          job->lut_step);
    }
}

static void cheq_run_groups(const void *of, size_t begin, size_t end, void *scratch) {
    const cheq_job *job = of;
    const int equalizes = job->counts && job->applies;
    (void)scratch;
    if (begin < end && equalizes && cheq_job_is_dense(job)) {
        cheq_equalize_dense(job, begin, end);
        return;
    }
    const int staged = equalizes && !job->masked && job->pixels <= CHEQ_BLOCK;
    for (size_t group = begin; group < end; group++) {
        if (staged) {
            cheq_equalize_staged(job, group);
        } else {
            cheq_run_group(job, group);
        }
    }
}

/* ---- one group in parts: counting first, then looking up ------------------- */

typedef struct {
    uint64_t hist[CHEQ_MAX_CHANNELS][CHEQ_LEVELS];
} cheq_job_part;

typedef struct {
    uint8_t luts[CHEQ_MAX_CHANNELS][CHEQ_LEVELS];
} cheq_job_joined;

static void cheq_job_share(const void *of, int phase, size_t group, size_t begin, size_t end, void *own,
                           const void *common) {
    const cheq_job *job = of;
    cheq_job_part *part = own;
    const cheq_job_joined *joined = common;
    cheq_hist hist[CHEQ_MAX_CHANNELS];
    if (phase == 0 && job->counts) {
        memset(hist, 0, sizeof hist);
        cheq_count_pixels(job->kernels, &job->counted, job->masked, group, begin, end, NULL, hist);
        for (int c = 0; c < job->channels; c++) {
            for (int v = 0; v < CHEQ_LEVELS; v++) {
                part->hist[c][v] += hist[c][v];
            }
        }
    } else if (job->luts) {
        cheq_apply_pixels(job->kernels, &job->applied, group, begin, end, cheq_job_luts(job, group), job->lut_step);
    } else {
        cheq_apply_pixels(job->kernels, &job->applied, group, begin, end, joined->luts[0], CHEQ_LEVELS);
    }
}

static void cheq_job_join(const void *of, int phase, size_t group, const void *parts, int n, void *common) {
    const cheq_job *job = of;
    const cheq_job_part *part = parts;
    cheq_job_joined *joined = common;
    if (phase > 0 || !job->counts) {
        return;
    }
    for (int c = 0; c < job->channels; c++) {
        uint64_t sum[CHEQ_LEVELS] = {0};
        for (int i = 0; i < n; i++) {
            for (int v = 0; v < CHEQ_LEVELS; v++) {
                sum[v] += part[i].hist[c][v];
            }
        }
        if (job->hist) {
            memcpy(job->hist + (group * (size_t)job->channels + (size_t)c) * CHEQ_LEVELS, sum, sizeof sum);
        }
        if (job->applies) {
            cheq_make_lut_of_many_bytes(&job->maker, sum, joined->luts[c]);
        }
    }
}

/* A plane's fixed cost (clearing and summing the sub-histograms, the LUT, the lookup of
 * its place) in pixels, for cutting work into pieces of about equal time: some 200 ns. */
#define CHEQ_PLANE_COST 512

static inline cheq_work cheq_job_work(const cheq_job *job) {
    cheq_work work = {
        .job = job, .groups = job->groups, .pixels = job->pixels, .planes = (size_t)job->channels,
        .cost = CHEQ_PLANE_COST, .run = cheq_run_groups, .phases = job->counts + job->applies, .writes = job->counts,
        .share = cheq_job_share, .join = cheq_job_join, .part_bytes = sizeof(cheq_job_part),
        .joined_bytes = sizeof(cheq_job_joined),
    };
    return work;
}

#endif
