/* See scenarios.h: queues of all kinds, channels, broadcasts. */
#include "tests/sweeps/scenarios.h"

#include <bight.h>
#include <check.h>

static int item;

static void drop(void *arg, void *dropped)
{
    EXPECT(arg == &item);
    EXPECT(dropped == &item);
    scenario_balance--;
}

static int compare(const void *a, const void *b)
{
    return (a > b) - (a < b);
}

/* More than an unbounded queue has places for at first. */
#define PUTS 20

static int fill_and_drain(enum bight_queue_kind kind)
{
    struct bight_queue_options options = {BIGHT_QUEUE_UNBOUNDED, kind, compare};
    struct bight_queue *queue;
    void *items[8];
    int rc = bight_queue_new_with(&queue, &options);

    if (rc)
        return rc;
    for (int i = 0; i < PUTS && !rc; i++) {
        rc = bight_queue_put(queue, &item);
        scenario_balance += rc == 0;
    }
    while (!rc && !bight_queue_empty(queue)) {
        int count = bight_queue_get_many(queue, items, 8);

        if (count < 0)
            rc = count;
        for (int i = 0; i < count; i++)
            drop(&item, items[i]);
    }
    bight_queue_abort(queue, drop, &item);
    EXPECT(bight_queue_free(queue) == 0);
    return rc;
}

int scenario_queue_kinds(void *arg)
{
    int rc = fill_and_drain(BIGHT_QUEUE_FIFO);

    (void)arg;
    if (rc == 0)
        rc = fill_and_drain(BIGHT_QUEUE_LIFO);
    return rc ? rc : fill_and_drain(BIGHT_QUEUE_PRIORITY);
}

static int puts_some(void *queue)
{
    int rc = 0;

    for (int i = 0; i < 9 && !rc; i++) {
        rc = bight_queue_put(queue, &item);
        scenario_balance += rc == 0;
        if (rc == 0 && i % 3 == 0)
            rc = bight_yield();
    }
    bight_queue_close(queue); /* in every case: somebody waits for it */
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int gets_batches(void *queue)
{
    void *items[4];
    int count;

    while ((count = bight_queue_get_many(queue, items, 4)) > 0) {
        for (int i = 0; i < count; i++)
            drop(&item, items[i]);
    }
    bight_queue_abort(queue, drop, &item); /* nobody will take what is left */
    return count == BIGHT_ECLOSED ? 0 : count;
}

int scenario_rendezvous(void *arg)
{
    struct bight_gather calls[2] = {{.fn = puts_some}, {.fn = gets_batches}};
    struct bight_queue *queue;
    int rc = bight_queue_new(&queue, 0);

    (void)arg;
    if (rc)
        return rc;
    calls[0].arg = calls[1].arg = queue;
    rc = bight_gather_all(calls, 2, 0);
    bight_queue_abort(queue, drop, &item);
    EXPECT(bight_queue_free(queue) == 0);
    return rc;
}

static int sends_some(void *sender)
{
    int rc = 0;

    for (int i = 0; i < 4 && !rc; i++) {
        rc = bight_channel_send(sender, &item);
        scenario_balance += rc == 0;
    }
    bight_sender_end(sender);
    return rc == BIGHT_EPIPE ? 0 : rc;
}

static int receives_all(void *receiver)
{
    void *received;
    int rc;

    while (!(rc = bight_channel_receive(receiver, &received))) {
        drop(&item, received);
        rc = bight_yield();
        if (rc)
            break;
    }
    bight_receiver_end(receiver);
    return rc == BIGHT_EPIPE ? 0 : rc;
}

static int through_channel(size_t capacity)
{
    struct bight_channel_options options = {.capacity = capacity, .drop = drop, .drop_arg = &item};
    struct bight_sender senders[2];
    struct bight_receiver receiver;
    struct bight_gather calls[3] = {
        {.fn = receives_all, .arg = &receiver},
        {.fn = sends_some, .arg = &senders[0]},
        {.fn = sends_some, .arg = &senders[1]},
    };
    int rc = bight_channel_open(&senders[0], &receiver, &options);

    if (rc)
        return rc;
    EXPECT(bight_sender_clone(&senders[1], &senders[0]) == 0);
    rc = bight_gather_all(calls, 3, 0);
    bight_sender_end(&senders[0]); /* those whose task never began */
    bight_sender_end(&senders[1]);
    bight_receiver_end(&receiver);
    return rc;
}

int scenario_channel(void *arg)
{
    int rc = through_channel(0);

    (void)arg;
    return rc ? rc : through_channel(2);
}

/* Every subscriber receives 1 to 6, one after the other. */

struct listener {
    struct bight_subscriber subscriber;
    int64_t pause_ms;
};

static int publishes(void *broadcast)
{
    int rc = 0;

    for (int i = 1; i <= 6 && !rc; i++)
        rc = bight_broadcast_publish(broadcast, &i);
    bight_broadcast_close(broadcast);
    return rc;
}

static int listens(void *arg)
{
    struct listener *listener = arg;
    int value, next = 1, rc;

    while (!(rc = bight_broadcast_receive(&listener->subscriber, &value, NULL))) {
        EXPECT(value == next++);
        rc = bight_sleep(listener->pause_ms);
        if (rc)
            break;
    }
    bight_broadcast_unsubscribe(&listener->subscriber);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

int scenario_broadcast(void *arg)
{
    struct bight_broadcast_options options = {.capacity = 2, .value_bytes = sizeof(int)};
    struct listener listeners[2] = {{.pause_ms = 0}, {.pause_ms = 5}};
    struct bight_gather calls[3] = {{.fn = publishes}, {.fn = listens}, {.fn = listens}};
    struct bight_broadcast *broadcast;
    int rc = bight_broadcast_new(&broadcast, &options);

    (void)arg;
    if (rc)
        return rc;
    calls[0].arg = broadcast;
    for (int i = 0; i < 2; i++) {
        EXPECT(bight_broadcast_subscribe(broadcast, &listeners[i].subscriber) == 0);
        calls[i + 1].arg = &listeners[i];
    }
    rc = bight_gather_all(calls, 3, 0);
    for (int i = 0; i < 2; i++)
        bight_broadcast_unsubscribe(&listeners[i].subscriber);
    EXPECT(bight_broadcast_free(broadcast) == 0);
    return rc;
}

static int sets_latest(void *latest)
{
    int rc = 0;

    for (int i = 1; i <= 4 && !rc; i++) {
        EXPECT(bight_latest_set(latest, &i) == 0);
        rc = bight_sleep(i % 2);
    }
    bight_latest_close(latest);
    return rc;
}

static int follows(void *latest)
{
    uint64_t version = 0, before = 0;
    int value, rc;

    while (!(rc = bight_latest_wait(latest, &version, &value))) {
        EXPECT(version > before && (uint64_t)value == version);
        before = version;
    }
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

int scenario_latest(void *arg)
{
    struct bight_latest latest;
    struct bight_gather calls[3] = {
        {.fn = follows, .arg = &latest},
        {.fn = sets_latest, .arg = &latest},
        {.fn = follows, .arg = &latest},
    };
    int value = 0;

    (void)arg;
    bight_latest_init(&latest, &value, sizeof(value));
    return bight_gather_all(calls, 3, 0);
}
