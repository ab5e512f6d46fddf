/* A template (see kernels.h): the kernels of CLAHE, of which the compiler makes vectors where that pays; with CHEQ_BLEND
 * also that of bytes. A row is looked up first, a pixel at a time, and then interpolated as a whole, across cells. */

#ifndef CHEQ_TILES_TEMPLATE
#define CHEQ_TILES_TEMPLATE

/* Columns at a time, and the cells they may have: their tables and a row fit the room. */
enum { CHEQ_COLUMNS = 1024, CHEQ_CELLS = 12 };

/* What four LUTs have for a level. */
typedef uint32_t cheq_fours[CHEQ_LEVELS];

typedef struct {
    cheq_fours cells[CHEQ_CELLS];
    uint32_t row[CHEQ_COLUMNS];
} cheq_blend_room;

_Static_assert(sizeof(cheq_blend_room) <= CHEQ_ROOM, "the tables of cells need more room");

/* Columns of a band that are looked up together: those of some cells, or a part of one. */
typedef struct {
    size_t begin, end;
    const cheq_cell *cells;
    size_t n_cells;
    const cheq_cell *next; /* of the column behind it */
} cheq_piece;

/* From a column on that a cell has, at most so many. */
static inline cheq_piece cheq_piece_from(const cheq_band *band, size_t begin, const cheq_cell *cell, size_t most) {
    const cheq_cell *last = band->cells + band->n_cells - 1;
    cheq_piece piece = {begin, cell->end, cell, 1, NULL};
    for (; cell < last && piece.n_cells < CHEQ_CELLS && cell[1].end - begin <= most; piece.n_cells++) {
        cell++;
        piece.end = cell->end;
    }
    piece.end = cheq_min(piece.end, begin + most);
    piece.next = cell + (piece.end == cell->end);
    return piece;
}

/* Weights in 1/128 and 1/512 take bytes and words. */
static inline int cheq_blends_integers(const cheq_band *band) {
    return band->right_bits > 0 && band->right_bits <= 7 && band->below_bits <= 9;
}

static inline uint32_t cheq_four(const void *const luts[4], uint8_t level) {
    return (uint32_t)((const uint8_t *)luts[0])[level] | (uint32_t)((const uint8_t *)luts[1])[level] << 8 |
           (uint32_t)((const uint8_t *)luts[2])[level] << 16 | (uint32_t)((const uint8_t *)luts[3])[level] << 24;
}

/* Four LUTs as one pay from so many pixels on. */
enum { CHEQ_PIXELS_OF_A_TABLE = 64 };

static inline int cheq_has_table(const cheq_band *band, const cheq_cell *cell) {
    return (cell->end - cell->begin) * band->height >= CHEQ_PIXELS_OF_A_TABLE;
}

#endif

#ifdef CHEQ_BLEND
CHEQ_ATTRIBUTES static void CHEQ_NAME(join_luts)(const void *const luts[4], cheq_fours fours) {
    const uint8_t *restrict upper_left = luts[0], *restrict upper_right = luts[1];
    const uint8_t *restrict lower_left = luts[2], *restrict lower_right = luts[3];
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        fours[v] = (uint32_t)upper_left[v] | (uint32_t)upper_right[v] << 8 | (uint32_t)lower_left[v] << 16 |
                   (uint32_t)lower_right[v] << 24;
    }
}

CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(blend_row)(const uint32_t *restrict row, size_t n, const float *restrict right,
                                                    float below, uint8_t *restrict out) {
    for (size_t x = 0; x < n; x++) {
        const uint32_t four = row[x];
        out[x] = (uint8_t)cheq_blended((float)(int32_t)(four & 255), (float)(int32_t)(four >> 8 & 255),
                                       (float)(int32_t)(four >> 16 & 255), (float)(int32_t)(four >> 24), right[x], below);
    }
}

