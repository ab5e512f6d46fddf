/* Moves for AVX2: pixels apart by a step or chosen by a mask, channels apart and
 * together, by byte shuffles. A shuffle index of 128 gives 0, so that results join by or. */
#ifndef CHEQ_MOVES256_H
#define CHEQ_MOVES256_H

#include <immintrin.h>

#include "kernels/scalar.h"

#define CHEQ_AVX2_NEEDS "avx2,bmi,bmi2"
#define CHEQ_AVX2 __attribute__((target(CHEQ_AVX2_NEEDS)))
#define CHEQ_AVX2_INLINE CHEQ_AVX2 static inline __attribute__((always_inline))

/* ---- tables ------------------------------------------------------------- */

/* The list f(0, c, r, s), ... f(15, c, r, s). */
#define CHEQ_4(f, i, c, r, s) f(i, c, r, s), f(i + 1, c, r, s), f(i + 2, c, r, s), f(i + 3, c, r, s)
#define CHEQ_16(f, c, r, s) \
    {CHEQ_4(f, 0, c, r, s), CHEQ_4(f, 4, c, r, s), CHEQ_4(f, 8, c, r, s), CHEQ_4(f, 12, c, r, s)}
#define CHEQ_REGISTERS(f, c, s) \
    {CHEQ_16(f, c, 0, s), CHEQ_16(f, c, 1, s), CHEQ_16(f, c, 2, s), CHEQ_16(f, c, 3, s)}
#define CHEQ_CHANNELS(f, s) \
    {CHEQ_REGISTERS(f, 0, s), CHEQ_REGISTERS(f, 1, s), CHEQ_REGISTERS(f, 2, s), CHEQ_REGISTERS(f, 3, s)}

/* Pixel i of channel c of s is byte s * i + c, if that is in register r. */
#define CHEQ_SPLIT(i, c, r, s) ((s * (i) + c) / 16 == r ? (s * (i) + c) % 16 : 128)
/* Byte i of register c is of channel (16c + i) % s, if that is r. */
#define CHEQ_MERGE(i, c, r, s) ((16 * c + (i)) % s == r ? (16 * c + (i)) / s : 128)

typedef uint8_t cheq_shuffles[4][4][16];
static const cheq_shuffles cheq_split_256[3] = {
    CHEQ_CHANNELS(CHEQ_SPLIT, 2), CHEQ_CHANNELS(CHEQ_SPLIT, 3), CHEQ_CHANNELS(CHEQ_SPLIT, 4)};
static const cheq_shuffles cheq_merge_256[3] = {
    CHEQ_CHANNELS(CHEQ_MERGE, 2), CHEQ_CHANNELS(CHEQ_MERGE, 3), CHEQ_CHANNELS(CHEQ_MERGE, 4)};

/* ---- channels ----------------------------------------------------------- */

CHEQ_AVX2_INLINE __m128i cheq_load128(const void *from) {
    return _mm_loadu_si128((const __m128i *)from);
}

CHEQ_AVX2_INLINE __m256i cheq_load256(const void *from) {
    return _mm256_loadu_si256((const __m256i *)from);
}

CHEQ_AVX2_INLINE void cheq_store256(void *to, __m256i x) {
    _mm256_storeu_si256((__m256i *)to, x);
}

/* What a table collects from n registers. */
CHEQ_AVX2_INLINE __m128i cheq_collect128(const __m128i *x, int n, const uint8_t table[4][16]) {
    __m128i all = _mm_shuffle_epi8(x[0], cheq_load128(table[0]));
    for (int r = 1; r < n; r++) {
        all = _mm_or_si128(all, _mm_shuffle_epi8(x[r], cheq_load128(table[r])));
    }
    return all;
}

/* Twice, of 32 pixels: the halves of the registers and of the results are of 16 each. */
CHEQ_AVX2_INLINE __m256i cheq_collect256(const __m256i *x, int n, const uint8_t table[4][16]) {
    __m256i all = _mm256_shuffle_epi8(x[0], _mm256_broadcastsi128_si256(cheq_load128(table[0])));
    for (int r = 1; r < n; r++) {
        const __m256i order = _mm256_broadcastsi128_si256(cheq_load128(table[r]));
        all = _mm256_or_si256(all, _mm256_shuffle_epi8(x[r], order));
    }
    return all;
}

