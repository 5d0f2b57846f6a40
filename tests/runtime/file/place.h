/* A directory of its own for a test, with what the suites of files ask of it. */
#ifndef TESTS_RUNTIME_FILE_PLACE_H
#define TESTS_RUNTIME_FILE_PLACE_H

#include <stddef.h>

#define PLACE_PATH_BYTES 512

/* Make it, and take it away with all that is in it: setup and teardown of a suite. */
void place_make(void);
void place_remove(void);

const char *place_root(void);
/* The path of `name` in it; the text is good for the next three calls. */
const char *place_path(const char *name);
/* Write, and read, without bight. */
void place_put(const char *name, const char *text);
const char *place_get(const char *name);
/* How many names are in the directory `name` of it. */
int place_count(const char *name);

#endif
