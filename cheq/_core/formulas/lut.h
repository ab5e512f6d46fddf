/* Each formula that turns a histogram into a LUT. These are the definitions; the kernels'
 * vectors of them are proved equal to them (tests/test_kernel_luts.py). */
#ifndef CHEQ_LUT_H
#define CHEQ_LUT_H

#include <float.h>
#include <math.h>

#include "formulas/base.h"
#include "formulas/bins.h"

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "cheq needs float arithmetic in float precision (on 32-bit x86: -msse2 -mfpmath=sse)"
#endif

/* ---- what is counted, and what is written ------------------------------- */

/* A plane's counts, by bin: level - the dtype's minimum; and its n bins, in ascending order: from `begin` on, or those
 * that are listed. All others are empty, and no pixel of the plane, counted or not, needs their LUT entries (but where another
 * thread changes pixels in mid-call, which find any entries). */
typedef struct {
    const uint32_t *hist32; /* one of the two */
    const uint64_t *hist64;
    const uint16_t *listed; /* or NULL */
    size_t begin, n;
    size_t plane;     /* its number in the batch, for a context that differs from plane to plane */
    int present_only; /* no pixel has a level that is not counted, so LUTs need not tell of any */
    uint64_t *total;  /* where what they add up to is written; or NULL */
} cheq_counts;

CHEQ_BODY size_t cheq_bin_at(const cheq_counts *counts, size_t i) {
    return counts->listed ? counts->listed[i] : counts->begin + i;
}

CHEQ_BODY uint64_t cheq_count_at(const cheq_counts *counts, size_t bin) {
    return counts->hist32 ? counts->hist32[bin] : counts->hist64[bin];
}

typedef struct {
    uint64_t total;
    size_t first, last; /* the first and last occupied bin, if total > 0 */
} cheq_summary;

CHEQ_BODY cheq_summary cheq_summarize(const cheq_counts *counts) {
    cheq_summary plane = {0, 0, 0};
    for (size_t i = 0; i < counts->n; i++) {
        plane.total += cheq_count_at(counts, cheq_bin_at(counts, i));
    }
    if (counts->total) {
        *counts->total = plane.total;
    }
    if (plane.total == 0) {
        return plane;
    }
    size_t first = 0, last = counts->n - 1; /* a histogram that is given may become zeros meanwhile */
    while (first < last && cheq_count_at(counts, cheq_bin_at(counts, first)) == 0) {
        first++;
    }
    while (first < last && cheq_count_at(counts, cheq_bin_at(counts, last)) == 0) {
        last--;
    }
    plane.first = cheq_bin_at(counts, first);
    plane.last = cheq_bin_at(counts, last);
    return plane;
}

/* The LUT, one entry a bin: unsigned levels of 8 or 16 bits, or doubles. With `flip`
 * levels are written as the bits of the signed level bin + minimum. */
typedef struct {
    void *lut;
    int bytes; /* 1, 2 or 8 */
    uint32_t levels; /* 256 or 65536: of the images, and so of the bins */
    uint32_t flip; /* 0, or levels / 2 where levels are signed */
    void *room;    /* CHEQ_ROOM bytes for a formula's tables */
} cheq_entries;

CHEQ_BODY void cheq_put_level(const cheq_entries *to, size_t bin, uint32_t level) {
    if (to->bytes == 1) {
        ((uint8_t *)to->lut)[bin] = (uint8_t)(level ^ to->flip);
    } else {
        ((uint16_t *)to->lut)[bin] = (uint16_t)(level ^ to->flip);
    }
}

/* Half to even: the sum with 1.5 * 2^52 leaves no fraction bits. For |x| < 2^51. */
static inline double cheq_round(double x) {
    return (x + 6755399441055744.0) - 6755399441055744.0;
}

/* A value of the CDF, 0..1, as it is or as a level: round(c * (max - min)) + min. */
CHEQ_BODY void cheq_put_cdf(const cheq_entries *to, size_t bin, double c) {
    if (to->bytes == 8) {
        ((double *)to->lut)[bin] = c;
    } else {
        cheq_put_level(to, bin, (uint32_t)cheq_round(c * (double)(to->levels - 1)));
    }
}

