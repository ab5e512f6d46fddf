/* Integer planes beyond bytes to bytes: levels of 16 bits or signed ones, and results
 * that are not levels. One plane at a time, by a LUT of 256 or 65,536 entries.
 *
 * A small plane must not pay for 65,536 bins: it notes which its pixels use, and only these
 * are read, written and cleared again. A plane with more pixels pays for the bins from its
 * lowest level to its highest. From 65,536 / 3 pixels on none notes bins, and the range only
 * narrows the LUT. */
#ifndef CHEQ_LEVELS_H
#define CHEQ_LEVELS_H

#include "jobs/bytes.h"
#include "jobs/lookup.h"

#define CHEQ_MOST_LEVELS 65536

/* Bins a pixel from which noting those in use is cheaper than walking all of the range; measured on uniform and on smooth
 * planes, whose crossings are just below and just above. */
#define CHEQ_BINS_A_PIXEL 3

typedef struct {
    const cheq_kernels *kernels;
    cheq_maker maker;
    int counts, applies;
    int bytes;            /* of a pixel, 1 or 2 */
    uint32_t levels, flip; /* flip: levels / 2 where the dtype is signed, to go from its bits to bins */
    int entry_bytes;      /* of a LUT's entry, and of a result */
    int entry_is_level;   /* entries are levels of the images' dtype, not doubles */
    int streams;          /* see cheq_streams */
    cheq_layout counted, applied; /* as in cheq_bytes_job */
    size_t groups, pixels;
    uint64_t *hist;
    const uint8_t *luts;
    size_t lut_step; /* bytes */
} cheq_levels_job;

static inline size_t cheq_levels_lut_bytes(const cheq_levels_job *job) {
    return (size_t)job->entry_bytes * job->levels;
}

/* The lowest and the highest bin of a plane's pixels, counted or not; and how many are counted. */
typedef struct {
    uint32_t lowest, highest;
    uint64_t counted;
} cheq_range;

/* Does a plane note the bins that its pixels use? */
static inline int cheq_levels_note(const cheq_levels_job *job, const cheq_range *range) {
    return job->bytes == 2 && (size_t)(range->highest - range->lowest) / CHEQ_BINS_A_PIXEL >= job->pixels;
}

/* What a thread counts, in memory as large as the levels ask for: the bins, and those in use, if they are noted, as bits,
 * both zeros between planes; and the last plane's range. */
typedef struct {
    uint32_t *hist;
    uint64_t *noted;
    cheq_range *range;
} cheq_levels_counts;

#define CHEQ_NOTED 64 /* bins a number */

static inline size_t cheq_levels_counts_bytes(uint32_t levels) {
    return levels * sizeof(uint32_t) + levels / CHEQ_NOTED * sizeof(uint64_t) + sizeof(cheq_range);
}

static inline cheq_levels_counts cheq_levels_counts_in(void *memory, uint32_t levels) {
    uint32_t *hist = memory;
    uint64_t *noted = (uint64_t *)(hist + levels);
    cheq_levels_counts counts = {hist, noted, (cheq_range *)(noted + levels / CHEQ_NOTED)};
    return counts;
}

/* ---- pieces ---------------------------------------------------------------- */

CHEQ_BODY void cheq_levels_gather(const uint8_t *restrict from, ptrdiff_t step, size_t n, uint16_t *restrict to) {
    for (size_t i = 0; i < n; i++) {
        memcpy(&to[i], from + (ptrdiff_t)i * step, 2);
    }
}

/* Pixels of a piece, dense: as they lie, or in the room. */
static inline const void *cheq_levels_load(const cheq_levels_job *job, const cheq_layout *layout, const cheq_walk *walk,
                                         size_t n, cheq_room *room) {
    const uint8_t *from = walk->at[CHEQ_IMAGES];
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_IMAGES);
    if (job->bytes == 1) {
        if (step == 1) {
            return from;
        }
        job->kernels->gather(from, step, n, room->piece[0]);
        return room->piece[0];
    }
    if (step == 2 && (uintptr_t)from % 2 == 0) {
        return from;
    }
    switch (step) { /* compilers make more of one they know */
    case 4:
        cheq_levels_gather(from, 4, n, room->words);
        break;
    case 6:
        cheq_levels_gather(from, 6, n, room->words);
        break;
    default:
        cheq_levels_gather(from, step, n, room->words);
    }
    return room->words;
}

/* ---- count -------------------------------------------------------------------- */

/* As signed numbers, of which every x86-64 finds the extremes of eight at a time. */
static inline void cheq_range_of_words(const uint16_t *words, size_t n, uint32_t flip, cheq_range *range) {
    const uint16_t sign = 0x8000, to_signed = (uint16_t)(flip ^ sign);
    int16_t lowest = (int16_t)(range->lowest ^ sign), highest = (int16_t)(range->highest ^ sign);
    for (size_t i = 0; i < n; i++) {
        const int16_t bin = (int16_t)(words[i] ^ to_signed);
        if (bin < lowest) {
            lowest = bin;
        }
        if (bin > highest) {
            highest = bin;
        }
    }
    range->lowest = (uint16_t)lowest ^ sign;
    range->highest = (uint16_t)highest ^ sign;
}

