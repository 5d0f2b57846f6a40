/* runtime/runner.c: several runs on one loop, what stays between them and what does not. */
#include "runtime/testing/testing.h"

#include <bight.h>
#include <bight/uv.h>
#include <pthread.h>

#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

static struct bight_runner *runner;
static int ran;

static int yield_and_return(void *arg)
{
    ran++;
    ck_ok(bight_yield());
    return *(int *)arg;
}

static int take_loop(void *arg)
{
    *(uv_loop_t **)arg = bight_uv_loop();
    return bight_sleep(1);
}

static void several_runs_share_a_loop(void)
{
    uv_loop_t *first, *second;
    int value = 42, failure = BIGHT_EIO;

    ck_ok(bight_runner_open(&runner, NULL));
    ck_ok(bight_runner_run(runner, take_loop, &first));
    ck_code(bight_runner_run(runner, yield_and_return, &value), 42);
    ck_code(bight_runner_run(runner, yield_and_return, &failure), BIGHT_EIO);
    ck_ok(bight_runner_run(runner, take_loop, &second));
    ck_assert_ptr_eq(first, second);
    ck_assert_ptr_eq(bight_uv_loop(), first);
    ck_ok(bight_runner_end(&runner));
    ck_assert_ptr_null(bight_uv_loop());
}

static void closing_twice_is_silent_and_another_run_is_refused(void)
{
    int value = 0;

    ck_ok(bight_runner_open(&runner, NULL));
    ck_ok(bight_runner_end(&runner));
    ck_assert_ptr_null(runner);
    ck_ok(bight_runner_end(&runner));
    ck_code(bight_runner_run(runner, yield_and_return, &value), BIGHT_ECLOSED);
    ck_assert_int_eq(ran, 0);
    ck_ok(bight_run(yield_and_return, &value));
}

static int run_inside(void *arg)
{
    struct bight_runner *other;

    ck_code(bight_runner_run(runner, yield_and_return, arg), BIGHT_EALREADY);
    ck_code(bight_run(yield_and_return, arg), BIGHT_EALREADY);
    ck_code(bight_runner_open(&other, NULL), BIGHT_EALREADY);
    ck_code(bight_runner_end(&runner), BIGHT_EBUSY);
    return bight_sleep(1); /* goes on as before */
}

static void *run_elsewhere(void *arg)
{
    ck_code(bight_runner_run(runner, yield_and_return, arg), BIGHT_EPERM);
    ck_code(bight_runner_end(&runner), BIGHT_EPERM);
    return NULL;
}

