/* What calls on planes share: shapes, views of any strides, and the parallel loop on one thread. */
#ifndef CHEQ_FUZZ_CALLS_H
#define CHEQ_FUZZ_CALLS_H

#include "input.h" /* first: tools/fuzz.py compiles with AddressSanitizer and UndefinedBehaviorSanitizer */

#include "kernels/dispatch.h"
#include "jobs/passes.h"

enum { MOST_AXES = 5 };

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

#endif
