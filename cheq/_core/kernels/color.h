/* Gray and YCrCb, each formula once, for one pixel; and the loops over dense channels that
 * each instruction set has of them. This is the definition: vectors (color256.h) are
 * proved equal to it on all 2^24 colours (tests/test_color.py). */
#ifndef CHEQ_COLOR_H
#define CHEQ_COLOR_H

#include "kernels/dispatch.h"

/* ---- formulas ----------------------------------------------------------- */

/* A weighted sum, (r R + g G + b B + 2^(bits-1)) >> bits; the weights add up to 2^bits. */
typedef struct {
    uint16_t r, g, b;
    int bits;
} cheq_weights;

/* OpenCV: COLOR_RGB2GRAY (modules/imgproc/src/color_rgb.simd.hpp), and the Y of
 * COLOR_RGB2YCrCb (color_yuv.simd.hpp). Pillow: convert("L") (libImaging/Convert.c). */
static const cheq_weights cheq_gray_opencv = {9798, 19235, 3735, 15};
static const cheq_weights cheq_gray_pillow = {19595, 38470, 7471, 16};
static const cheq_weights cheq_luma_opencv = {4899, 9617, 1868, 14};

/* Exact in 16 bits, twice the lanes of 32: a weight's two bytes are multiplied apart. With
 * the high bytes' sum h and the low bytes' sum l,
 *
 *     (256 h + l + 2^(bits-1)) >> bits = (h + (l >> 8) + 2^(bits-9)) >> (bits-8),
 *
 * as what l has below 2^8 reaches no kept bit. The low bytes of each rule's weights add
 * up to 256, so l is at most 255 * 256, h at most 255 * 255, and their sum 65,408. */
CHEQ_BODY uint8_t cheq_weigh(cheq_weights w, uint8_t r, uint8_t g, uint8_t b) {
    uint16_t high = (uint16_t)((w.r >> 8) * r + (w.g >> 8) * g + (w.b >> 8) * b);
    uint16_t low = (uint16_t)((w.r & 255) * r + (w.g & 255) * g + (w.b & 255) * b);
    uint16_t sum = (uint16_t)(high + (low >> 8) + (1 << (w.bits - 9)));
    return (uint8_t)(sum >> (w.bits - 8));
}

/* Channels of 16 bits: 65535 * 2^15 + 2^14 fits 32. */
CHEQ_BODY uint16_t cheq_weigh16(cheq_weights w, uint16_t r, uint16_t g, uint16_t b) {
    uint32_t sum = (uint32_t)w.r * r + (uint32_t)w.g * g + (uint32_t)w.b * b;
    return (uint16_t)((sum + (1u << (w.bits - 1))) >> w.bits);
}

/* OpenCV's YCrCb (color_yuv.simd.hpp), where x / 2^14 is rounded, (x + 2^13) >> 14:
 *
 *     Cr = 11682 (R - Y) / 2^14        R = Y + 22987 Cr / 2^14
 *     Cb =  9241 (B - Y) / 2^14        G = Y + (-11698 Cr - 5636 Cb) / 2^14
 *                                      B = Y + 29049 Cb / 2^14
 *
 * Cr and Cb are what OpenCV stores less 128, so they saturate at -128 and 127; R, G and B
 * at 0 and 255. */
enum {
    CHEQ_R_TO_CR = 11682,
    CHEQ_B_TO_CB = 9241,
    CHEQ_CR_TO_R = 22987,
    CHEQ_CR_TO_G = -11698,
    CHEQ_CB_TO_G = -5636,
    CHEQ_CB_TO_B = 29049
};

/* (v x + w y) / 2^14, in two bytes as above, but the low ones from -128 to 127. With |x|
 * below 227 and y = 0, or both at most 128 and the weights of G, no sum passes 16 bits. */
#define CHEQ_HIGH(w) (((w) + 128) >> 8)
#define CHEQ_LOW(w) ((w) - 256 * CHEQ_HIGH(w))
CHEQ_BODY int16_t cheq_rescale(int v, int16_t x, int w, int16_t y) {
    int16_t high = (int16_t)(CHEQ_HIGH(v) * x + CHEQ_HIGH(w) * y);
    int16_t low = (int16_t)(CHEQ_LOW(v) * x + CHEQ_LOW(w) * y);
    return (int16_t)((int16_t)(high + (low >> 8) + 32) >> 6);
}

CHEQ_BODY int16_t cheq_saturate(int16_t x, int16_t least, int16_t most) {
    return (int16_t)(x < least ? least : x > most ? most : x);
}

CHEQ_BODY int16_t cheq_chroma(int weight, uint8_t color, uint8_t y) {
    return cheq_saturate(cheq_rescale(weight, (int16_t)(color - y), 0, 0), -128, 127);
}

CHEQ_BODY uint8_t cheq_color(uint8_t y, int v, int16_t cr, int w, int16_t cb) {
    return (uint8_t)cheq_saturate((int16_t)(y + cheq_rescale(v, cr, w, cb)), 0, 255);
}

/* ---- loops -------------------------------------------------------------- */