/* Look up one row of a piece. */
CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(look_up_fours)(const cheq_band *band, const cheq_piece *piece,
                                                        const uint8_t *pixels, const cheq_fours *fours, uint32_t *row) {
    for (size_t c = 0; c < piece->n_cells; c++) {
        const cheq_cell *cell = &piece->cells[c];
        const size_t begin = cell->begin > piece->begin ? cell->begin : piece->begin, end = cheq_min(cell->end, piece->end);
        if (cheq_has_table(band, cell)) {
            for (size_t x = begin; x < end; x++) {
                row[x - piece->begin] = fours[c][pixels[x]];
            }
        } else {
            for (size_t x = begin; x < end; x++) {
                row[x - piece->begin] = cheq_four(cell->luts, pixels[x]);
            }
        }
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(blend)(const cheq_band *band, void *of_thread) {
    cheq_blend_room *room = of_thread;
    const cheq_cell *cell = band->cells;
    for (size_t begin = 0; begin < band->width;) {
        const cheq_piece piece = cheq_piece_from(band, begin, cell, CHEQ_COLUMNS);
        for (size_t c = 0; c < piece.n_cells; c++) {
            if (cheq_has_table(band, &piece.cells[c])) {
                CHEQ_NAME(join_luts)(piece.cells[c].luts, room->cells[c]);
            }
        }
        for (size_t y = 0; y < band->height; y++) {
            const uint8_t *pixels = band->pixels + (ptrdiff_t)y * band->pixels_step;
            CHEQ_NAME(look_up_fours)(band, &piece, pixels, (const cheq_fours *)room->cells, room->row);
            CHEQ_NAME(blend_row)(room->row, piece.end - begin, band->right + begin, band->below[y],
                                 band->out + (ptrdiff_t)y * band->out_step + begin);
        }
        begin = piece.end;
        cell = piece.next;
    }
}

#endif

CHEQ_ATTRIBUTES static void CHEQ_NAME(blend16)(const cheq_band *band, void *of_thread) {
    (void)of_thread;
    for (size_t c = 0; c < band->n_cells; c++) {
        const cheq_cell *cell = &band->cells[c];
        const uint16_t *upper_left = cell->luts[0], *upper_right = cell->luts[1];
        const uint16_t *lower_left = cell->luts[2], *lower_right = cell->luts[3];
        for (size_t y = 0; y < band->height; y++) {
            const uint16_t *pixels = (const uint16_t *)(const void *)(band->pixels + (ptrdiff_t)y * band->pixels_step);
            uint16_t *out = (uint16_t *)(void *)(band->out + (ptrdiff_t)y * band->out_step);
            for (size_t x = cell->begin; x < cell->end; x++) {
                const uint16_t v = (uint16_t)(pixels[x] - band->first);
                out[x] = (uint16_t)cheq_blended((float)upper_left[v], (float)upper_right[v], (float)lower_left[v],
                                                (float)lower_right[v], band->right[x], band->below[y]);
            }
        }
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(lut_clip)(const uint32_t hist[CHEQ_LEVELS], const cheq_clip *clip,
                                                uint8_t lut[CHEQ_LEVELS]) {
    int32_t running[CHEQ_LEVELS];
    const cheq_shares shares = cheq_share(clip, cheq_clipped_sums(hist, CHEQ_LEVELS, clip->most, running));
    for (int32_t v = 0; v < CHEQ_LEVELS; v++) {
        lut[v] = (uint8_t)cheq_clipped_level(&shares, v, running[v]);
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(lut_clip16)(uint32_t *hist, uint32_t first, size_t n, const cheq_clip *clip,
                                                  uint16_t *restrict lut) {
    int32_t *restrict running = (int32_t *)hist;
    const cheq_shares shares = cheq_share(clip, cheq_clipped_sums(hist, n, clip->most, running));
    for (size_t i = 0; i < n; i++) {
        lut[i] = (uint16_t)cheq_clipped_level(&shares, (int32_t)(first + i), running[i]);
        running[i] = 0;
    }
}
