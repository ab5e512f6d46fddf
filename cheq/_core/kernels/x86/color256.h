/* Gray, YCrCb and YUV for AVX2, 32 pixels at a time: bytes are widened by unpacking within
 * 128 bits, which the packing at the end undoes. The AVX-512 kernels use this too: Zen 4
 * takes wider registers in two halves, and this is bound by arithmetic. */
#ifndef CHEQ_COLOR256_H
#define CHEQ_COLOR256_H

#include "kernels/color.h"
#include "kernels/x86/lab256.h"
#include "kernels/x86/moves256.h"

/* ---- gray --------------------------------------------------------------- */

/* Two weights to multiply pairs of bytes by. */
CHEQ_AVX2_INLINE __m256i cheq_pairs256(int first, int second) {
    return _mm256_set1_epi16((int16_t)(uint16_t)((first & 255) | (unsigned)(second & 255) << 8));
}

/* cheq_weigh by products of unsigned pixels and signed weights, of which a pair's sum
 * saturates at 16 bits. G takes part in both pairs, so that its weight can be shared out: the
 * weights' high bytes add up to 128 at most in either, and 128 * 255 is below 2^15. The
 * low bytes are signed: a pair's sum is at most 255 * 128. The sum of all wraps, unsigned. */
typedef struct {
    __m256i high_rg, high_bg, low_rg, low_bg, half;
    __m128i shift;
} cheq_weights256;

CHEQ_AVX2_INLINE cheq_weights256 cheq_load_weights256(const cheq_weights *w) {
    const int room = 128 - CHEQ_HIGH(w->r), g = CHEQ_HIGH(w->g), share = g < room ? g : room;
    const cheq_weights256 weights = {
        .high_rg = cheq_pairs256(CHEQ_HIGH(w->r), share),
        .high_bg = cheq_pairs256(CHEQ_HIGH(w->b), g - share),
        .low_rg = cheq_pairs256(CHEQ_LOW(w->r), 0),
        .low_bg = cheq_pairs256(CHEQ_LOW(w->b), CHEQ_LOW(w->g)),
        .half = _mm256_set1_epi16((int16_t)(1 << (w->bits - 9))),
        .shift = _mm_cvtsi32_si128(w->bits - 8),
    };
    return weights;
}

CHEQ_AVX2_INLINE __m256i cheq_weigh256(const cheq_weights256 *w, __m256i rg, __m256i bg) {
    __m256i high = _mm256_add_epi16(_mm256_maddubs_epi16(rg, w->high_rg), _mm256_maddubs_epi16(bg, w->high_bg));
    __m256i low = _mm256_add_epi16(_mm256_maddubs_epi16(rg, w->low_rg), _mm256_maddubs_epi16(bg, w->low_bg));
    high = _mm256_add_epi16(_mm256_add_epi16(high, w->half), _mm256_srai_epi16(low, 8));
    return _mm256_srl_epi16(high, w->shift);
}

/* For 32 pixels. */
CHEQ_AVX2_INLINE __m256i cheq_gray256(const cheq_weights256 *w, __m256i r, __m256i g, __m256i b) {
    return _mm256_packus_epi16(cheq_weigh256(w, _mm256_unpacklo_epi8(r, g), _mm256_unpacklo_epi8(b, g)),
                               cheq_weigh256(w, _mm256_unpackhi_epi8(r, g), _mm256_unpackhi_epi8(b, g)));
}

CHEQ_AVX2 static void cheq_luma_avx2(const cheq_space *space, uint8_t *const *rgb, size_t n, uint8_t *to) {
    const cheq_weights256 w = cheq_load_weights256(&space->luma);
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i r = cheq_load256(rgb[0] + i), g = cheq_load256(rgb[1] + i), b = cheq_load256(rgb[2] + i);
        cheq_store256(to + i, cheq_gray256(&w, r, g, b));
    }
    uint8_t *const rest[] = {rgb[0] + i, rgb[1] + i, rgb[2] + i};
    cheq_luma_scalar(space, rest, n - i, to + i);
}

