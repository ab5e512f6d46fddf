/* What CLAHE's kernel for bytes (kernels/blend.h) needs of Advanced SIMD. */
#ifndef CHEQ_ARM_TILES_H
#define CHEQ_ARM_TILES_H

#include <arm_neon.h>

#include "kernels/eights.h"

typedef uint32x4x2_t cheq_eight_neon;

typedef struct {
    float32x4_t upper, lower;
    uint16x4_t pair; /* in 1/512 */
} cheq_row_neon;

CHEQ_BODY cheq_row_neon cheq_row_of_neon(float below) {
    const uint32_t weight = (uint32_t)(below * 512);
    const cheq_row_neon row = {vdupq_n_f32(1.0f - below), vdupq_n_f32(below),
                               vreinterpret_u16_u32(vdup_n_u32((512 - weight) | weight << 16))};
    return row;
}

CHEQ_BODY void cheq_join_luts_neon(const void *const luts[4], int integers, cheq_fours fours) {
    (void)integers;
    for (int v = 0; v < CHEQ_LEVELS; v += 16) {
        uint8x16x4_t x;
        for (int l = 0; l < 4; l++) {
            x.val[l] = vld1q_u8((const uint8_t *)luts[l] + v);
        }
        vst4q_u8((uint8_t *)&fours[v], x);
    }
}

CHEQ_BODY cheq_eight_neon cheq_load_eight_neon(const uint32_t *const at[8]) {
    cheq_eight_neon fours;
    for (int h = 0; h < 2; h++) {
        fours.val[h] = vld1q_dup_u32(at[4 * h]);
        fours.val[h] = vld1q_lane_u32(at[4 * h + 1], fours.val[h], 1);
        fours.val[h] = vld1q_lane_u32(at[4 * h + 2], fours.val[h], 2);
        fours.val[h] = vld1q_lane_u32(at[4 * h + 3], fours.val[h], 3);
    }
    return fours;
}

/* Four pixels: a row of tiles, and both; to an integer half to even. No product is fused with a sum (setup.py). */
CHEQ_BODY float32x4_t cheq_across_neon(uint32x4_t left_entry, uint32x4_t right_entry, float32x4_t left, float32x4_t right) {
    return vaddq_f32(vmulq_f32(vcvtq_f32_u32(left_entry), left), vmulq_f32(vcvtq_f32_u32(right_entry), right));
}

CHEQ_BODY uint32x4_t cheq_floats_neon(uint32x4_t four, const float *left_weights, const float *right_weights,
                                      const cheq_row_neon *row) {
    const uint32x4_t byte = vdupq_n_u32(255);
    const float32x4_t left = vld1q_f32(left_weights), right = vld1q_f32(right_weights);
    const float32x4_t upper = cheq_across_neon(vandq_u32(four, byte), vandq_u32(vshrq_n_u32(four, 8), byte), left, right);
    const float32x4_t lower = cheq_across_neon(vandq_u32(vshrq_n_u32(four, 16), byte), vshrq_n_u32(four, 24), left, right);
    return vcvtnq_u32_f32(vaddq_f32(vmulq_f32(upper, row->upper), vmulq_f32(lower, row->lower)));
}

/* Sums of products are results times 2^16; with half of that to round, half to even, byte 2 is the result. */
CHEQ_BODY uint32x4_t cheq_integers_neon(uint32x4_t four, const uint8_t *pairs, const cheq_row_neon *row) {
    const uint8x16_t entries = vreinterpretq_u8_u32(four), weights = vld1q_u8(pairs);
    const uint16x8_t across = vpaddq_u16(vmull_u8(vget_low_u8(entries), vget_low_u8(weights)),
                                         vmull_high_u8(entries, weights)); /* upper and lower in turn */
    const uint32x4_t sum = vpaddq_u32(vmull_u16(vget_low_u16(across), row->pair),
                                      vmull_u16(vget_high_u16(across), row->pair));
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(sum, 16), vdupq_n_u32(1));
    return vshrq_n_u32(vaddq_u32(vaddq_u32(sum, vdupq_n_u32(0x7fff)), odd), 16);
}

CHEQ_BODY void cheq_blend_eight_neon(cheq_eight_neon fours, const cheq_eights_room *room, size_t x, const cheq_row_neon *row,
                                     int integers, uint8_t *to) {
    uint16x4_t words[2];
    for (size_t h = 0; h < 2; h++, x += 4) {
        words[h] = vmovn_u32(integers ? cheq_integers_neon(fours.val[h], room->weights.pairs[x], row)
                                      : cheq_floats_neon(fours.val[h], room->weights.floats.left + x,
                                                         room->weights.floats.right + x, row));
    }
    vst1_u8(to, vmovn_u16(vcombine_u16(words[0], words[1])));
}

#endif
