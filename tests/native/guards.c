/* Every kernel at every length, between pages that cannot be touched:
 *
 *     guards [LAST [ALIGNMENTS]]     lengths 0 to LAST, or to 1024; so many alignments, or 4
 *
 * Each input and each result lies 0 to 63 bytes behind such a page, then 0 to 63 bytes before
 * one: of these 64 the 0 and others that change from length to length, or, where ALIGNMENTS is
 * 64, all. A byte too many ends the process; what is written beside a result, and every wrong
 * value, is reported. The expected values are made pixel by pixel, in plain C. */
#include "guards_bytes.h"
#include "guards_others.h"
#include "guards_tiles.h"

static void (*const checks[])(const trial *) = {
    check_count,       check_apply,     check_count_apply,  check_luts,         check_select,
    check_gather,      check_scatter,   check_split,        check_merge,        check_apply_channels,
    check_bounds,      check_count_floats, check_count_any,    check_interpolate,
    check_lightness,   check_lightness_dense, check_gray16, check_spaces, check_recolor16,
    check_recolor_dense,
    check_lut_clip,    check_lut_clip16, check_lut_few, check_blend,
};
enum { CHECKS = sizeof checks / sizeof checks[0], ALIGNMENTS = 64, QUICK = 4 };

/* The i-th of so many: 0 first, the others spread, and one on with each length. */
static size_t gap_of(size_t i, size_t alignments, size_t n) {
    return i == 0 || alignments == ALIGNMENTS ? i : 1 + (i * ALIGNMENTS / alignments + n) % (ALIGNMENTS - 1);
}

static void check_length(int kernel, size_t n, size_t alignments) {
    for (size_t i = 0; i < alignments; i++) {
        for (int at_end = 0; at_end < 2; at_end++) {
            const trial t = {cheq_kernels_at(kernel), {at_end, gap_of(i, alignments, n)}, n};
            for (int c = 0; c < CHECKS; c++) {
                checks[c](&t);
            }
        }
    }
}

static size_t number(const char *text, const char *name, size_t least, size_t most) {
    char *end;
    const unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end || value < least || value > most) {
        (void)fprintf(stderr, "guards: %s: expected %zu to %zu, got %s\n", name, least, most, text);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv) {
    const size_t last = argc > 1 ? number(argv[1], "LAST", 0, LONGEST) : LONGEST;
    const size_t alignments = argc > 2 ? number(argv[2], "ALIGNMENTS", 1, ALIGNMENTS) : QUICK;
    prepare();
    for (int kernel = 0; kernel < CHEQ_KERNEL_COUNT; kernel++) {
        if (!cheq_runs_here(cheq_kernels_at(kernel))) {
            printf("%s: not checked, as this CPU lacks its instructions\n", cheq_kernels_at(kernel)->name);
            continue;
        }
        calls = 0;
        for (size_t n = 0; n <= last; n++) {
            check_length(kernel, n, alignments);
        }
        printf("%s: lengths 0 to %zu, %zu alignments of 64, at both ends: %llu results right, no fault\n",
               cheq_kernels_at(kernel)->name, last, alignments, (unsigned long long)calls);
    }
    return 0;
}
