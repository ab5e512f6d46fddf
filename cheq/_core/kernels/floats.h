/* A template (see kernels.h): the kernels for floats, of which the compiler makes vectors. Guesses
 * come first, in loops without tables; what needs a look into a table follows, a value at a time. */
#define CHEQ_FLOATS 256 /* values at a time: 3 KiB of stack */

CHEQ_ATTRIBUTES static void CHEQ_NAME(floats_to_doubles)(const uint8_t *floats, double *to, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float x;
        memcpy(&x, floats + i * sizeof x, sizeof x);
        to[i] = (double)x;
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(doubles_to_floats)(const double *from, uint8_t *floats, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float x = (float)from[i];
        memcpy(floats + i * sizeof x, &x, sizeof x);
    }
}

CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(bound)(double x, double *low, double *high, double *zero) {
    *low = x < *low ? x : *low;
    *high = x > *high ? x : *high;
    *zero += x * 0.0; /* NaN of NaN and of infinities */
}

/* Eight in turn, which makes vectors of them without any change of the order that the
 * language prescribes. */
CHEQ_ATTRIBUTES static int CHEQ_NAME(bounds)(const double *pixels, size_t n, double *smallest, double *largest) {
    double low[8], high[8], zeros[8] = {0};
    for (int k = 0; k < 8; k++) {
        low[k] = *smallest;
        high[k] = *largest;
    }
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (size_t k = 0; k < 8; k++) {
            CHEQ_NAME(bound)(pixels[i + k], &low[k], &high[k], &zeros[k]);
        }
    }
    for (; i < n; i++) {
        CHEQ_NAME(bound)(pixels[i], low, high, zeros);
    }
    int finite = 1;
    for (int k = 0; k < 8; k++) {
        *smallest = low[k] < *smallest ? low[k] : *smallest;
        *largest = high[k] > *largest ? high[k] : *largest;
        finite &= zeros[k] == 0;
    }
    return finite;
}

/* In float32 for float32 data, as NumPy does. */
CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(guess_bins)(const double *pixels, size_t n, const cheq_value_bins *bins,
                                                     int32_t *guesses) {
    const float first = (float)bins->first, width = (float)bins->width, number = (float)bins->n;
    if (bins->single) {
        for (size_t i = 0; i < n; i++) {
            guesses[i] = cheq_bin_at((double)(((float)pixels[i] - first) / width * number), bins);
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            guesses[i] = cheq_bin_at(cheq_bin_guess(pixels[i], bins), bins);
        }
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(count_floats)(const double *pixels, size_t n, const cheq_value_bins *bins,
                                                    uint64_t *hist) {
    int32_t guesses[CHEQ_FLOATS];
    for (size_t part; n > 0; n -= part, pixels += part) {
        part = cheq_min(n, CHEQ_FLOATS);
        CHEQ_NAME(guess_bins)(pixels, part, bins, guesses);
        for (size_t i = 0; i < part; i++) {
            hist[cheq_bin_corrected(pixels[i], guesses[i], bins)]++;
        }
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(interpolate)(const double *pixels, double *to, size_t n,
                                                   const cheq_curve *curve) {
    int32_t guesses[CHEQ_FLOATS];
    double clamped[CHEQ_FLOATS];
    for (size_t i = 0; curve->crowded && i < n; i++) {
        to[i] = cheq_interpolate_crowded(pixels[i], curve);
    }
    if (curve->crowded) {
        return;
    }
    for (size_t part; n > 0; n -= part, pixels += part, to += part) {
        part = cheq_min(n, CHEQ_FLOATS);
        for (size_t i = 0; i < part; i++) {
            clamped[i] = cheq_clamped(pixels[i], curve);
            guesses[i] = cheq_knot_guess(clamped[i], curve);
        }
        for (size_t i = 0; i < part; i++) {
            to[i] = cheq_interpolate_from(clamped[i], guesses[i], curve);
        }
    }
}
