/* The tiles of a plane of any number of axes as scikit-image's CLAHE has them: their LUTs, and what lies between them. */
#ifndef CHEQ_CELLS_H
#define CHEQ_CELLS_H

#include "jobs/grays.h"

/* Of the axes of a plane that are longer than 1, or have tiles that are. 2^10 terms below 2^14 in all, each rounded by
 * 2^-11 at most where it is added, stay below 2^14: a result is a gray. */
#define CHEQ_MOST_TILED_AXES 10

/* Columns that are interpolated at a time. */
#define CHEQ_STRIP 4096

/* An axis of a plane. A position is a pixel's index + tile / 2: position / tile is its cell, which lies between the tiles
 * cell - 1 and cell, those outside being the outermost. */
typedef struct {
    size_t length, tile, tiles;
    int32_t *times;  /* how often the last tile counts each pixel, since it mirrors those that it lacks, */
    size_t first;    /* and the first that it counts */
    size_t phases;
    double *weights[2]; /* of a phase (cheq_tiled_phase): of the lower and the upper tile */
} cheq_tiled_axis;

typedef struct {
    cheq_kind kind, result;
    cheq_layout layout;        /* walked from the first pixel to the last, in C order */
    size_t planes, pixels;
    int ndim;                  /* two or more, with axes of length 1 before others */
    cheq_tiled_axis axis[CHEQ_MOST_TILED_AXES];
    size_t nbins, bins;        /* bins: that are reached */
    size_t layer;              /* tiles in a layer, at one place of the first axis */
    int32_t tile_pixels, limit;
} cheq_adapt_job;

/* A plane in the making. */
typedef struct {
    uint16_t *pixels; /* levels, then bins, then grays */
    double *luts;     /* of some layers of tiles, in turn */
    size_t layers;    /* how many, two at least */
    void *table;      /* levels to bins, later grays to results */
} cheq_adapt_plane;

/* A thread's own. */
typedef struct {
    int32_t *hist[2];   /* two, as neighbors are often alike, and a count has to wait for the one before it */
    double *weights[4]; /* of the phases of a cell, CHEQ_STRIP at most */
    float *sum;         /* CHEQ_STRIP at most */
} cheq_adapt_room;

/* ---- tiles to LUTs -------------------------------------------------------------- */

/* The pixels of one axis that a tile counts, [begin, end); times[i] each, NULL: once. */
typedef struct {
    size_t begin, end;
    const int32_t *times;
} cheq_counted_pixels;

static inline cheq_counted_pixels cheq_counted_of(const cheq_tiled_axis *axis, size_t tile) {
    if (tile + 1 == axis->tiles && axis->length % axis->tile) {
        return (cheq_counted_pixels){axis->first, axis->length, axis->times};
    }
    return (cheq_counted_pixels){tile * axis->tile, (tile + 1) * axis->tile, NULL};
}

static inline int32_t cheq_times_of(const cheq_counted_pixels *pixels, size_t i) {
    return pixels->times ? pixels->times[i] : 1;
}

static void cheq_count_bins(const uint16_t *bins, size_t n, int32_t *const hist[2]) {
    int32_t *even = hist[0], *odd = hist[1];
    size_t i = 0;
    for (; i + 2 <= n; i += 2) {
        even[bins[i]]++;
        odd[bins[i + 1]]++;
    }
    if (i < n) {
        even[bins[i]]++;
    }
}

static void cheq_count_bins_times(const uint16_t *bins, size_t n, const int32_t *times, int32_t each, int32_t *hist) {
    for (size_t i = 0; i < n; i++) {
        hist[bins[i]] += each * (times ? times[i] : 1);
    }
}

/* Row by row, along the last axis. */
static void cheq_count_tile(const cheq_adapt_job *job, const uint16_t *bins, const cheq_counted_pixels *counted,
                            int32_t *const hist[2]) {
    const int last = job->ndim - 1;
    const size_t begin = counted[last].begin, n = counted[last].end - begin;
    size_t index[CHEQ_MOST_TILED_AXES];
    for (int a = 0; a < last; a++) {
        index[a] = counted[a].begin;
    }
    for (int a = last; a >= 0;) {
        size_t row = 0;
        int32_t each = 1;
        for (int b = 0; b < last; b++) {
            row = row * job->axis[b].length + index[b];
            each *= cheq_times_of(&counted[b], index[b]);
        }
        const uint16_t *from = bins + row * job->axis[last].length + begin;
        if (each == 1 && !counted[last].times) {
            cheq_count_bins(from, n, hist);
        } else {
            cheq_count_bins_times(from, n, counted[last].times ? counted[last].times + begin : NULL, each, hist[0]);
        }
        for (a = last - 1; a >= 0 && ++index[a] == counted[a].end; a--) {
            index[a] = counted[a].begin;
        }
    }
}