static cheq_range cheq_levels_range(const cheq_levels_job *job, const cheq_layout *layout, size_t group, size_t begin,
                                    size_t end, cheq_room *room) {
    cheq_range range = {CHEQ_MOST_LEVELS - 1, 0, 0};
    cheq_walk walk;
    cheq_walk_begin(&walk, layout, group, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        cheq_range_of_words(cheq_levels_load(job, layout, &walk, n, room), n, job->flip, &range);
    }
    return range;
}

CHEQ_BODY void cheq_count_all_words(const uint16_t *words, size_t n, int is_signed, uint32_t *hist) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (size_t k = 0; k < 8; k++) {
            hist[cheq_pixel_bin(words, 2, is_signed, i + k)]++;
        }
    }
    for (; i < n; i++) {
        hist[cheq_pixel_bin(words, 2, is_signed, i)]++;
    }
}

/* The same of the words under the mask, if any; noted, if wanted: the bins of all words. Returns how many are counted. */
CHEQ_BODY uint64_t cheq_count_some_words(const uint16_t *words, const uint8_t *mask, size_t n, int is_signed,
                                         uint32_t *hist, uint64_t *noted) {
    uint64_t counted = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t bin = cheq_pixel_bin(words, 2, is_signed, i);
        const uint32_t selected = mask ? mask[i] != 0 : 1;
        hist[bin] += selected;
        counted += selected;
        if (noted) {
            noted[bin / CHEQ_NOTED] |= UINT64_C(1) << bin % CHEQ_NOTED;
        }
    }
    return counted;
}

CHEQ_BODY uint64_t cheq_count_words(const uint16_t *words, const uint8_t *mask, size_t n, int is_signed, uint32_t *hist,
                                    uint64_t *noted) {
    if (noted && mask) {
        return cheq_count_some_words(words, mask, n, is_signed, hist, noted);
    }
    if (noted) {
        return cheq_count_some_words(words, NULL, n, is_signed, hist, noted);
    }
    if (mask) {
        return cheq_count_some_words(words, mask, n, is_signed, hist, NULL);
    }
    cheq_count_all_words(words, n, is_signed, hist);
    return n;
}

static uint64_t cheq_levels_count_part(const cheq_levels_job *job, size_t group, size_t begin, size_t end, uint32_t *hist,
                                       uint64_t *noted, cheq_room *room) {
    const cheq_layout *layout = &job->counted;
    uint64_t counted = 0;
    cheq_walk walk;
    cheq_walk_begin(&walk, layout, group, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        const uint8_t *mask = cheq_mask_of(job->kernels, layout, &walk, 0, n, room->mask);
        const uint16_t *words = cheq_levels_load(job, layout, &walk, n, room);
        counted += job->flip ? cheq_count_words(words, mask, n, 1, hist, noted)
                             : cheq_count_words(words, mask, n, 0, hist, noted);
    }
    return counted;
}

/* Bytes are counted by the kernels, and put in the order of the bins. */
static inline void cheq_count_bytes(const cheq_levels_job *job, size_t group, size_t begin, size_t end,
                                    uint32_t hist[CHEQ_LEVELS], cheq_room *room) {
    cheq_hist counts[1] = {{0}};
    cheq_count_pixels(job->kernels, &job->counted, group, begin, end, NULL, counts, room);
    for (uint32_t v = 0; v < CHEQ_LEVELS; v++) {
        hist[v ^ job->flip] += counts[0][v];
    }
}

/* The range first: where it is wide, bins are noted; and of large planes the machine then has the pixels near. */
static void cheq_levels_count_plane(const cheq_levels_job *job, size_t group, const cheq_levels_counts *counts,
                                    cheq_room *room) {
    *counts->range = cheq_levels_range(job, &job->counted, group, 0, job->pixels, room);
    uint64_t *noted = cheq_levels_note(job, counts->range) ? counts->noted : NULL;
    counts->range->counted = cheq_levels_count_part(job, group, 0, job->pixels, counts->hist, noted, room);
}

static void cheq_levels_count(const void *of, size_t group, size_t begin, size_t end, void *memory, void *room) {
    const cheq_levels_job *job = of;
    const cheq_levels_counts counts = cheq_levels_counts_in(memory, job->levels);
    if (job->bytes == 1) {
        *counts.range = (cheq_range){0, CHEQ_LEVELS - 1, 0};
        cheq_count_bytes(job, group, begin, end, counts.hist, room);
    } else if (end - begin == job->pixels) {
        cheq_levels_count_plane(job, group, &counts, room);
    } else {
        cheq_levels_count_part(job, group, begin, end, counts.hist, NULL, room);
    }
}

/* ---- make --------------------------------------------------------------------- */

