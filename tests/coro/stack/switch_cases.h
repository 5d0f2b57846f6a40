/* What must hold of every switch, as plain functions: the suite runs them natively, a small program
 * without Check under an emulator. Also the smallest possible user of coro/stack/context.h and
 * coro/stack/stack.h, for other suites. */
#ifndef TESTS_CORO_STACK_SWITCH_CASES_H
#define TESTS_CORO_STACK_SWITCH_CASES_H

#include "coro/stack/stack.h"

struct switch_case {
    const char *name;
    const char *(*run)(void); /* NULL, or what is wrong */
};

extern const struct switch_case switch_cases[];
extern const int switch_case_count;

/* A coroutine that is resumed by the thread's own stack only. */
struct coroutine {
    struct bight_stack stack;
    void (*fn)(struct coroutine *self);
    void *arg;
    bool done;
};

void coroutines_open(size_t cache_max);
void coroutines_close(void);
struct coroutine *coroutine_new(void (*fn)(struct coroutine *self), void *arg);
/* Run it until it yields or ends. */
void coroutine_resume(struct coroutine *co);
void coroutine_yield(struct coroutine *co);
/* Back to the pool; it need not have ended. */
void coroutine_free(struct coroutine *co);
extern struct bight_stackpool coroutine_pool;
/* The function that each coroutine's backtrace ends in, but for what starts it. */
void coroutine_entry(void *arg);

#endif