static inline double *cheq_adapt_lut(const cheq_adapt_job *job, const cheq_adapt_plane *plane, size_t layer, size_t tile) {
    return plane->luts + (layer % plane->layers * job->layer + tile) * job->bins;
}

/* The LUT of a tile of a layer. */
static void cheq_adapt_make(const cheq_adapt_job *job, const cheq_adapt_plane *plane, size_t layer, size_t tile,
                            const cheq_adapt_room *room) {
    cheq_counted_pixels counted[CHEQ_MOST_TILED_AXES];
    size_t rest = tile;
    for (int a = job->ndim - 1; a > 0; a--) {
        counted[a] = cheq_counted_of(&job->axis[a], rest % job->axis[a].tiles);
        rest /= job->axis[a].tiles;
    }
    counted[0] = cheq_counted_of(&job->axis[0], layer);
    memset(room->hist[0], 0, job->nbins * sizeof **room->hist);
    memset(room->hist[1], 0, job->bins * sizeof **room->hist);
    cheq_count_tile(job, plane->pixels, counted, room->hist);
    for (size_t i = 0; i < job->bins; i++) {
        room->hist[0][i] += room->hist[1][i];
    }
    cheq_clip_histogram(room->hist[0], job->nbins, job->limit);
    cheq_map_histogram(room->hist[0], job->bins, job->tile_pixels, cheq_adapt_lut(job, plane, layer, tile));
}

/* ---- between LUTs ------------------------------------------------------------------ */

/* A pixel's place between two tiles of an axis. */
typedef struct {
    size_t tile[2]; /* the lower and the upper one */
    double weight[2];
} cheq_between;

/* Weights are kept for every place in a cell or, where an axis is shorter than a tile, for every pixel. */
static inline size_t cheq_tiled_phase(const cheq_tiled_axis *axis, size_t i) {
    return axis->phases == axis->tile ? (i + axis->tile / 2) % axis->tile : i;
}

static inline cheq_between cheq_between_at(const cheq_tiled_axis *axis, size_t i) {
    const size_t cell = (i + axis->tile / 2) / axis->tile;
    const size_t phase = cheq_tiled_phase(axis, i);
    const cheq_between between = {
        {cell > 0 ? cell - 1 : 0, cell < axis->tiles ? cell : axis->tiles - 1},
        {axis->weights[0][phase], axis->weights[1][phase]},
    };
    return between;
}

/* The first pixel of an axis behind those of a cell. */
static inline size_t cheq_cell_end(const cheq_tiled_axis *axis, size_t cell) {
    return cheq_min((cell + 1) * axis->tile - axis->tile / 2, axis->length);
}

/* Some pixels of a row along the last axis, and where the row lies between the tiles of the others. */
typedef struct {
    const cheq_adapt_job *job;
    const cheq_adapt_plane *plane;
    const cheq_adapt_room *room;
    cheq_between at[CHEQ_MOST_TILED_AXES];
    size_t begin, end; /* columns */
    uint16_t *pixels;  /* of column 0 */
    int upper[CHEQ_MOST_TILED_AXES]; /* for all axes but the last two: which of the tiles is added */
} cheq_strip;

static inline int cheq_strip_outer(const cheq_strip *strip) {
    return strip->job->ndim - 2;
}

/* The products of the weights of n phases, the last axis first: of the four LUTs that cheq_strip_add takes. */
static void cheq_strip_weigh(const cheq_strip *strip, size_t phase, size_t n) {
    const int outer = cheq_strip_outer(strip);
    const cheq_tiled_axis *last = &strip->job->axis[outer + 1];
    for (int lut = 0; lut < 4; lut++) {
        const double *of_last = last->weights[lut % 2] + phase, of_outer = strip->at[outer].weight[lut / 2];
        double *weights = strip->room->weights[lut];
        for (size_t i = 0; i < n; i++) {
            weights[i] = of_last[i] * of_outer;
        }
        for (int a = outer - 1; a >= 0; a--) {
            const double weight = strip->at[a].weight[strip->upper[a]];
            for (size_t i = 0; i < n; i++) {
                weights[i] *= weight;
            }
        }
    }
}