/* ---- gray of 16 bits ---------------------------------------------------- */

/* Where the bytes of two pixels of 6 or 8 bytes go: 8 bytes each, the fourth channel or 0
 * behind the others, the bytes of a value in the machine's order. */
CHEQ_AVX2_INLINE __m256i cheq_two_pixels256(ptrdiff_t step, int swapped) {
    uint8_t table[16];
    for (int i = 0; i < 16; i++) {
        const int byte = i % 8;
        table[i] = byte < step ? (uint8_t)(i / 8 * (int)step + (byte ^ swapped)) : 128;
    }
    return _mm256_broadcastsi128_si256(cheq_load128(table));
}

typedef struct {
    __m256i order, weights, sum; /* sum: what makes the products' sum the weighted one */
    __m128i shift;
} cheq_weights16;

/* Products are signed: the values are lowered by 2^15, which lowers the sum by 2^15 times
 * that of the weights, 2^bits. */
CHEQ_AVX2_INLINE cheq_weights16 cheq_load_weights16(const cheq_weights *w, ptrdiff_t step, int reversed, int swapped) {
    const uint16_t first = reversed ? w->b : w->r, last = reversed ? w->r : w->b;
    const cheq_weights16 weights = {
        .order = cheq_two_pixels256(step, swapped),
        .weights = _mm256_set1_epi64x((int64_t)((uint64_t)last << 32 | (uint64_t)w->g << 16 | first)),
        .sum = _mm256_set1_epi32((int32_t)((1u << (w->bits + 15)) + (1u << (w->bits - 1)))),
        .shift = _mm_cvtsi32_si128(w->bits),
    };
    return weights;
}

/* For pixels 0, 1 and 8, 9 from `at`: two sums each, of R and G, and of B. */
CHEQ_AVX2_INLINE __m256i cheq_products16(const cheq_weights16 *w, const uint8_t *at, ptrdiff_t step) {
    __m256i x = _mm256_inserti128_si256(_mm256_castsi128_si256(cheq_load128(at)), cheq_load128(at + 8 * step), 1);
    x = _mm256_xor_si256(_mm256_shuffle_epi8(x, w->order), _mm256_set1_epi16(INT16_MIN));
    return _mm256_madd_epi16(x, w->weights);
}

/* Pixels 0 to 3 and 8 to 11. */
CHEQ_AVX2_INLINE __m256i cheq_weigh16_by256(const cheq_weights16 *w, const uint8_t *at, ptrdiff_t step) {
    __m256i sums = _mm256_hadd_epi32(cheq_products16(w, at, step), cheq_products16(w, at + 2 * step, step));
    return _mm256_srl_epi32(_mm256_add_epi32(sums, w->sum), w->shift);
}

/* Pixels that are dense, RGB or RGBA, either way round, are multiplied as they lie. */
CHEQ_AVX2 static void cheq_gray16_avx2(const cheq_weights *weights, const uint8_t *at, ptrdiff_t stride,
                                       ptrdiff_t step, int swapped, size_t n, uint16_t *gray) {
    size_t i = 0;
    if ((stride == 2 || stride == -2) && (step == 6 || step == 8)) {
        const uint8_t *first = at + (stride < 0 ? 2 * stride : 0);
        const cheq_weights16 w = cheq_load_weights16(weights, step, stride < 0, swapped);
        for (; i + 16 < n; i += 16, first += 16 * step) { /* with a pixel behind them, all the bytes loaded are inside */
            __m256i low = cheq_weigh16_by256(&w, first, step), high = cheq_weigh16_by256(&w, first + 4 * step, step);
            cheq_store256(gray + i, _mm256_packus_epi32(low, high));
        }
    }
    cheq_gray16_body(weights, at + (ptrdiff_t)i * step, stride, step, swapped, n - i, gray + i);
}

