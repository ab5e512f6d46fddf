/* A template (see kernels.h): the kernels for spaces, from an instruction set's loops luma, to_luma and from_luma and
 * the bodies of Lab; those in one pass are of Lab alone. */
CHEQ_ATTRIBUTES static void CHEQ_NAME(lightness)(const cheq_space *space, uint8_t *const *rgb, size_t n, uint8_t *to) {
    const cheq_lab_pixels pixels = {{rgb[0], rgb[1], rgb[2]}, 1};
    if (space->is_lab) {
        cheq_lab_lightness_body(space->lab, &pixels, n, to);
    } else {
        CHEQ_NAME(luma)(space, rgb, n, to);
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(to_space)(const cheq_space *space, uint8_t *const *rgb, size_t n) {
    const cheq_lab_pixels pixels = {{rgb[0], rgb[1], rgb[2]}, 1};
    if (!space->is_lab) {
        CHEQ_NAME(to_luma)(space, rgb, n);
        return;
    }
    for (size_t at = 0, block; at < n; at += block) {
        block = cheq_min(n - at, CHEQ_LAB_BLOCK);
        cheq_to_lab_block(space->lab, &pixels, at, block, rgb[0] + at, rgb[1] + at, rgb[2] + at);
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(from_space)(const cheq_space *space, uint8_t *const *channels, size_t n) {
    const cheq_lab_pixels pixels = {{channels[0], channels[1], channels[2]}, 1};
    if (!space->is_lab) {
        CHEQ_NAME(from_luma)(space, channels, n);
        return;
    }
    for (size_t at = 0, block; at < n; at += block) {
        block = cheq_min(n - at, CHEQ_LAB_BLOCK);
        cheq_from_lab_block(space->lab, channels[0] + at, channels[1] + at, channels[2] + at, at, block, &pixels);
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(recolor16)(const cheq_space *space, uint16_t *const *rgb,
                                                 const uint16_t *lightness, size_t n) {
    cheq_recolor16_body(space, rgb, lightness, n);
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(lab_lightness_dense)(const cheq_space *space, const uint8_t *pixels, int channels,
                                                           int first, size_t size, size_t n, uint8_t *to) {
    uint8_t *in = (uint8_t *)pixels; /* not written */
    cheq_lab_pixels rgb = {{in + first, in + 1, in + 2 - first}, channels};
    (void)size;
    if (channels == 3) {
        rgb.step = 3; /* known to the compiler, as 4 below */
        cheq_lab_lightness_body(space->lab, &rgb, n, to);
    } else {
        rgb.step = 4;
        cheq_lab_lightness_body(space->lab, &rgb, n, to);
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(lab_recolor_dense)(const cheq_space *space, const uint8_t *pixels, uint8_t *out,
                                                         size_t n, int channels, int first, const uint8_t *lut,
                                                         const uint8_t *lightness) {
    if (channels == 3) {
        cheq_lab_recolor_body(space->lab, pixels, out, n, 3, first, lut, lightness);
    } else {
        cheq_lab_recolor_body(space->lab, pixels, out, n, 4, first, lut, lightness);
    }
}
