/* Queues: what can be seen of them, orders, who waits and who is cancelled. Items are small
 * numbers as pointers. QUEUE_EMPTY and QUEUE_FULL are EAGAIN in bight. */
#include "tests/conformance/conf.h"

#define ITEM(n) ((void *)(uintptr_t)(n))
#define NUMBER(item) ((int)(uintptr_t)(item))

static struct bight_queue *make(size_t capacity)
{
    struct bight_queue *queue;

    ck_ok(bight_queue_new(&queue, capacity));
    return queue;
}

static struct bight_queue_stats stats_of(const struct bight_queue *queue)
{
    struct bight_queue_stats stats;

    bight_queue_get_stats(queue, &stats);
    return stats;
}

static void get_gives(struct bight_queue *queue, int number)
{
    void *item = NULL;

    ck_ok(bight_queue_get(queue, &item));
    ck_assert_int_eq(NUMBER(item), number);
}

static void try_get_gives(struct bight_queue *queue, int number)
{
    void *item = NULL;

    ck_ok(bight_queue_try_get(queue, &item));
    ck_assert_int_eq(NUMBER(item), number);
}

/* A task that gets or puts one item. */
struct user {
    struct bight_queue *queue;
    void *item;
    struct bight_task *task;
};

static int gets(void *arg)
{
    struct user *user = arg;

    return bight_queue_get(user->queue, &user->item);
}

static int puts_item(void *arg)
{
    struct user *user = arg;

    return bight_queue_put(user->queue, user->item);
}

static void start(struct user *user, int (*fn)(void *arg))
{
    ck_ok(bight_spawn(&user->task, fn, user));
}

static int empty(void *arg)
{
    struct bight_queue *queue = make(BIGHT_QUEUE_UNBOUNDED);

    (void)arg;
    ck_assert(bight_queue_empty(queue));
    ck_ok(bight_queue_put(queue, ITEM(1)));
    ck_assert(!bight_queue_empty(queue));
    get_gives(queue, 1);
    ck_assert(bight_queue_empty(queue));
    return bight_queue_free(queue);
}

static int full(void *arg)
{
    struct bight_queue *unbounded = make(BIGHT_QUEUE_UNBOUNDED), *one = make(1);

    (void)arg;
    ck_assert(!bight_queue_full(unbounded));
    for (int i = 0; i < 100; i++)
        ck_ok(bight_queue_put(unbounded, ITEM(i)));
    ck_assert(!bight_queue_full(unbounded));
    ck_assert(!bight_queue_full(one));
    ck_ok(bight_queue_put(one, ITEM(1)));
    ck_assert(bight_queue_full(one));
    ck_ok(bight_queue_free(unbounded));
    return bight_queue_free(one);
}

static void order(enum bight_queue_kind kind, int first, int second, int third)
{
    struct bight_queue_options options = {.capacity = BIGHT_QUEUE_UNBOUNDED, .kind = kind};
    struct bight_queue *queue;

    ck_ok(bight_queue_new_with(&queue, &options));
    ck_ok(bight_queue_put(queue, ITEM(1)));
    ck_ok(bight_queue_put(queue, ITEM(3)));
    ck_ok(bight_queue_put(queue, ITEM(2)));
    get_gives(queue, first);
    get_gives(queue, second);
    get_gives(queue, third);
    ck_ok(bight_queue_free(queue));
}

static int fifo(void *arg)
{
    (void)arg;
    order(BIGHT_QUEUE_FIFO, 1, 3, 2);
    return 0;
}

static int lifo(void *arg)
{
    (void)arg;
    order(BIGHT_QUEUE_LIFO, 2, 3, 1);
    return 0;
}

static int gets_at_once(void *arg)
{
    struct conf_sleeper other = {.sleep_ms = 0};
    struct bight_queue *queue = make(2);
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, conf_sleeper, &other));
    ck_ok(bight_queue_put(queue, ITEM(1)));
    get_gives(queue, 1);
    ck_ok(bight_queue_put(queue, ITEM(1)));
    try_get_gives(queue, 1);
    ck_assert(!other.begun); /* nobody else had a turn */
    conf_join(task, 0);
    return bight_queue_free(queue);
}

