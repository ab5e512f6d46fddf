/* What makes LUTs, by name. A new formula is a row here; one with a context is made by its caller. */
#ifndef CHEQ_MAKERS_H
#define CHEQ_MAKERS_H

#include "formulas/lut.h"
#include "formulas/match.h"
#include "kernels/kernels.h"

typedef struct {
    const char *name; /* the method's, where there is one */
    cheq_formula *make;
    const void *context;
    /* A kernel that makes the same of bytes whose total is at most CHEQ_TOTAL32, or NULL. */
    void (*of_bytes)(const uint32_t hist[CHEQ_LEVELS], uint8_t lut[CHEQ_LEVELS]);
    cheq_distribution *distribution; /* of floats; NULL where they are not taken */
} cheq_maker;

enum { CHEQ_MAKER_COUNT = 5 };

static inline cheq_maker cheq_maker_at(int i, const cheq_kernels *k) {
    const cheq_maker makers[CHEQ_MAKER_COUNT] = {
        {.name = "opencv", .make = cheq_make_opencv, .of_bytes = k->lut_opencv},
        {.name = "pillow", .make = cheq_make_pillow, .of_bytes = k->lut_pillow},
        {.name = "skimage", .make = cheq_make_skimage, .distribution = cheq_skimage_distribution},
        {.name = "numpy", .make = cheq_make_numpy, .distribution = cheq_recipe_distribution},
        {.name = "otsu", .make = cheq_make_otsu},
    };
    return makers[i];
}

static inline void cheq_make_lut(const cheq_maker *maker, const cheq_counts *counts, const cheq_entries *to) {
    maker->make(maker->context, counts, to);
}

/* What matches histograms; it has a context. */
static inline cheq_maker cheq_matcher(const cheq_matching *matching) {
    const cheq_maker maker = {.name = "match", .make = cheq_make_match, .context = matching};
    return maker;
}

/* What makes targets of references. */
static inline cheq_maker cheq_learner(const cheq_learning *learning) {
    const cheq_maker maker = {.name = "learn", .make = cheq_make_learn, .context = learning};
    return maker;
}

/* The LUT of at most CHEQ_TOTAL32 bytes, to bytes. */
static inline void cheq_make_lut_of_bytes(const cheq_maker *maker, size_t plane, const uint32_t hist[CHEQ_LEVELS],
                                          uint8_t lut[CHEQ_LEVELS], void *room) {
    if (maker->of_bytes) {
        maker->of_bytes(hist, lut);
        return;
    }
    const cheq_counts counts = {.hist32 = hist, .n = CHEQ_LEVELS, .plane = plane};
    const cheq_entries entries = {lut, 1, CHEQ_LEVELS, 0, room};
    cheq_make_lut(maker, &counts, &entries);
}

/* The LUT of any number of pixels of any levels, to any entries. */
static inline void cheq_make_lut_of_hist(const cheq_maker *maker, size_t plane, const uint64_t *hist,
                                         const cheq_entries *to) {
    const cheq_counts counts = {.hist64 = hist, .n = to->levels, .plane = plane};
    if (maker->of_bytes && to->bytes == 1 && to->flip == 0) {
        uint64_t total = 0;
        uint32_t hist32[CHEQ_LEVELS];
        for (int v = 0; v < CHEQ_LEVELS; v++) {
            total += hist[v];
            hist32[v] = (uint32_t)hist[v];
        }
        if (total <= CHEQ_TOTAL32) {
            maker->of_bytes(hist32, to->lut);
            return;
        }
    }
    cheq_make_lut(maker, &counts, to);
}

static inline uint32_t cheq_otsu_of_hist(const uint64_t *hist, uint32_t levels) {
    const cheq_counts counts = {.hist64 = hist, .n = levels};
    return cheq_otsu(&counts);
}

#endif
