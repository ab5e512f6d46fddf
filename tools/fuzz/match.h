/* Matching: targets and what they make of shares, and whole calls on planes of floats, references first. */
#ifndef CHEQ_FUZZ_MATCH_H
#define CHEQ_FUZZ_MATCH_H

#include "calls.h"

#include "definitions.h"

#include "jobs/match.h"

/* ---- targets of integers ------------------------------------------------------------ */

enum { MOST_TARGETS = 3, MOST_KNOTS = 300 };

/* A target once more, as the definitions take it. */
static double shares[MOST_TARGETS][MOST_KNOTS], values[MOST_TARGETS][MOST_KNOTS];

static size_t choose_target(int t, uint32_t levels, int32_t lowest) {
    const uint32_t gap = 1 + choose(levels / 8), most = 1 + choose(200), wanted = 1 + choose(MOST_KNOTS);
    uint64_t total = 0;
    size_t n = 0;
    for (uint32_t level = choose(levels); level < levels && n < wanted; level += 1 + random_bits() % gap) {
        total += 1 + random_bits() % most;
        shares[t][n] = (double)total;
        values[t][n++] = (double)lowest + level;
    }
    for (size_t i = 0; i < n; i++) {
        shares[t][i] /= (double)total;
    }
    return n;
}

/* Some targets, one for all planes or one of them for each. */
static cheq_matching choose_targets(uint32_t levels, int32_t lowest) {
    const int n_targets = 1 + (int)choose(MOST_TARGETS);
    cheq_knot *knots = (cheq_knot *)(void *)array_of((size_t)n_targets * (MOST_KNOTS + 1) * sizeof *knots, 0);
    int64_t(*rows)[2] = (int64_t(*)[2])(void *)array_of(planes * sizeof *rows, 0);
    const cheq_matching matching = {knots, (const int64_t(*)[2])rows, choose(2) ? planes : 1, (int)choose(2)};
    int64_t lengths[MOST_TARGETS];
    for (int t = 0; t < n_targets; t++) {
        cheq_knot *own = knots + t * (MOST_KNOTS + 1);
        lengths[t] = (int64_t)choose_target(t, levels, lowest);
        for (int64_t i = 0; i < lengths[t]; i++) {
            own[i] = (cheq_knot){shares[t][i], values[t][i], 0, 0};
        }
        cheq_knots_join(own, (size_t)lengths[t]);
    }
    for (size_t p = 0; p < planes; p++) {
        const int64_t t = random_bits() % (uint32_t)n_targets;
        rows[p][0] = t * (MOST_KNOTS + 1);
        rows[p][1] = lengths[t];
    }
    return matching;
}

static double matched(double share, size_t p, const cheq_matching *matching) {
    const int64_t *row = matching->rows[matching->n_rows == 1 ? 0 : p];
    const int64_t t = row[0] / (MOST_KNOTS + 1);
    return interpolated(share, shares[t], values[t], (size_t)row[1]);
}

/* ---- floats ------------------------------------------------------------------------- */

enum { MOST_FLOATS = 4000 };

typedef struct {
    int bytes, masked, keeps;
    view images, mask, out;
} float_call;

static double float_at(const view *v, size_t p, size_t i) {
    float single;
    double value;
    memcpy(&value, element(v, p, i), v->item == 8 ? 8 : 0);
    memcpy(&single, element(v, p, i), v->item == 4 ? 4 : 0);
    return v->item == 4 ? (double)single : value;
}

static void put_float(const view *v, size_t p, size_t i, double value) {
    const float single = (float)value;
    memcpy(element(v, p, i), v->item == 4 ? (const void *)&single : &value, v->item);
}

/* Any bits; or values that differ in their last bits alone, or in two more above them, so that of the 32 highest bits in
 * which they differ most are alike; or whole ones, often zeros of either sign. */
