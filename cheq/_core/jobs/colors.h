/* Color images: their gray, and their lightness equalized. A channel is a plane of a layout's group. */
#ifndef CHEQ_COLORS_H
#define CHEQ_COLORS_H

#include "formulas/spaces.h"
#include "jobs/bytes.h"

typedef struct {
    const cheq_kernels *kernels;
    cheq_space space;
    int swapped, bytes; /* gray: the images' byte order, and bytes of a value, 1 or 2 */
    cheq_maker maker;   /* of the lightness's LUTs */
    cheq_layout counted; /* R, G, B of the images, and the mask, in the images' memory order */
    cheq_layout applied; /* as in cheq_bytes_job */
    size_t images, pixels; /* pixels: of one image */
} cheq_color_job;

/* Axes: the images, the channels (the last batch axis), the pixels. What has no channels
 * has the stride 0 there. */
static inline void cheq_color_layout(cheq_layout *layout, int ndim, int n_batch, const ptrdiff_t *shape,
                                     const cheq_operand operands[CHEQ_OPERANDS], int key) {
    cheq_layout_init(layout, ndim, n_batch, shape, operands, key);
    cheq_layout_group(layout, (int)shape[n_batch - 1]);
}

/* After the layout `applied` is made. */
static inline void cheq_color_job_measure(cheq_color_job *job) {
    job->images = cheq_axes_size(&job->applied.batch);
    job->pixels = cheq_axes_size(&job->applied.pixels);
}

/* The byte of R in pixels that alternate and whose R, G, B come first or last to first, 0 or 2;
 * -1 for others. */
static inline int cheq_first_color(const cheq_channels *channel) {
    const int first = channel->slot[0];
    return channel->pixel_bytes >= 3 && channel->slot[1] == 1 && channel->slot[2] == 2 - first ? first : -1;
}

/* Are there kernels of one pass for the space? */
static inline int cheq_space_is_dense(const cheq_color_job *job) {
    return job->space.is_lab || job->kernels->luma_dense;
}

/* The lightness or gray of n pixels, at most CHEQ_PIECE, of which a layout may hold more channels. */
static inline void cheq_lightness_pixels(const cheq_color_job *job, const cheq_layout *layout, const uint8_t *at,
                                         size_t n, uint8_t *to, cheq_room *room) {
    const cheq_channels *channel = &layout->channel[CHEQ_IMAGES];
    const int first = cheq_first_color(channel);
    if (cheq_space_is_dense(job) && first >= 0) {
        const size_t size = n * (size_t)channel->pixel_bytes - (layout->channels < channel->pixel_bytes);
        job->kernels->lightness_dense(&job->space, at + channel->lowest, channel->pixel_bytes, first, size, n, to);
        return;
    }
    uint8_t *const channel_pieces[CHEQ_MAX_CHANNELS] = {room->piece[0], room->piece[1], room->piece[2], room->piece[3]};
    cheq_load(job->kernels, layout, CHEQ_IMAGES, at, n, channel_pieces, room);
    job->kernels->lightness(&job->space, channel_pieces, n, to);
}

/* ---- gray --------------------------------------------------------------- */

static inline void cheq_gray_piece8(const cheq_color_job *job, const cheq_walk *walk, size_t n, cheq_room *room) {
    const ptrdiff_t step = cheq_run_stride(&job->applied, CHEQ_OUT);
    uint8_t *to = step == 1 ? walk->at[CHEQ_OUT] : room->luma;
    cheq_lightness_pixels(job, &job->applied, walk->at[CHEQ_IMAGES], n, to, room);
    if (step != 1) {
        job->kernels->scatter(to, n, walk->at[CHEQ_OUT], step);
    }
}

static inline void cheq_gray_piece16(const cheq_color_job *job, const cheq_walk *walk, size_t n, cheq_room *room) {
    const cheq_layout *layout = &job->applied;
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_OUT);
    uint16_t *gray = room->words;
    uint8_t *to = walk->at[CHEQ_OUT];
    job->kernels->gray16(&job->space.luma, walk->at[CHEQ_IMAGES], layout->channel[CHEQ_IMAGES].stride,
                       cheq_run_stride(layout, CHEQ_IMAGES), job->swapped, n, gray);
    if (step == sizeof *gray) {
        memcpy(to, gray, n * sizeof *gray);
        return;
    }
    for (size_t i = 0; i < n; i++, to += step) {
        memcpy(to, &gray[i], sizeof *gray);
    }
}

