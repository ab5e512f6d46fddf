/* Counters of few pixels whose bytes one instruction sums. */
#ifndef CHEQ_BINS_OF_BYTES_H
#define CHEQ_BINS_OF_BYTES_H

#include "kernels/counters.h"

/* The eight bytes of a bin lie side by side: 20 ns a plane less than eight tables. */
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

#endif
