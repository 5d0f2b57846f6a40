/* The bare context switch, as coro/sched.c inlines it: two stacks that go back and forth. Beside it
 * the extern symbol, which a compiler cannot inline. Baseline: a call and return by pointer. */
#include "bench/bench.h"
#include "coro/switch_here.h"

#include <stdlib.h>

#define ROUNDS 2000000u
#define STACK_BYTES ((size_t)16 << 10)

static void *loop_sp, *other_sp;

/* Outside of static functions for what switch_here.h says of gcc's ipa-reference. */
SWITCHES void bench_switch_back(void *arg);
SWITCHES double bench_switch_inlined(void *arg);

SWITCHES void bench_switch_back(void *arg)
{
    (void)arg;
    for (;;)
        bight__switch_here(&other_sp, loop_sp);
}

SWITCHES double bench_switch_inlined(void *stack)
{
    uint64_t begin;

    other_sp = bight__switch_prepare(stack, (char *)stack + STACK_BYTES, bench_switch_back, NULL);
    begin = bench_thread_ns();
    for (unsigned i = 0; i < ROUNDS; i++)
        bight__switch_here(&loop_sp, other_sp);
    return (double)(bench_thread_ns() - begin) / (2.0 * ROUNDS);
}

static void other_called(void *arg)
{
    (void)arg;
    for (;;)
        bight__switch(&other_sp, loop_sp);
}

static double switch_called(void *stack)
{
    uint64_t begin;

    other_sp = bight__switch_prepare(stack, (char *)stack + STACK_BYTES, other_called, NULL);
    begin = bench_thread_ns();
    for (unsigned i = 0; i < ROUNDS; i++)
        bight__switch(&loop_sp, other_sp);
    return (double)(bench_thread_ns() - begin) / (2.0 * ROUNDS);
}

static BENCH_OPAQUE void callee(void)
{
}

static double call(void *arg)
{
    void (*volatile target)(void) = callee;
    uint64_t begin = bench_thread_ns();

    (void)arg;
    for (unsigned i = 0; i < 4 * ROUNDS; i++)
        target();
    return (double)(bench_thread_ns() - begin) / (4.0 * ROUNDS);
}

int main(void)
{
    static const struct bench_row row = {"switch", "ns", "indirect call and return"};
    static const struct bench_row called = {"switch_called", "ns", "indirect call and return"};
    void *stack = aligned_alloc(64, STACK_BYTES);

    if (!stack)
        return 1;
    bench_compare(&row, bench_switch_inlined, call, stack);
    bench_compare(&called, switch_called, call, stack);
    free(stack);
    return 0;
}
