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

/* The same of words, for bands of up to so many levels. */
enum { CHEQ_FOURS16 = 1 << 14 };

typedef struct {
    uint32_t upper, lower; /* the left one in the lower half */
} cheq_fours16;

typedef struct {
    cheq_fours16 row[CHEQ_COLUMNS];
    cheq_fours16 fours[CHEQ_FOURS16];
} cheq_blend16_room;

_Static_assert(sizeof(cheq_blend16_room) <= CHEQ_ROOM16, "the tables of cells of words need more room");

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

/* Eight bytes as a number, the first one lowest: times a one in every byte, each becomes the sum of itself and those before. */
static inline uint64_t cheq_load_eight(const uint8_t *bytes) {
    uint64_t eight = 0;
    memcpy(&eight, bytes, sizeof eight);
    return CHEQ_LOWEST_FIRST(eight);
}

#define CHEQ_ONES 0x0101010101010101u

/* The sum of 256 bytes, which is at most 255. */
static inline uint32_t cheq_sum_bytes(const uint8_t bytes[CHEQ_LEVELS]) {
    uint64_t sums = 0; /* of every eighth byte */
    for (int v = 0; v < CHEQ_LEVELS; v += 8) {
        sums += cheq_load_eight(bytes + v);
    }
    return (uint32_t)(sums * CHEQ_ONES >> 56);
}

/* Running sums of 256 bytes. */
static inline void cheq_run_bytes(uint8_t bytes[CHEQ_LEVELS]) {
    uint64_t before = 0;
    for (int v = 0; v < CHEQ_LEVELS; v += 8) {
        const uint64_t sums = cheq_load_eight(bytes + v) * CHEQ_ONES, all = CHEQ_LOWEST_FIRST(sums + before * CHEQ_ONES);
        before += sums >> 56;
        memcpy(bytes + v, &all, sizeof all);
    }
}

/* Four LUTs as one pay from so many pixels on. */
enum { CHEQ_PIXELS_OF_A_TABLE = 64 };

static inline int cheq_has_table(const cheq_band *band, const cheq_cell *cell) {
    return (cell->end - cell->begin) * band->height >= CHEQ_PIXELS_OF_A_TABLE;
}

/* Levels of the same turn have the same part of the rest; a turn of so many is worth a loop of its own. */
enum { CHEQ_LONG_TURN = 64 };

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

