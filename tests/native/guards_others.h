/* Every kernel for floats and for colors against its contract (kernels.h). */
#ifndef CHEQ_TEST_GUARDS_OTHERS_H
#define CHEQ_TEST_GUARDS_OTHERS_H

#include "guards.h"

/* What a float of so many bytes holds of a number. */
static double held(double number, int bytes) {
    return bytes == 4 ? (double)(float)number : number;
}

static uint8_t *floats_in(const trial *t, const double *numbers, int bytes) {
    uint8_t floats[LONGEST * sizeof(double)];
    for (size_t i = 0; i < t->n; i++) {
        cheq_put_float(floats, bytes, i, numbers[i]);
    }
    return input_in(in[0], t->at, floats, t->n * (size_t)bytes);
}

static void check_bounds_of(const trial *t, int bytes) {
    double smallest = 0.5, largest = 0.5, least = 0.5, most = 0.5;
    for (size_t i = 0; i < t->n; i++) {
        least = fmin(held(random_doubles[i], bytes), least);
        most = fmax(held(random_doubles[i], bytes), most);
    }
    int finite = t->k->bounds(floats_in(t, random_doubles, bytes), bytes, t->n, &smallest, &largest);
    expect(finite && smallest == least && largest == most, t, "bounds", bytes);
    for (size_t i = 0; i < t->n; i += 1 + t->n / 3) {
        uint8_t *pixels = floats_in(t, random_doubles, bytes);
        cheq_put_float(pixels, bytes, i, i % 2 ? NAN : -INFINITY);
        expect(!t->k->bounds(pixels, bytes, t->n, &smallest, &largest), t, "bounds", -bytes);
    }
}

static void check_bounds(const trial *t) {
    check_bounds_of(t, 4);
    check_bounds_of(t, 8);
}

/* The sum of four tables of n counts, or the one that there is. */
static uint64_t sum_of(const uint64_t *hist, size_t tables, size_t n, size_t bin) {
    uint64_t sum = 0;
    for (size_t t = 0; t < tables; t++) {
        sum += hist[t * n + bin];
    }
    return sum;
}

/* Ranges whose steps are wide, and so narrow that each bin is looked at, plain or not. */
static const double range_ends[][2] = {{0, 1}, {1, 1.0 + 700 * 0x1p-52}, {1, 1.0 + 3000 * 0x1p-23}};

static void check_count_floats(const trial *t) {
    enum { N = 100 };
    double edges[N + 1], inner[N + 1], pixels[LONGEST];
    for (int i = 0; i < 12; i++) {
        const double *ends = range_ends[i % 3];
        const size_t tables = i / 3 % 2 ? 4 : 1;
        const int single = i / 6 && i % 3 != 1, bytes = single ? 4 : 8;
        const cheq_value_bins bins = cheq_bins_make(ends[0], ends[1], N, single, edges, inner);
        uint64_t hist[4 * N] = {0}, expected[N] = {0};
        for (size_t p = 0; p < t->n; p++) { /* now and then an edge, or next to it */
            double x = ends[0] + random_doubles[p] * (ends[1] - ends[0]), edge = edges[p % (N + 1)];
            x = p % 3 ? x : p % 2 ? edge : single ? (double)nextafterf((float)edge, 0) : nextafter(edge, 0);
            x = single ? (double)(float)x : x;
            pixels[p] = x < ends[0] ? ends[0] : x > ends[1] ? ends[1] : x;
            expected[cheq_bin_of(pixels[p], &bins)]++;
        }
        t->k->count_floats(floats_in(t, pixels, bytes), bytes, t->n, &bins, hist, tables);
        for (size_t b = 0; b < N; b++) {
            expect(sum_of(hist, tables, N, b) == expected[b], t, "count_floats", i);
        }
    }
}

/* A value that is in no bin, which arithmetic of another kind can make of one that is: no bin beside them is written. */
static void check_count_any(const trial *t) {
    enum { N = 100 };
    static const double others[] = {-INFINITY, INFINITY, NAN, -1e30, 1e30, -0x1p-149, 1.5, -2147483904.0};
    double edges[N + 1], inner[N + 1], pixels[LONGEST];
    for (int i = 0; i < 12; i++) {
        const size_t tables = i / 3 % 2 ? 4 : 1;
        const int single = i / 6 && i % 3 != 1, bytes = single ? 4 : 8;
        const cheq_value_bins bins = cheq_bins_make(range_ends[i % 3][0], range_ends[i % 3][1], N, single, edges, inner);
        uint64_t hist[1 + 4 * N + 1] = {0}, sum = 0;
        for (size_t p = 0; p < t->n; p++) {
            pixels[p] = others[p % (sizeof others / sizeof *others)];
        }
        t->k->count_floats(floats_in(t, pixels, bytes), bytes, t->n, &bins, hist + 1, tables);
        for (size_t b = 0; b < N; b++) {
            sum += sum_of(hist + 1, tables, N, b);
        }
        expect(sum == t->n && hist[0] == 0 && hist[tables * N + 1] == 0, t, "count_floats of others", i);
    }
}

