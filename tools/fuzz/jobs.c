/* A libFuzzer target: whole calls on integer planes (bytes.h, levels.h) as the parallel loop makes them, on one thread.
 *
 * The input chooses the instruction set, the shape, every stride of the images, the mask and the result (any order and
 * sign, gaps, and 0 where that is allowed), the dtype, the method or LUTs, and how the work is cut into pieces. Then
 * every pixel, count and gap is compared with plain C. */
#include "input.h" /* first: tools/fuzz.py compiles with AddressSanitizer and UndefinedBehaviorSanitizer */

#include "definitions.h"

#include "kernels/dispatch.h"
#include "jobs/bytes.h"
#include "jobs/levels.h"

enum { MOST_AXES = 5, MOST_LEVELS = 65536, IMAGES, MASK, OUT };

typedef struct {
    uint8_t *memory, *base;
    size_t bytes, item;
    ptrdiff_t strides[MOST_AXES];
} view;

static const cheq_kernels *k;
static int ndim, n_batch;
static ptrdiff_t shape[MOST_AXES];
static size_t planes, pixels; /* pixels: of one plane */

/* ---- arrays -------------------------------------------------------------------- */

static void choose_shape(int bytes) {
    const uint32_t longest = choose(4) ? 12 : choose(8) ? 60 : 300;
    size_t most = choose(16) ? 1000 : 40000; /* of all pixels */
    ndim = 1 + (int)choose(MOST_AXES);
    n_batch = (int)choose((uint32_t)ndim + 1);
    planes = pixels = 1;
    for (int a = 0; a < ndim; a++) {
        const uint32_t wide_batch = bytes == 2 && a < n_batch; /* 65,536 bins a plane take their time */
        size_t length = choose(40) ? 1 + choose(wide_batch ? 3 : longest) : 0;
        length = length > most ? most : length;
        most /= length ? length : 1;
        shape[a] = (ptrdiff_t)length;
        *(a < n_batch ? &planes : &pixels) *= length;
    }
}

/* A view of the shape in memory of its own. apart: no two elements share a byte. */
static view choose_view(size_t item, int apart) {
    view v = {.item = item, .bytes = planes * pixels ? item : 0};
    size_t reach = item, first = 0;
    int axes[MOST_AXES];
    for (int a = 0; a < ndim; a++) { /* innermost first, mostly the last */
        axes[a] = ndim - 1 - a;
        const uint32_t other = choose(3) ? (uint32_t)a : choose((uint32_t)a + 1);
        const int swapped = axes[other];
        axes[other] = axes[a];
        axes[a] = swapped;
    }
    for (int a = 0; a < ndim; a++) {
        const size_t length = (size_t)shape[axes[a]];
        const size_t step = !apart && choose(16) == 0 ? 0 : reach + (choose(4) ? 0 : choose(6));
        const int backwards = choose(5) == 0;
        v.strides[axes[a]] = backwards ? -(ptrdiff_t)step : (ptrdiff_t)step;
        if (planes * pixels) {
            v.bytes += step * (length - 1);
            first += backwards ? step * (length - 1) : 0;
            reach = step ? step * length : reach;
        }
    }
    v.memory = array_of(v.bytes, choose(64));
    v.base = v.memory + first;
    return v;
}

/* Where element i of plane p is. */
static uint8_t *element(const view *v, size_t p, size_t i) {
    uint8_t *at = v->base;
    for (int a = ndim - 1; a >= 0; a--) {
        size_t *index = a < n_batch ? &p : &i;
        at += (ptrdiff_t)(*index % (size_t)shape[a]) * v->strides[a];
        *index /= (size_t)shape[a];
    }
    return at;
}

/* ---- the call --------------------------------------------------------------------- */

typedef enum { EQUALIZE, HISTOGRAM, APPLY } task;

/* Rows of jobs/makers.h. */
enum { OPENCV, PILLOW, SKIMAGE, NUMPY, OTSU };

typedef struct {
    task does;
    int maker;
    int bytes, is_signed, levels_out, entry_bytes, masked, keeps;
    uint32_t levels;
    view images, mask, out;
    uint64_t *hist;
    uint8_t *luts;
    size_t lut_step; /* bytes; 0: one for all planes */
} call;

static int is_wide(const call *c) {
    return c->is_signed || c->bytes == 2 || (c->does != HISTOGRAM && c->entry_bytes > 1);
}

static call choose_call(void) {
    call c = {.does = (task)choose(3), .maker = (int)choose(CHEQ_MAKER_COUNT), .bytes = choose(16) == 1 ? 2 : 1};
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
    c.keeps = c.masked && c.does != HISTOGRAM && (c.does == APPLY || choose(2));
    return c;
}

