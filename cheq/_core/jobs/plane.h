/* Count and look up the pixels of any layout with kernels that take contiguous
 * bytes: long dense runs go to them as they are, the others block by block
 * through a buffer in L1. */
#ifndef CHEQ_PLANE_H
#define CHEQ_PLANE_H

#include "jobs/layout.h"

/* Pixels moved at a time: a piece of every channel fits L1 beside its table. */
#define CHEQ_PIECE 1024
/* Pixels counted at a time when they were gathered: long enough that a count's
 * fixed cost (clearing and summing the sub-histograms) is small beside it: 16 units of
 * the AVX-512 kernel. */
#define CHEQ_BLOCK (14 * CHEQ_PIECE)

/* Registers stored across two cache lines cost twice (3.1 cycles for 64 bytes). */
#define CHEQ_ALIGNED _Alignas(64)

typedef uint32_t cheq_hist[CHEQ_LEVELS];

/* A walk through pixels of a group, piece by piece: `at` points to the first
 * channel's pixel that the piece begins with. */
typedef struct {
    const cheq_axes *axes;
    uint8_t *at[CHEQ_OPERANDS];
    ptrdiff_t index[CHEQ_MAX_NDIM];
    size_t piece, left;
} cheq_walk;

static inline void cheq_walk_move(cheq_walk *walk, int axis, ptrdiff_t by) {
    walk->index[axis] += by;
    for (int op = 0; op < CHEQ_OPERANDS; op++) {
        walk->at[op] += by * walk->axes->strides[op][axis];
    }
}

/* Walk the pixels [begin, end) of a group. */
static inline void cheq_walk_begin(cheq_walk *walk, const cheq_layout *layout, size_t group,
                                   size_t begin, size_t end) {
    walk->axes = &layout->pixels;
    walk->piece = 0;
    walk->left = end - begin;
    cheq_layout_locate(layout, group, walk->at);
    for (int a = layout->pixels.ndim - 1; a >= 0; a--) {
        walk->index[a] = 0;
        if (begin > 0) {
            size_t length = (size_t)layout->pixels.shape[a];
            cheq_walk_move(walk, a, (ptrdiff_t)(begin % length));
            begin /= length;
        }
    }
}

/* Go to the next piece, which lies in one run: its length, at most `most`, or 0 at the end. */
static inline size_t cheq_walk_next(cheq_walk *walk, size_t most) {
    const cheq_axes *axes = walk->axes;
    int a = axes->ndim - 1;
    cheq_walk_move(walk, a, (ptrdiff_t)walk->piece);
    while (a > 0 && walk->index[a] == axes->shape[a]) {
        cheq_walk_move(walk, a, -walk->index[a]);
        a--;
        cheq_walk_move(walk, a, 1);
    }
    int run = axes->ndim - 1;
    walk->piece = cheq_min(cheq_min(walk->left, most), (size_t)(axes->shape[run] - walk->index[run]));
    walk->left -= walk->piece;
    return walk->piece;
}

static inline ptrdiff_t cheq_run_stride(const cheq_layout *layout, int op) {
    return layout->pixels.strides[op][layout->pixels.ndim - 1];
}

/* Pixels of one channel that were gathered and not yet counted. */
typedef struct {
    CHEQ_ALIGNED uint8_t pixels[CHEQ_BLOCK];
    size_t n;
} cheq_pending;

/* A thread's room, of any content: pixels on their way. A job takes as many of the last ones as
 * it has channels. */
typedef struct {
    CHEQ_ALIGNED uint8_t tables[CHEQ_ROOM]; /* of kernels and formulas */
    CHEQ_ALIGNED uint8_t piece[CHEQ_MAX_CHANNELS][CHEQ_PIECE];
    CHEQ_ALIGNED uint8_t other[CHEQ_MAX_CHANNELS][CHEQ_PIECE]; /* what a piece becomes, where a mask picks */
    CHEQ_ALIGNED uint8_t spare[CHEQ_PIECE]; /* bytes of pixels that are no channels */
    CHEQ_ALIGNED uint8_t mask[CHEQ_PIECE];
    CHEQ_ALIGNED uint16_t words[CHEQ_PIECE];
    CHEQ_ALIGNED uint8_t luma[CHEQ_PIECE];
    cheq_pending pending[CHEQ_MAX_CHANNELS];
} cheq_room;

