/* Channels: a queue (queue.c) that counts its open ends. An end knows the calls that sleep on it,
 * so closing it wakes those and no others. A call that was woken does not look at its end again,
 * because the memory of a closed end may be gone. */
#include "coro/queue/channel.h"
#include "coro/core/source.h"

struct bight_channel {
    struct bight_queue *queue;
    size_t senders;
    size_t receivers;
    void (*drop)(void *arg, void *item);
    void *drop_arg;
};

static int channel_abort(struct bight_waiter *waiter)
{
    struct bight__channel_wait *wait =
        container_of(waiter, struct bight__channel_wait, wait.waiter);

    link_remove(&waiter->link);
    link_remove(&wait->of_end);
    return 0;
}

static void channel_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    bight__queue_describe_items(container_of(waiter, struct bight__queue_wait, waiter)->queue, text,
                                text_bytes);
}

const struct bight_waiter_ops bight__channel_send_ops = {
    .name = "channel send",
    .abort = channel_abort,
    .describe = channel_describe,
};

const struct bight_waiter_ops bight__channel_receive_ops = {
    .name = "channel receive",
    .abort = channel_abort,
    .describe = channel_describe,
};

/* Tell the calls that sleep on an end that it is closed. */
static void end_waits(struct bight_link *waits)
{
    struct bight_link *link;

    while ((link = link_take(waits))) {
        struct bight__channel_wait *wait = container_of(link, struct bight__channel_wait, of_end);

        link_remove(&wait->wait.waiter.link);
        bight_unpark(&wait->wait.waiter, BIGHT_ECLOSED);
    }
}

/* Whether tasks of another thread's runtime sleep on the channel. A call that sleeps on an end is
 * among the queue's. */
static bool is_foreign(const struct bight_channel *channel)
{
    return bight__waiters_are_foreign(&channel->queue->getters) ||
           bight__waiters_are_foreign(&channel->queue->putters);
}

static void free_unless_open(struct bight_channel *channel)
{
    if (channel->senders || channel->receivers)
        return;
    (void)bight_queue_free(channel->queue); /* nobody waits on it: all ends are closed */
    bight__free(channel);
}

int bight_channel_open(struct bight_sender *sender, struct bight_receiver *receiver,
                       const struct bight_channel_options *options)
{
    static const struct bight_channel_options defaults = {.capacity = 0};
    struct bight_channel *channel;
    int rc;

    if (!sender || !receiver)
        return BIGHT_EINVAL;
    if (!options)
        options = &defaults;
    if (!bight__sched)
        return BIGHT_ENORUNTIME;
    channel = bight__alloc(&bight__sched->seams, sizeof(*channel));
    if (!channel)
        return BIGHT_ENOMEM;
    rc = bight_queue_new(&channel->queue, options->capacity);
    if (rc) {
        bight__free(channel);
        return rc;
    }
    channel->senders = 1;
    channel->receivers = 1;
    channel->drop = options->drop;
    channel->drop_arg = options->drop_arg;
    sender->channel = channel;
    receiver->channel = channel;
    link_init(&sender->waits);
    link_init(&receiver->waits);
    return 0;
}

int bight_channel_try_send(struct bight_sender *sender, void *item)
{
    if (unlikely(!sender))
        return BIGHT_EINVAL;
    return sender->channel ? bight_queue_try_put(sender->channel->queue, item) : BIGHT_ECLOSED;
}

int bight_channel_try_receive(struct bight_receiver *receiver, void **item)
{
    if (unlikely(!receiver || !item))
        return BIGHT_EINVAL;
    return receiver->channel ? bight_queue_try_get(receiver->channel->queue, item) : BIGHT_ECLOSED;
}

void bight__channel_send_arm(struct bight_sender *sender, struct bight__channel_wait *wait)
{
    bight__queue_put_arm(sender->channel->queue, &wait->wait);
    link_append(&sender->waits, &wait->of_end);
}

void bight__channel_receive_arm(struct bight_receiver *receiver, struct bight__channel_wait *wait)
{
    bight__queue_get_arm(receiver->channel->queue, &wait->wait);
    link_append(&receiver->waits, &wait->of_end);
}

/* Sleep in an armed wait until the item is handed over. */
static int wait_on(struct bight__channel_wait *wait)
{
    int rc = bight_park(&wait->wait.waiter);

    link_remove(&wait->of_end);
    return rc;
}

