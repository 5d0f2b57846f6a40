/* For fuzz targets of what needs a task: a runtime for each input, and texts that grow. Link
 * run.c. */
#ifndef TESTS_FUZZ_RUN_H
#define TESTS_FUZZ_RUN_H

#include <bight.h>

#include "tests/fuzz/fuzz.h"

/* Larger inputs are passed over by the targets that use this. */
#define FUZZ_RUN_BYTES 8192u

/* Run `fn` as the main task of a runtime, in virtual time; it must return 0. */
void fuzz_run(int (*fn)(void *arg), void *arg);

/* All zero is empty; free `data`. */
struct fuzz_buffer {
    char *data;
    size_t bytes, room;
};

/* From then on `data` is not NULL, even for no bytes. */
void fuzz_put(struct fuzz_buffer *buffer, const void *data, size_t bytes);
/* A string with its NUL; NULL is as "". */
void fuzz_put_text(struct fuzz_buffer *buffer, const char *text);
bool fuzz_same(const struct fuzz_buffer *one, const struct fuzz_buffer *other);

#endif
