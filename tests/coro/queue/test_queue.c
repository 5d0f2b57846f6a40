/* Queue: order, bounds, cancellation without loss, closing. Items are small numbers as pointers. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define ITEM(n) ((void *)(uintptr_t)(n))
#define NUMBER(item) ((int)(uintptr_t)(item))

static int gets(void *arg)
{
    void *item = NULL;
    int rc = bight_queue_get(arg, &item);

    return rc ? rc : NUMBER(item);
}

/* By the item itself, for the tests that hold for all kinds: what they put is in that order, or
 * alone. */
static int compare(const void *a, const void *b)
{
    return NUMBER(a) - NUMBER(b);
}

static struct bight_queue *make(size_t capacity, const void *kind)
{
    struct bight_queue *queue;

    ck_ok(bight_queue_new_with(
        &queue, &(struct bight_queue_options){.capacity = capacity,
                                              .kind = *(const enum bight_queue_kind *)kind,
                                              .compare = compare}));
    return queue;
}

static enum bight_queue_kind kinds[] = {BIGHT_QUEUE_FIFO, BIGHT_QUEUE_LIFO, BIGHT_QUEUE_PRIORITY};

struct put {
    struct bight_queue *queue;
    int number;
};

static int puts_number(void *arg)
{
    struct put *put = arg;

    return bight_queue_put(put->queue, ITEM(put->number));
}

static int in_order(void *arg)
{
    struct bight_queue *queue;
    void *item;

    (void)arg;
    ck_code(bight_queue_new(&queue, SIZE_MAX - 1), BIGHT_EINVAL);
    ck_ok(bight_queue_new(&queue, 3));
    for (int round = 0; round < 5; round++) {
        for (int i = 1; i <= 3; i++)
            ck_ok(bight_queue_put(queue, ITEM(i)));
        ck_code(bight_queue_try_put(queue, ITEM(9)), BIGHT_EAGAIN);
        for (int i = 1; i <= 3 - (round == 2); i++) { /* so that the ring wraps */
            ck_ok(bight_queue_get(queue, &item));
            ck_assert_int_eq(NUMBER(item), i);
        }
        if (round == 2)
            ck_ok(bight_queue_get(queue, &item));
    }
    ck_code(bight_queue_try_get(queue, &item), BIGHT_EAGAIN);
    return bight_queue_free(queue);
}

static int getters(void *arg)
{
    struct bight_task *tasks[3];
    struct bight_queue *queue;
    int status;

    (void)arg;
    ck_ok(bight_queue_new(&queue, 2));
    for (int i = 0; i < 3; i++)
        ck_ok(bight_spawn(&tasks[i], gets, queue));
    world_settle();
    ck_code(bight_queue_free(queue), BIGHT_EBUSY);
    bight_task_cancel(tasks[0]);
    ck_ok(bight_queue_put(queue, ITEM(1))); /* passes the cancelled one by */
    bight_task_cancel(tasks[1]);            /* too late: it has the item */
    ck_ok(bight_queue_put(queue, ITEM(2)));
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_join(tasks[i], &status));
        ck_assert_int_eq(status, i ? i : BIGHT_ECANCELED);
    }
    ck_assert_uint_eq(bight_queue_length(queue), 0);
    return bight_queue_free(queue);
}

static int putters(void *arg)
{
    struct bight_task *tasks[3];
    struct bight_queue *queue;
    struct put puts[3];
    void *item;
    int status;

    (void)arg;
    ck_ok(bight_queue_new(&queue, 1));
    ck_ok(bight_queue_put(queue, ITEM(10)));
    for (int i = 0; i < 3; i++) {
        puts[i] = (struct put){queue, i + 1};
        ck_ok(bight_spawn(&tasks[i], puts_number, &puts[i]));
    }
    world_settle();
    bight_task_cancel(tasks[0]);
    int expected[] = {10, 2, 3};
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_queue_get(queue, &item));
        ck_assert_int_eq(NUMBER(item), expected[i]);
    }
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_join(tasks[i], &status));
        ck_code(status, i ? 0 : BIGHT_ECANCELED);
    }
    return bight_queue_free(queue);
}

struct kept {
    struct bight_queue *queue;
    void *item;
    int then; /* the code of its next wait */
};

static int gets_and_waits(void *arg)
{
    struct kept *kept = arg;
    int rc = bight_queue_get(kept->queue, &kept->item);

    kept->then = bight_yield();
    return rc;
}

static int puts_and_waits(void *arg)
{
    struct kept *kept = arg;
    int rc = bight_queue_put(kept->queue, kept->item);

    kept->then = bight_yield();
    return rc;
}

static void joined_with(struct bight_task *task, int code)
{
    int status = 1;

    ck_ok(bight_join(task, &status));
    ck_code(status, code);
}

