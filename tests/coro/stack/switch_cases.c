/* See switch_cases.h. */
#include "tests/coro/stack/switch_cases.h"

#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

#include "tests/coro/stack/registers.h"

struct bight_stackpool coroutine_pool;
static struct bight_context thread;

void coroutines_open(size_t cache_max)
{
    const struct bight_stackpool_config config = {.head_bytes = sizeof(struct coroutine),
                                                  .cache_max = cache_max};
    if (bight__stackpool_init(&coroutine_pool, &config, NULL))
        abort();
    bight__context_thread_init(&thread);
}

void coroutines_close(void)
{
    bight__context_thread_fini(&thread);
    bight__stackpool_destroy(&coroutine_pool);
}

BIGHT__NEVER_LEFT void coroutine_entry(void *arg)
{
    struct coroutine *co = arg;

    bight__context_arrive(&co->stack.context);
    co->fn(co);
    co->done = true;
    bight__context_depart_for_ever(&thread);
    bight__switch(&co->stack.context.sp, thread.sp);
    __builtin_trap();
}

struct coroutine *coroutine_new(void (*fn)(struct coroutine *self), void *arg)
{
    struct bight_stack *stack;

    if (bight__stack_get(&coroutine_pool, 0, &stack))
        abort();
    struct coroutine *co = (struct coroutine *)stack;
    co->fn = fn;
    co->arg = arg;
    co->done = false;
    co->stack.context.sp = bight__switch_prepare(stack->lo, co, coroutine_entry, co);
    return co;
}

void coroutine_resume(struct coroutine *co)
{
    bight__context_switch(&thread, &co->stack.context);
}

void coroutine_yield(struct coroutine *co)
{
    bight__context_switch(&co->stack.context, &thread);
}

void coroutine_free(struct coroutine *co)
{
    bight__stack_put(&coroutine_pool, &co->stack);
}

/* Registers: two coroutines and the thread fill them with different values before each switch. */

static void yield_once(void *arg)
{
    coroutine_yield(arg);
}

static uint64_t changed;

static void fill_and_yield(struct coroutine *self)
{
    const uint64_t *seed = self->arg;

    for (uint64_t i = 0; i < 100; i++)
        changed |= test_registers(*seed + i, yield_once, self);
}

static void resume_once(void *arg)
{
    coroutine_resume(arg);
}

static const char *registers_survive(void)
{
    static const uint64_t seeds[2] = {0x1111000000000000u, 0x2222000000000000u};
    static char text[64];
    struct coroutine *co[2];

    changed = 0;
    for (int i = 0; i < 2; i++)
        co[i] = coroutine_new(fill_and_yield, (void *)(uintptr_t)&seeds[i]);
    for (uint64_t i = 0; !co[0]->done || !co[1]->done; i++)
        changed |= test_registers(0x3333000000000000u + i, resume_once, co[i % 2]);
    coroutine_free(co[0]);
    coroutine_free(co[1]);
    snprintf(text, sizeof text, "registers changed: mask %llx", (unsigned long long)changed);
    return changed ? text : NULL;
}

/* The entry's frame. */

static const char *frame_problem;

static void look_at_frame(struct coroutine *self)
{
    volatile double value = 1.0 / 3;
    char text[16];

    if ((uintptr_t)__builtin_frame_address(0) % 16)
        frame_problem = "frames are not aligned to 16 bytes";
    /* glibc saves vector registers to aligned slots when a double is printed. */
    snprintf(text, sizeof text, "%.3f", value);
    if (strcmp(text, "0.333") != 0)
        frame_problem = "floating point does not work";
    if (self->arg != &coroutine_pool)
        frame_problem = "argument lost";
#ifndef BIGHT_ASAN /* may keep locals elsewhere */
    if (text < self->stack.lo || text >= (char *)self)
        frame_problem = "does not run on its stack";
#endif
}

static const char *frame_is_right(void)
{
    frame_problem = NULL;
    struct coroutine *co = coroutine_new(look_at_frame, &coroutine_pool);
    coroutine_resume(co);
    if (!co->done)
        frame_problem = "did not end";
    coroutine_free(co);
    return frame_problem;
}

/* Backtraces. */

