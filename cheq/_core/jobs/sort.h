/* The pixels of a plane of floats in ascending order: a radix sort of the bits of their values. */
#ifndef CHEQ_SORT_H
#define CHEQ_SORT_H

#include "formulas/base.h"

/* Bits of a value that ascend as values do, -0.0 before 0.0; of a float's, the upper ones are 0. No NaN. */
typedef uint64_t cheq_key;

/* A pixel on its way: 32 bits of its key above its place in the plane. */
typedef uint64_t cheq_ranked;

#define CHEQ_MOST_RANKED UINT32_MAX

static inline cheq_key cheq_key_of_double(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ (bits >> 63 ? UINT64_MAX : (uint64_t)1 << 63);
}

static inline double cheq_double_of_key(cheq_key key) {
    const uint64_t bits = key ^ (key >> 63 ? (uint64_t)1 << 63 : UINT64_MAX);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline cheq_key cheq_key_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ (bits >> 31 ? UINT32_MAX : (uint32_t)1 << 31);
}

static inline float cheq_float_of_key(cheq_key key) {
    const uint32_t bits = (uint32_t)key ^ (key >> 31 ? (uint32_t)1 << 31 : UINT32_MAX);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- 32 bits ---------------------------------------------------------------- */

enum { CHEQ_DIGIT_BITS = 11, CHEQ_DIGITS = 3, CHEQ_DIGIT_VALUES = 1 << CHEQ_DIGIT_BITS };

typedef uint32_t cheq_digit_counts[CHEQ_DIGITS][CHEQ_DIGIT_VALUES];

static inline uint32_t cheq_digit_of(cheq_ranked pixel, int digit) {
    return (uint32_t)(pixel >> (32 + digit * CHEQ_DIGIT_BITS)) & (CHEQ_DIGIT_VALUES - 1);
}

/* Begin where the digit's smaller values end; 0: all pixels have one value, and there is nothing to move. */
static inline int cheq_digit_places(uint32_t counts[CHEQ_DIGIT_VALUES], size_t n) {
    uint32_t place = 0;
    for (int v = 0; v < CHEQ_DIGIT_VALUES; v++) {
        const uint32_t count = counts[v];
        if (count == n) {
            return 0;
        }
        counts[v] = place;
        place += count;
    }
    return 1;
}

/* Sort by the upper 32 bits, equal ones as they come; the result is in `pixels`. */
static void cheq_sort_ranked(cheq_ranked *pixels, cheq_ranked *spare, size_t n, cheq_digit_counts counts) {
    cheq_ranked *from = pixels, *to = spare;
    memset(counts, 0, sizeof(cheq_digit_counts));
    for (size_t i = 0; i < n; i++) {
        for (int digit = 0; digit < CHEQ_DIGITS; digit++) {
            counts[digit][cheq_digit_of(from[i], digit)]++;
        }
    }
    for (int digit = 0; digit < CHEQ_DIGITS; digit++) {
        if (!cheq_digit_places(counts[digit], n)) {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            to[counts[digit][cheq_digit_of(from[i], digit)]++] = from[i];
        }
        cheq_ranked *const sorted = to;
        to = from;
        from = sorted;
    }
    if (from != pixels) {
        memcpy(pixels, from, n * sizeof *pixels);
    }
}

/* ---- 64 bits ---------------------------------------------------------------- */

/* Pixels up to which a run is sorted by insertion. */
enum { CHEQ_SHORT_RUN = 48 };

static inline void cheq_sort_short(const cheq_key *keys, cheq_ranked *pixels, size_t n) {
    for (size_t last = 1; last < n; last++) {
        const cheq_ranked pixel = pixels[last];
        const cheq_key key = keys[(uint32_t)pixel];
        size_t at = last;
        for (; at > 0 && keys[(uint32_t)pixels[at - 1]] > key; at--) {
            pixels[at] = pixels[at - 1];
        }
        pixels[at] = pixel;
    }
}

/* Sort pixels whose keys differ in their lowest 32 bits at most. The upper bits of what is sorted may change. */
static inline void cheq_sort_run(const cheq_key *keys, cheq_ranked *pixels, cheq_ranked *spare, size_t n,
                                 cheq_digit_counts counts) {
    const cheq_key first = keys[(uint32_t)pixels[0]];
    size_t equal = 1;
    while (equal < n && keys[(uint32_t)pixels[equal]] == first) {
        equal++;
    }
    if (equal == n) {
        return;
    }
    if (n <= CHEQ_SHORT_RUN) {
        cheq_sort_short(keys, pixels, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const uint32_t place = (uint32_t)pixels[i];
        pixels[i] = keys[place] << 32 | place;
    }
    cheq_sort_ranked(pixels, spare, n, counts);
}

/* Bits of keys that lie below the 32 highest in which they can differ. */
static inline int cheq_bits_below(cheq_key smallest, cheq_key largest) {
    int below = 0;
    for (uint64_t differing = smallest ^ largest; differing >> below > UINT32_MAX; below++) {
    }
    return below;
}

/* Sort the pixels whose places are the lower halves of `pixels` by their keys, equal ones as they come. Afterwards the
 * lower halves are in order; the upper ones have any content. */
static void cheq_sort(const cheq_key *keys, cheq_key smallest, cheq_key largest, cheq_ranked *pixels,
                      cheq_ranked *spare, size_t n, cheq_digit_counts counts) {
    const int below = cheq_bits_below(smallest, largest);
    if (n <= CHEQ_SHORT_RUN) {
        cheq_sort_short(keys, pixels, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const uint32_t place = (uint32_t)pixels[i];
        pixels[i] = (keys[place] >> below) << 32 | place;
    }
    cheq_sort_ranked(pixels, spare, n, counts);
    for (size_t begin = 0, end; below > 0 && begin < n; begin = end) {
        const uint64_t upper = pixels[begin] >> 32;
        for (end = begin + 1; end < n && pixels[end] >> 32 == upper; end++) {
        }
        if (end - begin > 1) {
            cheq_sort_run(keys, pixels + begin, spare, end - begin, counts);
        }
    }
}

#endif
