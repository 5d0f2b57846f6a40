/* Ways of waiting for futures, and in groups beyond their end. See ways.h. */
#include "tests/ways/ways.h"

#include <check.h>

#include "coro/core/task.h"

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

static int future_wait_for(struct seat *seat)
{
    int status = 1;

    seat->stage->no_memory = true;
    int rc = bight_future_wait_for(&seat->stage->future, 3600000, &status, NULL);
    ck_assert_int_eq(status, rc ? 1 : 0);
    return rc;
}

/* Unless the one who waited has cancelled it. */
static void future_wake_or_not(struct stage *stage)
{
    int rc = bight_future_set(&stage->future, stage);

    ck_assert(rc == 0 || rc == BIGHT_EALREADY);
}

static int futures_wait(struct seat *seat)
{
    struct bight_wait_item items[2] = {{.future = &seat->stage->future},
                                       {.future = &seat->stage->future}};

    seat->stage->no_memory = true;
    return bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, -1);
}

static int next_future_wait(struct seat *seat)
{
    struct bight_wait_item item = {.future = &seat->stage->future}, *got = NULL;
    struct bight_as_completed completed;

    seat->stage->no_memory = true;
    ck_assert_int_eq(bight_as_completed_begin(&completed, &item, 1), 0);
    int rc = bight_as_completed_next(&completed, &got);
    bight_as_completed_end(&completed);
    ck_assert_ptr_eq(got, rc ? NULL : &item);
    return rc;
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

/* Groups: the task in one waits for the event. */

static int drain_wait(struct seat *seat)
{
    int rc, end;

    ck_assert_int_eq(bight_group_begin(&seat->group, 0), 0);
    ck_assert_int_eq(bight_group_spawn(NULL, &seat->group, NULL, wait_event, seat->stage), 0);
    seat->stage->no_memory = true;
    rc = bight_group_drain(&seat->group);
    end = bight_group_end(&seat->group, rc);
    return rc ? rc : end;
}

static int ready_after_event(void *arg)
{
    struct stage *stage = arg;
    int rc;

    stage->no_memory = true;
    rc = bight_event_wait(&stage->event);
    return rc ? rc : bight_group_started(0);
}

static int start_wait(struct seat *seat)
{
    int rc = bight_group_begin(&seat->group, 0);
    int end;

    ck_assert_int_eq(rc, 0);
    rc = bight_group_start(NULL, &seat->group, NULL, ready_after_event, seat->stage, NULL);
    end = bight_group_end(&seat->group, rc);
    return rc ? rc : end;
}

static void background_open(struct stage *stage)
{
    event_open(stage);
    ck_assert_int_eq(bight_background_new(&stage->background, NULL, NULL), 0);
    ck_assert_int_eq(bight_background_spawn(NULL, stage->background, NULL, wait_event, stage), 0);
}

static int background_drain_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_background_drain(seat->stage->background);
}

static void background_close(struct stage *stage)
{
    ck_assert_int_eq(bight_background_end(stage->background), 0);
    event_close(stage);
}

static int background_close_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_background_end(seat->stage->background);
}

static void nothing(struct stage *stage)
{
    (void)stage;
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way task_ways[] = {
    {"bight_future_wait", 2, 0, true, 0, future_open, future_wait, future_wake, NULL, future_close},
    {"bight_future_wait_for", 1, 0, true, 0, future_open, future_wait_for, future_wake_or_not, NULL,
     future_close},
    {"bight_wait", 2, 1, true, 0, future_open, futures_wait, future_wake, NULL, future_close},
    {"bight_as_completed_next", 2, 0, true, 0, future_open, next_future_wait, future_wake, NULL,
     future_close},
    {"bight_group_drain", 1, 0, true, WAY_DRAINS_ON, event_open, drain_wait, event_wake, NULL,
     event_close},
    {"bight_group_start", 1, 0, true, WAY_DRAINS_ON, event_open, start_wait, event_wake, NULL,
     event_close},
    {"bight_background_drain", 2, 0, true, 0, background_open, background_drain_wait, event_wake,
     NULL, background_close},
    {"bight_background_end", 1, 0, false, WAY_BY_ITSELF, background_open, background_close_wait,
     nothing, NULL, event_close},
    {"bight_deadline", 2, 0, true, WAY_DRAINS_ON, event_open, deadline_wait, event_wake, NULL,
     event_close},
};

const struct way_table task_way_table = {task_ways, sizeof(task_ways) / sizeof(task_ways[0])};
