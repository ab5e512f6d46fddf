/* The kernels of CLAHE against their contract (kernels.h), pixel by pixel and bin by bin. */
#ifndef CHEQ_TEST_GUARDS_TILES_H
#define CHEQ_TEST_GUARDS_TILES_H

#include "guards_bytes.h" /* tables, a room */

enum { MOST_CELLS = 40, MOST_LEVELS = 600, LUTS = 3 };

/* ---- LUTs --------------------------------------------------------------- */

/* As OpenCV shares the excess out: so much to every bin, and one more to some of them in turn. */
static void share_out(int64_t *hist, int64_t levels, int64_t most) {
    int64_t excess = 0;
    for (int64_t v = 0; v < levels; v++) {
        excess += hist[v] > most ? hist[v] - most : 0;
        hist[v] = hist[v] > most ? most : hist[v];
    }
    int64_t rest = excess % levels;
    const int64_t step = rest && levels / rest > 1 ? levels / rest : 1;
    for (int64_t v = 0; v < levels; v++) {
        hist[v] += excess / levels + (v % step == 0 && v / step < rest);
    }
}

/* The entries for levels from first on. */
static void share_out_lut(const uint32_t *counts, size_t first, size_t n, int64_t levels, const cheq_clip *clip,
                          uint16_t *entries) {
    static int64_t hist[CHEQ_LEVELS * CHEQ_LEVELS];
    memset(hist, 0, (size_t)levels * sizeof *hist);
    for (size_t i = 0; i < n; i++) {
        hist[first + i] = counts[i];
    }
    share_out(hist, levels, clip->most);
    int64_t running = 0;
    for (int64_t v = 0; v < levels; v++) {
        running += hist[v];
        if (v >= (int64_t)first && v < (int64_t)(first + n)) {
            entries[v - (int64_t)first] = (uint16_t)lrintf((float)running * clip->scale);
        }
    }
}

/* Counts of all magnitudes, some of them 0; returns their sum, at least 1. */
static uint32_t some_counts(const trial *t, uint32_t *counts, size_t n, int magnitude) {
    uint32_t sum = 1;
    counts[0] = 1;
    for (size_t i = 1; i < n; i++) {
        counts[i] = random_bytes[0][i] % (1 + t->n) < 100 ? (uint32_t)random_bytes[1][i] << magnitude : 0;
        sum += counts[i];
    }
    return sum;
}

static void check_lut_clip(const trial *t) {
    uint32_t counts[CHEQ_LEVELS];
    uint16_t entries[CHEQ_LEVELS];
    uint8_t expected[CHEQ_LEVELS];
    for (int form = 0; form < 4; form++) { /* sums that fit 16 bits; the most and the least that do and do not; larger ones */
        uint32_t area = some_counts(t, counts, CHEQ_LEVELS, form == 3 ? 14 : 0);
        if (form == 1 || form == 2) {
            counts[t->n % CHEQ_LEVELS] += UINT16_MAX - area + (uint32_t)form - 1;
            area = UINT16_MAX + (uint32_t)form - 1;
        }
        const cheq_clip clip = cheq_clip_of((double)t->n / 100, area, CHEQ_LEVELS);
        share_out_lut(counts, 0, CHEQ_LEVELS, CHEQ_LEVELS, &clip, entries);
        for (int v = 0; v < CHEQ_LEVELS; v++) {
            expected[v] = (uint8_t)entries[v];
        }
        const uint8_t *hist = input_in(in[0], aligned(t->at, sizeof *counts), counts, sizeof counts);
        uint8_t *to = result_in(out[0], t->at, sizeof expected);
        t->k->lut_clip((const uint32_t *)(const void *)hist, &clip, to);
        expect(result_is(out[0], to, expected, sizeof expected), t, "lut_clip", form);
    }
}