/* From floats of so many bytes to floats of so many, which overlap if these are the same. */
static void check_curve(const trial *t, const cheq_curve *curve, const double *numbers, int bytes, int to_bytes, int kind) {
    uint8_t expected[LONGEST * sizeof(double)], *pixels = floats_in(t, numbers, bytes);
    for (size_t p = 0; p < t->n; p++) {
        cheq_put_float(expected, to_bytes, p, cheq_interpolate_searching(held(numbers[p], bytes), curve));
    }
    uint8_t *to = result_in(out[0], t->at, t->n * (size_t)to_bytes);
    t->k->interpolate(pixels, bytes, to, to_bytes, t->n, curve);
    expect(result_is(out[0], to, expected, t->n * (size_t)to_bytes), t, "interpolate", kind);
    if (bytes == to_bytes) {
        t->k->interpolate(pixels, bytes, pixels, bytes, t->n, curve);
        expect(memcmp(pixels, expected, t->n * (size_t)bytes) == 0, t, "interpolate in place", kind);
    }
}

static void check_interpolate(const trial *t) {
    enum { N = 37 };
    double x[N], y[N], edges[N + 1], inner[N + 1], at_knots[LONGEST];
    cheq_knot knots[N];
    const cheq_value_bins wide = cheq_bins_make(0.1, 0.84, N, 0, edges, inner), asked = {.n = N};
    for (int i = 0; i < 3; i++) { /* knots that are known to be apart, that are, and that are not */
        for (int k = 0; k < N; k++) {
            x[k] = i == 0 ? edges[k] : 0.1 + 0.02 * (double)(i == 2 ? k / 2 : k);
            y[k] = random_doubles[k];
        }
        const cheq_curve curve = cheq_curve_make(x, y, i == 0 ? &wide : &asked, knots);
        expect(curve.plain == (i < 2), t, "plain knots", i);
        for (size_t p = 0; p < t->n; p++) {
            at_knots[p] = p % 3 ? random_doubles[p] : p % 2 ? x[p % N] : nextafter(x[p % N], 0);
        }
        check_curve(t, &curve, at_knots, 8, 8, i);
        check_curve(t, &curve, random_doubles, 8, 8, i);
        check_curve(t, &curve, at_knots, 4, 8, i);
        check_curve(t, &curve, at_knots, 4, 4, i);
    }
}

/* A space by its number, and Lab's with tables. */
static cheq_space space_at(int i) {
    static cheq_lab lab;
    static int made;
    cheq_space space = cheq_spaces[i];
    if (!made) {
        cheq_lab_make(&lab);
        made = 1;
    }
    space.lab = &lab;
    return space;
}

static uint8_t weighed(const cheq_weights *w, uint8_t r, uint8_t g, uint8_t b) {
    return (uint8_t)(((uint32_t)w->r * r + (uint32_t)w->g * g + (uint32_t)w->b * b + (1u << (w->bits - 1))) >> w->bits);
}

/* What tests/test_color.py holds against OpenCV and Pillow: by the weights, or by Lab's definition. */
static uint8_t lightness_of(const cheq_space *space, const uint8_t rgb[3]) {
    uint8_t one[3] = {rgb[0], rgb[1], rgb[2]}, *const channels[3] = {&one[0], &one[1], &one[2]};
    if (!space->is_lab) {
        return weighed(&space->luma, rgb[0], rgb[1], rgb[2]);
    }
    cheq_to_space_scalar(space, channels, 1);
    return one[0];
}

static void check_lightness(const trial *t) {
    uint8_t *rgb[3], expected[LONGEST];
    for (int s = 0; s < CHEQ_SPACE_COUNT; s++) {
        const cheq_space space = space_at(s);
        for (int c = 0; c < 3; c++) {
            rgb[c] = input_in(in[c], t->at, random_bytes[c], t->n);
        }
        for (size_t i = 0; i < t->n; i++) {
            const uint8_t pixel[3] = {random_bytes[0][i], random_bytes[1][i], random_bytes[2][i]};
            expected[i] = lightness_of(&space, pixel);
        }
        uint8_t *to = result_in(out[0], t->at, t->n);
        t->k->lightness(&space, rgb, t->n, to);
        expect(result_is(out[0], to, expected, t->n), t, "lightness", s);
    }
}