static int woken_getter(void *arg)
{
    struct bight_task *tasks[3];
    struct kept kept[3] = {0};

    (void)arg;
    ck_ok(bight_queue_new(&kept[0].queue, BIGHT_QUEUE_UNBOUNDED));
    for (int i = 0; i < 3; i++) {
        kept[i].queue = kept[0].queue;
        ck_ok(bight_spawn(&tasks[i], gets_and_waits, &kept[i]));
    }
    world_settle();
    for (int i = 1; i <= 2; i++)
        ck_ok(bight_queue_try_put(kept[0].queue, ITEM(i)));
    bight_task_cancel(tasks[0]);
    world_settle();
    for (int i = 0; i < 2; i++) {
        joined_with(tasks[i], 0);
        ck_assert_int_eq(NUMBER(kept[i].item), i + 1);
        ck_code(kept[i].then, i ? 0 : BIGHT_ECANCELED);
    }
    ck_assert(!bight_task_done(tasks[2])); /* nothing is passed on to it */
    ck_ok(bight_queue_try_put(kept[0].queue, ITEM(3)));
    joined_with(tasks[2], 0);
    return bight_queue_free(kept[0].queue);
}

static int woken_putter(void *arg)
{
    struct kept kept = {.item = ITEM(2)};
    struct bight_task *task;
    void *item;

    (void)arg;
    ck_ok(bight_queue_new(&kept.queue, 1));
    ck_ok(bight_queue_put(kept.queue, ITEM(1)));
    ck_ok(bight_spawn(&task, puts_and_waits, &kept));
    world_settle();
    ck_ok(bight_queue_try_get(kept.queue, &item));
    bight_task_cancel(task);
    joined_with(task, 0);
    ck_code(kept.then, BIGHT_ECANCELED);
    ck_ok(bight_queue_try_get(kept.queue, &item));
    ck_assert_int_eq(NUMBER(item), 2);
    return bight_queue_free(kept.queue);
}

