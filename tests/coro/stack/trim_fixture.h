/* A pool of stacks that is trimmed, for the suites of coro/stack/trim.c. */
#ifndef TESTS_CORO_STACK_TRIM_FIXTURE_H
#define TESTS_CORO_STACK_TRIM_FIXTURE_H

#include "tests/coro/stack/stack_fixture.h"

#define FEW 8
#define MANY 3000
#define TICK BIGHT_STACK_TRIM_NS

/* How often the pool was crowded since it was opened. */
extern unsigned crowds;
extern struct bight_stack *stacks[MANY];

/* `pool`, which is crowded by more than FEW warm stacks. */
void open_trimmed(const struct bight_seams *seams);
/* Get, or put back, the first `count` of `stacks`, and use each as a parked task does. */
void get_all(int count, size_t bytes);
void put_all(int count);
/* Both. */
void burst(int count);
/* How many of those that were the first `count` of `stacks` have their last page resident. */
int resident_of(int count);
/* Trim until that is over, or there is nothing more to do before the next tick. */
bool trim_goes_on(void);

#endif
