/* Moves for AVX-512: pixels under a mask, pixels apart by a step, channels apart and
 * together. Most are byte permutes of registers; the tables below say which byte
 * goes where. Channels shorter than a register are loaded and stored under a mask. */
#ifndef CHEQ_MOVES512_H
#define CHEQ_MOVES512_H

#include <immintrin.h>

#include "kernels/scalar.h"

#define CHEQ_AVX512_NEEDS "avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vnni,gfni,bmi,bmi2,popcnt"
#define CHEQ_AVX512 __attribute__((target(CHEQ_AVX512_NEEDS)))

/* For the bodies of loops: a call a block would load every table anew. */
#define CHEQ_AVX512_INLINE CHEQ_AVX512 static inline __attribute__((always_inline))

/* ---- tables ------------------------------------------------------------- */

/* The list f(0, c), f(1, c), ... f(63, c). */
#define CHEQ_8(f, i, c) \
    f(i, c), f(i + 1, c), f(i + 2, c), f(i + 3, c), f(i + 4, c), f(i + 5, c), f(i + 6, c), f(i + 7, c)
#define CHEQ_64(f, c) \
    {CHEQ_8(f, 0, c),  CHEQ_8(f, 8, c),  CHEQ_8(f, 16, c), CHEQ_8(f, 24, c), \
     CHEQ_8(f, 32, c), CHEQ_8(f, 40, c), CHEQ_8(f, 48, c), CHEQ_8(f, 56, c)}

/* A permute of two registers takes bytes 0 to 63 from the first, 64 to 127 from the second. */

/* Pixel i of channel c of two is byte 2i + c. */
#define CHEQ_OF_TWO(i, c) (2 * (i) + c) & 127
static const uint8_t cheq_split2_512[2][64] = {CHEQ_64(CHEQ_OF_TWO, 0), CHEQ_64(CHEQ_OF_TWO, 1)};

/* Byte i of register r, of two, is pixel (64r + i) / 2 of channel i % 2. */
#define CHEQ_TO_TWO(i, r) ((i) % 2 * 64 + 32 * r + (i) / 2)
static const uint8_t cheq_merge2_512[2][64] = {CHEQ_64(CHEQ_TO_TWO, 0), CHEQ_64(CHEQ_TO_TWO, 1)};

/* Pixel i of channel c of three is byte 3i + c of three registers: first those of the
 * first two registers, then the others beside them. */
#define CHEQ_OF_THREE(i, c) (3 * (i) + c) & 127
#define CHEQ_OF_THIRD(i, c) (3 * (i) + c < 128 ? (i) : 3 * (i) + c - 64)
static const uint8_t cheq_split3_512[3][2][64] = {
    {CHEQ_64(CHEQ_OF_THREE, 0), CHEQ_64(CHEQ_OF_THIRD, 0)},
    {CHEQ_64(CHEQ_OF_THREE, 1), CHEQ_64(CHEQ_OF_THIRD, 1)},
    {CHEQ_64(CHEQ_OF_THREE, 2), CHEQ_64(CHEQ_OF_THIRD, 2)},
};

/* Byte i of register r, of three, is pixel (64r + i) / 3 of channel (64r + i) % 3: first
 * those of the first two channels, then the third's beside them. */
#define CHEQ_TO_THREE(i, r) ((64 * r + (i)) % 3 % 2 * 64 + (64 * r + (i)) / 3)
#define CHEQ_TO_THIRD(i, r) ((64 * r + (i)) % 3 < 2 ? (i) : 64 + (64 * r + (i)) / 3)
static const uint8_t cheq_merge3_512[3][2][64] = {
    {CHEQ_64(CHEQ_TO_THREE, 0), CHEQ_64(CHEQ_TO_THIRD, 0)},
    {CHEQ_64(CHEQ_TO_THREE, 1), CHEQ_64(CHEQ_TO_THIRD, 1)},
    {CHEQ_64(CHEQ_TO_THREE, 2), CHEQ_64(CHEQ_TO_THIRD, 2)},
};

#define CHEQ_BACKWARDS(i, c) (63 - (i))
static const uint8_t cheq_backwards_512[64] = CHEQ_64(CHEQ_BACKWARDS, 0);

/* ---- registers ---------------------------------------------------------- */

