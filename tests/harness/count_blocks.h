/* Counting memory between the layers and libc, for programs linked with --wrap for malloc, calloc,
 * realloc and free. Uses no stdio, because our own memory must not be counted. */
#ifndef TESTS_HARNESS_COUNT_BLOCKS_H
#define TESTS_HARNESS_COUNT_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

/* Begin to count libuv's blocks too; call it before the first use of libuv. */
void count_blocks_of_libuv(void);

/* Blocks of memory held by bight, the test and, if asked for, libuv. Check's own messages are not
 * balanced: when comparing, let no ck_assert run in between. */
long counted_blocks(void);

/* Count the blocks that this thread takes while `*window` is true, from now on; NULL to stop. */
void count_taken_while(const _Atomic bool *window);

/* How many there were. */
size_t counted_taken(void);

#endif
