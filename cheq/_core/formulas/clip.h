/* CLAHE as cv2.createCLAHE defines it (OpenCV, modules/imgproc/src/clahe.cpp): where tiles lie, what becomes of a tile's
 * histogram, and which LUTs a pixel is looked up in. */
#ifndef CHEQ_CLIP_H
#define CHEQ_CLIP_H

#include "formulas/lut.h"

/* ---- clip and redistribute ------------------------------------------------ */

/* How a tile's histogram becomes a LUT. */
typedef struct {
    int32_t area;  /* pixels that are counted, at least 1 */
    int32_t most;  /* what a bin may hold; INT32_MAX: anything */
    int32_t levels;
    float scale;   /* levels a count */
} cheq_clip;

/* The limit in counts: trunc(clip_limit * area / levels) in double, at least 1. The caller has seen that it fits. */
static inline cheq_clip cheq_clip_of(double clip_limit, uint32_t area, uint32_t levels) {
    cheq_clip clip = {(int32_t)area, INT32_MAX, (int32_t)levels, (float)(levels - 1) / (float)area};
    if (clip_limit > 0) {
        const int32_t most = (int32_t)(clip_limit * (double)area / (double)levels);
        clip.most = most > 1 ? most : 1;
    }
    return clip;
}

/* The excess, shared out: `each` to every bin, and one more to `rest` bins, a step apart, from bin 0 on. In running sums
 * level v has (v + 1) * each + min(v / step + 1, rest). */
typedef struct {
    int32_t each, rest;
    float turn;  /* 1 / step */
    float scale;
} cheq_shares;

CHEQ_BODY cheq_shares cheq_share(const cheq_clip *clip, int32_t kept) {
    const int32_t excess = clip->area - kept, rest = excess % clip->levels;
    const int32_t step = rest ? clip->levels / rest : clip->levels;
    const cheq_shares shares = {excess / clip->levels, rest, 1.0f / (float)step, clip->scale};
    return shares;
}

/* `running` has the shares of all bins. v / step in float32: (v + .5) / step is half a step or more away from the next integer, beside which three roundings of
 * 2^-24 are nothing for v < 2^16. The level is rounded half to even; it needs no saturation (see cheq_opencv_level). */
CHEQ_BODY uint32_t cheq_clipped_level(const cheq_shares *shares, int32_t v, int32_t running) {
    const int32_t turns = (int32_t)(((float)v + 0.5f) * shares->turn) + 1;
    const int32_t extra = turns < shares->rest ? turns : shares->rest;
    return cheq_opencv_level((float)(running + extra), shares->scale);
}

/* clipped[i] = hist[i], at most `most`. */
CHEQ_BODY void cheq_clip_counts(const uint32_t *hist, size_t n, int32_t most, int32_t *clipped) {
    for (size_t i = 0; i < n; i++) {
        const int32_t count = (int32_t)hist[i];
        clipped[i] = count < most ? count : most;
    }
}

/* ---- tiles and what lies between them ---------------------------------------- */

/* Pixels of an axis that lie between the same two tiles. */
typedef struct {
    size_t begin, end;
    size_t first, second;
} cheq_stretch;

/* One axis of a plane. */
typedef struct {
    size_t length; /* pixels */
    size_t tiles;  /* of the grid */
    size_t used;   /* tiles that a pixel needs, the first ones; a grid may have more tiles than pixels */
    size_t tile;   /* pixels of a tile, some beyond the plane perhaps */
    int bits;      /* where a tile is 2^k pixels: weights are multiples of 2^-bits; else 0 */
    float *weights; /* of the second tile's LUT, one a pixel; the first one's is 1 - weight */
    cheq_stretch *stretches;
    size_t n_stretches; /* at most tiles + 1, and at most length */
} cheq_tile_axis;

/* Where pixel x lies: t = x * (1 / tile) - 0.5 tiles behind the first tile's center, each operation in float32. */
static inline float cheq_tile_position(size_t x, float inverse) {
    return (float)x * inverse - 0.5f;
}

/* Fill an axis whose arrays are there. */
static inline void cheq_tile_axis_fill(cheq_tile_axis *axis) {
    const float inverse = 1.0f / (float)axis->tile;
    const ptrdiff_t last = (ptrdiff_t)axis->tiles - 1;
    cheq_stretch *stretch = NULL;
    axis->n_stretches = 0;
    for (size_t x = 0; x < axis->length; x++) {
        const float t = cheq_tile_position(x, inverse), below = floorf(t);
        const ptrdiff_t tile = (ptrdiff_t)below, left = tile < 0 ? 0 : tile < last ? tile : last;
        const size_t first = (size_t)left, second = (size_t)(tile < last ? tile + 1 : last);
        axis->weights[x] = t - below;
        if (stretch == NULL || first != stretch->first || second != stretch->second) {
            stretch = &axis->stretches[axis->n_stretches++];
            *stretch = (cheq_stretch){x, x, first, second};
        }
        stretch->end = x + 1;
    }
    axis->used = stretch ? stretch->second + 1 : 0;
    axis->bits = 0;
    while (axis->bits < 16 && (size_t)1 << axis->bits < axis->tile) {
        axis->bits++;
    }
    axis->bits = (size_t)1 << axis->bits != axis->tile ? 0 : axis->bits > 1 ? axis->bits : 1;
}

/* Where the pixels from x on lie, of an axis that is mirrored at its ends, without the outermost ones, as often as need be
 * (cv2.BORDER_REFLECT_101): `run` of them, one step apart. */
typedef struct {
    size_t at, run;
    ptrdiff_t step;
} cheq_mirrored;

static inline cheq_mirrored cheq_mirror(size_t x, size_t length) {
    if (length == 1) {
        return (cheq_mirrored){0, SIZE_MAX, 0};
    }
    const size_t place = x % (2 * (length - 1));
    if (place < length) {
        return (cheq_mirrored){place, length - place, 1};
    }
    return (cheq_mirrored){2 * (length - 1) - place, 2 * (length - 1) - place, -1};
}

/* ---- interpolate -------------------------------------------------------------- */

/* The levels of four LUTs by a pixel's weights, horizontally first, in float32; half to even. */
CHEQ_BODY uint32_t cheq_blended(float upper_left, float upper_right, float lower_left, float lower_right, float right,
                                float below) {
    const float left = 1.0f - right, above = 1.0f - below;
    const float upper = upper_left * left + upper_right * right, lower = lower_left * left + lower_right * right;
    return cheq_opencv_level(upper * above + lower * below, 1.0f);
}

#endif
