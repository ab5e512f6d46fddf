/* Count and look up the pixels of any layout with kernels that take contiguous
 * bytes: long dense runs go to them as they are, the others block by block
 * through a buffer in L1. */
#ifndef CHEQ_PLANE_H
#define CHEQ_PLANE_H

#include "layout.h"

/* Pixels moved at a time: a piece of every channel fits L1 beside its table. */
#define CHEQ_PIECE 1024
/* Pixels counted at a time when they were gathered: long enough that a count's
 * fixed cost (clearing and summing the sub-histograms) is small beside it. */
#define CHEQ_BLOCK (12 * CHEQ_PIECE)

typedef uint32_t cheq_hist[CHEQ_LEVELS];

/* A position in a group: at points to the first channel's pixel. */
typedef struct {
    const cheq_axes *axes;
    uint8_t *at[CHEQ_OPERANDS];
    ptrdiff_t index[CHEQ_MAX_NDIM];
} cheq_cursor;

static inline void cheq_cursor_move(cheq_cursor *cursor, int axis, ptrdiff_t by) {
    cursor->index[axis] += by;
    cursor->at[CHEQ_IMAGES] += by * cursor->axes->strides[CHEQ_IMAGES][axis];
    cursor->at[CHEQ_OTHER] += by * cursor->axes->strides[CHEQ_OTHER][axis];
}

static inline void cheq_cursor_seek(cheq_cursor *cursor, const cheq_layout *layout, size_t group,
                                    size_t pixel) {
    cursor->axes = &layout->pixels;
    cheq_layout_locate(layout, group, cursor->at);
    for (int a = layout->pixels.ndim - 1; a >= 0; a--) {
        size_t length = (size_t)layout->pixels.shape[a];
        cursor->index[a] = 0;
        if (pixel > 0) {
            cheq_cursor_move(cursor, a, (ptrdiff_t)(pixel % length));
            pixel /= length;
        }
    }
}

/* How many pixels are left in the run. */
static inline size_t cheq_cursor_run(const cheq_cursor *cursor) {
    int run = cursor->axes->ndim - 1;
    return (size_t)(cursor->axes->shape[run] - cursor->index[run]);
}

/* Go on by at most the rest of the run; at its end, to the next run. */
static inline void cheq_cursor_advance(cheq_cursor *cursor, size_t n) {
    int a = cursor->axes->ndim - 1;
    cheq_cursor_move(cursor, a, (ptrdiff_t)n);
    while (a > 0 && cursor->index[a] == cursor->axes->shape[a]) {
        cheq_cursor_move(cursor, a, -cursor->index[a]);
        a--;
        cheq_cursor_move(cursor, a, 1);
    }
}

