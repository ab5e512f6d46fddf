/* How the portable kernels look up: byte by byte, and eight of them a store. */
#ifndef CHEQ_BYTEWISE_H
#define CHEQ_BYTEWISE_H

#include "kernels/kernels.h"

/* Byte by byte is the fast way to take pixels and LUT entries: loads are plentiful
 * (three a cycle), shifts are not. GCC would make vectors of bytes of these loops
 * and then take them apart again (apply: 1.2 ns a pixel instead of .21). */
#if defined(__GNUC__) && !defined(__clang__)
#define CHEQ_BYTEWISE __attribute__((noinline, optimize("no-tree-vectorize")))
#else
#define CHEQ_BYTEWISE
#endif

/* Bytes of a store, and the shift that brings byte i to its place in it. */
#define CHEQ_STEP 8
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define CHEQ_BYTE_SHIFT(i) (8 * (CHEQ_STEP - 1 - (i)))
#else
#define CHEQ_BYTE_SHIFT(i) (8 * (i))
#endif

#endif
