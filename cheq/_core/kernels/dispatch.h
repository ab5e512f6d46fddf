/* Which kernels there are, which of them this CPU can run (facts), and which one
 * is the best (policy). */
#ifndef CHEQ_DISPATCH_H
#define CHEQ_DISPATCH_H

#include "scalar.h"

/* Function target attributes build every instruction set with one plain command. */
#if defined(__x86_64__) && defined(__GNUC__) /* Clang defines it too */
#define CHEQ_X86 1
#include "avx2.h"
#include "avx512.h"
#else
#define CHEQ_X86 0
#endif

/* Policy: a later one is preferred. */
static const cheq_kernels cheq_tables_of_kernels[] = {
    CHEQ_SCALAR_KERNELS,
#if CHEQ_X86
    CHEQ_AVX2_KERNELS,
    CHEQ_AVX512_KERNELS,
#endif
};

enum { CHEQ_KERNEL_COUNT = sizeof cheq_tables_of_kernels / sizeof cheq_tables_of_kernels[0] };

static inline const cheq_kernels *cheq_kernels_at(int i) {
    return &cheq_tables_of_kernels[i];
}

/* Fact: the CPU has the instructions, and the system saves their registers. */
static inline int cheq_kernels_run_here(int i) {
#if CHEQ_X86
    switch (i) {
    case 1:
        return CHEQ_AVX2_RUNS_HERE;
    case 2:
        return CHEQ_AVX512_RUNS_HERE;
    }
#endif
    return i == 0;
}

#endif
