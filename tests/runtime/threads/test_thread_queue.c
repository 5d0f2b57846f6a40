/* runtime/threads/thread_queue.c: tasks of a runtime and plain threads at one queue. How its
 * waits end is in test_waits.c too; many runtimes at once are in test_runtimes.c. */
#include "runtime/runtime.h"

#include <bight.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static char items[8];
static struct bight_thread_queue *queue;

static void begin(pthread_t *thread, void *(*body)(void *arg), void *arg)
{
    ck_assert_int_eq(pthread_create(thread, NULL, body, arg), 0);
}

static void in_thread(void *(*body)(void *arg), void *arg)
{
    pthread_t thread;

    begin(&thread, body, arg);
    pthread_join(thread, NULL);
}

/* Threads alone */

static void items_come_in_order_and_places_are_bounded(void)
{
    void *item;

    ck_ok(bight_thread_queue_new(&queue, 2, NULL, NULL));
    ck_code(bight_thread_queue_try_get(queue, &item), BIGHT_EAGAIN);
    ck_ok(bight_thread_queue_put(queue, &items[0], -1));
    ck_ok(bight_thread_queue_try_put(queue, &items[1]));
    ck_code(bight_thread_queue_try_put(queue, &items[2]), BIGHT_EAGAIN);
    ck_code(bight_thread_queue_put(queue, &items[2], 0), BIGHT_ETIMEDOUT);
    ck_code(bight_thread_queue_put(queue, &items[2], 1), BIGHT_ETIMEDOUT);
    ck_assert_uint_eq(bight_thread_queue_length(queue), 2);
    for (int i = 0; i < 5; i++) {
        ck_ok(bight_thread_queue_get(queue, &item, -1));
        ck_assert_ptr_eq(item, &items[i]);
        ck_ok(bight_thread_queue_put(queue, &items[i + 2], -1));
    }
    ck_ok(bight_thread_queue_get(queue, &item, 0));
    ck_ok(bight_thread_queue_try_get(queue, &item));
    ck_assert_ptr_eq(item, &items[6]);
    ck_code(bight_thread_queue_get(queue, &item, 0), BIGHT_ETIMEDOUT);
    ck_code(bight_thread_queue_get(queue, &item, 1), BIGHT_ETIMEDOUT);
    bight_thread_queue_unref(queue);
}

static void *get_closed(void *arg)
{
    void *item;

    (void)arg;
    EXPECT(bight_thread_queue_get(queue, &item, -1) == BIGHT_ECLOSED);
    return NULL;
}

static void *put_closed(void *arg)
{
    (void)arg;
    EXPECT(bight_thread_queue_put(queue, &items[1], -1) == BIGHT_ECLOSED);
    return NULL;
}

static void closed_it_drains_and_tells_who_waits(void)
{
    pthread_t thread;
    void *item;

    ck_ok(bight_thread_queue_new(&queue, 1, NULL, NULL));
    ck_ok(bight_thread_queue_put(queue, &items[0], -1));
    begin(&thread, put_closed, NULL);
    bight_thread_queue_close(queue);
    pthread_join(thread, NULL);
    ck_code(bight_thread_queue_put(queue, &items[1], -1), BIGHT_ECLOSED);
    ck_ok(bight_thread_queue_get(queue, &item, -1));
    ck_assert_ptr_eq(item, &items[0]);
    ck_code(bight_thread_queue_get(queue, &item, -1), BIGHT_ECLOSED);
    ck_code(bight_thread_queue_try_get(queue, &item), BIGHT_ECLOSED);
    bight_thread_queue_close(queue);
    bight_thread_queue_unref(queue);
    ck_ok(bight_thread_queue_new(&queue, 1, NULL, NULL));
    begin(&thread, get_closed, NULL);
    bight_thread_queue_close(queue);
    pthread_join(thread, NULL);
    bight_thread_queue_unref(queue);
}

static int dropped;

static void drop(void *arg, void *item)
{
    EXPECT(arg == &items[3]);
    EXPECT(item == &items[dropped]);
    dropped++;
}

static void the_last_reference_drops_what_is_left(void)
{
    ck_ok(bight_thread_queue_new(&queue, 4, drop, &items[3]));
    for (int i = 0; i < 3; i++)
        ck_ok(bight_thread_queue_put(queue, &items[i], -1));
    ck_assert_ptr_eq(bight_thread_queue_ref(queue), queue);
    bight_thread_queue_unref(queue);
    ck_assert_int_eq(dropped, 0);
    bight_thread_queue_unref(queue);
    ck_assert_int_eq(dropped, 3);
    bight_thread_queue_unref(NULL);
}

static void *get_three(void *arg)
{
    void *item;

    (void)arg;
    for (int i = 0; i < 3; i++) {
        EXPECT(bight_thread_queue_get(queue, &item, -1) == 0);
        EXPECT(item == &items[i]);
    }
    return NULL;
}

