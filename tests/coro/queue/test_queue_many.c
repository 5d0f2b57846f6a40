/* Getting many items at once: batches, turns, and that nothing is lost on the way. Items are small
 * numbers as pointers. */
#include <limits.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define ITEM(n) ((void *)(uintptr_t)(n))
#define NUMBER(item) ((int)(uintptr_t)(item))

/* A task that gets one batch. */
struct batch {
    struct bight_queue *queue;
    size_t max;
    void *items[16];
    int rc;
    struct bight_task *task;
};

static int gets_batch(void *arg)
{
    struct batch *batch = arg;

    batch->rc = bight_queue_get_many(batch->queue, batch->items, batch->max);
    return batch->rc;
}

static void spawn_batch(struct batch *batch, struct bight_queue *queue, size_t max)
{
    *batch = (struct batch){.queue = queue, .max = max};
    ck_ok(bight_spawn(&batch->task, gets_batch, batch));
    world_settle();
}

/* It got the numbers from `first` on, or failed with -count. */
static void join_batch(struct batch *batch, int count, int first)
{
    ck_ok(bight_join(batch->task, NULL));
    ck_assert_int_eq(batch->rc, count);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(NUMBER(batch->items[i]), first + i);
}

static void put_numbers(struct bight_queue *queue, int first, int count)
{
    for (int i = 0; i < count; i++)
        ck_ok(bight_queue_try_put(queue, ITEM(first + i)));
}

static int takes_what_is_there(void *arg)
{
    struct bight_queue *queue;
    void *items[8];

    (void)arg;
    ck_ok(bight_queue_new(&queue, BIGHT_QUEUE_UNBOUNDED));
    put_numbers(queue, 1, 5);
    ck_code(bight_queue_get_many(queue, items, 0), BIGHT_EINVAL);
    ck_code(bight_queue_try_get_many(queue, items, (size_t)INT_MAX + 1), BIGHT_EINVAL);
    ck_assert_int_eq(bight_queue_get_many(queue, items, 2), 2);
    ck_assert_int_eq(NUMBER(items[1]), 2);
    ck_assert_int_eq(bight_queue_try_get_many(queue, items, 8), 3);
    ck_assert_int_eq(NUMBER(items[2]), 5);
    ck_code(bight_queue_try_get_many(queue, items, 8), BIGHT_EAGAIN);
    put_numbers(queue, 1, 1);
    bight_queue_close(queue);
    ck_assert_int_eq(bight_queue_get_many(queue, items, 8), 1);
    ck_code(bight_queue_get_many(queue, items, 8), BIGHT_ECLOSED);
    return bight_queue_free(queue);
}

static int owns_the_burst(void *arg)
{
    struct bight_queue_stats stats;
    struct batch first, second;
    struct bight_queue *queue;
    void *item;

    (void)arg;
    ck_ok(bight_queue_new(&queue, 2));
    spawn_batch(&first, queue, 16);
    spawn_batch(&second, queue, 16);
    put_numbers(queue, 1, 10); /* more than there are places */
    ck_code(bight_queue_try_get(queue, &item), BIGHT_EAGAIN);
    bight_queue_get_stats(queue, &stats);
    ck_assert_uint_eq(stats.getters, 1);
    ck_assert_uint_eq(stats.unfinished, 10);
    join_batch(&first, 10, 1);
    world_settle();
    bight_queue_get_stats(queue, &stats);
    ck_assert_uint_eq(stats.getters, 1); /* the second has not been woken */
    put_numbers(queue, 11, 1);
    join_batch(&second, 1, 11);
    return bight_queue_free(queue);
}

static int full_ones(void *arg)
{
    struct batch batches[2];
    struct bight_queue *queue;
    void *item;

    (void)arg;
    ck_ok(bight_queue_new(&queue, 2));
    spawn_batch(&batches[0], queue, 3);
    spawn_batch(&batches[1], queue, 1);
    put_numbers(queue, 1, 6);
    ck_code(bight_queue_try_put(queue, ITEM(7)), BIGHT_EAGAIN);
    join_batch(&batches[0], 3, 1);
    join_batch(&batches[1], 1, 4);
    ck_ok(bight_queue_get(queue, &item));
    ck_assert_int_eq(NUMBER(item), 5);
    ck_ok(bight_queue_get(queue, &item));
    return bight_queue_free(queue);
}

static int cancelled_ones(void *arg)
{
    struct batch batches[3];
    struct bight_queue *queue;

    (void)arg;
    ck_ok(bight_queue_new(&queue, 2));
    for (int i = 0; i < 3; i++)
        spawn_batch(&batches[i], queue, 16);
    bight_task_cancel(batches[0].task);
    put_numbers(queue, 1, 2);
    bight_task_cancel(batches[1].task); /* it has items, and keeps them, and goes on taking */
    put_numbers(queue, 3, 2);
    ck_code(bight_queue_free(queue), BIGHT_EBUSY);
    join_batch(&batches[0], BIGHT_ECANCELED, 0);
    join_batch(&batches[1], 4, 1);
    put_numbers(queue, 5, 1);
    bight_queue_close(queue); /* woken, then closed: woken */
    bight_queue_abort(queue, NULL, NULL);
    ck_ok(bight_queue_free(queue)); /* nobody comes back to it */
    join_batch(&batches[2], 1, 5);
    return 0;
}

static int puts_next(void *arg)
{
    struct batch *batch = arg;

    return bight_queue_put(batch->queue, batch->items[0]);
}

static int drains_putters(void *arg)
{
    struct batch putters[4];
    struct bight_queue *queue;
    void *items[8];
    int status;

    (void)arg;
    for (size_t capacity = 0; capacity < 3; capacity++) {
        ck_ok(bight_queue_new(&queue, capacity));
        for (int i = 0; i < 4; i++) {
            putters[i] = (struct batch){.queue = queue, .items = {ITEM(i + 1)}};
            ck_ok(bight_spawn(&putters[i].task, puts_next, &putters[i]));
        }
        world_settle();
        ck_assert_int_eq(bight_queue_get_many(queue, items, 8), 4);
        for (int i = 0; i < 4; i++) {
            ck_assert_int_eq(NUMBER(items[i]), i + 1);
            ck_ok(bight_join(putters[i].task, &status));
            ck_ok(status);
        }
        ck_ok(bight_queue_free(queue));
    }
    return 0;
}

static const struct suite_case cases[] = {
    world_case(many_are_as_many_as_there_are_up_to_a_limit, takes_what_is_there),
    world_case(many_a_burst_goes_to_the_first_that_waits_alone, owns_the_burst),
    world_case(many_that_are_full_let_the_next_have_the_rest, full_ones),
    world_case(many_cancelled_pass_on_and_woken_keep, cancelled_ones),
    world_case(many_take_also_from_putters_that_wait, drains_putters),
};

test_suite("queue_many", cases);
