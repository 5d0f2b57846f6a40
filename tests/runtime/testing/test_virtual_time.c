/* The clock of a test run that has none of the caller's, under the real drive loop: long waits
 * take no time, deadlines are met to the nanosecond and in order, and the clock does not jump
 * over what is pending outside. */
#include <bight.h>
#include <bight/uv.h>
#include <semaphore.h>

#include "coro/base/list.h"
#include "tests/harness/random.h"
#include "tests/harness/suite.h"

#define HOUR_MS INT64_C(3600000)
#define MS_NS UINT64_C(1000000)

static struct bight_test_result result;

static int run(int (*fn)(void *arg), void *arg)
{
    return bight_test_run(NULL, fn, arg, &result);
}

static uint64_t jumps_so_far(void)
{
    struct bight_test_result so_far;

    ck_assert_int_eq(bight_test_progress(&so_far), 0);
    return so_far.jumps;
}

static int sleep_for_years(void *arg)
{
    uint64_t begin = bight_now_ns();

    (void)arg;
    for (int i = 0; i < 100; i++) {
        int rc = bight_sleep(1000 * HOUR_MS);
        if (rc)
            return rc;
    }
    ck_assert_uint_eq(bight_now_ns() - begin, 100000 * (uint64_t)HOUR_MS * MS_NS);
    return 0;
}

static void eleven_years_of_sleep_take_no_time(void)
{
    uint64_t begin = uv_hrtime();

    ck_assert_int_eq(run(sleep_for_years, NULL), 0);
    ck_assert_uint_lt(uv_hrtime() - begin, UINT64_C(10000000000));
    ck_assert_uint_ge(result.jumps, 100);
}

/* Sleepers of every length; each checks when it wakes, and that nobody later woke before it. */
#define SLEEPERS 500

static int64_t lengths[SLEEPERS];
static uint64_t begin_ns;
static int64_t last_length;
static int woken;

static int sleeper(void *arg)
{
    int64_t length = *(int64_t *)arg;
    int rc = bight_sleep(length);

    if (rc)
        return rc;
    ck_assert_uint_eq(bight_now_ns() - begin_ns, (uint64_t)length * MS_NS);
    ck_assert_int_ge(length, last_length);
    last_length = length;
    woken++;
    return 0;
}

static int many_sleepers(struct bight_group *group, void *arg)
{
    uint64_t random = 88172645463325252u;

    (void)arg;
    begin_ns = bight_now_ns();
    for (int i = 0; i < SLEEPERS; i++) {
        (void)test_random(&random);
        lengths[i] = 1 + (int64_t)((random >> 2) >> (20 + random % 40));
        int rc = bight_group_spawn(NULL, group, NULL, sleeper, &lengths[i]);
        if (rc)
            return rc;
    }
    return 0;
}

static int run_many_sleepers(void *arg)
{
    return bight_group_run(many_sleepers, arg);
}

static void sleepers_wake_in_order_and_to_the_nanosecond(void)
{
    ck_assert_int_eq(run(run_many_sleepers, NULL), 0);
    ck_assert_int_eq(woken, SLEEPERS);
}

static int sleep_long(void *arg)
{
    (void)arg;
    return bight_sleep(2 * HOUR_MS);
}

static int inner_timeout(void *arg)
{
    int rc = bight_timeout(HOUR_MS / 2, sleep_long, arg);

    ck_assert_int_eq(rc, BIGHT_ETIMEDOUT);
    ck_assert_int_eq(bight_deadline_remaining_ms(), HOUR_MS / 2);
    return sleep_long(arg);
}

static int nested_timeouts(void *arg)
{
    uint64_t begin = bight_now_ns();

    ck_assert_int_eq(bight_timeout(HOUR_MS, inner_timeout, arg), BIGHT_ETIMEDOUT);
    ck_assert_uint_eq(bight_now_ns() - begin, (uint64_t)HOUR_MS * MS_NS);
    ck_assert_int_eq(bight_timeout(HOUR_MS, sleep_long, arg), BIGHT_ETIMEDOUT);
    ck_assert_uint_eq(bight_now_ns() - begin, 2 * (uint64_t)HOUR_MS * MS_NS);
    return 0;
}

/* Work on libuv's pool that stands at a gate until the loop has turned a few times. */
struct outside {
    struct bight_uv_req req;
    uv_prepare_t prepare;
    sem_t gate;
    int turns;
};

