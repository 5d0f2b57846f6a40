/* runtime/interrupt.c: a signal that cancels main, once. In real time, since a signal is no
 * event of a virtual clock; nobody waits for time to pass. */
#include <bight.h>
#include <bight/uv.h>
#include <pthread.h>
#include <signal.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static const struct bight_runtime_options options = {.interrupt_signal = SIGUSR1};

static int seen;

static int main_busy(void *arg)
{
    (void)arg;
    raise(SIGUSR1);
    while (!seen)
        seen = bight_yield();
    return seen;
}

static enum bight_cause cause_seen;

static int main_waiting(void *arg)
{
    struct bight_cancel_cause cause;

    (void)arg;
    raise(SIGUSR1);
    seen = bight_sleep(-1); /* not taken for deadlocked */
    ck_assert(bight_cancel_get_cause(&cause));
    cause_seen = cause.kind;
    return seen;
}

static void an_interrupt_cancels_main_and_is_what_the_run_comes_to(int i)
{
    ck_code(bight_run_with(&options, i ? main_waiting : main_busy, NULL), BIGHT_EINTR);
    ck_code(seen, BIGHT_ECANCELED);
    ck_assert(!i || cause_seen == BIGHT_CAUSE_INTERRUPT);
}

static int main_swallows(void *arg)
{
    ck_code(main_waiting(arg), BIGHT_ECANCELED);
    return 42;
}

static int main_fails(void *arg)
{
    ck_code(main_waiting(arg), BIGHT_ECANCELED);
    return BIGHT_EIO;
}

static int main_returns(void *arg)
{
    (void)arg;
    return 7;
}

static void a_main_that_ends_in_another_way_has_its_result(void)
{
    ck_code(bight_run_with(&options, main_swallows, NULL), 42);
    ck_code(bight_run_with(&options, main_fails, NULL), BIGHT_EIO);
    ck_code(bight_run_with(&options, main_returns, NULL), 7);
}

static int cancel_and_raise(void *main)
{
    bight_task_cancel(main);
    raise(SIGUSR1);
    return 0;
}

static int main_cancelled(void *arg)
{
    (void)arg;
    ck_ok(bight_spawn(NULL, cancel_and_raise, bight_self()));
    int rc = bight_sleep(10000);
    ck_code(bight_shield(2, world_forever, NULL), BIGHT_ETIMEDOUT); /* long enough to be told */
    return rc;
}

static void a_main_that_is_cancelled_anyway_stays_cancelled(void)
{
    ck_code(bight_run_with(&options, main_cancelled, NULL), BIGHT_ECANCELED);
}

/* What the second arrival would do. */
static void expect_default(void)
{
    struct sigaction action;

    ck_assert_int_eq(sigaction(SIGUSR1, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_DFL);
}

static int main_looks(void *arg)
{
    ck_code(main_waiting(arg), BIGHT_ECANCELED);
    expect_default();
    return BIGHT_ECANCELED;
}

static int main_raises_twice(void *arg)
{
    (void)arg;
    raise(SIGUSR1);
    raise(SIGUSR1); /* the loop did not even get to see the first */
    return 0;
}

static void the_second_arrival_has_its_default_action(void)
{
    ck_code(bight_run_with(&options, main_looks, NULL), BIGHT_EINTR);
    expect_default();
}

static void two_arrivals_at_once_kill_the_process(void)
{
    (void)!bight_run_with(&options, main_raises_twice, NULL);
}

static int look_at_the_end(void *arg)
{
    int rc = bight_sleep(-1);

    expect_default();
    *(int *)arg = rc;
    return rc;
}

static int main_leaves_a_task(void *arg)
{
    ck_ok(bight_spawn(NULL, look_at_the_end, arg));
    return bight_sleep(1);
}

static void after_mains_end_the_signal_is_the_systems_again(void)
{
    int left = 0;

    ck_ok(bight_run_with(&options, main_leaves_a_task, &left));
    ck_code(left, BIGHT_ECANCELED);
    expect_default();
}

static void each_run_of_a_runner_can_be_interrupted(void)
{
    struct bight_runner *runner;

    ck_ok(bight_runner_open(&runner, &options));
    expect_default();
    for (int i = 0; i < 3; i++) {
        ck_code(bight_runner_run(runner, main_waiting, NULL), BIGHT_EINTR);
        ck_code(bight_runner_run(runner, main_returns, NULL), 7);
        expect_default();
    }
    ck_ok(bight_runner_end(&runner));
}

static void *run_on_a_thread(void *arg)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    ck_assert_int_eq(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    ck_code(bight_run_with(&options, main_waiting, arg), BIGHT_EINTR);
    return NULL;
}

static void any_thread_can_be_interrupted(void)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, run_on_a_thread, NULL), 0);
    pthread_join(thread, NULL);
}

static void signals_that_cannot_be_are_refused(void)
{
    struct bight_runtime_options wrong = {.interrupt_signal = SIGKILL};
    struct bight_runtime *runtime;
    uv_loop_t loop;

    ck_code(bight_run_with(&wrong, main_returns, NULL), BIGHT_EINVAL);
    wrong.interrupt_signal = -1;
    ck_code(bight_run_with(&wrong, main_returns, NULL), BIGHT_EINVAL);
    ck_ok(uv_loop_init(&loop));
    ck_code(bight_attach(&runtime, &loop, &options), BIGHT_EINVAL);
    ck_ok(uv_run(&loop, UV_RUN_DEFAULT));
    ck_ok(uv_loop_close(&loop));
    ck_ok(bight_run_with(NULL, world_add_one, &(int){0}));
}

static const struct suite_case cases[] = {
    each_case(an_interrupt_cancels_main_and_is_what_the_run_comes_to, 2),
    plain_case(a_main_that_ends_in_another_way_has_its_result),
    plain_case(a_main_that_is_cancelled_anyway_stays_cancelled),
    plain_case(the_second_arrival_has_its_default_action),
    plain_case(two_arrivals_at_once_kill_the_process, .signal = SIGUSR1),
    plain_case(after_mains_end_the_signal_is_the_systems_again),
    plain_case(each_run_of_a_runner_can_be_interrupted),
    plain_case(any_thread_can_be_interrupted),
    plain_case(signals_that_cannot_be_are_refused),
};

test_suite("interrupt", cases);