CHEQ_BODY void cheq_put_identity(const cheq_counts *counts, const cheq_entries *to) {
    for (size_t i = 0; i < counts->n; i++) {
        const size_t bin = cheq_bin_at(counts, i);
        cheq_put_level(to, bin, (uint32_t)bin);
    }
}

/* Nothing is counted, so nothing is known: NaN, or levels as they are. */
CHEQ_BODY void cheq_put_unknown(const cheq_counts *counts, const cheq_entries *to) {
    if (to->bytes != 8) {
        cheq_put_identity(counts, to);
        return;
    }
    for (size_t i = 0; i < counts->n; i++) {
        const size_t bin = cheq_bin_at(counts, i);
        ((double *)to->lut)[bin] = NAN;
    }
}

/* ---- what makes a LUT ---------------------------------------------------- */

/* A formula makes a LUT of the counts and of its context: what else it asks for, such as
 * a limit or another histogram; NULL for none. */
typedef void cheq_formula(const void *context, const cheq_counts *counts, const cheq_entries *to);

/* What is written, how wide the counts are and whether bins are listed, known to the compiler, leaves loops
 * without questions: 65,536 entries in a fifth of the time. */
CHEQ_BODY void cheq_make_of_bytes(cheq_formula *formula, const void *context, const cheq_counts *counts,
                                  const cheq_entries *to, int bytes) {
    cheq_counts c = *counts;
    cheq_entries e = *to;
    e.bytes = bytes;
    if (!c.hist32) {
        c.hist32 = NULL;
        c.listed = NULL;
        formula(context, &c, &e);
    } else if (!c.listed) {
        c.listed = NULL;
        formula(context, &c, &e);
    } else {
        formula(context, &c, &e);
    }
}

CHEQ_BODY void cheq_make_by(cheq_formula *formula, const void *context, const cheq_counts *counts,
                            const cheq_entries *to) {
    switch (to->bytes) {
    case 1:
        cheq_make_of_bytes(formula, context, counts, to, 1);
        break;
    case 2:
        cheq_make_of_bytes(formula, context, counts, to, 2);
        break;
    default:
        cheq_make_of_bytes(formula, context, counts, to, 8);
    }
}

/* The formula cheq_lut_NAME so instantiated: cheq_make_NAME. */
#define CHEQ_MAKER(name) \
    static inline void cheq_make_##name(const void *context, const cheq_counts *counts, const cheq_entries *to) { \
        cheq_make_by(cheq_lut_##name, context, counts, to); \
    }

/* ---- method "opencv" ---------------------------------------------------- */

/* cv2.equalizeHist (OpenCV, modules/imgproc/src/histogram.cpp), where top is 255; with
 * 16 bits, which OpenCV does not take, cheq's own: the same with 65535.
 *
 *     scale  = top / (n - hist[first])     first: the first occupied bin
 *     lut[v] = round(s * scale)            s: the pixels in (first, v]
 *
 * in float32, each operation rounded once, the last rounding half to even.
 * The build forbids contraction (-ffp-contract=off): a fused multiply-add of
 * the rounding below would round once where the definition rounds twice. */
static inline float cheq_opencv_scale(float top, uint64_t total, uint64_t first_count) {
    return top / (float)(total - first_count);
}

/* Adding 1.5 * 2^23 leaves no fraction bits: the sum's rounding (half to even, the
 * default mode) is the rounding to an integer, exact for 0 <= x < 2^22, and the
 * low mantissa bits are that integer. Unlike lrintf it vectorizes.
 *
 * No saturation is needed: s is at most d = n - hist[first] and rounding is
 * monotonic, so x is at most top (1 + 2^-24)^2, the two roundings of top / d and
 * of the product, and rounds to top. */
static inline uint32_t cheq_opencv_level(float s, float scale) {
    float x = s * scale;
    float shifted = x + 12582912.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return bits & 0xffff;
}

#define CHEQ_RUN 64

/* The levels of the bins from one on that lie together: a run of sums is made of them, and then of these, several at a
 * time, levels. */