typedef struct {
    /* gray[i] = the weighted sum of rgb[0][i], rgb[1][i], rgb[2][i]; gray overlaps none of them. */
    void (*gray)(const cheq_weights *weights, uint8_t *const *rgb, size_t n, uint8_t *gray);

    /* The same for channels of 16 bits: the first pixel's R at `at`, the channels `stride`
     * and the pixels `step` bytes apart; swapped: in the other byte order. */
    void (*gray16)(const cheq_weights *weights, const uint8_t *at, ptrdiff_t stride, ptrdiff_t step, int swapped,
                   size_t n, uint16_t *gray);

    /* rgb, whose Y is y, get another Y. */
    void (*recolor)(uint8_t *const *rgb, const uint8_t *y, const uint8_t *new_y, size_t n);

    /* Both for n pixels of 3 or 4 bytes, whose first three are the channels, in one pass; NULL
     * where that is no faster. Of the pixels `size` bytes are read, one less than all where
     * the last is not theirs. The weights are in memory's order. */
    void (*gray_dense)(const cheq_weights *weights, const uint8_t *pixels, int channels, size_t size, size_t n,
                       uint8_t *gray);
    /* The Y becomes that of the LUT; a fourth byte is kept. R is byte `first`, 0 or 2, and B
     * the other. out is pixels, or does not overlap it. */
    void (*recolor_dense)(const uint8_t *pixels, uint8_t *out, size_t n, int channels, int first,
                          const uint8_t lut[CHEQ_LEVELS]);
} cheq_color_kernels;

static void cheq_gray_scalar(const cheq_weights *weights, uint8_t *const *rgb, size_t n, uint8_t *restrict gray) {
    const cheq_weights w = *weights;
    const uint8_t *restrict r = rgb[0], *restrict g = rgb[1], *restrict b = rgb[2];
    for (size_t i = 0; i < n; i++) {
        gray[i] = cheq_weigh(w, r[i], g[i], b[i]);
    }
}

static void cheq_recolor_scalar(uint8_t *const *rgb, const uint8_t *restrict y, const uint8_t *restrict new_y,
                                size_t n) {
    uint8_t *restrict r = rgb[0], *restrict g = rgb[1], *restrict b = rgb[2];
    for (size_t i = 0; i < n; i++) {
        const int16_t cr = cheq_chroma(CHEQ_R_TO_CR, r[i], y[i]);
        const int16_t cb = cheq_chroma(CHEQ_B_TO_CB, b[i], y[i]);
        r[i] = cheq_color(new_y[i], CHEQ_CR_TO_R, cr, 0, 0);
        g[i] = cheq_color(new_y[i], CHEQ_CR_TO_G, cr, CHEQ_CB_TO_G, cb);
        b[i] = cheq_color(new_y[i], 0, 0, CHEQ_CB_TO_B, cb);
    }
}

CHEQ_BODY uint16_t cheq_load16(const uint8_t *at, int swapped) {
    uint16_t x;
    memcpy(&x, at, sizeof x); /* no alignment is asked for */
    return swapped ? (uint16_t)(x << 8 | x >> 8) : x;
}

CHEQ_BODY void cheq_gray16_by(cheq_weights w, const uint8_t *at, ptrdiff_t stride, ptrdiff_t step, int swapped,
                              size_t n, uint16_t *restrict gray) {
    for (size_t i = 0; i < n; i++, at += step) {
        gray[i] = cheq_weigh16(w, cheq_load16(at, swapped), cheq_load16(at + stride, swapped),
                               cheq_load16(at + 2 * stride, swapped));
    }
}

/* Strides known to the compiler leave vectors: channels apart, and dense RGB. */
CHEQ_BODY void cheq_gray16_body(const cheq_weights *weights, const uint8_t *at, ptrdiff_t stride, ptrdiff_t step,
                                int swapped, size_t n, uint16_t *gray) {
    if (step == 2) {
        cheq_gray16_by(*weights, at, stride, 2, swapped, n, gray);
    } else if (stride == 2 && step == 6) {
        cheq_gray16_by(*weights, at, 2, 6, swapped, n, gray);
    } else {
        cheq_gray16_by(*weights, at, stride, step, swapped, n, gray);
    }
}

static void cheq_gray16_scalar(const cheq_weights *weights, const uint8_t *at, ptrdiff_t stride, ptrdiff_t step,
                               int swapped, size_t n, uint16_t *gray) {
    cheq_gray16_body(weights, at, stride, step, swapped, n, gray);
}

#if CHEQ_X86
#include "kernels/x86/color256.h"
#include "kernels/x86/color512.h"
#endif

/* In the order of cheq_tables_of_kernels. */
static const cheq_color_kernels cheq_tables_of_color[] = {
    {.gray = cheq_gray_scalar, .gray16 = cheq_gray16_scalar, .recolor = cheq_recolor_scalar},
#if CHEQ_X86
    {.gray = cheq_gray_avx2, .gray16 = cheq_gray16_avx2, .recolor = cheq_recolor_avx2},
    {.gray = cheq_gray_avx2, .gray16 = cheq_gray16_avx2, .recolor = cheq_recolor_avx2,
     .gray_dense = cheq_gray_dense_avx512, .recolor_dense = cheq_recolor_dense_avx512},
#elif CHEQ_ARM64
    {.gray = cheq_gray_scalar, .gray16 = cheq_gray16_scalar, .recolor = cheq_recolor_scalar}, /* the compiler's vectors */
#endif
};

_Static_assert(sizeof cheq_tables_of_color / sizeof cheq_tables_of_color[0] == CHEQ_KERNEL_COUNT,
               "each table of kernels needs its colours");

#endif
