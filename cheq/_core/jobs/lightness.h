/* Color images that get another lightness: by a LUT, which equalizes it, or one that is given for each pixel. */
#ifndef CHEQ_JOB_LIGHTNESS_H
#define CHEQ_JOB_LIGHTNESS_H

#include "jobs/colors.h"

/* ---- recolor, bytes ------------------------------------------------------- */

/* Can one pass recolor the pixels, dense and alike in the images and the result? */
static inline int cheq_recolors_dense(const cheq_color_job *job) {
    const cheq_layout *layout = &job->applied;
    const cheq_channels *images = &layout->channel[CHEQ_IMAGES], *out = &layout->channel[CHEQ_OUT];
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_LIGHTNESS); /* 0 without one */
    return cheq_space_is_dense(job) && !layout->masked && cheq_first_color(images) >= 0 &&
           cheq_first_color(images) == cheq_first_color(out) && images->pixel_bytes == layout->channels &&
           out->pixel_bytes == layout->channels && (step == 0 || step == 1);
}

/* Give n pixels of a piece the lightness that the LUT has for theirs or, without one, the given one; those outside the
 * mask, if any, stay. */
static inline void cheq_recolor_piece(const cheq_color_job *job, const cheq_walk *walk, size_t n, const uint8_t *lut,
                                      cheq_room *room) {
    CHEQ_ASSUME(room != NULL);
    const cheq_layout *layout = &job->applied;
    const cheq_kernels *k = job->kernels;
    uint8_t(*const piece)[CHEQ_PIECE] = room->piece, (*const new)[CHEQ_PIECE] = layout->masked ? room->other : piece;
    uint8_t *const to[CHEQ_MAX_CHANNELS] = {new[0], new[1], new[2], new[3]};
    if (layout->masked) {
        memcpy(new, piece, sizeof room->other);
    }
    k->to_space(&job->space, to, n);
    if (lut) {
        k->apply(to[0], to[0], n, lut);
    } else {
        k->gather(walk->at[CHEQ_LIGHTNESS], cheq_run_stride(layout, CHEQ_LIGHTNESS), n, to[0]);
    }
    k->from_space(&job->space, to, n);
    const uint8_t *mask = cheq_mask_of(k, layout, walk, 0, n, room->mask);
    for (int c = 0; c < layout->channels && mask; c++) {
        cheq_put_selected(new[c], mask, n, piece[c]);
    }
}

static void cheq_recolor_bytes(const cheq_color_job *job, size_t image, size_t begin, size_t end, const uint8_t *lut,
                               cheq_room *room) {
    uint8_t *const channel[CHEQ_MAX_CHANNELS] = {room->piece[0], room->piece[1], room->piece[2], room->piece[3]};
    const cheq_layout *layout = &job->applied;
    const cheq_channels *images = &layout->channel[CHEQ_IMAGES], *out = &layout->channel[CHEQ_OUT];
    const int dense = cheq_recolors_dense(job);
    cheq_walk walk;
    cheq_walk_begin(&walk, layout, image, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, dense ? SIZE_MAX : CHEQ_PIECE)) > 0;) {
        if (dense) {
            job->kernels->recolor_dense(&job->space, walk.at[CHEQ_IMAGES] + images->lowest,
                                        walk.at[CHEQ_OUT] + out->lowest, n, layout->channels, cheq_first_color(images),
                                        lut, lut ? NULL : walk.at[CHEQ_LIGHTNESS]);
            continue;
        }
        cheq_load(job->kernels, layout, CHEQ_IMAGES, walk.at[CHEQ_IMAGES], n, channel, room);
        cheq_recolor_piece(job, &walk, n, lut, room);
        cheq_store(job->kernels, layout, CHEQ_OUT, channel, n, walk.at[CHEQ_OUT]);
    }
}

/* ---- recolor, words ------------------------------------------------------- */