/* Pixels of 3 or 4 bytes; where the fourth of the last pixel is not the image's, it is not there. */
static void check_lightness_dense(const trial *t) {
    uint8_t expected[LONGEST];
    for (int form = 0; form < 6 * CHEQ_SPACE_COUNT; form++) {
        const cheq_space space = space_at(form / 6);
        if (!space.is_lab && !t->k->luma_dense) {
            continue;
        }
        const size_t channels = form % 3 ? 4 : 3, first = form % 2 ? 2 : 0, lacking = form % 3 == 2 && t->n > 0;
        const size_t bytes = t->n * channels - lacking;
        for (size_t i = 0; i < t->n; i++) {
            const uint8_t *at = random_bytes[0] + i * channels, rgb[3] = {at[first], at[1], at[2 - first]};
            expected[i] = lightness_of(&space, rgb);
        }
        uint8_t *to = result_in(out[0], t->at, t->n);
        t->k->lightness_dense(&space, input_in(in[0], t->at, random_bytes[0], bytes), (int)channels, (int)first, bytes,
                              t->n, to);
        expect(result_is(out[0], to, expected, t->n), t, "lightness_dense", form);
    }
}

static uint16_t word_at(const uint8_t *at, int swapped) {
    uint16_t word;
    memcpy(&word, at, sizeof word);
    return swapped ? (uint16_t)(word >> 8 | word << 8) : word;
}

static void check_gray16(const trial *t) {
    const cheq_weights *rule = &cheq_spaces[CHEQ_GRAY_OPENCV].luma;
    uint16_t expected[LONGEST];
    for (int form = 0; form < 6; form++) {
        const int swapped = form % 2, apart = form / 2 == 1; /* dense RGB; channels apart; RGBA's RGB */
        const size_t step = apart ? 2 : form / 2 == 0 ? 6 : 8, stride = apart ? 2 * t->n : 2;
        const size_t bytes = t->n ? (t->n - 1) * step + 2 * stride + 2 : 0;
        for (size_t i = 0; i < t->n; i++) {
            const uint8_t *at = random_bytes[0] + i * step;
            uint64_t sum = 0;
            for (size_t c = 0; c < 3; c++) {
                const uint16_t weights[] = {rule->r, rule->g, rule->b};
                sum += (uint64_t)weights[c] * word_at(at + c * stride, swapped);
            }
            expected[i] = (uint16_t)((sum + (1 << 14)) >> 15);
        }
        const uint8_t *from = input_in(in[0], t->at, random_bytes[0], bytes);
        uint8_t *to = result_in(out[0], aligned(t->at, 2), t->n * 2);
        t->k->gray16(rule, from, (ptrdiff_t)stride, (ptrdiff_t)step, swapped, t->n, (uint16_t *)(void *)to);
        expect(result_is(out[0], to, expected, t->n * 2), t, "gray16", form);
    }
}

/* One pixel, by the definitions that tests/test_color.py holds against OpenCV. */
static void recolored(const cheq_space *space, uint8_t rgb[3], const uint8_t *lut, uint8_t lightness) {
    uint8_t *const channels[3] = {&rgb[0], &rgb[1], &rgb[2]};
    cheq_to_space_scalar(space, channels, 1);
    rgb[0] = lut ? lut[rgb[0]] : lightness;
    cheq_from_space_scalar(space, channels, 1);
}

static void check_spaces(const trial *t) {
    uint8_t *channels[3], expected[2][3][LONGEST];
    for (int s = CHEQ_YCRCB; s < CHEQ_SPACE_COUNT; s++) {
        const cheq_space space = space_at(s);
        for (size_t i = 0; i < t->n; i++) {
            for (int c = 0; c < 3; c++) {
                expected[0][c][i] = expected[1][c][i] = random_bytes[c][i];
            }
            uint8_t *const there[3] = {&expected[0][0][i], &expected[0][1][i], &expected[0][2][i]};
            uint8_t *const back[3] = {&expected[1][0][i], &expected[1][1][i], &expected[1][2][i]};
            cheq_to_space_scalar(&space, there, 1);
            cheq_from_space_scalar(&space, back, 1); /* of any bytes, as they are */
        }
        for (int way = 0; way < 2; way++) {
            for (int c = 0; c < 3; c++) {
                channels[c] = memcpy(result_in(out[c], t->at, t->n), random_bytes[c], t->n);
            }
            (way ? t->k->from_space : t->k->to_space)(&space, channels, t->n);
            for (int c = 0; c < 3; c++) {
                expect(result_is(out[c], channels[c], expected[way][c], t->n), t, way ? "from_space" : "to_space", s);
            }
        }
    }
}

