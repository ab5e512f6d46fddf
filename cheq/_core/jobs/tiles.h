/* CLAHE: the LUTs of a plane's tiles, and every pixel looked up in those of the four tiles around it.
 *
 * One thread walks a plane from its last row of tiles upwards: it counts a row of tiles, and writes the band of pixels
 * between it and the row below, so that the LUTs of two rows are enough. What a tile reads, mirrored rows too, lies above
 * all bands that are written by then: the result may be the images. Threads that share a plane make all its LUTs first. */
#ifndef CHEQ_TILES_H
#define CHEQ_TILES_H

#include "jobs/arithmetic.h"
#include "jobs/passes.h"
#include "jobs/plane.h"

/* Pixels that are moved at a time: bytes that lie in L2 beside the LUTs. */
#define CHEQ_STAGE ((size_t)1 << 16)

/* The LUTs of all tiles, which threads share, may take so many bytes; else one thread walks the plane. */
#define CHEQ_MOST_LUT_BYTES ((size_t)1 << 26)

/* Planes of up to so many bytes are fetched while the one before is written: they stay in L2. */
#define CHEQ_FETCHED ((size_t)3 << 17)

/* A tile's fixed cost (clearing and summing counters, its LUT) in pixels, for cutting work into pieces. */
#define CHEQ_TILE_COST 512

typedef struct {
    const cheq_kernels *kernels;
    cheq_layout layout; /* images, result, and the mask if there is one */
    int bytes;          /* of a pixel, 1 or 2 */
    int keeps;          /* what is outside the mask */
    size_t groups, pixels;
    cheq_tile_axis rows, columns;
    const double *clip_limits; /* one, or one a plane */
    size_t clip_step;          /* 0 or 1 */
    uint8_t *luts;             /* of all tiles of a plane that threads share, or NULL */
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
    double clip_limit;
    cheq_clip clip; /* of a tile whose pixels are all counted */
    uint32_t first; /* the LUTs' levels */
    size_t levels;
} cheq_tiles_plane;

