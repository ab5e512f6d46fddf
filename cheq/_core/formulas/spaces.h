/* Gray and YCrCb, each formula once, for one pixel. These are the definitions: the kernels'
 * vectors are proved equal to them on all 2^24 colors (tests/test_color.py). */
#ifndef CHEQ_SPACES_H
#define CHEQ_SPACES_H

#include "formulas/base.h"

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

#endif