CHEQ_BODY void cheq_put_opencv_runs(const cheq_counts *counts, size_t begin, float scale, const cheq_entries *to) {
    const size_t end = counts->begin + counts->n;
    int32_t sums[CHEQ_RUN], sum = 0;
    for (size_t run; begin < end; begin += run) {
        run = cheq_min(end - begin, CHEQ_RUN);
        for (size_t i = 0; i < run; i++) {
            sum += (int32_t)counts->hist32[begin + i];
            sums[i] = sum;
        }
        for (size_t i = 0; i < run; i++) {
            cheq_put_level(to, begin + i, cheq_opencv_level((float)sums[i], scale));
        }
    }
}

/* The definition. Levels below the
 * first occupied bin become 0 (cv2 leaves them undefined); one occupied bin, or
 * none, gives the identity. */
CHEQ_BODY void cheq_lut_opencv(const void *context, const cheq_counts *counts, const cheq_entries *to) {
    const cheq_summary plane = cheq_summarize(counts);
    (void)context;
    if (plane.total == 0 || plane.first == plane.last) {
        cheq_put_identity(counts, to);
        return;
    }
    float scale = cheq_opencv_scale((float)(to->levels - 1), plane.total, cheq_count_at(counts, plane.first));
    uint64_t s = 0;
    size_t i = 0;
    for (; i < counts->n && cheq_bin_at(counts, i) <= plane.first; i++) {
        cheq_put_level(to, cheq_bin_at(counts, i), 0);
    }
    if (counts->hist32 && !counts->listed && plane.total <= INT32_MAX) {
        cheq_put_opencv_runs(counts, counts->begin + i, scale, to);
        return;
    }
    for (; i < counts->n; i++) {
        const size_t bin = cheq_bin_at(counts, i);
        s += cheq_count_at(counts, bin);
        cheq_put_level(to, bin, cheq_opencv_level(cheq_pixels_to_float(s), scale));
    }
}

CHEQ_MAKER(opencv)

/* ---- method "pillow" ---------------------------------------------------- */

/* PIL.ImageOps.equalize (Pillow, src/PIL/ImageOps.py), of 8 bits:
 *
 *     step   = (n - hist[last]) // 255                    last: the last occupied bin
 *     lut[v] = min((step // 2 + pixels below v) // step, 255)
 *
 * in integers. One occupied bin, none, or a step of 0 gives the identity. */
CHEQ_BODY void cheq_lut_pillow(const void *context, const cheq_counts *counts, const cheq_entries *to) {
    const cheq_summary plane = cheq_summarize(counts);
    (void)context;
    uint64_t step = plane.total ? (plane.total - cheq_count_at(counts, plane.last)) / 255 : 0;
    if (step == 0) {
        cheq_put_identity(counts, to);
        return;
    }
    uint64_t sum = step / 2;
    for (size_t i = 0; i < counts->n; i++) {
        const size_t bin = cheq_bin_at(counts, i);
        uint64_t level = sum / step;
        cheq_put_level(to, bin, level < 255 ? (uint32_t)level : 255);
        sum += cheq_count_at(counts, bin);
    }
}

CHEQ_MAKER(pillow)

/* ---- method "skimage" --------------------------------------------------- */

/* skimage.exposure.equalize_hist of integers (scikit-image, exposure/exposure.py): the
 * CDF, running count / total; what lies below the first occupied bin becomes its CDF,
 * as np.interp does. */
CHEQ_BODY void cheq_lut_skimage(const void *context, const cheq_counts *counts, const cheq_entries *to) {
    const cheq_summary plane = cheq_summarize(counts);
    (void)context;
    if (plane.total == 0) {
        cheq_put_unknown(counts, to);
        return;
    }
    const double total = (double)plane.total;
    const double least = (double)cheq_count_at(counts, plane.first) / total;
    uint64_t running = 0;
    for (size_t i = 0; i < counts->n; i++) {
        const size_t bin = cheq_bin_at(counts, i);
        running += cheq_count_at(counts, bin);
        cheq_put_cdf(to, bin, bin < plane.first ? least : cheq_pixels_to_double(running) / total);
    }
}

CHEQ_MAKER(skimage)

/* ---- method "numpy" ----------------------------------------------------- */

enum { CHEQ_RECIPE_BINS = 256 };

