/* OpenCV's Lab of bytes, COLOR_RGB2LAB and COLOR_LAB2RGB (modules/imgproc/src/color_lab.cpp), in whole numbers: its
 * tables by their formulas, and the steps between them. */
#ifndef CHEQ_LAB_H
#define CHEQ_LAB_H

#include <math.h>

#include "formulas/base.h"

enum {
    CHEQ_LINEAR_ONE = 2040, /* linear light, and X, Y, Z, of 1 */
    CHEQ_LAB_COLORS = 4096, /* R, G, B on the way back: 0 to 4095 */
    CHEQ_LAB_DIRECT = 1024, /* from here on those of one value of 8 bits are 16 or more */
    CHEQ_LAB_TABLE = 2048   /* X, Y, Z, to a power of two */
};

/* Words lie in two tables of bytes where byte permutes look them up. */
typedef struct {
    uint16_t linear[256];            /* the linear light of R, G, B, 0 to 2040 */
    uint16_t root[CHEQ_LAB_TABLE];   /* f(X), f(Y), f(Z), 4520 to 32768 */
    uint8_t lightness[CHEQ_LAB_TABLE]; /* L of Y */
    uint16_t y[256], root_y[256];    /* Y and f(Y) of L, where 1 is 2^14 */
    uint8_t color[CHEQ_LAB_COLORS];  /* R, G, B of linear light, where 1 is 2^12 */
} cheq_lab;

/* ---- the tables' formulas ------------------------------------------------- */

/* sRGB's curve. Doubles suffice: no rounded value that follows is nearer than 7e-5 to a half. */
static inline double cheq_linear(double x) {
    return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

/* The smallest of 4,096 values that is `level`, and not the one below. */
static inline int cheq_first_of_color(int level) {
    return (int)ceil(4096 * cheq_linear((level - 0.5) / 255));
}

/* f(i / 2040) * 2^15, rounded: up to 18 the line, above the largest n with ((n - 1/2) / 2^15)^3 <= i / 2040, in whole
 * numbers of 60 bits, as floats trap one: 17745.4999... of i = 324. `n` is the last one's, from which it rises.
 * OpenCV's own root is cut off to 24 bits and then rounded, which two values do not survive: it has 9454.5 - 2^-11 as
 * 9454, and 22125.499 as 22125.5, hence 22126. */
static inline uint32_t cheq_lab_root(uint32_t i, uint32_t n) {
    if (i <= 18) {
        return (uint32_t)(32768 * (i / 2040.0 * 841 / 108 + 4 / 29.0) + 0.5);
    }
    const uint64_t most = (uint64_t)i << 48;
    for (uint64_t next = 2 * (uint64_t)n + 1; next * next * next * CHEQ_LINEAR_ONE <= most; next += 2) {
        n++;
    }
    return n;
}

/* OpenCV's L, a, b of f(X), f(Y), f(Z). */
CHEQ_BODY uint8_t cheq_lab_lightness(uint16_t fy) {
    return (uint8_t)((296 * fy - 1336934 + (1 << 14)) >> 15);
}

CHEQ_BODY uint8_t cheq_lab_chroma(int weight, uint16_t f, uint16_t g) {
    const int x = 128 + ((weight * (f - g) + (1 << 14)) >> 15);
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

static inline void cheq_lab_make(cheq_lab *lab) {
    uint32_t root = 0;
    for (uint32_t i = 0; i < CHEQ_LAB_TABLE; i++) {
        root = cheq_lab_root(i, root);
        lab->root[i] = (uint16_t)(i == 49 ? 9454 : i == 628 ? 22126 : root);
        lab->lightness[i] = cheq_lab_lightness(lab->root[i]);
    }
    for (int v = 0; v < 256; v++) {
        const double l = 100 * v / 255.0, f = (l + 16) / 116, low = l * 27 / 24389;
        lab->linear[v] = (uint16_t)(2040 * cheq_linear(v / 255.0) + 0.5);
        lab->root_y[v] = (uint16_t)(16384 * f + 0.5);
        lab->y[v] = (uint16_t)(16384 * (v <= 20 ? low : f * f * f) + 0.5);
        const int first = v ? cheq_first_of_color(v) : 0, last = v < 255 ? cheq_first_of_color(v + 1) : CHEQ_LAB_COLORS;
        memset(lab->color + first, v, (size_t)(last - first));
    }
}

/* ---- there ---------------------------------------------------------------- */

/* X, Y, Z of linear r, g, b: sRGB's matrix over the white of D65, rows that add up to 2^12. */
typedef struct {
    int r, g, b;
} cheq_lab_row;

static const cheq_lab_row cheq_lab_x = {1777, 1541, 778}, cheq_lab_y = {871, 2929, 296}, cheq_lab_z = {73, 448, 3575};

CHEQ_BODY uint16_t cheq_lab_xyz(cheq_lab_row w, uint16_t r, uint16_t g, uint16_t b) {
    return (uint16_t)((w.r * r + w.g * g + w.b * b + (1 << 11)) >> 12);
}

/* ---- back ----------------------------------------------------------------- */

/* f(X) and f(Z), where 1 is 2^14, of f(Y) and a, b as they are stored. */
CHEQ_BODY int16_t cheq_lab_fx(uint16_t fy, uint8_t a) {
    return (int16_t)(fy + ((268435 * a + 128) >> 13) - 4194);
}

CHEQ_BODY int16_t cheq_lab_fz(uint16_t fy, uint8_t b) {
    return (int16_t)(fy - ((41943 * b + 16) >> 9) + 10484);
}

/* X, Z: 17 bits and a sign. */
CHEQ_BODY int32_t cheq_lab_cube(int16_t f) {
    return f <= 3390 ? 108 * f / 841 - 290 : (((f * f) >> 14) * f) >> 14;
}

/* r, g, b of X, Y, Z: the matrix' inverse. */
typedef struct {
    int x, y, z;
} cheq_lab_column;

static const cheq_lab_column cheq_lab_r = {12615, -6296, -2223}, cheq_lab_g = {-3773, 7684, 185},
                             cheq_lab_b = {217, -836, 4715};

CHEQ_BODY uint16_t cheq_lab_rgb(cheq_lab_column w, int32_t x, int32_t y, int32_t z) {
    const int32_t sum = (w.x * x + w.y * y + w.z * z + (1 << 13)) >> 14;
    return (uint16_t)(sum < 0 ? 0 : sum > CHEQ_LAB_COLORS - 1 ? CHEQ_LAB_COLORS - 1 : sum);
}

#endif
