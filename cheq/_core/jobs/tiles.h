/* CLAHE: the LUTs of a plane's tiles, and every pixel looked up in those of the four tiles around it.
 *
 * One thread walks a plane from its last row of tiles upwards: it counts a row of tiles, and writes the band of pixels
 * between it and the row below, so that the LUTs of two rows are enough. What a tile reads, mirrored rows too, lies above
 * all bands that are written by then: the result may be the images. Threads that share a plane make all its LUTs first. */
#ifndef CHEQ_TILES_H
#define CHEQ_TILES_H

#include "jobs/bands.h"

/* Planes of up to so many bytes are fetched while the one before is written: they stay in L2. */
#define CHEQ_FETCHED ((size_t)3 << 17)

/* The LUTs of all tiles, which threads share, may take so many bytes; else one thread walks the plane. */
#define CHEQ_MOST_LUT_BYTES ((size_t)1 << 26)

/* A tile's fixed cost (clearing and summing counters, its LUT) in pixels, for cutting work into pieces. */
#define CHEQ_TILE_COST 512

/* ---- the levels of words ------------------------------------------------------------------ */

static inline void cheq_widen_range(cheq_level_range *range, cheq_level_range other) {
    range->below_top = other.below_top > range->below_top ? other.below_top : range->below_top;
    range->highest = other.highest > range->highest ? other.highest : range->highest;
}

static inline cheq_level_range cheq_range_of(const uint16_t *words, size_t n) {
    uint16_t lowest = UINT16_MAX, highest = 0;
    for (size_t i = 0; i < n; i++) {
        lowest = words[i] < lowest ? words[i] : lowest;
        highest = words[i] > highest ? words[i] : highest;
    }
    return (cheq_level_range){(uint32_t)(UINT16_MAX - lowest), highest};
}

/* Of the rows [begin, end), whether they are counted or not. */
static void cheq_find_range(const cheq_tiles_plane *plane, size_t begin, size_t end, cheq_level_range *range) {
    const cheq_tiles_job *job = plane->job;
    const int dense = cheq_has_dense_rows(plane, CHEQ_IMAGES);
    for (size_t y = begin; y < end; y++) {
        for (size_t x = 0, n; x < job->columns.length; x += n) {
            const uint8_t *pixels = cheq_pixel_at(plane, CHEQ_IMAGES, y, x);
            n = cheq_min(job->columns.length - x, CHEQ_PIECE);
            if (!dense) {
                cheq_tiles_gather(job, pixels, cheq_column_stride(job, CHEQ_IMAGES), n, plane->room.pixels);
                pixels = plane->room.pixels;
            }
            cheq_widen_range(range, cheq_range_of((const void *)pixels, n));
        }
    }
}

typedef struct {
    size_t begin, end;
} cheq_some_rows;

/* The rows that begin in the pixels [begin, end). */
static inline cheq_some_rows cheq_rows_from(const cheq_tiles_job *job, size_t begin, size_t end) {
    const size_t width = job->columns.length;
    return (cheq_some_rows){(begin + width - 1) / width, (end + width - 1) / width};
}

static void cheq_tile_ranges_count(const void *of, size_t group, size_t begin, size_t end, void *counts, void *room) {
    const cheq_some_rows rows = cheq_rows_from(of, begin, end);
    const cheq_tiles_plane plane = cheq_tiles_plane_at(of, group, room);
    cheq_find_range(&plane, rows.begin, rows.end, counts);
}

static void cheq_tile_ranges_join(size_t bins, void *counts, void *sum) {
    (void)bins;
    cheq_widen_range(sum, *(const cheq_level_range *)counts);
    memset(counts, 0, sizeof(cheq_level_range));
}

static void cheq_tile_ranges_make(const void *of, size_t group, void *counts, const void *sum, void *made, void *room) {
    const cheq_tiles_job *job = of;
    (void)made, (void)room;
    job->ranges[group] = *(const cheq_level_range *)(sum ? sum : counts);
    memset(counts, 0, sizeof(cheq_level_range));
}

/* ---- one thread, one plane ------------------------------------------------------------ */

static void cheq_tiles_plane_alone(cheq_tiles_plane *plane) {
    const cheq_tiles_job *job = plane->job;
    const size_t lut_bytes = cheq_tiles_lut_bytes(job), used = job->columns.used;
    const cheq_stretch *stretch = job->rows.stretches + job->rows.n_stretches;
    plane->above = job->rows.tile + job->rows.tile / 2;
    if (job->bytes == 2) {
        cheq_level_range range = {0, 0};
        cheq_find_range(plane, 0, job->rows.length, &range);
        cheq_tiles_narrow(plane, &range);
    }
    memset(plane->room.hist, 0, plane->levels * sizeof *plane->room.hist);
    for (size_t row = job->rows.used; row-- > 0;) {
        uint8_t *upper = plane->room.luts + row % 2 * used * lut_bytes;
        cheq_tiles_make_luts(plane, row, 0, used, upper);
        while (stretch > job->rows.stretches && stretch[-1].first == row) {
            stretch--;
            cheq_write_rows(plane, stretch->begin, stretch->end, upper,
                            plane->room.luts + stretch->second % 2 * used * lut_bytes);
        }
    }
}