/* Where the LUTs begin of the tiles at place 0 of the last axis: at the lower and the upper tile of the one before. */
static void cheq_strip_luts(const cheq_strip *strip, const double *luts[2]) {
    const cheq_adapt_job *job = strip->job;
    for (int e = 0; e < 2; e++) {
        const int outer = cheq_strip_outer(strip);
        size_t tile = 0;
        for (int a = 1; a < job->ndim - 1; a++) {
            tile = tile * job->axis[a].tiles + strip->at[a].tile[a < outer ? strip->upper[a] : e];
        }
        const size_t layer = strip->at[0].tile[outer > 0 ? strip->upper[0] : e];
        luts[e] = cheq_adapt_lut(job, strip->plane, layer, tile * job->axis[outer + 1].tiles);
    }
}

/* Add what the four LUTs of the last two axes have, at one choice of the tiles of the others; cell by cell. */
static void cheq_strip_add(const cheq_strip *strip, int begins) {
    const cheq_adapt_job *job = strip->job;
    const cheq_tiled_axis *last = &job->axis[job->ndim - 1];
    const int all_phases = last->phases <= CHEQ_STRIP;
    const double *luts[2];
    cheq_strip_luts(strip, luts);
    if (all_phases) {
        cheq_strip_weigh(strip, 0, last->phases);
    }
    for (size_t i = strip->begin, end; i < strip->end; i = end) {
        const cheq_between at = cheq_between_at(last, i);
        const size_t phase = cheq_tiled_phase(last, i), lower = at.tile[0] * job->bins, upper = at.tile[1] * job->bins;
        const double *const four[4] = {luts[0] + lower, luts[0] + upper, luts[1] + lower, luts[1] + upper};
        end = cheq_min(cheq_cell_end(last, (i + last->tile / 2) / last->tile), strip->end);
        if (!all_phases) {
            cheq_strip_weigh(strip, phase, end - i);
        }
        const size_t first = all_phases ? phase : 0;
        double *const *room = strip->room->weights;
        const double *const weights[4] = {room[0] + first, room[1] + first, room[2] + first, room[3] + first};
        float *sum = strip->room->sum + (i - strip->begin);
        if (begins) {
            cheq_add_weighted(strip->pixels + i, end - i, weights, four, 1, sum);
        } else {
            cheq_add_weighted(strip->pixels + i, end - i, weights, four, 0, sum);
        }
    }
}

/* The next choice of tiles along the outer axes, the first changing slowest, that has a weight; 0: there is none. */
static int cheq_strip_next(cheq_strip *strip) {
    int a = cheq_strip_outer(strip) - 1;
    while (a >= 0 && (strip->upper[a] || strip->at[a].weight[1] == 0)) {
        strip->upper[a--] = 0;
    }
    if (a >= 0) {
        strip->upper[a] = 1;
    }
    return a >= 0;
}

static cheq_extent cheq_strip_interpolate(cheq_strip *strip) {
    int begins = 1;
    memset(strip->upper, 0, sizeof strip->upper);
    do {
        cheq_strip_add(strip, begins);
        begins = 0;
    } while (cheq_strip_next(strip));
    uint16_t *grays = strip->pixels + strip->begin;
    const size_t n = strip->end - strip->begin;
    for (size_t i = 0; i < n; i++) {
        grays[i] = (uint16_t)(int32_t)strip->room->sum[i];
    }
    return cheq_extent_of(grays, n);
}

/* The pixels [begin, end) of a plane from bins to grays, and their extent. Rows are cut where their buffers end. */
static cheq_extent cheq_adapt_interpolate(const cheq_adapt_job *job, const cheq_adapt_plane *plane, size_t begin,
                                          size_t end, const cheq_adapt_room *room) {
    const size_t width = job->axis[job->ndim - 1].length;
    cheq_extent extent = cheq_no_extent;
    cheq_strip strip = {.job = job, .plane = plane, .room = room};
    for (size_t n; begin < end; begin += n) {
        size_t row = begin / width;
        strip.pixels = plane->pixels + row * width;
        strip.begin = begin % width;
        strip.end = cheq_min(cheq_min(strip.begin + CHEQ_STRIP, width), strip.begin + (end - begin));
        for (int a = job->ndim - 2; a >= 0; a--) {
            strip.at[a] = cheq_between_at(&job->axis[a], row % job->axis[a].length);
            row /= job->axis[a].length;
        }
        n = strip.end - strip.begin;
        cheq_extend(&extent, cheq_strip_interpolate(&strip));
    }
    return extent;
}

#endif