/* List the bins that are noted in a range, and forget them. */
static inline size_t cheq_list_noted(uint64_t *noted, const cheq_range *range, uint16_t *listed) {
    size_t n = 0;
    for (uint32_t i = range->lowest / CHEQ_NOTED; i <= range->highest / CHEQ_NOTED; i++) {
        for (uint64_t bits = noted[i]; bits; bits &= bits - 1) {
            listed[n++] = (uint16_t)(i * CHEQ_NOTED + cheq_lowest_bit(bits));
        }
        noted[i] = 0;
    }
    return n;
}

/* The next plane finds zeros, also where pixels changed after their range was taken: then not all are in its bins. */
static inline void cheq_levels_clear(const cheq_levels_job *job, const cheq_counts *counts, const cheq_levels_counts *own) {
    uint32_t *hist = own->hist;
    if (job->bytes == 2 && *counts->total != own->range->counted) {
        memset(hist, 0, job->levels * sizeof *hist);
        memset(own->noted, 0, job->levels / CHEQ_NOTED * sizeof *own->noted);
        return;
    }
    if (!counts->listed) {
        memset(hist + counts->begin, 0, counts->n * sizeof *hist);
        return;
    }
    for (size_t i = 0; i < counts->n; i++) {
        hist[counts->listed[i]] = 0;
    }
}

static void cheq_levels_make(const void *of, size_t group, void *memory, const void *sum, void *lut, void *of_thread) {
    const cheq_levels_job *job = of;
    cheq_room *room = of_thread;
    const cheq_levels_counts own = cheq_levels_counts_in(memory, job->levels);
    CHEQ_ASSUME(own.hist != NULL);
    const cheq_entries entries = {lut, job->entry_bytes, job->levels, job->entry_is_level ? job->flip : 0,
                                  room->tables};
    if (job->hist) {
        cheq_put_hist(own.hist, sum, job->levels, job->hist + group * job->levels);
    }
    if (sum) {
        if (job->maker.make) {
            cheq_make_lut_of_hist(&job->maker, group, sum, &entries);
        }
        return;
    }
    uint64_t total = 0;
    cheq_counts counts = {
        .hist32 = own.hist, .begin = own.range->lowest, .n = (size_t)own.range->highest - own.range->lowest + 1,
        .plane = group, .present_only = !job->counted.masked, .total = &total,
    };
    if (cheq_levels_note(job, own.range)) {
        uint16_t *listed = (uint16_t *)((uint8_t *)lut + cheq_levels_lut_bytes(job));
        counts.n = cheq_list_noted(own.noted, own.range, listed);
        counts.listed = listed;
    }
    if (job->maker.make) {
        cheq_make_lut(&job->maker, &counts, &entries);
    } else {
        cheq_summarize(&counts);
    }
    cheq_levels_clear(job, &counts, &own);
}

/* ---- apply -------------------------------------------------------------------- */

static void cheq_levels_apply(const void *of, size_t group, size_t begin, size_t end, const void *made,
                              void *of_thread) {
    const cheq_levels_job *job = of;
    cheq_room *room = of_thread;
    const void *lut = job->luts ? job->luts + group * job->lut_step : made;
    const cheq_layout *layout = &job->applied;
    const ptrdiff_t step = cheq_run_stride(layout, CHEQ_OUT);
    cheq_walk walk;
    CHEQ_ASSUME(room != NULL);
    cheq_walk_begin(&walk, layout, group, begin, end);
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_PIECE)) > 0;) {
        const uint8_t *mask = cheq_mask_of(job->kernels, layout, &walk, 0, n, room->mask);
        const void *pixels = cheq_levels_load(job, layout, &walk, n, room);
        if (mask && walk.at[CHEQ_IMAGES] == walk.at[CHEQ_OUT]) {
            pixels = memmove(room->words, pixels, n * (size_t)job->bytes); /* where they may lie already */
        }
        const cheq_lookup look = {pixels, mask, n, lut, walk.at[CHEQ_OUT], step, job->streams};
        cheq_write(&look, job->bytes, job->flip != 0, job->entry_bytes);
    }
    if (job->streams) {
        cheq_streamed();
    }
}

/* ---- the job -------------------------------------------------------------------- */

static inline cheq_work cheq_levels_work(const cheq_levels_job *job) {
    cheq_work work = {
        .job = job, .groups = job->groups, .pixels = job->pixels, .planes = 1, .cost = CHEQ_PLANE_COST,
        .count = job->counts ? cheq_levels_count : NULL, .join = cheq_join_bins, .make = cheq_levels_make,
        .apply = job->applies ? cheq_levels_apply : NULL, .bins = job->levels, .room_bytes = cheq_room_bytes(1),
    };
    if (job->counts) {
        work.counts_bytes = cheq_levels_counts_bytes(job->levels);
        work.sum_bytes = job->levels * sizeof(uint64_t);
        work.made_bytes = cheq_levels_lut_bytes(job) + job->levels * sizeof(uint16_t); /* the list of bins behind it */
    }
    return work;
}

#endif
