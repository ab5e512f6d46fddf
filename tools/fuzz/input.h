/* What the targets share: choices taken from the fuzzer's bytes, arrays in memory of their own, and the verdict. */
#ifndef CHEQ_FUZZ_INPUT_H
#define CHEQ_FUZZ_INPUT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sanitizer/asan_interface.h>

/* ---- choices --------------------------------------------------------------- */

static const uint8_t *choices;
static size_t choices_left;
static uint32_t random_state;

/* A number below `limit`, at most 65536; 0 when the input has ended. */
static uint32_t choose(uint32_t limit) {
    uint32_t value = 0;
    for (uint32_t most = limit - 1; most > 0 && choices_left > 0; most >>= 8) {
        value = value << 8 | *choices++;
        choices_left--;
    }
    return value % limit;
}

static uint32_t random_bits(void) { /* xorshift: the same for the same input */
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* Fill with repeated bytes of the input, bytes of a few values, any bytes, or one byte. */
static void fill(void *array, size_t n) {
    uint8_t *to = array, kept[64];
    const uint32_t form = choose(4), many = 1 + choose(64), first = choose(256);
    for (uint32_t i = 0; i < many; i++) {
        kept[i] = (uint8_t)(form == 0 ? choose(256) : form == 1 ? random_bits() >> 8 : first);
    }
    for (size_t i = 0; i < n; i++) {
        to[i] = form == 0 ? kept[i % many] : form == 2 ? (uint8_t)(random_bits() >> 8) : kept[random_bits() % many];
    }
}

/* ---- memory ---------------------------------------------------------------- */

enum { MOST_ARRAYS = 64, PATTERN = 0xA5 };
static void *arrays[MOST_ARRAYS];
static int n_arrays;

/* An array that ends where its memory does and begins `offset` bytes behind a multiple of 16,
 * so that AddressSanitizer sees a byte too many on either side (in front, from the last
 * multiple of eight). */
static uint8_t *array_of(size_t bytes, size_t offset) {
    uint8_t *memory = malloc(offset + bytes + (offset + bytes == 0));
    if (memory == NULL || n_arrays == MOST_ARRAYS) {
        abort();
    }
    memset(memory, PATTERN, offset + bytes);
    ASAN_POISON_MEMORY_REGION(memory, offset);
    arrays[n_arrays++] = memory;
    return memory + offset;
}

/* An array of the fuzzer's values, at an offset of its choice. */
static uint8_t *filled(size_t bytes, size_t aligned) {
    uint8_t *array = array_of(bytes, choose(64) / aligned * aligned);
    fill(array, bytes);
    return array;
}

static void *copied(const void *array, size_t bytes) {
    return memcpy(array_of(bytes, 0), array, bytes);
}

static void input_begin(const uint8_t *data, size_t size) {
    choices = data;
    choices_left = size;
    random_state = 1;
    for (size_t i = 0; i < size; i++) {
        random_state = random_state * 31 + data[i];
    }
    random_state |= 1;
}

static void input_end(void) {
    while (n_arrays > 0) {
        free(arrays[--n_arrays]);
    }
}

/* ---- verdict ---------------------------------------------------------------- */

static void expect(int holds, const char *kernels, const char *what, size_t n) {
    if (!holds) {
        fprintf(stderr, "mismatch: %s of kernels \"%s\", %zu pixels\n", what, kernels, n);
        abort();
    }
}

static void expect_equal(const void *result, const void *expected, size_t bytes, const char *kernels, const char *what,
                         size_t n) {
    expect(bytes == 0 || memcmp(result, expected, bytes) == 0, kernels, what, n);
}

#endif