static inline size_t cheq_min(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Pixels gathered and not yet counted. */
typedef struct {
    size_t n;
    uint8_t pixels[CHEQ_BLOCK];
} cheq_pending;

static inline void cheq_pending_count(const cheq_kernels *k, cheq_pending *pending, cheq_hist hist) {
    k->count(pending->pixels, pending->n, hist);
    pending->n = 0;
}

/* Add the pixels of one piece of a run, those under the mask if there is one. */
static inline void cheq_pending_add(const cheq_kernels *k, cheq_pending *pending,
                                    const uint8_t *images, ptrdiff_t step, const uint8_t *mask,
                                    ptrdiff_t mask_step, size_t n) {
    uint8_t *end = pending->pixels + pending->n;
    uint8_t dense[CHEQ_PIECE], dense_mask[CHEQ_PIECE];
    if (!mask) {
        k->gather(images, step, n, end);
        pending->n += n;
        return;
    }
    if (step != 1) {
        k->gather(images, step, n, dense);
        images = dense;
    }
    if (mask_step != 1) {
        k->gather(mask, mask_step, n, dense_mask);
        mask = dense_mask;
    }
    pending->n += k->select(images, mask, n, end);
}

/* hist[c] += the pixels [begin, end) of channel c of a group: at most
 * UINT32_MAX less what hist holds already. layout's other array is the mask. */
static void cheq_count_pixels(const cheq_kernels *k, const cheq_layout *layout, int masked,
                              size_t group, size_t begin, size_t end, cheq_hist *hist) {
    const cheq_axes *axes = &layout->pixels;
    const ptrdiff_t step = axes->strides[CHEQ_IMAGES][axes->ndim - 1];
    const ptrdiff_t mask_step = axes->strides[CHEQ_OTHER][axes->ndim - 1];
    cheq_pending pending[CHEQ_MAX_CHANNELS];
    cheq_cursor cursor;
    cheq_cursor_seek(&cursor, layout, group, begin);
    for (int c = 0; c < layout->channels; c++) {
        pending[c].n = 0;
    }
    for (size_t left = end - begin, n; left > 0; left -= n) {
        n = cheq_min(left, cheq_cursor_run(&cursor));
        int direct = !masked && step == 1 && (n >= CHEQ_BLOCK || n == end - begin);
        n = direct ? n : cheq_min(n, CHEQ_PIECE);
        for (int c = 0; c < layout->channels; c++) {
            const uint8_t *images = cursor.at[CHEQ_IMAGES] + c * layout->channel_stride[CHEQ_IMAGES];
            const uint8_t *mask = cursor.at[CHEQ_OTHER] + c * layout->channel_stride[CHEQ_OTHER];
            if (direct) {
                k->count(images, n, hist[c]);
                continue;
            }
            if (pending[c].n + n > CHEQ_BLOCK) {
                cheq_pending_count(k, &pending[c], hist[c]);
            }
            cheq_pending_add(k, &pending[c], images, step, masked ? mask : NULL, mask_step, n);
        }
        cheq_cursor_advance(&cursor, n);
    }
    for (int c = 0; c < layout->channels; c++) {
        cheq_pending_count(k, &pending[c], hist[c]);
    }
}

/* Look up one piece of a run; step 1 needs no buffer. */
static inline void cheq_apply_piece(const cheq_kernels *k, const uint8_t *images, ptrdiff_t step,
                                    uint8_t *out, ptrdiff_t out_step, size_t n, const uint8_t *lut) {
    uint8_t dense[CHEQ_PIECE];
    if (step != 1) {
        k->gather(images, step, n, dense);
        images = dense;
    }
    if (out_step == 1) {
        k->apply(images, out, n, lut);
    } else {
        k->apply(images, dense, n, lut);
        k->scatter(dense, n, out, out_step);
    }
}

/* out = lut[images] for the pixels [begin, end) of a group; channel c's LUT is
 * at luts + c * lut_step. layout's other array is the result. */
static void cheq_apply_pixels(const cheq_kernels *k, const cheq_layout *layout, size_t group,
                              size_t begin, size_t end, const uint8_t *luts, size_t lut_step) {
    const cheq_axes *axes = &layout->pixels;
    const ptrdiff_t step = axes->strides[CHEQ_IMAGES][axes->ndim - 1];
    const ptrdiff_t out_step = axes->strides[CHEQ_OTHER][axes->ndim - 1];
    const int direct = step == 1 && out_step == 1;
    cheq_cursor cursor;
    cheq_cursor_seek(&cursor, layout, group, begin);
    for (size_t left = end - begin, n; left > 0; left -= n) {
        n = cheq_min(left, cheq_cursor_run(&cursor));
        n = direct ? n : cheq_min(n, CHEQ_PIECE);
        for (int c = 0; c < layout->channels; c++) {
            cheq_apply_piece(k, cursor.at[CHEQ_IMAGES] + c * layout->channel_stride[CHEQ_IMAGES], step,
                             cursor.at[CHEQ_OTHER] + c * layout->channel_stride[CHEQ_OTHER], out_step, n,
                             luts + (size_t)c * lut_step);
        }
        cheq_cursor_advance(&cursor, n);
    }
}

#endif
