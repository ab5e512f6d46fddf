/* The time, for deciding when to look at signals; where there is one, a clock that cannot be set. */
#ifndef CHEQ_CLOCK_H
#define CHEQ_CLOCK_H

#include <time.h>

static inline double cheq_seconds(void) {
    struct timespec now;
#ifdef CLOCK_MONOTONIC
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
#else
    (void)timespec_get(&now, TIME_UTC);
#endif
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
