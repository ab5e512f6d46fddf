/* A libFuzzer target: one call of one kernel against its contract (kernels.h), pixel by pixel.
 *
 * The input's first bytes choose the instruction set, the kernel, the number of pixels and where arrays lie; the others
 * become pixels, masks, LUTs, histograms and steps. */
#include "trial.h"

#include "tiles.h"

/* ---- bytes ------------------------------------------------------------------- */

static void try_count(void) {
    const uint8_t *pixels = input_bytes(n);
    uint32_t *hist = (uint32_t *)(void *)array_of(CHEQ_LEVELS * sizeof *hist, choose(16) * 4), expected[CHEQ_LEVELS];
    const cheq_ahead ahead = {choose(2) ? pixels : NULL, choose(2) ? (const uint8_t *)expected : NULL};
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        expected[v] = hist[v] = (uint32_t)v * 1000003;
    }
    for (size_t i = 0; i < n; i++) {
        expected[pixels[i]]++;
    }
    k->count(pixels, n, hist, ahead, n < CHEQ_NO_ROOM ? NULL : room);
    result_is(hist, expected, sizeof expected, "count");
}

static void try_apply(void) {
    uint8_t *pixels = input_bytes(n), *lut = input_bytes(CHEQ_LEVELS);
    uint8_t *out = choose(2) ? pixels : result_bytes(n), expected[MOST_PIXELS];
    for (size_t i = 0; i < n; i++) {
        expected[i] = lut[pixels[i]];
    }
    k->apply(pixels, out, n, lut);
    result_is(out, expected, n, "apply");
}

static void try_count_apply(void) {
    uint8_t *next = input_bytes(n), *pixels = input_bytes(n), *lut = input_bytes(CHEQ_LEVELS);
    uint8_t *out = choose(2) ? pixels : result_bytes(n), expected[MOST_PIXELS];
    uint32_t hist[CHEQ_LEVELS] = {0}, counts[CHEQ_LEVELS] = {0};
    for (size_t i = 0; i < n; i++) {
        counts[next[i]]++;
        expected[i] = lut[pixels[i]];
    }
    k->count_apply(next, hist, pixels, out, n, lut, n < CHEQ_NO_ROOM ? NULL : room);
    result_is(out, expected, n, "count_apply");
    result_is(hist, counts, sizeof counts, "count_apply's histogram");
}

/* Counts of any size: the total is CHEQ_TOTAL32 at most. */
static void try_lut(void) {
    uint32_t *hist = (uint32_t *)(void *)filled(CHEQ_LEVELS * sizeof *hist, 4);
    const uint32_t most = (uint32_t)(CHEQ_TOTAL32 / CHEQ_LEVELS) >> choose(24), kept = choose(256), pillow = choose(2);
    const uint32_t large = choose(2) ? choose(CHEQ_LEVELS) : CHEQ_LEVELS;
    uint64_t wide[CHEQ_LEVELS];
    uint32_t levels[CHEQ_LEVELS];
    uint8_t expected[CHEQ_LEVELS], *lut = result_bytes(CHEQ_LEVELS);
    uint64_t total = 0;
    for (uint32_t v = 0; v < CHEQ_LEVELS; v++) {
        hist[v] = (random_bits() & 255) <= kept && v != large ? hist[v] % (most + 1) : 0;
        total += hist[v];
    }
    if (large < CHEQ_LEVELS) {
        hist[large] = (uint32_t)(((uint64_t)CHEQ_TOTAL32 - total) >> choose(16));
    }
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        wide[v] = hist[v];
    }
    (pillow ? pillow_lut : opencv_lut)(wide, CHEQ_LEVELS, levels);
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        expected[v] = (uint8_t)levels[v];
    }
    (pillow ? k->lut_pillow : k->lut_opencv)(hist, lut);
    result_is(lut, expected, sizeof expected, pillow ? "lut_pillow" : "lut_opencv");
}

static void try_select(void) {
    const uint8_t *pixels = input_bytes(n), *mask = input_bytes(n);
    uint8_t *out = result_bytes(n), expected[MOST_PIXELS];
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        expected[kept] = pixels[i];
        kept += mask[i] != 0;
    }
    expect(k->select(pixels, mask, n, out) == kept, k->name, "select's number", n);
    result_is(out, expected, kept, "select");
}

static ptrdiff_t chosen_step(void) {
    const ptrdiff_t step = 1 + (ptrdiff_t)choose(choose(4) ? 9 : 200);
    return choose(2) ? step : -step;
}

