/* What the fuzz targets share. Each defines LLVMFuzzerTestOneInput and gives one parser bytes
 * from outside. libFuzzer drives it where BIGHT_FUZZ is on, replay.c in the usual test run. A
 * property that does not hold ends the program: the input that did it is the report. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(property)                                                                       \
    do {                                                                                           \
        if (!(property))                                                                           \
            fuzz_fail(__FILE__, __LINE__, #property);                                              \
    } while (0)

static inline void fuzz_fail(const char *file, int line, const char *property)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, property);
    abort();
}

/* The bytes up to the first NUL as a string of its own, so that a read beyond its end is seen.
 * Gives it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    size_t bytes = strnlen((const char *)data, size);
    char *text = malloc(bytes + 1);

    FUZZ_CHECK(text);
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    return text;
}

#endif
