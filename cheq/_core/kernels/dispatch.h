/* Which kernels there are, and which one this process uses. */
#ifndef CHEQ_DISPATCH_H
#define CHEQ_DISPATCH_H

#include "scalar.h"

/* Best last. */
static const cheq_kernels cheq_tables_of_kernels[] = {
    CHEQ_SCALAR_KERNELS,
};

enum { CHEQ_KERNEL_COUNT = sizeof cheq_tables_of_kernels / sizeof cheq_tables_of_kernels[0] };

static inline const cheq_kernels *cheq_kernels_at(int i) {
    return &cheq_tables_of_kernels[i];
}

/* Can this CPU run them? */
static inline int cheq_kernels_run_here(int i) {
    (void)i;
    return 1;
}

#endif
