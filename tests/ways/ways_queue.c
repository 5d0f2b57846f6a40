/* See ways.h: queues, channels, broadcasts, the latest value. */
#include "tests/ways/ways.h"

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
    bight_queue_abort(stage->queue, NULL, NULL);
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
    bight_queue_abort(stage->queue, NULL, NULL);
    ck_assert_int_eq(bight_queue_free(stage->queue), 0);
}

/* A rendezvous: what is given while nobody waits is not given. */

static void meeting_open(struct stage *stage)
{
    ck_assert_int_eq(bight_queue_new(&stage->queue, 0), 0);
}

static void meeting_put_wake(struct stage *stage)
{
    void *got;
    int rc = bight_queue_try_get(stage->queue, &got);

    ck_assert(rc == 0 || rc == BIGHT_EAGAIN);
}

static void meeting_get_wake(struct stage *stage)
{
    int rc = bight_queue_try_put(stage->queue, &item);

    ck_assert(rc == 0 || rc == BIGHT_EAGAIN);
}

/* What was handed over is what was taken. */
static void meeting_close(struct stage *stage)
{
    for (size_t i = 0; i < stage->taken; i++)
        ck_assert_int_eq(bight_queue_task_done(stage->queue), 0);
    ck_assert_int_eq(bight_queue_task_done(stage->queue), BIGHT_EINVAL);
    ck_assert_int_eq(bight_queue_free(stage->queue), 0);
}

static int get_many_wait(struct seat *seat)
{
    void *items[4];

    seat->stage->no_memory = true;
    int rc = bight_queue_get_many(seat->stage->queue, items, 4);
    ck_assert(rc < 0 || items[0] == &item);
    return rc;
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

/* Channels: of one place */

static void channel_open(struct stage *stage)
{
    struct bight_channel_options options = {.capacity = 1};

    ck_assert_int_eq(bight_channel_open(&stage->sender, &stage->receiver, &options), 0);
}

static void full_channel_open(struct stage *stage)
{
    channel_open(stage);
    ck_assert_int_eq(bight_channel_try_send(&stage->sender, &item), 0);
}

static int send_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_channel_send(&seat->stage->sender, seat);
}

static void send_wake(struct stage *stage)
{
    void *got;

    ck_assert_int_eq(bight_channel_try_receive(&stage->receiver, &got), 0);
}

static int receive_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    int rc = bight_channel_receive(&seat->stage->receiver, &seat->item);

    ck_assert_ptr_eq(seat->item, rc ? NULL : &item);
    return rc;
}

static void receive_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_channel_try_send(&stage->sender, &item), 0);
}

static int send_case_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_send(&cases[0], &seat->stage->sender, seat);
    return ways_select(seat, cases, 0);
}

static int receive_case_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_receive(&cases[0], &seat->stage->receiver);
    int rc = ways_select(seat, cases, 0);
    ck_assert_ptr_eq(cases[0].value, rc ? NULL : &item);
    return rc;
}

static void channel_close_with(struct stage *stage, size_t left)
{
    struct bight_channel_stats stats;

    ck_assert_int_eq(bight_sender_get_stats(&stage->sender, &stats), 0);
    ck_assert_uint_eq(stats.length, left);
    ck_assert_uint_eq(stats.sending + stats.receiving, 0);
    bight_sender_end(&stage->sender);
    bight_receiver_end(&stage->receiver);
}

static void send_close(struct stage *stage)
{
    channel_close_with(stage, 1 + stage->taken - stage->given);
}

static void receive_close(struct stage *stage)
{
    channel_close_with(stage, stage->given - stage->taken);
}

/* Broadcasts: of one place, with one subscriber */

static void broadcast_open(struct stage *stage)
{
    struct bight_broadcast_options options = {.capacity = 1, .value_bytes = sizeof(int)};

    ck_assert_int_eq(bight_broadcast_new(&stage->broadcast, &options), 0);
    ck_assert_int_eq(bight_broadcast_subscribe(stage->broadcast, &stage->subscriber), 0);
}

static void publish_one(struct stage *stage)
{
    int rc = bight_broadcast_try_publish(stage->broadcast, &(int){7});

    ck_assert(rc == 0 || rc == BIGHT_EAGAIN);
}