static size_t reach(ptrdiff_t step) {
    return n ? (n - 1) * (size_t)(step < 0 ? -step : step) + 1 : 0;
}

static void try_gather(void) {
    const ptrdiff_t step = choose(20) ? chosen_step() : 0;
    const uint8_t *from = input_bytes(step ? reach(step) : n > 0), *first = from + (step < 0 && n ? reach(step) - 1 : 0);
    uint8_t *to = result_bytes(n), expected[MOST_PIXELS];
    for (size_t i = 0; i < n; i++) {
        expected[i] = first[(ptrdiff_t)i * step];
    }
    k->gather(first, step, n, to);
    result_is(to, expected, n, "gather");
}

static void try_scatter(void) {
    const ptrdiff_t step = chosen_step();
    const size_t bytes = reach(step), first = step < 0 && n ? bytes - 1 : 0;
    const uint8_t *from = input_bytes(n);
    uint8_t *to = result_bytes(bytes), *expected = copied(to, bytes);
    for (size_t i = 0; i < n; i++) {
        expected[(ptrdiff_t)first + (ptrdiff_t)i * step] = from[i];
    }
    k->scatter(from, n, to + first, step);
    result_is(to, expected, bytes, "scatter");
}

static void try_split(void) {
    const size_t channels = 2 + choose(CHANNELS - 1);
    const uint8_t *from = input_bytes(n * channels);
    uint8_t *to[CHANNELS], expected[MOST_PIXELS];
    for (size_t c = 0; c < channels; c++) {
        to[c] = result_bytes(n);
    }
    k->split(from, (int)channels, n, to);
    for (size_t c = 0; c < channels; c++) {
        for (size_t i = 0; i < n; i++) {
            expected[i] = from[i * channels + c];
        }
        result_is(to[c], expected, n, "split");
    }
}

static void try_merge(void) {
    const size_t channels = 2 + choose(CHANNELS - 1);
    const uint8_t *from[CHANNELS];
    uint8_t *to = result_bytes(n * channels), expected[MOST_PIXELS * CHANNELS];
    for (size_t c = 0; c < channels; c++) {
        from[c] = input_bytes(n);
        for (size_t i = 0; i < n; i++) {
            expected[i * channels + c] = from[c][i];
        }
    }
    k->merge(from, (int)channels, n, to);
    result_is(to, expected, n * channels, "merge");
}

static void try_apply_channels(void) {
    const size_t channels = 2 + choose(CHANNELS - 1), bytes = n * channels;
    const int reversed = (int)choose(2);
    uint8_t *pixels = input_bytes(bytes), expected[MOST_PIXELS * CHANNELS];
    uint8_t *out = !reversed && choose(2) ? pixels : result_bytes(bytes);
    const uint8_t *luts[CHANNELS];
    for (size_t c = 0; c < channels; c++) {
        luts[c] = input_bytes(CHEQ_LEVELS);
        for (size_t i = 0; i < n; i++) { /* the LUTs are in the order of the result's bytes */
            expected[i * channels + c] = luts[c][pixels[i * channels + (reversed ? channels - 1 - c : c)]];
        }
    }
    if (k->apply_channels) {
        k->apply_channels(pixels, out, n, (int)channels, reversed, luts);
        result_is(out, expected, bytes, "apply_channels");
    }
}

/* ---- floats -------------------------------------------------------------------- */

/* n values: any bits, or of a few in a range, or a range's all. */
static double *doubles(int finite, double smallest, double largest) {
    double *values = (double *)(void *)filled(n * sizeof *values, 8);
    const uint32_t form = choose(4);
    for (size_t i = 0; i < n; i++) {
        const double part = (double)(random_bits() >> 8) / 0xffffff;
        const double between = smallest + part * (largest - smallest);
        values[i] = form == 0 && isfinite(values[i]) && values[i] >= smallest && values[i] <= largest ? values[i]
                    : !finite && form < 2 && random_bits() % 64 == 0 ? (random_bits() % 3 ? -INFINITY : NAN)
                    : form == 3 ? (random_bits() & 1 ? smallest : largest)
                                : between;
        values[i] = finite ? fmin(fmax(values[i], smallest), largest) : values[i];
    }
    return values;
}

/* Numbers as floats of so many bytes, which the numbers then are, at any address. */
static uint8_t *floats_of(double *numbers, int bytes) {
    uint8_t *floats = array_of(n * (size_t)bytes, choose(64));
    for (size_t i = 0; i < n; i++) {
        cheq_put_float(floats, bytes, i, numbers[i]);
        numbers[i] = cheq_float_at(floats, bytes, i);
    }
    return floats;
}