/* ---- YCrCb and YUV ------------------------------------------------------ */

typedef struct {
    __m256i r_to_v, b_to_u, v_to_r, high_v_to_g, high_u_to_g, low_v_to_g, low_u_to_g, u_to_b;
} cheq_chromas256;

/* A weight times x / 2^14 is rounded by an instruction that gives (a b + 2^14) >> 15, so either is doubled. The one
 * that makes B, which may pass 15 bits, is lowered by 2^15, and 2 u added. */
CHEQ_AVX2_INLINE cheq_chromas256 cheq_load_chromas256(const cheq_chromas *c) {
    const cheq_chromas256 chromas = {
        .r_to_v = _mm256_set1_epi16((int16_t)(2 * c->r_to_v)),
        .b_to_u = _mm256_set1_epi16((int16_t)(2 * c->b_to_u)),
        .v_to_r = _mm256_set1_epi16((int16_t)c->v_to_r),
        .high_v_to_g = _mm256_set1_epi16((int16_t)CHEQ_HIGH(c->v_to_g)),
        .high_u_to_g = _mm256_set1_epi16((int16_t)CHEQ_HIGH(c->u_to_g)),
        .low_v_to_g = _mm256_set1_epi16((int16_t)CHEQ_LOW(c->v_to_g)),
        .low_u_to_g = _mm256_set1_epi16((int16_t)CHEQ_LOW(c->u_to_g)),
        .u_to_b = _mm256_set1_epi16((int16_t)(c->u_to_b - (1 << 15))),
    };
    return chromas;
}

CHEQ_AVX2_INLINE __m256i cheq_low256(__m256i x) {
    return _mm256_unpacklo_epi8(x, _mm256_setzero_si256());
}

CHEQ_AVX2_INLINE __m256i cheq_high256(__m256i x) {
    return _mm256_unpackhi_epi8(x, _mm256_setzero_si256());
}

/* Words of 32 pixels. */
typedef struct {
    __m256i low, high;
} cheq_words256;

/* v or u of 32 pixels, less 128; not saturated, which of the two v alone need be: |B - Y| is 226 at most. */
CHEQ_AVX2_INLINE cheq_words256 cheq_chroma256(__m256i weight, __m256i color, __m256i y) {
    const cheq_words256 chroma = {
        _mm256_mulhrs_epi16(_mm256_sub_epi16(cheq_low256(color), cheq_low256(y)), weight),
        _mm256_mulhrs_epi16(_mm256_sub_epi16(cheq_high256(color), cheq_high256(y)), weight),
    };
    return chroma;
}

CHEQ_AVX2_INLINE cheq_words256 cheq_saturate256(cheq_words256 x) {
    const __m256i least = _mm256_set1_epi16(-128), most = _mm256_set1_epi16(127);
    const cheq_words256 within = {
        _mm256_max_epi16(_mm256_min_epi16(x.low, most), least), _mm256_max_epi16(_mm256_min_epi16(x.high, most), least),
    };
    return within;
}

/* As bytes that are stored, and back. */
CHEQ_AVX2_INLINE __m256i cheq_put_chroma256(cheq_words256 x) {
    return _mm256_xor_si256(_mm256_packs_epi16(x.low, x.high), _mm256_set1_epi8(INT8_MIN));
}

CHEQ_AVX2_INLINE cheq_words256 cheq_get_chroma256(__m256i x) {
    const __m256i middle = _mm256_set1_epi16(128);
    const cheq_words256 chroma = {
        _mm256_sub_epi16(cheq_low256(x), middle), _mm256_sub_epi16(cheq_high256(x), middle),
    };
    return chroma;
}

/* What R, G, B have above Y, for sixteen pixels. */
typedef struct {
    __m256i r, g, b;
} cheq_above256;

