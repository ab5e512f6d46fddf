/* From shapes and strides to planes, runs and groups.
 *
 * A plane's pixels are counted and looked up in any order, so its axes may be
 * flipped, sorted and merged until the last one, the run, is as long and as
 * dense as the memory allows. The batch axes keep their order: it is the order
 * of the histograms and LUTs.
 */
#ifndef CHEQ_LAYOUT_H
#define CHEQ_LAYOUT_H

#include "kernels/kernels.h"

#define CHEQ_MAX_NDIM 64 /* NumPy's and the buffer protocol's limit */

/* Arrays walked together: the images, and what there is of the result, the mask and a lightness that they get. */
enum { CHEQ_IMAGES = 0, CHEQ_OUT = 1, CHEQ_MASK = 2, CHEQ_LIGHTNESS = 3, CHEQ_OPERANDS = 4 };

/* Where one of them lies; NULLs for one that is absent. */
typedef struct {
    void *base;
    const ptrdiff_t *strides;
} cheq_operand;

typedef struct {
    int ndim;
    ptrdiff_t shape[CHEQ_MAX_NDIM];
    ptrdiff_t strides[CHEQ_OPERANDS][CHEQ_MAX_NDIM]; /* bytes; all zero for an absent array */
} cheq_axes;

/* How the channels of a group lie in one array. Where they alternate, a pixel is
 * `pixel_bytes` long, the first of them `lowest` bytes from channel 0's, and channel c is
 * byte slot[c] of it. Elsewhere pixel_bytes is 0. */
typedef struct {
    ptrdiff_t stride; /* from one channel to the next */
    int pixel_bytes;
    ptrdiff_t lowest;
    int slot[CHEQ_MAX_CHANNELS];
} cheq_channels;

typedef struct {
    uint8_t *base[CHEQ_OPERANDS];
    cheq_axes batch;  /* one index a group */
    cheq_axes pixels; /* of one plane, outermost first; at least one axis, the run */
    int masked;       /* there is a mask */
    int channels;     /* planes in a group; more than one if they alternate in memory */
    cheq_channels channel[CHEQ_OPERANDS];
} cheq_layout;

static inline ptrdiff_t cheq_abs(ptrdiff_t x) {
    return x < 0 ? -x : x;
}

static inline size_t cheq_axes_size(const cheq_axes *axes) {
    size_t size = 1;
    for (int a = 0; a < axes->ndim; a++) {
        size *= (size_t)axes->shape[a];
    }
    return size;
}

/* Append axis a of the operands. */
static inline void cheq_axes_append(cheq_axes *axes, ptrdiff_t length, const cheq_operand *operands, int a) {
    axes->shape[axes->ndim] = length;
    for (int op = 0; op < CHEQ_OPERANDS; op++) {
        axes->strides[op][axes->ndim] = operands[op].strides ? operands[op].strides[a] : 0;
    }
    axes->ndim++;
}

/* Join neighbors that one index can walk. */
static inline void cheq_axes_merge(cheq_axes *axes) {
    int kept = 0;
    for (int a = 1; a < axes->ndim; a++) {
        int joined = 1;
        for (int op = 0; op < CHEQ_OPERANDS; op++) {
            joined &= axes->strides[op][kept] == axes->strides[op][a] * axes->shape[a];
        }
        kept += !joined;
        axes->shape[kept] = joined ? axes->shape[kept] * axes->shape[a] : axes->shape[a];
        for (int op = 0; op < CHEQ_OPERANDS; op++) {
            axes->strides[op][kept] = axes->strides[op][a];
        }
    }
    axes->ndim = axes->ndim ? kept + 1 : 0;
}

/* Walk every axis upwards in the key array's memory. */
static inline void cheq_axes_flip(cheq_axes *axes, uint8_t *base[CHEQ_OPERANDS], int key) {
    for (int a = 0; a < axes->ndim; a++) {
        if (axes->strides[key][a] >= 0) {
            continue;
        }
        for (int op = 0; op < CHEQ_OPERANDS; op++) {
            base[op] += axes->strides[op][a] * (axes->shape[a] - 1);
            axes->strides[op][a] = -axes->strides[op][a];
        }
    }
}

static inline void cheq_swap(ptrdiff_t *x, ptrdiff_t *y) {
    const ptrdiff_t swapped = *x;
    *x = *y;
    *y = swapped;
}

/* Insertion sort, the key array's widest stride first; few axes. */
static inline void cheq_axes_sort(cheq_axes *axes, int key) {
    for (int last = 1; last < axes->ndim; last++) {
        for (int a = last; a > 0 && axes->strides[key][a - 1] < axes->strides[key][a]; a--) {
            cheq_swap(&axes->shape[a], &axes->shape[a - 1]);
            for (int op = 0; op < CHEQ_OPERANDS; op++) {
                cheq_swap(&axes->strides[op][a], &axes->strides[op][a - 1]);
            }
        }
    }
}

/* Do the planes along the last batch axis alternate in this array's memory? */
static inline int cheq_alternates(const cheq_layout *layout, int op) {
    const cheq_axes *batch = &layout->batch, *pixels = &layout->pixels;
    ptrdiff_t channels = batch->shape[batch->ndim - 1];
    ptrdiff_t stride = cheq_abs(batch->strides[op][batch->ndim - 1]);
    ptrdiff_t step = pixels->strides[op][pixels->ndim - 1];
    return stride > 0 && stride * (channels - 1) < step && step <= CHEQ_MAX_CHANNELS;
}

/* The number of planes that are best moved together, judged by the images and
 * the result; 1 where planes lie apart. */
