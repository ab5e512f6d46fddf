/* A template (see kernels.h): the LUT of a CLAHE tile whose counts fit 16 bits, in half the time of the compiler's vectors. The
 * levels are in as many parts as a register has 128 bits, eight levels of each part in a register: running sums that stay
 * within 128 bits need no permutes. With
 *
 *     CHEQ_MM(name)  the intrinsic for these registers, which are of type CHEQ_WORDS
 *     CHEQ_PARTS     of 128 bits, in each
 *
 * and an instruction set's clipped (the counts, each at most so many), parts_before (the running sums of a part's last
 * word, in all its words, become those of the parts before), sum_words, first_levels (1 to 8 of each part) and store_parts. */
enum { CHEQ_NAME(registers) = CHEQ_LEVELS / 8 / CHEQ_PARTS };

/* Running sums of the words of each part. Returns those of the parts before. */
CHEQ_ATTRIBUTES CHEQ_BODY CHEQ_WORDS CHEQ_NAME(running_words)(CHEQ_WORDS x[CHEQ_NAME(registers)]) {
    CHEQ_WORDS before = CHEQ_MM(set1_epi16)(0);
    for (int r = 0; r < CHEQ_NAME(registers); r++) {
        x[r] = CHEQ_MM(add_epi16)(x[r], CHEQ_MM(bslli_epi128)(x[r], 2));
        x[r] = CHEQ_MM(add_epi16)(x[r], CHEQ_MM(bslli_epi128)(x[r], 4));
        x[r] = CHEQ_MM(add_epi16)(before, CHEQ_MM(add_epi16)(x[r], CHEQ_MM(bslli_epi128)(x[r], 8)));
        before = CHEQ_MM(shuffle_epi8)(x[r], CHEQ_MM(set1_epi16)(0x0f0e));
    }
    return CHEQ_NAME(parts_before)(before);
}

/* Half to even, as the default mode is. */
CHEQ_ATTRIBUTES CHEQ_BODY CHEQ_WORDS CHEQ_NAME(scaled_words)(CHEQ_WORDS words, float scale) {
    const CHEQ_WORDS zero = CHEQ_MM(set1_epi16)(0);
    CHEQ_WORDS low = CHEQ_MM(unpacklo_epi16)(words, zero), high = CHEQ_MM(unpackhi_epi16)(words, zero);
    low = CHEQ_MM(cvtps_epi32)(CHEQ_MM(mul_ps)(CHEQ_MM(cvtepi32_ps)(low), CHEQ_MM(set1_ps)(scale)));
    high = CHEQ_MM(cvtps_epi32)(CHEQ_MM(mul_ps)(CHEQ_MM(cvtepi32_ps)(high), CHEQ_MM(set1_ps)(scale)));
    return CHEQ_MM(packus_epi32)(low, high);
}

/* As add_shares (kernels/tiles.h), with v + 1 kept. */
CHEQ_ATTRIBUTES static void CHEQ_NAME(lut_clip_parts)(const uint32_t hist[CHEQ_LEVELS], const cheq_clip *clip,
                                                      uint8_t lut[CHEQ_LEVELS]) {
    CHEQ_WORDS x[CHEQ_NAME(registers)];
    CHEQ_NAME(clipped)(hist, clip->most, x);
    const int32_t excess = clip->area - CHEQ_NAME(sum_words)(x); /* beside the running sums, which take as long */
    const int32_t rest = excess % CHEQ_LEVELS, turn = rest ? UINT16_MAX / (CHEQ_LEVELS / rest) : 0;
    const CHEQ_WORDS each = CHEQ_MM(set1_epi16)((short)(excess / CHEQ_LEVELS));
    const CHEQ_WORDS before = CHEQ_MM(add_epi16)(CHEQ_NAME(running_words)(x), CHEQ_MM(set1_epi16)(1));
    CHEQ_WORDS v1 = CHEQ_NAME(first_levels)(); /* v + 1 */
    for (int r = 0; r < CHEQ_NAME(registers); r++) {
        const CHEQ_WORDS turns = CHEQ_MM(mulhi_epu16)(v1, CHEQ_MM(set1_epi16)((short)turn));
        const CHEQ_WORDS extra = CHEQ_MM(min_epi16)(turns, CHEQ_MM(set1_epi16)((short)(rest - 1)));
        const CHEQ_WORDS shared = CHEQ_MM(add_epi16)(CHEQ_MM(mullo_epi16)(v1, each), extra);
        x[r] = CHEQ_NAME(scaled_words)(CHEQ_MM(add_epi16)(CHEQ_MM(add_epi16)(x[r], before), shared), clip->scale);
        v1 = CHEQ_MM(add_epi16)(v1, CHEQ_MM(set1_epi16)(8));
    }
    for (int r = 0; r < CHEQ_NAME(registers) / 2; r++) {
        x[r] = CHEQ_MM(packus_epi16)(x[2 * r], x[2 * r + 1]);
    }
    CHEQ_NAME(store_parts)(x, lut);
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(lut_clip_any)(const uint32_t hist[CHEQ_LEVELS], const cheq_clip *clip,
                                                    uint8_t lut[CHEQ_LEVELS]) {
    (clip->area <= UINT16_MAX ? CHEQ_NAME(lut_clip_parts) : CHEQ_NAME(lut_clip))(hist, clip, lut);
}
