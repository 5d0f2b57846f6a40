/* Calls in a pool of threads, each made by a task: their results, their cancellation, their end. */
#include "tests/conformance/conf_pool.h"

#include <string.h>

/* Results */

struct power {
    int fn; /* the names of what a call is given are the caller's business */
    int self;
    int result;
};

static int raise_to_power(void *arg)
{
    struct power *power = arg;

    power->result = 1;
    for (int i = 0; i < power->self; i++)
        power->result *= power->fn;
    return 0;
}

static int submit_and_read(void *arg)
{
    struct power power = {.fn = 2, .self = 8};

    ck_ok(bight_offload(raise_to_power, &power));
    ck_assert_int_eq(power.result, 256);
    ck_code(bight_offload(NULL, arg), BIGHT_EINVAL);
    return 0;
}

struct division {
    int over, by, result;
};

static int divide(void *arg)
{
    struct division *division = arg;

    if (division->by == 0)
        return BIGHT_ERANGE;
    division->result = division->over / division->by;
    return 0;
}

static int divides(void *arg)
{
    return bight_offload(divide, arg);
}

static int map_divisions(void *arg)
{
    struct division divisions[] = {{6, 2, -1}, {6, 3, -1}, {6, 0, -1}, {6, 5, -1}};
    const int statuses[] = {0, 0, BIGHT_ERANGE, 0}, results[] = {3, 2, -1, 1};
    struct bight_task *tasks[4];

    (void)arg;
    for (int i = 0; i < 4; i++)
        ck_ok(bight_spawn(&tasks[i], divides, &divisions[i]));
    for (int i = 0; i < 4; i++) {
        conf_join(tasks[i], statuses[i]);
        ck_assert_int_eq(divisions[i].result, results[i]);
    }
    /* As one call, which ends with the failure. */
    ck_code(bight_map(divides, divisions, sizeof *divisions, 4, 1, 0), BIGHT_ERANGE);
    return 0;
}

static int map_in_time(void *arg)
{
    uint64_t deadline_ns = bight_now_ns() + UINT64_C(200000000);
    struct conf_pooled calls[3];
    struct bight_scope scope;
    int rc;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 200, 0));
    for (int i = 0; i < 3; i++)
        conf_pooled_start(&calls[i], i);
    conf_pooled_open(&calls[0]);
    conf_pooled_open(&calls[1]);
    ck_ok(bight_sleep(30)); /* counts too */
    conf_join(calls[0].task, 0);
    conf_join(calls[1].task, 1);
    ck_assert_uint_eq(bight_scope_deadline(&scope), deadline_ns);
    rc = bight_join(calls[2].task, NULL);
    ck_code(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    ck_assert_uint_ge(bight_now_ns(), deadline_ns);
    conf_pooled_open(&calls[2]);
    conf_join(calls[2].task, 2);
    return 0;
}

static int note_call(void *arg)
{
    ++*(atomic_int *)arg;
    return 0;
}

static int makes_noting_call(void *arg)
{
    return bight_offload(note_call, arg);
}

static int submit_ten(void *arg)
{
    static atomic_int noted[10];
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    for (int i = 0; i < 10; i++)
        ck_ok(bight_group_spawn(NULL, &group, NULL, makes_noting_call, &noted[i]));
    ck_ok(bight_group_end(&group, 0));
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(noted[i], 1);
    return 0;
}

static int map_two(void *noted)
{
    return bight_map(makes_noting_call, noted, sizeof(atomic_int), 2, 2, 0);
}

static int map_times_out(void *arg)
{
    static atomic_int noted[2];
    struct conf_pooled first;

    (void)arg;
    conf_pooled_start(&first, 1);
    conf_pooled_await(&first);
    ck_code(bight_timeout(0, map_two, noted), BIGHT_ETIMEDOUT);
    ck_code(bight_timeout(5, map_two, noted), BIGHT_ETIMEDOUT); /* also when they were handed in */
    conf_pooled_open(&first);
    conf_join(first.task, 1);
    ck_assert_int_eq(noted[0] + noted[1], 0);
    return 0;
}

static void tpool_06_a_map_that_timed_out_withdraws_what_has_not_begun(void)
{
    conf_pool_threads(1);
    conf_ok(map_times_out);
}

/* Threads */

#define CALLS 60

static int distinct_threads(const struct conf_pooled *calls, int count)
{
    int distinct = 0;

    for (int i = 0; i < count; i++) {
        int j = 0;
        while (j < i && !pthread_equal(calls[i].thread, calls[j].thread))
            j++;
        distinct += j == i;
    }
    return distinct;
}

static int saturate(void *arg)
{
    static struct conf_pooled calls[CALLS];
    int running = 0;

    (void)arg;
    for (int i = 0; i < CALLS; i++)
        conf_pooled_start(&calls[i], 0);
    for (int i = 0; i < 4; i++)
        conf_pooled_await(&calls[i]);
    for (int i = 0; i < CALLS; i++)
        running += calls[i].runs;
    ck_assert_int_eq(running, 4);
    ck_assert_int_eq(distinct_threads(calls, 4), 4);
    for (int i = 0; i < CALLS; i++)
        conf_pooled_open(&calls[i]);
    for (int i = 0; i < CALLS; i++) {
        conf_join(calls[i].task, 0);
        ck_assert_int_eq(calls[i].runs, 1);
    }
    ck_assert_int_le(distinct_threads(calls, CALLS), 5);
    return 0;
}

