/* The floating-point control that the formulas take for granted: round to nearest, denormals kept, no traps. Another
 * library may have changed it, on one thread or for those that it starts: each thread sets the whole register for its
 * work and restores it. */
#ifndef CHEQ_ARITHMETIC_H
#define CHEQ_ARITHMETIC_H

#include <stdint.h>

/* The memory clobbers keep loads and stores, and so what is computed between them, on their side. */
#if defined(__GNUC__) && (defined(__x86_64__) || (defined(__i386__) && defined(__SSE__)))

typedef uint32_t cheq_arithmetic;

/* What a process starts with. It is seldom another; to load the register takes 20 ns, so it is looked at before. The low
 * six bits are no control: they note what has happened, such as a rounding. */
#define CHEQ_USUAL_CONTROL 0x1F80u

static inline void cheq_arithmetic_load(cheq_arithmetic saved, cheq_arithmetic control) {
    if ((saved & ~0x3Fu) != CHEQ_USUAL_CONTROL) {
        __asm__ volatile("ldmxcsr %0" : : "m"(control) : "memory");
    }
}

static inline void cheq_arithmetic_end(cheq_arithmetic saved) { cheq_arithmetic_load(saved, saved); }

static inline cheq_arithmetic cheq_arithmetic_begin(void) {
    cheq_arithmetic saved;
    __asm__ volatile("stmxcsr %0" : "=m"(saved) : : "memory");
    cheq_arithmetic_load(saved, CHEQ_USUAL_CONTROL);
    return saved;
}

#elif defined(__GNUC__) && defined(__aarch64__)

typedef uint64_t cheq_arithmetic;

static inline void cheq_arithmetic_end(cheq_arithmetic saved) { __asm__ volatile("msr fpcr, %0" : : "r"(saved) : "memory"); }

static inline cheq_arithmetic cheq_arithmetic_begin(void) {
    cheq_arithmetic saved;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved) : : "memory");
    cheq_arithmetic_end(0);
    return saved;
}

#else

#include <fenv.h>

typedef fenv_t cheq_arithmetic;

static inline void cheq_arithmetic_end(cheq_arithmetic saved) { (void)fesetenv(&saved); }

static inline cheq_arithmetic cheq_arithmetic_begin(void) {
    cheq_arithmetic saved;
    (void)fegetenv(&saved);
    (void)fesetenv(FE_DFL_ENV);
    return saved;
}

#endif

#endif