static void stand_at_gate(uv_work_t *work)
{
    sem_wait(&container_of(work, struct outside, req.u.work)->gate);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct outside *outside = container_of(prepare, struct outside, prepare);

    if (++outside->turns == 4)
        sem_post(&outside->gate);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* keeps the loop turning */
}

static int await_outside(void *arg)
{
    struct outside outside = {.turns = 0};
    struct bight_task *sleeper_task;
    uint64_t begin = bight_now_ns();
    uv_idle_t idle;
    int status;

    (void)arg;
    sem_init(&outside.gate, 0, 0);
    uv_prepare_init(bight_uv_loop(), &outside.prepare);
    uv_prepare_start(&outside.prepare, on_prepare);
    uv_idle_init(bight_uv_loop(), &idle);
    uv_idle_start(&idle, on_idle);
    ck_assert_int_eq(bight_spawn(&sleeper_task, sleep_long, NULL), 0);
    ck_assert_int_eq(bight_uv_req_init(&outside.req), 0);
    ck_assert_int_eq(
        uv_queue_work(bight_uv_loop(), &outside.req.u.work, stand_at_gate, bight_uv_on_work), 0);
    ck_assert_int_eq(bight_uv_await(&outside.req), 0);
    ck_assert_uint_eq(jumps_so_far(), 0);
    ck_assert(!bight_task_done(sleeper_task));
    ck_assert_uint_gt(bight_now_ns(), begin); /* the real pace */
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&idle), 0);
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&outside.prepare), 0);
    ck_assert_int_eq(bight_join(sleeper_task, &status), 0);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_ge(jumps_so_far(), 1);
    sem_destroy(&outside.gate);
    return 0;
}

static int await_nothing_outside(void *arg)
{
    struct outside *outside = arg;

    return (int)bight_uv_await(&outside->req);
}

static void open_gate(struct bight_uv_req *req)
{
    sem_post(&container_of(req, struct outside, req)->gate);
}

static int time_out_outside(void *arg)
{
    struct outside outside;

    (void)arg;
    sem_init(&outside.gate, 0, 0);
    ck_assert_int_eq(bight_uv_req_init(&outside.req), 0);
    outside.req.cancel = open_gate;
    ck_assert_int_eq(
        uv_queue_work(bight_uv_loop(), &outside.req.u.work, stand_at_gate, bight_uv_on_work), 0);
    /* The deadline comes at the real pace; it opens the gate. The work ends well all the same. */
    ck_assert_int_eq(bight_timeout(5, await_nothing_outside, &outside), 0);
    ck_assert_uint_eq(jumps_so_far(), 0);
    sem_destroy(&outside.gate);
    return 0;
}

static int hold_mailbox(void *arg)
{
    struct bight_mailbox **mailbox = arg;
    int rc = bight_mailbox_get(mailbox);

    return rc ? rc : bight_sleep(3);
}

static void the_clock_does_not_jump_while_somebody_may_post(void)
{
    struct bight_mailbox *mailbox;

    ck_assert_int_eq(run(hold_mailbox, &mailbox), 0);
    ck_assert_uint_eq(result.jumps, 0);
    bight_mailbox_unref(mailbox);
}

static int wait_for_ever(void *arg)
{
    struct bight_event never;

    (void)arg;
    bight_event_init(&never);
    return bight_event_wait(&never);
}

static int sleep_beside_the_stalled(void *arg)
{
    struct bight_task *stuck;

    (void)arg;
    ck_assert_int_eq(bight_spawn(&stuck, wait_for_ever, NULL), 0);
    ck_assert_int_eq(bight_sleep(HOUR_MS), 0);
    int status;
    return bight_join(stuck, &status);
}

static void a_stall_is_seen_after_the_last_timer(void)
{
    const struct bight_test_options options = {.expected = BIGHT_ESTALLED};

    ck_assert_int_eq(bight_test_run(&options, sleep_beside_the_stalled, NULL, &result),
                     BIGHT_ESTALLED);
    ck_assert_uint_ge(result.jumps, 1);
}

static const struct suite_case cases[] = {
    plain_case(eleven_years_of_sleep_take_no_time),
    plain_case(sleepers_wake_in_order_and_to_the_nanosecond),
    body_case(nested_deadlines_are_met_exactly, run, nested_timeouts),
    body_case(the_clock_does_not_jump_while_something_outside_is_awaited, run, await_outside),
    body_case(a_deadline_over_something_outside_comes_at_the_real_pace, run, time_out_outside),
    plain_case(the_clock_does_not_jump_while_somebody_may_post),
    plain_case(a_stall_is_seen_after_the_last_timer),
};

test_suite("virtual_time", cases);