static void try_bounds(void) {
    const int bytes = choose(2) ? 4 : 8;
    const double farthest = bytes == 4 ? 1e30 : 1e300;
    double *pixels = doubles(0, -farthest, farthest);
    const uint8_t *floats = floats_of(pixels, bytes);
    double smallest = choose(2) ? INFINITY : 0.5, largest = -smallest, least = smallest, most = largest;
    int finite = 1;
    for (size_t i = 0; i < n; i++) {
        finite &= isfinite(pixels[i]);
        least = fmin(least, pixels[i]);
        most = fmax(most, pixels[i]);
    }
    expect(k->bounds(floats, bytes, n, &smallest, &largest) == finite, k->name, "bounds' answer", n);
    expect(!finite || (smallest == least && largest == most), k->name, "bounds", n);
}

enum { MOST_BINS = 300 };

static void try_count_floats(void) {
    const int single = (int)choose(2);
    const size_t bins = 1 + choose(MOST_BINS);
    const double middle = ldexp((double)choose(65536) - 32768, (int)choose(40) - 20);
    double smallest = middle, largest = middle + ldexp((double)choose(256), (int)choose(60) - 30);
    double edges[MOST_BINS + 1], own_edges[MOST_BINS + 1];
    double inner[MOST_BINS + 1];
    const size_t tables = choose(2) ? 4 : 1;
    uint64_t hist[4 * MOST_BINS] = {0}, expected[MOST_BINS] = {0};
    if (single) {
        smallest = (double)(float)smallest;
        largest = (double)(float)largest;
    }
    const int increase = single ? edges_between_floats((float)smallest, (float)largest, bins, edges)
                                : edges_between(smallest, largest, bins, edges);
    const cheq_value_bins made = cheq_bins_make(smallest, largest, bins, single, own_edges, inner);
    expect(cheq_bins_increase(&made) == increase, k->name, "bins that increase", bins);
    expect(increase || !cheq_bins_plainly_increase(smallest, largest, bins, single), k->name, "plain bins", bins);
    if (!increase) {
        return;
    }
    result_is(own_edges, edges, (bins + 1) * sizeof *edges, "edges");
    expect(!made.wide || cheq_bins_are_plain(&made), k->name, "wide steps", bins);
    double *pixels = doubles(1, smallest, largest);
    for (size_t i = 0; i < n; i++) { /* now and then an edge, or next to one */
        const double edge = edges[random_bits() % (bins + 1)], next = random_bits() % 2 ? INFINITY : -INFINITY;
        const uint32_t kind = random_bits() % 8;
        double x = kind > 1 ? pixels[i] : kind == 1 ? edge
                 : single ? (double)nextafterf((float)edge, (float)next) : nextafter(edge, next);
        x = single ? (double)(float)x : x;
        pixels[i] = fmin(fmax(x, smallest), largest);
        expected[bin_of(pixels[i], edges, bins, single)]++;
    }
    k->count_floats(floats_of(pixels, single ? 4 : 8), single ? 4 : 8, n, &made, hist, tables);
    for (size_t t = 1; t < tables; t++) {
        for (size_t i = 0; i < bins; i++) {
            hist[i] += hist[t * bins + i];
        }
    }
    result_is(hist, expected, bins * sizeof *hist, "count_floats");
}

/* Edges or centers of equal bins, or any points, some of them the same. */
static void points_of(size_t points, double *x, cheq_value_bins *bins) {
    static double edges[MOST_BINS + 1];
    static double inner[MOST_BINS + 1];
    const uint32_t kind = choose(4), crowd = choose(4);
    double at = ldexp((double)choose(256), (int)choose(40) - 20);
    *bins = cheq_bins_make(at, at + ldexp((double)(1 + choose(256)), (int)choose(60) - 30), points, 0, edges, inner);
    if (kind < 2 && cheq_bins_increase(bins)) {
        cheq_bin_centers(bins, x);
        if (kind == 0) {
            memcpy(x, edges, points * sizeof *x);
        }
        return;
    }
    *bins = (cheq_value_bins){.n = points};
    for (size_t i = 0; i < points; i++) {
        at += crowd && random_bits() % (4 * crowd) == 0 ? 0 : ldexp((double)(1 + random_bits() % 1000), -10);
        x[i] = at;
    }
}

