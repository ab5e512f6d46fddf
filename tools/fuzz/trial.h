/* What the calls of kernels share: the kernels at work, a number of pixels, arrays. */
#ifndef CHEQ_FUZZ_TRIAL_H
#define CHEQ_FUZZ_TRIAL_H

#include "input.h" /* first: tools/fuzz.py compiles with AddressSanitizer and UndefinedBehaviorSanitizer */

#include "definitions.h"

#include "kernels/dispatch.h"

enum { MOST_PIXELS = 3000, CHANNELS = CHEQ_MAX_CHANNELS };

static const cheq_kernels *k;
static size_t n;

static uint8_t *input_bytes(size_t bytes) {
    return filled(bytes, 1);
}

static uint8_t *result_bytes(size_t bytes) {
    return array_of(bytes, choose(64));
}

static void result_is(const void *result, const void *expected, size_t bytes, const char *what) {
    expect_equal(result, expected, bytes, k->name, what, n);
}

static _Alignas(64) uint8_t room[CHEQ_ROOM16 > CHEQ_ROOM ? CHEQ_ROOM16 : CHEQ_ROOM];

#endif