static int nothing_to_get(void *arg)
{
    struct bight_queue *queue = make(BIGHT_QUEUE_UNBOUNDED);
    void *item = &queue;

    (void)arg;
    ck_code(bight_queue_try_get(queue, &item), BIGHT_EAGAIN);
    ck_assert_ptr_eq(item, &queue);
    return bight_queue_free(queue);
}

static int wakes_putter(void *arg)
{
    struct bight_queue *queue = make(1);
    struct user putter = {.queue = queue, .item = ITEM(2)};

    (void)arg;
    ck_ok(bight_queue_put(queue, ITEM(1)));
    start(&putter, puts_item);
    world_settle();
    ck_assert_uint_eq(stats_of(queue).putters, 1);
    get_gives(queue, 1);
    ck_assert_uint_eq(stats_of(queue).putters, 0);
    ck_assert(!bight_task_done(putter.task)); /* told, it runs later */
    conf_join(putter.task, 0);
    get_gives(queue, 2);
    return bight_queue_free(queue);
}

static int cancelled_getter(void *arg)
{
    struct bight_queue *queue = make(BIGHT_QUEUE_UNBOUNDED);
    struct user first = {.queue = queue}, second = {.queue = queue};

    (void)arg;
    start(&first, gets);
    start(&second, gets);
    world_settle();
    ck_assert_uint_eq(stats_of(queue).getters, 2);
    bight_task_cancel(first.task);
    ck_ok(bight_yield());
    ck_assert(bight_task_done(first.task));
    ck_ok(bight_queue_put(queue, ITEM('a')));
    ck_ok(bight_yield());
    conf_join(second.task, 0);
    ck_assert_int_eq(NUMBER(second.item), 'a');
    conf_join(first.task, BIGHT_ECANCELED);
    return bight_queue_free(queue);
}

static int getter_timed_out(void *arg)
{
    struct bight_queue *queue = make(5);
    struct user getter = {.queue = queue};

    (void)arg;
    start(&getter, gets);
    ck_code(bight_wait_for(getter.task, 100, NULL), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(conf_now_ms(), 100);
    ck_assert_uint_eq(stats_of(queue).getters, 0);
    ck_ok(bight_queue_put(queue, ITEM(1)));
    ck_assert_uint_eq(bight_queue_length(queue), 1); /* given to nobody */
    return bight_queue_free(queue);
}

struct two_puts {
    struct bight_call timer;
    struct bight_queue *queue;
    bool first_put;
    bool both_put;
};

static void takes_one(struct bight_call *call)
{
    struct two_puts *puts = (struct two_puts *)call; /* its first field */

    ck_assert(puts->first_put && !puts->both_put);
    try_get_gives(puts->queue, 1);
}

static int puts_twice(void *arg)
{
    struct two_puts *puts = arg;

    ck_ok(bight_queue_put(puts->queue, ITEM(1)));
    puts->first_put = true;
    ck_ok(bight_queue_put(puts->queue, ITEM(2)));
    puts->both_put = true;
    return 0;
}

static int put_waits(void *arg)
{
    struct two_puts puts = {.queue = make(1)};
    struct bight_task *task;

    (void)arg;
    bight_call_init(&puts.timer, takes_one);
    ck_ok(bight_call_later(&puts.timer, 10));
    ck_ok(bight_spawn(&task, puts_twice, &puts));
    conf_join(task, 0);
    ck_assert(puts.both_put);
    ck_assert_int_eq(conf_now_ms(), 10);
    get_gives(puts.queue, 2);
    return bight_queue_free(puts.queue);
}

static int cancelled_putter(void *arg)
{
    struct bight_queue *queue = make(1);
    struct user a = {.queue = queue, .item = ITEM('a')}, b = {.queue = queue, .item = ITEM('b')},
                x = {.queue = queue, .item = ITEM('X')};

    (void)arg;
    start(&a, puts_item);
    start(&b, puts_item);
    start(&x, puts_item);
    ck_ok(bight_yield());
    ck_assert(bight_task_done(a.task));
    ck_assert_uint_eq(stats_of(queue).putters, 2);
    bight_task_cancel(x.task);
    ck_ok(bight_yield());
    ck_assert(bight_task_done(x.task));
    try_get_gives(queue, 'a');
    ck_ok(bight_yield());
    try_get_gives(queue, 'b');
    conf_join(b.task, 0);
    conf_join(a.task, 0);
    conf_join(x.task, BIGHT_ECANCELED);
    ck_assert(bight_queue_empty(queue));
    return bight_queue_free(queue);
}

static int takes_what_is_there(void *arg)
{
    struct bight_queue *queue = arg;

    ck_ok(bight_yield());
    ck_assert_uint_eq(stats_of(queue).putters, 2);
    for (size_t count = bight_queue_length(queue), i = 0; i < count; i++)
        try_get_gives(queue, (int)i);
    return 0;
}

static int four_putters(void *arg)
{
    struct bight_queue *queue = make(2);
    struct user putters[4];
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, takes_what_is_there, queue));
    for (int i = 0; i < 4; i++) {
        putters[i] = (struct user){.queue = queue, .item = ITEM(i)};
        ck_ok(bight_group_spawn(NULL, &group, NULL, puts_item, &putters[i]));
    }
    ck_ok(bight_group_end(&group, 0));
    ck_assert_uint_eq(stats_of(queue).putters, 0);
    try_get_gives(queue, 2);
    try_get_gives(queue, 3);
    ck_assert(bight_queue_empty(queue));
    return bight_queue_free(queue);
}

