/* Lab: the bodies of kernels. Looking up and arithmetic have loops of their own, with a few words in between: the
 * compiler makes vectors of arithmetic alone. */
#ifndef CHEQ_LAB_KERNELS_H
#define CHEQ_LAB_KERNELS_H

#include "kernels/kernels.h"

enum { CHEQ_LAB_BLOCK = 256 }; /* pixels of such a loop */

typedef uint16_t cheq_lab_words[CHEQ_LAB_BLOCK];
typedef uint8_t cheq_lab_bytes[CHEQ_LAB_BLOCK];

/* R, G, B of pixels, or what is made of them: where each begins, and the step from pixel to pixel. */
typedef struct {
    uint8_t *channel[3];
    ptrdiff_t step;
} cheq_lab_pixels;

CHEQ_BODY void cheq_lab_linear(const cheq_lab *lab, const cheq_lab_pixels *rgb, size_t at, size_t n,
                               cheq_lab_words w[3]) {
    for (int c = 0; c < 3; c++) {
        const uint8_t *from = rgb->channel[c] + (ptrdiff_t)at * rgb->step;
        for (size_t i = 0; i < n; i++) {
            w[c][i] = lab->linear[from[(ptrdiff_t)i * rgb->step]];
        }
    }
}

CHEQ_BODY void cheq_lab_lightness_body(const cheq_lab *lab, const cheq_lab_pixels *rgb, size_t n,
                                       uint8_t *restrict to) {
    cheq_lab_words w[3];
    for (size_t at = 0, block; at < n; at += block) {
        block = cheq_min(n - at, CHEQ_LAB_BLOCK);
        cheq_lab_linear(lab, rgb, at, block, w);
        for (size_t i = 0; i < block; i++) {
            w[0][i] = cheq_lab_xyz(lab->by.y, w[0][i], w[1][i], w[2][i]);
        }
        for (size_t i = 0; i < block; i++) {
            to[at + i] = lab->lightness[w[0][i]];
        }
    }
}

/* L, a, b of a block. */
CHEQ_BODY void cheq_to_lab_block(const cheq_lab *lab, const cheq_lab_pixels *rgb, size_t at, size_t n,
                                 uint8_t *l, uint8_t *a, uint8_t *b) {
    const cheq_lab_factors by = lab->by;
    cheq_lab_words w[3];
    cheq_lab_linear(lab, rgb, at, n, w);
    for (size_t i = 0; i < n; i++) {
        const uint16_t red = w[0][i], green = w[1][i], blue = w[2][i];
        w[0][i] = cheq_lab_xyz(by.x, red, green, blue);
        w[1][i] = cheq_lab_xyz(by.y, red, green, blue);
        w[2][i] = cheq_lab_xyz(by.z, red, green, blue);
    }
    for (int c = 0; c < 3; c++) {
        for (size_t i = 0; i < n; i++) {
            w[c][i] = lab->root[w[c][i]];
        }
    }
    for (size_t i = 0; i < n; i++) {
        l[i] = cheq_lab_lightness(&by, w[1][i]);
        a[i] = cheq_lab_chroma(by.a, w[0][i], w[1][i]);
        b[i] = cheq_lab_chroma(by.b_of_lab, w[1][i], w[2][i]);
    }
}

CHEQ_BODY void cheq_from_lab_block(const cheq_lab *lab, const uint8_t *l, const uint8_t *a,
                                   const uint8_t *b, size_t at, size_t n, const cheq_lab_pixels *rgb) {
    const cheq_lab_factors by = lab->by;
    cheq_lab_words w[4];
    for (size_t i = 0; i < n; i++) {
        w[0][i] = lab->root_y[l[i]];
        w[1][i] = lab->y[l[i]];
    }
    for (size_t i = 0; i < n; i++) {
        const cheq_lab_value z = cheq_lab_cube17(&by, cheq_lab_fz(&by, w[0][i], b[i]));
        w[0][i] = (uint16_t)cheq_lab_cube(&by, cheq_lab_fx(&by, w[0][i], a[i]));
        w[2][i] = (uint16_t)z.fours;
        w[3][i] = (uint16_t)z.rest;
    }
    for (size_t i = 0; i < n; i++) {
        const int16_t x = (int16_t)w[0][i], y = (int16_t)w[1][i];
        const cheq_lab_value z = {(int16_t)w[2][i], (int16_t)w[3][i]};
        w[0][i] = cheq_lab_rgb(by.r, x, y, z);
        w[1][i] = cheq_lab_rgb(by.g, x, y, z);
        w[2][i] = cheq_lab_rgb(by.b, x, y, z);
    }
    for (int c = 0; c < 3; c++) {
        uint8_t *to = rgb->channel[c] + (ptrdiff_t)at * rgb->step;
        for (size_t i = 0; i < n; i++) {
            to[(ptrdiff_t)i * rgb->step] = lab->color[w[c][i]];
        }
    }
}

/* Three channels that alternate, R first or last, and new lightness by a LUT or as it is given. */
CHEQ_BODY void cheq_lab_recolor_body(const cheq_lab *lab, const uint8_t *pixels, uint8_t *out, size_t n, int channels,
                                     int first, const uint8_t *lut, const uint8_t *lightness) {
    uint8_t *in = (uint8_t *)pixels; /* not written */
    const cheq_lab_pixels from = {{in + first, in + 1, in + 2 - first}, channels};
    const cheq_lab_pixels to = {{out + first, out + 1, out + 2 - first}, channels};
    cheq_lab_bytes l, a, b;
    for (size_t at = 0, block; at < n; at += block) {
        block = cheq_min(n - at, CHEQ_LAB_BLOCK);
        cheq_to_lab_block(lab, &from, at, block, l, a, b);
        for (size_t i = 0; i < block; i++) {
            l[i] = lut ? lut[l[i]] : lightness[at + i];
        }
        cheq_from_lab_block(lab, l, a, b, at, block, &to);
    }
    for (size_t i = 0; i < n && channels == 4 && out != pixels; i++) {
        out[4 * i + 3] = pixels[4 * i + 3];
    }
}

#endif
