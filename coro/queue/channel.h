/* The inside of a channel's ends, for those who wait on one among other things: a select. They try
 * first, and on BIGHT_EAGAIN, without suspending in between, arm a wait whose waiter was
 * initialised with the ops below. */
#ifndef BIGHT_CORO_QUEUE_CHANNEL_H
#define BIGHT_CORO_QUEUE_CHANNEL_H

#include <bight/channel.h>

#include "coro/queue/queue.h"

/* `of_end` is valid at any time, and to be removed when the wait is over. */
struct bight__channel_wait {
    struct bight__queue_wait wait;
    struct bight_link of_end; /* in the end's waits, until the end is closed */
};

extern const struct bight_waiter_ops bight__channel_send_ops;
extern const struct bight_waiter_ops bight__channel_receive_ops;

/* To be called right after bight_channel_try_send of wait->wait.item has returned BIGHT_EAGAIN. */
void bight__channel_send_arm(struct bight_sender *sender, struct bight__channel_wait *wait);
/* To be called right after bight_channel_try_receive has returned BIGHT_EAGAIN. */
void bight__channel_receive_arm(struct bight_receiver *receiver, struct bight__channel_wait *wait);

#endif
