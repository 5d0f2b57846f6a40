/* Counting memory between the layers and libc: for programs linked with --wrap for malloc, calloc,
 * realloc and free. No stdio: what is counted must not be our own. */
#ifndef TESTS_HARNESS_COUNT_BLOCKS_H
#define TESTS_HARNESS_COUNT_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

/* Begin to count libuv's blocks too; before the first use of libuv. */
void count_blocks_of_libuv(void);

/* Blocks of memory held by bight, the test and, if asked for, libuv. Check's own messages are not
 * balanced: compare with no ck_assert between that can run. */
long counted_blocks(void);

/* From now on count the blocks that this thread takes while `*window` is true; NULL to stop. */
void count_taken_while(const bool *window);

/* How many those were. */
size_t counted_taken(void);

#endif