/* One thread of libuv's pool is left to others: files, name lookups. */
static void tpool_09_there_are_no_more_threads_than_the_pools_size(void)
{
    conf_pool_threads(5);
    conf_ok(saturate);
}

struct told {
    const char *word;
    pthread_t thread;
};

static int tell_thread(void *arg)
{
    struct told *told = arg;

    told->thread = pthread_self();
    return strcmp(told->word, "yo") == 0 ? 7 : BIGHT_EIO;
}

static int call_elsewhere(void *arg)
{
    struct told told = {.word = "yo"};

    (void)arg;
    ck_assert_int_eq(bight_offload(tell_thread, &told), 7);
    ck_assert(!pthread_equal(told.thread, pthread_self()));
    return 0;
}

static int call_in_task(void *arg)
{
    return bight_offload(tell_thread, arg);
}

static int outside_rc;

static void call_outside(struct bight_call *call)
{
    (void)call;
    outside_rc = bight_offload(tell_thread, NULL);
}

static int wait_for_pool(void *arg)
{
    struct told told = {.word = "yo"};
    struct bight_task *task;
    struct bight_call call;

    (void)arg;
    ck_ok(bight_spawn(&task, call_in_task, &told));
    conf_join(task, 7);
    ck_assert(!pthread_equal(told.thread, pthread_self()));
    bight_call_init(&call, call_outside);
    ck_ok(bight_call_soon(&call));
    world_settle();
    ck_code(outside_rc, BIGHT_ENOTASK);
    return 0;
}

static void link_01_a_task_can_wait_for_a_call_in_the_pool(void)
{
    conf_pool_threads(1);
    ck_code(bight_offload(tell_thread, NULL), BIGHT_ENOTASK);
    conf_ok(wait_for_pool);
}

/* Cancellation */

static int withdraw(void *arg)
{
    struct conf_pooled first, pending;

    (void)arg;
    conf_pooled_start(&first, 1);
    conf_pooled_await(&first);
    conf_pooled_start(&pending, 2);
    ck_assert(!bight_task_done(pending.task));
    bight_task_cancel(pending.task);
    conf_join(pending.task, BIGHT_ECANCELED); /* while the first still runs */
    conf_pooled_open(&first);
    conf_join(first.task, 1);
    conf_pooled_done(&first, 3); /* whatever was before it in the pool has been through */
    conf_join(first.task, 3);
    ck_assert_int_eq(pending.runs, 0);
    return 0;
}

static void link_02_cancelling_the_wait_withdraws_a_call_that_has_not_begun(void)
{
    conf_pool_threads(1);
    conf_ok(withdraw);
}

static int cancel_in_all_states(void *arg)
{
    struct conf_pooled running, pending, acknowledged, failed, finished;

    (void)arg;
    conf_pooled_done(&failed, BIGHT_EIO);
    conf_pooled_done(&finished, 42);
    conf_pooled_start(&running, 17);
    conf_pooled_await(&running);
    conf_pooled_cancelled(&acknowledged);
    conf_pooled_start(&pending, 2);
    bight_task_cancel(pending.task);
    bight_task_cancel(pending.task); /* cancelled, and not yet acknowledged */
    bight_task_cancel(acknowledged.task);
    bight_task_cancel(running.task);
    bight_task_cancel(failed.task);
    bight_task_cancel(finished.task);
    conf_join(pending.task, BIGHT_ECANCELED);
    conf_join(acknowledged.task, BIGHT_ECANCELED);
    conf_join(failed.task, BIGHT_EIO);
    conf_join(finished.task, 42);
    ck_assert(!bight_task_done(running.task));
    conf_pooled_open(&running);
    conf_join(running.task, 17);
    ck_assert_int_eq(pending.runs, 0);
    return 0;
}

static void xfut_06_only_a_call_that_has_not_begun_can_be_cancelled(void)
{
    conf_pool_threads(1);
    conf_ok(cancel_in_all_states);
}

static int in_cancelled_scope(void *arg)
{
    struct bight_scope scope;
    atomic_int noted = 0;
    int rc;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    rc = bight_offload(note_call, &noted);
    ck_code(rc, BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&scope, rc));
    ck_ok(bight_offload(note_call, &noted)); /* has been through when this one has */
    ck_assert_int_eq(noted, 1);
    return 0;
}

static void wthread_03_in_a_cancelled_task_the_call_does_not_happen(void)
{
    conf_pool_threads(1);
    conf_ok(in_cancelled_scope);
}

static const struct suite_case cases[] = {
    conf_case(tpool_01_a_call_gives_its_result_and_has_a_function, submit_and_read),
    conf_case(tpool_03_a_failing_call_fails_where_its_result_is_taken, map_divisions),
    conf_case(tpool_04_the_time_for_all_results_counts_from_the_start, map_in_time),
    conf_case(tpool_05_all_calls_are_handed_in_before_a_result_is_taken, submit_ten),
    plain_case(tpool_06_a_map_that_timed_out_withdraws_what_has_not_begun),
    plain_case(tpool_09_there_are_no_more_threads_than_the_pools_size),
    conf_case(exec_01_a_call_runs_in_another_thread, call_elsewhere),
    plain_case(link_01_a_task_can_wait_for_a_call_in_the_pool),
    plain_case(link_02_cancelling_the_wait_withdraws_a_call_that_has_not_begun),
    plain_case(xfut_06_only_a_call_that_has_not_begun_can_be_cancelled),
    plain_case(wthread_03_in_a_cancelled_task_the_call_does_not_happen),
};

test_suite("calls of threads", cases);
