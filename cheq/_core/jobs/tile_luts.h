/* CLAHE: a plane at work, its tiles counted, and what becomes of their counts. */
#ifndef CHEQ_TILE_LUTS_H
#define CHEQ_TILE_LUTS_H

#include "jobs/arithmetic.h"
#include "jobs/passes.h"
#include "jobs/plane.h"

/* Pixels that are moved at a time: bytes that lie in L2 beside the LUTs. */
#define CHEQ_STAGE ((size_t)1 << 16)

/* The levels of some pixels, so that zeros are those of none. */
typedef struct {
    uint32_t below_top; /* the highest possible level less the lowest one */
    uint32_t highest;
} cheq_level_range;

typedef struct {
    const cheq_kernels *kernels;
    cheq_layout layout; /* images, result, and the mask if there is one */
    int bytes;          /* of a pixel, 1 or 2 */
    int keeps;          /* what is outside the mask */
    size_t groups, pixels;
    cheq_tile_axis rows, columns;
    const double *clip_limits; /* one, or one a plane */
    size_t clip_step;          /* 0 or 1 */
    uint8_t *luts;             /* where threads share planes: of all tiles of one; else NULL */
    cheq_level_range *ranges;  /* and of words, one a plane; else NULL */
} cheq_tiles_job;

static inline uint32_t cheq_tiles_levels(const cheq_tiles_job *job) {
    return job->bytes == 1 ? CHEQ_LEVELS : CHEQ_LEVELS * CHEQ_LEVELS;
}

static inline size_t cheq_tiles_lut_bytes(const cheq_tiles_job *job) {
    return (size_t)job->bytes * cheq_tiles_levels(job);
}

/* A thread's room, of any content. */
typedef struct {
    void *tables;                   /* CHEQ_ROOM bytes; with words CHEQ_ROOM16 */
    uint32_t *hist;                 /* of all levels */
    cheq_cell *cells;               /* of a band, one a stretch of columns */
    uint8_t *pixels, *other, *mask; /* CHEQ_STAGE bytes each */
    uint8_t *luts;                  /* of two rows of tiles */
} cheq_tiles_room;

/* Lay the room out from memory on; returns its size. */
static inline size_t cheq_tiles_room_in(const cheq_tiles_job *job, char *memory, cheq_tiles_room *room) {
    const size_t bytes[] = {
        job->bytes == 1 ? CHEQ_ROOM : CHEQ_ROOM16, cheq_tiles_levels(job) * sizeof *room->hist, job->columns.n_stretches * sizeof *room->cells,
        CHEQ_STAGE, CHEQ_STAGE, CHEQ_STAGE, 2 * job->columns.used * cheq_tiles_lut_bytes(job),
    };
    size_t at[sizeof bytes / sizeof *bytes], size = 0;
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        at[i] = size;
        size += cheq_lines(bytes[i]);
    }
    if (memory) {
        *room = (cheq_tiles_room){
            .tables = memory + at[0], .hist = (void *)(memory + at[1]), .cells = (void *)(memory + at[2]),
            .pixels = (uint8_t *)memory + at[3], .other = (uint8_t *)memory + at[4], .mask = (uint8_t *)memory + at[5],
            .luts = (uint8_t *)memory + at[6],
        };
    }
    return size;
}

/* A plane at work. */
typedef struct {
    const cheq_tiles_job *job;
    cheq_tiles_room room;
    uint8_t *at[CHEQ_OPERANDS];
    const uint8_t *next; /* the next plane's images, if they are wanted soon; or NULL */
    size_t above;        /* rows from a band, which begins in the middle of tiles, up to those that are counted next; or 0 */
    double clip_limit;
    cheq_clip clip; /* of a tile whose pixels are all counted */
    uint32_t first; /* the LUTs' levels */
    size_t levels;
} cheq_tiles_plane;

