/* OpenCV's Lab of bytes, COLOR_RGB2LAB and COLOR_LAB2RGB (modules/imgproc/src/color_lab.cpp), in whole numbers: its
 * tables by their formulas, and the steps between them. */
#ifndef CHEQ_LAB_H
#define CHEQ_LAB_H

#include <math.h>

#include "formulas/base.h"

enum {
    CHEQ_LINEAR_ONE = 2040, /* linear light, and X, Y, Z, of 1 */
    CHEQ_LAB_TABLE = 2048,  /* X, Y, Z, to a power of two */
    CHEQ_LAB_COLORS = 4096, /* linear r, g, b on the way back, where 1 is 2^12 */
};

/* Factors, all of 16 bits. They lie beside the tables, in memory: where a compiler knows them, it may take a product
 * apart into shifts and sums of 32 bits. */
typedef struct {
    int16_t r, b;
} cheq_lab_row;

typedef struct {
    int16_t x, y, z;
} cheq_lab_column;

typedef struct {
    cheq_lab_row x, y, z;    /* sRGB's matrix over the white of D65, in 2^-12; with that of G they add up to 2^12 */
    cheq_lab_column r, g, b; /* its inverse */
    int16_t lightness, a, b_of_lab; /* 296, 500 and 200, doubled */
    int16_t a_to_fx, b_to_fz;       /* of 268435 / 2^13 and 41943 / 2^9 what is not whole */
    int16_t line, line_parts, line_inverse; /* 108 / 841, and 2^16 times that, cut off */
} cheq_lab_factors;

static const cheq_lab_factors cheq_lab_of_opencv = {
    .x = {1777, 778}, .y = {871, 296}, .z = {73, 3575},
    .r = {12615, -6296, -2223}, .g = {-3773, 7684, 185}, .b = {217, -836, 4715},
    .lightness = 2 * 296, .a = 2 * 500, .b_of_lab = 2 * 200,
    .a_to_fx = 268435 - (32 << 13), .b_to_fz = 41943 - (81 << 9),
    .line = 108, .line_parts = 841, .line_inverse = 8416,
};

typedef struct {
    cheq_lab_factors by;
    uint16_t linear[256]; /* the linear light of R, G, B, 0 to 2040 */
    uint64_t xy[3][256];  /* what each of R, G, B adds to X and, 32 bits above, to Y */
    uint32_t y_sum[3][256], z[3][256];
    uint16_t root[CHEQ_LAB_TABLE];     /* f(X), f(Y), f(Z), 4520 to 32768 */
    _Alignas(64) uint8_t lightness[CHEQ_LAB_TABLE]; /* L of Y */
    uint16_t y[256], root_y[256];      /* Y and f(Y) of L, where 1 is 2^14 */
    uint32_t y_pair[256];              /* both, f(Y) in the upper half */
    _Alignas(64) uint8_t color[CHEQ_LAB_COLORS];    /* R, G, B of linear light */

    /* The same for kernels that permute bytes: low and high ones apart; what a and b add to f(Y) for f(X) and f(Z);
     * and, as colors from 1,024 on rise at most once in sixteen, the first of sixteen and where they rise, or 16. */
    _Alignas(64) uint8_t linear_bytes[2][256], root_bytes[2][CHEQ_LAB_TABLE], y_bytes[2][256], root_y_bytes[2][256];
    uint8_t fx_bytes[2][256], fz_bytes[2][256], color_first[256], color_rise[256];
} cheq_lab;

/* ---- products of 16 bits, of which vectors hold twice as many as of 32 ------ */

CHEQ_BODY int16_t cheq_high(int16_t x, int16_t y) {
    return (int16_t)((int32_t)x * y >> 16);
}

CHEQ_BODY uint16_t cheq_high_unsigned(uint16_t x, uint16_t y) {
    return (uint16_t)((uint32_t)x * y >> 16);
}

CHEQ_BODY uint16_t cheq_low(uint16_t x, uint16_t y) {
    return (uint16_t)((uint32_t)x * y);
}

/* x y / 2^16, rounded. */
CHEQ_BODY int16_t cheq_high_rounded(int16_t x, int16_t y) {
    return (int16_t)(cheq_high(x, y) + (cheq_low((uint16_t)x, (uint16_t)y) >> 15));
}

/* ---- the tables' formulas ------------------------------------------------- */

