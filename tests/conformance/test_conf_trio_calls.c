/* Calls queued into the loop, also from other threads; queues that are read in batches. */
#include "tests/conformance/conf.h"

#include <pthread.h>

#define ITEM(n) ((void *)(uintptr_t)(n))
#define NUMBER(item) ((int)(uintptr_t)(item))

/* What was called, in that order. */
static int called[1200];
static int calls_made;

struct numbered {
    struct bight_call call;
    int number;
    int again; /* how often it queues itself anew */
};

static void note_number(struct bight_call *call)
{
    struct numbered *numbered = (struct numbered *)call;

    called[calls_made++] = numbered->number;
    if (numbered->again-- > 0)
        ck_ok(bight_call_soon(call));
}

static void expect_called(int from, int count)
{
    ck_assert_int_eq(calls_made, from + count);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(called[from + i], i);
}

static void note_post(void *arg)
{
    called[calls_made++] = NUMBER(arg);
}

static void set_event(void *arg)
{
    bight_event_set(arg);
}

struct poster {
    struct bight_mailbox *mailbox;
    int count;
    struct bight_event all_called;
};

static void *posts(void *arg)
{
    struct poster *poster = arg;

    for (int i = 0; i < poster->count; i++)
        ck_ok(bight_post_call(poster->mailbox, note_post, ITEM(i)));
    ck_ok(bight_post_call(poster->mailbox, set_event, &poster->all_called));
    return NULL;
}

/* The loop stands still until all are posted, from its own thread or from another one. */
static void post_all(struct bight_mailbox *mailbox, int count, bool own_thread)
{
    struct poster poster = {.mailbox = mailbox, .count = count};
    pthread_t thread;

    calls_made = 0;
    bight_event_init(&poster.all_called);
    if (own_thread) {
        posts(&poster);
    } else {
        ck_assert_int_eq(pthread_create(&thread, NULL, posts, &poster), 0);
        pthread_join(thread, NULL);
    }
    ck_assert_int_eq(calls_made, 0);
    ck_ok(bight_event_wait(&poster.all_called));
    expect_called(0, count);
}

static int queue_calls(void *arg)
{
    static const int counts[] = {1, 100, 1000};
    static struct numbered calls[1000];
    struct bight_mailbox *mailbox;

    (void)arg;
    ck_ok(bight_mailbox_get(&mailbox));
    for (int round = 0; round < 3; round++) {
        calls_made = 0;
        for (int i = 0; i < counts[round]; i++) {
            calls[i] = (struct numbered){.number = i};
            bight_call_init(&calls[i].call, note_number);
            ck_ok(bight_call_soon(&calls[i].call));
        }
        ck_assert_int_eq(calls_made, 0);
        world_settle();
        expect_called(0, counts[round]);
        post_all(mailbox, counts[round], true);
        post_all(mailbox, counts[round], false);
    }
    bight_mailbox_unref(mailbox);
    return 0;
}

/* Queue a call that is queued already, or for the first time. */
static void queue_once(struct numbered *numbered, bool queued)
{
    ck_code(bight_call_soon(&numbered->call), queued ? BIGHT_EALREADY : 0);
}

static int queue_again(void *arg)
{
    struct numbered plain = {.number = 1}, one = {.number = 1}, two = {.number = 2},
                    itself = {.again = 1};
    struct numbered many[100];

    (void)arg;
    bight_call_init(&plain.call, note_number);
    bight_call_init(&one.call, note_number);
    bight_call_init(&two.call, note_number);
    bight_call_init(&itself.call, note_number);
    queue_once(&plain, false);
    for (int i = 0; i < 3; i++)
        queue_once(&one, i > 0);
    for (int i = 0; i < 2; i++)
        queue_once(&two, i > 0);
    world_settle();
    ck_assert_int_eq(calls_made, 3);
    ck_assert(called[0] == 1 && called[1] == 1 && called[2] == 2);
    for (int i = 0; i < 300; i++) {
        struct numbered *numbered = &many[i % 100];
        if (i < 100) {
            *numbered = (struct numbered){.number = i};
            bight_call_init(&numbered->call, note_number);
        }
        queue_once(numbered, i >= 100);
    }
    world_settle();
    expect_called(3, 100);
    queue_once(&itself, false);
    world_settle();
    ck_assert_int_eq(calls_made, 3 + 100 + 2);
    ck_assert(!bight_call_pending(&itself.call));
    return 0;
}

