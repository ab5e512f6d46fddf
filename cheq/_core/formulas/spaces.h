/* Gray, and the spaces whose lightness is equalized, each formula once, for one pixel. These are the definitions: the
 * kernels' vectors are proved equal to them on all 2^24 colors (tests/test_color.py). */
#ifndef CHEQ_SPACES_H
#define CHEQ_SPACES_H

#include "formulas/lab.h"

/* A weighted sum, (r R + g G + b B + 2^(bits-1)) >> bits; the weights add up to 2^bits. */
typedef struct {
    uint16_t r, g, b;
    int bits;
} cheq_weights;

/* Exact in 16 bits, twice the lanes of 32: the weights, made to add up to 2^16, for compilers make narrow vectors of
 * shifts that they know, have their two bytes multiplied apart. With the high bytes' sum h and the low bytes' sum l,
 *
 *     (256 h + l + 2^15) >> 16 = (h + (l >> 8) + 2^7) >> 8,
 *
 * as what l has below 2^8 reaches no kept bit. The low bytes of each rule's weights then add
 * up to 256, so l is at most 255 * 256, h at most 255 * 255, and their sum 65,408. */
CHEQ_BODY uint8_t cheq_weigh(cheq_weights w, uint8_t r, uint8_t g, uint8_t b) {
    const int up = 16 - w.bits;
    const uint16_t of_r = (uint16_t)(w.r << up), of_g = (uint16_t)(w.g << up), of_b = (uint16_t)(w.b << up);
    const uint8_t high_r = of_r >> 8, high_g = of_g >> 8, high_b = of_b >> 8;
    const uint8_t low_r = of_r & 255, low_g = of_g & 255, low_b = of_b & 255;
    const uint16_t high = (uint16_t)(high_r * r + high_g * g + high_b * b);
    const uint16_t low = (uint16_t)(low_r * r + low_g * g + low_b * b);
    return (uint8_t)((uint16_t)(high + (low >> 8) + 128) >> 8);
}

/* Channels of 16 bits: 65535 * 2^15 + 2^14 fits 32. */
CHEQ_BODY uint16_t cheq_weigh16(cheq_weights w, uint16_t r, uint16_t g, uint16_t b) {
    uint32_t sum = (uint32_t)w.r * r + (uint32_t)w.g * g + (uint32_t)w.b * b;
    return (uint16_t)((sum + (1u << (w.bits - 1))) >> w.bits);
}

/* OpenCV's YCrCb and YUV, where x / 2^14 is rounded, (x + 2^13) >> 14:
 *
 *     v = r_to_v (R - Y) / 2^14        R = Y + v_to_r v / 2^14
 *     u = b_to_u (B - Y) / 2^14        G = Y + (v_to_g v + u_to_g u) / 2^14
 *                                      B = Y + u_to_b u / 2^14
 *
 * v (Cr) and u (Cb) are what OpenCV stores less 128, or less 2^15 of 16 bits, so they saturate at
 * -128 and 127; R, G and B at 0 and 255. OpenCV's order of the two does not matter here. */
typedef struct {
    int r_to_v, b_to_u, v_to_r, v_to_g, u_to_g, u_to_b;
} cheq_chromas;

/* A space, or gray, which has a lightness alone. */
typedef struct {
    const char *name;
    cheq_weights luma; /* not of Lab */
    cheq_chromas chromas;
    int is_lab;
    const cheq_lab *lab; /* Lab's tables, for whoever has made them to put here */
} cheq_space;

/* OpenCV: COLOR_RGB2GRAY (modules/imgproc/src/color_rgb.simd.hpp); COLOR_RGB2YCrCb and COLOR_RGB2YUV, and back
 * (color_yuv.simd.hpp). Pillow: convert("L") (libImaging/Convert.c). */
enum { CHEQ_GRAY_OPENCV, CHEQ_GRAY_PILLOW, CHEQ_YCRCB, CHEQ_YUV, CHEQ_LAB, CHEQ_SPACE_COUNT };

static const cheq_space cheq_spaces[CHEQ_SPACE_COUNT] = {
    [CHEQ_GRAY_OPENCV] = {"opencv", .luma = {9798, 19235, 3735, 15}},
    [CHEQ_GRAY_PILLOW] = {"pillow", .luma = {19595, 38470, 7471, 16}},
    [CHEQ_YCRCB] = {"ycrcb", .luma = {4899, 9617, 1868, 14}, .chromas = {11682, 9241, 22987, -11698, -5636, 29049}},
    [CHEQ_YUV] = {"yuv", .luma = {4899, 9617, 1868, 14}, .chromas = {14369, 8061, 18678, -9519, -6472, 33292}},
    [CHEQ_LAB] = {"lab", .is_lab = 1},
};

/* (v x + w y) / 2^14, in two bytes as above, but the low ones from -128 to 127. With |x|
 * below 227 and y = 0, or both at most 128 and the weights of G, no sum passes 16 bits. */
#define CHEQ_HIGH(w) (((w) + 128) >> 8)
#define CHEQ_LOW(w) ((w) - 256 * CHEQ_HIGH(w))
CHEQ_BODY int16_t cheq_rescale(int v, int16_t x, int w, int16_t y) {
    const int16_t high_v = CHEQ_HIGH(v), high_w = CHEQ_HIGH(w), low_v = CHEQ_LOW(v), low_w = CHEQ_LOW(w);
    const int16_t high = (int16_t)(high_v * x + high_w * y), low = (int16_t)(low_v * x + low_w * y);
    return (int16_t)((int16_t)(high + (low >> 8) + 32) >> 6);
}

CHEQ_BODY int16_t cheq_saturate(int16_t x, int16_t least, int16_t most) {
    return (int16_t)(x < least ? least : x > most ? most : x);
}

CHEQ_BODY uint8_t cheq_chroma(int weight, uint8_t color, uint8_t y) {
    return (uint8_t)(128 + cheq_saturate(cheq_rescale(weight, (int16_t)(color - y), 0, 0), -128, 127));
}

/* v, u: as they are stored. */
CHEQ_BODY uint8_t cheq_color(uint8_t y, int v_weight, uint8_t v, int u_weight, uint8_t u) {
    const int16_t above = cheq_rescale(v_weight, (int16_t)(v - 128), u_weight, (int16_t)(u - 128));
    return (uint8_t)cheq_saturate((int16_t)(y + above), 0, 255);
}

/* The same of 16 bits, where 32768 stands for 128: 33292 * 32768 + 2^13 fits 31 bits. */
CHEQ_BODY int32_t cheq_saturate32(int32_t x, int32_t least, int32_t most) {
    return x < least ? least : x > most ? most : x;
}

CHEQ_BODY int32_t cheq_chroma16(int weight, uint16_t color, uint16_t y) {
    return cheq_saturate32((weight * ((int32_t)color - y) + (1 << 13)) >> 14, -32768, 32767);
}

CHEQ_BODY uint16_t cheq_color16(uint16_t y, int v_weight, int32_t v, int u_weight, int32_t u) {
    return (uint16_t)cheq_saturate32(y + ((v_weight * v + u_weight * u + (1 << 13)) >> 14), 0, 65535);
}

#endif
