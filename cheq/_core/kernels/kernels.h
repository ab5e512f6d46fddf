/* The contract of the kernels: the C routines that touch pixels.
 *
 * A kernel works on contiguous bytes and knows nothing of axes, strides,
 * planes or threads; plane.h turns every layout into contiguous blocks.
 * Each instruction set fills one table; dispatch.h lists the tables.
 *
 * For every kernel: lengths may be zero, pointers need no alignment, no byte
 * outside the stated lengths is read or written, nothing is allocated, and no
 * state is kept between calls. `room` is CHEQ_ROOM bytes, of any content, from the
 * beginning of a cache line on; NULL will do for fewer than CHEQ_NO_ROOM pixels.
 */
#ifndef CHEQ_KERNELS_H
#define CHEQ_KERNELS_H

#include "formulas/base.h"
#include "formulas/bins.h"
#include "formulas/clip.h"
#include "formulas/spaces.h"

/* Up to this total the kernels build LUTs, in 32 bits. */
#define CHEQ_TOTAL32 (INT32_MAX / 2)

/* So few pixels are counted in tables on the stack. */
#define CHEQ_NO_ROOM 1024

/* Planes whose pixels alternate in memory (RGB, RGBA) are moved together. */
#define CHEQ_MAX_CHANNELS 4

/* Where memory will be wanted after a count: about n bytes to read and n bytes to
 * write, either NULL for none. A kernel may fetch them meanwhile; it touches nothing. */
typedef struct {
    const uint8_t *read;
    const uint8_t *write;
} cheq_ahead;

/* Columns of a band, at least one, that share four LUTs. */
typedef struct {
    size_t begin, end;
    const void *luts[4]; /* upper left, upper right, lower left, lower right: of bytes, or of words */
} cheq_cell;

/* Rows of a plane, at least one, that lie between the same tiles. */
typedef struct {
    const uint8_t *pixels; /* dense rows, a step in bytes apart */
    ptrdiff_t pixels_step;
    uint8_t *out; /* pixels, with the same step, or does not overlap them */
    ptrdiff_t out_step;
    const uint8_t *next; /* about as many bytes as the band has are wanted soon, from here on; or NULL */
    size_t width, height;
    const cheq_cell *cells; /* from left to right, together all columns */
    size_t n_cells;
    const float *right; /* a column's weight of the right LUTs; the left ones' is 1 - right */
    const float *below; /* a row's weight of the lower LUTs */
    /* Where weights are multiples of 2^-bits, together at most 16 bits, integers give the same; else both are 0. */
    int right_bits, below_bits;
    uint32_t first; /* of words: the level that the LUTs begin with */
    size_t levels;  /* and how many they have */
} cheq_band;