static void full_broadcast_open(struct stage *stage)
{
    broadcast_open(stage);
    publish_one(stage);
}

static int publish_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_broadcast_publish(seat->stage->broadcast, &(int){7});
}

static void publish_wake(struct stage *stage)
{
    int value;

    ck_assert_int_eq(bight_broadcast_try_receive(&stage->subscriber, &value, NULL), 0);
    ck_assert_int_eq(value, 7);
}

static int broadcast_wait(struct seat *seat)
{
    uint64_t missed = 1;
    int value = 0;

    seat->stage->no_memory = true;
    int rc = bight_broadcast_receive(&seat->stage->subscriber, &value, &missed);
    ck_assert(rc || (value == 7 && missed == 0));
    return rc;
}

static void broadcast_close_with(struct stage *stage, size_t left)
{
    int value;

    for (size_t i = 0; i < left; i++)
        ck_assert_int_eq(bight_broadcast_try_receive(&stage->subscriber, &value, NULL), 0);
    ck_assert_int_eq(bight_broadcast_try_receive(&stage->subscriber, &value, NULL), BIGHT_EAGAIN);
    bight_broadcast_unsubscribe(&stage->subscriber);
    ck_assert_int_eq(bight_broadcast_free(stage->broadcast), 0);
}

static void publish_close(struct stage *stage)
{
    broadcast_close_with(stage, 1 + stage->taken - stage->given);
}

static void broadcast_close(struct stage *stage)
{
    broadcast_close_with(stage, stage->given - stage->taken);
}

/* The latest value: what is given once is there for all. */

static void latest_open(struct stage *stage)
{
    stage->latest_value = 0;
    bight_latest_init(&stage->latest, &stage->latest_value, sizeof(stage->latest_value));
}

static int latest_wait(struct seat *seat)
{
    uint64_t version = 0;
    int value = 0;

    seat->stage->no_memory = true;
    int rc = bight_latest_wait(&seat->stage->latest, &version, &value);
    ck_assert_int_eq(value, rc ? 0 : 7);
    ck_assert_uint_eq(version, rc ? 0 : 1);
    return rc;
}

static void latest_wake(struct stage *stage)
{
    if (stage->given == 1)
        ck_assert_int_eq(bight_latest_set(&stage->latest, &(int){7}), 0);
}

static void latest_close(struct stage *stage)
{
    ck_assert(stage->latest.waiters.next == &stage->latest.waiters);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way queue_ways[] = {
    {"bight_broadcast_publish", 2, 0, true, 0, full_broadcast_open, publish_wait, publish_wake,
     NULL, publish_close},
    {"bight_broadcast_receive", 2, 0, true, 0, broadcast_open, broadcast_wait, publish_one, NULL,
     broadcast_close},
    {"bight_channel_send", 2, 0, true, 0, full_channel_open, send_wait, send_wake, NULL,
     send_close},
    {"bight_select", 2, 0, true, 0, full_channel_open, send_case_wait, send_wake, NULL, send_close},
    {"bight_select", 2, 0, true, 0, channel_open, receive_case_wait, receive_wake, NULL,
     receive_close},
    {"bight_channel_receive", 2, 0, true, 0, channel_open, receive_wait, receive_wake, NULL,
     receive_close},
    {"bight_latest_wait", 2, 0, true, 0, latest_open, latest_wait, latest_wake, NULL, latest_close},
    {"bight_queue_put", 2, 0, true, 0, full_queue_open, put_wait, put_wake, NULL, put_close},
    {"bight_queue_get", 2, 0, true, 0, queue_open, get_wait, get_wake, NULL, get_close},
    {"bight_queue_put", 2, 0, true, 0, meeting_open, put_wait, meeting_put_wake, NULL,
     meeting_close},
    {"bight_queue_get", 2, 0, true, 0, meeting_open, get_wait, meeting_get_wake, NULL,
     meeting_close},
    {"bight_queue_get_many", 2, 1, true, 0, queue_open, get_many_wait, get_wake, NULL, get_close},
    {"bight_queue_join", 2, 0, true, 0, full_queue_open, queue_join_wait, queue_join_wake, NULL,
     queue_join_close},
};

const struct way_table queue_way_table = {queue_ways, sizeof(queue_ways) / sizeof(queue_ways[0])};