/* LUTs need have these levels alone. */
static inline void cheq_tiles_narrow(cheq_tiles_plane *plane, const cheq_level_range *range) {
    plane->first = CHEQ_LEVELS * CHEQ_LEVELS - 1 - range->below_top;
    plane->levels = (size_t)range->highest - plane->first + 1;
}

static inline cheq_tiles_plane cheq_tiles_plane_at(const cheq_tiles_job *job, size_t group, void *memory) {
    cheq_tiles_plane plane = {.job = job, .clip_limit = job->clip_limits[group * job->clip_step], .first = 0,
                              .levels = cheq_tiles_levels(job)};
    cheq_tiles_room_in(job, memory, &plane.room);
    cheq_layout_locate(&job->layout, group, plane.at);
    plane.clip = cheq_clip_of(plane.clip_limit, (uint32_t)(job->rows.tile * job->columns.tile), cheq_tiles_levels(job));
    if (job->ranges) {
        cheq_tiles_narrow(&plane, &job->ranges[group]);
    }
    return plane;
}

static inline ptrdiff_t cheq_row_stride(const cheq_tiles_job *job, int op) {
    return job->layout.pixels.strides[op][0];
}

static inline ptrdiff_t cheq_column_stride(const cheq_tiles_job *job, int op) {
    return job->layout.pixels.strides[op][1];
}

static inline uint8_t *cheq_pixel_at(const cheq_tiles_plane *plane, int op, size_t y, size_t x) {
    return plane->at[op] + (ptrdiff_t)y * cheq_row_stride(plane->job, op) + (ptrdiff_t)x * cheq_column_stride(plane->job, op);
}

/* Are an array's rows what kernels take? */
static inline int cheq_has_dense_rows(const cheq_tiles_plane *plane, int op) {
    const int bytes = plane->job->bytes;
    const uintptr_t places = (uintptr_t)plane->at[op] | (uintptr_t)cheq_row_stride(plane->job, op);
    return cheq_column_stride(plane->job, op) == bytes && places % (uintptr_t)bytes == 0;
}

/* n pixels, a step apart, to dense ones; and back. */
static inline void cheq_tiles_gather(const cheq_tiles_job *job, const uint8_t *from, ptrdiff_t step, size_t n, uint8_t *to) {
    if (job->bytes == 1) {
        job->kernels->gather(from, step, n, to);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(to + 2 * i, from + (ptrdiff_t)i * step, 2);
    }
}

static inline void cheq_tiles_scatter(const cheq_tiles_job *job, const uint8_t *from, size_t n, uint8_t *to, ptrdiff_t step) {
    if (job->bytes == 1) {
        job->kernels->scatter(from, n, to, step);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(to + (ptrdiff_t)i * step, from + 2 * i, 2);
    }
}

/* ---- count ---------------------------------------------------------------------- */

/* Pixels that were gathered and not yet counted. */
typedef struct {
    const cheq_tiles_plane *plane;
    size_t n;
    uint32_t counted;
} cheq_tile_pending;

static inline void cheq_tile_flush(cheq_tile_pending *pending) {
    const cheq_tiles_room *room = &pending->plane->room;
    const cheq_ahead nothing = {NULL, NULL};
    if (pending->plane->job->bytes == 1) {
        pending->plane->job->kernels->count(room->pixels, pending->n, room->hist, nothing, room->tables);
    } else {
        const uint16_t *words = (const void *)room->pixels;
        for (size_t i = 0; i < pending->n; i++) {
            room->hist[(uint16_t)(words[i] - pending->plane->first)]++; /* inside, also if another thread writes pixels */
        }
    }
    pending->counted += (uint32_t)pending->n;
    pending->n = 0;
}

/* The words under the mask to the front. */
static inline size_t cheq_select_words(const uint16_t *words, const uint8_t *mask, size_t n, uint16_t *out) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        out[kept] = words[i];
        kept += mask[i] != 0;
    }
    return kept;
}

