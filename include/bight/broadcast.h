/* Broadcasts: every subscriber receives every value that is published while it is subscribed.
 * Values are copied in and out, so nobody has to know who still looks at one. A broadcast holds a
 * bounded number of values for subscribers that lag; its policy says what happens beyond that.
 * Where only the newest value counts, see <bight/latest.h>. */
#ifndef BIGHT_BROADCAST_H
#define BIGHT_BROADCAST_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

struct bight_broadcast;

enum bight_broadcast_policy {
    /* Publishing waits for the slowest subscriber. */
    BIGHT_BROADCAST_WAIT,
    /* Publishing never waits; a subscriber that lags too far misses values, and learns how many. */
    BIGHT_BROADCAST_DROP_OLDEST,
};

struct bight_broadcast_options {
    size_t capacity;    /* values held for subscribers that lag, at least 1 */
    size_t value_bytes; /* of each value, at least 1 */
    enum bight_broadcast_policy policy;
};

/* Lives in memory of the caller, also in a frame, and must not move between
 * bight_broadcast_subscribe and bight_broadcast_unsubscribe. Several tasks may receive from one:
 * each value then goes to one of them. */
struct bight_subscriber {
    /* Private: NULL when not subscribed; its place among the others; its calls that wait; the
     * number of the value it receives next. */
    struct bight_broadcast *broadcast;
    struct bight_link link;
    struct bight_link waits;
    uint64_t next;
};

/** Make a broadcast without subscribers. All memory is taken now.
 *
 *  @return 0; BIGHT_EINVAL for a capacity or size of 0 or beyond any memory, or an unknown policy;
 *          BIGHT_ENOMEM; BIGHT_ENORUNTIME.
 *  Ownership: gives *out, to be freed with bight_broadcast_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_broadcast_new(struct bight_broadcast **out,
                                                   const struct bight_broadcast_options *options);

/** Free a broadcast that has no subscribers and that no task waits on.
 *
 *  @return 0; BIGHT_EBUSY: nothing was freed.
 *  Ownership: takes broadcast; NULL does nothing.
 */
BIGHT_API int bight_broadcast_free(struct bight_broadcast *broadcast);

/** Publish a value: subscribers that wait get it now, it is kept for the others. Sleeps while there
 *  is no place, if that is the policy. Without subscribers the value is dropped.
 *
 *  @return 0; BIGHT_ECANCELED: it was not published; BIGHT_ECLOSED, also while the call sleeps;
 *          BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, the value was not published.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows value, of options.value_bytes.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_broadcast_publish(struct bight_broadcast *broadcast,
                                                       const void *value);

/** Publish a value if there is a place. Does not observe cancellation; needs no task.
 *
 *  @return 0; BIGHT_EAGAIN when it would have to wait for a subscriber; BIGHT_ECLOSED.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_broadcast_try_publish(struct bight_broadcast *broadcast,
                                                           const void *value);

/** Take no more values; the broadcast stays until bight_broadcast_free. Subscribers receive what is
 *  kept for them and then BIGHT_ECLOSED; calls that sleep in publishing get BIGHT_ECLOSED now.
 *
 *  @return 0; BIGHT_EPERM: tasks of another thread's runtime wait on it.
 */
BIGHT_API int bight_broadcast_close(struct bight_broadcast *broadcast);

/** Begin to receive what is published.
 *
 *  @return 0, or BIGHT_ECLOSED when the broadcast is closed.
 *  Ownership: keeps subscriber and broadcast until bight_broadcast_unsubscribe.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_broadcast_subscribe(struct bight_broadcast *broadcast,
                                                         struct bight_subscriber *subscriber);

/** Stop receiving: what was kept for this subscriber alone is dropped, publishers no longer wait
 *  for it, and calls that sleep on it end with BIGHT_ECLOSED. Does nothing when it is not
 *  subscribed.
 *
 *  @return 0; BIGHT_EPERM: tasks of another thread's runtime wait on it.
 *  Ownership: returns the subscriber's memory to the caller.
 */
BIGHT_API int bight_broadcast_unsubscribe(struct bight_subscriber *subscriber);

/** Copy the next value to `value`, sleeping while there is none.
 *
 *  @param missed how many values were dropped between this one and the one received before; may be
 *         NULL. Always 0 with BIGHT_BROADCAST_WAIT.
 *  @return 0; BIGHT_ECLOSED when the broadcast is closed and nothing is left for this subscriber,
 *          or when it is not subscribed, also while the call sleeps; BIGHT_ECANCELED: nothing was
 *          received; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, nothing was received.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps value, of options.value_bytes, until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_broadcast_receive(struct bight_subscriber *subscriber,
                                                       void *value, uint64_t *missed);

/** Copy the next value to `value` if there is one. Does not observe cancellation; needs no task.
 *
 *  @return 0; BIGHT_EAGAIN when there is none; BIGHT_ECLOSED as bight_broadcast_receive.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_broadcast_try_receive(struct bight_subscriber *subscriber,
                                                           void *value, uint64_t *missed);

BIGHT_END_DECLS

#endif
