/* Running main functions: what comes back, several runs, interrupts. Signals come in real time. */
#include "tests/conformance/conf.h"

#include <bight/uv.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#define F BIGHT_ERANGE
#define V BIGHT_EPIPE
#define Z BIGHT_EIO

static struct bight_runner *runner;

static int tries_to_close(void *arg)
{
    (void)arg;
    ck_code(bight_runner_end(&runner), BIGHT_EBUSY);
    ck_assert_ptr_nonnull(runner);
    ck_code(uv_loop_close(bight_uv_loop()), BIGHT_EBUSY);
    ck_ok(bight_sleep(1)); /* it still runs */
    return 7;
}

static void loop_03_what_runs_cannot_be_closed(void)
{
    ck_ok(bight_runner_open(&runner, NULL));
    ck_code(bight_runner_run(runner, tries_to_close, NULL), 7);
    ck_ok(bight_runner_end(&runner));
}

static int yields_and_returns(void *arg)
{
    ck_ok(bight_yield());
    return *(int *)arg;
}

static void runner_01_what_main_returned_comes_back(void)
{
    int fds;

    ck_ok(bight_run(world_return, &(int){0})); /* libuv's signal pipe stays */
    fds = test_open_fds();
    ck_code(bight_run(yields_and_returns, &(int){42}), 42);
    ck_assert_ptr_null(bight_uv_loop());
    ck_assert_int_eq(test_open_fds(), fds); /* the loop is closed */
}

static void runner_02_mains_failure_comes_back(void)
{
    struct world_reports reports;

    ck_code(bight_run(yields_and_returns, &(int){V}), V);
    ck_assert_ptr_null(bight_uv_loop());
    ck_code(world_run(yields_and_returns, &(int){V}, &reports), V); /* which counts descriptors */
}

static int mains;

static int runs_itself(void *arg)
{
    mains++;
    ck_code(bight_run(runs_itself, arg), BIGHT_EALREADY);
    ck_code(bight_run_with(NULL, runs_itself, arg), BIGHT_EALREADY);
    ck_code(bight_runner_open(&runner, NULL), BIGHT_EALREADY);
    ck_assert_ptr_null(runner);
    return 0;
}

static int runs_the_runner(void *arg)
{
    mains++;
    ck_code(bight_runner_run(runner, runs_the_runner, arg), BIGHT_EALREADY);
    ck_ok(bight_yield());
    return 0;
}

static void runner_04_a_run_inside_of_a_run_is_refused(void)
{
    conf_ok(runs_itself);
    ck_assert_int_eq(mains, 1);
    ck_ok(bight_runner_open(&runner, NULL));
    ck_ok(bight_runner_run(runner, runs_the_runner, NULL));
    ck_assert_int_eq(mains, 2);
    ck_ok(bight_runner_end(&runner));
}

static bool source_closed, consumer_ended;

static void closes_source(void *arg)
{
    (void)arg;
    ck_ok(bight_sleep(1)); /* a cleanup may wait */
    source_closed = true;
}

static int endless_source(struct bight_generator *generator, void *arg)
{
    int rc;

    ck_ok(bight_defer(closes_source, arg));
    while ((rc = bight_generator_yield(generator, &rc)) == 0)
        continue;
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int consumes(void *arg)
{
    struct bight_generator *source;
    void *item;
    int rc;

    ck_ok(bight_generator_new(&source, endless_source, arg));
    while ((rc = bight_generator_next(source, &item)) == 0 && (rc = bight_sleep(1000)) == 0)
        continue;
    ck_code(rc, BIGHT_ECANCELED);
    bight_generator_end(source);
    ck_ok(bight_generator_free(source));
    consumer_ended = true;
    return Z;
}

static int fails_meanwhile(void *arg)
{
    ck_ok(bight_spawn(NULL, consumes, arg));
    ck_ok(bight_sleep(2500));
    return F;
}

static void runner_07_the_shutdown_goes_on_after_a_failure_in_it(void)
{
    struct world_reports reports;

    ck_code(conf_main(fails_meanwhile, &reports), F);
    ck_assert(consumer_ended);
    ck_assert(source_closed);
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_UNSEEN_FAILURE], 1);
    ck_code(reports.last_code, Z);
}

static int takes_loop(void *arg)
{
    *(uv_loop_t **)arg = bight_uv_loop();
    return 0;
}

static void runner_09_several_runs_in_one_runner_share_the_loop(void)
{
    uv_loop_t *loops[2];

    ck_ok(bight_runner_open(&runner, NULL));
    ck_ok(bight_runner_run(runner, takes_loop, &loops[0]));
    ck_code(bight_runner_run(runner, yields_and_returns, &(int){42}), 42);
    ck_ok(bight_runner_run(runner, takes_loop, &loops[1]));
    ck_assert_ptr_nonnull(loops[0]);
    ck_assert_ptr_eq(loops[0], loops[1]);
    ck_assert_ptr_eq(bight_uv_loop(), loops[0]);
    ck_ok(bight_runner_end(&runner));
    ck_assert_ptr_null(bight_uv_loop());
}