static void choose_arrays(call *c) {
    const int in_place = c->does != HISTOGRAM && c->entry_bytes == c->bytes && choose(3) == 0;
    c->images = choose_view((size_t)c->bytes, in_place);
    fill(c->images.memory, c->images.bytes);
    if (c->masked) {
        c->mask = choose_view(1, 0);
        fill(c->mask.memory, c->mask.bytes);
        for (size_t i = 0; i < c->mask.bytes; i++) {
            c->mask.memory[i] &= 1; /* booleans */
        }
    }
    if (c->does != HISTOGRAM) {
        c->out = in_place ? c->images : choose_view((size_t)c->entry_bytes, 1);
    } else {
        c->hist = (uint64_t *)(void *)array_of(planes * c->levels * sizeof(uint64_t), 0);
    }
    if (c->does == APPLY) {
        const size_t one = c->levels * (size_t)c->entry_bytes;
        c->lut_step = choose(2) ? one : 0;
        c->luts = filled(c->lut_step ? planes * one : one, (size_t)c->entry_bytes);
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
    if (c->does != HISTOGRAM) {
        cheq_layout_init(applied, ndim, n_batch, shape, to_apply, CHEQ_OUT);
    }
}

static cheq_work work_of_bytes(const call *c, cheq_bytes_job *job) {
    memset(job, PATTERN, sizeof *job);
    job->kernels = k;
    job->maker = cheq_maker_at(c->maker, k);
    job->counts = c->does != APPLY;
    job->applies = c->does != HISTOGRAM;
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
    job->maker = cheq_maker_at(c->maker, k);
    job->counts = c->does != APPLY;
    job->applies = c->does != HISTOGRAM;
    job->bytes = c->bytes;
    job->levels = c->levels;
    job->flip = c->is_signed ? c->levels / 2 : 0;
    job->entry_bytes = job->applies ? c->entry_bytes : 0;
    job->entry_is_level = c->levels_out;
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

/* ---- the parallel loop's pieces, one after the other ---------------------------------- */

static void run_whole(const cheq_work *work) {
    cheq_memory memory;
    if (!cheq_memory_open(&memory, work, 1, 0)) {
        abort();
    }
    for (size_t begin = 0; begin < work->groups;) {
        const size_t wanted = begin + 1 + (choose(2) ? choose(4) : work->groups);
        const size_t end = wanted < work->groups ? wanted : work->groups;
        cheq_run_groups(work, begin, end, &memory, 0);
        begin = end;
    }
    cheq_memory_close(&memory);
}

static void pass_in_parts(const cheq_work *work, const cheq_memory *memory, int counting, size_t group, int team) {
    const size_t chunk = 1 + (choose(2) ? choose(1000) : work->pixels);
    for (size_t begin = 0; begin < work->pixels; begin += chunk) {
        for (int i = 0; i < team; i++) {
            cheq_run_part(work, memory, counting, group, begin, cheq_min(begin + chunk, work->pixels), i, team);
        }
        if (counting && choose(4) == 0) {
            cheq_join_parts(work, memory, team);
        }
    }
    if (counting) {
        cheq_join_parts(work, memory, team);
    }
}

static void run_in_parts(const cheq_work *work) {
    const int team = 1 + (int)choose(5);
    cheq_memory memory;
    if (!cheq_memory_open(&memory, work, (size_t)team, 1)) {
        abort();
    }
    for (size_t group = 0; group < work->groups; group++) {
        if (work->count) {
            pass_in_parts(work, &memory, 1, group, team);
            cheq_make_joined(work, &memory, group);
        }
        if (work->apply) {
            pass_in_parts(work, &memory, 0, group, team);
        }
    }
    cheq_memory_close(&memory);
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

/* The plane's LUT, in bins or, where the result is not levels, in doubles. */
static void lut_of_plane(const call *c) {
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
    } else if (total > 0) {
        const int32_t minimum = c->is_signed ? -(int32_t)(c->levels / 2) : 0;
        numpy_cdf(hist, present, c->levels, minimum, c->levels_out ? 1 : 255, cdf_lut);
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
    if (c->does != HISTOGRAM) {
        expected.memory = out_before;
        expected.base = out_before + (c->out.base - c->out.memory);
    }
    for (size_t p = 0; p < planes; p++) {
        if (c->does != APPLY) {
            count_plane(c, before, p);
        }
        if (c->does == HISTOGRAM) {
            expect_equal(c->hist + p * c->levels, hist, c->levels * sizeof *hist, k->name, "histogram", pixels);
            continue;
        }
        if (c->does == EQUALIZE) {
            lut_of_plane(c);
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
    if (c->does != HISTOGRAM) { /* with the gaps between the elements */
        expect_equal(c->out.memory, expected.memory, c->out.bytes, k->name, c->does == APPLY ? "apply" : "equalize", pixels);
    }
}

static void run_call(call *c) {
    cheq_bytes_job job;
    cheq_levels_job wide;
    view before = c->images;
    before.memory = copied(c->images.memory, c->images.bytes);
    before.base = before.memory + (c->images.base - c->images.memory);
    uint8_t *out_before = c->does == HISTOGRAM ? NULL : copied(c->out.memory, c->out.bytes);
    const cheq_work work = is_wide(c) ? work_of_wide(c, &wide) : work_of_bytes(c, &job);
    expect(work.groups * work.planes == planes && work.pixels == pixels, k->name, "groups", pixels);
    if (choose(is_wide(c) ? 128 : 3) == 1) {
        run_in_parts(&work);
    } else {
        run_whole(&work);
    }
    check(c, &before, out_before);
    if (c->does == HISTOGRAM || c->out.memory != c->images.memory) {
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
    call c = choose_call();
    choose_shape(c.does == EQUALIZE && c.bytes == 1 ? 1 : 2);
    choose_arrays(&c);
    if (planes * pixels > 0) { /* the parallel loop does nothing else */
        run_call(&c);
    }
    input_end();
    return 0;
}