static void cheq_tiles_run(const void *of, size_t begin, size_t end, void *room) {
    const cheq_tiles_job *job = of;
    const int fetches = job->pixels * (size_t)job->bytes <= CHEQ_FETCHED;
    for (size_t group = begin; group < end; group++) {
        cheq_tiles_plane plane = cheq_tiles_plane_at(job, group, room);
        if (fetches && group + 1 < end) {
            uint8_t *next[CHEQ_OPERANDS];
            cheq_layout_locate(&job->layout, group + 1, next);
            plane.next = next[CHEQ_IMAGES];
        }
        cheq_tiles_plane_alone(&plane);
    }
}

/* ---- several threads, one plane ---------------------------------------------------------- */

/* The tiles whose share of the pixels begins in [begin, end). */
static void cheq_tiles_count(const void *of, size_t group, size_t begin, size_t end, void *counts, void *room) {
    const cheq_tiles_job *job = of;
    const size_t used = job->columns.used, tiles = job->rows.used * used;
    const size_t share = job->pixels / tiles > 0 ? job->pixels / tiles : 1;
    const size_t first = (begin + share - 1) / share, last = end < job->pixels ? (end + share - 1) / share : tiles;
    cheq_tiles_plane plane = cheq_tiles_plane_at(job, group, room);
    (void)counts;
    memset(plane.room.hist, 0, plane.levels * sizeof *plane.room.hist);
    for (size_t tile = first, end; tile < cheq_min(last, tiles); tile = end) {
        const size_t row = tile / used;
        end = cheq_min(cheq_min(last, tiles), (row + 1) * used);
        cheq_tiles_make_luts(&plane, row, tile - row * used, end - row * used, job->luts + tile * cheq_tiles_lut_bytes(job));
    }
}

static void cheq_tiles_join(size_t bins, void *counts, void *sum) {
    (void)bins, (void)counts, (void)sum; /* the LUTs are where all see them */
}

static void cheq_tiles_make(const void *of, size_t group, void *counts, const void *sum, void *made, void *room) {
    (void)of, (void)group, (void)counts, (void)sum, (void)made, (void)room;
}

static void cheq_tiles_apply(const void *of, size_t group, size_t begin, size_t end, const void *made, void *room) {
    const cheq_tiles_job *job = of;
    const size_t row_bytes = job->columns.used * cheq_tiles_lut_bytes(job);
    const cheq_some_rows rows = cheq_rows_from(job, begin, end);
    const cheq_tiles_plane plane = cheq_tiles_plane_at(job, group, room);
    (void)made;
    for (size_t s = 0; s < job->rows.n_stretches; s++) {
        const cheq_stretch *stretch = &job->rows.stretches[s];
        const size_t from = stretch->begin > rows.begin ? stretch->begin : rows.begin;
        const size_t to = cheq_min(stretch->end, rows.end);
        if (from < to) {
            cheq_write_rows(&plane, from, to, job->luts + stretch->first * row_bytes, job->luts + stretch->second * row_bytes);
        }
    }
}

/* ---- the job --------------------------------------------------------------------------------- */

/* What a job allocates is freed by cheq_tiles_close, also where there was no memory: then this returns 0. */
static inline int cheq_tile_axis_open(cheq_tile_axis *axis, size_t length, size_t tile, size_t tiles) {
    *axis = (cheq_tile_axis){.length = length, .tile = tile, .tiles = tiles};
    axis->weights = malloc(length * sizeof *axis->weights);
    axis->stretches = malloc((cheq_min(tiles, length) + 1) * sizeof *axis->stretches);
    if (!axis->weights || !axis->stretches) {
        return 0;
    }
    const cheq_arithmetic saved = cheq_arithmetic_begin(); /* the loop has its own */
    cheq_tile_axis_fill(axis);
    cheq_arithmetic_end(saved);
    return 1;
}

static inline void cheq_tiles_close(cheq_tiles_job *job) {
    free(job->rows.weights);
    free(job->rows.stretches);
    free(job->columns.weights);
    free(job->columns.stretches);
    free(job->luts);
}

/* Of a job whose axes are open. */
static inline cheq_work cheq_tiles_work(const cheq_tiles_job *job) {
    const size_t tiles = job->rows.used * job->columns.used;
    cheq_work work = {
        .job = job, .groups = job->groups, .pixels = job->pixels, .planes = 1, .cost = tiles * CHEQ_TILE_COST,
        .run = cheq_tiles_run, .room_bytes = cheq_tiles_room_in(job, NULL, NULL),
    };
    if (tiles <= CHEQ_MOST_LUT_BYTES / cheq_tiles_lut_bytes(job)) {
        work.count = cheq_tiles_count;
        work.join = cheq_tiles_join;
        work.make = cheq_tiles_make;
        work.apply = cheq_tiles_apply;
    }
    return work;
}

/* What must be found, of words, before threads share planes. */
static inline cheq_work cheq_tile_ranges_work(const cheq_tiles_job *job) {
    return (cheq_work){
        .job = job, .groups = job->groups, .pixels = job->pixels, .planes = 1, .count = cheq_tile_ranges_count,
        .join = cheq_tile_ranges_join, .make = cheq_tile_ranges_make, .counts_bytes = sizeof(cheq_level_range),
        .sum_bytes = sizeof(cheq_level_range), .room_bytes = cheq_tiles_room_in(job, NULL, NULL),
    };
}

/* What threads share; 0: there is no memory. */
static inline int cheq_tiles_share(cheq_tiles_job *job, void *ranges) {
    job->luts = malloc(job->rows.used * job->columns.used * cheq_tiles_lut_bytes(job));
    job->ranges = ranges;
    return job->luts != NULL;
}

#endif
