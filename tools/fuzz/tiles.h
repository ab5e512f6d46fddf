/* The kernels of CLAHE. */
#ifndef CHEQ_FUZZ_TILES_H
#define CHEQ_FUZZ_TILES_H

#include "trial.h"

enum { WORD_LEVELS = 65536, MOST_CELLS = 64, TABLES = 4 };

/* ---- LUTs ------------------------------------------------------------------------ */

/* Counts of bins from the first one on, and their sum, one at least. */
static uint32_t choose_counts(uint32_t *hist, uint32_t bins) {
    const uint32_t most = (uint32_t)(CHEQ_TOTAL32 / bins) >> choose(24), kept = choose(256);
    uint32_t total = 0;
    for (uint32_t v = 0; v < bins; v++) {
        hist[v] = (random_bits() & 255) <= kept ? hist[v] % (most + 1) : 0;
        total += hist[v];
    }
    hist[choose(bins)] += total == 0;
    return total + (total == 0);
}

static cheq_clip choose_clip(uint32_t area, uint32_t levels) {
    cheq_clip clip = cheq_clip_of(0, area, levels);
    clip.most = choose(4) ? (int32_t)(1 + choose(65536) % area) : clip.most;
    return clip;
}

static void try_lut_clip(void) {
    uint32_t *hist = (uint32_t *)(void *)filled(CHEQ_LEVELS * sizeof *hist, 4), levels[CHEQ_LEVELS];
    const cheq_clip clip = choose_clip(choose_counts(hist, CHEQ_LEVELS), CHEQ_LEVELS);
    uint64_t counts[CHEQ_LEVELS];
    uint8_t expected[CHEQ_LEVELS], *lut = result_bytes(CHEQ_LEVELS);
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        counts[v] = hist[v];
    }
    clahe_lut(counts, CHEQ_LEVELS, (uint64_t)clip.most, levels);
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        expected[v] = (uint8_t)levels[v];
    }
    k->lut_clip(hist, &clip, lut);
    result_is(lut, expected, sizeof expected, "lut_clip");
}

static void try_lut_clip16(void) {
    static uint64_t counts[WORD_LEVELS];
    static uint32_t levels[WORD_LEVELS];
    const uint32_t bins = 1 + (uint32_t)n, first = choose(WORD_LEVELS - bins);
    uint32_t *hist = (uint32_t *)(void *)filled(bins * sizeof *hist, 4);
    const cheq_clip clip = choose_clip(choose_counts(hist, bins), WORD_LEVELS);
    uint16_t expected[MOST_PIXELS], *lut = (uint16_t *)(void *)array_of(bins * sizeof *lut, choose(32) * 2);
    memset(counts, 0, sizeof counts);
    for (uint32_t i = 0; i < bins; i++) {
        counts[first + i] = hist[i];
    }
    clahe_lut(counts, WORD_LEVELS, (uint64_t)clip.most, levels);
    for (uint32_t i = 0; i < bins; i++) {
        expected[i] = (uint16_t)levels[first + i];
    }
    k->lut_clip16(hist, first, bins, &clip, lut);
    result_is(lut, expected, bins * sizeof *lut, "lut_clip16");
    for (uint32_t i = 0; i < bins; i++) {
        expect(hist[i] == 0, k->name, "lut_clip16's histogram", n);
    }
}

/* ---- blend ------------------------------------------------------------------------ */

/* Multiples of 1 / parts, or any numbers from 0 to 1. */
static float *choose_weights(size_t number, uint32_t parts) {
    float *weights = (float *)(void *)array_of(number * sizeof *weights, choose(16) * 4);
    for (size_t i = 0; i < number; i++) {
        weights[i] = parts ? (float)(random_bits() % (parts + 1)) / (float)parts
                           : (float)(random_bits() & 0xffffff) / (choose(2) ? 16777216.0f : 16777215.0f);
    }
    return weights;
}

static size_t choose_cells(cheq_cell *cells, size_t width, uint8_t *const *luts) {
    size_t number = 0;
    for (size_t x = 0; x < width; number++) {
        const size_t wide = 1 + choose(choose(2) ? 40 : 700), rest = width - x;
        cells[number] = (cheq_cell){x, x + (number + 1 < MOST_CELLS && wide < rest ? wide : rest), {NULL}};
        x = cells[number].end;
        for (int l = 0; l < 4; l++) {
            cells[number].luts[l] = luts[choose(TABLES)];
        }
    }
    return number;
}

static uint32_t blended(const void *const luts[4], size_t bytes, uint32_t at, float right, float below) {
    float across[2];
    for (int l = 0; l < 2; l++) {
        const void *left_lut = luts[2 * l], *right_lut = luts[2 * l + 1];
        const float left_one = (float)(bytes == 1 ? ((const uint8_t *)left_lut)[at] : ((const uint16_t *)left_lut)[at]);
        const float right_one = (float)(bytes == 1 ? ((const uint8_t *)right_lut)[at] : ((const uint16_t *)right_lut)[at]);
        across[l] = left_one * (1 - right) + right_one * right;
    }
    return (uint32_t)nearbyintf(across[0] * (1 - below) + across[1] * below);
}

/* Bytes, and words of `levels` levels; weights for integers in half the calls. */
static void try_blend(void) {
    const size_t bytes = 1 + choose(2), width = 1 + n % 900, height = 1 + choose(12), pitch = (width + choose(9)) * bytes;
    const size_t size = pitch * (height - 1) + width * bytes, levels = bytes == 1 ? CHEQ_LEVELS : 1 + choose(2000);
    const uint32_t first = bytes == 1 ? 0 : choose((uint32_t)(WORD_LEVELS - levels));
    const int integers = (int)choose(2);
    uint8_t *pixels = filled(size, bytes), *luts[TABLES], *expected;
    cheq_cell cells[MOST_CELLS];
    for (int i = 0; i < TABLES; i++) {
        luts[i] = filled(levels * bytes, bytes);
    }
    cheq_band band = {
        .pixels_step = (ptrdiff_t)pitch, .out_step = (ptrdiff_t)pitch, .width = width, .height = height, .cells = cells,
        .n_cells = choose_cells(cells, width, luts), .right = choose_weights(width, integers ? 128 : 0),
        .below = choose_weights(height, integers ? 512 : 0), .right_bits = integers ? 7 : 0,
        .below_bits = integers ? 9 : 0, .first = first, .levels = levels,
    };
    for (size_t i = 0; bytes == 2 && i + 1 < size; i += 2) {
        const uint16_t level = (uint16_t)(first + pixels[i] * 257u % levels);
        memcpy(pixels + i, &level, sizeof level);
    }
    uint8_t *out = choose(2) ? pixels : array_of(size, choose(32) * bytes);
    expected = copied(out, size);
    for (size_t c = 0; c < band.n_cells; c++) {
        for (size_t i = cells[c].begin * height; i < cells[c].end * height; i++) {
            const size_t x = i / height, y = i % height, at = y * pitch + x * bytes;
            uint16_t level = pixels[at];
            memcpy(&level, pixels + at, bytes);
            level = (uint16_t)blended(cells[c].luts, bytes, level - first, band.right[x], band.below[y]);
            memcpy(expected + at, &level, bytes);
        }
    }
    band.pixels = pixels;
    band.out = out;
    band.next = choose(2) ? pixels : NULL;
    (bytes == 1 ? k->blend : k->blend16)(&band, room);
    result_is(out, expected, size, bytes == 1 ? "blend" : "blend16");
}

#endif
