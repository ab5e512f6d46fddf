/* Planes of any number of axes equalized tile by tile, as scikit-image does it.
 *
 * A plane's pixels become bins, in a buffer of 16 bits a pixel; every tile's histogram becomes a LUT; a pixel's result is
 * interpolated between the LUTs of the tiles around it and takes the place of its bin; and once all are known they are
 * scaled to their range. Along the first axis tiles are taken from the last ones down, and only two layers of LUTs are
 * kept: those that the next results lie between. So a tile's pixels are counted before a result takes the place of one:
 * the last tiles alone read pixels of others, which mirror what is missing. */
#ifndef CHEQ_ADAPT_JOB_H
#define CHEQ_ADAPT_JOB_H

#include "jobs/arithmetic.h"
#include "jobs/cells.h"
#include "jobs/passes.h"

/* What a plane takes beside its pixels, in their time: two tables of up to 65,536 and 16,384 entries, and half a pixel's
 * for every bin of a tile. */
#define CHEQ_ADAPT_COST 4096
#define CHEQ_BINS_A_COST 2

/* A plane with so many bins in all takes some 20 ms: it is worked on step by step, and signals are looked at between. */
#define CHEQ_MOST_ADAPT_COST (1 << 22)

/* ---- the steps ------------------------------------------------------------------- */

/* The pixels [begin, end) of a plane of the images, and their extent. */
static cheq_extent cheq_adapt_load(const cheq_adapt_job *job, size_t plane, size_t begin, size_t end, uint16_t *levels) {
    const ptrdiff_t step = cheq_run_stride(&job->layout, CHEQ_IMAGES);
    cheq_extent extent = cheq_no_extent;
    cheq_walk walk;
    cheq_walk_begin(&walk, &job->layout, plane, begin, end);
    levels += begin;
    for (size_t n; (n = cheq_walk_next(&walk, CHEQ_STRIP)) > 0; levels += n) {
        cheq_load_levels(job->kind, walk.at[CHEQ_IMAGES], step, n, levels);
        cheq_extend(&extent, cheq_extent_of(levels, n));
    }
    return extent;
}

/* Whether a plane has more pixels than there are levels, or grays, in its range: then all of these are looked up in a table. */
static inline int cheq_adapt_fills(const cheq_adapt_job *job, cheq_extent range) {
    return job->pixels > (size_t)(range.highest - range.lowest);
}

/* What the step after this one takes for all pixels. */
static void cheq_adapt_know_levels(const cheq_adapt_job *job, cheq_extent levels, const cheq_adapt_plane *plane) {
    if (cheq_adapt_fills(job, levels)) {
        const cheq_grays grays = cheq_grays_of(job->kind, levels, job->nbins);
        cheq_make_bin_table(&grays, levels, plane->table);
    }
}

/* The pixels [begin, end) of a plane from levels to bins. */
static void cheq_adapt_bin(const cheq_adapt_job *job, cheq_extent levels, const cheq_adapt_plane *plane, size_t begin,
                           size_t end) {
    if (cheq_adapt_fills(job, levels)) {
        cheq_look_up_bins(plane->table, plane->pixels + begin, end - begin);
    } else {
        const cheq_grays grays = cheq_grays_of(job->kind, levels, job->nbins);
        cheq_bins_of_levels(&grays, plane->pixels + begin, end - begin);
    }
}

static void cheq_adapt_know_grays(const cheq_adapt_job *job, cheq_extent grays, const cheq_adapt_plane *plane) {
    if (cheq_adapt_fills(job, grays)) {
        cheq_make_result_table(job->result, grays, plane->table);
    } else {
        cheq_make_result_table_for(job->result, grays, plane->pixels, job->pixels, plane->table);
    }
}

/* The pixels [begin, end) of a plane of the result. */
static void cheq_adapt_store(const cheq_adapt_job *job, size_t plane, size_t begin, size_t end, const uint16_t *grays,
                             const void *table) {
    const ptrdiff_t step = cheq_run_stride(&job->layout, CHEQ_OUT);
    cheq_walk walk;
    cheq_walk_begin(&walk, &job->layout, plane, begin, end);
    grays += begin;
    for (size_t n; (n = cheq_walk_next(&walk, SIZE_MAX)) > 0; grays += n) {
        const cheq_lookup look = {grays, NULL, n, table, walk.at[CHEQ_OUT], step, 0};
        cheq_write(&look, 2, 0, (int)cheq_kind_bytes(job->result));
    }
}

