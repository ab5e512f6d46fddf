/* The portable moves: pixels apart by a step, channels apart and together. */
#ifndef CHEQ_MOVES_H
#define CHEQ_MOVES_H

#include "kernels/bytewise.h"

/* to[i] = from[i * step], eight bytes a store; the step as a constant spares the addresses' sums. */
static inline void cheq_gather_words(const uint8_t *from, ptrdiff_t step, size_t n, uint8_t *to) {
    size_t i = 0;
    for (; i + CHEQ_STEP <= n; i += CHEQ_STEP, from += CHEQ_STEP * step) {
        uint64_t word = 0;
        for (int b = 0; b < CHEQ_STEP; b++) {
            word |= (uint64_t)from[b * step] << CHEQ_BYTE_SHIFT(b);
        }
        memcpy(to + i, &word, CHEQ_STEP);
    }
    for (; i < n; i++, from += step) {
        to[i] = *from;
    }
}

CHEQ_BYTEWISE static void cheq_gather_scalar(const uint8_t *from, ptrdiff_t step, size_t n, uint8_t *to) {
    switch (step) {
    case 1:
        memmove(to, from, n);
        break;
    case -1:
        cheq_gather_words(from, -1, n, to);
        break;
    case 2:
        cheq_gather_words(from, 2, n, to);
        break;
    case 3:
        cheq_gather_words(from, 3, n, to);
        break;
    case 4:
        cheq_gather_words(from, 4, n, to);
        break;
    default:
        cheq_gather_words(from, step, n, to);
    }
}

static void cheq_scatter_scalar(const uint8_t *from, size_t n, uint8_t *to, ptrdiff_t step) {
    if (step == 1) {
        memcpy(to, from, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        to[(ptrdiff_t)i * step] = from[i];
    }
}

/* ---- channels apart and together ------------------------------------------ */

/* These loops are what a compiler makes vectors of where it has no more than the baseline of its machine: bytes that
 * alternate are one instruction of nearly all. Three channels apart take a quarter, together less than half of the time
 * that byte by byte does, with GCC's SSE2; and no longer with clang, which leaves x and y below in memory. */
enum { CHEQ_ROUND = 64, CHEQ_ROUND_SHUFFLES = 6 }; /* 2^6 pixels: of three channels they fill twelve registers */

/* Bytes of two arrays alternate. */
CHEQ_BODY void cheq_alternate(const uint8_t *restrict first, const uint8_t *restrict second, size_t n,
                              uint8_t *restrict to) {
    for (size_t i = 0; i < n; i++) {
        to[2 * i] = first[i];
        to[2 * i + 1] = second[i];
    }
}

/* Where its halves alternate, the byte at j of n goes to 2 j mod (n - 1). So six times bring that of channel c in pixel i,
 * of C channels and 64 pixels, to 64 (C i + c) mod (64 C - 1) = i + 64 c: the channels lie one behind the other. */
CHEQ_BODY void cheq_split_by_scalar(const uint8_t *from, int channels, size_t n, uint8_t *const *to) {
    const size_t half = CHEQ_ROUND / 2 * (size_t)channels;
    size_t i = 0;
    for (; i + CHEQ_ROUND <= n; i += CHEQ_ROUND, from += 2 * half) {
        uint8_t x[CHEQ_ROUND * CHEQ_MAX_CHANNELS], y[CHEQ_ROUND * CHEQ_MAX_CHANNELS];
        const uint8_t *at = from;
        for (int two = 0; two < CHEQ_ROUND_SHUFFLES; two += 2, at = x) {
            cheq_alternate(at, at + half, half, y);
            cheq_alternate(y, y + half, half, x);
        }
        for (int c = 0; c < channels; c++) {
            memcpy(to[c] + i, x + CHEQ_ROUND * c, CHEQ_ROUND);
        }
    }
    for (int c = 0; c < channels; c++) {
        cheq_gather_scalar(from + c, channels, n - i, to[c] + i);
    }
}

/* Of every four bytes the last is left out: four words of two pixels become three. */
CHEQ_BODY void cheq_squeeze(const uint8_t *restrict fours, uint8_t *restrict to) {
    for (int w = 0; w < CHEQ_ROUND / 8; w++) {
        uint64_t x[4];
        memcpy(x, fours + 32 * w, sizeof x);
        for (int j = 0; j < 4; j++) {
            x[j] = CHEQ_LOWEST_FIRST(x[j]);
            x[j] = (x[j] & 0xffffff) | (x[j] >> 8 & 0xffffff000000);
        }
        const uint64_t dense[3] = {CHEQ_LOWEST_FIRST(x[0] | x[1] << 48), CHEQ_LOWEST_FIRST(x[1] >> 16 | x[2] << 32),
                                   CHEQ_LOWEST_FIRST(x[2] >> 32 | x[3] << 16)};
        memcpy(to + 24 * w, dense, sizeof dense);
    }
}

/* Three channels are merged with any fourth, and this left out. */
CHEQ_BODY void cheq_merge_by_scalar(const uint8_t *const *from, int channels, size_t n, uint8_t *to) {
    size_t i = 0;
    for (; i + CHEQ_ROUND <= n; i += CHEQ_ROUND, to += CHEQ_ROUND * channels) {
        uint8_t even[2 * CHEQ_ROUND], odd[2 * CHEQ_ROUND], fours[4 * CHEQ_ROUND], dense[3 * CHEQ_ROUND];
        if (channels == 2) {
            cheq_alternate(from[0] + i, from[1] + i, CHEQ_ROUND, to);
            continue;
        }
        cheq_alternate(from[0] + i, from[2] + i, CHEQ_ROUND, even);
        cheq_alternate(from[1] + i, from[channels == 4 ? 3 : 1] + i, CHEQ_ROUND, odd);
        cheq_alternate(even, odd, 2 * CHEQ_ROUND, channels == 4 ? to : fours);
        if (channels == 3) {
            cheq_squeeze(fours, dense);
            for (int part = 0; part < 3; part++) { /* a copy of all at once would not stay in registers */
                memcpy(to + CHEQ_ROUND * part, dense + CHEQ_ROUND * part, CHEQ_ROUND);
            }
        }
    }
    for (int c = 0; c < channels; c++) {
        cheq_scatter_scalar(from[c] + i, n - i, to + c, channels);
    }
}

CHEQ_BODY void cheq_apply_channels_by_scalar(const uint8_t *pixels, uint8_t *out, size_t n, int channels,
                                             int reversed, const uint8_t *const *luts) {
    const uint8_t *lut[CHEQ_MAX_CHANNELS];
    size_t i = 0;
    for (int c = 0; c < channels; c++) {
        lut[c] = luts[c];
    }
    for (; i + CHEQ_STEP <= n; i += CHEQ_STEP, pixels += CHEQ_STEP * channels) {
        for (int w = 0; w < channels; w++, out += CHEQ_STEP) {
            uint64_t word = 0;
            for (int b = 0; b < CHEQ_STEP; b++) {
                int j = CHEQ_STEP * w + b, c = j % channels;
                word |= (uint64_t)lut[c][pixels[j - c + (reversed ? channels - 1 - c : c)]] << CHEQ_BYTE_SHIFT(b);
            }
            memcpy(out, &word, CHEQ_STEP);
        }
    }
    for (; i < n; i++, pixels += channels) {
        for (int c = 0; c < channels; c++) {
            *out++ = lut[c][pixels[reversed ? channels - 1 - c : c]];
        }
    }
}

#endif
