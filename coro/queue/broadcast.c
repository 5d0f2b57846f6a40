/* Broadcast: a ring of values, each with the number of subscribers that have yet to receive it; the
 * oldest value goes when that number is 0. Values are numbered, and a subscriber is little more
 * than the number that it receives next. Calls wait on it only while it has received everything. */
#include <bight/broadcast.h>

#include <stdio.h>
#include <string.h>

#include "coro/core/source.h"

struct bight_broadcast {
    size_t capacity;
    size_t value_bytes;
    enum bight_broadcast_policy policy;
    bool closed;
    size_t head;   /* place of the oldest value */
    size_t length; /* values that are kept */
    uint64_t next; /* number of the next value */
    size_t subscriber_count;
    struct bight_link subscribers;
    struct bight_link publishers;
    unsigned char *values;
    size_t left[]; /* by place: how many subscribers have yet to receive the value */
};

/* The result is 0 once a value was copied from or to `value`. */
struct broadcast_wait {
    struct bight_waiter waiter;
    union {
        void *to;
        const void *from;
    } value;
    const struct bight_broadcast *broadcast;
};

static void broadcast_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct bight_broadcast *broadcast =
        container_of(waiter, struct broadcast_wait, waiter)->broadcast;

    snprintf(text, text_bytes, "%zu of %zu values kept, %zu subscribers", broadcast->length,
             broadcast->capacity, broadcast->subscriber_count);
}

static const struct bight_waiter_ops publish_ops = {
    .name = "broadcast publish",
    .abort = bight__unlink_abort,
    .describe = broadcast_describe,
};

static const struct bight_waiter_ops receive_ops = {
    .name = "broadcast receive",
    .abort = bight__unlink_abort,
    .describe = broadcast_describe,
};

static struct broadcast_wait *first_wait(struct bight_link *list)
{
    struct bight_link *link = link_take(list);

    return link ? container_of(link, struct broadcast_wait, waiter.link) : NULL;
}

static struct bight_subscriber *subscriber_of(struct bight_link *link)
{
    return container_of(link, struct bight_subscriber, link);
}

/* Whether tasks of another thread's runtime wait, to publish or to receive. Walks the subscribers,
 * as publishing does. */
static bool is_foreign(const struct bight_broadcast *broadcast)
{
    bool found = bight__waiters_are_foreign(&broadcast->publishers);

    for (struct bight_link *link = broadcast->subscribers.next;
         !found && link != &broadcast->subscribers; link = link->next)
        found = bight__waiters_are_foreign(&subscriber_of(link)->waits);
    return found;
}

int bight_broadcast_new(struct bight_broadcast **out, const struct bight_broadcast_options *options)
{
    struct bight_broadcast *broadcast;
    size_t capacity, bytes;

    if (!out || !options) /* there is no default size */
        return BIGHT_EINVAL;
    capacity = options->capacity;
    bytes = options->value_bytes;
    if (capacity == 0 || bytes == 0 || bytes > SIZE_MAX / 4 ||
        capacity > SIZE_MAX / 2 / (bytes + sizeof(broadcast->left[0])) ||
        (options->policy != BIGHT_BROADCAST_WAIT && options->policy != BIGHT_BROADCAST_DROP_OLDEST))
        return BIGHT_EINVAL;
    if (!bight__sched)
        return BIGHT_ENORUNTIME;
    broadcast = bight__alloc(&bight__sched->seams,
                             sizeof(*broadcast) + capacity * (bytes + sizeof(broadcast->left[0])));
    if (!broadcast)
        return BIGHT_ENOMEM;
    *broadcast = (struct bight_broadcast){
        .capacity = capacity,
        .value_bytes = bytes,
        .policy = options->policy,
        .values = (unsigned char *)&broadcast->left[capacity],
    };
    link_init(&broadcast->subscribers);
    link_init(&broadcast->publishers);
    *out = broadcast;
    return 0;
}