/* In a thread's room, where tables lie otherwise. */
typedef struct {
    CHEQ_ALIGNED uint16_t channel[3][CHEQ_PIECE];
    CHEQ_ALIGNED uint16_t lightness[CHEQ_PIECE];
} cheq_words_piece;

static inline void cheq_gather_words16(const uint8_t *from, ptrdiff_t step, size_t n, uint16_t *to) {
    for (size_t i = 0; i < n; i++, from += step) {
        memcpy(&to[i], from, sizeof *to); /* no alignment is asked for */
    }
}

/* Where the mask, if any, selects. */
static inline void cheq_scatter_words16(const uint16_t *from, const uint8_t *mask, size_t n, uint8_t *to,
                                        ptrdiff_t step) {
    for (size_t i = 0; i < n; i++, to += step) {
        if (!mask || mask[i]) {
            memcpy(to, &from[i], sizeof *from);
        }
    }
}

/* n pixels, at most CHEQ_PIECE, become what the images have; then those under the mask the new colors. */
static inline void cheq_recolor_words_piece(const cheq_color_job *job, const cheq_walk *walk, size_t n,
                                            cheq_room *room) {
    const cheq_layout *layout = &job->applied;
    cheq_words_piece *piece = (cheq_words_piece *)(void *)room->tables;
    uint16_t *const rgb[3] = {piece->channel[0], piece->channel[1], piece->channel[2]};
    const ptrdiff_t from_step = cheq_run_stride(layout, CHEQ_IMAGES), to_step = cheq_run_stride(layout, CHEQ_OUT);
    const uint8_t *mask = cheq_mask_of(job->kernels, layout, walk, 0, n, room->mask);
    for (int c = 0; c < layout->channels; c++) {
        uint16_t *words = c < 3 ? rgb[c] : piece->lightness; /* which is wanted later */
        cheq_gather_words16(walk->at[CHEQ_IMAGES] + c * layout->channel[CHEQ_IMAGES].stride, from_step, n, words);
        if (mask || c == 3) {
            cheq_scatter_words16(words, NULL, n, walk->at[CHEQ_OUT] + c * layout->channel[CHEQ_OUT].stride, to_step);
        }
    }
    cheq_gather_words16(walk->at[CHEQ_LIGHTNESS], cheq_run_stride(layout, CHEQ_LIGHTNESS), n, piece->lightness);
    job->kernels->recolor16(&job->space, rgb, piece->lightness, n);
    for (int c = 0; c < 3; c++) {
        cheq_scatter_words16(rgb[c], mask, n, walk->at[CHEQ_OUT] + c * layout->channel[CHEQ_OUT].stride, to_step);
    }
}

static void cheq_recolor_words(const cheq_color_job *job, size_t image, size_t begin, size_t end, cheq_room *room) {
    cheq_walk walk;
    cheq_walk_begin(&walk, &job->applied, image, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        cheq_recolor_words_piece(job, &walk, n, room);
    }
}

static void cheq_recolor_apply(const void *of, size_t image, size_t begin, size_t end, const void *lut, void *room) {
    const cheq_color_job *job = of;
    (void)lut;
    if (job->bytes == 1) {
        cheq_recolor_bytes(job, image, begin, end, NULL, room);
    } else {
        cheq_recolor_words(job, image, begin, end, room);
    }
}

/* Give every pixel the lightness that lies beside it. */
static inline cheq_work cheq_recolor_work(const cheq_color_job *job) {
    cheq_work work = {
        .job = job, .groups = job->images, .pixels = job->pixels, .planes = 1, .cost = CHEQ_PLANE_COST,
        .apply = cheq_recolor_apply, .room_bytes = cheq_room_bytes(0),
    };
    return work;
}

/* ---- equalize ------------------------------------------------------------- */

/* Append the pixels of a piece that its mask selects. */
static inline void cheq_pending_select(const cheq_color_job *job, const cheq_walk *walk, size_t n, cheq_room *room) {
    cheq_pending *pending = room->pending;
    const uint8_t *mask = cheq_mask_of(job->kernels, &job->counted, walk, 0, n, room->mask);
    pending->n += job->kernels->select(room->luma, mask, n, pending->pixels + pending->n);
}