static inline size_t cheq_room_bytes(size_t channels) {
    return offsetof(cheq_room, pending) + channels * sizeof(cheq_pending);
}

/* Bring n pixels of every channel, at most CHEQ_PIECE, to dense buffers. Where the
 * view leaves out bytes of a pixel, those of the last one may lie outside the array. */
static inline void cheq_load(const cheq_kernels *k, const cheq_layout *layout, int op,
                             const uint8_t *at, size_t n, uint8_t *const *to, cheq_room *room) {
    const cheq_channels *channel = &layout->channel[op];
    const ptrdiff_t step = cheq_run_stride(layout, op);
    uint8_t *spare = room->spare;
    if (channel->pixel_bytes == 0) {
        for (int c = 0; c < layout->channels; c++) {
            k->gather(at + c * channel->stride, step, n, to[c]);
        }
        return;
    }
    uint8_t *slots[CHEQ_MAX_CHANNELS] = {spare, spare, spare, spare};
    for (int c = 0; c < layout->channels; c++) {
        slots[channel->slot[c]] = to[c];
    }
    size_t whole = n - (layout->channels < channel->pixel_bytes);
    k->split(at + channel->lowest, channel->pixel_bytes, whole, slots);
    for (int c = 0; c < layout->channels && whole < n; c++) {
        to[c][whole] = at[c * channel->stride + (ptrdiff_t)whole * step];
    }
}

static inline void cheq_store(const cheq_kernels *k, const cheq_layout *layout, int op,
                              uint8_t *const *from, size_t n, uint8_t *at) {
    const cheq_channels *channel = &layout->channel[op];
    if (channel->pixel_bytes == layout->channels) {
        const uint8_t *slots[CHEQ_MAX_CHANNELS];
        for (int c = 0; c < layout->channels; c++) {
            slots[channel->slot[c]] = from[c];
        }
        k->merge(slots, channel->pixel_bytes, n, at + channel->lowest);
        return;
    }
    for (int c = 0; c < layout->channels; c++) {
        k->scatter(from[c], n, at + c * channel->stride, cheq_run_stride(layout, op));
    }
}

/* The mask of n pixels of a channel, at most CHEQ_PIECE, as it lies or in a buffer; NULL without a mask. */
static inline const uint8_t *cheq_mask_of(const cheq_kernels *k, const cheq_layout *layout, const cheq_walk *walk,
                                          int c, size_t n, uint8_t buffer[CHEQ_PIECE]) {
    const uint8_t *mask = walk->at[CHEQ_MASK] + c * layout->channel[CHEQ_MASK].stride;
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_MASK);
    if (!layout->masked || step == 1) {
        return layout->masked ? mask : NULL;
    }
    k->gather(mask, step, n, buffer);
    return buffer;
}

/* The pixels that the mask selects become the new ones. */
static inline void cheq_put_selected(const uint8_t *restrict new, const uint8_t *restrict mask, size_t n,
                                     uint8_t *restrict pixels) {
    for (size_t i = 0; i < n; i++) {
        const uint8_t selected = (uint8_t)-(mask[i] != 0);
        pixels[i] = (new[i] & selected) | (pixels[i] & (uint8_t)~selected);
    }
}

static inline void cheq_pending_count(const cheq_kernels *k, cheq_pending *pending, cheq_hist hist,
                                      cheq_ahead *ahead, cheq_room *room) {
    k->count(pending->pixels, pending->n, hist, *ahead, room->tables);
    ahead->read = ahead->read ? ahead->read + pending->n : NULL;
    ahead->write = ahead->write ? ahead->write + pending->n : NULL;
    pending->n = 0;
}