/* A function of its own, like the next one, because calls that need not wait need no record. */
static __attribute__((noinline)) int send_park(struct bight_sender *sender, void *item)
{
    struct bight__channel_wait wait = {.wait.item = item};

    bight__waiter_begin(&wait.wait.waiter, &bight__channel_send_ops);
    bight__channel_send_arm(sender, &wait);
    return wait_on(&wait);
}

static __attribute__((noinline)) int receive_park(struct bight_receiver *receiver, void **item)
{
    struct bight__channel_wait wait = {.wait.item = NULL};
    int rc;

    bight__waiter_begin(&wait.wait.waiter, &bight__channel_receive_ops);
    bight__channel_receive_arm(receiver, &wait);
    rc = wait_on(&wait);
    if (rc == 0)
        *item = wait.wait.item;
    return rc;
}

int bight_channel_send(struct bight_sender *sender, void *item)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!sender))
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (unlikely(rc))
        return rc;
    rc = bight_channel_try_send(sender, item);
    if (rc == BIGHT_EAGAIN)
        return send_park(sender, item);
    bight__breathe(self);
    return rc;
}

int bight_channel_receive(struct bight_receiver *receiver, void **item)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!receiver || !item))
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (unlikely(rc))
        return rc;
    rc = bight_channel_try_receive(receiver, item);
    if (rc == BIGHT_EAGAIN)
        return receive_park(receiver, item);
    bight__breathe(self);
    return rc;
}

int bight_sender_clone(struct bight_sender *clone, const struct bight_sender *sender)
{
    if (!clone || !sender)
        return BIGHT_EINVAL;
    if (!sender->channel)
        return BIGHT_ECLOSED;
    sender->channel->senders++;
    clone->channel = sender->channel;
    link_init(&clone->waits);
    return 0;
}

int bight_receiver_clone(struct bight_receiver *clone, const struct bight_receiver *receiver)
{
    if (!clone || !receiver)
        return BIGHT_EINVAL;
    if (!receiver->channel)
        return BIGHT_ECLOSED;
    receiver->channel->receivers++;
    clone->channel = receiver->channel;
    link_init(&clone->waits);
    return 0;
}

int bight_sender_end(struct bight_sender *sender)
{
    struct bight_channel *channel = sender ? sender->channel : NULL;

    if (!sender)
        return BIGHT_EINVAL;
    if (!channel)
        return 0;
    if (is_foreign(channel))
        return BIGHT_EPERM;
    sender->channel = NULL;
    end_waits(&sender->waits);
    if (--channel->senders == 0)
        (void)bight__queue_close(channel->queue, BIGHT_EPIPE);
    free_unless_open(channel);
    return 0;
}

int bight_receiver_end(struct bight_receiver *receiver)
{
    struct bight_channel *channel = receiver ? receiver->channel : NULL;

    if (!receiver)
        return BIGHT_EINVAL;
    if (!channel)
        return 0;
    if (is_foreign(channel))
        return BIGHT_EPERM;
    receiver->channel = NULL;
    end_waits(&receiver->waits);
    if (channel->receivers == 1) {
        /* It counts as open until the items are dropped, because drop may close the last sender. */
        (void)bight__queue_close(channel->queue, BIGHT_EPIPE);
        (void)bight_queue_abort(channel->queue, channel->drop, channel->drop_arg);
    }
    channel->receivers--;
    free_unless_open(channel);
    return 0;
}

static int channel_stats(const struct bight_channel *channel, struct bight_channel_stats *stats)
{
    struct bight_queue_stats queue;

    if (!channel)
        return BIGHT_ECLOSED;
    bight_queue_get_stats(channel->queue, &queue);
    *stats = (struct bight_channel_stats){
        .length = queue.length,
        .capacity = queue.capacity,
        .senders = channel->senders,
        .receivers = channel->receivers,
        .sending = queue.putters,
        .receiving = queue.getters,
    };
    return 0;
}

int bight_sender_get_stats(const struct bight_sender *sender, struct bight_channel_stats *stats)
{
    if (!sender || !stats)
        return BIGHT_EINVAL;
    return channel_stats(sender->channel, stats);
}

int bight_receiver_get_stats(const struct bight_receiver *receiver,
                             struct bight_channel_stats *stats)
{
    if (!receiver || !stats)
        return BIGHT_EINVAL;
    return channel_stats(receiver->channel, stats);
}
