/* Cancelling tasks, and sleeping. */
#include "tests/conformance/conf.h"

#define V BIGHT_ERANGE

/* A call that cancels a task. */
struct canceller {
    struct bight_call call;
    struct bight_task *task;
    int64_t called_ms;
};

static void cancels(struct bight_call *call)
{
    struct canceller *canceller = (struct canceller *)call;

    canceller->called_ms = conf_now_ms();
    ck_assert(bight_task_cancel(canceller->task));
}

static void canceller_init(struct canceller *canceller, struct bight_task *task)
{
    *canceller = (struct canceller){.task = task};
    bight_call_init(&canceller->call, cancels);
}

static int cancelled_asleep(void *arg)
{
    struct conf_sleeper sleeper = {.sleep_ms = 10000, .returns = 12};
    struct canceller canceller;
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&task, conf_sleeper, &sleeper));
    canceller_init(&canceller, task);
    ck_ok(bight_call_soon(&canceller.call));
    world_settle();
    ck_assert(sleeper.begun);
    ck_assert_int_eq(conf_now_ms(), 0);
    ck_assert(bight_task_done(task));
    ck_ok(bight_task_status(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert(!bight_task_cancel(task));
    conf_join(task, BIGHT_ECANCELED);
    return 0;
}

struct dropped {
    struct bight_cancel_cause in_drop;
    bool begun;
};

static int never_begins(void *arg)
{
    ((struct dropped *)arg)->begun = true;
    return 0;
}

static void asks_why(void *arg)
{
    ck_assert(bight_cancel_get_cause(&((struct dropped *)arg)->in_drop));
}

static int cancelled_unbegun(void *arg)
{
    struct bight_spawn_options options = {.drop = asks_why};
    struct dropped dropped = {.begun = false};
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn_with(&task, &options, never_begins, &dropped));
    ck_assert(!bight_task_cancelling(task));
    ck_assert(bight_task_cancel(task));
    ck_assert(bight_task_cancelling(task));
    conf_join(task, BIGHT_ECANCELED);
    ck_assert(!dropped.begun);
    ck_assert_int_eq(dropped.in_drop.kind, BIGHT_CAUSE_TASK);
    return 0;
}

struct inner {
    struct bight_event begun;
    int status; /* as its parent saw it */
};

static int inner_task(void *arg)
{
    bight_event_set(&((struct inner *)arg)->begun);
    return bight_sleep(10000);
}

static int turns_cancellation_into_v(void *arg)
{
    struct inner *inner = arg;
    struct canceller canceller;
    struct bight_task *task;

    ck_ok(bight_spawn(&task, inner_task, inner));
    ck_ok(bight_event_wait(&inner->begun));
    canceller_init(&canceller, task);
    ck_ok(bight_call_soon(&canceller.call));
    ck_ok(bight_join(task, &inner->status)); /* the join itself was not cancelled */
    ck_assert(!bight_cancelled());
    return inner->status == BIGHT_ECANCELED ? V : 0;
}

static int child_cancelled(void *arg)
{
    struct inner inner = {.status = 0};
    struct bight_task *task;

    (void)arg;
    bight_event_init(&inner.begun);
    ck_ok(bight_spawn(&task, turns_cancellation_into_v, &inner));
    world_settle();
    world_settle();
    ck_assert(!bight_task_cancelling(task));
    conf_join(task, V);
    ck_code(inner.status, BIGHT_ECANCELED);
    ck_assert_int_eq(conf_now_ms(), 0);
    return 0;
}

static int answers(void *arg)
{
    struct bight_future *futures = arg;

    ck_ok(bight_future_wait(&futures[0], NULL, NULL));
    return bight_future_wait(&futures[1], NULL, NULL) == BIGHT_ECANCELED ? 42 : 0;
}

static int answered(void *arg)
{
    struct bight_future futures[2];
    struct bight_task *task;

    (void)arg;
    bight_future_init(&futures[0]);
    bight_future_init(&futures[1]);
    ck_ok(bight_spawn(&task, answers, futures));
    world_settle();
    ck_ok(bight_future_set(&futures[0], NULL));
    world_settle();
    ck_assert(bight_task_cancel(task));
    ck_assert(!bight_task_done(task));
    conf_join(task, 42);
    ck_assert(!bight_future_done(&futures[1])); /* a departure: CANCEL-09 */
    ck_ok(bight_future_set(&futures[1], NULL)); /* and nobody waits for it any more */
    return 0;
}

static int cancels_itself(void *arg)
{
    ck_assert(bight_task_cancel(bight_self()));
    ck_assert(bight_cancelled());
    *(int *)arg = bight_sleep(100000);
    return *(int *)arg ? *(int *)arg : 12;
}

static int self_cancelled(void *arg)
{
    struct bight_task *task;
    int saw = 0;

    (void)arg;
    ck_ok(bight_spawn(&task, cancels_itself, &saw));
    world_settle();
    ck_code(saw, BIGHT_ECANCELED);
    ck_assert_int_eq(conf_now_ms(), 0);
    ck_assert(!bight_task_cancel(task));
    conf_join(task, BIGHT_ECANCELED);
    return 0;
}

