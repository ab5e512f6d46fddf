/* A template (see kernels.h): the kernels for floats, of which the compiler makes vectors. Guesses come first, in loops
 * without tables; what needs a look into a table follows, a value at a time or, where knots can be loaded four at a
 * time, with
 *
 *     CHEQ_INTERPOLATE_4(values, guesses, knots, to, bytes)  four values, none below the knot of its guess, to floats of
 *                                                            so many bytes; or it returns 0
 *
 * Each has a body in which the bytes of a float are constants, and asks once which they are. */
#define CHEQ_FLOATS 256 /* values at a time: 3 KiB of stack */

CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(bound)(double x, double *low, double *high, double *zero) {
    *low = x < *low ? x : *low;
    *high = x > *high ? x : *high;
    *zero += x * 0.0; /* NaN of NaN and of infinities */
}

/* So many in turn, which makes vectors of them, several to wait for none, without any change of the order that the
 * language prescribes. */
#define CHEQ_TURNS 32

CHEQ_ATTRIBUTES CHEQ_BODY int CHEQ_NAME(bounds_of)(const uint8_t *pixels, int bytes, size_t n, double *smallest,
                                                   double *largest) {
    double low[CHEQ_TURNS], high[CHEQ_TURNS], zeros[CHEQ_TURNS] = {0};
    for (int k = 0; k < CHEQ_TURNS; k++) {
        low[k] = *smallest;
        high[k] = *largest;
    }
    size_t i = 0;
    for (; i + CHEQ_TURNS <= n; i += CHEQ_TURNS) {
        for (size_t k = 0; k < CHEQ_TURNS; k++) {
            CHEQ_NAME(bound)(cheq_float_at(pixels, bytes, i + k), &low[k], &high[k], &zeros[k]);
        }
    }
    for (; i < n; i++) {
        CHEQ_NAME(bound)(cheq_float_at(pixels, bytes, i), low, high, zeros);
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

CHEQ_ATTRIBUTES static int CHEQ_NAME(bounds)(const uint8_t *pixels, int bytes, size_t n, double *smallest,
                                             double *largest) {
    return bytes == 4 ? CHEQ_NAME(bounds_of)(pixels, 4, n, smallest, largest)
                      : CHEQ_NAME(bounds_of)(pixels, 8, n, smallest, largest);
}

/* The guessed places of n floats, which are kept as doubles. */
CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(guess_bins)(const uint8_t *pixels, int bytes, size_t n, const cheq_line *line,
                                                     double *restrict values, int32_t *restrict guesses) {
    const cheq_line own = *line;
    for (size_t i = 0; i < n; i++) {
        values[i] = cheq_float_at(pixels, bytes, i);
        guesses[i] = cheq_place_guess(values[i], &own);
    }
}

CHEQ_BODY size_t CHEQ_NAME(plain_bin)(double x, int32_t guess, const double *inner) {
    if (CHEQ_RARELY(x < inner[guess])) {
        guess--;
    }
    return (size_t)guess;
}

CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(count_floats_of)(const uint8_t *pixels, int bytes, size_t n,
                                                          const cheq_value_bins *bins, uint64_t *hist, size_t tables) {
    const size_t next = tables == 1 ? 0 : bins->n;
    const double *inner = bins->inner;
    uint64_t *const table[4] = {hist, hist + next, hist + 2 * next, hist + 3 * next};
    int32_t guesses[CHEQ_FLOATS];
    double values[CHEQ_FLOATS];
    for (size_t part; n > 0; n -= part, pixels += part * (size_t)bytes) {
        part = cheq_min(n, CHEQ_FLOATS);
        CHEQ_NAME(guess_bins)(pixels, bytes, part, &bins->line, values, guesses);
        size_t i = 0;
        for (; i + 4 <= part; i += 4) {
            CHEQ_FETCH(pixels + (i + 2 * CHEQ_FLOATS) * (size_t)bytes, 0);
            for (size_t t = 0; t < 4; t++) {
                table[t][CHEQ_NAME(plain_bin)(values[i + t], guesses[i + t], inner)]++;
            }
        }
        for (; i < part; i++) {
            hist[CHEQ_NAME(plain_bin)(values[i], guesses[i], inner)]++;
        }
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(count_floats)(const uint8_t *pixels, int bytes, size_t n,
                                                    const cheq_value_bins *bins, uint64_t *hist, size_t tables) {
    if (!bins->plain) {
        for (size_t i = 0; i < n; i++) {
            hist[cheq_bin_of(cheq_float_at(pixels, bytes, i), bins)]++;
        }
    } else if (bytes == 4) {
        CHEQ_NAME(count_floats_of)(pixels, 4, n, bins, hist, tables);
    } else {
        CHEQ_NAME(count_floats_of)(pixels, 8, n, bins, hist, tables);
    }
}

CHEQ_ATTRIBUTES CHEQ_BODY void CHEQ_NAME(interpolate_of)(const uint8_t *pixels, int bytes, uint8_t *to, int to_bytes,
                                                         size_t n, const cheq_curve *curve) {
    const cheq_line line = curve->line;
    const cheq_knot *knots = curve->knots;
    int32_t guesses[CHEQ_FLOATS];
    double values[CHEQ_FLOATS];
    for (size_t part; n > 0; n -= part, pixels += part * (size_t)bytes, to += part * (size_t)to_bytes) {
        part = cheq_min(n, CHEQ_FLOATS);
        for (size_t i = 0; i < part; i++) {
            values[i] = cheq_clamped(cheq_float_at(pixels, bytes, i), curve);
        }
        for (size_t i = 0; i < part; i++) {
            guesses[i] = cheq_place_guess(values[i], &line);
        }
        size_t i = 0;
#ifdef CHEQ_INTERPOLATE_4
        for (; i + 4 <= part; i += 4) {
            CHEQ_FETCH(to + (i + CHEQ_FLOATS) * (size_t)to_bytes, 1);
            if (CHEQ_RARELY(!CHEQ_INTERPOLATE_4(values + i, guesses + i, knots, to + i * (size_t)to_bytes, to_bytes))) {
                for (size_t k = i; k < i + 4; k++) {
                    cheq_put_float(to, to_bytes, k, cheq_interpolate_plain(values[k], guesses[k], knots));
                }
            }
        }
#endif
        for (; i < part; i++) {
            cheq_put_float(to, to_bytes, i, cheq_interpolate_plain(values[i], guesses[i], knots));
        }
    }
}

CHEQ_ATTRIBUTES static void CHEQ_NAME(interpolate)(const uint8_t *pixels, int bytes, uint8_t *to, int to_bytes, size_t n,
                                                   const cheq_curve *curve) {
    if (!curve->plain) {
        for (size_t i = 0; i < n; i++) {
            const double x = cheq_float_at(pixels, bytes, i);
            cheq_put_float(to, to_bytes, i, cheq_interpolate_searching(x, curve));
        }
    } else if (bytes == 8) {
        CHEQ_NAME(interpolate_of)(pixels, 8, to, 8, n, curve);
    } else if (to_bytes == 8) {
        CHEQ_NAME(interpolate_of)(pixels, 4, to, 8, n, curve);
    } else {
        CHEQ_NAME(interpolate_of)(pixels, 4, to, 4, n, curve);
    }
}