int bight_broadcast_free(struct bight_broadcast *broadcast)
{
    if (!broadcast)
        return 0;
    if (!link_empty(&broadcast->subscribers) || !link_empty(&broadcast->publishers))
        return BIGHT_EBUSY;
    bight__free(broadcast);
    return 0;
}

/* The place of the value that is `index` after the oldest. */
static size_t place(const struct bight_broadcast *broadcast, size_t index)
{
    size_t at = broadcast->head + index;

    return at < broadcast->capacity ? at : at - broadcast->capacity;
}

static unsigned char *value_at(const struct bight_broadcast *broadcast, size_t at)
{
    return broadcast->values + at * broadcast->value_bytes;
}

static uint64_t oldest(const struct bight_broadcast *broadcast)
{
    return broadcast->next - broadcast->length;
}

static void drop_oldest(struct bight_broadcast *broadcast)
{
    broadcast->head = place(broadcast, 1);
    broadcast->length--;
}

/* Copy the value to the first call that waits on the subscriber and still wants it. */
static bool give(struct bight_subscriber *subscriber, const void *value)
{
    struct broadcast_wait *wait;

    while ((wait = first_wait(&subscriber->waits))) {
        memcpy(wait->value.to, value, subscriber->broadcast->value_bytes);
        if (bight_unpark(&wait->waiter, 0))
            return true;
    }
    return false;
}

/* Append a value; there is a place for it. */
static void append(struct bight_broadcast *broadcast, const void *value)
{
    size_t left = broadcast->subscriber_count;

    for (struct bight_link *link = broadcast->subscribers.next; link != &broadcast->subscribers;
         link = link->next) {
        struct bight_subscriber *subscriber = subscriber_of(link);

        if (give(subscriber, value)) {
            subscriber->next++;
            left--;
        }
    }
    broadcast->next++;
    if (left) { /* otherwise nobody lags behind, and the value is not kept */
        size_t at = place(broadcast, broadcast->length++);

        broadcast->left[at] = left;
        memcpy(value_at(broadcast, at), value, broadcast->value_bytes);
    }
}

/* Drop what everybody has received, and give the places to publishers that wait. */
static void trim(struct bight_broadcast *broadcast)
{
    struct broadcast_wait *publisher;

    for (;;) {
        while (broadcast->length && broadcast->left[broadcast->head] == 0)
            drop_oldest(broadcast);
        if (broadcast->length == broadcast->capacity ||
            !(publisher = first_wait(&broadcast->publishers)))
            return;
        const void *value = publisher->value.from;
        if (bight_unpark(&publisher->waiter, 0))
            append(broadcast, value);
    }
}

int bight_broadcast_try_publish(struct bight_broadcast *broadcast, const void *value)
{
    if (!broadcast || !value)
        return BIGHT_EINVAL;
    if (broadcast->closed)
        return BIGHT_ECLOSED;
    if (is_foreign(broadcast))
        return BIGHT_EPERM;
    if (broadcast->length == broadcast->capacity) {
        if (broadcast->policy == BIGHT_BROADCAST_WAIT)
            return BIGHT_EAGAIN;
        drop_oldest(broadcast);
    }
    append(broadcast, value);
    return 0;
}

int bight_broadcast_publish(struct bight_broadcast *broadcast, const void *value)
{
    struct broadcast_wait wait = {.value.from = value, .broadcast = broadcast};
    struct bight_task *self;
    int rc;

    if (unlikely(!broadcast || !value))
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (unlikely(rc))
        return rc;
    rc = bight_broadcast_try_publish(broadcast, value);
    if (rc == BIGHT_EAGAIN)
        return bight__wait_in(&broadcast->publishers, &wait.waiter, &publish_ops);
    bight__breathe(self);
    return rc;
}

