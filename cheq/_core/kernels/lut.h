/* Each formula that turns a histogram into a LUT. This is the definition; the kernels'
 * vectors of it are proved equal to it (tests/test_kernel_luts.py). */
#ifndef CHEQ_LUT_H
#define CHEQ_LUT_H

#include <float.h>

#include "kernels.h"

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "cheq needs float arithmetic in float precision (on 32-bit x86: -msse2 -mfpmath=sse)"
#endif

/* Method "opencv": cv2.equalizeHist (OpenCV, modules/imgproc/src/histogram.cpp).
 *
 *     scale  = 255 / (n - hist[first])     first: the first occupied bin
 *     lut[v] = round(s * scale)            s: the pixels in (first, v]
 *
 * in float32, each operation rounded once, the last rounding half to even.
 * The build forbids contraction (-ffp-contract=off): a fused multiply-add of
 * the rounding below would round once where the definition rounds twice. */
static inline float cheq_opencv_scale(uint64_t total, uint64_t first_count) {
    return 255.0f / (float)(total - first_count);
}

/* Adding 1.5 * 2^23 leaves no fraction bits: the sum's rounding (half to even, the
 * default mode) is the rounding to an integer, exact for 0 <= x < 2^22, and the
 * low mantissa bits are that integer. Unlike lrintf it vectorizes.
 *
 * No saturation is needed: s is at most d = n - hist[first] and rounding is
 * monotonic, so x is at most 255 (1 + 2^-24)^2, the two roundings of 255 / d and
 * of the product, and rounds to 255. */
static inline uint8_t cheq_opencv_level(float s, float scale) {
    float x = s * scale;
    float shifted = x + 12582912.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return (uint8_t)bits;
}

static inline void cheq_lut_identity(uint8_t lut[CHEQ_LEVELS]) {
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        lut[v] = (uint8_t)v;
    }
}

/* The definition, for any counts whose total is below 2^64. Levels below the
 * first occupied bin become 0 (cv2 leaves them undefined); one occupied bin, or
 * none, gives the identity. */
static inline void cheq_lut_opencv(const uint64_t hist[CHEQ_LEVELS], uint8_t lut[CHEQ_LEVELS]) {
    uint64_t total = 0;
    int first = 0;
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        total += hist[v];
    }
    while (first < CHEQ_LEVELS - 1 && hist[first] == 0) {
        first++;
    }
    if (hist[first] == total) {
        cheq_lut_identity(lut);
        return;
    }
    float scale = cheq_opencv_scale(total, hist[first]);
    uint64_t s = 0;
    memset(lut, 0, (size_t)first + 1);
    for (int v = first + 1; v < CHEQ_LEVELS; v++) {
        s += hist[v];
        lut[v] = cheq_opencv_level((float)s, scale);
    }
}

#endif
