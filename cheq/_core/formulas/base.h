/* What every floor of the core needs: the number of levels of a byte, and functions that become part of their callers. */
#ifndef CHEQ_BASE_H
#define CHEQ_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CHEQ_LEVELS 256

/* A function that becomes part of its callers: what they know of its arguments, and the
 * instructions they may use, then hold for it. */
#if defined(__GNUC__)
#define CHEQ_BODY static inline __attribute__((always_inline))
#else
#define CHEQ_BODY static inline
#endif

static inline size_t cheq_min(size_t a, size_t b) {
    return a < b ? a : b;
}

#endif
