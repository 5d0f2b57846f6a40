/* Waiting for several calls of the pool at once: what counts as done, and when it is enough. The
 * calls that shall take long stand at a gate until the wait has returned. */
#include "tests/conformance/conf_pool.h"

/* Three calls and one that is waited for besides can run. */
#define THREADS 4

#define MAX 5

/* Wait for `count` calls; `done` names those that must have ended, in the order of the items. */
static void waits_for(struct conf_pooled *calls, int count, enum bight_wait_until until,
                      int64_t timeout_ms, const char *done)
{
    struct bight_wait_item items[MAX];
    int expected = 0;

    for (int i = 0; i < count; i++) {
        items[i] = (struct bight_wait_item){.task = calls[i].task};
        expected += done[i] == '1';
    }
    ck_assert_int_eq(bight_wait(items, (size_t)count, until, timeout_ms), expected);
    for (int i = 0; i < count; i++)
        ck_assert(items[i].done == (done[i] == '1'));
}

/* A call that runs, and whose task is cancelled: nobody has taken note yet. */
static void unacknowledged(struct conf_pooled *call)
{
    conf_pooled_start(call, 5);
    conf_pooled_await(call);
    bight_task_cancel(call->task);
}

/* A cancellation that came too late does not change how the call ended. */
static void open_and_join(struct conf_pooled *call, int status)
{
    conf_pooled_open(call);
    conf_join(call->task, status);
}

static int duplicates(void *arg)
{
    struct conf_pooled call;
    struct bight_wait_item items[2];

    (void)arg;
    conf_pooled_start(&call, 3);
    for (int i = 0; i < 2; i++)
        items[i] = (struct bight_wait_item){.task = call.task};
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, 0), 0);
    conf_pooled_open(&call);
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, -1), 1);
    ck_assert(items[0].done && items[1].done);
    conf_join(call.task, 3);
    return 0;
}

static int first_completed(void *arg)
{
    struct conf_pooled calls[3];

    (void)arg;
    unacknowledged(&calls[0]);
    conf_pooled_start(&calls[1], 1);
    conf_pooled_start(&calls[2], 2);
    conf_pooled_await(&calls[2]);
    conf_pooled_open(&calls[1]);
    waits_for(calls, 3, BIGHT_WAIT_FIRST_COMPLETED, -1, "010");
    open_and_join(&calls[0], 5);
    conf_join(calls[1].task, 1);
    open_and_join(&calls[2], 2);
    return 0;
}

static int some_completed(void *arg)
{
    struct conf_pooled calls[3];

    (void)arg;
    conf_pooled_cancelled(&calls[0]);
    conf_pooled_done(&calls[1], 1);
    conf_pooled_start(&calls[2], 2);
    waits_for(calls, 3, BIGHT_WAIT_FIRST_COMPLETED, -1, "110");
    conf_join(calls[0].task, BIGHT_ECANCELED);
    conf_join(calls[1].task, 1);
    open_and_join(&calls[2], 2);
    return 0;
}

static int first_failed(void *arg)
{
    struct conf_pooled calls[3];

    (void)arg;
    conf_pooled_start(&calls[0], 1);
    conf_pooled_start(&calls[1], BIGHT_EIO);
    conf_pooled_start(&calls[2], 3);
    conf_pooled_open(&calls[0]);
    waits_for(calls, 3, BIGHT_WAIT_FIRST_FAILED, 20, "100"); /* success is not enough */
    conf_pooled_open(&calls[1]);
    waits_for(calls, 3, BIGHT_WAIT_FIRST_FAILED, -1, "110");
    conf_join(calls[0].task, 1);
    conf_join(calls[1].task, BIGHT_EIO);
    open_and_join(&calls[2], 3);
    return 0;
}

static int some_failed(void *arg)
{
    struct conf_pooled calls[5];

    (void)arg;
    conf_pooled_done(&calls[0], 1);
    unacknowledged(&calls[1]);
    conf_pooled_cancelled(&calls[2]);
    conf_pooled_start(&calls[3], BIGHT_EIO);
    conf_pooled_start(&calls[4], 4);
    waits_for(calls, 3, BIGHT_WAIT_FIRST_FAILED, 20, "101"); /* nor is a cancellation */
    conf_pooled_open(&calls[3]);
    waits_for(calls, 5, BIGHT_WAIT_FIRST_FAILED, -1, "10110");
    conf_join(calls[0].task, 1);
    open_and_join(&calls[1], 5);
    conf_join(calls[2].task, BIGHT_ECANCELED);
    conf_join(calls[3].task, BIGHT_EIO);
    open_and_join(&calls[4], 4);
    return 0;
}

