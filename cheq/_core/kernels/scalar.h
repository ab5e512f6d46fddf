/* The portable kernels: plain C11, any machine, any byte order. */
#ifndef CHEQ_SCALAR_H
#define CHEQ_SCALAR_H

#include "kernels.h"
#include "lut.h"

/* A word is eight pixels in memory order. Byte i is taken out by a shift and a
 * looked-up byte put back by the same shift, so byte order does not matter. */
typedef uint64_t cheq_word;
#define CHEQ_WORD 8

static inline cheq_word cheq_load_word(const uint8_t *from) {
    cheq_word word;
    memcpy(&word, from, sizeof word);
    return word;
}

static inline void cheq_store_word(uint8_t *to, cheq_word word) {
    memcpy(to, &word, sizeof word);
}

/* Eight sub-histograms take turns, one a byte of the word: the increment of a
 * bin waits for the store of the one before, and neighbours are often equal.
 * Eight turns are enough to hide that wait (constant data: one table 1.0 ns a
 * pixel, four .46, eight .30); 16-bit bins keep the eight in 4 KiB of L1. */
#define CHEQ_TABLES 8
#define CHEQ_TABLES_MAX 65535u /* what one 16-bit bin can hold */

typedef uint16_t cheq_tables[CHEQ_TABLES][CHEQ_LEVELS];

static inline void cheq_count_word(cheq_tables tables, cheq_word word) {
    for (int i = 0; i < CHEQ_TABLES; i++) {
        tables[i][(word >> (8 * i)) & 0xff]++;
    }
}

static inline void cheq_flush_tables(cheq_tables tables, uint32_t hist[CHEQ_LEVELS]) {
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        uint32_t sum = 0;
        for (int i = 0; i < CHEQ_TABLES; i++) {
            sum += tables[i][v];
        }
        hist[v] += sum;
    }
}

static inline cheq_word cheq_lookup_word(const uint8_t lut[CHEQ_LEVELS], cheq_word word) {
    /* Two chains of four, so that the shifts and ors of one overlap the other's. */
    cheq_word low = 0, high = 0;
    for (int i = 0; i < CHEQ_WORD / 2; i++) {
        low |= (cheq_word)lut[(word >> (8 * i)) & 0xff] << (8 * i);
        high |= (cheq_word)lut[(word >> (8 * i + 32)) & 0xff] << (8 * i + 32);
    }
    return low | high;
}

static void cheq_count_scalar(const uint8_t *pixels, size_t n, uint32_t hist[CHEQ_LEVELS]) {
    const size_t most = (size_t)CHEQ_TABLES_MAX * CHEQ_WORD; /* each table gets one byte of a word */
    while (n >= CHEQ_WORD) {
        size_t words = (n < most ? n : most) / CHEQ_WORD;
        cheq_tables tables = {{0}};
        for (size_t i = 0; i < words; i++) {
            cheq_count_word(tables, cheq_load_word(pixels + CHEQ_WORD * i));
        }
        cheq_flush_tables(tables, hist);
        pixels += CHEQ_WORD * words;
        n -= CHEQ_WORD * words;
    }
    for (size_t i = 0; i < n; i++) {
        hist[pixels[i]]++;
    }
}

static void cheq_apply_scalar(const uint8_t *pixels, uint8_t *out, size_t n,
                              const uint8_t lut[CHEQ_LEVELS]) {
    size_t i = 0;
    for (; i + CHEQ_WORD <= n; i += CHEQ_WORD) {
        cheq_store_word(out + i, cheq_lookup_word(lut, cheq_load_word(pixels + i)));
    }
    for (; i < n; i++) {
        out[i] = lut[pixels[i]];
    }
}

static void cheq_count_apply_scalar(const uint8_t *next, uint32_t hist[CHEQ_LEVELS],
                                    const uint8_t *pixels, uint8_t *out, size_t n,
                                    const uint8_t lut[CHEQ_LEVELS]) {
    const size_t most = (size_t)CHEQ_TABLES_MAX * CHEQ_WORD;
    while (n >= CHEQ_WORD) {
        size_t words = (n < most ? n : most) / CHEQ_WORD;
        cheq_tables tables = {{0}};
        for (size_t i = 0; i < words; i++) {
            cheq_count_word(tables, cheq_load_word(next + CHEQ_WORD * i));
            cheq_store_word(out + CHEQ_WORD * i,
                            cheq_lookup_word(lut, cheq_load_word(pixels + CHEQ_WORD * i)));
        }
        cheq_flush_tables(tables, hist);
        next += CHEQ_WORD * words;
        pixels += CHEQ_WORD * words;
        out += CHEQ_WORD * words;
        n -= CHEQ_WORD * words;
    }
    for (size_t i = 0; i < n; i++) {
        hist[next[i]]++;
        out[i] = lut[pixels[i]];
    }
}

/* cheq_lut_opencv in loops that vectorize. The counts of levels up to the first
 * occupied bin make s negative or zero there; both become LUT entry 0. */
static void cheq_lut_opencv_scalar(const uint32_t hist[CHEQ_LEVELS], uint8_t lut[CHEQ_LEVELS]) {
    int32_t running[CHEQ_LEVELS];
    int32_t total = 0, first_count = 0;
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        total += (int32_t)hist[v];
        running[v] = total;
    }
    for (int v = 0; v < CHEQ_LEVELS && first_count == 0; v++) {
        first_count = (int32_t)hist[v];
    }
    if (first_count == total) {
        cheq_lut_identity(lut);
        return;
    }
    float scale = cheq_opencv_scale((uint64_t)total, (uint64_t)first_count);
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        int32_t s = running[v] - first_count;
        lut[v] = cheq_opencv_level((float)(s > 0 ? s : 0), scale);
    }
}

static size_t cheq_select_scalar(const uint8_t *pixels, const uint8_t *mask, size_t n, uint8_t *out) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) { /* no branch: masks are not predictable */
        out[kept] = pixels[i];
        kept += mask[i] != 0;
    }
    return kept;
}

/* The step as a constant lets the compiler vectorize the common ones. */
static void cheq_gather_scalar(const uint8_t *from, ptrdiff_t step, size_t n, uint8_t *to) {
    switch (step) {
    case 1:
        memmove(to, from, n);
        break;
    case -1:
        for (size_t i = 0; i < n; i++) {
            to[i] = *(from - i);
        }
        break;
    case 2:
        for (size_t i = 0; i < n; i++) {
            to[i] = from[2 * i];
        }
        break;
    default:
        for (size_t i = 0; i < n; i++) {
            to[i] = from[(ptrdiff_t)i * step];
        }
    }
}

static void cheq_scatter_scalar(const uint8_t *from, size_t n, uint8_t *to, ptrdiff_t step) {
    for (size_t i = 0; i < n; i++) {
        to[(ptrdiff_t)i * step] = from[i];
    }
}

#define CHEQ_SCALAR_KERNELS \
    { \
        .name = "scalar", .count = cheq_count_scalar, .apply = cheq_apply_scalar, \
        .count_apply = cheq_count_apply_scalar, .lut_opencv = cheq_lut_opencv_scalar, \
        .select = cheq_select_scalar, .gather = cheq_gather_scalar, .scatter = cheq_scatter_scalar, \
    }

#endif
