/* What the checks of guards.c share: rooms, random values, and the trial that is being made. */
#ifndef CHEQ_TEST_GUARDS_H
#define CHEQ_TEST_GUARDS_H

#include "memory.h" /* first: it asks for more than C11 of the system's headers */

#include "kernels/dispatch.h"

#if CHEQ_X86
#include <cpuid.h>
#endif

enum { LONGEST = 1024, WIDEST = 9, ROOMS = 5 };

/* One kernel on n pixels, with all arrays at one place in their rooms. */
typedef struct {
    const cheq_kernels *k;
    place at;
    size_t n;
} trial;

static room in[ROOMS], out[ROOMS];
static uint8_t random_bytes[ROOMS][LONGEST * WIDEST + 1];
static double random_doubles[LONGEST]; /* 0..1 */
static uint8_t lut[CHEQ_MAX_CHANNELS][CHEQ_LEVELS];
static uint64_t calls = 0;

static uint32_t random_state = 1;

static uint32_t random_bits(void) { /* xorshift; the same numbers every run */
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

static void prepare(void) {
    for (int i = 0; i < ROOMS; i++) {
        in[i] = room_of(sizeof random_bytes[i] + AROUND);
        out[i] = room_of(sizeof random_bytes[i] + AROUND);
        for (size_t j = 0; j < sizeof random_bytes[i]; j++) {
            random_bytes[i][j] = (uint8_t)(random_bits() >> 9);
        }
    }
    for (size_t i = 0; i < LONGEST; i++) {
        random_doubles[i] = (double)(random_bits() >> 8) / (1 << 24);
        lut[i % CHEQ_MAX_CHANNELS][i / CHEQ_MAX_CHANNELS] = (uint8_t)(random_bits() >> 9);
    }
}

/* Has a kernel left the upper halves of vector registers in use? What comes next without AVX, of this program or another
 * library, is then slower by up to two thirds. 0 where the CPU does not tell. */
static int leaves_upper_halves(void) {
#if CHEQ_X86
    static int tells = -1;
    uint32_t low = 0, high = 0, unused;
    if (tells < 0) {
        tells = __get_cpuid_count(13, 1, &low, &unused, &unused, &high) && (low & 4);
    }
    if (tells) {
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
        return (low & 4) != 0;
    }
#endif
    return 0;
}

static void expect(int holds, const trial *t, const char *what, long variant) {
    calls++;
    if (leaves_upper_halves()) {
        (void)fprintf(stderr, "%s: %s (%ld) of %zu pixels leaves the upper halves of registers in use\n", t->k->name, what,
                      variant, t->n);
        abort();
    }
    if (!holds) {
        (void)fprintf(stderr, "%s: %s (%ld) of %zu pixels, %zu bytes from the page at the %s: wrong, or wrote outside\n",
                t->k->name, what, variant, t->n, t->at.gap, t->at.at_end ? "end" : "begin");
        abort();
    }
}

/* The place of something that must be aligned. */
static place aligned(place at, size_t to) {
    at.gap = at.gap / to * to;
    return at;
}

#endif
