/* Which kernels there are, the best last (policy), and which of them this CPU can run (facts). */
#ifndef CHEQ_DISPATCH_H
#define CHEQ_DISPATCH_H

#include "kernels/scalar.h"

/* Function target attributes build every instruction set with one plain command. Not for
 * Windows: GCC does not align the stack for their registers there. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(_WIN32) /* Clang defines __GNUC__ too */
#define CHEQ_X86 1
#include "kernels/x86/avx2.h"
#include "kernels/x86/avx512.h"
#else
#define CHEQ_X86 0
#endif
#if defined(__aarch64__) && defined(__GNUC__)
#define CHEQ_ARM64 1
#include "kernels/arm/neon.h"
#else
#define CHEQ_ARM64 0
#endif

/* Policy: a later one is preferred. */
static const cheq_kernels *const cheq_tables_of_kernels[] = {
    &cheq_kernels_scalar,
#if CHEQ_X86
    &cheq_kernels_avx2,
    &cheq_kernels_avx512,
#elif CHEQ_ARM64
    &cheq_kernels_neon,
#endif
};

enum { CHEQ_KERNEL_COUNT = sizeof cheq_tables_of_kernels / sizeof cheq_tables_of_kernels[0] };

static inline const cheq_kernels *cheq_kernels_at(int i) {
    return cheq_tables_of_kernels[i];
}

/* Facts: what the kernels ask of the CPU, one instruction set at a time. */
typedef struct {
    const char *name;
    int here;
} cheq_feature;

enum { CHEQ_MOST_FEATURES = 16 };

/* Writes the features that matter to this build's kernels; returns how many. */
static inline int cheq_features(cheq_feature *features) {
#if CHEQ_X86
    const cheq_feature known[] = {
        {"popcnt", !!__builtin_cpu_supports("popcnt")},
        {"bmi", !!__builtin_cpu_supports("bmi")},
        {"bmi2", !!__builtin_cpu_supports("bmi2")},
        {"avx2", !!__builtin_cpu_supports("avx2")},
        {"gfni", !!__builtin_cpu_supports("gfni")},
        {"avx512f", !!__builtin_cpu_supports("avx512f")},
        {"avx512bw", !!__builtin_cpu_supports("avx512bw")},
        {"avx512vl", !!__builtin_cpu_supports("avx512vl")},
        {"avx512dq", !!__builtin_cpu_supports("avx512dq")},
        {"avx512vbmi", !!__builtin_cpu_supports("avx512vbmi")},
        {"avx512vbmi2", !!__builtin_cpu_supports("avx512vbmi2")},
        {"avx512vpopcntdq", !!__builtin_cpu_supports("avx512vpopcntdq")},
        {"avx512vnni", !!__builtin_cpu_supports("avx512vnni")},
    };
    memcpy(features, known, sizeof known);
    return sizeof known / sizeof known[0];
#elif CHEQ_ARM64
    features[0] = (cheq_feature){"asimd", 1}; /* part of the 64-bit ARM architecture */
    return 1;
#else
    (void)features;
    return 0;
#endif
}

/* Is the feature whose name begins here, `length` long, one of them? */
static inline int cheq_has_feature(const char *name, size_t length) {
    cheq_feature features[CHEQ_MOST_FEATURES];
    const int count = cheq_features(features);
    for (int i = 0; i < count; i++) {
        if (strlen(features[i].name) == length && memcmp(features[i].name, name, length) == 0) {
            return features[i].here;
        }
    }
    return 0;
}

/* The CPU has all that the kernels need, and the system saves its registers. */
static inline int cheq_runs_here(const cheq_kernels *k) {
    for (const char *need = k->needs; *need; need += strspn(need, ",")) {
        const size_t length = strcspn(need, ",");
        if (!cheq_has_feature(need, length)) {
            return 0;
        }
        need += length;
    }
    return 1;
}

#endif
