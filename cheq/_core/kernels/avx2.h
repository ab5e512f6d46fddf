/* The kernels for AVX2 (Intel Haswell and later, AMD Zen and later). */
#ifndef CHEQ_AVX2_H
#define CHEQ_AVX2_H

#include <immintrin.h>

#include "lut.h"
#include "scalar.h"

#define CHEQ_AVX2 __attribute__((target("avx2,bmi,bmi2")))

#define CHEQ_AVX2_RUNS_HERE \
    (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))

#define CHEQ_AVX2_KERNELS \
    { \
        .name = "avx2", .count = cheq_count_scalar, .apply = cheq_apply_scalar, \
        .count_apply = cheq_count_apply_scalar, .lut_opencv = cheq_lut_opencv_scalar, \
        .select = cheq_select_scalar, .gather = cheq_gather_scalar, .scatter = cheq_scatter_scalar, \
        .split = cheq_split_scalar, .merge = cheq_merge_scalar, \
    }

#endif
