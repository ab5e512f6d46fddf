/* A template (see kernels.h): the kernels for floats, of which the compiler makes vectors. Guesses come first, in loops
 * without tables; what needs a look into a table follows, a value at a time or, where knots can be loaded four at a
 * time, with
 *
 *     CHEQ_INTERPOLATE_4(values, guesses, knots, to)  four values, none below the knot of its guess; or it returns 0
 */
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

/* So many in turn, which makes vectors of them, several to wait for none, without any change of the order that the
 * language prescribes. */
#define CHEQ_TURNS 32

CHEQ_ATTRIBUTES static int CHEQ_NAME(bounds)(const double *pixels, size_t n, double *smallest, double *largest) {
    double low[CHEQ_TURNS], high[CHEQ_TURNS], zeros[CHEQ_TURNS] = {0};
    for (int k = 0; k < CHEQ_TURNS; k++) {
        low[k] = *smallest;
        high[k] = *largest;
    }
    size_t i = 0;
    for (; i + CHEQ_TURNS <= n; i += CHEQ_TURNS) {
        for (size_t k = 0; k < CHEQ_TURNS; k++) {
            CHEQ_NAME(bound)(pixels[i + k], &low[k], &high[k], &zeros[k]);
        }
    }
    for (; i < n; i++) {
        CHEQ_NAME(bound)(pixels[i], low, high, zeros);
    }
    for (size_t half = CHEQ_TURNS / 2; half > 0; half /= 2) {
        for (size_t k = 0; k < half; k++) {
            low[k] = low[k + half] < low[k] ? low[k + half] : low[k];
            high[k] = high[k + half] > high[k] ? high[k + half] : high[k];
            zeros[k] += zeros[k + half];
        }
    }
    *smallest = low[0];
    *largest = high[0];
    return zeros[0] == 0;
}

CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(guess_places)(const double *values, size_t n, const cheq_line *line,
                                                       int32_t *guesses) {
    const cheq_line own = *line;
    for (size_t i = 0; i < n; i++) {
        guesses[i] = cheq_place_guess(values[i], &own);
    }
}

CHEQ_BODY size_t CHEQ_NAME(plain_bin)(double x, int32_t guess, const cheq_bin *bin) {
    if (CHEQ_RARELY(x < bin[guess].lower)) {
        guess--;
    }
    return (size_t)guess;
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(count_floats)(const double *pixels, size_t n, const cheq_value_bins *bins,
                                                    uint64_t *hist, size_t tables) {
    const size_t next = tables == 1 ? 0 : bins->n;
    const cheq_bin *bin = bins->bin;
    int32_t guesses[CHEQ_FLOATS];
    for (size_t i = 0; !bins->plain && i < n; i++) {
        hist[cheq_bin_of(pixels[i], bins)]++;
    }
    for (size_t part; bins->plain && n > 0; n -= part, pixels += part) {
        part = cheq_min(n, CHEQ_FLOATS);
        CHEQ_NAME(guess_places)(pixels, part, &bins->line, guesses);
        size_t i = 0;
        for (; i + 4 <= part; i += 4) {
            CHEQ_FETCH(pixels + i + 2 * CHEQ_FLOATS, 0);
            for (size_t t = 0; t < 4; t++) {
                hist[t * next + CHEQ_NAME(plain_bin)(pixels[i + t], guesses[i + t], bin)]++;
            }
        }
        for (; i < part; i++) {
            hist[CHEQ_NAME(plain_bin)(pixels[i], guesses[i], bin)]++;
        }
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(interpolate)(const double *pixels, double *to, size_t n,
                                                   const cheq_curve *curve) {
    const cheq_knot *knots = curve->knots;
    int32_t guesses[CHEQ_FLOATS];
    double clamped[CHEQ_FLOATS];
    for (size_t i = 0; !curve->plain && i < n; i++) {
        to[i] = cheq_interpolate_searching(pixels[i], curve);
    }
    for (size_t part; curve->plain && n > 0; n -= part, pixels += part, to += part) {
        part = cheq_min(n, CHEQ_FLOATS);
        for (size_t i = 0; i < part; i++) {
            clamped[i] = cheq_clamped(pixels[i], curve);
        }
        CHEQ_NAME(guess_places)(clamped, part, &curve->line, guesses);
        size_t i = 0;
#ifdef CHEQ_INTERPOLATE_4
        for (; i + 4 <= part; i += 4) {
            CHEQ_FETCH(to + i + CHEQ_FLOATS, 1);
            if (CHEQ_RARELY(!CHEQ_INTERPOLATE_4(clamped + i, guesses + i, knots, to + i))) {
                for (size_t k = i; k < i + 4; k++) {
                    to[k] = cheq_interpolate_plain(clamped[k], guesses[k], knots);
                }
            }
        }
#endif
        for (; i < part; i++) {
            to[i] = cheq_interpolate_plain(clamped[i], guesses[i], knots);
        }
    }
}