/* ---- memory ----------------------------------------------------------------------------- */

/* Where the next so many bytes are, in lines of their own; NULL where they are only measured. */
static inline void *cheq_take(char **memory, size_t *used, size_t bytes) {
    char *taken = *memory ? *memory + *used : NULL;
    *used += cheq_lines(bytes);
    return taken;
}

/* Two bytes a pixel; for each tile of the layers 8 bytes a bin; and a table. */
static inline size_t cheq_adapt_plane_in(const cheq_adapt_job *job, size_t layers, char *memory, cheq_adapt_plane *plane) {
    size_t used = 0;
    plane->layers = layers;
    plane->pixels = cheq_take(&memory, &used, job->pixels * sizeof *plane->pixels);
    plane->luts = cheq_take(&memory, &used, layers * job->layer * job->bins * sizeof *plane->luts);
    plane->table = cheq_take(&memory, &used, CHEQ_GRAYS * sizeof(double));
    return used;
}

_Static_assert(CHEQ_GRAYS * sizeof(double) == CHEQ_MOST_LEVELS * sizeof(uint16_t), "one table serves both steps");

static inline size_t cheq_adapt_room_in(const cheq_adapt_job *job, char *memory, cheq_adapt_room *room) {
    const cheq_tiled_axis *last = &job->axis[job->ndim - 1];
    size_t used = 0;
    room->hist[0] = cheq_take(&memory, &used, job->nbins * sizeof *room->hist[0]);
    room->hist[1] = cheq_take(&memory, &used, job->bins * sizeof *room->hist[1]);
    for (int lut = 0; lut < 4; lut++) {
        room->weights[lut] = cheq_take(&memory, &used, cheq_min(last->phases, CHEQ_STRIP) * sizeof *room->weights[lut]);
    }
    room->sum = cheq_take(&memory, &used, cheq_min(last->length, CHEQ_STRIP) * sizeof *room->sum);
    return used;
}

/* ---- one thread, whole planes ------------------------------------------------------------- */

/* The pixels of the cells from the first to the last along the first axis. */
static inline void cheq_adapt_band(const cheq_adapt_job *job, size_t first, size_t last, size_t *begin, size_t *end) {
    const size_t length = job->axis[0].length, row = job->pixels / length;
    *begin = first > 0 ? cheq_cell_end(&job->axis[0], first - 1) * row : 0;
    *end = cheq_cell_end(&job->axis[0], last) * row;
}

static void cheq_adapt_whole(const cheq_adapt_job *job, size_t group, const cheq_adapt_plane *plane,
                             const cheq_adapt_room *room) {
    cheq_extent extent = cheq_adapt_load(job, group, 0, job->pixels, plane->pixels);
    cheq_adapt_know_levels(job, extent, plane);
    cheq_adapt_bin(job, extent, plane, 0, job->pixels);
    extent = cheq_no_extent;
    for (size_t cell = job->axis[0].tiles + 1; cell-- > 0;) {
        size_t begin, end;
        for (size_t tile = 0; cell > 0 && tile < job->layer; tile++) {
            cheq_adapt_make(job, plane, cell - 1, tile, room);
        }
        cheq_adapt_band(job, cell, cell, &begin, &end);
        cheq_extend(&extent, cheq_adapt_interpolate(job, plane, begin, end, room));
    }
    cheq_adapt_know_grays(job, extent, plane);
    cheq_adapt_store(job, group, 0, job->pixels, plane->pixels, plane->table);
}

static void cheq_adapt_run(const void *of, size_t begin, size_t end, void *memory) {
    const cheq_adapt_job *job = of;
    cheq_adapt_plane plane;
    cheq_adapt_room room;
    char *rest = (char *)memory + cheq_adapt_plane_in(job, 2, memory, &plane);
    cheq_adapt_room_in(job, rest, &room);
    for (size_t group = begin; group < end; group++) {
        cheq_adapt_whole(job, group, &plane, &room);
    }
}

