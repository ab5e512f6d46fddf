/* Lab: what is looked up, and the portable arithmetic in between. They have loops of their own, with a few words
 * between them, as compilers make vectors of arithmetic alone. */
#ifndef CHEQ_LAB_KERNELS_H
#define CHEQ_LAB_KERNELS_H

#include "kernels/bytewise.h"

enum { CHEQ_LAB_BLOCK = 192 }; /* pixels of such a loop, whose words fit a page of stack */

typedef uint16_t cheq_lab_words[3][CHEQ_LAB_BLOCK];

/* Where R, G, B of the first pixel lie, and the step from pixel to pixel, 1, 3 or 4. */
typedef struct {
    uint8_t *r, *g, *b;
    ptrdiff_t step;
} cheq_lab_pixels;

CHEQ_BODY cheq_lab_pixels cheq_lab_pixels_at(const cheq_lab_pixels *rgb, size_t at) {
    const ptrdiff_t offset = (ptrdiff_t)at * rgb->step;
    const cheq_lab_pixels moved = {rgb->r + offset, rgb->g + offset, rgb->b + offset, rgb->step};
    return moved;
}

/* ---- looking up ----------------------------------------------------------- */

/* By a step that the compiler knows. */
CHEQ_BODY void cheq_lab_lightness_by(const cheq_lab *lab, cheq_lab_pixels p, ptrdiff_t step, size_t n, uint8_t *to) {
    for (size_t i = 0; i < n; i++, p.r += step, p.g += step, p.b += step) {
        to[i] = lab->lightness[cheq_lab_y_of(lab, *p.r, *p.g, *p.b)];
    }
}

CHEQ_BYTEWISE static void cheq_lab_lightness_of(const cheq_lab *lab, const cheq_lab_pixels *rgb, size_t n,
                                                uint8_t *to) {
    switch (rgb->step) {
    case 1:
        cheq_lab_lightness_by(lab, *rgb, 1, n, to);
        break;
    case 3:
        cheq_lab_lightness_by(lab, *rgb, 3, n, to);
        break;
    default:
        cheq_lab_lightness_by(lab, *rgb, 4, n, to);
    }
}

CHEQ_BODY void cheq_lab_roots_by(const cheq_lab *lab, cheq_lab_pixels p, ptrdiff_t step, size_t n, cheq_lab_words f) {
    for (size_t i = 0; i < n; i++, p.r += step, p.g += step, p.b += step) {
        const cheq_lab_xyz xyz = cheq_lab_xyz_of(lab, *p.r, *p.g, *p.b);
        f[0][i] = lab->root[xyz.x];
        f[1][i] = lab->root[xyz.y];
        f[2][i] = lab->root[xyz.z];
    }
}

/* f(X), f(Y), f(Z). */
CHEQ_BYTEWISE static void cheq_lab_roots(const cheq_lab *lab, const cheq_lab_pixels *rgb, size_t n, cheq_lab_words f) {
    switch (rgb->step) {
    case 1:
        cheq_lab_roots_by(lab, *rgb, 1, n, f);
        break;
    case 3:
        cheq_lab_roots_by(lab, *rgb, 3, n, f);
        break;
    default:
        cheq_lab_roots_by(lab, *rgb, 4, n, f);
    }
}

/* One of R, G, B, of linear light. */
CHEQ_BODY void cheq_lab_color_by(const cheq_lab *lab, const uint16_t *linear, size_t n, uint8_t *to, ptrdiff_t step) {
    for (size_t i = 0; i < n; i++, to += step) {
        *to = lab->color[linear[i]];
    }
}

/* Three that alternate: eight pixels are three words. */
CHEQ_BODY void cheq_lab_colors_by3(const cheq_lab *lab, const uint16_t *const linear[3], size_t n, uint8_t *to) {
    size_t i = 0;
    for (; i + CHEQ_STEP <= n; i += CHEQ_STEP) {
        for (int w = 0; w < 3; w++, to += CHEQ_STEP) {
            uint64_t word = 0;
            for (int b = 0; b < CHEQ_STEP; b++) {
                const int j = CHEQ_STEP * w + b;
                word |= (uint64_t)lab->color[linear[j % 3][i + (size_t)(j / 3)]] << CHEQ_BYTE_SHIFT(b);
            }
            memcpy(to, &word, CHEQ_STEP);
        }
    }
    for (int c = 0; c < 3; c++) {
        cheq_lab_color_by(lab, linear[c] + i, n - i, to + c, 3);
    }
}

CHEQ_BYTEWISE static void cheq_lab_colors(const cheq_lab *lab, cheq_lab_words linear, size_t n,
                                          const cheq_lab_pixels *rgb) {
    const int reversed = rgb->r > rgb->g;
    const uint16_t *const in_order[3] = {linear[reversed ? 2 : 0], linear[1], linear[reversed ? 0 : 2]};
    uint8_t *const to[3] = {rgb->r, rgb->g, rgb->b};
    if (rgb->step == 3) {
        cheq_lab_colors_by3(lab, in_order, n, to[reversed ? 2 : 0]);
        return;
    }
    for (int c = 0; c < 3; c++) {
        if (rgb->step == 1) {
            cheq_lab_color_by(lab, linear[c], n, to[c], 1);
        } else {
            cheq_lab_color_by(lab, linear[c], n, to[c], 4);
        }
    }
}

/* ---- arithmetic ----------------------------------------------------------- */

/* L, a, b, as they are stored, of f(X), f(Y), f(Z). */
CHEQ_BODY void cheq_lab_there_scalar(const cheq_lab_factors *factors, cheq_lab_words f, size_t n, uint8_t *const *lab) {
    const cheq_lab_factors by = *factors;
    uint8_t *l = lab[0], *a = lab[1], *b = lab[2];
    for (size_t i = 0; i < n; i++) {
        l[i] = cheq_lab_lightness(&by, f[1][i]);
        a[i] = cheq_lab_chroma(by.a, f[0][i], f[1][i]);
        b[i] = cheq_lab_chroma(by.b_of_lab, f[1][i], f[2][i]);
    }
}

/* Linear r, g, b of a, b and the pairs of Y and f(Y). */
CHEQ_BODY void cheq_lab_back_scalar(const cheq_lab_factors *factors, const uint32_t *pairs, const uint8_t *a,
                                    const uint8_t *b, size_t n, cheq_lab_words linear) {
    const cheq_lab_factors by = *factors;
    uint16_t rest[CHEQ_LAB_BLOCK];
    for (size_t i = 0; i < n; i++) {
        const uint16_t fy = (uint16_t)(pairs[i] >> 16);
        const cheq_lab_value z = cheq_lab_cube17(&by, cheq_lab_fz(&by, fy, b[i]));
        linear[0][i] = (uint16_t)cheq_lab_cube(&by, cheq_lab_fx(&by, fy, a[i]));
        linear[1][i] = (uint16_t)z.fours;
        rest[i] = (uint16_t)z.rest;
    }
    for (size_t i = 0; i < n; i++) {
        const int16_t x = (int16_t)linear[0][i], y = (int16_t)(uint16_t)pairs[i];
        const cheq_lab_value z = {(int16_t)linear[1][i], (int16_t)rest[i]};
        linear[0][i] = cheq_lab_rgb(by.r, x, y, z);
        linear[1][i] = cheq_lab_rgb(by.g, x, y, z);
        linear[2][i] = cheq_lab_rgb(by.b, x, y, z);
    }
}

#endif
