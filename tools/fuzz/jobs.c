/* A libFuzzer target: whole calls on integer planes (bytes.h, levels.h), and on planes of floats that are matched
 * (match.h, with the sort), as the parallel loop makes them, on one thread.
 *
 * The input chooses the instruction set, the shape, every stride of the images, the mask and the result (any order and
 * sign, gaps, and 0 where that is allowed), the dtype, the method, LUTs or what is matched to, and how the work is cut
 * into pieces. Then every pixel, count and gap is compared with plain C. */
#include "calls.h" /* first: tools/fuzz.py compiles with AddressSanitizer and UndefinedBehaviorSanitizer */

#include "definitions.h"
#include "match.h"

#include "jobs/bytes.h"
#include "jobs/levels.h"

enum { MOST_LEVELS = 65536 };

/* ---- the call --------------------------------------------------------------------- */

typedef enum { EQUALIZE, HISTOGRAM, APPLY, LEARN } task;

/* Rows of jobs/makers.h, and the makers that have a context. */
enum { OPENCV, PILLOW, SKIMAGE, NUMPY, OTSU, MATCH };

typedef struct {
    task does;
    int maker;
    int bytes, is_signed, levels_out, entry_bytes, masked, keeps, streams;
    uint32_t levels;
    view images, mask, out;
    uint64_t *hist;
    uint8_t *luts;
    size_t lut_step; /* bytes; 0: one for all planes */
    cheq_matching matching;
    cheq_learning learning;
} call;

static int counts_alone(const call *c) {
    return c->does == HISTOGRAM || c->does == LEARN;
}

static int is_wide(const call *c) {
    return c->is_signed || c->bytes == 2 || (!counts_alone(c) && c->entry_bytes > 1);
}

static call choose_call(void) {
    call c = {.does = (task)choose(4), .maker = (int)choose(CHEQ_MAKER_COUNT + 1), .bytes = choose(16) == 1 ? 2 : 1};
    const uint32_t other = choose(8);
    c.levels = c.bytes == 1 ? 256 : MOST_LEVELS;
    const int fixed = c.maker == OPENCV || c.maker == PILLOW || c.maker == OTSU;
    c.is_signed = other & 1 && (c.does != EQUALIZE || !fixed);
    c.maker = c.maker == PILLOW && c.bytes == 2 ? OPENCV : c.maker;
    c.levels_out = fixed || other & 2;
    c.entry_bytes = c.levels_out ? c.bytes : 8;
    if (c.does == APPLY) {
        c.entry_bytes = 1 << (other >> 1);
        c.levels_out = 1;
    }
    c.masked = choose(3) == 0;
    c.keeps = c.masked && !counts_alone(&c) && (c.does == APPLY || choose(2));
    c.streams = (int)choose(2);
    return c;
}

static int32_t lowest_of(const call *c) {
    return c->is_signed ? -(int32_t)(c->levels / 2) : 0;
}

static void choose_arrays(call *c) {
    const int in_place = !counts_alone(c) && c->entry_bytes == c->bytes && choose(3) == 0;
    c->images = choose_view((size_t)c->bytes, in_place);
    fill(c->images.memory, c->images.bytes);
    if (c->masked) {
        c->mask = choose_view(1, 0);
        fill(c->mask.memory, c->mask.bytes);
        for (size_t i = 0; i < c->mask.bytes; i++) {
            c->mask.memory[i] &= 1; /* booleans */
        }
    }
    if (!counts_alone(c)) {
        c->out = in_place ? c->images : choose_view((size_t)c->entry_bytes, 1);
    } else if (c->does == HISTOGRAM) {
        c->hist = (uint64_t *)(void *)array_of(planes * c->levels * sizeof(uint64_t), 0);
    }
    if (c->does == LEARN) {
        c->learning.lowest = lowest_of(c);
        c->learning.n_rows = planes;
        c->learning.room = cheq_min(c->levels, pixels) + 1;
        c->learning.knots = (cheq_knot *)(void *)array_of(planes * c->learning.room * sizeof(cheq_knot), 0);
        c->learning.rows = (int64_t (*)[2])(void *)array_of(planes * sizeof(int64_t[2]), 0);
    } else if (c->does == EQUALIZE && c->maker == MATCH) {
        c->matching = choose_targets(c->levels, lowest_of(c));
    }
    if (c->does == APPLY) {
        const size_t one = c->levels * (size_t)c->entry_bytes;
        c->lut_step = choose(2) ? one : 0;
        c->luts = filled(c->lut_step ? planes * one : one, 1);
    }
}