static int all_completed(void *arg)
{
    struct conf_pooled calls[5];
    const int statuses[] = {1, BIGHT_ECANCELED, BIGHT_EIO, BIGHT_ERANGE, 2};

    (void)arg;
    conf_pooled_done(&calls[0], statuses[0]);
    conf_pooled_cancelled(&calls[1]);
    conf_pooled_done(&calls[2], statuses[2]);
    conf_pooled_start(&calls[3], statuses[3]);
    conf_pooled_start(&calls[4], statuses[4]);
    conf_pooled_open(&calls[3]);
    conf_pooled_open(&calls[4]);
    waits_for(calls, 5, BIGHT_WAIT_ALL_COMPLETED, -1, "11111");
    for (int i = 0; i < 5; i++)
        conf_join(calls[i].task, statuses[i]);
    return 0;
}

static int time_limit(void *arg)
{
    struct conf_pooled calls[4];
    const int statuses[] = {BIGHT_ECANCELED, BIGHT_EIO, 1, 2};
    int64_t begin_ms;

    (void)arg;
    conf_pooled_cancelled(&calls[0]);
    conf_pooled_done(&calls[1], statuses[1]);
    conf_pooled_done(&calls[2], statuses[2]);
    conf_pooled_start(&calls[3], statuses[3]);
    begin_ms = conf_now_ms();
    waits_for(calls, 4, BIGHT_WAIT_ALL_COMPLETED, 50, "1110");
    ck_assert_int_ge(conf_now_ms() - begin_ms, 50);
    conf_pooled_open(&calls[3]);
    for (int i = 0; i < 4; i++)
        conf_join(calls[i].task, statuses[i]);
    return 0;
}

/* All at one moment */

#define CROWD 100

static int await_event(void *event)
{
    return bight_thread_event_wait(event, -1);
}

static int call_awaits_event(void *event)
{
    return bight_offload(await_event, event);
}

static int crowd_ends(void *arg)
{
    struct bight_wait_item items[CROWD];
    struct bight_thread_event *event;

    (void)arg;
    ck_ok(bight_thread_event_new(&event));
    for (int i = 0; i < CROWD; i++) {
        items[i] = (struct bight_wait_item){0};
        ck_ok(bight_spawn(&items[i].task, call_awaits_event, event));
    }
    world_settle();
    bight_thread_event_set(event);
    ck_assert_int_eq(bight_wait(items, CROWD, BIGHT_WAIT_ALL_COMPLETED, -1), CROWD);
    for (int i = 0; i < CROWD; i++)
        conf_join(items[i].task, 0);
    bight_thread_event_unref(event);
    return 0;
}

static void xwait_09_a_hundred_that_end_at_one_moment_are_all_counted(void)
{
    conf_pool_threads(CROWD);
    conf_ok(crowd_ends);
}

static int given_out_once(void *arg)
{
    struct bight_as_completed completed;
    struct bight_wait_item items[3], *item;
    struct conf_pooled call;

    (void)arg;
    conf_pooled_start(&call, 3);
    for (int i = 0; i < 3; i++)
        items[i] = (struct bight_wait_item){.task = call.task};
    ck_ok(bight_as_completed_begin(&completed, items, 3));
    conf_pooled_open(&call);
    ck_ok(bight_as_completed_next(&completed, &item));
    ck_assert_ptr_eq(item->task, call.task);
    ck_assert(item->done && item->status == 3);
    ck_code(bight_as_completed_next(&completed, &item), BIGHT_ECLOSED);
    bight_as_completed_end(&completed);
    conf_join(call.task, 3);
    return 0;
}

static void begin(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    conf_pool_threads(THREADS);
}

static const struct suite_case cases[] = {
    conf_case(xwait_01_what_is_listed_twice_counts_once, duplicates),
    conf_case(xwait_02_one_that_is_cancelled_but_goes_on_is_not_done, first_completed),
    conf_case(xwait_03_with_some_done_already_the_wait_is_over_at_once, some_completed),
    conf_case(xwait_04_the_first_failure_is_enough, first_failed),
    conf_case(xwait_05_a_cancellation_is_no_failure, some_failed),
    conf_case(xwait_07_all_are_waited_for_however_they_end, all_completed),
    conf_case(xwait_08_the_end_of_the_time_is_no_error, time_limit),
    plain_case(xwait_09_a_hundred_that_end_at_one_moment_are_all_counted),
    conf_case(xasc_04_what_is_listed_three_times_comes_out_once, given_out_once),
};

test_suite("waiting for calls of threads", cases, .begin = begin);
