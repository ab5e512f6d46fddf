/* Memory between pages that cannot be touched, and arrays placed in it. */
#ifndef CHEQ_TEST_MEMORY_H
#define CHEQ_TEST_MEMORY_H

#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS; the name is the C library's. NOLINT(bugprone-reserved-identifier,cert-dcl*) */
#endif

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define CHEQ_TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHEQ_TEST_ASAN 1
#endif
#endif

/* Under AddressSanitizer and valgrind the gap between an array and the page cannot be touched either; in
 * front of the array only up to the last multiple of eight. Valgrind sees each byte. */
#ifdef CHEQ_TEST_ASAN
#include <sanitizer/asan_interface.h>
#define HIDE(from, bytes) __asan_poison_memory_region(from, bytes)
#define SHOW(from, bytes) __asan_unpoison_memory_region(from, bytes)
#elif defined(CHEQ_TEST_VALGRIND)
#include <valgrind/memcheck.h>
#define HIDE(from, bytes) (void)VALGRIND_MAKE_MEM_NOACCESS(from, bytes)
#define SHOW(from, bytes) (void)VALGRIND_MAKE_MEM_DEFINED(from, bytes)
#else
#define HIDE(from, bytes) ((void)(from), (void)(bytes))
#define SHOW(from, bytes) ((void)(from), (void)(bytes))
#endif

enum { PATTERN = 0xA5, AROUND = 64 };

typedef struct {
    uint8_t *begin;
    size_t size;
} room;

/* Where in a room an array lies: `gap` bytes behind the first page, or before the last. */
typedef struct {
    int at_end;
    size_t gap;
} place;

static void stop(const char *what) {
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

static room room_of(size_t bytes) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t size = (bytes + AROUND + page - 1) / page * page;
    uint8_t *pages = mmap(NULL, size + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages, page, PROT_NONE) || mprotect(pages + page + size, page, PROT_NONE)) {
        stop("no memory with guard pages");
    }
    room made = {pages + page, size};
    return made;
}

/* An array of so many bytes; all else in the room is hidden. */
static uint8_t *array_in(room in, place at, size_t bytes) {
    uint8_t *array = at.at_end ? in.begin + in.size - at.gap - bytes : in.begin + at.gap;
    if (at.gap + bytes > in.size) {
        stop("the room is too small for an array");
    }
    HIDE(in.begin, in.size);
    SHOW(array, bytes);
    return array;
}

static uint8_t *input_in(room in, place at, const void *values, size_t bytes) {
    return memcpy(array_in(in, at, bytes), values, bytes);
}

/* Of the bytes beside an array: those to look at, at most AROUND on each side. */
static uint8_t *around(room in, const uint8_t *array, size_t bytes, size_t *length) {
    uint8_t *begin = (size_t)(array - in.begin) < AROUND ? in.begin : (uint8_t *)array - AROUND;
    uint8_t *end = in.begin + in.size, *wanted = (uint8_t *)array + bytes + AROUND;
    *length = (size_t)((wanted < end ? wanted : end) - begin);
    return begin;
}

/* An array to be written. It and what is beside it hold PATTERN. */
static uint8_t *result_in(room in, place at, size_t bytes) {
    size_t length;
    SHOW(in.begin, in.size);
    uint8_t *array = array_in(in, at, bytes), *begin = around(in, array, bytes, &length);
    SHOW(begin, length);
    memset(begin, PATTERN, length);
    return array_in(in, at, bytes);
}

/* Does the array hold these bytes, and what is beside it still PATTERN? */
static int result_is(room in, const uint8_t *array, const void *values, size_t bytes) {
    size_t length, different = 0;
    uint8_t *begin = around(in, array, bytes, &length);
    SHOW(begin, length);
    for (const uint8_t *at = begin; at < begin + length; at++) {
        different += (at < array || at >= array + bytes) && *at != PATTERN;
    }
    return different == 0 && memcmp(array, values, bytes) == 0;
}

#endif
