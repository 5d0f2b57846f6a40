/* See ways.h: a select, which waits for each kind of case in its turn, beside one that never
 * happens. */
#include "tests/ways/ways.h"

#include <check.h>

#include "coro/base/list.h"

static int item;

int ways_select(struct seat *seat, struct bight_case *cases, int status)
{
    int rc;

    bight_case_sleep(&cases[1], -1);
    seat->stage->no_memory = true;
    rc = bight_select(cases, 2, 0);
    if (rc == 0)
        ck_assert_int_eq(cases[0].status, status);
    return rc;
}

/* Queues */

static void queue_open(struct stage *stage)
{
    ck_assert_int_eq(bight_queue_new(&stage->queue, 1), 0);
}

static void full_queue_open(struct stage *stage)
{
    queue_open(stage);
    ck_assert_int_eq(bight_queue_try_put(stage->queue, &item), 0);
}

static int get_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_get(&cases[0], seat->stage->queue);
    int rc = ways_select(seat, cases, 0);
    ck_assert_ptr_eq(cases[0].value, rc ? NULL : &item);
    return rc;
}

static void get_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_queue_try_put(stage->queue, &item), 0);
}

static int put_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_put(&cases[0], seat->stage->queue, seat);
    return ways_select(seat, cases, 0);
}

static void put_wake(struct stage *stage)
{
    void *got;

    ck_assert_int_eq(bight_queue_try_get(stage->queue, &got), 0);
}

static void queue_end(struct stage *stage, size_t length)
{
    ck_assert_uint_eq(bight_queue_length(stage->queue), length);
    bight_queue_abort(stage->queue, NULL, NULL);
    ck_assert_int_eq(bight_queue_free(stage->queue), 0);
}

static void get_close(struct stage *stage)
{
    queue_end(stage, stage->given - stage->taken);
}

static void put_close(struct stage *stage)
{
    queue_end(stage, 1 + stage->taken - stage->given);
}

/* Events, and the end of a task that waits for one */

static void event_open(struct stage *stage)
{
    bight_event_init(&stage->event);
}

static void event_wake(struct stage *stage)
{
    bight_event_set(&stage->event);
}

static void event_close(struct stage *stage)
{
    ck_assert(link_empty(&stage->event.waiters));
}

static int event_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_event(&cases[0], &seat->stage->event);
    return ways_select(seat, cases, 0);
}

static int wait_event(void *arg)
{
    return bight_event_wait(arg);
}

static void join_open(struct stage *stage)
{
    event_open(stage);
    ck_assert_int_eq(bight_spawn(&stage->child, wait_event, &stage->event), 0);
}

static int join_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_join(&cases[0], seat->stage->child);
    return ways_select(seat, cases, 0);
}

static void join_close(struct stage *stage)
{
    event_wake(stage);
    ck_assert_int_eq(bight_join(stage->child, NULL), 0);
}

/* Futures */

static void future_open(struct stage *stage)
{
    bight_future_init(&stage->future);
}

static int future_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_future(&cases[0], &seat->stage->future);
    int rc = ways_select(seat, cases, 0);
    ck_assert_ptr_eq(cases[0].value, rc ? NULL : &item);
    return rc;
}

static void future_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_future_set(&stage->future, &item),
                     stage->given == 1 ? 0 : BIGHT_EALREADY);
}

static void future_close(struct stage *stage)
{
    ck_assert(link_empty(&stage->future.watches));
}

/* Times: what is given is time. */

static void nothing(struct stage *stage)
{
    (void)stage;
}

static int sleep_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_sleep(&cases[0], SLEEP_MS);
    return ways_select(seat, cases, 0);
}

static int deadline_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_deadline(&cases[0], bight_now_ns() + SLEEP_MS * UINT64_C(1000000));
    return ways_select(seat, cases, 0);
}

static void sleep_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_test_clock_advance(stage->test.clock, SLEEP_MS), 0);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way select_ways[] = {
    {"bight_select", 2, 0, true, 0, queue_open, get_wait, get_wake, NULL, get_close},
    {"bight_select", 2, 0, true, 0, full_queue_open, put_wait, put_wake, NULL, put_close},
    {"bight_select", 2, 0, true, 0, event_open, event_wait, event_wake, NULL, event_close},
    {"bight_select", 2, 0, true, 0, join_open, join_wait, event_wake, NULL, join_close},
    {"bight_select", 2, 0, true, 0, future_open, future_wait, future_wake, NULL, future_close},
    {"bight_select", 1, 0, true, 0, nothing, sleep_wait, sleep_wake, NULL, nothing},
    {"bight_select", 1, 0, true, 0, nothing, deadline_wait, sleep_wake, NULL, nothing},
};

const struct way_table select_way_table = {select_ways,
                                           sizeof(select_ways) / sizeof(select_ways[0])};
