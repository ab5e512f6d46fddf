/* Color images: their gray or lightness. A channel is a plane of a layout's group. */
#ifndef CHEQ_COLORS_H
#define CHEQ_COLORS_H

#include "formulas/spaces.h"
#include "jobs/bytes.h"

typedef struct {
    const cheq_kernels *kernels;
    cheq_space space;
    int swapped, bytes; /* the images' byte order, of gray alone, and bytes of a value, 1 or 2 */
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

#endif
