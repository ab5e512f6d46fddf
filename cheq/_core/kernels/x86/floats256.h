/* What the template floats.h asks for, with AVX2, which the AVX-512 kernels take as well: gathers are no faster. */
#ifndef CHEQ_FLOATS256_H
#define CHEQ_FLOATS256_H

#include <immintrin.h>

#include "formulas/bins.h"
#include "kernels/x86/moves256.h"

/* Two numbers each from a and b. */
CHEQ_AVX2_INLINE __m256d cheq_two_pairs(const double *a, const double *b) {
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(a)), _mm_loadu_pd(b), 1);
}

CHEQ_AVX2_INLINE int cheq_interpolate_4_256(const double *values, const int32_t guesses[4], const cheq_knot *knots,
                                            uint8_t *to, int bytes) {
    const cheq_knot *j0 = knots + guesses[0], *j1 = knots + guesses[1], *j2 = knots + guesses[2],
                    *j3 = knots + guesses[3];
    const __m256d points02 = cheq_two_pairs(&j0->x, &j2->x), points13 = cheq_two_pairs(&j1->x, &j3->x);
    const __m256d slopes02 = cheq_two_pairs(&j0->slope, &j2->slope), slopes13 = cheq_two_pairs(&j1->slope, &j3->slope);
    const __m256d x = _mm256_unpacklo_pd(points02, points13), y = _mm256_unpackhi_pd(points02, points13);
    const __m256d slope = _mm256_unpacklo_pd(slopes02, slopes13), value = _mm256_loadu_pd(values);
    if (CHEQ_RARELY(_mm256_movemask_pd(_mm256_cmp_pd(value, x, _CMP_LT_OQ)))) {
        return 0;
    }
    const __m256d found = _mm256_add_pd(_mm256_mul_pd(slope, _mm256_sub_pd(value, x)), y);
    if (bytes == 4) {
        _mm_storeu_ps((float *)(void *)to, _mm256_cvtpd_ps(found));
    } else {
        _mm256_storeu_pd((double *)(void *)to, found);
    }
    return 1;
}

#endif
