/* Channels: a queue with two ends. Whoever holds a sender may send, whoever holds a receiver may
 * receive; ends are cloned for others and ended one by one. After the last sender has ended,
 * receivers get what is left and then BIGHT_EPIPE; after the last receiver has ended, senders get
 * BIGHT_EPIPE, because nobody will ever take what they send. Items go to receivers, and places to
 * senders, in the order in which they came to wait, as in <bight/queue.h>. */
#ifndef BIGHT_CHANNEL_H
#define BIGHT_CHANNEL_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/select.h>
#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

struct bight_channel;

/* The ends live in memory of the caller, also in a frame. They must not move while they are open,
 * and each must be ended. One that is all zero is not open. Several tasks may use one end. */
struct bight_sender {
    /* Private: NULL when it is not open; its calls that wait. */
    struct bight_channel *channel;
    struct bight_link waits;
};

struct bight_receiver {
    /* Private, as in the sender. */
    struct bight_channel *channel;
    struct bight_link waits;
};

struct bight_channel_options {
    /* How many items it holds; 0: none, a send waits for its receive; BIGHT_QUEUE_UNBOUNDED. */
    size_t capacity;
    /* drop(drop_arg, item) is called with each item that is left when the last receiver ends; may
     * be NULL. Must not suspend. */
    void (*drop)(void *arg, void *item);
    void *drop_arg;
};

struct bight_channel_stats {
    size_t length; /* items that can be received now */
    size_t capacity;
    size_t senders;   /* open ends */
    size_t receivers; /* open ends */
    size_t sending;   /* calls that wait for a place */
    size_t receiving; /* calls that wait for an item */
};

/** Make a channel and its first two ends. The channel is freed when the last end has ended.
 *
 *  @return 0; BIGHT_EINVAL for a capacity beyond any memory; BIGHT_ENOMEM; BIGHT_ENORUNTIME.
 *  Ownership: keeps sender and receiver until they are ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_channel_open(struct bight_sender *sender,
                                                  struct bight_receiver *receiver,
                                                  const struct bight_channel_options *options);

/** Send `item`, sleeping while the channel is full; with a capacity of 0, until it is received.
 *
 *  @return 0; otherwise the item is still the caller's: BIGHT_ECLOSED when the sender is not open,
 *          or is ended while the call sleeps; BIGHT_EPIPE when no receiver is left;
 *          BIGHT_ECANCELED; BIGHT_ENOMEM when an unbounded channel cannot grow; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, the item was not sent.
 *  Allocates: no, unless an unbounded one grows.  Thread: the loop's.
 *  Ownership: takes item on success; borrows sender until it is ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_channel_send(struct bight_sender *sender, void *item);

/** Send `item` if there is room or somebody waits for it. Does not observe cancellation; needs no
 *  task.
 *
 *  @return 0; BIGHT_EAGAIN when full; BIGHT_ECLOSED, BIGHT_EPIPE and BIGHT_ENOMEM as
 *          bight_channel_send.
 *  Ownership: takes item on success.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_channel_try_send(struct bight_sender *sender, void *item);

/** Receive the oldest item into `*item`, sleeping while there is none.
 *
 *  @return 0; BIGHT_EPIPE: all senders have ended and nothing is left; BIGHT_ECLOSED when the
 *          receiver is not open, or is ended while the call sleeps; BIGHT_ECANCELED: nothing was
 *          received; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, nothing was received.  Allocates: no.
 *  Thread: the loop's.  Ownership: gives *item; borrows receiver until it is ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_channel_receive(struct bight_receiver *receiver, void **item);

/** Make `to` a case of an item from `receiver`, which goes to `value`; status as
 *  bight_channel_receive.
 *
 *  Ownership: keeps receiver for as long as the case is used; gives value. A select that waits on
 *  one that is ended is told BIGHT_ECLOSED.
 */
BIGHT_API void bight_case_receive(struct bight_case *to, struct bight_receiver *receiver);

/** Make `to` a case of sending `item`; status as bight_channel_send.
 *
 *  Ownership: keeps sender for as long as the case is used; takes item when it is chosen with
 *  status 0. A select that waits on one that is ended is told BIGHT_ECLOSED.
 */
BIGHT_API void bight_case_send(struct bight_case *to, struct bight_sender *sender, void *item);

/** Receive the oldest item if there is one. Does not observe cancellation; needs no task.
 *
 *  @return 0; BIGHT_EAGAIN when empty; BIGHT_EPIPE and BIGHT_ECLOSED as bight_channel_receive.
 *  Ownership: gives *item.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_channel_try_receive(struct bight_receiver *receiver,
                                                         void **item);

/** Make one more sender of the same channel.
 *
 *  @return 0, or BIGHT_ECLOSED when `sender` is not open.
 *  Ownership: keeps clone until it is ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_sender_clone(struct bight_sender *clone,
                                                  const struct bight_sender *sender);

/** End this sender; sends that sleep on it end with BIGHT_ECLOSED. Does nothing when it is not
 *  open.
 *
 *  @return 0; BIGHT_EPERM: tasks of another thread's runtime sleep on the channel.
 *  Ownership: returns the sender's memory to the caller.
 */
BIGHT_API int bight_sender_end(struct bight_sender *sender);

/** Make one more receiver of the same channel. An item goes to one of the receivers.
 *
 *  @return 0, or BIGHT_ECLOSED when `receiver` is not open.
 *  Ownership: keeps clone until it is ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_receiver_clone(struct bight_receiver *clone,
                                                    const struct bight_receiver *receiver);

/** End this receiver; receives that sleep on it end with BIGHT_ECLOSED. Does nothing when it is not
 *  open. With the last receiver, what is left in the channel is dropped.
 *
 *  @return 0; BIGHT_EPERM: tasks of another thread's runtime sleep on the channel.
 *  Ownership: returns the receiver's memory to the caller; gives the items left to options.drop.
 */
BIGHT_API int bight_receiver_end(struct bight_receiver *receiver);

/** The sizes of the sender's channel. Takes as long as there are waiting calls.
 *
 *  @return 0, or BIGHT_ECLOSED when the sender is not open.
 */
BIGHT_API int bight_sender_get_stats(const struct bight_sender *sender,
                                     struct bight_channel_stats *stats);

/** The sizes of the receiver's channel, as bight_sender_get_stats.
 *
 *  @return 0, or BIGHT_ECLOSED when the receiver is not open.
 */
BIGHT_API int bight_receiver_get_stats(const struct bight_receiver *receiver,
                                       struct bight_channel_stats *stats);

BIGHT_END_DECLS

#endif