static int cancelled_twice(void *arg)
{
    struct conf_sleeper sleeper = {.sleep_ms = 10000};
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, conf_sleeper, &sleeper));
    world_settle();
    ck_assert(!bight_task_cancelling(task));
    ck_assert(bight_task_cancel(task));
    ck_assert(bight_task_cancelling(task));
    ck_assert(bight_task_cancel(task));
    ck_assert(bight_task_cancelling(task));
    conf_join(task, BIGHT_ECANCELED);
    ck_code(sleeper.saw, BIGHT_ECANCELED);
    ck_assert_int_eq(conf_now_ms(), 0);
    return 0;
}

static int cancelled_too_late(void *arg)
{
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, world_return, &(int){V}));
    ck_ok(bight_sleep(50));
    ck_assert(!bight_task_cancel(task));
    return bight_task_detach(task);
}

static int let_go(void *arg)
{
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, world_return, &(int){V}));
    ck_ok(bight_sleep(50));
    return bight_task_detach(task);
}

static void cancel_17_a_failed_task_that_was_cancelled_and_let_go_is_not_reported(void)
{
    struct world_reports reports;

    conf_ok(cancelled_too_late);
    ck_ok(conf_main(let_go, &reports)); /* without the cancellation it is */
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_UNSEEN_FAILURE], 1);
}

/* A timeout made of a timed call and a scope. */
struct hand_made {
    struct bight_call call;
    struct bight_scope scope;
    bool timed_out;
    bool body_reached;
    bool behind_reached;
};

static void times_out(struct bight_call *call)
{
    struct hand_made *timeout = (struct hand_made *)call;

    timeout->timed_out = true;
    bight_scope_cancel(&timeout->scope);
}

static int sleeps_within(struct hand_made *timeout)
{
    int rc;

    bight_call_init(&timeout->call, times_out);
    ck_ok(bight_scope_begin(&timeout->scope, -1, 0));
    ck_ok(bight_call_later(&timeout->call, 100));
    rc = bight_sleep(10000);
    if (rc == 0)
        timeout->body_reached = true;
    bight_call_cancel(&timeout->call);
    rc = bight_scope_end(&timeout->scope, rc);
    return rc == 0 && timeout->scope.caught ? BIGHT_ETIMEDOUT : rc;
}

static int hand_made(void *arg)
{
    struct hand_made timeout = {.timed_out = false};

    (void)arg;
    ck_code(sleeps_within(&timeout), BIGHT_ETIMEDOUT);
    timeout.behind_reached = true;
    ck_ok(bight_yield());
    ck_assert(timeout.timed_out && !timeout.body_reached && timeout.behind_reached);
    ck_assert(!bight_cancelled());
    ck_assert(!bight_task_cancelling(bight_self()));
    ck_assert_int_eq(conf_now_ms(), 100);
    return 0;
}

static size_t armed(void)
{
    struct bight_runtime_stats stats;

    ck_ok(bight_runtime_get_stats(&stats));
    return stats.timers;
}

struct halves {
    int64_t woken_ms[2];
    const char *result;
};

static int sleeps_twice(void *arg)
{
    struct halves *halves = arg;

    ck_ok(bight_sleep(50));
    halves->woken_ms[0] = conf_now_ms();
    ck_ok(bight_sleep(50));
    halves->woken_ms[1] = conf_now_ms();
    halves->result = "yeah";
    return 0;
}

static int two_halves(void *arg)
{
    struct halves halves = {.result = NULL};
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, sleeps_twice, &halves));
    world_settle();
    ck_assert_uint_eq(armed(), 1);
    conf_join(task, 0);
    ck_assert_int_eq(halves.woken_ms[0], 50);
    ck_assert_int_eq(halves.woken_ms[1], 100);
    ck_assert_str_eq(halves.result, "yeah");
    ck_assert_int_eq(conf_now_ms(), 100);
    ck_assert_uint_eq(armed(), 0);
    return 0;
}

static int cancelled_by_timer(void *arg)
{
    struct conf_sleeper sleeper = {.sleep_ms = 5000000};
    struct canceller canceller;
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, conf_sleeper, &sleeper));
    canceller_init(&canceller, task);
    ck_ok(bight_call_later(&canceller.call, 100));
    conf_join(task, BIGHT_ECANCELED);
    ck_assert_int_eq(canceller.called_ms, 100);
    ck_assert_int_eq(sleeper.ended_ms, 100);
    ck_assert_int_eq(conf_now_ms(), 100);
    ck_assert_uint_eq(armed(), 0); /* the sleep's timer is gone too */
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(cancel_01_a_sleeper_that_is_cancelled_ends_at_once_and_cancelled, cancelled_asleep),
    conf_case(cancel_02_cancelled_before_its_first_step_a_task_never_runs_and_drop_can_ask_why,
              cancelled_unbegun),
    conf_case(cancel_05_a_joiner_may_make_an_error_of_its_own_of_a_cancelled_child,
              child_cancelled),
    conf_case(cancel_10_a_task_may_answer_its_cancellation_with_a_value, answered),
    conf_case(cancel_12_a_task_that_cancels_itself_is_stopped_at_its_next_wait, self_cancelled),
    conf_case(cancel_16_cancelling_again_is_accepted_until_the_task_has_ended, cancelled_twice),
    plain_case(cancel_17_a_failed_task_that_was_cancelled_and_let_go_is_not_reported),
    conf_case(uncancel_03_a_timeout_made_by_hand_leaves_nothing_behind, hand_made),
    conf_case(sleep_01_two_half_sleeps_add_up, two_halves),
    conf_case(sleep_05_a_sleeper_cancelled_by_a_timer_ends_at_that_time, cancelled_by_timer),
};

test_suite("tasks, cancelled", cases);
