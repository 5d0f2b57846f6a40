/* coro/stack/context.h and the switch behind it. The cases that hold for every platform are in
 * switch_cases.c; here are those that need a process of their own: what the sanitizers see. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/coro/stack/registers.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/coro/stack/switch_cases.h"

static void open_pool(void)
{
    coroutines_open(4);
}

static void close_pool(void)
{
    ck_assert_uint_eq(coroutine_pool.used, 0);
    coroutines_close();
}

static void holds_of_every_switch(int i)
{
    const char *problem = switch_cases[i].run();
    ck_assert_msg(!problem, "%s: %s", switch_cases[i].name, problem);
}

static void switch_has_a_name_and_fills_registers(void)
{
    ck_assert(strcmp(bight__switch_name, "x86-64") == 0 ||
              strcmp(bight__switch_name, "aarch64") == 0 ||
              strcmp(bight__switch_name, "ucontext") == 0);
#if defined(__x86_64__) || defined(__aarch64__)
    ck_assert_uint_gt(test_registers_filled, 0);
#endif
}

/* The fixture has made and used the first pair. */
static void thread_context_can_be_made_again(void)
{
    for (int i = 0; i < 3; i++) {
        coroutines_close();
        coroutines_open(1);
        const char *problem = switch_cases[1].run();
        ck_assert_msg(!problem, "%s", problem);
    }
}

static void yield_deep(struct coroutine *self, int depth)
{
    volatile char frame[512];

    memset((char *)(uintptr_t)frame, depth, sizeof frame);
    if (depth > 0)
        yield_deep(self, depth - 1);
    else
        coroutine_yield(self);
    frame[0] = 1;
}

static void go_deep(struct coroutine *self)
{
    yield_deep(self, 50);
}

static void write_all(struct coroutine *self)
{
    volatile char frame[8192];

    memset((char *)(uintptr_t)frame, 1, sizeof frame);
    (void)self;
}

/* The red zones of frames that were never left must not be taken for the new user's. */
static void stack_abandoned_in_mid_frame_is_as_good_as_new(void)
{
    for (int i = 0; i < 20; i++) {
        struct coroutine *co = coroutine_new(i % 2 ? write_all : go_deep, NULL);
        coroutine_resume(co);
        ck_assert_int_eq(co->done, i % 2);
        coroutine_free(co);
    }
    ck_assert_uint_eq(coroutine_pool.cached, 1);
}

#ifdef BIGHT_ASAN
/* LeakSanitizer runs when a process exits, on whatever stack that is. */

static int exit_status_of(void (*fn)(void))
{
    int status;
    const pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(STDERR_FILENO); /* reports are expected of some */
        fn();
        exit(0);
    }
    ck_assert_int_eq(test_waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void hold_and_yield(struct coroutine *self)
{
    char *volatile memory = malloc(777);

    memory[0] = 1;
    coroutine_yield(self);
    free(memory);
}

static void leave_parked(void)
{
    struct coroutine *co = coroutine_new(hold_and_yield, NULL);
    coroutine_resume(co);
}

static void leave_abandoned(void)
{
    struct coroutine *co = coroutine_new(hold_and_yield, NULL);
    coroutine_resume(co);
    coroutine_free(co);
}

static void exit_here(struct coroutine *self)
{
    (void)self;
    exit(0);
}

static void leave_from_coroutine(void)
{
    char *volatile memory = malloc(777);

    memory[0] = 1;
    coroutine_resume(coroutine_new(exit_here, NULL));
    free(memory);
}

static void what_a_parked_stack_holds_is_no_leak(void)
{
    ck_assert_int_eq(exit_status_of(leave_parked), 0);
}

static void what_a_cached_stack_held_is_a_leak(void)
{
    ck_assert_int_ne(exit_status_of(leave_abandoned), 0);
}

static void what_the_thread_holds_is_no_leak_while_a_coroutine_runs(void)
{
    ck_assert_int_eq(exit_status_of(leave_from_coroutine), 0);
}
#endif

static const struct suite_case cases[] = {
    each_counted(holds_of_every_switch, switch_case_count),
    plain_case(switch_has_a_name_and_fills_registers),
    plain_case(thread_context_can_be_made_again),
    plain_case(stack_abandoned_in_mid_frame_is_as_good_as_new),
#ifdef BIGHT_ASAN
    plain_case(what_a_parked_stack_holds_is_no_leak),
    plain_case(what_a_cached_stack_held_is_a_leak),
    plain_case(what_the_thread_holds_is_no_leak_while_a_coroutine_runs),
#endif
};

test_suite("context", cases, .setup = open_pool, .teardown = close_pool);