/* Two tiles side by side, of one to three rows, which lie backwards or with a gap between them. */
static void check_lut_few(const trial *t) {
    for (size_t height = 1; height <= 3; height++) {
        const size_t width = cheq_min(t->n, UINT8_MAX) / height / 2, pitch = 2 * width + height % 2 * 5;
        const size_t size = (height - 1) * pitch + 2 * width;
        uint32_t counts[2][CHEQ_LEVELS] = {{0}};
        uint16_t entries[CHEQ_LEVELS];
        uint8_t expected[2][CHEQ_LEVELS];
        if (width == 0) {
            continue;
        }
        const uint8_t *pixels = input_in(in[0], t->at, random_bytes[0], size);
        const cheq_clip clip = cheq_clip_of((double)t->n / 10, (uint32_t)(width * height), CHEQ_LEVELS);
        for (size_t i = 0; i < 2 * width * height; i++) {
            counts[i % (2 * width) / width][pixels[i / (2 * width) * pitch + i % (2 * width)]]++;
        }
        for (int tile = 0; tile < 2; tile++) {
            share_out_lut(counts[tile], 0, CHEQ_LEVELS, CHEQ_LEVELS, &clip, entries);
            for (int v = 0; v < CHEQ_LEVELS; v++) {
                expected[tile][v] = (uint8_t)entries[v];
            }
        }
        uint8_t *to = result_in(out[0], t->at, sizeof expected);
        t->k->lut_few(pixels, (ptrdiff_t)pitch, width, height, 2, &clip, to);
        expect(result_is(out[0], to, expected, sizeof expected), t, "lut_few", (int)height);
        t->k->lut_few(pixels + (height - 1) * pitch, -(ptrdiff_t)pitch, width, height, 2, &clip, to);
        expect(result_is(out[0], to, expected, sizeof expected), t, "lut_few", -(int)height);
    }
}

/* Quick lengths alone: the naive version walks 65,536 bins. */
static void check_lut_clip16(const trial *t) {
    uint32_t counts[LONGEST];
    uint16_t expected[LONGEST];
    const size_t first = t->n * 61 % 60000;
    if (t->n == 0 || (t->n > 40 && t->n % 16)) {
        return;
    }
    const uint32_t area = some_counts(t, counts, t->n, 5);
    const cheq_clip clip = cheq_clip_of((double)t->n, area, CHEQ_LEVELS * CHEQ_LEVELS);
    share_out_lut(counts, first, t->n, CHEQ_LEVELS * CHEQ_LEVELS, &clip, expected);
    uint8_t *hist = memcpy(result_in(out[0], aligned(t->at, sizeof *counts), t->n * sizeof *counts), counts,
                           t->n * sizeof *counts);
    uint8_t *to = result_in(out[1], aligned(t->at, sizeof *expected), t->n * sizeof *expected);
    t->k->lut_clip16((uint32_t *)(void *)hist, (uint32_t)first, t->n, &clip, (uint16_t *)(void *)to);
    memset(counts, 0, sizeof counts);
    expect(result_is(out[1], to, expected, t->n * sizeof *expected), t, "lut_clip16", 0);
    expect(result_is(out[0], hist, counts, t->n * sizeof *counts), t, "lut_clip16's counts", 0);
}

/* ---- blend -------------------------------------------------------------- */

/* A band of n columns: its arrays, and what shall become of it. */
typedef struct {
    cheq_band band;
    cheq_cell cells[MOST_CELLS];
    float right[LONGEST], below[WIDEST];
    size_t bytes, size; /* of a pixel, and from the first row's begin to the last one's end */
    uint8_t pixels[LONGEST * WIDEST], expected[LONGEST * WIDEST];
} blended;

/* Cells of some columns each, one of them perhaps of most; at the ends both LUTs of a row are one, as they are in images. */
static void cut_into_cells(const trial *t, blended *b, const uint8_t *luts) {
    const size_t lut_bytes = b->bytes == 1 ? CHEQ_LEVELS : MOST_LEVELS * sizeof(uint16_t);
    size_t n = 0;
    for (size_t x = 0; x < t->n; n++) {
        const size_t wide = random_bits() % 3 ? 1 + random_bits() % 40 : 1 + random_bits() % LONGEST;
        b->cells[n] = (cheq_cell){x, n == MOST_CELLS - 1 ? t->n : cheq_min(x + wide, t->n), {NULL}};
        x = b->cells[n].end;
        for (int l = 0; l < 4; l++) {
            b->cells[n].luts[l] = luts + lut_bytes * (x == t->n && l % 2 ? (size_t)l / 2 : random_bits() % LUTS);
        }
    }
    b->band.cells = b->cells;
    b->band.n_cells = n;
}

static void choose_weights(blended *b, int integers) {
    for (size_t x = 0; x < b->band.width; x++) {
        b->right[x] = integers ? (float)(random_bits() % 129) / 128 : (float)random_doubles[random_bits() % LONGEST];
    }
    for (size_t y = 0; y < b->band.height; y++) {
        b->below[y] = integers ? (float)(random_bits() % 513) / 512 : (float)random_doubles[random_bits() % LONGEST];
    }
    b->band.right_bits = integers ? 7 : 0;
    b->band.below_bits = integers ? 9 : 0;
}