static void try_interpolate(void) {
    const size_t points = 1 + choose(MOST_BINS);
    double x[MOST_BINS], y[MOST_BINS];
    cheq_value_bins bins;
    cheq_knot knots[MOST_BINS];
    points_of(points, x, &bins);
    for (size_t i = 0; i < points; i++) {
        y[i] = (i ? y[i - 1] : 0) + (double)(random_bits() % 4) / 1024;
    }
    const cheq_curve curve = cheq_curve_make(x, y, &bins, knots);
    double *pixels = doubles(0, x[0] - 1, x[points - 1] + 1);
    const int bytes = choose(2) ? 4 : 8, to_bytes = bytes == 4 && choose(2) ? 4 : 8;
    for (size_t i = 0; i < n; i++) { /* now and then exactly on a point */
        const double point = x[random_bits() % points];
        const uint32_t kind = random_bits() % 16;
        pixels[i] = kind > 2 ? pixels[i] : kind == 2 ? point : nextafter(point, kind ? INFINITY : -INFINITY);
    }
    uint8_t *floats = floats_of(pixels, bytes);
    uint8_t *to = bytes == to_bytes && choose(2) ? floats : result_bytes(n * (size_t)to_bytes);
    k->interpolate(floats, bytes, to, to_bytes, n, &curve);
    for (size_t i = 0; i < n; i++) {
        const double exact = interpolated(pixels[i], x, y, points), found = cheq_float_at(to, to_bytes, i);
        const double expected = to_bytes == 4 ? (double)(float)exact : exact;
        expect(isnan(expected) ? isnan(found) : expected == found, k->name, "interpolate", n);
    }
}

/* ---- color ----------------------------------------------------------------------- */