static void fill_floats(const view *v, int finite) {
    const uint32_t form = choose(3), bits = choose(choose(2) ? 16 : 40), many = 1 + choose(40), high = choose(2) * 3;
    fill(v->memory, v->bytes);
    for (size_t p = 0; p < planes; p++) {
        for (size_t i = 0; i < pixels; i++) {
            const uint64_t some = (uint64_t)random_bits() << 20 ^ random_bits();
            if (form == 1) {
                const uint64_t low = some & (((uint64_t)1 << bits) - 1);
                put_float(v, p, i, 1.0 + ldexp((double)(low | (some >> 45 & high) << 38), -52));
            } else if (form == 2) {
                put_float(v, p, i, (some & 64 ? -1.0 : 1.0) * (double)(some % many));
            } else if (finite && isinf(float_at(v, p, i))) {
                put_float(v, p, i, 1.0);
            }
        }
    }
}

/* Few planes and many pixels: short ones are sorted in another way. */
static void choose_float_shape(void) {
    size_t left = MOST_FLOATS;
    ndim = 1 + (int)choose(4);
    n_batch = (int)choose((uint32_t)ndim);
    planes = pixels = 1;
    for (int a = 0; a < ndim; a++) {
        const uint32_t longest = a < n_batch ? 3 : a + 1 == ndim ? 500 : 20;
        const size_t length = cheq_min(1 + choose(longest), left);
        left /= length;
        shape[a] = (ptrdiff_t)length;
        *(a < n_batch ? &planes : &pixels) *= length;
    }
}

static float_call choose_floats(int bytes, int reference) {
    float_call c = {.bytes = bytes, .masked = choose(3) == 0};
    const int in_place = !reference && choose(3) == 0;
    c.images = choose_view((size_t)bytes, in_place);
    fill_floats(&c.images, reference);
    if (c.masked) {
        c.keeps = !reference && choose(2);
        c.mask = choose_view(1, 0);
        fill(c.mask.memory, c.mask.bytes);
        for (size_t i = 0; i < c.mask.bytes; i++) {
            c.mask.memory[i] &= 1; /* booleans */
        }
    }
    if (!reference) {
        c.out = in_place ? c.images : choose_view((size_t)bytes, 1);
    }
    return c;
}

static cheq_match_job float_job(const float_call *c) {
    cheq_match_job job;
    const cheq_operand none = {NULL, NULL}, out = {c->out.base, c->out.strides}, mask = {c->mask.base, c->mask.strides};
    const cheq_operand operands[CHEQ_OPERANDS] = {
        [CHEQ_IMAGES] = {c->images.base, c->images.strides}, [CHEQ_OUT] = c->out.base ? out : none,
        [CHEQ_MASK] = c->masked ? mask : none};
    memset(&job, 0, sizeof job);
    job.bytes = c->bytes;
    job.keeps = c->keeps;
    cheq_layout_init(&job.layout, ndim, n_batch, shape, operands, c->out.base ? CHEQ_OUT : CHEQ_IMAGES);
    cheq_layout_group(&job.layout, 1);
    job.groups = cheq_axes_size(&job.layout.batch);
    job.pixels = cheq_axes_size(&job.layout.pixels);
    return job;
}

/* ---- what it should do ---------------------------------------------------------------- */

static int by_value(const void *first, const void *second) { /* -0.0 before 0.0 */
    const double a = *(const double *)first, b = *(const double *)second;
    return a < b ? -1 : a > b ? 1 : (signbit(a) ? 0 : 1) - (signbit(b) ? 0 : 1);
}

/* The counted values of a plane in order; returns how many there are. NaN is none. */
static size_t sorted(const float_call *c, const view *images, size_t p, double *into) {
    size_t n = 0;
    for (size_t i = 0; i < pixels; i++) {
        const double value = float_at(images, p, i);
        if (!isnan(value) && (!c->masked || *element(&c->mask, p, i))) {
            into[n++] = value;
        }
    }
    qsort(into, n, sizeof *into, by_value);
    return n;
}

static double ranked[MOST_FLOATS], known_shares[MOST_FLOATS], known_values[MOST_FLOATS];