static void lay_out(const call *c, cheq_layout *counted, cheq_layout *applied) {
    const cheq_operand none = {NULL, NULL};
    const cheq_operand images = {c->images.base, c->images.strides};
    const cheq_operand mask = {c->mask.base, c->mask.strides}, out = {c->out.base, c->out.strides};
    const cheq_operand to_count[CHEQ_OPERANDS] = {
        [CHEQ_IMAGES] = images, [CHEQ_OUT] = none, [CHEQ_MASK] = c->masked ? mask : none};
    const cheq_operand to_apply[CHEQ_OPERANDS] = {
        [CHEQ_IMAGES] = images, [CHEQ_OUT] = out, [CHEQ_MASK] = c->keeps ? mask : none};
    if (c->does != APPLY) {
        cheq_layout_init(counted, ndim, n_batch, shape, to_count, CHEQ_IMAGES);
    }
    if (!counts_alone(c)) {
        cheq_layout_init(applied, ndim, n_batch, shape, to_apply, CHEQ_OUT);
    }
}

static cheq_maker maker_of(const call *c) {
    const cheq_maker none = {.make = NULL};
    return c->does == LEARN      ? cheq_learner(&c->learning)
           : c->does != EQUALIZE ? none
           : c->maker == MATCH   ? cheq_matcher(&c->matching)
                                 : cheq_maker_at(c->maker, k);
}

static cheq_work work_of_bytes(const call *c, cheq_bytes_job *job) {
    memset(job, PATTERN, sizeof *job);
    job->kernels = k;
    job->maker = maker_of(c);
    job->counts = c->does != APPLY;
    job->applies = !counts_alone(c);
    job->hist = c->hist;
    job->luts = c->luts;
    job->lut_step = c->lut_step;
    lay_out(c, &job->counted, &job->applied);
    cheq_bytes_group(job);
    return cheq_bytes_work(job);
}

static cheq_work work_of_wide(const call *c, cheq_levels_job *job) {
    memset(job, PATTERN, sizeof *job);
    job->kernels = k;
    job->maker = maker_of(c);
    job->counts = c->does != APPLY;
    job->applies = !counts_alone(c);
    job->bytes = c->bytes;
    job->levels = c->levels;
    job->flip = c->is_signed ? c->levels / 2 : 0;
    job->entry_bytes = job->applies ? c->entry_bytes : 0;
    job->entry_is_level = c->levels_out;
    job->streams = c->streams;
    job->hist = c->hist;
    job->luts = c->luts;
    job->lut_step = c->lut_step;
    lay_out(c, &job->counted, &job->applied);
    if (job->counts) {
        cheq_layout_group(&job->counted, 1);
    }
    if (job->applies) {
        cheq_layout_group(&job->applied, 1);
    }
    const cheq_layout *layout = job->applies ? &job->applied : &job->counted;
    job->groups = cheq_axes_size(&layout->batch);
    job->pixels = cheq_axes_size(&layout->pixels);
    return cheq_levels_work(job);
}

/* ---- what it should do -------------------------------------------------------------------- */

static uint64_t hist[MOST_LEVELS];
static uint8_t present[MOST_LEVELS];
static uint32_t level_lut[MOST_LEVELS];
static double cdf_lut[MOST_LEVELS];

static uint32_t bin_at(const call *c, const view *images, size_t p, size_t i) {
    uint16_t word = 0;
    memcpy(&word, element(images, p, i), images->item); /* little-endian, as is all that libFuzzer runs on here */
    return c->is_signed ? word ^ (c->levels / 2) : word;
}

static void count_plane(const call *c, const view *images, size_t p) {
    memset(hist, 0, c->levels * sizeof *hist);
    memset(present, 0, c->levels);
    for (size_t i = 0; i < pixels; i++) {
        const uint32_t bin = bin_at(c, images, p, i);
        present[bin] = 1;
        hist[bin] += !c->masked || *element(&c->mask, p, i);
    }
}

/* Of the levels that there are, for the search is slow. */
static void match_lut(const call *c, size_t p, uint64_t total) {
    uint64_t running = 0;
    for (uint32_t v = 0; v < c->levels; v++) {
        running += hist[v];
        if (present[v]) {
            cdf_lut[v] = matched((double)running / (double)total, p, &c->matching);
            const double level = c->matching.truncates ? trunc(cdf_lut[v]) : nearbyint(cdf_lut[v]);
            level_lut[v] = (uint32_t)((int32_t)level - lowest_of(c));
        }
    }
}

/* What a reference's plane teaches. */
static void check_learned(const call *c, size_t p) {
    const cheq_knot *knots = c->learning.knots + p * c->learning.room;
    uint64_t total = 0, running = 0;
    int64_t n = 0;
    for (uint32_t v = 0; v < c->levels; v++) {
        total += hist[v];
    }
    for (uint32_t v = 0; v < c->levels; v++) {
        running += hist[v];
        if (hist[v] > 0) {
            expect(knots[n].x == (double)running / (double)total && knots[n].y == lowest_of(c) + (double)v, k->name,
                   "a target", pixels);
            n++;
        }
    }
    expect(c->learning.rows[p][0] == knots - c->learning.knots && c->learning.rows[p][1] == n && knots[n].x == INFINITY,
           k->name, "a target's end", pixels);
}