/* The same for words, whose four LUTs are two pairs. */
CHEQ_ATTRIBUTES static void CHEQ_NAME(join_luts16)(const void *const luts[4], size_t levels, cheq_fours16 *fours) {
    const uint16_t *restrict upper_left = luts[0], *restrict upper_right = luts[1];
    const uint16_t *restrict lower_left = luts[2], *restrict lower_right = luts[3];
    for (size_t v = 0; v < levels; v++) {
        fours[v].upper = (uint32_t)upper_left[v] | (uint32_t)upper_right[v] << 16;
        fours[v].lower = (uint32_t)lower_left[v] | (uint32_t)lower_right[v] << 16;
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(blend_row16)(const cheq_fours16 *restrict row, size_t n,
                                                   const float *restrict right, float below, uint16_t *restrict out) {
    for (size_t x = 0; x < n; x++) {
        const uint32_t upper = row[x].upper, lower = row[x].lower;
        out[x] = (uint16_t)cheq_blended((float)(int32_t)(upper & 65535), (float)(int32_t)(upper >> 16),
                                        (float)(int32_t)(lower & 65535), (float)(int32_t)(lower >> 16), right[x], below);
    }
}

/* Look up a part of a row within a cell; fours: of the cell, or NULL. */
CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(look_up_fours16)(const cheq_band *band, const cheq_cell *cell,
                                                          const uint16_t *pixels, size_t n, const cheq_fours16 *fours,
                                                          cheq_fours16 *row) {
    const uint16_t *upper_left = cell->luts[0], *upper_right = cell->luts[1];
    const uint16_t *lower_left = cell->luts[2], *lower_right = cell->luts[3];
    if (fours) {
        for (size_t x = 0; x < n; x++) {
            row[x] = fours[(pixels[x] - band->first) % CHEQ_FOURS16]; /* inside, also if another thread writes pixels */
        }
        return;
    }
    for (size_t x = 0; x < n; x++) {
        const uint16_t v = (uint16_t)(pixels[x] - band->first);
        row[x].upper = (uint32_t)upper_left[v] | (uint32_t)upper_right[v] << 16;
        row[x].lower = (uint32_t)lower_left[v] | (uint32_t)lower_right[v] << 16;
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(blend16)(const cheq_band *band, void *of_thread) {
    cheq_blend16_room *room = of_thread;
    for (size_t c = 0; c < band->n_cells; c++) {
        const cheq_cell *cell = &band->cells[c];
        cheq_fours16 *fours = NULL;
        if (band->levels <= CHEQ_FOURS16 && band->levels <= 2 * (cell->end - cell->begin) * band->height) {
            fours = room->fours;
            CHEQ_NAME(join_luts16)(cell->luts, band->levels, fours);
        }
        for (size_t y = 0; y < band->height; y++) {
            const uint16_t *pixels = (const uint16_t *)(const void *)(band->pixels + (ptrdiff_t)y * band->pixels_step);
            uint16_t *out = (uint16_t *)(void *)(band->out + (ptrdiff_t)y * band->out_step);
            for (size_t x = cell->begin, n; x < cell->end; x += n) {
                n = cheq_min(cell->end - x, CHEQ_COLUMNS);
                CHEQ_NAME(look_up_fours16)(band, cell, pixels + x, n, fours, room->row);
                CHEQ_NAME(blend_row16)(room->row, n, band->right + x, band->below[y], out + x);
            }
        }
    }
}

/* running += the shares, in 16 bits: v / step is (v + 1) * (65535 / step) >> 16 for all v below 256, since it is less than
 * v / step + 1 / step, by less than 1 / step. Without a rest the least of that and rest - 1 is -1. */
CHEQ_ATTRIBUTES CHEQ_APART static void CHEQ_NAME(add_shares)(uint16_t *running, uint16_t each, uint16_t turn, int16_t last) {
    for (uint16_t v = 0; v < CHEQ_LEVELS; v++) {
        const int16_t turns = (int16_t)(((uint32_t)(uint16_t)(v + 1) * turn) >> 16);
        const int16_t extra = (int16_t)(turns < last ? turns : last);
        running[v] = (uint16_t)(running[v] + (uint16_t)((v + 1) * each) + (uint16_t)(extra + 1));
    }
}

/* The LUT of a tile of at most 65,535 pixels. */
CHEQ_ATTRIBUTES static void CHEQ_NAME(lut_clip_words)(const int32_t *clipped, const cheq_clip *clip, uint8_t *restrict lut) {
    uint16_t running[CHEQ_LEVELS];
    int32_t kept = 0;
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        kept += clipped[v];
        running[v] = (uint16_t)kept;
    }
    const int32_t excess = clip->area - kept, rest = excess % CHEQ_LEVELS;
    CHEQ_NAME(add_shares)(running, (uint16_t)(excess / CHEQ_LEVELS),
                          (uint16_t)(rest ? 65535 / (CHEQ_LEVELS / rest) : 0), (int16_t)(rest - 1));
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        lut[v] = (uint8_t)cheq_opencv_level((float)(int32_t)running[v], clip->scale);
    }
}

/* The sum of four tables is the histogram: an increment waits for the store of the last one to its bin. */
CHEQ_ATTRIBUTES static void CHEQ_NAME(count_few)(const uint8_t *pixels, ptrdiff_t step, size_t width, size_t height,
                                                 uint8_t tables[4][CHEQ_LEVELS]) {
    for (int i = 0; i < 4 * CHEQ_LEVELS; i += 64) { /* for all at once GCC takes an instruction that begins slowly */
        memset((uint8_t *)tables + i, 0, 64);
    }
    for (; height > 0; height--, pixels += step) {
        size_t x = 0;
        for (; x + 4 <= width; x += 4) {
            const unsigned a = pixels[x], b = pixels[x + 1], c = pixels[x + 2], d = pixels[x + 3];
            tables[0][a]++, tables[1][b]++, tables[2][c]++, tables[3][d]++;
        }
        for (; x < width; x++) {
            tables[0][pixels[x]]++;
        }
    }
}

#ifdef CHEQ_LUT_FEW
/* The same share of the rest, in bytes. */
CHEQ_ATTRIBUTES CHEQ_APART static void CHEQ_NAME(add_rest)(uint8_t *running, uint16_t turn, int16_t last) {
    for (uint16_t v = 0; v < CHEQ_LEVELS; v++) {
        const int16_t turns = (int16_t)(((uint32_t)(uint16_t)(v + 1) * turn) >> 16);
        const int16_t extra = (int16_t)(turns < last ? turns : last);
        running[v] = (uint8_t)(running[v] + (uint8_t)(extra + 1));
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(lut_of_few)(uint8_t tables[4][CHEQ_LEVELS], const cheq_clip *clip,
                                                  uint8_t lut[CHEQ_LEVELS]) {
    const uint8_t most = (uint8_t)(clip->most < 255 ? clip->most : 255);
    uint8_t *running = tables[0];
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        const uint8_t count = (uint8_t)(tables[0][v] + tables[1][v] + tables[2][v] + tables[3][v]);
        running[v] = count < most ? count : most;
    }
    const int32_t rest = clip->area - (int32_t)cheq_sum_bytes(running);
    cheq_run_bytes(running);
    if (rest > 0) {
        CHEQ_NAME(add_rest)(running, (uint16_t)(65535 / (CHEQ_LEVELS / rest)), (int16_t)(rest - 1));
    }
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        lut[v] = (uint8_t)cheq_opencv_level((float)(int32_t)running[v], clip->scale);
    }
}
#endif

/* The next tile is counted before this one's counts are read: a wide load waits for the bytes that were just stored. */
CHEQ_ATTRIBUTES static void CHEQ_NAME(lut_few)(const uint8_t *pixels, ptrdiff_t step, size_t width, size_t height,
                                               size_t tiles, const cheq_clip *clip, uint8_t *luts) {
    _Alignas(64) uint8_t tables[2][4][CHEQ_LEVELS];
    CHEQ_NAME(count_few)(pixels, step, width, height, tables[0]);
    for (size_t t = 0; t < tiles; t++, luts += CHEQ_LEVELS) {
        if (t + 1 < tiles) {
            CHEQ_NAME(count_few)(pixels + (t + 1) * width, step, width, height, tables[(t + 1) % 2]);
        }
        CHEQ_NAME(lut_of_few)(tables[t % 2], clip, luts);
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(lut_clip)(const uint32_t hist[CHEQ_LEVELS], const cheq_clip *clip,
                                                uint8_t lut[CHEQ_LEVELS]) {
    int32_t running[CHEQ_LEVELS], kept = 0;
    cheq_clip_counts(hist, CHEQ_LEVELS, clip->most, running);
    if (clip->area <= UINT16_MAX) {
        CHEQ_NAME(lut_clip_words)(running, clip, lut);
        return;
    }
    for (int v = 0; v < CHEQ_LEVELS; v++) {
        kept += running[v];
        running[v] = kept;
    }
    const cheq_shares shares = cheq_share(clip, kept);
    for (int32_t v = 0; v < CHEQ_LEVELS; v++) {
        lut[v] = (uint8_t)cheq_clipped_level(&shares, v, running[v] + (v + 1) * shares.each);
    }
}

/* Running sums of n clipped counts, a cache's worth at a time: the loop that adds waits for itself, the one that clips
 * does not. */
CHEQ_ATTRIBUTES CHEQ_BODY int32_t CHEQ_NAME(clipped_sums)(uint32_t *hist, size_t n, int32_t most) {
    int32_t *running = (int32_t *)hist, kept = 0;
    for (size_t done = 0, block; done < n; done += block) {
        block = cheq_min(n - done, CHEQ_COLUMNS);
        cheq_clip_counts(hist + done, block, most, running + done);
        for (size_t i = done; i < done + block; i++) {
            kept += running[i];
            running[i] = kept;
        }
    }
    return kept;
}

/* Levels [first, first + n), whose shares are `before` and n times `each`. */
CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(put_levels16)(int32_t *restrict running, size_t n, int32_t before, int32_t each,
                                                       float scale, uint16_t *restrict lut) {
    for (size_t i = 0; i < n; i++) {
        before += each;
        lut[i] = (uint16_t)cheq_opencv_level((float)(running[i] + before), scale);
        running[i] = 0;
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(lut_clip16)(uint32_t *hist, uint32_t first, size_t n, const cheq_clip *clip,
                                                  uint16_t *restrict lut) {
    const cheq_shares shares = cheq_share(clip, CHEQ_NAME(clipped_sums)(hist, n, clip->most));
    const size_t step = (size_t)(shares.rest ? clip->levels / shares.rest : clip->levels);
    int32_t *restrict running = (int32_t *)hist, shared = (int32_t)first * shares.each;
    if (step >= CHEQ_LONG_TURN) {
        for (size_t i = 0, some; i < n; i += some) {
            const size_t turn = (first + i) / step;
            const int32_t extra = turn < (size_t)shares.rest ? (int32_t)turn + 1 : shares.rest;
            some = cheq_min(n - i, (turn + 1) * step - (first + i));
            CHEQ_NAME(put_levels16)(running + i, some, shared + extra, shares.each, shares.scale, lut + i);
            shared += (int32_t)some * shares.each;
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        shared += shares.each;
        lut[i] = (uint16_t)cheq_clipped_level(&shares, (int32_t)(first + i), running[i] + shared);
        running[i] = 0;
    }
}
