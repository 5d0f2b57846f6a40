/* How often words are: a table whose values are numbers. Plain C, for workers and for the loop. */
#ifndef SAMPLES_OFFLOAD_WORDS_H
#define SAMPLES_OFFLOAD_WORDS_H

#include "samples/scraper/table.h"

/* A longer word is cut. */
#define WORD_BYTES_MAX 64

/* Count the words of a file: letters of ASCII, in lower case. */
BIGHT_MUST_CHECK int words_add_file(struct table *counts, const char *path);

/* Count what others have counted, in lines of "WORD TIMES"; BIGHT_EPROTOCOL for anything else. */
BIGHT_MUST_CHECK int words_add_lines(struct table *counts, const char *at, size_t bytes);

uintptr_t words_times(const struct table_entry *entry);

bool words_equal(const struct table *a, const struct table *b);

#endif