/* Batches */

struct reader {
    struct bight_queue *queue;
    int number;
    int batches; /* how many to take */
    /* Filled in: who took how many items beginning with which, of all readers. */
    struct batch *taken;
    int *count;
};

struct batch {
    int reader;
    int count;
    int items[16];
};

static int reads(void *arg)
{
    const struct reader *reader = arg;

    for (int i = 0; i < reader->batches; i++) {
        struct batch batch = {.reader = reader->number};
        void *items[16];

        batch.count = bight_queue_get_many(reader->queue, items, 16);
        ck_assert_int_ge(batch.count, 1);
        for (int j = 0; j < batch.count; j++)
            batch.items[j] = NUMBER(items[j]);
        reader->taken[(*reader->count)++] = batch;
    }
    return 0;
}

static void put(struct bight_queue *queue, int first, int count)
{
    for (int i = 0; i < count; i++)
        ck_ok(bight_queue_try_put(queue, ITEM(first + i)));
}

static void expect_batch(const struct batch *batch, int reader, int first, int count)
{
    ck_assert_int_eq(batch->reader, reader);
    ck_assert_int_eq(batch->count, count);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(batch->items[i], first + i);
}

static int take_batches(void *arg)
{
    struct bight_queue *queue;
    void *items[16];

    (void)arg;
    ck_ok(bight_queue_new(&queue, BIGHT_QUEUE_UNBOUNDED));
    put(queue, 5, 1);
    ck_assert_int_eq(bight_queue_get_many(queue, items, 16), 1);
    ck_assert_int_eq(NUMBER(items[0]), 5);
    ck_code(bight_queue_try_get_many(queue, items, 16), BIGHT_EAGAIN);
    put(queue, 1, 3);
    ck_assert_int_eq(bight_queue_try_get_many(queue, items, 16), 3);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(NUMBER(items[i]), 1 + i);
    return bight_queue_free(queue);
}

static int share_batches(void *arg)
{
    struct batch taken[24];
    struct reader one, two;
    struct bight_task *tasks[2];
    struct bight_queue *queue;
    void *items[16];
    int count = 0;

    (void)arg;
    ck_ok(bight_queue_new(&queue, BIGHT_QUEUE_UNBOUNDED));
    one = (struct reader){queue, 1, 1, taken, &count};
    two = (struct reader){queue, 2, 1, taken, &count};
    ck_ok(bight_spawn(&tasks[0], reads, &one));
    world_settle();
    put(queue, 3, 2);
    ck_code(bight_queue_try_get_many(queue, items, 16), BIGHT_EAGAIN);
    conf_join(tasks[0], 0);
    expect_batch(&taken[0], 1, 3, 2);

    /* Turns: each takes ten, then one more for the burst. */
    one.batches = two.batches = 11;
    count = 0;
    ck_ok(bight_spawn(&tasks[0], reads, &one));
    world_settle();
    ck_ok(bight_spawn(&tasks[1], reads, &two));
    world_settle();
    for (int i = 0; i < 20; i++) {
        put(queue, i, 1);
        world_settle();
        expect_batch(&taken[i], 1 + i % 2, i, 1);
    }
    put(queue, 100, 10);
    world_settle();
    ck_assert_int_eq(count, 21);
    expect_batch(&taken[20], 1, 100, 10);
    ck_assert(!bight_task_done(tasks[1]));
    put(queue, 200, 1);
    conf_join(tasks[0], 0);
    conf_join(tasks[1], 0);
    return bight_queue_free(queue);
}

static const struct suite_case cases[] = {
    conf_case(tsoon_01_calls_come_later_and_in_the_order_queued, queue_calls),
    conf_case(tsoon_03_what_is_queued_twice_is_called_once_and_from_within_again, queue_again),
    conf_case(tbatch_01_a_batch_is_all_there_is, take_batches),
    conf_case(tbatch_02_who_waits_first_owns_the_whole_next_batch, share_batches),
};

test_suite("trio calls", cases);
