/* CLAHE: pixels become what the LUTs of the four tiles around them say. */
#ifndef CHEQ_BANDS_H
#define CHEQ_BANDS_H

#include "jobs/tile_luts.h"

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

/* What is counted soon after a band is written: the next plane, or tiles above the band. */
static inline const uint8_t *cheq_next_after(const cheq_tiles_plane *plane, const uint8_t *pixels, size_t begin) {
    if (plane->next) {
        return plane->next + (pixels - plane->at[CHEQ_IMAGES]);
    }
    return plane->above == 0 || begin < plane->above
               ? NULL : pixels - (ptrdiff_t)plane->above * cheq_row_stride(plane->job, CHEQ_IMAGES);
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
        band.next = cheq_next_after(plane, band.pixels, begin);
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

#endif
