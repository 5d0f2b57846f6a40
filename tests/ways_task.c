/* Ways of waiting for futures, and in groups beyond their end. See ways.h. */
#include "tests/ways.h"

#include <check.h>

#include "coro/sched.h"

static void future_open(struct stage *stage)
{
    bight_future_init(&stage->future);
}

static int future_wait(struct seat *seat)
{
    void *value = NULL;
    int status = 1;

    seat->stage->no_memory = true;
    int rc = bight_future_wait(&seat->stage->future, &status, &value);
    ck_assert_int_eq(status, rc ? 1 : 0);
    ck_assert_ptr_eq(value, rc ? NULL : (void *)seat->stage);
    return rc;
}

static void future_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_future_set(&stage->future, stage),
                     stage->given == 1 ? 0 : BIGHT_EALREADY);
}

static void future_close(struct stage *stage)
{
    ck_assert(link_empty(&stage->future.watches));
}

/* A deadline far away; what is waited for inside is the event. */

static int wait_event(void *arg)
{
    return bight_event_wait(&((struct stage *)arg)->event);
}

static void event_open(struct stage *stage)
{
    bight_event_init(&stage->event);
}

static int deadline_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_deadline(bight_now_ns() + UINT64_C(60000000000), wait_event, seat->stage);
}

static void event_wake(struct stage *stage)
{
    bight_event_set(&stage->event);
}

static void event_close(struct stage *stage)
{
    ck_assert(link_empty(&stage->event.waiters));
}

/* call, seats, woken, lets_go, by_itself, open, wait, wake, leave, close */
static const struct way task_ways[] = {
    {"bight_future_wait", 2, 0, true, false, future_open, future_wait, future_wake, NULL,
     future_close},
    {"bight_deadline", 2, 0, true, false, event_open, deadline_wait, event_wake, NULL, event_close},
};

const struct way_table task_way_table = {task_ways, sizeof(task_ways) / sizeof(task_ways[0])};
