/* A pool of stacks for the suites of coro/stack/stack.c and coro/stack/slab.c, and what they
 * look at. */
#ifndef TESTS_CORO_STACK_STACK_FIXTURE_H
#define TESTS_CORO_STACK_STACK_FIXTURE_H

#include "coro/stack/stack.h"

/* What the scheduler has at the top of each stack, roughly. */
#define HEAD_BYTES 500
/* The frames of a parked task. */
#define PARKED_BYTES 700

#if !defined(BIGHT_ASAN) && !defined(BIGHT_TSAN) && !defined(BIGHT_VALGRIND)
#define PLAIN 1 /* mappings and limits are ours alone */
#endif

extern struct bight_stackpool pool;

void open_pool(size_t cache_max, const struct bight_seams *seams);
/* Asserts that all stacks were put back. */
void close_pool(void);
/* A stack; a failure fails the test. */
struct bight_stack *get(size_t bytes);
/* Write the `depth` bytes below the record. */
void use_down_to(struct bight_stack *stack, size_t depth);
/* End of the stack: its last page is the one with the record. */
char *end_of(const struct bight_stack *stack);
/* Pages of [low, high) that are resident. */
size_t resident(const char *low, const char *high);

#endif