/* Add n pixels from (y, x) on, at most CHEQ_PIECE, to the left for a sign of -1; under a mask, those that it selects. */
static void cheq_tile_add(cheq_tile_pending *pending, size_t y, size_t x, ptrdiff_t sign, size_t n) {
    const cheq_tiles_plane *plane = pending->plane;
    const cheq_tiles_job *job = plane->job;
    const cheq_tiles_room *room = &plane->room;
    const size_t bytes = (size_t)job->bytes;
    if ((pending->n + n) * bytes > CHEQ_STAGE) {
        cheq_tile_flush(pending);
    }
    uint8_t *to = room->pixels + pending->n * bytes;
    cheq_tiles_gather(job, cheq_pixel_at(plane, CHEQ_IMAGES, y, x), sign * cheq_column_stride(job, CHEQ_IMAGES), n,
                      job->layout.masked ? room->other : to);
    if (!job->layout.masked) {
        pending->n += n;
        return;
    }
    job->kernels->gather(cheq_pixel_at(plane, CHEQ_MASK, y, x), sign * cheq_column_stride(job, CHEQ_MASK), n, room->mask);
    pending->n += bytes == 1 ? job->kernels->select(room->other, room->mask, n, to)
                             : cheq_select_words((const void *)room->other, room->mask, n, (void *)to);
}

/* Rows of n bytes, at least `most`, to the front, by registers of that many bytes; the last one may overlap another. */
CHEQ_BODY void cheq_copy_rows_by(const uint8_t *from, ptrdiff_t step, size_t n, size_t rows, uint8_t *to, size_t bytes) {
    for (size_t y = 0; y < rows; y++, from += step, to += n) {
        size_t x = 0;
        for (; x + bytes <= n; x += bytes) {
            memcpy(to + x, from + x, bytes);
        }
        if (x < n) {
            memcpy(to + n - bytes, from + n - bytes, bytes);
        }
    }
}

/* A call of memcpy for every row of a tile takes three times as long. */
static inline void cheq_copy_rows(const uint8_t *from, ptrdiff_t step, size_t n, size_t rows, uint8_t *to) {
    if (n >= 64) {
        cheq_copy_rows_by(from, step, n, rows, to, 64);
    } else if (n >= 32) {
        cheq_copy_rows_by(from, step, n, rows, to, 32);
    } else if (n >= 16) {
        cheq_copy_rows_by(from, step, n, rows, to, 16);
    } else if (n >= 8) {
        cheq_copy_rows_by(from, step, n, rows, to, 8);
    } else {
        cheq_copy_rows_by(from, step, n, rows, to, 1);
    }
}

/* Count a tile of bytes in dense rows, all of it in the plane and without a mask. */
static void cheq_tile_count_dense(const cheq_tiles_plane *plane, size_t row, size_t column) {
    const cheq_tiles_job *job = plane->job;
    const cheq_tiles_room *room = &plane->room;
    const size_t width = job->columns.tile, height = job->rows.tile, most = CHEQ_STAGE / width;
    const ptrdiff_t step = cheq_row_stride(job, CHEQ_IMAGES);
    const cheq_ahead nothing = {NULL, NULL};
    const uint8_t *pixels = cheq_pixel_at(plane, CHEQ_IMAGES, row * height, column * width);
    for (size_t y = 0, rows; y < height; y += rows, pixels += (ptrdiff_t)rows * step) {
        rows = cheq_min(height - y, most);
        cheq_copy_rows(pixels, step, width, rows, room->pixels);
        job->kernels->count(room->pixels, rows * width, room->hist, nothing, room->tables);
    }
}

/* The same of words, which are counted where they lie. */
static void cheq_tile_count_words(const cheq_tiles_plane *plane, size_t row, size_t column) {
    const cheq_tiles_job *job = plane->job;
    const size_t width = job->columns.tile, begin = row * job->rows.tile;
    uint32_t *hist = plane->room.hist;
    for (size_t y = begin; y < begin + job->rows.tile; y++) {
        const uint16_t *words = (const void *)cheq_pixel_at(plane, CHEQ_IMAGES, y, column * width);
        for (size_t x = 0; x < width; x++) {
            hist[(uint16_t)(words[x] - plane->first)]++; /* inside, also if another thread writes pixels */
        }
    }
}

