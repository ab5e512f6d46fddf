/* Every kernel at every length and alignment, between pages that cannot be touched:
 *
 *     guards [LAST]        lengths 0 to LAST, or 0 to 1024
 *
 * Each input and each result lies 0 to 63 bytes behind such a page, then 0 to 63 bytes before
 * one. A byte too many ends the process; what is written beside a result, and every wrong value,
 * is reported. The expected values are made pixel by pixel, in plain C. */
#include "guards_bytes.h"
#include "guards_others.h"

static void (*const checks[])(const trial *) = {
    check_count,       check_apply,     check_count_apply,  check_luts,         check_select,
    check_gather,      check_scatter,   check_split,        check_merge,        check_apply_channels,
    check_widen_narrow, check_bounds,   check_count_floats, check_interpolate,  check_gray,
    check_gray_dense,  check_gray16,    check_recolor,      check_recolor_dense,
};
enum { CHECKS = sizeof checks / sizeof checks[0], ALIGNMENTS = 64 };

static void check_length(int kernel, size_t n) {
    for (size_t gap = 0; gap < ALIGNMENTS; gap++) {
        for (int at_end = 0; at_end < 2; at_end++) {
            const trial t = {cheq_kernels_at(kernel), &cheq_tables_of_color[kernel], {at_end, gap}, n};
            for (int i = 0; i < CHECKS; i++) {
                checks[i](&t);
            }
        }
    }
}

int main(int argc, char **argv) {
    const size_t last = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : LONGEST;
    if (last > LONGEST) {
        stop("guards: LAST: expected at most 1024");
    }
    prepare();
    for (int kernel = 0; kernel < CHEQ_KERNEL_COUNT; kernel++) {
        if (!cheq_kernels_run_here(kernel)) {
            printf("not checked, for this CPU lacks its instructions: %s\n", cheq_kernels_at(kernel)->name);
            continue;
        }
        for (size_t n = 0; n <= last; n++) {
            check_length(kernel, n);
        }
        printf("%s: lengths 0 to %zu, %d alignments, at both ends: %llu calls so far, no fault\n",
               cheq_kernels_at(kernel)->name, last, ALIGNMENTS, (unsigned long long)calls);
    }
    return 0;
}
