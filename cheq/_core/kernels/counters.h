/* Counters, incremented by scalar code whatever the kernels. */
#ifndef CHEQ_COUNTERS_H
#define CHEQ_COUNTERS_H

#include "kernels/bytewise.h"

/* A step takes CHEQ_STEP pixels, and as many sub-histograms take turns in it. An
 * increment waits for the store of the last one to its bin, and neighbors are
 * often equal; eight turns hide that wait (constant data: one table 1.0 ns a
 * pixel, four .46, eight .28, the one store a cycle that binds all data).
 * Few pixels: bins of a byte keep clearing and summing short, 70 ns; a plane of 784
 * needs no wider ones. */
#define CHEQ_STEPS_MAX 255u /* what a bin of a byte can hold */
#define CHEQ_FEW ((size_t)CHEQ_STEP * CHEQ_STEPS_MAX)

typedef uint8_t cheq_tables[CHEQ_STEP][CHEQ_LEVELS];

static inline void cheq_count_step(const uint8_t *pixels, cheq_tables tables) {
    unsigned a = pixels[0], b = pixels[1], c = pixels[2], d = pixels[3];
    unsigned e = pixels[4], f = pixels[5], g = pixels[6], h = pixels[7];
    tables[0][a]++, tables[1][b]++, tables[2][c]++, tables[3][d]++;
    tables[4][e]++, tables[5][f]++, tables[6][g]++, tables[7][h]++;
}

static inline void cheq_sum_tables(cheq_tables tables, uint32_t hist[CHEQ_LEVELS]) {
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        uint32_t sum = 0;
        for (int i = 0; i < CHEQ_STEP; i++) {
            sum += tables[i][v];
        }
        hist[v] += sum;
    }
}

CHEQ_BYTEWISE static void cheq_count_steps(const uint8_t *pixels, size_t steps, cheq_tables tables) {
    for (; steps > 0; steps--, pixels += CHEQ_STEP) {
        cheq_count_step(pixels, tables);
    }
}

/* Many pixels: bins of 16 bits need summing far less often. A round is of fewer than 65,536, so that
 * a bin's sum fits 16 bits as well, and of whole registers, whatever the kernels. */
#define CHEQ_MANY ((size_t)65408)

typedef uint16_t cheq_tables16[CHEQ_STEP][CHEQ_LEVELS];

static inline void cheq_count_step16(const uint8_t *pixels, cheq_tables16 tables) {
    unsigned a = pixels[0], b = pixels[1], c = pixels[2], d = pixels[3];
    unsigned e = pixels[4], f = pixels[5], g = pixels[6], h = pixels[7];
    tables[0][a]++, tables[1][b]++, tables[2][c]++, tables[3][d]++;
    tables[4][e]++, tables[5][f]++, tables[6][g]++, tables[7][h]++;
}

CHEQ_BYTEWISE static void cheq_count_steps16(const uint8_t *pixels, size_t steps, cheq_tables16 tables) {
    for (; steps > 0; steps--, pixels += CHEQ_STEP) {
        cheq_count_step16(pixels, tables);
    }
}

static inline void cheq_sum_tables16(cheq_tables16 tables, uint32_t hist[CHEQ_LEVELS]) {
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        uint16_t sum = 0;
        for (int i = 0; i < CHEQ_STEP; i++) {
            sum = (uint16_t)(sum + tables[i][v]);
        }
        hist[v] += sum;
    }
}

/* The pixels behind the last step. */
static inline void cheq_count_rest(const uint8_t *pixels, size_t n, uint32_t hist[CHEQ_LEVELS]) {
    for (size_t i = 0; i < n; i++) {
        hist[pixels[i]]++;
    }
}

#endif