/* Another lightness for a color of 16 bits, in 64. */
static int64_t rounded(int64_t x) {
    return (x + (1 << 13)) >> 14;
}

static int64_t within(int64_t x, int64_t least, int64_t most) {
    return x < least ? least : x > most ? most : x;
}

static void recolored16(const cheq_space *space, uint16_t rgb[3], uint16_t lightness) {
    const cheq_chromas *c = &space->chromas;
    const int64_t y = rounded((int64_t)space->luma.r * rgb[0] + space->luma.g * rgb[1] + space->luma.b * rgb[2]);
    const int64_t v = within(rounded(c->r_to_v * (rgb[0] - y)), -32768, 32767);
    const int64_t u = within(rounded(c->b_to_u * (rgb[2] - y)), -32768, 32767);
    rgb[0] = (uint16_t)within(lightness + rounded(c->v_to_r * v), 0, 65535);
    rgb[1] = (uint16_t)within(lightness + rounded(c->v_to_g * v + c->u_to_g * u), 0, 65535);
    rgb[2] = (uint16_t)within(lightness + rounded(c->u_to_b * u), 0, 65535);
}

static void check_recolor16(const trial *t) {
    static uint16_t words[4][LONGEST], expected[3][LONGEST];
    uint16_t *rgb[3];
    const place at = aligned(t->at, sizeof(uint16_t));
    for (int s = CHEQ_YCRCB; s <= CHEQ_YUV; s++) {
        for (size_t i = 0; i < t->n; i++) {
            for (int c = 0; c < 4; c++) { /* some at the ends */
                memcpy(&words[c][i], random_bytes[c] + 2 * i, sizeof words[c][i]);
                words[c][i] = i % 3 == 0 ? (uint16_t)(words[c][i] & 1 ? UINT16_MAX : 0) : words[c][i];
            }
            uint16_t one[3] = {words[0][i], words[1][i], words[2][i]};
            recolored16(&cheq_spaces[s], one, words[3][i]);
            expected[0][i] = one[0], expected[1][i] = one[1], expected[2][i] = one[2];
        }
        for (int c = 0; c < 3; c++) {
            uint8_t *to = result_in(out[c], at, t->n * sizeof(uint16_t));
            rgb[c] = (uint16_t *)(void *)memcpy(to, words[c], t->n * sizeof(uint16_t));
        }
        const uint8_t *new = input_in(in[3], at, words[3], t->n * sizeof(uint16_t));
        t->k->recolor16(&cheq_spaces[s], rgb, (const uint16_t *)(const void *)new, t->n);
        for (int c = 0; c < 3; c++) {
            expect(result_is(out[c], (uint8_t *)rgb[c], expected[c], t->n * sizeof(uint16_t)), t, "recolor16", s);
        }
    }
}

/* Either order, 3 and 4 channels, by a LUT and by new lightness, into other memory and in place. */
static void check_recolor_dense(const trial *t) {
    uint8_t expected[LONGEST * CHEQ_MAX_CHANNELS];
    for (int form = 0; form < 8 * (CHEQ_SPACE_COUNT - CHEQ_YCRCB); form++) {
        const cheq_space space = space_at(CHEQ_YCRCB + form / 8);
        if (!space.is_lab && !t->k->luma_dense) {
            continue;
        }
        const size_t channels = form & 1 ? 4 : 3, first = form & 2 ? 2 : 0, bytes = t->n * channels;
        const uint8_t *table = form & 4 ? NULL : lut[0];
        const uint8_t *new = table ? NULL : input_in(in[1], t->at, random_bytes[4], t->n);
        memcpy(expected, random_bytes[0], bytes);
        for (size_t i = 0; i < t->n; i++) {
            uint8_t *at = expected + i * channels, rgb[3] = {at[first], at[1], at[2 - first]};
            recolored(&space, rgb, table, random_bytes[4][i]);
            at[first] = rgb[0], at[1] = rgb[1], at[2 - first] = rgb[2];
        }
        const uint8_t *from = input_in(in[0], t->at, random_bytes[0], bytes);
        uint8_t *to = result_in(out[0], t->at, bytes);
        t->k->recolor_dense(&space, from, to, t->n, (int)channels, (int)first, table, new);
        expect(result_is(out[0], to, expected, bytes), t, "recolor_dense", form);
        memcpy(to, random_bytes[0], bytes);
        t->k->recolor_dense(&space, to, to, t->n, (int)channels, (int)first, table, new);
        expect(result_is(out[0], to, expected, bytes), t, "recolor_dense in place", form);
    }
}

#endif
