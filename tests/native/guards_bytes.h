/* Every kernel for bytes against its contract (kernels.h), pixel by pixel. */
#ifndef CHEQ_TEST_GUARDS_BYTES_H
#define CHEQ_TEST_GUARDS_BYTES_H

#include "guards.h"

static _Alignas(64) uint8_t tables[CHEQ_ROOM16];

static void check_count(const trial *t) {
    const uint8_t *pixels = input_in(in[0], t->at, random_bytes[0], t->n);
    uint32_t hist[CHEQ_LEVELS], expected[CHEQ_LEVELS];
    cheq_ahead ahead = {NULL, NULL};
    memcpy(hist, random_bytes[1], sizeof hist);
    memcpy(expected, hist, sizeof hist);
    for (size_t i = 0; i < t->n; i++) {
        expected[random_bytes[0][i]]++;
    }
    t->k->count(pixels, t->n, hist, ahead, t->n < CHEQ_NO_ROOM ? NULL : tables);
    expect(memcmp(hist, expected, sizeof hist) == 0, t, "count", 0);
}

static void check_apply(const trial *t) {
    const uint8_t *pixels = input_in(in[0], t->at, random_bytes[0], t->n);
    const uint8_t *table = input_in(in[1], t->at, lut[0], CHEQ_LEVELS);
    uint8_t *to = result_in(out[0], t->at, t->n), expected[LONGEST];
    for (size_t i = 0; i < t->n; i++) {
        expected[i] = lut[0][random_bytes[0][i]];
    }
    t->k->apply(pixels, to, t->n, table);
    expect(result_is(out[0], to, expected, t->n), t, "apply", 0);
    to = result_in(out[0], t->at, t->n);
    memcpy(to, random_bytes[0], t->n);
    t->k->apply(to, to, t->n, table);
    expect(result_is(out[0], to, expected, t->n), t, "apply in place", 0);
}

static void check_count_apply(const trial *t) {
    const uint8_t *next = input_in(in[0], t->at, random_bytes[0], t->n);
    const uint8_t *pixels = input_in(in[1], t->at, random_bytes[1], t->n);
    uint8_t *to = result_in(out[0], t->at, t->n), expected[LONGEST];
    uint32_t hist[CHEQ_LEVELS] = {0}, counts[CHEQ_LEVELS] = {0};
    for (size_t i = 0; i < t->n; i++) {
        counts[random_bytes[0][i]]++;
        expected[i] = lut[0][random_bytes[1][i]];
    }
    t->k->count_apply(next, hist, pixels, to, t->n, lut[0], t->n < CHEQ_NO_ROOM ? NULL : tables);
    expect(result_is(out[0], to, expected, t->n) && memcmp(hist, counts, sizeof hist) == 0, t, "count_apply", 0);
}

/* Against the definitions, which tests/test_kernel_luts.py holds against the libraries. */
static void check_luts(const trial *t) {
    uint32_t counted[CHEQ_LEVELS] = {0};
    uint8_t expected[CHEQ_LEVELS];
    const cheq_counts counts = {.hist32 = counted, .n = CHEQ_LEVELS};
    const cheq_entries entries = {expected, 1, CHEQ_LEVELS, 0, tables};
    for (size_t i = 0; i < t->n; i++) {
        counted[random_bytes[0][i] % (1 + t->n)] += random_bytes[1][i];
    }
    for (int pillow = 0; pillow < 2; pillow++) {
        const uint8_t *hist = input_in(in[0], aligned(t->at, sizeof *counted), counted, sizeof counted);
        uint8_t *to = result_in(out[0], t->at, CHEQ_LEVELS);
        (pillow ? t->k->lut_pillow : t->k->lut_opencv)((const uint32_t *)(const void *)hist, to);
        (pillow ? cheq_make_pillow : cheq_make_opencv)(NULL, &counts, &entries);
        expect(result_is(out[0], to, expected, sizeof expected), t, "lut", pillow);
    }
}

static void check_select(const trial *t) {
    const uint8_t *pixels = input_in(in[0], t->at, random_bytes[0], t->n);
    uint8_t mask[LONGEST], expected[LONGEST];
    size_t kept = 0;
    for (size_t i = 0; i < t->n; i++) {
        mask[i] = random_bytes[1][i] % 3 ? random_bytes[1][i] : 0;
        expected[kept] = random_bytes[0][i];
        kept += mask[i] != 0;
    }
    uint8_t *to = result_in(out[0], t->at, t->n);
    int right = t->k->select(pixels, input_in(in[1], t->at, mask, t->n), t->n, to) == kept;
    memcpy(expected + kept, to + kept, t->n - kept); /* these may be anything */
    expect(right && result_is(out[0], to, expected, t->n), t, "select", 0);
}

static const ptrdiff_t steps[] = {1, -1, 2, -2, 3, -3, 4, -4, 5, 8, WIDEST};
enum { STEPS = sizeof steps / sizeof steps[0] };