/* Add a piece: all of it, or what its mask selects. */
static inline void cheq_pending_add(const cheq_kernels *k, const cheq_layout *layout, const cheq_walk *walk,
                                    size_t n, cheq_room *room) {
    cheq_pending *pending = room->pending;
    uint8_t *to[CHEQ_MAX_CHANNELS];
    for (int c = 0; c < layout->channels; c++) {
        to[c] = layout->masked ? room->piece[c] : pending[c].pixels + pending[c].n;
    }
    cheq_load(k, layout, CHEQ_IMAGES, walk->at[CHEQ_IMAGES], n, to, room);
    for (int c = 0; c < layout->channels; c++) {
        if (!layout->masked) {
            /* The analyzer lets a kernel change the layout. NOLINTNEXTLINE(clang-analyzer-core.*) */
            pending[c].n += n;
            continue;
        }
        const uint8_t *mask = cheq_mask_of(k, layout, walk, c, n, room->mask);
        /* As above. NOLINTNEXTLINE(clang-analyzer-core.*) */
        pending[c].n += k->select(room->piece[c], mask, n, pending[c].pixels + pending[c].n);
    }
}

/* hist[c] += the pixels [begin, end) of channel c of a group, so many that no bin
 * passes UINT32_MAX. result: where the group will be written soon after, or NULL. */
static void cheq_count_pixels(const cheq_kernels *k, const cheq_layout *layout, size_t group, size_t begin,
                              size_t end, const uint8_t *result, cheq_hist *hist,
                              cheq_room *room) {
    const int dense = !layout->masked && layout->channels == 1 && cheq_run_stride(layout, CHEQ_IMAGES) == 1;
    const size_t run = (size_t)layout->pixels.shape[layout->pixels.ndim - 1];
    cheq_ahead ahead = {NULL, result};
    cheq_pending *pending = room->pending;
    cheq_walk walk;
    cheq_walk_begin(&walk, layout, group, begin, end);
    if (dense && (run >= CHEQ_BLOCK || layout->pixels.ndim == 1)) {
        for (size_t n; (n = cheq_walk_next(&walk, SIZE_MAX)) > 0;) {
            k->count(walk.at[CHEQ_IMAGES], n, hist[0], ahead, room->tables);
        }
        return;
    }
    for (int c = 0; c < layout->channels; c++) {
        pending[c].n = 0;
    }
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        ahead.read = walk.at[CHEQ_IMAGES];
        for (int c = 0; c < layout->channels; c++) {
            if (pending[c].n + n > CHEQ_BLOCK) {
                cheq_pending_count(k, &pending[c], hist[c], &ahead, room);
            }
        }
        cheq_pending_add(k, layout, &walk, n, room);
    }
    ahead.read = NULL;
    for (int c = 0; c < layout->channels; c++) {
        cheq_pending_count(k, &pending[c], hist[c], &ahead, room);
    }
}

/* Do the channels lie side by side in both arrays, for one pass to look them up? Not where a mask picks. */
static inline int cheq_alternate_alike(const cheq_kernels *k, const cheq_layout *layout) {
    const cheq_channels *channel = layout->channel;
    return k->apply_channels != NULL && !layout->masked && layout->channels > 1 &&
           channel[CHEQ_IMAGES].pixel_bytes == layout->channels && channel[CHEQ_OUT].pixel_bytes == layout->channels;
}

/* n pixels of all channels, where they alternate alike. */
static inline void cheq_apply_alternating(const cheq_kernels *k, const cheq_layout *layout, const cheq_walk *walk,
                                          size_t n, const uint8_t *luts, size_t lut_step) {
    const cheq_channels *images = &layout->channel[CHEQ_IMAGES], *out = &layout->channel[CHEQ_OUT];
    const uint8_t *of_slot[CHEQ_MAX_CHANNELS];
    for (int c = 0; c < layout->channels; c++) {
        of_slot[out->slot[c]] = luts + (size_t)c * lut_step;
    }
    k->apply_channels(walk->at[CHEQ_IMAGES] + images->lowest, walk->at[CHEQ_OUT] + out->lowest, n,
                      layout->channels, images->slot[0] != out->slot[0], of_slot);
}

