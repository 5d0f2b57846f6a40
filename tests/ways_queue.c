/* See ways.h: queues. */
#include "tests/ways.h"

#include <check.h>

static int item;

static void queue_open(struct stage *stage)
{
    ck_assert_int_eq(bight_queue_new(&stage->queue, 1), 0);
}

static void full_queue_open(struct stage *stage)
{
    queue_open(stage);
    ck_assert_int_eq(bight_queue_try_put(stage->queue, &item), 0);
}

static int put_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_queue_put(seat->stage->queue, seat);
}

static void put_wake(struct stage *stage)
{
    void *got;

    ck_assert_int_eq(bight_queue_try_get(stage->queue, &got), 0);
}

static void put_close(struct stage *stage)
{
    ck_assert_uint_eq(bight_queue_length(stage->queue), 1 + stage->taken - stage->given);
    bight_queue_abort(stage->queue, NULL);
    ck_assert_int_eq(bight_queue_free(stage->queue), 0);
}

static int get_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    int rc = bight_queue_get(seat->stage->queue, &seat->item);

    ck_assert_ptr_eq(seat->item, rc ? NULL : &item);
    return rc;
}

static void get_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_queue_try_put(stage->queue, &item), 0);
}

static void get_close(struct stage *stage)
{
    ck_assert_uint_eq(bight_queue_length(stage->queue), stage->given - stage->taken);
    bight_queue_abort(stage->queue, NULL);
    ck_assert_int_eq(bight_queue_free(stage->queue), 0);
}

static int queue_join_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_queue_join(seat->stage->queue);
}

static void queue_join_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_queue_task_done(stage->queue), stage->given == 1 ? 0 : BIGHT_EINVAL);
}

static void queue_join_close(struct stage *stage)
{
    ck_assert_int_eq(bight_queue_free(stage->queue), 0);
}

/* call, seats, woken, lets_go, by_itself, open, wait, wake, leave, close */
static const struct way queue_ways[] = {
    {"bight_queue_put", 2, 0, true, false, full_queue_open, put_wait, put_wake, NULL, put_close},
    {"bight_queue_get", 2, 0, true, false, queue_open, get_wait, get_wake, NULL, get_close},
    {"bight_queue_join", 2, 0, true, false, full_queue_open, queue_join_wait, queue_join_wake, NULL,
     queue_join_close},
};

const struct way_table queue_way_table = {queue_ways, sizeof(queue_ways) / sizeof(queue_ways[0])};