/* The bytes from the first pixel to the last, and where pixel 0 is among them. */
static size_t span(size_t n, ptrdiff_t step) {
    return n ? (n - 1) * (size_t)(step < 0 ? -step : step) + 1 : 0;
}

static size_t first_of(size_t n, ptrdiff_t step) {
    return n && step < 0 ? (n - 1) * (size_t)-step : 0;
}

static void check_gather(const trial *t) {
    uint8_t expected[LONGEST];
    for (int s = 0; s < STEPS; s++) {
        const size_t first = first_of(t->n, steps[s]);
        const uint8_t *from = input_in(in[0], t->at, random_bytes[0], span(t->n, steps[s])) + first;
        uint8_t *to = result_in(out[0], t->at, t->n);
        for (size_t i = 0; i < t->n; i++) {
            expected[i] = random_bytes[0][(ptrdiff_t)first + (ptrdiff_t)i * steps[s]];
        }
        t->k->gather(from, steps[s], t->n, to);
        expect(result_is(out[0], to, expected, t->n), t, "gather", (long)steps[s]);
    }
}

static void check_scatter(const trial *t) {
    uint8_t expected[LONGEST * WIDEST];
    for (int s = 0; s < STEPS; s++) {
        const size_t bytes = span(t->n, steps[s]), first = first_of(t->n, steps[s]);
        const uint8_t *from = input_in(in[0], t->at, random_bytes[0], t->n);
        uint8_t *to = result_in(out[0], t->at, bytes);
        memset(expected, PATTERN, bytes);
        for (size_t i = 0; i < t->n; i++) {
            expected[(ptrdiff_t)first + (ptrdiff_t)i * steps[s]] = random_bytes[0][i];
        }
        t->k->scatter(from, t->n, to + first, steps[s]);
        expect(result_is(out[0], to, expected, bytes), t, "scatter", (long)steps[s]);
    }
}

static void check_split(const trial *t) {
    uint8_t expected[LONGEST], *to[CHEQ_MAX_CHANNELS];
    for (int channels = 2; channels <= CHEQ_MAX_CHANNELS; channels++) {
        const size_t width = (size_t)channels;
        const uint8_t *from = input_in(in[0], t->at, random_bytes[0], t->n * width);
        for (int c = 0; c < channels; c++) {
            to[c] = result_in(out[c], t->at, t->n);
        }
        t->k->split(from, channels, t->n, to);
        for (size_t c = 0; c < width; c++) {
            for (size_t i = 0; i < t->n; i++) {
                expected[i] = random_bytes[0][i * width + c];
            }
            expect(result_is(out[c], to[c], expected, t->n), t, "split", channels);
        }
    }
}

static void check_merge(const trial *t) {
    const uint8_t *from[CHEQ_MAX_CHANNELS];
    uint8_t expected[LONGEST * CHEQ_MAX_CHANNELS];
    for (int channels = 2; channels <= CHEQ_MAX_CHANNELS; channels++) {
        const size_t width = (size_t)channels;
        for (size_t c = 0; c < width; c++) {
            from[c] = input_in(in[c], t->at, random_bytes[c], t->n);
            for (size_t i = 0; i < t->n; i++) {
                expected[i * width + c] = random_bytes[c][i];
            }
        }
        uint8_t *to = result_in(out[0], t->at, t->n * width);
        t->k->merge(from, channels, t->n, to);
        expect(result_is(out[0], to, expected, t->n * width), t, "merge", channels);
    }
}

static void check_apply_channels_by(const trial *t, int channels, int reversed) {
    const uint8_t *const luts[CHEQ_MAX_CHANNELS] = {lut[0], lut[1], lut[2], lut[3]};
    const size_t width = (size_t)channels, bytes = t->n * width;
    uint8_t expected[LONGEST * CHEQ_MAX_CHANNELS];
    for (size_t i = 0; i < t->n; i++) {
        for (size_t c = 0; c < width; c++) {
            /* the LUTs are in the order of the result's bytes */
            expected[i * width + c] = lut[c][random_bytes[0][i * width + (reversed ? width - 1 - c : c)]];
        }
    }
    uint8_t *to = result_in(out[0], t->at, bytes);
    t->k->apply_channels(input_in(in[0], t->at, random_bytes[0], bytes), to, t->n, channels, reversed, luts);
    expect(result_is(out[0], to, expected, bytes), t, "apply_channels", 2 * channels + reversed);
    if (!reversed) {
        memcpy(to, random_bytes[0], bytes);
        t->k->apply_channels(to, to, t->n, channels, reversed, luts);
        expect(result_is(out[0], to, expected, bytes), t, "apply_channels in place", channels);
    }
}

static void check_apply_channels(const trial *t) {
    for (int channels = 2; channels <= CHEQ_MAX_CHANNELS && t->k->apply_channels; channels++) {
        check_apply_channels_by(t, channels, 0);
        check_apply_channels_by(t, channels, 1);
    }
}

#endif
