/* Counters of the vector kernels, incremented by scalar code. */
#ifndef CHEQ_COUNTERS_H
#define CHEQ_COUNTERS_H

#include "kernels/scalar.h"

/* Many pixels: as cheq_tables (scalar.h), with bins that need summing far less often. */
typedef uint16_t cheq_tables16[CHEQ_STEP][CHEQ_LEVELS];

static inline void cheq_count_step16(const uint8_t *pixels, cheq_tables16 tables) {
    unsigned a = pixels[0], b = pixels[1], c = pixels[2], d = pixels[3];
    unsigned e = pixels[4], f = pixels[5], g = pixels[6], h = pixels[7];
    tables[0][a]++, tables[1][b]++, tables[2][c]++, tables[3][d]++;
    tables[4][e]++, tables[5][f]++, tables[6][g]++, tables[7][h]++;
}

/* Few pixels: the eight bytes of a bin lie side by side, so that one instruction sums
 * them: 20 ns a plane less than eight tables. */
typedef uint8_t cheq_bins[CHEQ_LEVELS][CHEQ_STEP];

static inline void cheq_count_step_in_bins(const uint8_t *pixels, cheq_bins bins) {
    unsigned a = pixels[0], b = pixels[1], c = pixels[2], d = pixels[3];
    unsigned e = pixels[4], f = pixels[5], g = pixels[6], h = pixels[7];
    bins[a][0]++, bins[b][1]++, bins[c][2]++, bins[d][3]++;
    bins[e][4]++, bins[f][5]++, bins[g][6]++, bins[h][7]++;
}

CHEQ_BYTEWISE static void cheq_count_steps_in_bins(const uint8_t *pixels, size_t steps, cheq_bins bins) {
    for (; steps > 0; steps--, pixels += CHEQ_STEP) {
        cheq_count_step_in_bins(pixels, bins);
    }
}

/* The pixels behind the last step. */
static inline void cheq_count_rest(const uint8_t *pixels, size_t n, uint32_t hist[CHEQ_LEVELS]) {
    for (size_t i = 0; i < n; i++) {
        hist[pixels[i]]++;
    }
}

#endif
