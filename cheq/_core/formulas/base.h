/* What every floor of the core needs: the number of levels of a byte, and functions that become part of their callers. */
#ifndef CHEQ_BASE_H
#define CHEQ_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Threads may have small stacks, and a frame above a page, 4 KiB, can reach over the page that guards their end. */
#if defined(CHEQ_REFUSE_LARGE_FRAMES) && defined(__clang__)
#pragma clang diagnostic error "-Wframe-larger-than" /* with the command's limit (setup.py) */
#elif defined(CHEQ_REFUSE_LARGE_FRAMES) && defined(__GNUC__)
#pragma GCC diagnostic error "-Wframe-larger-than=4096"
#endif

#define CHEQ_LEVELS 256

/* Bytes that a kernel or a formula may use for tables too large for the stack, of any content, from the beginning of a
 * cache line on. */
#define CHEQ_ROOM 18496

/* And kernels of words that make tables of all their levels. */
#define CHEQ_ROOM16 (CHEQ_ROOM + 131072)

/* A function that becomes part of its callers: what they know of its arguments, and the
 * instructions they may use, then hold for it. */
#if defined(__GNUC__)
#define CHEQ_BODY static inline __attribute__((always_inline))
#else
#define CHEQ_BODY static inline
#endif

/* A function that stays one: what GCC knows of its arguments can keep it from the right vectors. */
#if defined(__GNUC__)
#define CHEQ_APART __attribute__((noinline))
#else
#define CHEQ_APART
#endif

/* What seldom holds: the processor is to go on as if it did not, instead of waiting for the answer. */
#if defined(__GNUC__)
#define CHEQ_RARELY(holds) __builtin_expect(!!(holds), 0)
#else
#define CHEQ_RARELY(holds) (holds)
#endif

/* Memory that is wanted soon, if it is any; the machine's own guess of what comes next ends with every page. */
#if defined(__GNUC__)
#define CHEQ_FETCH(at, to_write) __builtin_prefetch(at, to_write)
#else
#define CHEQ_FETCH(at, to_write) (void)(at)
#endif

/* What holds, and the analyzer cannot see. */
#if defined(__clang_analyzer__)
#define CHEQ_ASSUME(holds) do { if (!(holds)) { __builtin_unreachable(); } } while (0)
#else
#define CHEQ_ASSUME(holds) (void)0
#endif

/* A number of 64 bits from memory in which its lowest byte comes first, and the way back. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define CHEQ_BIG_ENDIAN 1
#define CHEQ_LOWEST_FIRST(x) __builtin_bswap64(x)
#else
#define CHEQ_BIG_ENDIAN 0
#define CHEQ_LOWEST_FIRST(x) (x)
#endif

/* The number of the lowest bit that is set, of a number that is not 0. */
static inline uint32_t cheq_lowest_bit(uint64_t bits) {
#if defined(__GNUC__)
    return (uint32_t)__builtin_ctzll(bits);
#else
    uint32_t n = 0;
    for (; !(bits & 1); bits >>= 1) {
        n++;
    }
    return n;
#endif
}

/* Counts of pixels, all less than 2^63 (of histograms that are given, _arguments.as_histogram sees to it): signed numbers
 * are converted in one instruction. */
static inline float cheq_pixels_to_float(uint64_t pixels) {
    return (float)(int64_t)pixels;
}

static inline double cheq_pixels_to_double(uint64_t pixels) {
    return (double)(int64_t)pixels;
}

static inline size_t cheq_min(size_t a, size_t b) {
    return a < b ? a : b;
}

#endif
