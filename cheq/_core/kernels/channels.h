/* A template (see kernels.h): the kernels for channels that alternate, from an instruction set's loops
 * split_by, merge_by and, with CHEQ_APPLY_CHANNELS, its attributes, apply_channels_by. Their number and order, known to
 * the compiler, leave straight code. */
CHEQ_ATTRIBUTES static void CHEQ_NAME(split)(const uint8_t *from, int channels, size_t n, uint8_t *const *to) {
    switch (channels) {
    case 2:
        CHEQ_NAME(split_by)(from, 2, n, to);
        break;
    case 3:
        CHEQ_NAME(split_by)(from, 3, n, to);
        break;
    default:
        CHEQ_NAME(split_by)(from, 4, n, to);
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(merge)(const uint8_t *const *from, int channels, size_t n, uint8_t *to) {
    switch (channels) {
    case 2:
        CHEQ_NAME(merge_by)(from, 2, n, to);
        break;
    case 3:
        CHEQ_NAME(merge_by)(from, 3, n, to);
        break;
    default:
        CHEQ_NAME(merge_by)(from, 4, n, to);
    }
}

#ifdef CHEQ_APPLY_CHANNELS
CHEQ_APPLY_CHANNELS static void CHEQ_NAME(apply_channels)(const uint8_t *pixels, uint8_t *out, size_t n, int channels,
                                                     int reversed, const uint8_t *const *luts) {
    switch (2 * channels + reversed) {
    case 4:
        CHEQ_NAME(apply_channels_by)(pixels, out, n, 2, 0, luts);
        break;
    case 5:
        CHEQ_NAME(apply_channels_by)(pixels, out, n, 2, 1, luts);
        break;
    case 6:
        CHEQ_NAME(apply_channels_by)(pixels, out, n, 3, 0, luts);
        break;
    case 7:
        CHEQ_NAME(apply_channels_by)(pixels, out, n, 3, 1, luts);
        break;
    case 8:
        CHEQ_NAME(apply_channels_by)(pixels, out, n, 4, 0, luts);
        break;
    default:
        CHEQ_NAME(apply_channels_by)(pixels, out, n, 4, 1, luts);
    }
}
#endif