int bight_broadcast_close(struct bight_broadcast *broadcast)
{
    if (!broadcast)
        return BIGHT_EINVAL;
    if (is_foreign(broadcast))
        return BIGHT_EPERM;
    broadcast->closed = true;
    bight__wake_all(&broadcast->publishers, BIGHT_ECLOSED);
    for (struct bight_link *link = broadcast->subscribers.next; link != &broadcast->subscribers;
         link = link->next)
        bight__wake_all(&subscriber_of(link)->waits, BIGHT_ECLOSED);
    return 0;
}

int bight_broadcast_subscribe(struct bight_broadcast *broadcast,
                              struct bight_subscriber *subscriber)
{
    if (!broadcast || !subscriber)
        return BIGHT_EINVAL;
    if (broadcast->closed)
        return BIGHT_ECLOSED;
    subscriber->broadcast = broadcast;
    subscriber->next = broadcast->next;
    link_init(&subscriber->waits);
    link_append(&broadcast->subscribers, &subscriber->link);
    broadcast->subscriber_count++;
    return 0;
}

/* The index of the value that the subscriber receives next, and how many were dropped before it. */
static size_t next_index(const struct bight_subscriber *subscriber, uint64_t *missed)
{
    uint64_t first = oldest(subscriber->broadcast);

    *missed = first > subscriber->next ? first - subscriber->next : 0;
    return (size_t)(subscriber->next + *missed - first);
}

int bight_broadcast_unsubscribe(struct bight_subscriber *subscriber)
{
    struct bight_broadcast *broadcast = subscriber ? subscriber->broadcast : NULL;
    uint64_t missed;

    if (!subscriber)
        return BIGHT_EINVAL;
    if (!broadcast)
        return 0;
    if (bight__waiters_are_foreign(&broadcast->publishers) ||
        bight__waiters_are_foreign(&subscriber->waits))
        return BIGHT_EPERM;
    for (size_t i = next_index(subscriber, &missed); i < broadcast->length; i++)
        broadcast->left[place(broadcast, i)]--;
    link_remove(&subscriber->link);
    subscriber->broadcast = NULL;
    broadcast->subscriber_count--;
    bight__wake_all(&subscriber->waits, BIGHT_ECLOSED);
    trim(broadcast);
    return 0;
}

int bight_broadcast_try_receive(struct bight_subscriber *subscriber, void *value, uint64_t *missed)
{
    struct bight_broadcast *broadcast = subscriber ? subscriber->broadcast : NULL;
    uint64_t dropped;
    size_t index, at;

    if (!subscriber || !value)
        return BIGHT_EINVAL;
    if (!broadcast)
        return BIGHT_ECLOSED;
    if (bight__waiters_are_foreign(&broadcast->publishers))
        return BIGHT_EPERM;
    index = next_index(subscriber, &dropped);
    if (index == broadcast->length)
        return broadcast->closed ? BIGHT_ECLOSED : BIGHT_EAGAIN;
    at = place(broadcast, index);
    memcpy(value, value_at(broadcast, at), broadcast->value_bytes);
    if (missed)
        *missed = dropped;
    subscriber->next += dropped + 1;
    if (--broadcast->left[at] == 0)
        trim(broadcast);
    return 0;
}

static int receive_park(struct bight_subscriber *subscriber, void *value, uint64_t *missed)
{
    struct broadcast_wait wait = {.value.to = value, .broadcast = subscriber->broadcast};
    int rc = bight__wait_in(&subscriber->waits, &wait.waiter, &receive_ops);

    if (rc == 0 && missed)
        *missed = 0; /* it had received everything */
    return rc;
}

int bight_broadcast_receive(struct bight_subscriber *subscriber, void *value, uint64_t *missed)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!subscriber || !value))
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (unlikely(rc))
        return rc;
    rc = bight_broadcast_try_receive(subscriber, value, missed);
    if (rc == BIGHT_EAGAIN)
        return receive_park(subscriber, value, missed);
    bight__breathe(self);
    return rc;
}
