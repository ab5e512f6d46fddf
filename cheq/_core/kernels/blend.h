/* A template (see kernels.h): CLAHE's kernel for bytes where registers are not made for looking up. A cell's four LUTs
 * become one table of four bytes a level; eight pixels, of whatever cells, are looked up straight into registers and
 * interpolated there. An instruction set has its own
 *
 *     eight, row       types: the entries of eight pixels; the weights of a row
 *     row_of           the weights of a row
 *     join_luts        one table of four LUTs
 *     load_eight       eight of its entries
 *     blend_eight      eight pixels of the result
 *
 * where `integers` says that weights are in 1/128 and 1/512 (eights.h). */

/* Eight pixels of one cell; and of several. */
CHEQ_ATTRIBUTES CHEQ_BODY CHEQ_NAME(eight) CHEQ_NAME(look_up)(const uint8_t *pixels, const uint32_t *fours) {
    const uint32_t *at[8];
    for (int i = 0; i < 8; i++) {
        at[i] = fours + pixels[i];
    }
    return CHEQ_NAME(load_eight)(at);
}

CHEQ_ATTRIBUTES CHEQ_BODY CHEQ_NAME(eight) CHEQ_NAME(look_up_apart)(const uint8_t *pixels, const uint32_t *first,
                                                                   const uint32_t *tables) {
    const uint32_t *at[8];
    for (int i = 0; i < 8; i++) {
        at[i] = first + tables[i] + pixels[i];
    }
    return CHEQ_NAME(load_eight)(at);
}

/* The last pixels of a row, fewer than eight. */
CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(blend_last)(const uint8_t *pixels, const cheq_eights_room *room, size_t x, size_t n,
                                                     const CHEQ_NAME(row) *row, int integers, uint8_t *to) {
    uint8_t last[8] = {0};
    uint32_t tables[8] = {0};
    memcpy(last, pixels, n);
    memcpy(tables, room->table + x, n * sizeof *tables);
    CHEQ_NAME(blend_eight)(CHEQ_NAME(look_up_apart)(last, room->cells[0], tables), room, x, row, integers, last);
    memcpy(to, last, n);
}

/* A row of a piece. Eight pixels are looked up while those before are interpolated. */
CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(blend_row_by)(const cheq_piece *piece, const uint8_t *pixels,
                                                       const cheq_eights_room *room, const CHEQ_NAME(row) *row, int integers,
                                                       uint8_t *to) {
    const size_t end = piece->end - piece->begin;
    size_t x = 0;
    for (size_t c = 0; c < piece->n_cells; c++) {
        const size_t cell_end = cheq_min(piece->cells[c].end, piece->end) - piece->begin;
        if (x + 8 <= cell_end) {
            CHEQ_NAME(eight) fours = CHEQ_NAME(look_up)(pixels + x, room->cells[c]);
            for (; x + 16 <= cell_end; x += 8) {
                const CHEQ_NAME(eight) next = CHEQ_NAME(look_up)(pixels + x + 8, room->cells[c]);
                CHEQ_NAME(blend_eight)(fours, room, x, row, integers, to + x);
                fours = next;
            }
            CHEQ_NAME(blend_eight)(fours, room, x, row, integers, to + x);
            x += 8;
        }
        if (x < cell_end && x + 8 <= end) {
            CHEQ_NAME(blend_eight)(CHEQ_NAME(look_up_apart)(pixels + x, room->cells[0], room->table + x), room, x, row,
                                   integers, to + x);
            x += 8;
        }
    }
    if (x < end) {
        CHEQ_NAME(blend_last)(pixels + x, room, x, end - x, row, integers, to + x);
    }
}

CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(blend_by)(const cheq_band *band, int integers, cheq_eights_room *room) {
    const cheq_cell *cell = band->cells;
    for (size_t begin = 0; begin < band->width;) {
        const cheq_piece piece = cheq_piece_from(band, begin, cell, CHEQ_EIGHTS_COLUMNS);
        for (size_t c = 0, x = 0; c < piece.n_cells; c++) {
            CHEQ_NAME(join_luts)(piece.cells[c].luts, integers, room->cells[c]);
            for (; x < cheq_min(piece.cells[c].end, piece.end) - begin; x++) {
                room->table[x] = (uint32_t)(CHEQ_LEVELS * c);
            }
        }
        cheq_prepare_weights(band->right + begin, piece.end - begin, integers, room);
        for (size_t y = 0; y < band->height; y++) {
            const CHEQ_NAME(row) row = CHEQ_NAME(row_of)(band->below[y]);
            CHEQ_NAME(blend_row_by)(&piece, band->pixels + (ptrdiff_t)y * band->pixels_step + begin, room, &row, integers,
                                    band->out + (ptrdiff_t)y * band->out_step + begin);
        }
        begin = piece.end;
        cell = piece.next;
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(blend)(const cheq_band *band, void *room) {
    if (cheq_blends_integers(band)) {
        CHEQ_NAME(blend_by)(band, 1, room);
    } else {
        CHEQ_NAME(blend_by)(band, 0, room);
    }
}
