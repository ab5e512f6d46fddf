/* What the kernels that blend.h makes have in common: a thread's room. */
#ifndef CHEQ_EIGHTS_H
#define CHEQ_EIGHTS_H

#include "kernels/scalar.h"

/* Columns at a time: with the tables of their cells, as many as the room holds. */
enum { CHEQ_EIGHTS_COLUMNS = 512 };

typedef struct {
    cheq_fours cells[CHEQ_CELLS];
    union {
        struct {
            float left[CHEQ_EIGHTS_COLUMNS], right[CHEQ_EIGHTS_COLUMNS];
        } floats;
        uint8_t pairs[CHEQ_EIGHTS_COLUMNS][4]; /* left, right, left, right */
    } weights;
    uint32_t table[CHEQ_EIGHTS_COLUMNS]; /* where a column's begins, behind the first one's begin */
} cheq_eights_room;

_Static_assert(sizeof(cheq_eights_room) <= CHEQ_ROOM, "the tables of cells need more room");

CHEQ_BODY void cheq_prepare_weights(const float *right, size_t n, int integers, cheq_eights_room *room) {
    for (size_t x = 0; x < n; x++) {
        if (integers) {
            const uint8_t weight = (uint8_t)(right[x] * 128);
            room->weights.pairs[x][0] = room->weights.pairs[x][2] = 128 - weight;
            room->weights.pairs[x][1] = room->weights.pairs[x][3] = weight;
        } else {
            room->weights.floats.left[x] = 1.0f - right[x];
            room->weights.floats.right[x] = right[x];
        }
    }
}

#endif