/* The plane's LUT, in bins or, where the result is not levels, in doubles. */
static void lut_of_plane(const call *c, size_t p) {
    uint64_t total = 0;
    for (uint32_t v = 0; v < c->levels; v++) {
        total += hist[v];
    }
    if (c->maker == OPENCV || c->maker == PILLOW || c->maker == OTSU) {
        (c->maker == OPENCV ? opencv_lut : c->maker == PILLOW ? pillow_lut : otsu_lut)(hist, c->levels, level_lut);
        return;
    }
    if (total > 0 && c->maker == SKIMAGE) {
        skimage_cdf(hist, c->levels, cdf_lut);
    } else if (total > 0 && c->maker == MATCH) {
        match_lut(c, p, total);
        return;
    } else if (total > 0) {
        numpy_cdf(hist, present, c->levels, lowest_of(c), c->levels_out ? 1 : 255, cdf_lut);
    }
    for (uint32_t v = 0; v < c->levels; v++) {
        level_lut[v] = total ? (uint32_t)nearbyint(cdf_lut[v] * (c->levels - 1)) : v;
        cdf_lut[v] = total ? cdf_lut[v] : NAN;
    }
}

static void expected_entry(const call *c, size_t p, uint32_t bin, uint8_t *entry) {
    if (c->does == APPLY) {
        memcpy(entry, c->luts + p * c->lut_step + bin * (size_t)c->entry_bytes, (size_t)c->entry_bytes);
    } else if (!c->levels_out) {
        memcpy(entry, &cdf_lut[bin], sizeof(double));
    } else {
        const uint16_t level = (uint16_t)(c->is_signed ? level_lut[bin] ^ (c->levels / 2) : level_lut[bin]);
        memcpy(entry, &level, (size_t)c->entry_bytes);
    }
}

/* A level that is kept, in the dtype that the size of the result's elements tells. */
static void kept_entry(const call *c, uint32_t bin, uint8_t *entry) {
    const int32_t level = (int32_t)bin - (c->is_signed ? (int32_t)(c->levels / 2) : 0);
    const uint16_t word = (uint16_t)level;
    const float single = (float)level;
    const double number = level;
    memcpy(entry, c->entry_bytes <= 2 ? (const void *)&word : c->entry_bytes == 4 ? (const void *)&single : &number,
           (size_t)c->entry_bytes);
}

/* Compare all that was written with the images as they were. */
static void check(const call *c, const view *before, uint8_t *out_before) {
    view expected = c->out;
    if (!counts_alone(c)) {
        expected.memory = out_before;
        expected.base = out_before + (c->out.base - c->out.memory);
    }
    for (size_t p = 0; p < planes; p++) {
        if (c->does != APPLY) {
            count_plane(c, before, p);
        }
        if (c->does == LEARN) {
            check_learned(c, p);
            continue;
        }
        if (c->does == HISTOGRAM) {
            expect_equal(c->hist + p * c->levels, hist, c->levels * sizeof *hist, k->name, "histogram", pixels);
            continue;
        }
        if (c->does == EQUALIZE) {
            lut_of_plane(c, p);
        }
        for (size_t i = 0; i < pixels; i++) {
            const uint32_t bin = bin_at(c, before, p, i);
            if (c->keeps && !*element(&c->mask, p, i)) {
                kept_entry(c, bin, element(&expected, p, i));
            } else {
                expected_entry(c, p, bin, element(&expected, p, i));
            }
        }
    }
    if (!counts_alone(c)) { /* with the gaps between the elements */
        expect_equal(c->out.memory, expected.memory, c->out.bytes, k->name, c->does == APPLY ? "apply" : "equalize", pixels);
    }
}

static void run_call(call *c) {
    cheq_bytes_job job;
    cheq_levels_job wide;
    view before = c->images;
    before.memory = copied(c->images.memory, c->images.bytes);
    before.base = before.memory + (c->images.base - c->images.memory);
    uint8_t *out_before = counts_alone(c) ? NULL : copied(c->out.memory, c->out.bytes);
    const cheq_work work = is_wide(c) ? work_of_wide(c, &wide) : work_of_bytes(c, &job);
    expect(work.groups * work.planes == planes && work.pixels == pixels, k->name, "groups", pixels);
    if (choose(is_wide(c) ? 128 : 3) == 1) {
        run_in_parts(&work);
    } else {
        run_whole(&work);
    }
    check(c, &before, out_before);
    if (counts_alone(c) || c->out.memory != c->images.memory) {
        expect_equal(c->images.memory, before.memory, before.bytes, k->name, "the images, which changed,", pixels);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input_begin(data, size);
    const int i = (int)choose(CHEQ_KERNEL_COUNT);
    k = cheq_kernels_at(i);
    if (!cheq_runs_here(k)) {
        return -1; /* not kept: it says nothing on this CPU */
    }
    if (choose(4) == 1) {
        try_floats();
    } else {
        call c = choose_call();
        choose_shape(c.does == EQUALIZE && c.bytes == 1 ? 1 : 2);
        if (planes * pixels > 0) { /* the parallel loop does nothing else */
            choose_arrays(&c);
            run_call(&c);
        }
    }
    input_end();
    return 0;
}
