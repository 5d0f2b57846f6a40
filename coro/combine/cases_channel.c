/* The cases of a channel's two ends. As in cases.c, each keeps its place in the case itself. */
#include "coro/queue/channel.h"

#include <assert.h>

#include <bight/select.h>

static_assert(sizeof(struct bight__channel_wait) <=
                  sizeof(struct bight_case) - offsetof(struct bight_case, waiter),
              "a case has room for a channel's waiter");

static struct bight__channel_wait *record_of(struct bight_case *from)
{
    return container_of(&from->waiter, struct bight__channel_wait, wait.waiter);
}

static void make(struct bight_case *to, const struct bight_case_ops *ops, void *end)
{
    bight_case_custom(to, end ? ops : NULL, end);
    link_init(&record_of(to)->of_end);
}

static bool receive_attempt(struct bight_case *chosen)
{
    chosen->status = bight_channel_try_receive(chosen->source, &chosen->value);
    return chosen->status != BIGHT_EAGAIN;
}

static int receive_arm(struct bight_case *chosen)
{
    bight__channel_receive_arm(chosen->source, record_of(chosen));
    return 0;
}

static void receive_settle(struct bight_case *chosen)
{
    struct bight__channel_wait *record = record_of(chosen);

    link_remove(&record->of_end);
    if (chosen->status == 0)
        chosen->value = record->wait.item;
}

static bool send_attempt(struct bight_case *chosen)
{
    chosen->status = bight_channel_try_send(chosen->source, chosen->value);
    return chosen->status != BIGHT_EAGAIN;
}

static int send_arm(struct bight_case *chosen)
{
    struct bight__channel_wait *record = record_of(chosen);

    record->wait.item = chosen->value;
    bight__channel_send_arm(chosen->source, record);
    return 0;
}

static void send_settle(struct bight_case *chosen)
{
    link_remove(&record_of(chosen)->of_end);
}

static const struct bight_case_ops receive_ops = {&bight__channel_receive_ops, receive_attempt,
                                                  receive_arm, receive_settle};
static const struct bight_case_ops send_ops = {&bight__channel_send_ops, send_attempt, send_arm,
                                               send_settle};

void bight_case_receive(struct bight_case *to, struct bight_receiver *receiver)
{
    if (to)
        make(to, &receive_ops, receiver);
}

void bight_case_send(struct bight_case *to, struct bight_sender *sender, void *item)
{
    if (!to)
        return;
    make(to, &send_ops, sender);
    to->value = item;
}
