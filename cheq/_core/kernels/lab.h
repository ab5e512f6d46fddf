/* Lab of dense channels: the portable kernels. Looking up and arithmetic have loops of their own, with a few words in
 * between: the compiler makes vectors of arithmetic alone. */
#ifndef CHEQ_LAB_KERNELS_H
#define CHEQ_LAB_KERNELS_H

#include "kernels/kernels.h"

enum { CHEQ_LAB_BLOCK = 256 }; /* pixels of such a loop */

typedef uint16_t cheq_lab_words[3][CHEQ_LAB_BLOCK];

CHEQ_BODY void cheq_lab_linear(const cheq_lab *lab, uint8_t *const *rgb, size_t at, size_t n, cheq_lab_words w) {
    for (int c = 0; c < 3; c++) {
        for (size_t i = 0; i < n; i++) {
            w[c][i] = lab->linear[rgb[c][at + i]];
        }
    }
}

static void cheq_lab_lightness_scalar(const cheq_lab *lab, uint8_t *const *rgb, size_t n, uint8_t *restrict to) {
    cheq_lab_words w;
    for (size_t at = 0, block; at < n; at += block) {
        block = cheq_min(n - at, CHEQ_LAB_BLOCK);
        cheq_lab_linear(lab, rgb, at, block, w);
        for (size_t i = 0; i < block; i++) {
            w[0][i] = cheq_lab_xyz(cheq_lab_y, w[0][i], w[1][i], w[2][i]);
        }
        for (size_t i = 0; i < block; i++) {
            to[at + i] = lab->lightness[w[0][i]];
        }
    }
}

static void cheq_to_lab_scalar(const cheq_lab *lab, uint8_t *const *rgb, size_t n) {
    cheq_lab_words w;
    for (size_t at = 0, block; at < n; at += block) {
        uint8_t *restrict l = rgb[0] + at, *restrict a = rgb[1] + at, *restrict b = rgb[2] + at;
        block = cheq_min(n - at, CHEQ_LAB_BLOCK);
        cheq_lab_linear(lab, rgb, at, block, w);
        for (size_t i = 0; i < block; i++) {
            const uint16_t red = w[0][i], green = w[1][i], blue = w[2][i];
            w[0][i] = cheq_lab_xyz(cheq_lab_x, red, green, blue);
            w[1][i] = cheq_lab_xyz(cheq_lab_y, red, green, blue);
            w[2][i] = cheq_lab_xyz(cheq_lab_z, red, green, blue);
        }
        for (int c = 0; c < 3; c++) {
            for (size_t i = 0; i < block; i++) {
                w[c][i] = lab->root[w[c][i]];
            }
        }
        for (size_t i = 0; i < block; i++) {
            l[i] = cheq_lab_lightness(w[1][i]);
            a[i] = cheq_lab_chroma(500, w[0][i], w[1][i]);
            b[i] = cheq_lab_chroma(200, w[1][i], w[2][i]);
        }
    }
}

static void cheq_from_lab_scalar(const cheq_lab *lab, uint8_t *const *channels, size_t n) {
    cheq_lab_words w;
    for (size_t at = 0, block; at < n; at += block) {
        uint8_t *restrict l = channels[0] + at, *restrict a = channels[1] + at, *restrict b = channels[2] + at;
        block = cheq_min(n - at, CHEQ_LAB_BLOCK);
        for (size_t i = 0; i < block; i++) {
            w[0][i] = lab->root_y[l[i]];
            w[1][i] = lab->y[l[i]];
        }
        for (size_t i = 0; i < block; i++) {
            const int32_t x = cheq_lab_cube(cheq_lab_fx(w[0][i], a[i])), y = w[1][i];
            const int32_t z = cheq_lab_cube(cheq_lab_fz(w[0][i], b[i]));
            w[0][i] = cheq_lab_rgb(cheq_lab_r, x, y, z);
            w[1][i] = cheq_lab_rgb(cheq_lab_g, x, y, z);
            w[2][i] = cheq_lab_rgb(cheq_lab_b, x, y, z);
        }
        for (int c = 0; c < 3; c++) {
            for (size_t i = 0; i < block; i++) {
                channels[c][at + i] = lab->color[w[c][i]];
            }
        }
    }
}

#endif