/* The target of a plane: values that differ, and their shares. */
static size_t target_of(const float_call *c, size_t p) {
    const size_t n = sorted(c, &c->images, p, ranked);
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || ranked[i] != ranked[i - 1]) {
            known_values[found++] = ranked[i];
        }
        known_shares[found - 1] = (double)(i + 1) / (double)n;
    }
    return found;
}

/* Learn references; of one that has a target return which, and its knots. */
static cheq_matching learn(const float_call *c, int64_t row[2]) {
    cheq_match_job job = float_job(c);
    const size_t one = pixels + 1, asked = choose((uint32_t)planes);
    job.knots = (cheq_knot *)(void *)array_of(planes * one * sizeof(cheq_knot), 0);
    job.rows = (int64_t(*)[2])(void *)array_of(planes * sizeof(int64_t[2]), 0);
    const cheq_work work = cheq_match_work(&job);
    run_whole(&work);
    for (size_t p = 0; p <= asked; p++) {
        const cheq_knot *knots = job.knots + p * one;
        const size_t n = target_of(c, p);
        expect(job.rows[p][0] == (int64_t)(p * one) && job.rows[p][1] == (int64_t)n && knots[n].x == INFINITY, k->name,
               "a target's end", pixels);
        for (size_t i = 0; i < n; i++) {
            expect(knots[i].x == known_shares[i], k->name, "a target's share", pixels);
            expect_equal(&knots[i].y, &known_values[i], sizeof(double), k->name, "a target's value", pixels);
        }
    }
    memcpy(row, job.rows[asked], sizeof job.rows[asked]);
    const cheq_matching matching = {job.knots, (const int64_t(*)[2])row, 1, 0};
    return matching;
}

/* Write what a plane should become, and where that is NaN, any NaN, take the result's. */
static void expect_plane(const float_call *c, const view *before, const view *expected, size_t p, size_t n_known) {
    const size_t counted = sorted(c, before, p, ranked);
    for (size_t i = 0; i < pixels; i++) {
        const double value = float_at(before, p, i);
        size_t at_or_below = 0;
        if ((c->keeps && !*element(&c->mask, p, i)) || (counted > 0 && isnan(value))) {
            memcpy(element(expected, p, i), element(before, p, i), before->item);
            continue;
        }
        for (size_t step = (size_t)1 << 12; step > 0; step /= 2) {
            const size_t next = at_or_below + step;
            at_or_below = next <= counted && ranked[next - 1] <= value ? next : at_or_below;
        }
        const double share = (double)at_or_below / (double)counted;
        put_float(expected, p, i, counted ? interpolated(share, known_shares, known_values, n_known) : NAN);
        if (isnan(float_at(expected, p, i)) && isnan(float_at(&c->out, p, i))) {
            memcpy(element(expected, p, i), element(&c->out, p, i), before->item);
        }
    }
}

static view copy_of(const view *v) {
    view copy = *v;
    copy.memory = copied(v->memory, v->bytes);
    copy.base = copy.memory + (v->base - v->memory);
    return copy;
}

static void try_floats(void) {
    const int bytes = choose(2) ? 4 : 8;
    int64_t row[2];
    choose_float_shape();
    const float_call reference = choose_floats(bytes, 1);
    cheq_matching matching = learn(&reference, row); /* the one whose target is still known */
    const size_t n_known = (size_t)row[1];
    if (n_known == 0) {
        return;
    }
    choose_float_shape();
    const float_call c = choose_floats(bytes, 0);
    const view before = copy_of(&c.images), expected = copy_of(&c.out);
    cheq_match_job job = float_job(&c);
    job.matching = matching;
    const cheq_work work = cheq_match_work(&job);
    run_whole(&work);
    for (size_t p = 0; p < planes; p++) {
        expect_plane(&c, &before, &expected, p, n_known);
    }
    expect_equal(c.out.memory, expected.memory, c.out.bytes, k->name, "matched floats", pixels);
    if (c.out.memory != c.images.memory) {
        expect_equal(c.images.memory, before.memory, before.bytes, k->name, "the images, which changed,", pixels);
    }
}

#endif
