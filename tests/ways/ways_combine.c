/* See ways.h: what is put together from tasks and waits. Most of the calls wait for the event
 * inside. */
#include "tests/ways/ways.h"

#include <check.h>

#include "coro/base/list.h"

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
    int rc = bight_gather_all(calls, 2, 0);

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

static int retry_wait(struct seat *seat)
{
    return bight_retry_run(NULL, wait_event, seat->stage);
}

/* Rate limiter: what is given is the time for one token. */

static void rate_open(struct stage *stage)
{
    ck_assert_int_eq(bight_rate_limiter_init(&stage->rate, 1, 3600000, 4), 0);
    ck_assert_int_eq(bight_rate_limiter_try_acquire(&stage->rate, 4), 0);
}

static int rate_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_rate_limiter_acquire(&seat->stage->rate, 1);
}

static void rate_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_test_clock_advance(stage->test.clock, 3600000), 0);
}

static void rate_close(struct stage *stage)
{
    ck_assert_uint_eq(bight_rate_limiter_available(&stage->rate), stage->given - stage->taken);
}

/* Generators */

static void generator_end(struct stage *stage)
{
    ck_assert_int_eq(bight_generator_end(stage->generator), 0);
    ck_assert_int_eq(bight_generator_free(stage->generator), 0);
}

/* Have the producer at work: ask, and give the question up. */
static void begin_producer(struct stage *stage,
                           int (*fn)(struct bight_generator *generator, void *arg))
{
    struct bight_scope scope;
    void *value;

    event_open(stage);
    ck_assert_int_eq(bight_generator_new(&stage->generator, fn, stage), 0);
    ck_assert_int_eq(bight_scope_begin(&scope, 1, 0), 0);
    int rc = bight_generator_next(stage->generator, &value);
    ck_assert_int_eq(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
}

static int yields_at_event(struct bight_generator *generator, void *arg)
{
    int rc = wait_event(arg);

    return rc ? rc : bight_generator_yield(generator, arg);
}

static void next_open(struct stage *stage)
{
    event_open(stage);
    ck_assert_int_eq(bight_generator_new(&stage->generator, yields_at_event, stage), 0);
}

static int next_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    int rc = bight_generator_next(seat->stage->generator, &seat->item);

    ck_assert_ptr_eq(seat->item, rc ? NULL : (void *)seat->stage);
    return rc;
}

/* A value that nobody took is still there. */
static void next_close(struct stage *stage)
{
    void *value;

    if (stage->given > stage->taken)
        ck_assert_int_eq(bight_generator_next(stage->generator, &value), 0);
    generator_end(stage);
}

/* The seat yields in the place of the producer; the child asks at the event: for the value, and
 * for the one after it. */

static int sleeps(struct bight_generator *generator, void *arg)
{
    (void)generator;
    (void)arg;
    return bight_sleep(-1);
}

static int asks_twice(void *arg)
{
    struct stage *stage = arg;
    void *value;
    int rc = bight_event_wait(&stage->event);

    if (rc == 0)
        rc = bight_generator_next(stage->generator, &value);
    return rc ? rc : bight_generator_next(stage->generator, &value);
}

static void yield_open(struct stage *stage)
{
    begin_producer(stage, sleeps);
    ck_assert_int_eq(bight_spawn(&stage->child, asks_twice, stage), 0);
}

static int yield_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_generator_yield(seat->stage->generator, seat);
}

static void yield_close(struct stage *stage)
{
    bight_task_cancel(stage->child);
    ck_assert_int_eq(bight_join(stage->child, NULL), 0);
    generator_end(stage);
}

/* Closing a generator whose producer does not listen. */

static int is_stubborn(struct bight_generator *generator, void *arg)
{
    (void)generator;
    return bight_shield(-1, wait_event, arg);
}

static void close_open(struct stage *stage)
{
    begin_producer(stage, is_stubborn);
    stage->no_memory = false;
}

static int close_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_generator_end(seat->stage->generator);
}

/* The ends of tasks: the child waits for the event. */

static void child_open(struct stage *stage)
{
    event_open(stage);
    ck_assert_int_eq(bight_spawn(&stage->child, wait_event, stage), 0);
}

static int ends_wait(struct seat *seat)
{
    struct bight_wait_item items[2] = {{.task = seat->stage->child}, {.task = seat->stage->child}};

    seat->stage->no_memory = true;
    return bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, -1);
}

static int next_end_wait(struct seat *seat)
{
    struct bight_wait_item item = {.task = seat->stage->child}, *got = NULL;
    struct bight_as_completed completed;

    seat->stage->no_memory = true;
    ck_assert_int_eq(bight_as_completed_begin(&completed, &item, 1), 0);
    int rc = bight_as_completed_next(&completed, &got);
    bight_as_completed_end(&completed);
    ck_assert_ptr_eq(got, rc ? NULL : &item);
    return rc;
}

static void child_close(struct stage *stage)
{
    event_wake(stage);
    ck_assert_int_eq(bight_join(stage->child, NULL), 0); /* the handle is as good as before */
}

static int wait_for_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_wait_for(seat->stage->child, -1, NULL);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way combine_ways[] = {
    {"bight_gather_all", 1, 0, true, WAY_DRAINS_ON, event_open, gather_wait, event_wake, NULL,
     event_close},
    {"bight_map", 1, 0, true, WAY_DRAINS_ON, event_open, map_wait, event_wake, NULL, event_close},
    {"bight_race", 1, 1, true, WAY_DRAINS_ON, event_open, race_wait, event_wake, NULL, event_close},
    {"bight_retry_run", 2, 0, true, 0, event_open, retry_wait, event_wake, NULL, event_close},
    {"bight_rate_limiter_acquire", 2, 0, true, 0, rate_open, rate_wait, rate_wake, NULL,
     rate_close},
    {"bight_generator_next", 1, 0, true, 0, next_open, next_wait, event_wake, NULL, next_close},
    {"bight_generator_yield", 1, 0, true, 0, yield_open, yield_wait, event_wake, NULL, yield_close},
    {"bight_generator_end", 1, 0, false, 0, close_open, close_wait, event_wake, NULL,
     generator_end},
    {"bight_wait", 2, 1, true, 0, child_open, ends_wait, event_wake, NULL, child_close},
    {"bight_as_completed_next", 2, 0, true, 0, child_open, next_end_wait, event_wake, NULL,
     child_close},
    {"bight_wait_for", 1, 0, true, 0, child_open, wait_for_wait, event_wake, NULL, event_close},
};

const struct way_table combine_way_table = {combine_ways,
                                            sizeof(combine_ways) / sizeof(combine_ways[0])};
