/* Integers looked up: pixels of 8 or 16 bits, with or without a sign, in LUTs of one entry a bin, 1, 2, 4 or 8 bytes each. */
#ifndef CHEQ_LOOKUP_H
#define CHEQ_LOOKUP_H

#include "jobs/layout.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <emmintrin.h>
#endif

typedef struct {
    const void *pixels;  /* dense */
    const uint8_t *mask; /* pixels where it is 0 keep their level; NULL for no such */
    size_t n;
    const uint8_t *lut;  /* at any address */
    uint8_t *to;
    ptrdiff_t step;      /* bytes from one result to the next */
    int streams;         /* see cheq_streams */
} cheq_lookup;

/* The bin of a pixel. As the sign is constant where this is called, and pixels are read one by one with or without it, a
 * bin is an address without further arithmetic. */
CHEQ_BODY size_t cheq_pixel_bin(const void *pixels, int bytes, int is_signed, size_t i) {
    if (bytes == 1) {
        return is_signed ? (size_t)((ptrdiff_t)((const int8_t *)pixels)[i] + 0x80) : ((const uint8_t *)pixels)[i];
    }
    return is_signed ? (size_t)((ptrdiff_t)((const int16_t *)pixels)[i] + 0x8000) : ((const uint16_t *)pixels)[i];
}

CHEQ_BODY void cheq_look_up_one(const cheq_lookup *look, int bytes, int is_signed, size_t entry_bytes, ptrdiff_t step,
                                size_t i) {
    const size_t bin = cheq_pixel_bin(look->pixels, bytes, is_signed, i);
    memcpy(look->to + (ptrdiff_t)i * step, look->lut + bin * entry_bytes, entry_bytes);
}

/* From the pixel `begin` on. Several a turn, as a loop of six instructions is as fast as it happens to lie in memory. */
CHEQ_BODY void cheq_look_up(const cheq_lookup *look, int bytes, int is_signed, size_t entry_bytes, ptrdiff_t step,
                            size_t begin) {
    size_t i = begin;
    for (; i + 4 <= look->n; i += 4) {
        for (size_t k = i; k < i + 4; k++) {
            cheq_look_up_one(look, bytes, is_signed, entry_bytes, step, k);
        }
    }
    for (; i < look->n; i++) {
        cheq_look_up_one(look, bytes, is_signed, entry_bytes, step, i);
    }
}

/* ---- words to words in a row ------------------------------------------------- */

CHEQ_BODY uint64_t cheq_word_of(const uint8_t *lut, size_t bin) {
    uint16_t word;
    memcpy(&word, lut + bin * sizeof word, sizeof word);
    return word;
}

/* Four are written at once, and a line ahead is fetched for each that is written. */
CHEQ_BODY void cheq_look_up_words(const cheq_lookup *look, int is_signed) {
    const size_t words_a_line = 32;
    size_t i = 0;
    for (; i + words_a_line <= look->n; i += words_a_line) {
        CHEQ_FETCH(look->to + 2 * i + 512, 1);
        for (size_t k = i; k < i + words_a_line; k += 4) {
            uint64_t found = 0;
            for (size_t t = 0; t < 4; t++) {
                const size_t next = k + (CHEQ_BIG_ENDIAN ? t : 3 - t); /* into what becomes the highest */
                found = found << 16 | cheq_word_of(look->lut, cheq_pixel_bin(look->pixels, 2, is_signed, next));
            }
            memcpy(look->to + 2 * k, &found, sizeof found);
        }
    }
    cheq_look_up(look, 2, is_signed, 2, 2, i);
}

/* ---- results past the caches --------------------------------------------------- */

/* From so many bytes on, measured where the cache of all cores has 32 MiB; of runs and planes as long as it takes to fill
 * lines and to wait for the last. */
#define CHEQ_STREAMED ((size_t)1 << 24)
#define CHEQ_STREAMED_RUN 64
#define CHEQ_STREAMED_PLANE 1024

/* Do results of 8 bytes, whose writing is most of the work, go past the caches, which do not hold them all? Then memory
 * need not be read before it is written. Fresh memory is in the caches already: the system has just cleared it. */
static inline int cheq_streams(const cheq_layout *layout, int entry_bytes, int fresh) {
    const cheq_axes *pixels = &layout->pixels;
    const size_t plane = cheq_axes_size(pixels), planes = cheq_axes_size(&layout->batch);
    return entry_bytes == 8 && !fresh && plane * planes >= CHEQ_STREAMED / 8 && plane >= CHEQ_STREAMED_PLANE &&
           pixels->shape[pixels->ndim - 1] >= CHEQ_STREAMED_RUN;
}