CHEQ_AVX512 static inline __mmask64 cheq_first512(size_t n) {
    return n < 64 ? _bzhi_u64(~0ull, (unsigned)n) : ~0ull;
}

/* Register r of a piece of memory of `size` bytes; zeros behind its end. */
CHEQ_AVX512_INLINE __m512i cheq_load512(const uint8_t *from, size_t size, size_t r) {
    if (size >= 64 * (r + 1)) {
        return _mm512_loadu_si512(from + 64 * r);
    }
    return size <= 64 * r ? _mm512_setzero_si512()
                          : _mm512_maskz_loadu_epi8(cheq_first512(size - 64 * r), from + 64 * r);
}

CHEQ_AVX512_INLINE void cheq_store512(uint8_t *to, size_t size, size_t r, __m512i x) {
    if (size >= 64 * (r + 1)) {
        _mm512_storeu_si512(to + 64 * r, x);
    } else if (size > 64 * r) {
        _mm512_mask_storeu_epi8(to + 64 * r, cheq_first512(size - 64 * r), x);
    }
}

CHEQ_AVX512_INLINE __m512i cheq_permute512(__m512i x, const uint8_t table[64], __m512i y) {
    return _mm512_permutex2var_epi8(x, _mm512_loadu_si512(table), y);
}

CHEQ_AVX512_INLINE __m256i cheq_half512(__m512i x, int half) {
    return half ? _mm512_extracti64x4_epi64(x, 1) : _mm512_castsi512_si256(x);
}

CHEQ_AVX512_INLINE __m512i cheq_join512(__m256i low, __m256i high) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* ---- channels ----------------------------------------------------------- */

/* One channel of three, from three registers. */
CHEQ_AVX512_INLINE __m512i cheq_third512(const __m512i x[3], int c) {
    return cheq_permute512(cheq_permute512(x[0], cheq_split3_512[c][0], x[1]), cheq_split3_512[c][1], x[2]);
}

/* x, the registers of 64 pixels, becomes y, a register a channel; four channels are two pairs of pairs. */
CHEQ_AVX512_INLINE void cheq_apart512(const __m512i x[4], int channels, __m512i y[4]) {
    if (channels == 3) {
        for (int c = 0; c < 3; c++) {
            y[c] = cheq_third512(x, c);
        }
        return;
    }
    for (int c = 0; c < 2; c++) {
        y[c] = cheq_permute512(x[0], cheq_split2_512[c], x[1]);
    }
    if (channels == 4) {
        const __m512i even = y[0], odd = y[1];
        for (int c = 0; c < 4; c += 2) {
            y[c] = cheq_permute512(even, cheq_split2_512[c / 2],
                                   cheq_permute512(x[2], cheq_split2_512[0], x[3]));
            y[c + 1] = cheq_permute512(odd, cheq_split2_512[c / 2],
                                       cheq_permute512(x[2], cheq_split2_512[1], x[3]));
        }
    }
}

/* And the way back. */
CHEQ_AVX512_INLINE void cheq_together512(const __m512i x[4], int channels, __m512i y[4]) {
    if (channels == 2) {
        for (int r = 0; r < 2; r++) {
            y[r] = cheq_permute512(x[0], cheq_merge2_512[r], x[1]);
        }
    } else if (channels == 3) {
        for (int r = 0; r < 3; r++) {
            y[r] = cheq_permute512(cheq_permute512(x[0], cheq_merge3_512[r][0], x[1]), cheq_merge3_512[r][1], x[2]);
        }
    } else {
        for (int r = 0; r < 4; r++) {
            y[r] = cheq_permute512(cheq_permute512(x[0], cheq_merge2_512[r / 2], x[2]), cheq_merge2_512[r % 2],
                                   cheq_permute512(x[1], cheq_merge2_512[r / 2], x[3]));
        }
    }
}

/* Up to 64 pixels of `size` bytes together, a register a channel; and the way back. */
CHEQ_AVX512_INLINE void cheq_load_apart512(const uint8_t *pixels, int channels, size_t size, __m512i y[4]) {
    __m512i x[4];
    for (int r = 0; r < channels; r++) {
        x[r] = cheq_load512(pixels, size, (size_t)r);
    }
    cheq_apart512(x, channels, y);
}

CHEQ_AVX512_INLINE void cheq_store_together512(const __m512i x[4], int channels, size_t size, uint8_t *out) {
    __m512i y[4];
    cheq_together512(x, channels, y);
    for (int r = 0; r < channels; r++) {
        cheq_store512(out, size, (size_t)r, y[r]);
    }
}