static inline cheq_tiles_plane cheq_tiles_plane_at(const cheq_tiles_job *job, size_t group, void *memory) {
    cheq_tiles_plane plane = {.job = job, .clip_limit = job->clip_limits[group * job->clip_step], .first = 0,
                              .levels = cheq_tiles_levels(job)};
    cheq_tiles_room_in(job, memory, &plane.room);
    cheq_layout_locate(&job->layout, group, plane.at);
    plane.clip = cheq_clip_of(plane.clip_limit, (uint32_t)(job->rows.tile * job->columns.tile), cheq_tiles_levels(job));
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

static inline int cheq_tile_is_dense(const cheq_tiles_plane *plane, size_t row, size_t column) {
    const cheq_tiles_job *job = plane->job;
    return job->bytes == 1 && !job->layout.masked && cheq_column_stride(job, CHEQ_IMAGES) == 1 &&
           job->columns.tile <= CHEQ_STAGE && (column + 1) * job->columns.tile <= job->columns.length &&
           (row + 1) * job->rows.tile <= job->rows.length;
}

/* Count a tile; returns how many pixels were counted. */
static uint32_t cheq_tile_count(const cheq_tiles_plane *plane, size_t row, size_t column) {
    if (cheq_tile_is_dense(plane, row, column)) {
        cheq_tile_count_dense(plane, row, column);
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
    if (clip.area <= UINT8_MAX && cheq_tile_is_dense(plane, row, column)) {
        job->kernels->lut_few(cheq_pixel_at(plane, CHEQ_IMAGES, row * job->rows.tile, column * job->columns.tile),
                              cheq_row_stride(job, CHEQ_IMAGES), job->columns.tile, job->rows.tile, &clip, lut);
        return;
    }
    const uint32_t counted = cheq_tile_count(plane, row, column);
    if (counted == 0) {
        const cheq_span span = {plane->first, plane->first + (uint32_t)plane->levels};
        const cheq_counts counts = {.spans = &span, .n_spans = 1};
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

/* ---- interpolate ------------------------------------------------------------------- */

/* Rows and columns of a plane, and the LUTs of the rows of tiles around them. */
typedef struct {
    size_t begin_y, end_y, begin_x, end_x;
    const uint8_t *upper, *lower;
} cheq_patch;

/* The patch as a kernel takes it, pixels and result apart. */
static inline cheq_band cheq_band_of(const cheq_tiles_plane *plane, const cheq_patch *patch) {
    const cheq_tiles_job *job = plane->job;
    const size_t lut_bytes = cheq_tiles_lut_bytes(job);
    cheq_cell *cell = plane->room.cells;
    for (size_t s = 0; s < job->columns.n_stretches; s++) {
        const cheq_stretch *stretch = &job->columns.stretches[s];
        if (stretch->end > patch->begin_x && stretch->begin < patch->end_x) {
            const size_t begin = stretch->begin > patch->begin_x ? stretch->begin - patch->begin_x : 0;
            const size_t left = stretch->first * lut_bytes, right = stretch->second * lut_bytes;
            *cell++ = (cheq_cell){begin, cheq_min(stretch->end, patch->end_x) - patch->begin_x,
                                  {patch->upper + left, patch->upper + right, patch->lower + left, patch->lower + right}};
        }
    }
    const int exact = job->rows.bits > 0 && job->columns.bits > 0 && job->rows.bits + job->columns.bits <= 16;
    return (cheq_band){
        .width = patch->end_x - patch->begin_x, .height = patch->end_y - patch->begin_y,
        .cells = plane->room.cells, .n_cells = (size_t)(cell - plane->room.cells),
        .right = job->columns.weights + patch->begin_x, .below = job->rows.weights + patch->begin_y,
        .right_bits = exact ? job->columns.bits : 0, .below_bits = exact ? job->rows.bits : 0,
        .first = plane->first, .levels = plane->levels,
    };
}

static inline void cheq_blend(const cheq_tiles_plane *plane, const cheq_band *band) {
    const cheq_kernels *k = plane->job->kernels;
    (plane->job->bytes == 1 ? k->blend : k->blend16)(band, plane->room.tables);
}

/* The pixels of a row under the mask become the new ones. */
static inline void cheq_tiles_put_selected(const cheq_tiles_job *job, const uint8_t *new, const uint8_t *mask, size_t n,
                                           uint8_t *pixels) {
    if (job->bytes == 1) {
        cheq_put_selected(new, mask, n, pixels);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(pixels + 2 * i, mask[i] ? new + 2 * i : pixels + 2 * i, 2);
    }
}

/* A patch that fits the stage, by way of it. */
static void cheq_write_staged(const cheq_tiles_plane *plane, const cheq_patch *patch) {
    const cheq_tiles_job *job = plane->job;
    const cheq_tiles_room *room = &plane->room;
    cheq_band band = cheq_band_of(plane, patch);
    const size_t pitch = band.width * (size_t)job->bytes;
    for (size_t y = 0; y < band.height; y++) {
        cheq_tiles_gather(job, cheq_pixel_at(plane, CHEQ_IMAGES, patch->begin_y + y, patch->begin_x),
                          cheq_column_stride(job, CHEQ_IMAGES), band.width, room->pixels + y * pitch);
    }
    band.pixels = room->pixels;
    band.out = room->other;
    band.pixels_step = band.out_step = (ptrdiff_t)pitch;
    cheq_blend(plane, &band);
    for (size_t y = 0; y < band.height; y++) {
        uint8_t *pixels = room->pixels + y * pitch, *new = room->other + y * pitch;
        if (job->keeps) {
            job->kernels->gather(cheq_pixel_at(plane, CHEQ_MASK, patch->begin_y + y, patch->begin_x),
                                 cheq_column_stride(job, CHEQ_MASK), band.width, room->mask);
            cheq_tiles_put_selected(job, new, room->mask, band.width, pixels);
        }
        cheq_tiles_scatter(job, job->keeps ? pixels : new, band.width,
                           cheq_pixel_at(plane, CHEQ_OUT, patch->begin_y + y, patch->begin_x),
                           cheq_column_stride(job, CHEQ_OUT));
    }
}

/* Whole rows, as they lie where kernels can take them. */
static void cheq_write_rows(const cheq_tiles_plane *plane, size_t begin, size_t end, const uint8_t *upper,
                            const uint8_t *lower) {
    const cheq_tiles_job *job = plane->job;
    const size_t width = job->columns.length, across = cheq_min(width, CHEQ_PIECE);
    const size_t down = CHEQ_STAGE / (across * (size_t)job->bytes);
    if (!job->keeps && cheq_has_dense_rows(plane, CHEQ_IMAGES) && cheq_has_dense_rows(plane, CHEQ_OUT)) {
        const cheq_patch patch = {begin, end, 0, width, upper, lower};
        cheq_band band = cheq_band_of(plane, &patch);
        band.pixels = cheq_pixel_at(plane, CHEQ_IMAGES, begin, 0);
        band.out = cheq_pixel_at(plane, CHEQ_OUT, begin, 0);
        band.pixels_step = cheq_row_stride(job, CHEQ_IMAGES);
        band.out_step = cheq_row_stride(job, CHEQ_OUT);
        band.next = plane->next ? plane->next + (band.pixels - plane->at[CHEQ_IMAGES]) : NULL;
        cheq_blend(plane, &band);
        return;
    }
    for (size_t x = 0; x < width; x += across) {
        for (size_t y = begin; y < end; y += down) {
            const cheq_patch patch = {y, cheq_min(y + down, end), x, cheq_min(x + across, width), upper, lower};
            cheq_write_staged(plane, &patch);
        }
    }
}

/* ---- one thread, one plane ------------------------------------------------------------ */

static inline void cheq_tiles_widen(const uint16_t *words, size_t n, uint16_t *lowest, uint16_t *highest) {
    uint16_t low = *lowest, high = *highest;
    for (size_t i = 0; i < n; i++) {
        low = words[i] < low ? words[i] : low;
        high = words[i] > high ? words[i] : high;
    }
    *lowest = low;
    *highest = high;
}

/* The levels from a plane's lowest to its highest, whether they are counted or not. */
static void cheq_tiles_find_range(cheq_tiles_plane *plane) {
    const cheq_tiles_job *job = plane->job;
    const int dense = cheq_has_dense_rows(plane, CHEQ_IMAGES);
    uint16_t lowest = UINT16_MAX, highest = 0;
    for (size_t y = 0; y < job->rows.length; y++) {
        for (size_t x = 0, n; x < job->columns.length; x += n) {
            const uint8_t *pixels = cheq_pixel_at(plane, CHEQ_IMAGES, y, x);
            n = cheq_min(job->columns.length - x, CHEQ_PIECE);
            if (!dense) {
                cheq_tiles_gather(job, pixels, cheq_column_stride(job, CHEQ_IMAGES), n, plane->room.pixels);
                pixels = plane->room.pixels;
            }
            cheq_tiles_widen((const void *)pixels, n, &lowest, &highest);
        }
    }
    plane->first = lowest;
    plane->levels = (size_t)(highest - lowest) + 1;
}

static void cheq_tiles_plane_alone(cheq_tiles_plane *plane) {
    const cheq_tiles_job *job = plane->job;
    const size_t lut_bytes = cheq_tiles_lut_bytes(job), used = job->columns.used;
    const cheq_stretch *stretch = job->rows.stretches + job->rows.n_stretches;
    if (job->bytes == 2) {
        cheq_tiles_find_range(plane);
    }
    memset(plane->room.hist, 0, plane->levels * sizeof *plane->room.hist);
    for (size_t row = job->rows.used; row-- > 0;) {
        uint8_t *upper = plane->room.luts + row % 2 * used * lut_bytes;
        for (size_t column = 0; column < used; column++) {
            cheq_tile_make_lut(plane, row, column, upper + column * lut_bytes);
        }
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
    for (size_t tile = first; tile < last && tile < tiles; tile++) {
        cheq_tile_make_lut(&plane, tile / used, tile % used, job->luts + tile * cheq_tiles_lut_bytes(job));
    }
}

static void cheq_tiles_join(size_t bins, void *counts, void *sum) {
    (void)bins, (void)counts, (void)sum; /* the LUTs are where all see them */
}

static void cheq_tiles_make(const void *of, size_t group, void *counts, const void *sum, void *made, void *room) {
    (void)of, (void)group, (void)counts, (void)sum, (void)made, (void)room;
}

/* The rows that begin in [begin, end). */
static void cheq_tiles_apply(const void *of, size_t group, size_t begin, size_t end, const void *made, void *room) {
    const cheq_tiles_job *job = of;
    const size_t width = job->columns.length, row_bytes = job->columns.used * cheq_tiles_lut_bytes(job);
    const size_t first = (begin + width - 1) / width, last = (end + width - 1) / width;
    const cheq_tiles_plane plane = cheq_tiles_plane_at(job, group, room);
    (void)made;
    for (size_t s = 0; s < job->rows.n_stretches; s++) {
        const cheq_stretch *stretch = &job->rows.stretches[s];
        const size_t from = stretch->begin > first ? stretch->begin : first, to = cheq_min(stretch->end, last);
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

/* Of a job whose axes are open. Where planes may have to be shared, it has the LUTs for that; 0: there is no memory. */
static inline int cheq_tiles_work(cheq_tiles_job *job, int shares, cheq_work *work) {
    const size_t tiles = job->rows.used * job->columns.used, lut_bytes = cheq_tiles_lut_bytes(job);
    *work = (cheq_work){
        .job = job, .groups = job->groups, .pixels = job->pixels, .planes = 1, .cost = tiles * CHEQ_TILE_COST,
        .run = cheq_tiles_run, .room_bytes = cheq_tiles_room_in(job, NULL, NULL),
    };
    if (shares && tiles <= CHEQ_MOST_LUT_BYTES / lut_bytes) {
        job->luts = malloc(tiles * lut_bytes);
        work->count = cheq_tiles_count;
        work->join = cheq_tiles_join;
        work->make = cheq_tiles_make;
        work->apply = cheq_tiles_apply;
        return job->luts != NULL;
    }
    return 1;
}

#endif