static inline int cheq_layout_channels(const cheq_layout *layout) {
    int last = layout->batch.ndim - 1;
    if (last < 0 || layout->batch.shape[last] > CHEQ_MAX_CHANNELS) {
        return 1;
    }
    int together = cheq_alternates(layout, CHEQ_IMAGES) || cheq_alternates(layout, CHEQ_OUT);
    return together ? (int)layout->batch.shape[last] : 1;
}

static inline cheq_channels cheq_channels_of(const cheq_layout *layout, int op) {
    const cheq_axes *batch = &layout->batch, *pixels = &layout->pixels;
    cheq_channels channel = {.stride = batch->strides[op][batch->ndim - 1]};
    if (cheq_alternates(layout, op)) {
        channel.pixel_bytes = (int)pixels->strides[op][pixels->ndim - 1];
        channel.lowest = channel.stride < 0 ? channel.stride * (batch->shape[batch->ndim - 1] - 1) : 0;
        for (int c = 0; c < batch->shape[batch->ndim - 1]; c++) {
            channel.slot[c] = (int)(c * channel.stride - channel.lowest);
        }
    }
    return channel;
}

/* Take the last batch axis out of the batch: its planes become one group. */
static inline void cheq_layout_group(cheq_layout *layout, int channels) {
    layout->channels = channels;
    if (channels > 1) {
        for (int op = 0; op < CHEQ_OPERANDS; op++) {
            layout->channel[op] = cheq_channels_of(layout, op);
        }
        layout->batch.ndim--;
    }
    cheq_axes_merge(&layout->batch);
}

/* No axes yet. */
static inline void cheq_layout_begin(cheq_layout *layout, const cheq_operand operands[CHEQ_OPERANDS]) {
    layout->batch.ndim = layout->pixels.ndim = 0;
    layout->masked = operands[CHEQ_MASK].base != NULL;
    layout->channels = 1;
    memset(layout->channel, 0, sizeof layout->channel);
    for (int op = 0; op < CHEQ_OPERANDS; op++) {
        /* with strides of 0: NULL has no offsets, not even 0 */
        layout->base[op] = operands[operands[op].base ? op : CHEQ_IMAGES].base;
    }
}

/* The first n_batch axes are batch axes, the others a plane's. Axes of length 1
 * vanish. key is the array whose memory order is followed. The caller groups
 * the channels afterwards. */
static inline void cheq_layout_init(cheq_layout *layout, int ndim, int n_batch, const ptrdiff_t *shape,
                                    const cheq_operand operands[CHEQ_OPERANDS], int key) {
    static const ptrdiff_t one[] = {1};
    static const cheq_operand single[CHEQ_OPERANDS] = {{NULL, one}, {NULL, one}, {NULL, one}, {NULL, one}};
    cheq_layout_begin(layout, operands);
    for (int a = 0; a < ndim; a++) {
        if (shape[a] != 1) {
            cheq_axes_append(a < n_batch ? &layout->batch : &layout->pixels, shape[a], operands, a);
        }
    }
    if (layout->pixels.ndim == 0) {
        cheq_axes_append(&layout->pixels, 1, single, 0);
    }
    cheq_axes_flip(&layout->pixels, layout->base, key);
    cheq_axes_sort(&layout->pixels, key);
    cheq_axes_merge(&layout->pixels);
}

/* The same where it matters which pixel lies where: the pixel axes stay as they are. */
static inline void cheq_layout_place(cheq_layout *layout, int ndim, int n_batch, const ptrdiff_t *shape,
                                     const cheq_operand operands[CHEQ_OPERANDS]) {
    cheq_layout_begin(layout, operands);
    for (int a = 0; a < ndim; a++) {
        if (a >= n_batch || shape[a] != 1) {
            cheq_axes_append(a < n_batch ? &layout->batch : &layout->pixels, shape[a], operands, a);
        }
    }
    cheq_axes_merge(&layout->batch);
}

/* Do two arrays reach into each other, judged by the first and the last byte of each? */
static inline int cheq_ranges_meet(int ndim_a, const ptrdiff_t *shape_a, const ptrdiff_t *strides_a, const void *a,
                                   ptrdiff_t bytes_a, int ndim_b, const ptrdiff_t *shape_b,
                                   const ptrdiff_t *strides_b, const void *b, ptrdiff_t bytes_b) {
    uintptr_t first_a = (uintptr_t)a, last_a = first_a + (uintptr_t)bytes_a - 1;
    uintptr_t first_b = (uintptr_t)b, last_b = first_b + (uintptr_t)bytes_b - 1;
    for (int i = 0; i < ndim_a; i++) {
        ptrdiff_t reach = (shape_a[i] - 1) * strides_a[i];
        *(reach < 0 ? &first_a : &last_a) += (uintptr_t)reach;
    }
    for (int i = 0; i < ndim_b; i++) {
        ptrdiff_t reach = (shape_b[i] - 1) * strides_b[i];
        *(reach < 0 ? &first_b : &last_b) += (uintptr_t)reach;
    }
    return first_a <= last_b && first_b <= last_a;
}

/* Where a group's first plane begins. */
static inline void cheq_layout_locate(const cheq_layout *layout, size_t group,
                                      uint8_t *at[CHEQ_OPERANDS]) {
    const cheq_axes *batch = &layout->batch;
    memcpy(at, layout->base, sizeof layout->base);
    for (int a = batch->ndim - 1; a >= 0; a--) {
        size_t length = (size_t)batch->shape[a];
        ptrdiff_t index = (ptrdiff_t)(a > 0 ? group % length : group);
        group /= a > 0 ? length : 1;
        for (int op = 0; op < CHEQ_OPERANDS; op++) {
            at[op] += index * batch->strides[op][a];
        }
    }
}

#endif