/* Up to 64 pixels. */
CHEQ_AVX512_INLINE void cheq_split_block512(const uint8_t *from, int channels, size_t n,
                                            uint8_t *const *to, size_t at) {
    __m512i y[4];
    cheq_load_apart512(from, channels, n * (size_t)channels, y);
    for (int c = 0; c < channels; c++) {
        cheq_store512(to[c] + at, n, 0, y[c]);
    }
}

CHEQ_AVX512_INLINE void cheq_merge_block512(const uint8_t *const *from, int channels, size_t n,
                                            uint8_t *to, size_t at) {
    __m512i x[4];
    for (int c = 0; c < channels; c++) {
        x[c] = cheq_load512(from[c] + at, n, 0);
    }
    cheq_store_together512(x, channels, n * (size_t)channels, to);
}

CHEQ_AVX512_INLINE void cheq_split_by_avx512(const uint8_t *from, int channels, size_t n, uint8_t *const *to) {
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        cheq_split_block512(from + i * (size_t)channels, channels, 64, to, i);
    }
    if (i < n) {
        cheq_split_block512(from + i * (size_t)channels, channels, n - i, to, i);
    }
}

CHEQ_AVX512_INLINE void cheq_merge_by_avx512(const uint8_t *const *from, int channels, size_t n, uint8_t *to) {
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        cheq_merge_block512(from, channels, 64, to + i * (size_t)channels, i);
    }
    if (i < n) {
        cheq_merge_block512(from, channels, n - i, to + i * (size_t)channels, i);
    }
}

/* ---- steps and masks ---------------------------------------------------- */

/* Up to 64 pixels, every second one or every third. */
CHEQ_AVX512_INLINE void cheq_gather_block512(const uint8_t *from, int step, size_t n, uint8_t *to) {
    const size_t size = (n - 1) * (size_t)step + 1;
    __m512i x[3];
    for (int r = 0; r < step; r++) {
        x[r] = cheq_load512(from, size, (size_t)r);
    }
    cheq_store512(to, n, 0, step == 2 ? cheq_permute512(x[0], cheq_split2_512[0], x[1]) : cheq_third512(x, 0));
}

CHEQ_AVX512_INLINE void cheq_gather_by512(const uint8_t *from, int step, size_t n, uint8_t *to) {
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        cheq_gather_block512(from + i * (size_t)step, step, 64, to + i);
    }
    if (i < n) {
        cheq_gather_block512(from + i * (size_t)step, step, n - i, to + i);
    }
}

CHEQ_AVX512 static inline void cheq_reverse512(const uint8_t *from, size_t n, uint8_t *to) {
    const __m512i backwards = _mm512_loadu_si512(cheq_backwards_512);
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        __m512i x = _mm512_loadu_si512(from - i - 63);
        _mm512_storeu_si512(to + i, _mm512_permutexvar_epi8(backwards, x));
    }
    cheq_gather_scalar(from - i, -1, n - i, to + i);
}

CHEQ_AVX512 static void cheq_gather_avx512(const uint8_t *from, ptrdiff_t step, size_t n, uint8_t *to) {
    switch (step) {
    case 2:
        cheq_gather_by512(from, 2, n, to);
        break;
    case 3:
        cheq_gather_by512(from, 3, n, to);
        break;
    case -1:
        cheq_reverse512(from, n, to);
        break;
    default:
        cheq_gather_scalar(from, step, n, to);
    }
}

CHEQ_AVX512 static size_t cheq_select_avx512(const uint8_t *pixels, const uint8_t *mask, size_t n, uint8_t *out) {
    size_t kept = 0, i = 0;
    for (; i + 64 <= n; i += 64) {
        __m512i chosen = _mm512_loadu_si512(mask + i);
        __mmask64 selected = _mm512_test_epi8_mask(chosen, chosen);
        /* kept <= i, so a whole register ends at out + i + 64 at most */
        _mm512_storeu_si512(out + kept, _mm512_maskz_compress_epi8(selected, _mm512_loadu_si512(pixels + i)));
        kept += (size_t)_mm_popcnt_u64(selected);
    }
    return kept + cheq_select_scalar(pixels + i, mask + i, n - i, out + kept);
}

#endif
