/* Queues of every kind: when the work is done, and what closing means. Items are small numbers as
 * pointers. QUEUE_SHUT_DOWN is ECLOSED in bight, INVALID_ARGUMENT is EINVAL. */
#include "tests/conformance/conf.h"

#define ITEM(n) ((void *)(uintptr_t)(n))
#define NUMBER(item) ((int)(uintptr_t)(item))

static int compare(const void *a, const void *b)
{
    return NUMBER(a) - NUMBER(b);
}

static struct bight_queue *make(enum bight_queue_kind kind, size_t capacity)
{
    struct bight_queue *queue;

    ck_ok(bight_queue_new_with(
        &queue,
        &(struct bight_queue_options){.capacity = capacity, .kind = kind, .compare = compare}));
    return queue;
}

/* Play `scene` with a queue of each kind. */
static void each_kind(void (*scene)(struct bight_queue *queue), size_t capacity)
{
    for (int kind = BIGHT_QUEUE_FIFO; kind <= BIGHT_QUEUE_PRIORITY; kind++) {
        struct bight_queue *queue = make((enum bight_queue_kind)kind, capacity);

        scene(queue);
        ck_ok(bight_queue_free(queue));
    }
}

static int joins(void *arg)
{
    return bight_queue_join(arg);
}

static int gets(void *arg)
{
    void *item;

    return bight_queue_get(arg, &item);
}

static int puts_two(void *arg)
{
    return bight_queue_put(arg, ITEM(2));
}

/* Nothing goes in or out any more, in either form. */
static void is_shut(struct bight_queue *queue)
{
    void *item;

    ck_code(bight_queue_put(queue, ITEM(9)), BIGHT_ECLOSED);
    ck_code(bight_queue_try_put(queue, ITEM(9)), BIGHT_ECLOSED);
    ck_code(bight_queue_get(queue, &item), BIGHT_ECLOSED);
    ck_code(bight_queue_try_get(queue, &item), BIGHT_ECLOSED);
}

static void done_too_often(struct bight_queue *queue)
{
    ck_code(bight_queue_task_done(queue), BIGHT_EINVAL);
}

static int too_often(void *arg)
{
    (void)arg;
    each_kind(done_too_often, BIGHT_QUEUE_UNBOUNDED);
    return 0;
}

struct work {
    struct bight_queue *queue;
    int sum;
    bool running;
};

static int works(void *arg)
{
    struct work *work = arg;
    void *item;

    while (work->running) {
        ck_ok(bight_queue_get(work->queue, &item));
        work->sum += NUMBER(item);
        ck_ok(bight_queue_task_done(work->queue));
    }
    return 0;
}

static void two_workers(struct bight_queue *queue)
{
    struct work work = {.queue = queue, .running = true};
    struct bight_group group;

    for (int i = 0; i < 100; i++)
        ck_ok(bight_queue_try_put(queue, ITEM(i)));
    ck_ok(bight_group_begin(&group, 0));
    for (int i = 0; i < 2; i++)
        ck_ok(bight_group_spawn(NULL, &group, NULL, works, &work));
    ck_ok(bight_queue_join(queue));
    ck_assert_int_eq(work.sum, 4950);
    work.running = false;
    for (int i = 0; i < 2; i++)
        ck_ok(bight_queue_put(queue, ITEM(0)));
    ck_ok(bight_group_end(&group, 0));
    ck_assert(bight_queue_empty(queue));
}

static int all_work(void *arg)
{
    (void)arg;
    each_kind(two_workers, BIGHT_QUEUE_UNBOUNDED);
    return 0;
}

static void joined_twice(struct bight_queue *queue)
{
    struct conf_sleeper other = {.sleep_ms = 0};
    struct bight_task *task;

    ck_ok(bight_spawn(&task, conf_sleeper, &other));
    ck_ok(bight_queue_join(queue));
    ck_ok(bight_queue_join(queue));
    ck_assert(!other.begun); /* at once */
    conf_join(task, 0);
}

static int nothing_to_do(void *arg)
{
    (void)arg;
    each_kind(joined_twice, BIGHT_QUEUE_UNBOUNDED);
    return 0;
}

static void shut_empty(struct bight_queue *queue)
{
    struct bight_task *getter;

    ck_ok(bight_spawn(&getter, gets, queue));
    world_settle();
    ck_assert(!bight_task_done(getter));
    bight_queue_close(queue);
    ck_assert_uint_eq(bight_queue_length(queue), 0);
    ck_ok(bight_queue_join(queue));
    ck_ok(bight_yield());
    ck_assert(bight_task_done(getter));
    conf_join(getter, BIGHT_ECLOSED);
    is_shut(queue);
}

static int closes_empty(void *arg)
{
    (void)arg;
    each_kind(shut_empty, BIGHT_QUEUE_UNBOUNDED);
    return 0;
}

static void shut_with_an_item(struct bight_queue *queue)
{
    struct bight_task *joiner, *putter;
    void *item = NULL;

    ck_ok(bight_queue_put(queue, ITEM(1)));
    ck_ok(bight_spawn(&joiner, joins, queue));
    ck_ok(bight_spawn(&putter, puts_two, queue));
    world_settle();
    ck_assert(!bight_task_done(putter));
    bight_queue_close(queue);
    ck_ok(bight_yield());
    ck_assert_uint_eq(bight_queue_length(queue), 1);
    ck_assert(bight_task_done(putter));
    conf_join(putter, BIGHT_ECLOSED);
    ck_ok(bight_queue_get(queue, &item));
    ck_assert_int_eq(NUMBER(item), 1);
    ck_ok(bight_yield());
    ck_assert(!bight_task_done(joiner));
    is_shut(queue);
    ck_ok(bight_queue_task_done(queue));
    ck_ok(bight_yield());
    ck_assert(bight_task_done(joiner));
    conf_join(joiner, 0);
    ck_code(bight_queue_task_done(queue), BIGHT_EINVAL);
}

static int closes_gently(void *arg)
{
    (void)arg;
    each_kind(shut_with_an_item, 1);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(qjoin_01_more_is_done_than_was_put, too_often),
    conf_case(qjoin_02_a_join_returns_when_all_was_reported, all_work),
    conf_case(qjoin_03_a_queue_that_never_had_items_is_joined_at_once, nothing_to_do),
    conf_case(qshut_01_closing_an_empty_queue_tells_who_waits, closes_empty),
    conf_case(qshut_02_closing_lets_out_what_is_left, closes_gently),
};

test_suite("queues, joined and closed", cases);