/* Bytes of an image and its result up to which both are still in L2 when the result is written. */
#define CHEQ_TOGETHER ((size_t)3 << 18)

/* Where an image's result begins, if it is one dense piece that is worth fetching while
 * the image is counted (.2 ns a pixel of .9); or NULL. */
static inline const uint8_t *cheq_dense_result(const cheq_color_job *job, size_t image) {
    const cheq_layout *layout = &job->applied;
    const int channels = layout->channels;
    uint8_t *at[CHEQ_OPERANDS];
    if (layout->pixels.ndim > 1 || layout->channel[CHEQ_OUT].pixel_bytes != channels ||
        2 * job->pixels * (size_t)channels > CHEQ_TOGETHER) {
        return NULL;
    }
    cheq_layout_locate(layout, image, at);
    return at[CHEQ_OUT] + layout->channel[CHEQ_OUT].lowest;
}

static inline void cheq_fetch_to_write(const uint8_t *at, size_t bytes) {
#if defined(__GNUC__)
    for (size_t i = 0; i < bytes; i += 64) {
        __builtin_prefetch(at + i, 1);
    }
#else
    (void)at, (void)bytes;
#endif
}

static void cheq_lightness_count(const void *of, size_t image, size_t begin, size_t end, void *hist, void *of_thread) {
    const cheq_color_job *job = of;
    const uint8_t *result = end - begin == job->pixels ? cheq_dense_result(job, image) : NULL; /* of all channels */
    const size_t channels = (size_t)job->applied.channels;
    cheq_room *room = of_thread;
    cheq_pending *pending = room->pending;
    cheq_ahead ahead = {NULL, NULL};
    cheq_walk walk;
    pending->n = 0;
    cheq_walk_begin(&walk, &job->counted, image, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        if (pending->n + n > CHEQ_BLOCK) {
            cheq_pending_count(job->kernels, pending, hist, &ahead, room);
        }
        if (result) {
            cheq_fetch_to_write(result, n * channels);
            result += n * channels;
        }
        uint8_t *to = job->counted.masked ? room->luma : pending->pixels + pending->n;
        cheq_lightness_pixels(job, &job->counted, walk.at[CHEQ_IMAGES], n, to, room);
        if (job->counted.masked) {
            cheq_pending_select(job, &walk, n, room);
        } else {
            pending->n += n;
        }
    }
    cheq_pending_count(job->kernels, pending, hist, &ahead, room);
}

static void cheq_lightness_make(const void *of, size_t image, void *counts, const void *sum, void *lut,
                                void *of_thread) {
    const cheq_color_job *job = of;
    cheq_room *room = of_thread;
    const cheq_entries entries = {lut, 1, CHEQ_LEVELS, 0, room->tables};
    if (sum) {
        cheq_make_lut_of_hist(&job->maker, image, sum, &entries);
    } else {
        cheq_make_lut_of_bytes(&job->maker, image, counts, lut, room->tables);
        memset(counts, 0, sizeof(cheq_hist));
    }
}

static void cheq_lightness_apply(const void *of, size_t image, size_t begin, size_t end, const void *lut, void *room) {
    cheq_recolor_bytes(of, image, begin, end, lut, room);
}

static inline cheq_work cheq_lightness_work(const cheq_color_job *job) {
    cheq_work work = {
        .job = job, .groups = job->images, .pixels = job->pixels, .planes = 1, .cost = CHEQ_PLANE_COST,
        .count = cheq_lightness_count, .join = cheq_join_bins, .make = cheq_lightness_make,
        .apply = cheq_lightness_apply, .bins = CHEQ_LEVELS, .counts_bytes = sizeof(cheq_hist),
        .sum_bytes = CHEQ_LEVELS * sizeof(uint64_t), .made_bytes = CHEQ_LEVELS, .room_bytes = cheq_room_bytes(1),
    };
    return work;
}

#endif