static void a_run_within_a_run_or_on_another_thread_is_refused(void)
{
    pthread_t thread;

    ck_ok(bight_runner_open(&runner, NULL));
    ck_ok(bight_runner_run(runner, run_inside, NULL));
    ck_assert_int_eq(pthread_create(&thread, NULL, run_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    ck_code(bight_run(yield_and_return, NULL), BIGHT_EALREADY);
    ck_code(bight_runner_run(runner, NULL, NULL), BIGHT_EINVAL);
    ck_ok(bight_runner_end(&runner));
    ck_assert_int_eq(ran, 0);
}

/* What main leaves behind */

static int stays(void *arg)
{
    int rc = bight_sleep(-1);

    *(int *)arg = rc;
    return BIGHT_EIO; /* a failure of the cleanup is not main's */
}

static int leave_behind(void *arg)
{
    ck_ok(bight_spawn(NULL, stays, arg));
    ck_ok(bight_sleep(1));
    return BIGHT_EPERM;
}

static int is_alone(void *arg)
{
    struct bight_runtime_stats stats;

    (void)arg;
    ck_ok(bight_runtime_get_stats(&stats));
    ck_assert_uint_eq(stats.live, 1);
    ck_ok(bight_checkpoint()); /* that the rest was cancelled is forgotten */
    return bight_sleep(1);
}

static void what_a_main_started_ends_with_it(void)
{
    int left = 0;

    ck_ok(bight_runner_open(&runner, NULL));
    for (int i = 0; i < 3; i++) {
        ck_code(bight_runner_run(runner, leave_behind, &left), BIGHT_EPERM);
        ck_code(left, BIGHT_ECANCELED);
        ck_ok(bight_runner_run(runner, is_alone, NULL));
    }
    ck_ok(bight_runner_end(&runner));
}

static int wait_in_vain(void *event)
{
    return bight_event_wait(event);
}

static void a_run_that_stalled_is_followed_by_one_that_does_not(void)
{
    struct bight_event event;

    bight_event_init(&event);
    ck_ok(bight_runner_open(&runner, NULL));
    for (int i = 0; i < 2; i++) {
        ck_code(bight_runner_run(runner, wait_in_vain, &event), BIGHT_ESTALLED);
        ck_ok(bight_runner_run(runner, is_alone, NULL));
    }
    ck_ok(bight_runner_end(&runner));
}

/* Between runs */

static void count_post(void *arg)
{
    ++*(int *)arg;
}

static int await_count(void *arg)
{
    while (*(int *)arg < 2)
        ck_ok(bight_sleep(1));
    return 0;
}

static int take_mailbox(void *arg)
{
    return bight_mailbox_get(arg);
}

static void what_comes_between_runs_begins_with_the_next(void)
{
    struct bight_mailbox *mailbox;
    struct bight_task *task;
    int count = 0;

    ck_ok(bight_runner_open(&runner, NULL));
    ck_ok(bight_runner_run(runner, take_mailbox, &mailbox));
    ck_ok(bight_post_call(mailbox, count_post, &count));
    ck_ok(bight_spawn(&task, world_add_one, &count));
    ck_assert_int_eq(count, 0);
    ck_ok(bight_runner_run(runner, await_count, &count));
    ck_assert_int_eq(count, 2);
    ck_assert(bight_task_done(task));
    ck_ok(bight_task_detach(task));
    /* And what no run follows: */
    ck_ok(bight_spawn(NULL, world_add_one, &count));
    ck_ok(bight_post_call(mailbox, count_post, &count));
    ck_ok(bight_runner_end(&runner));
    ck_assert_int_eq(count, 3); /* the post was accepted, the task never began */
    ck_code(bight_post_call(mailbox, count_post, &count), BIGHT_ECLOSED);
    bight_mailbox_unref(mailbox);
}

static void on_timer(uv_timer_t *timer)
{
    ++*(int *)timer->data;
}

static int start_timer(void *timer)
{
    return uv_timer_start(timer, on_timer, 0, 1);
}

static int stop_timer(void *timer)
{
    int *fired = ((uv_timer_t *)timer)->data;

    for (int before = *fired; *fired < before + 3;)
        ck_ok(bight_sleep(1));
    return bight_uv_close(timer);
}

static void the_users_handles_stay_on_the_loop_and_do_not_hold_a_run_up(void)
{
    uv_timer_t timer;
    int fired = 0;

    timer.data = &fired;
    ck_ok(bight_runner_open(&runner, NULL));
    ck_ok(uv_timer_init(bight_uv_loop(), &timer));
    ck_ok(bight_runner_run(runner, start_timer, &timer));
    ck_ok(bight_runner_run(runner, is_alone, NULL));
    ck_ok(bight_runner_run(runner, stop_timer, &timer));
    ck_ok(bight_runner_end(&runner));
}

static int sleep_an_hour(void *arg)
{
    (void)arg;
    return bight_sleep(3600000);
}

static void virtual_time_goes_on_from_run_to_run(void)
{
    struct bight__test test;
    struct bight_seams seams = {0};
    uint64_t begin;

    bight__test_time(&test, &seams);
    ck_ok(bight__runner_open_with_seams(&runner, NULL, &seams));
    begin = bight_now_ns();
    for (int i = 0; i < 3; i++)
        ck_ok(bight_runner_run(runner, sleep_an_hour, NULL));
    ck_assert_uint_eq(bight_now_ns() - begin, UINT64_C(3) * 3600000 * 1000000);
    ck_ok(bight_runner_end(&runner));
}

/* Memory */

struct failing {
    size_t at; /* fail the allocation of that number */
    size_t count;
};

static bool fail_at(void *ctx, const void *site)
{
    struct failing *failing = ctx;

    (void)site;
    return ++failing->count == failing->at;
}

static void each_allocation_may_fail_and_nothing_is_left(void)
{
    struct failing failing = {.at = 0};
    const struct bight_seams seams = {.ctx = &failing, .fail_alloc = fail_at};
    int value = 7, rc, fds;

    ck_ok(bight_run(world_add_one, &value)); /* libuv opens its signal pipe once */
    value = 7;
    fds = test_open_fds();
    do {
        failing.at++;
        failing.count = 0;
        rc = bight__runner_open_with_seams(&runner, NULL, &seams);
        if (rc == 0) {
            rc = bight_runner_run(runner, yield_and_return, &value);
            if (rc == BIGHT_ENOMEM) /* the next run finds everything in order */
                ck_code(bight_runner_run(runner, yield_and_return, &value), 7);
            ck_ok(bight_runner_end(&runner));
        }
        ck_assert(rc == 7 || rc == BIGHT_ENOMEM);
        ck_assert_int_eq(test_open_fds(), fds);
    } while (rc != 7);
    ck_assert_uint_gt(failing.at, 3);
}

/* What main leaves running, ready or not, makes no further step. */
static int steps;

static int steps_on(void *arg)
{
    int rc;

    (void)arg;
    while ((rc = bight_yield()) == 0)
        steps++;
    ck_code(rc, BIGHT_ECANCELED);
    ck_code(bight_spawn(NULL, world_forever, NULL), BIGHT_ECLOSED);
    return rc;
}

static int leaves_it_ready(void *arg)
{
    ck_ok(bight_spawn(NULL, steps_on, arg));
    ck_ok(bight_yield());
    ck_ok(bight_yield());
    return 0;
}

static void what_main_leaves_ready_is_cancelled_before_its_next_step(void)
{
    ck_ok(world_run(leaves_it_ready, NULL, NULL));
    ck_assert_int_le(steps, 1);
}

static const struct bight_local left_behind = {"left behind", NULL};

static int sets_a_local(void *arg)
{
    ck_assert_ptr_null(bight_local_get(&left_behind));
    return bight_local_set(&left_behind, arg);
}

static void a_run_begins_without_the_locals_of_the_one_before(void)
{
    ck_assert_int_eq(bight_runner_open(&runner, NULL), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(bight_runner_run(runner, sets_a_local, &runner), 0);
    ck_assert_int_eq(bight_runner_end(&runner), 0);
}

static const struct suite_case cases[] = {
    plain_case(several_runs_share_a_loop),
    plain_case(closing_twice_is_silent_and_another_run_is_refused),
    plain_case(a_run_within_a_run_or_on_another_thread_is_refused),
    plain_case(what_a_main_started_ends_with_it),
    plain_case(a_run_that_stalled_is_followed_by_one_that_does_not),
    plain_case(what_comes_between_runs_begins_with_the_next),
    plain_case(the_users_handles_stay_on_the_loop_and_do_not_hold_a_run_up),
    plain_case(virtual_time_goes_on_from_run_to_run),
    plain_case(each_allocation_may_fail_and_nothing_is_left),
    plain_case(what_main_leaves_ready_is_cancelled_before_its_next_step),
    plain_case(a_run_begins_without_the_locals_of_the_one_before),
};

test_suite("runner", cases);