/* A space by its number, and Lab's with tables. */
static cheq_space space_at(uint32_t i) {
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

/* Of one pixel: by the weights, or by Lab's definition. */
static uint8_t lightness_of(const cheq_space *space, uint8_t r, uint8_t g, uint8_t b) {
    const uint32_t rgb[] = {r, g, b}, weights[] = {space->luma.r, space->luma.g, space->luma.b};
    uint8_t *const channels[] = {&r, &g, &b};
    if (!space->is_lab) {
        return (uint8_t)weighed(weights, (uint32_t)space->luma.bits, rgb);
    }
    cheq_to_space_scalar(space, channels, 1);
    return r;
}

static void try_lightness(void) {
    const cheq_space space = space_at(choose(CHEQ_SPACE_COUNT));
    uint8_t *rgb[] = {input_bytes(n), input_bytes(n), input_bytes(n)}, *to = result_bytes(n), expected[MOST_PIXELS];
    for (size_t i = 0; i < n; i++) {
        expected[i] = lightness_of(&space, rgb[0][i], rgb[1][i], rgb[2][i]);
    }
    k->lightness(&space, rgb, n, to);
    result_is(to, expected, n, "lightness");
}

/* The fourth byte of the last pixel need not be there. */
static void try_lightness_dense(void) {
    const cheq_space space = space_at(choose(CHEQ_SPACE_COUNT));
    const size_t channels = 3 + choose(2), bytes = n * channels - (channels == 4 && n > 0 && choose(2));
    const size_t first = choose(2) * 2;
    uint8_t *pixels = input_bytes(bytes), *to = result_bytes(n), expected[MOST_PIXELS];
    for (size_t i = 0; i < n; i++) {
        const uint8_t *at = pixels + i * channels;
        expected[i] = lightness_of(&space, at[first], at[1], at[2 - first]);
    }
    if (space.is_lab || k->luma_dense) {
        k->lightness_dense(&space, pixels, (int)channels, (int)first, bytes, n, to);
        result_is(to, expected, n, "lightness_dense");
    }
}

static void try_gray16(void) {
    const cheq_weights *rule = &cheq_spaces[choose(2) ? CHEQ_GRAY_OPENCV : CHEQ_YCRCB].luma; /* 15 bits, or 14 */
    const uint32_t weights[] = {rule->r, rule->g, rule->b};
    const int swapped = (int)choose(2), apart = (int)choose(2);
    const size_t step = apart ? 2 : 6 + choose(4), stride = apart ? 2 * n + choose(3) : 2;
    uint8_t *pixels = input_bytes(n ? (n - 1) * step + 2 * stride + 2 : 0);
    uint16_t *gray = (uint16_t *)(void *)array_of(2 * n, choose(32) * 2), expected[MOST_PIXELS];
    for (size_t i = 0; i < n; i++) {
        uint32_t rgb[3];
        for (size_t c = 0; c < 3; c++) {
            uint16_t word;
            memcpy(&word, pixels + i * step + c * stride, 2);
            rgb[c] = swapped ? (uint16_t)(word >> 8 | word << 8) : word;
        }
        expected[i] = (uint16_t)weighed(weights, (uint32_t)rule->bits, rgb);
    }
    k->gray16(rule, pixels, (ptrdiff_t)stride, (ptrdiff_t)step, swapped, n, gray);
    result_is(gray, expected, 2 * n, "gray16");
}

static void try_spaces(void) {
    const cheq_space space = space_at(CHEQ_YCRCB + choose(CHEQ_SPACE_COUNT - CHEQ_YCRCB));
    const int back = (int)choose(2);
    uint8_t *channels[] = {input_bytes(n), input_bytes(n), input_bytes(n)}, expected[3][MOST_PIXELS];
    for (size_t i = 0; i < n; i++) {
        uint8_t *const one[] = {&expected[0][i], &expected[1][i], &expected[2][i]};
        for (int c = 0; c < 3; c++) {
            *one[c] = channels[c][i];
        }
        (back ? cheq_from_space_scalar : cheq_to_space_scalar)(&space, one, 1);
    }
    (back ? k->from_space : k->to_space)(&space, channels, n);
    for (int c = 0; c < 3; c++) {
        result_is(channels[c], expected[c], n, back ? "from_space" : "to_space");
    }
}

static void try_recolor16(void) {
    const cheq_space *space = &cheq_spaces[choose(2) ? CHEQ_YCRCB : CHEQ_YUV];
    uint16_t *rgb[3], *lightness = (uint16_t *)(void *)filled(2 * n, 2), expected[3][MOST_PIXELS];
    for (int c = 0; c < 3; c++) {
        rgb[c] = (uint16_t *)(void *)filled(2 * n, 2);
        memcpy(expected[c], rgb[c], 2 * n);
    }
    for (size_t i = 0; i < n; i++) {
        uint16_t *const one[] = {&expected[0][i], &expected[1][i], &expected[2][i]};
        cheq_recolor16_body(space, one, lightness + i, 1);
    }
    k->recolor16(space, rgb, lightness, n);
    for (int c = 0; c < 3; c++) {
        result_is(rgb[c], expected[c], 2 * n, "recolor16");
    }
}

static void try_recolor_dense(void) {
    const cheq_space space = space_at(CHEQ_YCRCB + choose(CHEQ_SPACE_COUNT - CHEQ_YCRCB));
    const size_t channels = 3 + choose(2), first = choose(2) * 2, bytes = n * channels;
    uint8_t *pixels = input_bytes(bytes), *lut = input_bytes(CHEQ_LEVELS), *expected = copied(pixels, bytes);
    uint8_t *out = choose(2) ? pixels : result_bytes(bytes), *lightness = choose(2) ? input_bytes(n) : NULL;
    for (size_t i = 0; i < n; i++) {
        uint8_t *at = expected + i * channels, *const rgb[] = {at + first, at + 1, at + 2 - first};
        cheq_to_space_scalar(&space, rgb, 1);
        *rgb[0] = lightness ? lightness[i] : lut[*rgb[0]];
        cheq_from_space_scalar(&space, rgb, 1);
    }
    if (space.is_lab || k->luma_dense) {
        k->recolor_dense(&space, pixels, out, n, (int)channels, (int)first, lightness ? NULL : lut, lightness);
        result_is(out, expected, bytes, "recolor_dense");
    }
}

static void (*const tries[])(void) = {
    try_count,  try_apply,          try_count_apply,  try_lut,    try_select,       try_gather,
    try_scatter, try_split,         try_merge,        try_apply_channels, try_bounds,
    try_count_floats, try_interpolate, try_lightness, try_lightness_dense, try_gray16, try_spaces,
    try_recolor16, try_recolor_dense, try_lut_clip, try_lut_clip16, try_blend,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input_begin(data, size);
    const int i = (int)choose(CHEQ_KERNEL_COUNT);
    const uint32_t task = choose(sizeof tries / sizeof tries[0]);
    k = cheq_kernels_at(i);
    if (!cheq_runs_here(k)) {
        return -1; /* not kept: it says nothing on this CPU */
    }
    n = choose(choose(4) ? 300 : MOST_PIXELS);
    tries[task]();
    input_end();
    return 0;
}
