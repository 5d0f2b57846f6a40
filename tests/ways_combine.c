/* See ways.h: gather, map and race. Their calls wait for the event. */
#include "tests/ways.h"

#include <check.h>

#include "coro/list.h"

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

/* The tasks are made: from here on nothing is allocated. */
static int wait_event(void *arg)
{
    struct stage *stage = arg;

    stage->no_memory = true;
    return bight_event_wait(&stage->event);
}

static int wait_event_of(void *item)
{
    return wait_event(*(struct stage **)item);
}

static int gather_wait(struct seat *seat)
{
    struct bight_gather calls[2] = {{.fn = wait_event, .arg = seat->stage},
                                    {.fn = wait_event, .arg = seat->stage}};
    int rc = bight_gather(calls, 2, 0);

    ck_assert_int_eq(calls[0].status, rc);
    ck_assert_int_eq(calls[1].status, rc);
    return rc;
}

static int map_wait(struct seat *seat)
{
    struct stage *items[2] = {seat->stage, seat->stage};

    return bight_map(wait_event_of, items, sizeof(items[0]), 2, 2, 0);
}

static int race_wait(struct seat *seat)
{
    struct bight_gather call = {.fn = wait_event, .arg = seat->stage};
    int rc = bight_race(&call, 1, -1, NULL);

    ck_assert_int_eq(call.status, rc < 0 ? rc : 0);
    return rc;
}

static const struct way gather_ways[] = {
    {"bight_gather", 1, 0, true, false, event_open, gather_wait, event_wake, NULL, event_close},
    {"bight_map", 1, 0, true, false, event_open, map_wait, event_wake, NULL, event_close},
    {"bight_race", 1, 1, true, false, event_open, race_wait, event_wake, NULL, event_close},
};

const struct way_table gather_way_table = {gather_ways,
                                           sizeof(gather_ways) / sizeof(gather_ways[0])};