/* Look up n pixels of channel c, at most CHEQ_PIECE, in their buffer; those outside the mask, if any, stay. */
static inline void cheq_apply_piece(const cheq_kernels *k, const cheq_layout *layout, const cheq_walk *walk, int c,
                                    size_t n, const uint8_t *lut, cheq_room *room) {
    uint8_t *pixels = room->piece[c], *new = room->other[c];
    const uint8_t *mask = cheq_mask_of(k, layout, walk, c, n, room->mask);
    k->apply(pixels, mask ? new : pixels, n, lut);
    if (mask) {
        cheq_put_selected(new, mask, n, pixels);
    }
}

/* out = lut[images] for the pixels [begin, end) of a group; channel c's LUT is
 * at luts + c * lut_step. With a mask, pixels outside it stay what they are. */
static void cheq_apply_pixels(const cheq_kernels *k, const cheq_layout *layout, size_t group,
                              size_t begin, size_t end, const uint8_t *luts, size_t lut_step,
                              cheq_room *room) {
    const int to_dense = !layout->masked && layout->channels == 1 && cheq_run_stride(layout, CHEQ_OUT) == 1;
    const int dense = to_dense && cheq_run_stride(layout, CHEQ_IMAGES) == 1;
    const int alike = cheq_alternate_alike(k, layout);
    uint8_t(*const pixels)[CHEQ_PIECE] = room->piece;
    uint8_t *const to[CHEQ_MAX_CHANNELS] = {pixels[0], pixels[1], pixels[2], pixels[3]};
    cheq_walk walk;
    cheq_walk_begin(&walk, layout, group, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, dense || alike ? SIZE_MAX : CHEQ_PIECE)) > 0;) {
        if (dense) {
            k->apply(walk.at[CHEQ_IMAGES], walk.at[CHEQ_OUT], n, luts);
            continue;
        }
        if (alike) {
            cheq_apply_alternating(k, layout, &walk, n, luts, lut_step);
            continue;
        }
        cheq_load(k, layout, CHEQ_IMAGES, walk.at[CHEQ_IMAGES], n, to, room);
        if (to_dense) {
            k->apply(pixels[0], walk.at[CHEQ_OUT], n, luts);
            continue;
        }
        for (int c = 0; c < layout->channels; c++) {
            cheq_apply_piece(k, layout, &walk, c, n, luts + (size_t)c * lut_step, room);
        }
        cheq_store(k, layout, CHEQ_OUT, to, n, walk.at[CHEQ_OUT]);
    }
}

/* The pixels of a small group, at most CHEQ_BLOCK a plane, dense: moved once, then
 * counted and looked up where they are. */
static void cheq_stage_load(const cheq_kernels *k, const cheq_layout *layout, size_t group, size_t size,
                            cheq_room *room) {
    cheq_walk walk;
    cheq_walk_begin(&walk, layout, group, 0, size);
    for (size_t n, done = 0; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0; done += n) {
        uint8_t *to[CHEQ_MAX_CHANNELS];
        for (int c = 0; c < layout->channels; c++) {
            to[c] = room->pending[c].pixels + done;
        }
        cheq_load(k, layout, CHEQ_IMAGES, walk.at[CHEQ_IMAGES], n, to, room);
    }
}

static void cheq_stage_store(const cheq_kernels *k, const cheq_layout *layout, size_t group, size_t size,
                             cheq_room *room) {
    cheq_walk walk;
    cheq_walk_begin(&walk, layout, group, 0, size);
    for (size_t n, done = 0; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0; done += n) {
        uint8_t *from[CHEQ_MAX_CHANNELS];
        for (int c = 0; c < layout->channels; c++) {
            from[c] = room->pending[c].pixels + done;
        }
        cheq_store(k, layout, CHEQ_OUT, from, n, walk.at[CHEQ_OUT]);
    }
}

#endif