CHEQ_AVX2_INLINE cheq_above256 cheq_above_y256(const cheq_chromas256 *c, __m256i v, __m256i u) {
    const __m256i high = _mm256_add_epi16(_mm256_mullo_epi16(v, c->high_v_to_g), _mm256_mullo_epi16(u, c->high_u_to_g));
    const __m256i low = _mm256_add_epi16(_mm256_mullo_epi16(v, c->low_v_to_g), _mm256_mullo_epi16(u, c->low_u_to_g));
    const __m256i g = _mm256_add_epi16(_mm256_add_epi16(high, _mm256_set1_epi16(32)), _mm256_srai_epi16(low, 8));
    const __m256i twice_u = _mm256_add_epi16(u, u);
    const cheq_above256 above = {
        .r = _mm256_mulhrs_epi16(_mm256_add_epi16(v, v), c->v_to_r),
        .g = _mm256_srai_epi16(g, 6),
        .b = _mm256_add_epi16(_mm256_mulhrs_epi16(twice_u, c->u_to_b), twice_u),
    };
    return above;
}

/* y + above for 32 pixels; packing saturates. */
CHEQ_AVX2_INLINE __m256i cheq_add_y256(__m256i y, __m256i low, __m256i high) {
    return _mm256_packus_epi16(_mm256_add_epi16(cheq_low256(y), low), _mm256_add_epi16(cheq_high256(y), high));
}

/* R, G, B of 32 pixels. */
CHEQ_AVX2_INLINE void cheq_rgb256(const cheq_chromas256 *c, __m256i y, cheq_words256 v, cheq_words256 u,
                                  __m256i rgb[3]) {
    const cheq_above256 low = cheq_above_y256(c, v.low, u.low), high = cheq_above_y256(c, v.high, u.high);
    rgb[0] = cheq_add_y256(y, low.r, high.r);
    rgb[1] = cheq_add_y256(y, low.g, high.g);
    rgb[2] = cheq_add_y256(y, low.b, high.b);
}

CHEQ_AVX2 static void cheq_to_luma_avx2(const cheq_space *space, uint8_t *const *rgb, size_t n) {
    const cheq_weights256 w = cheq_load_weights256(&space->luma);
    const cheq_chromas256 c = cheq_load_chromas256(&space->chromas);
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const __m256i r = cheq_load256(rgb[0] + i), g = cheq_load256(rgb[1] + i), b = cheq_load256(rgb[2] + i);
        const __m256i y = cheq_gray256(&w, r, g, b);
        cheq_store256(rgb[0] + i, y);
        cheq_store256(rgb[1] + i, cheq_put_chroma256(cheq_chroma256(c.r_to_v, r, y)));
        cheq_store256(rgb[2] + i, cheq_put_chroma256(cheq_chroma256(c.b_to_u, b, y)));
    }
    uint8_t *const rest[] = {rgb[0] + i, rgb[1] + i, rgb[2] + i};
    cheq_to_luma_scalar(space, rest, n - i);
}

CHEQ_AVX2 static void cheq_from_luma_avx2(const cheq_space *space, uint8_t *const *channels, size_t n) {
    const cheq_chromas256 c = cheq_load_chromas256(&space->chromas);
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i rgb[3];
        cheq_rgb256(&c, cheq_load256(channels[0] + i), cheq_get_chroma256(cheq_load256(channels[1] + i)),
                    cheq_get_chroma256(cheq_load256(channels[2] + i)), rgb);
        for (int channel = 0; channel < 3; channel++) {
            cheq_store256(channels[channel] + i, rgb[channel]);
        }
    }
    uint8_t *const rest[] = {channels[0] + i, channels[1] + i, channels[2] + i};
    cheq_from_luma_scalar(space, rest, n - i);
}

#define CHEQ_ISA avx2
#define CHEQ_ATTRIBUTES CHEQ_AVX2
#include "kernels/spaces.h"
#undef CHEQ_ATTRIBUTES
#undef CHEQ_ISA

#endif