struct trace {
    int frames;
    int entry; /* which frame coroutine_entry was; -1: none */
};

static _Unwind_Reason_Code trace_frame(struct _Unwind_Context *context, void *arg)
{
    struct trace *trace = arg;
    const uintptr_t at = (uintptr_t)_Unwind_GetIP(context);

    if (at && _Unwind_FindEnclosingFunction((void *)(at - 1)) == (void *)coroutine_entry)
        trace->entry = trace->frames;
    return ++trace->frames < 100 ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

static void take_trace(struct coroutine *self)
{
    struct trace *trace = self->arg;

    coroutine_yield(self);
    _Unwind_Backtrace(trace_frame, trace);
}

static const char *backtrace_ends(void)
{
    struct trace trace = {0, -1};
    struct coroutine *co = coroutine_new(take_trace, &trace);

    while (!co->done)
        coroutine_resume(co);
    coroutine_free(co);
    if (trace.frames >= 100)
        return "the backtrace does not end";
    if (trace.entry < 0)
        return "the backtrace ends before the entry";
    /* The trampoline, and for ucontext the C library's own. */
    if (trace.frames - trace.entry > 3)
        return "the backtrace goes on after the entry";
    return NULL;
}

/* Floating-point control. */

/* A seventh, in vector registers and in the x87's, since nearest is below it in each format.
 * Through volatile, because compilers move arithmetic across calls that change its rounding. */
static volatile double seventh;
static volatile long double seventh_long;

static void divide(void)
{
    static volatile double one = 1;
    static volatile long double one_long = 1;

    seventh = one / 7;
    seventh_long = one_long / 7;
}

static const char *float_control_is_saved(void)
{
    struct bight_float_control outer;
    struct bight_float_control upward;
    const char *problem = NULL;

    bight__float_control_save(&outer);
    divide();
    const double near = seventh;
    const long double near_long = seventh_long;
    if (fesetround(FE_UPWARD))
        return "no FE_UPWARD here";
    bight__float_control_save(&upward);
    divide();
    const double above = seventh;
    const long double above_long = seventh_long;
#ifndef BIGHT_VALGRIND /* which rounds all arithmetic to nearest */
    if (above <= near || above_long <= near_long)
        problem = "the direction of rounding has no effect";
#endif

    bight__float_control_load(&outer);
    divide();
    if (fegetround() != FE_TONEAREST || seventh != near || seventh_long != near_long)
        problem = "loading the old control words did not restore them";
    for (int i = 0; i < 2; i++) { /* the second time nothing differs */
        bight__float_control_load(&upward);
        divide();
        if (fegetround() != FE_UPWARD || seventh != above || seventh_long != above_long)
            problem = "loading the new control words did not set them";
    }
    bight__float_control_load(&outer);
    return problem;
}

/* Many. */

static void count_up(struct coroutine *self)
{
    long *count = self->arg;

    for (;;) {
        ++*count;
        coroutine_yield(self);
    }
}

static const char *million_switches(void)
{
    const long rounds = 500000;
    long count = 0;
    struct coroutine *co = coroutine_new(count_up, &count);

    for (long i = 0; i < rounds; i++)
        coroutine_resume(co);
    coroutine_free(co); /* in the middle of its loop */
    return count == rounds ? NULL : "lost a switch";
}

static void nothing(struct coroutine *self)
{
    (void)self;
}

/* More often than ThreadSanitizer's stack of calls is deep: see BIGHT__NEVER_LEFT. */
static const char *stack_has_many_lives(void)
{
    for (int i = 0; i < 100000; i++) {
        struct coroutine *co = coroutine_new(nothing, NULL);
        coroutine_resume(co);
        if (!co->done)
            return "did not end";
        coroutine_free(co);
    }
    return NULL;
}

const struct switch_case switch_cases[] = {
    {"callee-saved registers survive", registers_survive},
    {"the entry has an aligned frame on its stack", frame_is_right},
    {"backtraces end at the entry", backtrace_ends},
    {"float control words are saved and loaded", float_control_is_saved},
    {"a million switches", million_switches},
    {"one stack has a hundred thousand lives", stack_has_many_lives},
};
const int switch_case_count = (int)(sizeof switch_cases / sizeof switch_cases[0]);
