/* Results past the caches: where these do not hold them all, memory need not be read before it is written. For results of
 * 8 bytes that are looked up, where writing is most of the work: narrower ones, and interpolated ones, gain nothing. */
#ifndef CHEQ_STREAM_H
#define CHEQ_STREAM_H

#include "formulas/base.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <emmintrin.h>
#endif

/* From so many bytes on; measured where the cache of all cores has 32 MiB. */
#define CHEQ_STREAMED ((size_t)1 << 24)

/* Fresh memory is in the caches already: the system has just cleared it. */
static inline int cheq_streams(size_t bytes, int fresh) {
    return bytes >= CHEQ_STREAMED && !fresh;
}

/* Eight bytes of any kind, to an address that is a multiple of 8. */
CHEQ_BODY void cheq_stream(uint8_t *to, const uint8_t *from) {
#if defined(__x86_64__) && defined(__GNUC__)
    long long bits;
    memcpy(&bits, from, sizeof bits);
    _mm_stream_si64((long long *)(void *)to, bits);
#else
    memcpy(to, from, 8);
#endif
}

/* Other threads see what was streamed before. */
static inline void cheq_streamed(void) {
#if defined(__x86_64__) && defined(__GNUC__)
    _mm_sfence();
#endif
}

#endif