/* The first item, and that there is no other. */
static bool sees(void *arg, const void *item)
{
    const void **seen = arg;

    ck_assert_ptr_null(*seen);
    *seen = item;
    return true;
}

static int shows(void *arg)
{
    struct bight_queue *queue = make(1);
    struct user getter = {.queue = queue}, putter = {.queue = queue, .item = ITEM(2)};
    const void *seen = NULL;

    (void)arg;
    ck_assert_uint_eq(stats_of(queue).capacity, 1); /* a new one */
    ck_assert_uint_eq(stats_of(queue).unfinished, 0);
    ck_assert(!stats_of(queue).closed);
    bight_queue_visit(queue, sees, &seen);
    ck_assert_ptr_null(seen);
    start(&getter, gets); /* one that waits for an item */
    world_settle();
    ck_assert_uint_eq(stats_of(queue).getters, 1);
    ck_assert_uint_eq(stats_of(queue).putters, 0);
    ck_ok(bight_queue_put(queue, ITEM(3)));
    conf_join(getter.task, 0);
    ck_ok(bight_queue_put(queue, ITEM(1))); /* one for a place, by what is there */
    start(&putter, puts_item);
    world_settle();
    ck_assert_uint_eq(stats_of(queue).getters, 0);
    ck_assert_uint_eq(stats_of(queue).putters, 1);
    bight_queue_visit(queue, sees, &seen);
    ck_assert_int_eq(NUMBER(seen), 1);
    ck_assert_uint_eq(stats_of(queue).length, 1);
    ck_assert_uint_eq(stats_of(queue).unfinished, 2); /* 3, that was taken, and 1 */
    bight_queue_close(queue);
    ck_assert(stats_of(queue).closed);
    conf_join(putter.task, BIGHT_ECLOSED);
    return bight_queue_free(queue);
}

static const struct suite_case cases[] = {
    conf_case(queue_01_empty_can_be_seen, empty),
    conf_case(queue_02_full_can_be_seen, full),
    conf_case(queue_03_the_first_in_is_the_first_out, fifo),
    conf_case(queue_04_the_last_in_is_the_first_out, lifo),
    conf_case(queue_07_an_item_that_is_there_is_taken_at_once, gets_at_once),
    conf_case(queue_09_there_is_nothing_to_get_now, nothing_to_get),
    conf_case(queue_10_taking_an_item_wakes_a_putter, wakes_putter),
    conf_case(queue_11_a_cancelled_getter_eats_no_item, cancelled_getter),
    conf_case(queue_14_a_getter_that_timed_out_is_forgotten, getter_timed_out),
    conf_case(queue_16_a_put_waits_for_room, put_waits),
    conf_case(queue_23_cancelling_the_last_putter_leaves_the_others_in_order, cancelled_putter),
    conf_case(queue_25_taking_several_items_releases_several_putters, four_putters),
    conf_case(queue_28_waiters_content_and_sizes_can_be_read, shows),
};

test_suite("queues", cases);
