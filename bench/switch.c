/* The bare context switch, as coro/core/sched.c inlines it: two stacks that go back and forth.
 * Beside it the extern symbol, which a compiler cannot inline. Baseline: a call by pointer. */
#include "bench/bench.h"
#include "coro/stack/switch_here.h"

#include <stdlib.h>

#include <bight/errors.h>

#define SWITCHES_A_SAMPLE 4000000u
#define STACK_BYTES ((size_t)16 << 10)

static void *loop_sp, *other_sp;

/* Not static, because of what switch_here.h says about gcc's ipa-reference. */
SWITCHES void bench_switch_back(void *arg);
SWITCHES double bench_switch_inlined(void *arg, uint64_t operations);

SWITCHES void bench_switch_back(void *arg)
{
    (void)arg;
    for (;;)
        bight__switch_here(&other_sp, loop_sp);
}

SWITCHES double bench_switch_inlined(void *arg, uint64_t operations)
{
    void *stack = *(void **)arg;
    uint64_t begin;

    other_sp = bight__switch_prepare(stack, (char *)stack + STACK_BYTES, bench_switch_back, NULL);
    begin = bench_begin();
    for (uint64_t i = 0; i < operations / 2; i++)
        bight__switch_here(&loop_sp, other_sp);
    return bench_end(begin, operations);
}

static void other_called(void *arg)
{
    (void)arg;
    for (;;)
        bight__switch(&other_sp, loop_sp);
}

static double switch_called(void *arg, uint64_t operations)
{
    void *stack = *(void **)arg;
    uint64_t begin;

    other_sp = bight__switch_prepare(stack, (char *)stack + STACK_BYTES, other_called, NULL);
    begin = bench_begin();
    for (uint64_t i = 0; i < operations / 2; i++)
        bight__switch(&loop_sp, other_sp);
    return bench_end(begin, operations);
}

static BENCH_OPAQUE void callee(void)
{
}

static double call(void *arg, uint64_t operations)
{
    void (*volatile target)(void) = callee;
    uint64_t begin = bench_begin();

    (void)arg;
    for (uint64_t i = 0; i < 2 * operations; i++)
        target();
    return bench_end(begin, 2 * operations);
}

static void *stack_memory;

static void open_stack(void *arg)
{
    *(void **)arg = aligned_alloc(64, STACK_BYTES);
    bench_check(*(void **)arg ? 0 : BIGHT_ENOMEM, "stack");
}

static void close_stack(void *arg)
{
    free(*(void **)arg);
}

static const struct bench_row rows[] = {
    {"switch", "ns", "indirect call and return", bench_switch_inlined, call, &stack_memory,
     SWITCHES_A_SAMPLE, .open = open_stack, .close = close_stack},
    {"switch_called", "ns", "indirect call and return", switch_called, call, &stack_memory,
     SWITCHES_A_SAMPLE, .open = open_stack, .close = close_stack},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