CHEQ_AVX2_INLINE void cheq_split_by_avx2(const uint8_t *from, int channels, size_t n, uint8_t *const *to) {
    const size_t half = 16 * (size_t)channels;
    size_t i = 0;
    for (; i + 32 <= n; i += 32, from += 2 * half) {
        __m256i x[4];
        for (int r = 0; r < channels; r++) {
            const __m256i low = _mm256_castsi128_si256(cheq_load128(from + 16 * r));
            x[r] = _mm256_inserti128_si256(low, cheq_load128(from + half + 16 * r), 1);
        }
        for (int c = 0; c < channels; c++) {
            cheq_store256(to[c] + i, cheq_collect256(x, channels, cheq_split_256[channels - 2][c]));
        }
    }
    for (int c = 0; c < channels; c++) {
        cheq_gather_scalar(from + c, channels, n - i, to[c] + i);
    }
}

CHEQ_AVX2_INLINE void cheq_merge_by_avx2(const uint8_t *const *from, int channels, size_t n, uint8_t *to) {
    const size_t half = 16 * (size_t)channels;
    size_t i = 0;
    for (; i + 32 <= n; i += 32, to += 2 * half) {
        __m256i x[4];
        for (int c = 0; c < channels; c++) {
            x[c] = cheq_load256(from[c] + i);
        }
        for (int r = 0; r < channels; r++) {
            const __m256i both = cheq_collect256(x, channels, cheq_merge_256[channels - 2][r]);
            _mm_storeu_si128((__m128i *)(to + 16 * r), _mm256_castsi256_si128(both));
            _mm_storeu_si128((__m128i *)(to + half + 16 * r), _mm256_extracti128_si256(both, 1));
        }
    }
    for (int c = 0; c < channels; c++) {
        cheq_scatter_scalar(from[c] + i, n - i, to + c, channels);
    }
}

/* ---- steps -------------------------------------------------------------- */

CHEQ_AVX2_INLINE void cheq_gather_by256(const uint8_t *from, int step, size_t n, uint8_t *to) {
    size_t i = 0;
    for (; i + 16 < n; i += 16) { /* with a pixel behind them, all the bytes loaded are inside */
        __m128i x[4];
        for (int r = 0; r < step; r++) {
            x[r] = cheq_load128(from + i * (size_t)step + 16 * r);
        }
        _mm_storeu_si128((__m128i *)(to + i), cheq_collect128(x, step, cheq_split_256[step - 2][0]));
    }
    cheq_gather_scalar(from + i * (size_t)step, step, n - i, to + i);
}

CHEQ_AVX2 static void cheq_gather_avx2(const uint8_t *from, ptrdiff_t step, size_t n, uint8_t *to) {
    const __m128i backwards = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t i = 0;
    switch (step) {
    case 2:
        cheq_gather_by256(from, 2, n, to);
        break;
    case 3:
        cheq_gather_by256(from, 3, n, to);
        break;
    case 4:
        cheq_gather_by256(from, 4, n, to);
        break;
    case -1:
        for (; i + 16 <= n; i += 16) {
            _mm_storeu_si128((__m128i *)(to + i), _mm_shuffle_epi8(cheq_load128(from - i - 15), backwards));
        }
        cheq_gather_scalar(from - i, -1, n - i, to + i);
        break;
    default:
        cheq_gather_scalar(from, step, n, to);
    }
}

/* ---- select ------------------------------------------------------------- */

/* Where the set bits of 0 to 15 are: the shuffle that brings those of four bytes together. */
static const uint32_t cheq_chosen256[16] = {
    0,    0x00,   0x01,   0x0100,   0x02,   0x0200,   0x0201,   0x020100,
    0x03, 0x0300, 0x0301, 0x030100, 0x0302, 0x030200, 0x030201, 0x03020100};

/* Four pixels at a time, by a table of 64 bytes: pext would take eight, but takes
 * a hundred cycles on AMD before Zen 3. */
CHEQ_AVX2 static size_t cheq_select_avx2(const uint8_t *pixels, const uint8_t *mask, size_t n, uint8_t *out) {
    size_t kept = 0, i = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i left_out = _mm256_cmpeq_epi8(cheq_load256(mask + i), _mm256_setzero_si256());
        uint32_t chosen = ~(uint32_t)_mm256_movemask_epi8(left_out);
        for (int j = 0; j < 32; j += 4) {
            unsigned bits = chosen >> j & 15;
            uint32_t four;
            memcpy(&four, pixels + i + j, 4);
            __m128i order = _mm_cvtsi32_si128((int)cheq_chosen256[bits]);
            four = (uint32_t)_mm_cvtsi128_si32(_mm_shuffle_epi8(_mm_cvtsi32_si128((int)four), order));
            memcpy(out + kept, &four, 4);
            kept += (unsigned)__builtin_popcount(bits);
        }
    }
    return kept + cheq_select_scalar(pixels + i, mask + i, n - i, out + kept);
}

#endif