static void cheq_gray_apply(const void *of, size_t group, size_t begin, size_t end, const void *made,
                            void *room) {
    const cheq_color_job *job = of;
    (void)made;
    cheq_walk walk;
    cheq_walk_begin(&walk, &job->applied, group, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        if (job->bytes == 1) {
            cheq_gray_piece8(job, &walk, n, room);
        } else {
            cheq_gray_piece16(job, &walk, n, room);
        }
    }
}

/* All pixels are one group: pixels have nothing to do with each other. */
static inline cheq_work cheq_gray_work(const cheq_color_job *job) {
    cheq_work work = {
        .job = job, .groups = 1, .pixels = job->pixels, .planes = 1, .apply = cheq_gray_apply,
        .room_bytes = cheq_room_bytes(0),
    };
    return work;
}

/* ---- lightness ---------------------------------------------------------- */

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

/* Can one pass recolor the pixels, dense and alike in the images and the result? */
static inline int cheq_recolors_dense(const cheq_color_job *job) {
    const cheq_layout *layout = &job->applied;
    const cheq_channels *images = &layout->channel[CHEQ_IMAGES], *out = &layout->channel[CHEQ_OUT];
    return cheq_space_is_dense(job) && !layout->masked && cheq_first_color(images) >= 0 &&
           cheq_first_color(images) == cheq_first_color(out) && images->pixel_bytes == layout->channels &&
           out->pixel_bytes == layout->channels;
}

static void cheq_lightness_make(const void *of, size_t image, void *counts, const void *sum, void *lut,
                                void *of_thread) {
    const cheq_color_job *job = of;
    cheq_room *room = of_thread;
    const cheq_entries entries = {lut, 1, CHEQ_LEVELS, 0, room->tables};
    (void)image;
    if (sum) {
        cheq_make_lut_of_hist(&job->maker, sum, &entries);
    } else {
        cheq_make_lut_of_bytes(&job->maker, counts, lut, room->tables);
        memset(counts, 0, sizeof(cheq_hist));
    }
}

/* Give n pixels of a piece the lightness that the LUT has for theirs; those outside the mask, if any, stay. */
static inline void cheq_recolor_piece(const cheq_color_job *job, const cheq_walk *walk, size_t n, const uint8_t *lut,
                                      cheq_room *room) {
    CHEQ_ASSUME(room != NULL);
    const cheq_layout *layout = &job->applied;
    uint8_t(*const piece)[CHEQ_PIECE] = room->piece, (*const new)[CHEQ_PIECE] = layout->masked ? room->other : piece;
    uint8_t *const to[CHEQ_MAX_CHANNELS] = {new[0], new[1], new[2], new[3]};
    if (layout->masked) {
        memcpy(new, piece, sizeof room->other);
    }
    job->kernels->to_space(&job->space, to, n);
    job->kernels->apply(to[0], to[0], n, lut);
    job->kernels->from_space(&job->space, to, n);
    const uint8_t *mask = cheq_mask_of(job->kernels, layout, walk, 0, n, room->mask);
    for (int c = 0; c < layout->channels && mask; c++) {
        cheq_put_selected(new[c], mask, n, piece[c]);
    }
}

static void cheq_lightness_apply(const void *of, size_t image, size_t begin, size_t end, const void *lut,
                                 void *of_thread) {
    const cheq_color_job *job = of;
    cheq_room *room = of_thread;
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
                                        lut, NULL);
            continue;
        }
        cheq_load(job->kernels, layout, CHEQ_IMAGES, walk.at[CHEQ_IMAGES], n, channel, room);
        cheq_recolor_piece(job, &walk, n, lut, room);
        cheq_store(job->kernels, layout, CHEQ_OUT, channel, n, walk.at[CHEQ_OUT]);
    }
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