static void without_places_items_go_from_hand_to_hand(void)
{
    pthread_t thread;

    ck_ok(bight_thread_queue_new(&queue, 0, NULL, NULL));
    ck_code(bight_thread_queue_try_put(queue, &items[0]), BIGHT_EAGAIN);
    begin(&thread, get_three, NULL);
    for (int i = 0; i < 3; i++)
        ck_ok(bight_thread_queue_put(queue, &items[i], -1));
    pthread_join(thread, NULL);
    ck_assert_uint_eq(bight_thread_queue_length(queue), 0);
    bight_thread_queue_unref(queue);
}

static void a_queue_that_cannot_be_is_refused(void)
{
    ck_code(bight_thread_queue_new(&queue, SIZE_MAX / 2, NULL, NULL), BIGHT_EINVAL);
}

/* Tasks and threads */

static void *put_first(void *arg)
{
    (void)arg;
    EXPECT(bight_thread_queue_put(queue, &items[0], -1) == 0);
    return NULL;
}

static int get_first(void *arg)
{
    void *item = NULL;
    int rc = bight_thread_queue_get(queue, &item, -1);

    (void)arg;
    if (rc == 0)
        EXPECT(item == &items[0]);
    return rc;
}

static void a_runtime_that_waits_for_a_thread_is_not_stalled(void)
{
    pthread_t thread;

    ck_ok(bight_thread_queue_new(&queue, 1, NULL, NULL));
    for (int i = 0; i < 50; i++) {
        begin(&thread, put_first, NULL);
        ck_ok(bight_run(get_first, NULL));
        pthread_join(thread, NULL);
    }
    bight_thread_queue_unref(queue);
}

static int seen_cancelled(void *arg)
{
    int rc = get_first(arg);

    ck_code(bight_checkpoint(), BIGHT_ECANCELED);
    return rc;
}

/* The item was handed over by a thread, and the post that says so is on its way. */
static int cancel_in_flight(void *arg)
{
    struct bight_task *task;
    int status;

    ck_ok(bight_spawn(&task, seen_cancelled, arg));
    world_settle();
    in_thread(put_first, NULL);
    ck_assert_uint_eq(bight_thread_queue_length(queue), 0);
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_ok(status);
    /* The same under a deadline that passes meanwhile. */
    ck_ok(bight_spawn(&task, seen_cancelled, arg));
    world_settle();
    bight_task_cancel(task);
    in_thread(put_first, NULL);
    ck_assert_uint_eq(bight_thread_queue_length(queue), 1);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    return get_first(NULL);
}

static void cancelled_while_the_wake_is_on_its_way_it_keeps_the_item(void)
{
    ck_ok(bight_thread_queue_new(&queue, 1, NULL, NULL));
    ck_ok(world_run(cancel_in_flight, NULL, NULL));
    bight_thread_queue_unref(queue);
}

static int run_out_of_time(void *arg)
{
    uint64_t begin_ns = bight_now_ns();
    void *item;

    (void)arg;
    ck_code(bight_thread_queue_get(queue, &item, 0), BIGHT_ETIMEDOUT);
    ck_code(bight_thread_queue_get(queue, &item, 5), BIGHT_ETIMEDOUT);
    ck_assert_uint_ge(bight_now_ns() - begin_ns, 5000000);
    ck_ok(bight_thread_queue_put(queue, &items[0], 0));
    ck_code(bight_thread_queue_put(queue, &items[0], 5), BIGHT_ETIMEDOUT);
    return bight_thread_queue_get(queue, &item, 5);
}

static void a_task_may_wait_for_a_while(void)
{
    ck_ok(bight_thread_queue_new(&queue, 1, NULL, NULL));
    ck_ok(world_run(run_out_of_time, NULL, NULL));
    bight_thread_queue_unref(queue);
}

static int leave_waiting(void *arg)
{
    ck_ok(bight_spawn(NULL, get_first, arg));
    ck_ok(bight_spawn(NULL, get_first, arg));
    world_settle();
    return 0;
}

static void a_runtime_that_ends_leaves_no_waiter_behind(void)
{
    ck_ok(bight_thread_queue_new(&queue, 2, NULL, NULL));
    ck_ok(world_run(leave_waiting, NULL, NULL));
    in_thread(put_first, NULL);
    in_thread(put_first, NULL);
    ck_assert_uint_eq(bight_thread_queue_length(queue), 2);
    bight_thread_queue_unref(queue);
}

static void in_callback(void *event)
{
    void *item;

    ck_code(bight_thread_queue_get(queue, &item, -1), BIGHT_ENOTASK);
    ck_code(bight_thread_queue_put(queue, &items[0], -1), BIGHT_ENOTASK);
    ck_ok(bight_thread_queue_try_put(queue, &items[0]));
    bight_event_set(event);
}

static int post_callback(void *arg)
{
    struct bight_mailbox *mailbox;
    struct bight_event event;

    bight_event_init(&event);
    ck_ok(bight_mailbox_get(&mailbox));
    ck_ok(bight_post_call(mailbox, in_callback, &event));
    int rc = bight_event_wait(&event);
    bight_mailbox_unref(mailbox);
    return rc ? rc : get_first(arg);
}