static float entry(const blended *b, const void *lut, size_t at) {
    const uint16_t *words = lut;
    return b->bytes == 1 ? (float)((const uint8_t *)lut)[b->pixels[at]]
                         : (float)words[(unsigned)(b->pixels[at] | b->pixels[at + 1] << 8) - b->band.first];
}

static void blend_pixel(blended *b, const cheq_cell *cell, size_t x, size_t y) {
    const size_t at = y * (size_t)b->band.pixels_step + x * b->bytes;
    const float right = b->right[x], left = 1 - right, below = b->below[y], above = 1 - below;
    float upper = entry(b, cell->luts[0], at) * left, lower = entry(b, cell->luts[2], at) * left;
    upper += entry(b, cell->luts[1], at) * right;
    lower += entry(b, cell->luts[3], at) * right;
    upper *= above;
    lower *= below;
    const long level = lrintf(upper + lower);
    for (size_t i = 0; i < b->bytes; i++) {
        b->expected[at + i] = (uint8_t)(level >> 8 * i);
    }
}

static void expect_of(blended *b, int integers) {
    const size_t gap = random_bits() % 9 * b->bytes, pitch = b->band.width * b->bytes + gap;
    b->band.height = cheq_min(1 + random_bits() % WIDEST, LONGEST * WIDEST / pitch);
    b->band.pixels_step = b->band.out_step = (ptrdiff_t)pitch;
    b->size = pitch * b->band.height - gap;
    choose_weights(b, integers);
    for (size_t i = 0; i < b->size; i++) {
        b->pixels[i] = random_bytes[0][i];
        b->expected[i] = PATTERN;
    }
    for (size_t i = 0; b->bytes == 2 && i + 1 < b->size; i += 2) { /* this machine's words are of bytes from low to high */
        const unsigned level = b->band.first + random_bits() % MOST_LEVELS;
        b->pixels[i] = (uint8_t)level;
        b->pixels[i + 1] = (uint8_t)(level >> 8);
    }
    for (size_t c = 0; c < b->band.n_cells; c++) {
        for (size_t y = 0; y < b->band.height; y++) {
            for (size_t x = b->cells[c].begin; x < b->cells[c].end; x++) {
                blend_pixel(b, &b->cells[c], x, y);
            }
        }
    }
}

static void check_blend_of(const trial *t, size_t bytes, int integers) {
    static blended b;
    const place at = aligned(t->at, bytes), of_floats = aligned(t->at, sizeof(float));
    const size_t lut_bytes = bytes == 1 ? CHEQ_LEVELS : MOST_LEVELS * sizeof(uint16_t);
    const uint8_t *luts = input_in(in[1], at, random_bytes[1], LUTS * lut_bytes);
    void (*const blend)(const cheq_band *, void *) = bytes == 1 ? t->k->blend : t->k->blend16;
    b.bytes = bytes;
    b.band = (cheq_band){.width = t->n, .first = 30000, .levels = MOST_LEVELS};
    cut_into_cells(t, &b, luts);
    expect_of(&b, integers);
    b.band.right = (const float *)(const void *)input_in(in[2], of_floats, b.right, t->n * sizeof *b.right);
    b.band.below = (const float *)(const void *)input_in(in[3], of_floats, b.below, b.band.height * sizeof *b.below);
    b.band.pixels = input_in(in[0], at, b.pixels, b.size);
    b.band.out = result_in(out[0], at, b.size);
    b.band.next = t->n % 2 ? b.band.pixels : NULL;
    for (size_t y = 0; y + 1 < b.band.height; y++) {
        HIDE(b.band.pixels + y * (size_t)b.band.pixels_step + t->n * bytes, (size_t)b.band.pixels_step - t->n * bytes);
    }
    blend(&b.band, tables);
    expect(result_is(out[0], b.band.out, b.expected, b.size), t, bytes == 1 ? "blend" : "blend16", integers);
    b.band.out = result_in(out[0], at, b.size);
    for (size_t y = 0; y < b.band.height; y++) {
        const size_t row = y * (size_t)b.band.out_step;
        memcpy(b.band.out + row, b.pixels + row, t->n * bytes);
    }
    b.band.pixels = b.band.out;
    blend(&b.band, tables);
    expect(result_is(out[0], b.band.out, b.expected, b.size), t, "blend in place", integers);
}

static void check_blend(const trial *t) {
    for (int form = 0; form < 3 && t->n > 0; form++) {
        check_blend_of(t, form == 2 ? 2 : 1, form == 1);
    }
}

#endif
