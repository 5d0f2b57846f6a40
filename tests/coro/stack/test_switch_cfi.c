/* The unwind rules of coro/stack/switch_x86_64.S and of the scheduler around
 * coro/stack/switch_here.h, at each instruction: the processor's trap flag stops after every
 * one, and the handler unwinds from there. A profiler or a debugger may stop anywhere. x86-64
 * only, without instrumentation. */
#include <bight.h>

#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unwind.h>

#include "tests/coro/stack/registers.h"
#include "tests/harness/suite.h"
#include "tests/coro/stack/switch_cases.h"

#define THREAD_SEED 0x1000000u
#define COROUTINE_SEED 0x2000000u

/* DWARF numbers of what test_registers fills, in its order. */
static const int registers[] = {3, 6, 12, 13, 14, 15};

struct walk {
    bool filled_seen;
    bool ended_in_entry;
    bool registers_right;
    uint64_t seed;
    int frames;
};

/* Filled by the handler. */
static int steps;
static int bad_steps;
static uintptr_t first_bad;
static unsigned seeds_seen; /* bit 0: the thread's, bit 1: the coroutine's */

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *arg)
{
    struct walk *walk = arg;
    const uintptr_t at = (uintptr_t)_Unwind_GetIP(context);
    void *function = at ? _Unwind_FindEnclosingFunction((void *)(at - 1)) : NULL;

    if (function == (void *)test_registers && !walk->filled_seen) {
        walk->filled_seen = true;
        walk->registers_right = true;
        walk->seed = _Unwind_GetGR(context, registers[0]) - 1;
        for (unsigned i = 0; i < sizeof registers / sizeof registers[0]; i++)
            if (_Unwind_GetGR(context, registers[i]) != walk->seed + 1 + i)
                walk->registers_right = false;
    }
    if (function == (void *)coroutine_entry)
        walk->ended_in_entry = true;
    return ++walk->frames < 200 ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

static void on_step(int number, siginfo_t *info, void *context)
{
    const ucontext_t *machine = context;
    const uintptr_t at = (uintptr_t)machine->uc_mcontext.gregs[REG_RIP];
    struct walk walk = {0};

    (void)number;
    (void)info;
    /* The file has the one right behind the other. */
    if (at < (uintptr_t)bight__switch || at >= (uintptr_t)bight__switch_prepare)
        return;
    _Unwind_Backtrace(look, &walk);
    steps++;
    const bool on_coroutine = walk.seed == COROUTINE_SEED;
    seeds_seen |= on_coroutine ? 2u : walk.seed == THREAD_SEED ? 1u : 0u;
    if (walk.frames >= 200 || !walk.filled_seen || !walk.registers_right ||
        (walk.seed != THREAD_SEED && !on_coroutine) || walk.ended_in_entry != on_coroutine) {
        bad_steps++;
        if (!first_bad)
            first_bad = at - (uintptr_t)bight__switch;
    }
}

static void yield_once(void *arg)
{
    coroutine_yield(arg);
}

static uint64_t changed;

static void fill_and_yield(struct coroutine *self)
{
    changed |= test_registers(COROUTINE_SEED, yield_once, self);
    changed |= test_registers(COROUTINE_SEED, yield_once, self);
}

static void step_into(void *arg)
{
    test_trap_on();
    coroutine_resume(arg);
    test_trap_off();
}

static void every_instruction_of_the_switch_unwinds(void)
{
    struct coroutine *co = coroutine_new(fill_and_yield, NULL);
    struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    struct walk walk = {0};

    _Unwind_Backtrace(look, &walk); /* its first use may load and allocate */
    ck_assert_int_eq(sigaction(SIGTRAP, &action, NULL), 0);
    /* To a stack that is new, then to one that was stopped, and back each time. It ends
     * unwatched. */
    changed |= test_registers(THREAD_SEED, step_into, co);
    changed |= test_registers(THREAD_SEED, step_into, co);
    action = (struct sigaction){.sa_handler = SIG_DFL};
    ck_assert_int_eq(sigaction(SIGTRAP, &action, NULL), 0);
    coroutine_resume(co);
    ck_assert(co->done);
    coroutine_free(co);

    ck_assert_msg(bad_steps == 0, "%d of %d steps do not unwind, the first at byte %lu", bad_steps,
                  steps, (unsigned long)first_bad);
    /* Four switches, nothing left out. */
    ck_assert_int_ge(steps, 4 * 20 - 10);
    ck_assert_uint_eq(seeds_seen, 3);
    ck_assert_uint_eq(changed, 0);
}

/* The same around a yield of tasks, whatever is called on the way: each backtrace goes to one
 * task's function or to the one that runs the loop, and not beyond. */

struct ends {
    int frames;
    int one;
    int other;
    int loop;
};

static int yield_watched(void *arg)
{
    int rc = bight_yield();

    (void)arg;
    test_trap_on();
    for (int i = 0; i < 3; i++)
        rc |= bight_yield();
    test_trap_off();
    return rc;
}

static int yield_along(void *arg)
{
    int rc = 0;

    (void)arg;
    for (int i = 0; i < 6; i++)
        rc |= bight_yield();
    return rc;
}

static int run_both(void *arg)
{
    struct bight_task *one;
    struct bight_task *other;
    int rc = bight_spawn(&one, yield_watched, arg);

    if (rc)
        return rc;
    rc = bight_spawn(&other, yield_along, arg);
    if (rc)
        return rc;
    rc = bight_join(one, NULL);
    return rc ? rc : bight_join(other, NULL);
}

__attribute__((noinline)) static int run_loop(void)
{
    const int rc = bight_run(run_both, NULL);

    __asm__ volatile(""); /* no tail call: the frame must stay */
    return rc;
}

static _Unwind_Reason_Code look_for_ends(struct _Unwind_Context *context, void *arg)
{
    struct ends *ends = arg;
    const uintptr_t at = (uintptr_t)_Unwind_GetIP(context);
    void *function = at ? _Unwind_FindEnclosingFunction((void *)(at - 1)) : NULL;

    ends->one |= function == (void *)yield_watched;
    ends->other |= function == (void *)yield_along;
    ends->loop |= function == (void *)run_loop;
    return ++ends->frames < 200 ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

static int steps_of[3];

static void on_any_step(int number, siginfo_t *info, void *context)
{
    const ucontext_t *machine = context;
    struct ends ends = {0};

    (void)number;
    (void)info;
    _Unwind_Backtrace(look_for_ends, &ends);
    steps++;
    steps_of[0] += ends.one;
    steps_of[1] += ends.other;
    steps_of[2] += ends.loop;
    if (ends.frames < 200 && ends.one + ends.other + ends.loop == 1)
        return;
    bad_steps++;
    if (!first_bad)
        first_bad = (uintptr_t)machine->uc_mcontext.gregs[REG_RIP];
}

static void every_instruction_of_a_yield_unwinds(void)
{
    struct sigaction action = {.sa_sigaction = on_any_step, .sa_flags = SA_SIGINFO};
    struct ends ends = {0};

    _Unwind_Backtrace(look_for_ends, &ends);
    ck_assert_int_eq(sigaction(SIGTRAP, &action, NULL), 0);
    ck_assert_int_eq(run_loop(), 0);
    ck_assert_msg(bad_steps == 0, "%d of %d steps do not unwind, the first at %lx, park is at %lx",
                  bad_steps, steps, (unsigned long)first_bad, (unsigned long)(uintptr_t)bight_park);
    ck_assert_int_gt(steps_of[0], 50);
    ck_assert_int_gt(steps_of[1], 50);
}

static void open_pool(void)
{
    coroutines_open(4);
}

static void close_pool(void)
{
    coroutines_close();
}

static const struct suite_case cases[] = {
    plain_case(every_instruction_of_the_switch_unwinds),
    plain_case(every_instruction_of_a_yield_unwinds),
};

test_suite("switch_cfi", cases, .setup = open_pool, .teardown = close_pool);