static void runner_10_a_runner_may_be_closed_twice_and_not_used_again(void)
{
    int runs = 0;

    ck_ok(bight_runner_open(&runner, NULL));
    ck_ok(bight_runner_run(runner, world_add_one, &runs));
    ck_ok(bight_runner_end(&runner));
    ck_ok(bight_runner_end(&runner));
    ck_code(bight_runner_run(runner, world_add_one, &runs), BIGHT_ECLOSED);
    ck_assert_int_eq(runs, 1);
}

/* Interrupts */

static const struct bight_runtime_options interrupted = {.interrupt_signal = SIGINT};

static void interrupts(struct bight_call *call)
{
    (void)call;
    kill(getpid(), SIGINT);
}

static int main_saw;
static struct bight_call key;

static int yields_for_ever(void *arg)
{
    (void)arg;
    bight_call_init(&key, interrupts);
    ck_ok(bight_call_later(&key, 100));
    while (!main_saw)
        main_saw = bight_yield();
    return main_saw;
}

static void runner_11_an_interrupt_cancels_a_main_that_yields(void)
{
    ck_code(bight_run_with(&interrupted, yields_for_ever, NULL), BIGHT_EINTR);
    ck_code(main_saw, BIGHT_ECANCELED);
}

static int waits_for(void *future)
{
    bight_call_init(&key, interrupts);
    ck_ok(bight_call_later(&key, 100));
    main_saw = bight_future_wait(future, NULL, NULL);
    return main_saw;
}

static void runner_12_an_interrupt_cancels_a_main_that_waits(void)
{
    struct bight_future future;

    bight_future_init(&future);
    ck_code(bight_run_with(&interrupted, waits_for, &future), BIGHT_EINTR);
    ck_code(main_saw, BIGHT_ECANCELED);
    ck_assert(!bight_future_done(&future)); /* a departure: CANCEL-09 */
}

static int cancels_and_interrupts(void *main_task)
{
    ck_ok(bight_yield());
    ck_assert(bight_task_cancel(main_task));
    interrupts(NULL);
    return 0;
}

static int is_cancelled_anyway(void *arg)
{
    bool lingers = *(bool *)arg;

    ck_ok(bight_spawn(NULL, cancels_and_interrupts, bight_self()));
    main_saw = bight_sleep(10000);
    if (lingers) /* until the signal has come through */
        ck_code(bight_shield(20, world_forever, NULL), BIGHT_ETIMEDOUT);
    return main_saw;
}

static void runner_13_an_interrupt_of_a_main_that_is_being_cancelled_stays_a_cancellation(void)
{
    for (int i = 0; i < 2; i++) {
        bool lingers = i;

        ck_code(bight_run_with(&interrupted, is_cancelled_anyway, &lingers), BIGHT_ECANCELED);
        ck_code(main_saw, BIGHT_ECANCELED);
    }
}

static int sees_no_handler(void *arg)
{
    struct sigaction action;

    ck_ok(sigaction(SIGINT, NULL, &action));
    ck_assert(action.sa_handler == SIG_DFL);
    return yields_and_returns(arg);
}

/* A thread that no signal reaches. */
static void *runs_without_signals(void *arg)
{
    sigset_t all;

    sigfillset(&all);
    ck_ok(pthread_sigmask(SIG_BLOCK, &all, NULL));
    ck_code(bight_run_with(&interrupted, yields_and_returns, arg), 42);
    ck_code(bight_run(sees_no_handler, arg), 42); /* not asked for, none is taken */
    return NULL;
}

static void runner_14_where_no_signals_can_be_handled_a_run_is_as_usual(void)
{
    pthread_t thread;

    ck_ok(pthread_create(&thread, NULL, runs_without_signals, &(int){42}));
    ck_ok(pthread_join(thread, NULL));
    ck_code(bight_run(sees_no_handler, &(int){42}), 42);
}

static const struct suite_case cases[] = {
    plain_case(loop_03_what_runs_cannot_be_closed),
    plain_case(runner_01_what_main_returned_comes_back),
    plain_case(runner_02_mains_failure_comes_back),
    plain_case(runner_04_a_run_inside_of_a_run_is_refused),
    plain_case(runner_07_the_shutdown_goes_on_after_a_failure_in_it),
    plain_case(runner_09_several_runs_in_one_runner_share_the_loop),
    plain_case(runner_10_a_runner_may_be_closed_twice_and_not_used_again),
    plain_case(runner_11_an_interrupt_cancels_a_main_that_yields),
    plain_case(runner_12_an_interrupt_cancels_a_main_that_waits),
    plain_case(runner_13_an_interrupt_of_a_main_that_is_being_cancelled_stays_a_cancellation),
    plain_case(runner_14_where_no_signals_can_be_handled_a_run_is_as_usual),
};

test_suite("loop, runner", cases);