/* sRGB's curve. Doubles suffice: no rounded value that follows is nearer than 7e-5 to a half. */
static inline double cheq_linear(double x) {
    return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

/* The smallest of 4,096 values that is `level`, and not the one below. */
static inline int cheq_first_of_color(int level) {
    return (int)ceil(CHEQ_LAB_COLORS * cheq_linear((level - 0.5) / 255));
}

/* f(i / 2040) * 2^15, rounded: up to 18 the line, above the largest n with ((n - 1/2) / 2^15)^3 <= i / 2040, in whole
 * numbers of 60 bits: a root in floats can be wrong where it is near a half, as of 324. `n` is the last one's. */
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

/* OpenCV's (296 f(Y) - 1336934 + 2^14) >> 15. 1336934 is 296 * 17801 - 120 * 2^15, less 2, which multiples of 8 do not
 * carry. */
CHEQ_BODY uint8_t cheq_lab_lightness(const cheq_lab_factors *by, uint16_t fy) {
    return (uint8_t)(120 + cheq_high_rounded((int16_t)(fy - 17801), by->lightness));
}

/* ---- there ---------------------------------------------------------------- */

/* X, Y and Z of R, G, B, each (weighted sum of linear light + 2^11) >> 12: sums of three entries of tables, of which
 * those of Y are the upper halves of `xy` too. */
typedef struct {
    uint16_t x, y, z;
} cheq_lab_xyz;

CHEQ_BODY cheq_lab_xyz cheq_lab_xyz_of(const cheq_lab *lab, uint8_t r, uint8_t g, uint8_t b) {
    const uint64_t xy = lab->xy[0][r] + lab->xy[1][g] + lab->xy[2][b];
    const uint32_t z = lab->z[0][r] + lab->z[1][g] + lab->z[2][b];
    const cheq_lab_xyz xyz = {(uint16_t)((uint32_t)xy >> 12), (uint16_t)(xy >> 44), (uint16_t)(z >> 12)};
    return xyz;
}

CHEQ_BODY uint16_t cheq_lab_y_of(const cheq_lab *lab, uint8_t r, uint8_t g, uint8_t b) {
    return (uint16_t)((lab->y_sum[0][r] + lab->y_sum[1][g] + lab->y_sum[2][b]) >> 12);
}

/* a of f(X) and f(Y), and b of f(Y) and f(Z): (500 or 200 times the difference + 2^14) >> 15, as stored. */
CHEQ_BODY uint8_t cheq_lab_chroma(int16_t doubled, uint16_t f, uint16_t g) {
    const int16_t x = (int16_t)(128 + cheq_high_rounded((int16_t)(f - g), doubled));
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

/* ---- back ----------------------------------------------------------------- */

/* f(X), where 1 is 2^14, of f(Y) and a as stored: f(Y) + ((268435 a + 128) >> 13) - 4194. */
CHEQ_BODY int16_t cheq_lab_fx(const cheq_lab_factors *by, uint16_t fy, uint8_t a) {
    const uint16_t eight = (uint16_t)(8 * a), low = cheq_low(eight, (uint16_t)by->a_to_fx);
    const uint16_t high = cheq_high_unsigned(eight, (uint16_t)by->a_to_fx);
    return (int16_t)(fy + 32 * a + high + (low >= 65536 - 8 * 128) - 4194);
}

/* f(Z): f(Y) - ((41943 b + 16) >> 9) + 10484. */
CHEQ_BODY int16_t cheq_lab_fz(const cheq_lab_factors *by, uint16_t fy, uint8_t b) {
    const uint16_t many = (uint16_t)(128 * b), low = cheq_low(many, (uint16_t)by->b_to_fz);
    const uint16_t high = cheq_high_unsigned(many, (uint16_t)by->b_to_fz);
    return (int16_t)(fy - 81 * b - high - (low >= 65536 - 128 * 16) + 10484);
}

/* X and Z of f: up to 3390 trunc(108 f / 841) - 290, which is 145 there, and above (f^2 >> 14) f >> 14, which is 145
 * there too; so either of one f, and 145 of the other, which is held at 3390. The quotient by a product, one too
 * low at most as f is -8145 or more, is set right by its remainder. */
CHEQ_BODY int16_t cheq_lab_line(const cheq_lab_factors *by, int16_t f) {
    const int16_t low = (int16_t)(f < 3390 ? f : 3390);
    const uint16_t size = (uint16_t)(low < 0 ? -low : low);
    const uint16_t quotient = cheq_high_unsigned(size, (uint16_t)by->line_inverse);
    const int16_t rest = (int16_t)(cheq_low(size, (uint16_t)by->line) - cheq_low(quotient, (uint16_t)by->line_parts));
    const int16_t whole = (int16_t)(quotient + (rest >= by->line_parts));
    return (int16_t)((low < 0 ? -whole : whole) - 290);
}

/* X has 15 bits. */
CHEQ_BODY int16_t cheq_lab_cube(const cheq_lab_factors *by, int16_t f) {
    const uint16_t twice = (uint16_t)(2 * (f > 3390 ? f : 3390)), square = cheq_high_unsigned(twice, twice);
    return (int16_t)(cheq_high_unsigned((uint16_t)(2 * square), twice) - 145 + cheq_lab_line(by, f));
}

/* Z has 17, and a sign: four times `fours`, and `rest`. */
typedef struct {
    int16_t fours, rest;
} cheq_lab_value;

CHEQ_BODY cheq_lab_value cheq_lab_cube17(const cheq_lab_factors *by, int16_t f) {
    const uint16_t high = (uint16_t)(f > 3390 ? f : 3390), twice = (uint16_t)(2 * high);
    const uint16_t square = cheq_high_unsigned(twice, twice), ones = cheq_low(square, high) >> 14;
    const cheq_lab_value z = {
        (int16_t)cheq_high_unsigned(square, high), (int16_t)(ones - 145 + cheq_lab_line(by, f)),
    };
    return z;
}

/* Linear r, g or b of X, Y, Z. */
CHEQ_BODY uint16_t cheq_lab_rgb(cheq_lab_column w, int16_t x, int16_t y, cheq_lab_value z) {
    const int16_t most = CHEQ_LAB_COLORS - 1, of_fours = (int16_t)(4 * w.z);
    const int32_t sum = w.x * x + w.y * y + of_fours * z.fours + w.z * z.rest + (1 << 13);
    const int16_t value = (int16_t)(sum >> 14);
    return (uint16_t)(value < 0 ? 0 : value > most ? most : value);
}

/* ---- the tables ----------------------------------------------------------- */

static inline void cheq_put_bytes(uint16_t word, uint8_t *low, uint8_t *high) {
    *low = (uint8_t)word;
    *high = (uint8_t)(word >> 8);
}

/* OpenCV's roots are of i / 2040 in float32, cut off to 24 bits, and then rounded, half to even: 9454.50014 becomes
 * 9454.5 and 9454; 22125.499995, of which float32 makes 22125.5003, becomes 22125.5 and 22126. */
static inline void cheq_lab_make_words(cheq_lab *lab) {
    uint32_t root = 0;
    for (uint32_t i = 0; i < CHEQ_LAB_TABLE; i++) {
        root = cheq_lab_root(i, root);
        lab->root[i] = (uint16_t)(i == 49 ? 9454 : i == 628 ? 22126 : root);
        lab->lightness[i] = cheq_lab_lightness(&lab->by, lab->root[i]);
    }
    for (int v = 0; v < 256; v++) {
        const double l = 100 * v / 255.0, f = (l + 16) / 116, low = l * 27 / 24389;
        const int first = v ? cheq_first_of_color(v) : 0, last = v < 255 ? cheq_first_of_color(v + 1) : CHEQ_LAB_COLORS;
        lab->linear[v] = (uint16_t)(2040 * cheq_linear(v / 255.0) + 0.5);
        lab->root_y[v] = (uint16_t)(16384 * f + 0.5);
        lab->y[v] = (uint16_t)(16384 * (v <= 20 ? low : f * f * f) + 0.5);
        lab->y_pair[v] = (uint32_t)lab->root_y[v] << 16 | lab->y[v];
        memset(lab->color + first, v, (size_t)(last - first));
    }
}

/* What level v of channel c adds to a row's sum, and 2^11 once. */
static inline uint32_t cheq_lab_product(const cheq_lab *lab, cheq_lab_row w, int c, int v) {
    const int weight = c == 0 ? w.r : c == 1 ? 4096 - w.r - w.b : w.b;
    return (uint32_t)(weight * lab->linear[v] + (c == 0 ? 1 << 11 : 0));
}

static inline void cheq_lab_make_sums(cheq_lab *lab) {
    for (int c = 0; c < 3; c++) {
        for (int v = 0; v < 256; v++) {
            lab->y_sum[c][v] = cheq_lab_product(lab, lab->by.y, c, v);
            lab->z[c][v] = cheq_lab_product(lab, lab->by.z, c, v);
            lab->xy[c][v] = (uint64_t)lab->y_sum[c][v] << 32 | cheq_lab_product(lab, lab->by.x, c, v);
        }
    }
}

static inline void cheq_lab_make_bytes(cheq_lab *lab) {
    for (int i = 0; i < CHEQ_LAB_TABLE; i++) {
        cheq_put_bytes(lab->root[i], &lab->root_bytes[0][i], &lab->root_bytes[1][i]);
    }
    for (int v = 0; v < 256; v++) {
        const uint8_t *color = lab->color + 16 * v;
        const uint16_t fx = (uint16_t)cheq_lab_fx(&lab->by, 0, (uint8_t)v);
        const uint16_t fz = (uint16_t)cheq_lab_fz(&lab->by, 0, (uint8_t)v);
        cheq_put_bytes(lab->linear[v], &lab->linear_bytes[0][v], &lab->linear_bytes[1][v]);
        cheq_put_bytes(lab->y[v], &lab->y_bytes[0][v], &lab->y_bytes[1][v]);
        cheq_put_bytes(lab->root_y[v], &lab->root_y_bytes[0][v], &lab->root_y_bytes[1][v]);
        cheq_put_bytes(fx, &lab->fx_bytes[0][v], &lab->fx_bytes[1][v]);
        cheq_put_bytes(fz, &lab->fz_bytes[0][v], &lab->fz_bytes[1][v]);
        lab->color_first[v] = color[0];
        lab->color_rise[v] = 0;
        while (lab->color_rise[v] < 16 && color[lab->color_rise[v]] == color[0]) {
            lab->color_rise[v]++;
        }
    }
}

static inline void cheq_lab_make(cheq_lab *lab) {
    lab->by = cheq_lab_of_opencv;
    cheq_lab_make_words(lab);
    cheq_lab_make_sums(lab);
    cheq_lab_make_bytes(lab);
}

#endif