/* Nothing but whole planes: those that have to be shared are worked on step by step. */
static inline cheq_work cheq_adapt_work(const cheq_adapt_job *job) {
    cheq_adapt_plane plane;
    cheq_adapt_room room;
    const size_t bins = job->axis[0].tiles * job->layer * job->nbins;
    cheq_work work = {
        .job = job, .groups = job->planes, .pixels = job->pixels, .planes = 1,
        .cost = CHEQ_ADAPT_COST + bins / CHEQ_BINS_A_COST, .run = cheq_adapt_run,
        .room_bytes = cheq_adapt_plane_in(job, 2, NULL, &plane) + cheq_adapt_room_in(job, NULL, &room),
    };
    return work;
}

/* ---- the job -------------------------------------------------------------------------------- */

/* Fill an axis; 0: there is no memory. */
static inline int cheq_tiled_axis_open(cheq_tiled_axis *axis, size_t length, size_t tile) {
    const size_t tiles = (length - 1) / tile + 1, phases = cheq_min(tile, length);
    *axis = (cheq_tiled_axis){.length = length, .tile = tile, .tiles = tiles, .phases = phases};
    axis->weights[0] = malloc(phases * sizeof *axis->weights[0]);
    axis->weights[1] = malloc(phases * sizeof *axis->weights[1]);
    axis->times = malloc(length * sizeof *axis->times);
    if (!axis->weights[0] || !axis->weights[1] || !axis->times) {
        return 0;
    }
    for (size_t i = 0; i < phases; i++) {
        const size_t position = phases == tile ? i : (i + tile / 2) % tile;
        axis->weights[1][i] = cheq_upper_weight(position, tile);
        axis->weights[0][i] = 1.0 - axis->weights[1][i];
    }
    for (size_t i = length; i-- > 0;) {
        axis->times[i] = cheq_times_mirrored(i, length, (tiles - 1) * tile, tiles * tile);
        axis->first = axis->times[i] > 0 ? i : axis->first;
    }
    return 1;
}

/* Whether planes and tiles are such as cheq_adapt_open takes: pixels in all axes, not too many of either. */
static inline int cheq_adapt_fits(int ndim, const ptrdiff_t *shape, const size_t *tile) {
    size_t pixels = 1;
    int n = 0;
    for (int a = 0; a < ndim; a++) {
        if (shape[a] < 1 || tile[a] < 1 || tile[a] > CHEQ_MOST_TILE_PIXELS / pixels) {
            return 0;
        }
        pixels *= tile[a];
        n += shape[a] > 1 || tile[a] > 1;
    }
    return n <= CHEQ_MOST_TILED_AXES;
}

/* Of a job whose planes have this shape, and tiles of this one; 0: there is no memory. cheq_adapt_close frees what there
 * is. Axes of length 1 with tiles of 1 have no say; there are two others or more in the end. */
static inline int cheq_adapt_open(cheq_adapt_job *job, int ndim, const ptrdiff_t *shape, const size_t *tile,
                                  double clip_limit) {
    const cheq_arithmetic before = cheq_arithmetic_begin();
    size_t lengths[CHEQ_MOST_TILED_AXES + 2] = {1, 1}, tiles[CHEQ_MOST_TILED_AXES + 2] = {1, 1};
    int n = 2, opened = 1;
    for (int a = 0; a < ndim; a++) {
        if (shape[a] > 1 || tile[a] > 1) {
            lengths[n] = (size_t)shape[a];
            tiles[n++] = tile[a];
        }
    }
    const int skipped = n - 2 < 2 ? n - 2 : 2;
    job->ndim = n - skipped;
    job->layer = 1;
    job->tile_pixels = 1;
    for (int a = 0; a < job->ndim; a++) {
        opened &= cheq_tiled_axis_open(&job->axis[a], lengths[skipped + a], tiles[skipped + a]);
        job->tile_pixels *= (int32_t)job->axis[a].tile;
        job->layer *= a > 0 ? job->axis[a].tiles : 1;
    }
    job->limit = cheq_adapt_limit(clip_limit, job->tile_pixels);
    job->bins = cheq_bins_reached(job->nbins);
    cheq_axes_merge(&job->layout.pixels);
    cheq_arithmetic_end(before);
    return opened;
}

static inline void cheq_adapt_close(cheq_adapt_job *job) {
    for (int a = 0; a < job->ndim; a++) {
        free(job->axis[a].weights[0]);
        free(job->axis[a].weights[1]);
        free(job->axis[a].times);
    }
}

#endif