static void a_callback_of_the_loop_must_not_block(void)
{
    ck_ok(bight_thread_queue_new(&queue, 1, NULL, NULL));
    ck_ok(world_run(post_callback, NULL, NULL));
    bight_thread_queue_unref(queue);
}

static bool fail_when(void *ctx, const void *site)
{
    (void)site;
    return *(bool *)ctx;
}

static int new_without_memory(void *arg)
{
    bool *failing = arg;

    *failing = true;
    ck_code(bight_thread_queue_new(&queue, 1, NULL, NULL), BIGHT_ENOMEM);
    *failing = false;
    return 0;
}

static void only_a_new_queue_needs_memory(void)
{
    bool failing = false;
    const struct bight_seams seams = {.ctx = &failing, .fail_alloc = fail_when};

    ck_ok(bight__run_with_seams(NULL, &seams, new_without_memory, &failing));
}

/* Nothing is lost: producers and consumers of both kinds, who give up at all times */

#define PRODUCERS 2
#define EACH 2000
#define CONSUMERS 3

static atomic_size_t consumed;
static struct bight_thread_queue *goods;
static atomic_int numbers[PRODUCERS * 2 * EACH];

static void produce(int first)
{
    for (int i = first; i < first + EACH;) {
        int rc = bight_thread_queue_put(goods, &numbers[i], i % 3 - 1);

        EXPECT(rc == 0 || rc == BIGHT_ETIMEDOUT);
        i += rc == 0;
    }
}

static void *produce_as_thread(void *first)
{
    produce(*(int *)first);
    return NULL;
}

static int produce_as_task(void *first)
{
    produce(*(int *)first);
    return 0;
}

/* Until the queue is closed and empty, or main has ended. */
static void consume(int patience_ms)
{
    atomic_int *number = NULL;

    for (int i = 0;; i++) {
        int rc = bight_thread_queue_get(goods, (void **)&number, i % 3 ? patience_ms : 0);
        if (rc == BIGHT_ECLOSED || rc == BIGHT_ECANCELED)
            return;
        EXPECT(rc == 0 || rc == BIGHT_ETIMEDOUT);
        if (rc)
            continue;
        EXPECT(atomic_fetch_add(number, 1) == 0);
        consumed++;
    }
}

static void *consume_as_thread(void *arg)
{
    (void)arg;
    consume(1);
    return NULL;
}

static int consume_as_task(void *arg)
{
    (void)arg;
    consume(1);
    return 0;
}

static int market(void *arg)
{
    pthread_t makers[PRODUCERS], takers[CONSUMERS];
    struct bight_task *tasks[PRODUCERS];
    int firsts[PRODUCERS * 2];

    (void)arg;
    for (int i = 0; i < CONSUMERS; i++) {
        begin(&takers[i], consume_as_thread, NULL);
        ck_ok(bight_spawn(NULL, consume_as_task, NULL));
    }
    for (int i = 0; i < PRODUCERS; i++) {
        firsts[2 * i] = 2 * i * EACH;
        firsts[2 * i + 1] = (2 * i + 1) * EACH;
        begin(&makers[i], produce_as_thread, &firsts[2 * i]);
        ck_ok(bight_spawn(&tasks[i], produce_as_task, &firsts[2 * i + 1]));
    }
    for (int i = 0; i < PRODUCERS; i++)
        ck_ok(bight_join(tasks[i], NULL));
    while (consumed < PRODUCERS * 2 * EACH)
        ck_ok(bight_sleep(1));
    bight_thread_queue_close(goods);
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(makers[i], NULL);
    for (int i = 0; i < CONSUMERS; i++)
        pthread_join(takers[i], NULL);
    return 0;
}

static void nothing_is_lost_to_those_who_give_up(void)
{
    ck_ok(bight_thread_queue_new(&goods, 3, NULL, NULL));
    ck_ok(bight_run(market, NULL));
    ck_assert_uint_eq(consumed, PRODUCERS * 2 * EACH);
    for (int i = 0; i < PRODUCERS * 2 * EACH; i++)
        EXPECT(numbers[i] == 1);
    bight_thread_queue_unref(goods);
}

static const struct suite_case cases[] = {
    plain_case(items_come_in_order_and_places_are_bounded),
    plain_case(closed_it_drains_and_tells_who_waits),
    plain_case(the_last_reference_drops_what_is_left),
    plain_case(without_places_items_go_from_hand_to_hand),
    plain_case(a_queue_that_cannot_be_is_refused),
    plain_case(a_runtime_that_waits_for_a_thread_is_not_stalled),
    plain_case(cancelled_while_the_wake_is_on_its_way_it_keeps_the_item),
    plain_case(a_task_may_wait_for_a_while),
    plain_case(a_runtime_that_ends_leaves_no_waiter_behind),
    plain_case(a_callback_of_the_loop_must_not_block),
    plain_case(only_a_new_queue_needs_memory),
    plain_case(nothing_is_lost_to_those_who_give_up),
};

test_suite("thread_queue", cases);