CHEQ_BODY void cheq_stream_doubles(const cheq_lookup *look, int bytes, int is_signed) {
#if defined(__x86_64__) && defined(__GNUC__)
    long long *to = (long long *)(void *)look->to, entry;
    size_t i = 0;
    for (; i + 4 <= look->n; i += 4) {
        for (size_t k = i; k < i + 4; k++) {
            memcpy(&entry, look->lut + 8 * cheq_pixel_bin(look->pixels, bytes, is_signed, k), sizeof entry);
            _mm_stream_si64(to + k, entry);
        }
    }
    cheq_look_up(look, bytes, is_signed, 8, 8, i);
#else
    cheq_look_up(look, bytes, is_signed, 8, 8, 0);
#endif
}

/* After them, before other threads are told of them. */
static inline void cheq_streamed(void) {
#if defined(__x86_64__) && defined(__GNUC__)
    _mm_sfence();
#endif
}

/* ---- under a mask ---------------------------------------------------------------- */

/* Where the mask does not select, the pixel's level in the entries' dtype, which their size tells: integers that hold it,
 * float32, float64. Without a branch on the mask, which may be noise. */
CHEQ_BODY void cheq_keep(const cheq_lookup *look, int bytes, int is_signed, size_t entry_bytes, ptrdiff_t step) {
    const void *restrict pixels = look->pixels;
    const uint8_t *restrict mask = look->mask;
    uint8_t *restrict to = look->to;
    const int32_t lowest = !is_signed ? 0 : bytes == 1 ? -0x80 : -0x8000;
    for (size_t i = 0; i < look->n; i++) {
        const int32_t level = (int32_t)cheq_pixel_bin(pixels, bytes, is_signed, i) + lowest;
        const uint64_t selected = -(uint64_t)(mask[i] != 0);
        const float single = (float)level;
        const double number = level;
        uint8_t *at = to + (ptrdiff_t)i * step;
        uint16_t word = 0, selected16 = (uint16_t)selected;
        uint32_t found32, kept32;
        uint64_t found64, kept64;
        if (entry_bytes == 8) {
            memcpy(&found64, at, 8);
            memcpy(&kept64, &number, 8);
            found64 = (found64 & selected) | (kept64 & ~selected);
            memcpy(at, &found64, 8);
        } else if (entry_bytes == 4) {
            memcpy(&found32, at, 4);
            memcpy(&kept32, &single, 4);
            found32 = (found32 & (uint32_t)selected) | (kept32 & (uint32_t)~selected);
            memcpy(at, &found32, 4);
        } else if (entry_bytes == 2) {
            memcpy(&word, at, 2);
            word = (uint16_t)((word & selected16) | ((uint16_t)level & (uint16_t)~selected16));
            memcpy(at, &word, 2);
        } else {
            *at = (uint8_t)((*at & selected16) | (level & ~selected16));
        }
    }
}

/* ---- any ------------------------------------------------------------------------- */

CHEQ_BODY void cheq_write_entries(const cheq_lookup *look, int bytes, int is_signed, size_t entry_bytes) {
    const int in_a_row = look->step == (ptrdiff_t)entry_bytes;
    if (bytes == 2 && entry_bytes == 2 && in_a_row) {
        cheq_look_up_words(look, is_signed);
    } else if (look->streams && !look->mask && entry_bytes == 8 && in_a_row && (uintptr_t)look->to % 8 == 0) {
        cheq_stream_doubles(look, bytes, is_signed);
    } else if (in_a_row) {
        cheq_look_up(look, bytes, is_signed, entry_bytes, (ptrdiff_t)entry_bytes, 0);
    } else {
        cheq_look_up(look, bytes, is_signed, entry_bytes, look->step, 0);
    }
    if (look->mask && in_a_row) {
        cheq_keep(look, bytes, is_signed, entry_bytes, (ptrdiff_t)entry_bytes);
    } else if (look->mask) {
        cheq_keep(look, bytes, is_signed, entry_bytes, look->step);
    }
}

CHEQ_BODY void cheq_write_pixels(const cheq_lookup *look, int bytes, int is_signed, int entry_bytes) {
    switch (entry_bytes) {
    case 1:
        cheq_write_entries(look, bytes, is_signed, 1);
        break;
    case 2:
        cheq_write_entries(look, bytes, is_signed, 2);
        break;
    case 4:
        cheq_write_entries(look, bytes, is_signed, 4);
        break;
    default:
        cheq_write_entries(look, bytes, is_signed, 8);
    }
}

static inline void cheq_write(const cheq_lookup *look, int bytes, int is_signed, int entry_bytes) {
    const cheq_lookup own = *look; /* which no result may lie in */
    if (bytes == 1 && is_signed) {
        cheq_write_pixels(&own, 1, 1, entry_bytes);
    } else if (bytes == 1) {
        cheq_write_pixels(&own, 1, 0, entry_bytes);
    } else if (is_signed) {
        cheq_write_pixels(&own, 2, 1, entry_bytes);
    } else {
        cheq_write_pixels(&own, 2, 0, entry_bytes);
    }
}

#endif
