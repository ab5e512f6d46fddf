/* A template (see kernels.h): the kernels for spaces, from an instruction set's loops luma, to_luma and from_luma, and
 * for Lab lab_there and lab_back; those in one pass are of Lab alone. */
CHEQ_ATTRIBUTES static void CHEQ_NAME(lightness)(const cheq_space *space, uint8_t *const *rgb, size_t n, uint8_t *to) {
    const cheq_lab_pixels pixels = {rgb[0], rgb[1], rgb[2], 1};
    if (space->is_lab) {
        cheq_lab_lightness_of(space->lab, &pixels, n, to);
    } else {
        CHEQ_NAME(luma)(space, rgb, n, to);
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(to_lab)(const cheq_lab *lab, uint8_t *const *rgb, size_t n) {
    const cheq_lab_pixels pixels = {rgb[0], rgb[1], rgb[2], 1};
    cheq_lab_words f;
    for (size_t at = 0, block; at < n; at += block) {
        const cheq_lab_pixels here = cheq_lab_pixels_at(&pixels, at);
        uint8_t *const to[3] = {here.r, here.g, here.b};
        block = cheq_min(n - at, CHEQ_LAB_BLOCK);
        cheq_lab_roots(lab, &here, block, f);
        CHEQ_NAME(lab_there)(&lab->by, f, block, to);
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(from_lab)(const cheq_lab *lab, uint8_t *const *channels, size_t n) {
    const cheq_lab_pixels pixels = {channels[0], channels[1], channels[2], 1};
    cheq_lab_words linear;
    uint32_t pairs[CHEQ_LAB_BLOCK];
    for (size_t at = 0, block; at < n; at += block) {
        const cheq_lab_pixels here = cheq_lab_pixels_at(&pixels, at);
        block = cheq_min(n - at, CHEQ_LAB_BLOCK);
        for (size_t i = 0; i < block; i++) {
            pairs[i] = lab->y_pair[here.r[i]];
        }
        CHEQ_NAME(lab_back)(&lab->by, pairs, here.g, here.b, block, linear);
        cheq_lab_colors(lab, linear, block, &here);
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(to_space)(const cheq_space *space, uint8_t *const *rgb, size_t n) {
    if (space->is_lab) {
        CHEQ_NAME(to_lab)(space->lab, rgb, n);
    } else {
        CHEQ_NAME(to_luma)(space, rgb, n);
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(from_space)(const cheq_space *space, uint8_t *const *channels, size_t n) {
    if (space->is_lab) {
        CHEQ_NAME(from_lab)(space->lab, channels, n);
    } else {
        CHEQ_NAME(from_luma)(space, channels, n);
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(recolor16)(const cheq_space *space, uint16_t *const *rgb,
                                                 const uint16_t *lightness, size_t n) {
    cheq_recolor16_body(space, rgb, lightness, n);
}

/* ---- one pass, of Lab ----------------------------------------------------- */

CHEQ_ATTRIBUTES static void CHEQ_NAME(lab_lightness_dense)(const cheq_space *space, const uint8_t *pixels, int channels,
                                                           int first, size_t size, size_t n, uint8_t *to) {
    uint8_t *in = (uint8_t *)pixels; /* not written */
    const cheq_lab_pixels rgb = {in + first, in + 1, in + 2 - first, channels};
    (void)size;
    cheq_lab_lightness_of(space->lab, &rgb, n, to);
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(lab_recolor_dense)(const cheq_space *space, const uint8_t *pixels, uint8_t *out,
                                                         size_t n, int channels, int first, const uint8_t *lut,
                                                         const uint8_t *lightness) {
    const cheq_lab *lab = space->lab;
    uint8_t *in = (uint8_t *)pixels; /* not written */
    const cheq_lab_pixels from = {in + first, in + 1, in + 2 - first, channels};
    const cheq_lab_pixels to = {out + first, out + 1, out + 2 - first, channels};
    uint8_t l[CHEQ_LAB_BLOCK], a[CHEQ_LAB_BLOCK], b[CHEQ_LAB_BLOCK], *const stored[3] = {l, a, b};
    uint32_t pairs[CHEQ_LAB_BLOCK];
    cheq_lab_words w;
    for (size_t at = 0, block; at < n; at += block) {
        const cheq_lab_pixels from_here = cheq_lab_pixels_at(&from, at), to_here = cheq_lab_pixels_at(&to, at);
        block = cheq_min(n - at, CHEQ_LAB_BLOCK);
        cheq_lab_roots(lab, &from_here, block, w);
        CHEQ_NAME(lab_there)(&lab->by, w, block, stored);
        for (size_t i = 0; i < block; i++) {
            pairs[i] = lab->y_pair[lut ? lut[l[i]] : lightness[at + i]];
        }
        CHEQ_NAME(lab_back)(&lab->by, pairs, a, b, block, w);
        cheq_lab_colors(lab, w, block, &to_here);
    }
    for (size_t i = 0; i < n && channels == 4 && out != pixels; i++) {
        out[4 * i + 3] = pixels[4 * i + 3];
    }
}