static inline int cheq_tile_is_dense(const cheq_tiles_plane *plane, size_t row, size_t column) {
    const cheq_tiles_job *job = plane->job;
    return !job->layout.masked && cheq_has_dense_rows(plane, CHEQ_IMAGES) &&
           job->columns.tile <= CHEQ_STAGE && (column + 1) * job->columns.tile <= job->columns.length &&
           (row + 1) * job->rows.tile <= job->rows.length;
}

/* Count a tile; returns how many pixels were counted. */
static uint32_t cheq_tile_count(const cheq_tiles_plane *plane, size_t row, size_t column) {
    if (cheq_tile_is_dense(plane, row, column)) {
        (plane->job->bytes == 1 ? cheq_tile_count_dense : cheq_tile_count_words)(plane, row, column);
        return (uint32_t)plane->clip.area;
    }
    const cheq_tile_axis *rows = &plane->job->rows, *columns = &plane->job->columns;
    const size_t end_x = (column + 1) * columns->tile, end_y = (row + 1) * rows->tile;
    cheq_tile_pending pending = {plane, 0, 0};
    for (size_t y = row * rows->tile; y < end_y; y++) {
        const size_t at_y = cheq_mirror(y, rows->length).at;
        for (size_t x = column * columns->tile, n; x < end_x; x += n) {
            const cheq_mirrored at = cheq_mirror(x, columns->length);
            n = cheq_min(cheq_min(at.run, end_x - x), CHEQ_PIECE);
            cheq_tile_add(&pending, at_y, at.at, at.step, n);
        }
    }
    cheq_tile_flush(&pending);
    return pending.counted;
}

static void cheq_tile_make_lut(const cheq_tiles_plane *plane, size_t row, size_t column, uint8_t *lut) {
    const cheq_tiles_job *job = plane->job;
    uint32_t *hist = plane->room.hist;
    cheq_clip clip = plane->clip;
    const uint32_t counted = cheq_tile_count(plane, row, column);
    if (counted == 0) {
        const cheq_counts counts = {.begin = plane->first, .n = plane->levels};
        const cheq_entries entries = {.lut = lut - (size_t)job->bytes * plane->first, .bytes = job->bytes};
        cheq_put_identity(&counts, &entries);
        return;
    }
    if (counted != (uint32_t)clip.area) {
        clip = cheq_clip_of(plane->clip_limit, counted, cheq_tiles_levels(job));
    }
    if (job->bytes == 1) {
        job->kernels->lut_clip(hist, &clip, lut);
        memset(hist, 0, CHEQ_LEVELS * sizeof *hist);
    } else {
        job->kernels->lut_clip16(hist, plane->first, plane->levels, &clip, (void *)lut);
    }
}

/* The LUTs of the tiles [begin, end) of a row. */
static void cheq_tiles_make_luts(const cheq_tiles_plane *plane, size_t row, size_t begin, size_t end, uint8_t *luts) {
    const cheq_tiles_job *job = plane->job;
    const size_t width = job->columns.tile, height = job->rows.tile, lut_bytes = cheq_tiles_lut_bytes(job);
    const size_t inside = cheq_min(end, job->columns.length / width);
    if (job->bytes == 1 && plane->clip.area <= UINT8_MAX && begin < inside && cheq_tile_is_dense(plane, row, begin)) {
        job->kernels->lut_few(cheq_pixel_at(plane, CHEQ_IMAGES, row * height, begin * width),
                              cheq_row_stride(job, CHEQ_IMAGES), width, height, inside - begin, &plane->clip, luts);
        luts += (inside - begin) * lut_bytes;
        begin = inside;
    }
    for (; begin < end; begin++, luts += lut_bytes) {
        cheq_tile_make_lut(plane, row, begin, luts);
    }
}

#endif