static int works(void *arg)
{
    void *item;
    int rc;

    while (!(rc = bight_queue_get(arg, &item))) {
        ck_ok(bight_sleep(NUMBER(item)));
        ck_ok(bight_queue_task_done(arg));
    }
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int joins(void *arg)
{
    struct bight_task *workers[2];
    struct bight_queue *queue = make(4, arg);
    uint64_t begun = bight_now_ns();
    int status;

    ck_ok(bight_queue_join(queue)); /* nothing was put */
    ck_ok(bight_queue_join(queue));
    ck_code(bight_queue_task_done(queue), BIGHT_EINVAL);
    for (int i = 0; i < 2; i++)
        ck_ok(bight_spawn(&workers[i], works, queue));
    for (int i = 0; i < 8; i++)
        ck_ok(bight_queue_put(queue, ITEM(10)));
    ck_ok(bight_queue_join(queue));
    ck_assert_uint_eq((bight_now_ns() - begun) / 1000000, 40);
    ck_code(bight_queue_task_done(queue), BIGHT_EINVAL);
    bight_queue_close(queue);
    for (int i = 0; i < 2; i++) {
        ck_ok(bight_join(workers[i], &status));
        ck_ok(status);
    }
    return bight_queue_free(queue);
}

static void queue_join_waits_until_all_work_is_done(int i)
{
    ck_ok(world_run(joins, &kinds[i], NULL));
}

static int waits_done(void *arg)
{
    return bight_queue_join(arg);
}

static int closes(void *arg)
{
    struct bight_task *putter, *joiner;
    struct bight_queue *queue = make(1, arg);
    struct put put;
    void *item;
    int status;

    ck_ok(bight_queue_put(queue, ITEM(1)));
    ck_ok(bight_spawn(&joiner, waits_done, queue));
    put = (struct put){queue, 2};
    ck_ok(bight_spawn(&putter, puts_number, &put));
    world_settle();
    bight_queue_close(queue);
    ck_ok(bight_join(putter, &status));
    ck_code(status, BIGHT_ECLOSED);
    ck_code(bight_queue_put(queue, ITEM(3)), BIGHT_ECLOSED);
    ck_code(bight_queue_try_put(queue, ITEM(3)), BIGHT_ECLOSED);
    ck_ok(bight_queue_get(queue, &item)); /* drains */
    ck_assert_int_eq(NUMBER(item), 1);
    ck_code(bight_queue_get(queue, &item), BIGHT_ECLOSED);
    ck_code(bight_queue_try_get(queue, &item), BIGHT_ECLOSED);
    ck_code(bight_task_status(joiner, &status), BIGHT_EAGAIN); /* what was got is not yet done */
    ck_ok(bight_queue_task_done(queue));
    ck_ok(bight_join(joiner, &status));
    ck_ok(status);
    ck_code(bight_queue_task_done(queue), BIGHT_EINVAL);
    return bight_queue_free(queue);
}

static int closes_empty(void *arg)
{
    struct bight_queue *queue = make(1, arg);
    struct bight_task *getter;
    void *item;
    int status;

    ck_ok(bight_spawn(&getter, gets, queue));
    world_settle();
    bight_queue_close(queue);
    bight_queue_close(queue);
    ck_ok(bight_queue_join(queue));
    ck_ok(bight_join(getter, &status));
    ck_code(status, BIGHT_ECLOSED);
    ck_code(bight_queue_put(queue, ITEM(1)), BIGHT_ECLOSED);
    ck_code(bight_queue_try_put(queue, ITEM(1)), BIGHT_ECLOSED);
    ck_code(bight_queue_get(queue, &item), BIGHT_ECLOSED);
    ck_code(bight_queue_try_get(queue, &item), BIGHT_ECLOSED);
    return bight_queue_free(queue);
}

static void queue_closed_while_empty_tells_who_waits(int i)
{
    ck_ok(world_run(closes_empty, &kinds[i], NULL));
}

static void queue_closed_drains_and_then_says_so(int i)
{
    ck_ok(world_run(closes, &kinds[i], NULL));
}

static int dropped;

static void drop(void *sum, void *item)
{
    *(int *)sum += NUMBER(item);
}

static int aborts(void *arg)
{
    struct bight_task *joiner;
    struct bight_queue *queue = make(4, arg);
    int status;

    dropped = 0;
    ck_ok(bight_queue_put(queue, ITEM(3)));
    ck_ok(bight_queue_put(queue, ITEM(4)));
    ck_ok(bight_spawn(&joiner, waits_done, queue));
    world_settle();
    bight_queue_abort(queue, drop, &dropped);
    ck_assert_int_eq(dropped, 7);
    ck_ok(bight_join(joiner, &status));
    ck_ok(status); /* what was dropped counts as worked on */
    ck_code(bight_queue_task_done(queue), BIGHT_EINVAL);
    return bight_queue_free(queue);
}

/* What was got before the abort still has to be reported; what was reported too early does no
 * harm. */
static int aborts_half_done(void *arg)
{
    struct bight_task *joiner, *putter;
    struct bight_queue *queue = make(2, arg);
    struct put put = {queue, 5};
    void *item;
    int status;

    dropped = 0;
    ck_ok(bight_queue_put(queue, ITEM(3)));
    ck_ok(bight_queue_get(queue, &item));
    ck_ok(bight_queue_put(queue, ITEM(4)));
    ck_ok(bight_queue_put(queue, ITEM(4)));
    ck_ok(bight_spawn(&putter, puts_number, &put));
    ck_ok(bight_spawn(&joiner, waits_done, queue));
    world_settle();
    bight_queue_abort(queue, drop, &dropped);
    ck_assert_int_eq(dropped, 8); /* not the putter's */
    ck_ok(bight_join(putter, &status));
    ck_code(status, BIGHT_ECLOSED);
    ck_code(bight_queue_get(queue, &item), BIGHT_ECLOSED);
    ck_code(bight_task_status(joiner, &status), BIGHT_EAGAIN);
    ck_ok(bight_queue_task_done(queue));
    ck_ok(bight_join(joiner, NULL));
    ck_ok(bight_queue_free(queue));

    queue = make(2, arg);
    ck_ok(bight_queue_put(queue, ITEM(1)));
    ck_ok(bight_queue_task_done(queue));
    bight_queue_abort(queue, drop, &dropped);
    ck_ok(bight_queue_join(queue));
    ck_code(bight_queue_task_done(queue), BIGHT_EINVAL);
    return bight_queue_free(queue);
}

static void queue_aborted_leaves_what_was_taken_to_be_done(int i)
{
    ck_ok(world_run(aborts_half_done, &kinds[i], NULL));
}

static void queue_aborted_drops_what_is_left(int i)
{
    ck_ok(world_run(aborts, &kinds[i], NULL));
}

static const struct suite_case cases[] = {
    world_case(queue_is_bounded_and_in_order, in_order),
    world_case(queue_items_go_to_getters_in_order_past_the_cancelled, getters),
    world_case(queue_places_go_to_putters_in_order_past_the_cancelled, putters),
    world_case(queue_getter_that_is_cancelled_with_an_item_keeps_it, woken_getter),
    world_case(queue_putter_that_is_cancelled_with_a_place_has_put, woken_putter),
    each_case(queue_join_waits_until_all_work_is_done, 3),
    each_case(queue_closed_drains_and_then_says_so, 3),
    each_case(queue_closed_while_empty_tells_who_waits, 3),
    each_case(queue_aborted_drops_what_is_left, 3),
    each_case(queue_aborted_leaves_what_was_taken_to_be_done, 3),
};

test_suite("queue", cases);