typedef struct {
    double edges[CHEQ_RECIPE_BINS + 1], cdf[CHEQ_RECIPE_BINS];
    double inner[CHEQ_RECIPE_BINS + 1];
    cheq_knot knots[CHEQ_RECIPE_BINS];
    uint64_t hist[CHEQ_RECIPE_BINS];
} cheq_recipe_tables;

_Static_assert(sizeof(cheq_recipe_tables) <= CHEQ_ROOM, "the recipe's tables need more room");

/* The NumPy recipe (bins.h) of integers is a function of the level. As doubles it is
 * 0..255; as levels it is the CDF times max - min. */
CHEQ_BODY void cheq_lut_numpy(const void *context, const cheq_counts *counts, const cheq_entries *to) {
    const cheq_summary plane = cheq_summarize(counts);
    cheq_recipe_tables *restrict t = to->room;
    (void)context;
    const double minimum = -(double)to->flip;
    if (plane.total == 0) {
        cheq_put_unknown(counts, to);
        return;
    }
    cheq_value_bins bins = cheq_bins_make((double)(int64_t)plane.first + minimum, (double)(int64_t)plane.last + minimum,
                                          CHEQ_RECIPE_BINS, 0, t->edges, t->inner);
    memset(t->hist, 0, sizeof t->hist);
    for (size_t i = 0; i < counts->n; i++) {
        const size_t bin = cheq_bin_at(counts, i);
        uint64_t count = cheq_count_at(counts, bin);
        if (count > 0) {
            t->hist[cheq_bin_of((double)(int64_t)bin + minimum, &bins)] += count;
        }
    }
    cheq_recipe_cdf(t->hist, &bins, to->bytes == 8 ? CHEQ_RECIPE_TOP : 1.0, t->cdf);
    cheq_curve curve = cheq_curve_make(t->edges, t->cdf, &bins, t->knots);
    for (size_t i = 0; i < counts->n; i++) {
        const size_t bin = cheq_bin_at(counts, i);
        if (!counts->present_only || cheq_count_at(counts, bin) > 0) {
            cheq_put_cdf(to, bin, cheq_interpolate((double)(int64_t)bin + minimum, &curve));
        }
    }
}

CHEQ_MAKER(numpy)

/* ---- Otsu's threshold --------------------------------------------------- */

/* cv2.threshold with THRESH_OTSU (OpenCV, modules/imgproc/src/thresh.cpp): the level
 * whose variance between what is at or below it and what is above it is the largest, the
 * lowest of such; in doubles, in this order. */
CHEQ_BODY uint32_t cheq_otsu(const cheq_counts *counts) {
    const cheq_summary plane = cheq_summarize(counts);
    if (plane.total == 0) {
        return 0;
    }
    const double scale = 1.0 / (double)plane.total;
    double mu = 0, mu1 = 0, q1 = 0, most = 0;
    uint32_t threshold = 0;
    for (uint32_t v = (uint32_t)plane.first; v <= plane.last; v++) {
        mu += (double)v * (double)cheq_count_at(counts, v);
    }
    mu *= scale;
    for (uint32_t v = (uint32_t)plane.first; v <= plane.last; v++) {
        double p = (double)cheq_count_at(counts, v) * scale;
        mu1 *= q1;
        q1 += p;
        double q2 = 1.0 - q1;
        if ((q1 < q2 ? q1 : q2) < FLT_EPSILON || (q1 > q2 ? q1 : q2) > 1.0 - FLT_EPSILON) {
            continue;
        }
        mu1 = (mu1 + (double)v * p) / q1;
        double mu2 = (mu - q1 * mu1) / q2;
        double sigma = q1 * q2 * (mu1 - mu2) * (mu1 - mu2);
        if (sigma > most) {
            most = sigma;
            threshold = v;
        }
    }
    return threshold;
}

/* Levels above the threshold become the highest, the others 0. */
CHEQ_BODY void cheq_lut_otsu(const void *context, const cheq_counts *counts, const cheq_entries *to) {
    (void)context;
    const uint32_t threshold = cheq_otsu(counts);
    for (size_t i = 0; i < counts->n; i++) {
        const size_t bin = cheq_bin_at(counts, i);
        cheq_put_level(to, bin, bin > threshold ? to->levels - 1 : 0);
    }
}

CHEQ_MAKER(otsu)

#endif
