/* The unwind rules of coro/switch_x86_64.S, at each instruction: the processor's trap flag stops after
 * every one, and the handler unwinds from there, to a frame whose registers it knows. A profiler or a
 * debugger may stop anywhere in the switch. x86-64 only, without instrumentation. */
#include <signal.h>
#include <string.h>
#include <sys/ucontext.h>
#include <unwind.h>

#include "tests/registers.h"
#include "tests/support.h"
#include "tests/switch_cases.h"

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
static bool stepping;

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
    if (at < (uintptr_t)bight__switch || at >= (uintptr_t)bight__switch + 64)
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

static void set_trap_flag(bool on)
{
    stepping = on;
    /* Beyond the red zone, which the compiler may be using. */
    if (on)
        __asm__ volatile("sub $128, %%rsp; pushfq; orq $0x100, (%%rsp); popfq; add $128, %%rsp" ::
                             : "memory", "cc");
    else
        __asm__ volatile("sub $128, %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; add $128, %%rsp" ::
                             : "memory", "cc");
}

static void yield_once(void *arg)
{
    coroutine_yield(arg);
}

static uint64_t changed;

static void yield_twice(struct coroutine *self)
{
    changed |= test_registers(COROUTINE_SEED, yield_once, self);
    changed |= test_registers(COROUTINE_SEED, yield_once, self);
}

static void step_into(void *arg)
{
    set_trap_flag(true);
    coroutine_resume(arg);
    set_trap_flag(false);
}

START_TEST(every_instruction_of_the_switch_unwinds)
{
    struct coroutine *co = coroutine_new(yield_twice, NULL);
    struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    struct walk walk = {0};

    _Unwind_Backtrace(look, &walk); /* its first use may load and allocate */
    coroutine_resume(co);
    ck_assert_int_eq(sigaction(SIGTRAP, &action, NULL), 0);
    changed |= test_registers(THREAD_SEED, step_into, co);
    action = (struct sigaction){.sa_handler = SIG_DFL};
    ck_assert_int_eq(sigaction(SIGTRAP, &action, NULL), 0);
    coroutine_resume(co);
    ck_assert(co->done);
    coroutine_free(co);

    ck_assert_msg(bad_steps == 0, "%d of %d steps do not unwind, the first at byte %lu", bad_steps,
                  steps, (unsigned long)first_bad);
    /* There and back, nothing left out. */
    ck_assert_int_ge(steps, 2 * 16);
    ck_assert_uint_eq(seeds_seen, 3);
    ck_assert_uint_eq(changed, 0);
}
END_TEST

static void open_pool(void)
{
    coroutines_open(4);
}

static void close_pool(void)
{
    coroutines_close();
}

int main(void)
{
    Suite *suite = suite_create("switch_cfi");
    TCase *tc = tcase_create("switch_cfi");
    tcase_add_checked_fixture(tc, open_pool, close_pool);
    tcase_add_test(tc, every_instruction_of_the_switch_unwinds);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