typedef struct {
    const char *name;
    const char *needs; /* of the CPU, in the compiler's words: "avx2,bmi"; "" for nothing */

    /* hist[v] += the number of pixels of level v. The caller keeps the total
     * of all calls on one hist at or below UINT32_MAX. */
    void (*count)(const uint8_t *pixels, size_t n, uint32_t hist[CHEQ_LEVELS], cheq_ahead ahead, void *room);

    /* out[i] = lut[pixels[i]]. out is pixels, or does not overlap it. */
    void (*apply)(const uint8_t *pixels, uint8_t *out, size_t n,
                  const uint8_t lut[CHEQ_LEVELS]);

    /* count(next, n, hist) and apply(pixels, out, n, lut) in one loop: counting
     * is bound by stores, looking up by loads. out does not overlap next. What is
     * behind next is wanted next. */
    void (*count_apply)(const uint8_t *next, uint32_t hist[CHEQ_LEVELS],
                        const uint8_t *pixels, uint8_t *out, size_t n,
                        const uint8_t lut[CHEQ_LEVELS], void *room);

    /* The LUTs of methods "opencv" and "pillow" from a histogram whose total is at most
     * CHEQ_TOTAL32. Equal to their definitions (lut.h) for every such histogram. */
    void (*lut_opencv)(const uint32_t hist[CHEQ_LEVELS], uint8_t lut[CHEQ_LEVELS]);
    void (*lut_pillow)(const uint32_t hist[CHEQ_LEVELS], uint8_t lut[CHEQ_LEVELS]);

    /* Append the pixels whose mask byte is not zero to out, which has room for
     * n bytes; the bytes after the last selected one may be overwritten, up to
     * out + n. Returns how many were selected. */
    size_t (*select)(const uint8_t *pixels, const uint8_t *mask, size_t n, uint8_t *out);

    /* to[i] = from[i * step]; and the way back, to[i * step] = from[i]. */
    void (*gather)(const uint8_t *from, ptrdiff_t step, size_t n, uint8_t *to);
    void (*scatter)(const uint8_t *from, size_t n, uint8_t *to, ptrdiff_t step);

    /* Pixels whose channels alternate, 2 to CHEQ_MAX_CHANNELS of them:
     * to[c][i] = from[i * channels + c]; and the way back. */
    void (*split)(const uint8_t *from, int channels, size_t n, uint8_t *const *to);
    void (*merge)(const uint8_t *const *from, int channels, size_t n, uint8_t *to);

    /* split, apply each channel's LUT and merge in one pass, for n pixels:
     *     out[i * channels + c] = luts[c][pixels[i * channels + c]]
     * or, where out's channels are in the reversed order, ... + channels - 1 - c].
     * out is pixels, in its own order, or does not overlap it. NULL where this is no
     * faster than the three. */
    void (*apply_channels)(const uint8_t *pixels, uint8_t *out, size_t n, int channels, int reversed,
                           const uint8_t *const *luts);

    /* Of floats, float32 or float64 by their bytes: lower *smallest and raise *largest to the pixels' and
     * return 1; or, if one of them is not finite, return 0 and leave both in any state. */
    int (*bounds)(const uint8_t *pixels, int bytes, size_t n, double *smallest, double *largest);

    /* The bin of each pixel, for pixels within the bins, none of them NaN, goes up in one of the tables, 1 or 4,
     * whichever, each of which has all bins. */
    void (*count_floats)(const uint8_t *pixels, int bytes, size_t n, const cheq_value_bins *bins, uint64_t *hist,
                         size_t tables);

    /* to[i] = np.interp(pixels[i]), to_bytes being 4 only where bytes are. to is pixels, of as many bytes, or does
     * not overlap it. */
    void (*interpolate)(const uint8_t *pixels, int bytes, uint8_t *to, int to_bytes, size_t n, const cheq_curve *curve);

    /* The lightness of R, G, B in a space, or their gray; `to` overlaps none of them. */
    void (*lightness)(const cheq_space *space, uint8_t *const *rgb, size_t n, uint8_t *to);

    /* The weighted sum for channels of 16 bits: the first pixel's R at `at`, the channels `stride`
     * and the pixels `step` bytes apart; swapped: in the other byte order. */
    void (*gray16)(const cheq_weights *weights, const uint8_t *at, ptrdiff_t stride, ptrdiff_t step, int swapped,
                   size_t n, uint16_t *gray);

    /* R, G, B become lightness and two chromas, bytes as OpenCV stores them, where they lie; and the way back. */
    void (*to_space)(const cheq_space *space, uint8_t *const *rgb, size_t n);
    void (*from_space)(const cheq_space *space, uint8_t *const *channels, size_t n);

    /* R, G, B of 16 bits get another lightness, of YCrCb or YUV; it overlaps none of them. */
    void (*recolor16)(const cheq_space *space, uint16_t *const *rgb, const uint16_t *lightness, size_t n);

    /* Lightness, and another lightness, for n pixels of 3 or 4 bytes, whose first three are the
     * channels, in one pass: where luma_dense is 0, which says that it would be no faster for
     * the others, of Lab alone. R is byte `first`, 0 or 2, and B the other. Of the pixels `size`
     * bytes are read, one less than all where the last is not theirs. */
    int luma_dense;
    void (*lightness_dense)(const cheq_space *space, const uint8_t *pixels, int channels, int first, size_t size,
                            size_t n, uint8_t *to);
    /* The lightness becomes that of the LUT or, where this is NULL, the new one; a fourth byte
     * is kept. out is pixels, or does not overlap it. */
    void (*recolor_dense)(const cheq_space *space, const uint8_t *pixels, uint8_t *out, size_t n, int channels,
                          int first, const uint8_t *lut, const uint8_t *lightness);

    /* The LUTs of tiles side by side, at least one, of at most 255 pixels each, which are all counted: rows of dense
     * pixels, a step apart. */
    void (*lut_few)(const uint8_t *pixels, ptrdiff_t step, size_t width, size_t height, size_t tiles,
                    const cheq_clip *clip, uint8_t *luts);

    /* The LUT of a tile from its histogram (clip.h), of bytes; and of words, where hist has the n levels from
     * `first` on, no pixel has others, and hist is left zeros. */
    void (*lut_clip)(const uint32_t hist[CHEQ_LEVELS], const cheq_clip *clip, uint8_t lut[CHEQ_LEVELS]);
    void (*lut_clip16)(uint32_t *hist, uint32_t first, size_t n, const cheq_clip *clip, uint16_t *lut);

    /* out = cheq_blended (clip.h) of what the four LUTs of a pixel's cell have for its level: of bytes; and of words,
     * whose room is CHEQ_ROOM16 bytes. */
    void (*blend)(const cheq_band *band, void *room);
    void (*blend16)(const cheq_band *band, void *room);
} cheq_kernels;

/* A template of kernels (floats.h, channels.h, tiles.h) is included once for each instruction set, with
 *
 *     CHEQ_ISA         the end of its kernels' names
 *     CHEQ_ATTRIBUTES  its functions' attributes: the instructions they may use */
#define CHEQ_PASTE(name, isa) cheq_##name##_##isa
#define CHEQ_PASTE_VALUES(name, isa) CHEQ_PASTE(name, isa)
#define CHEQ_NAME(name) CHEQ_PASTE_VALUES(name, CHEQ_ISA)

#endif
