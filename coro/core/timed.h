/* A waiter with a timer: for waits that have a time of their own beside what they wait for. The
 * timer is in the frame of the waiting task and is armed only while the waiter can be resolved. */
#ifndef BIGHT_CORO_CORE_TIMED_H
#define BIGHT_CORO_CORE_TIMED_H

#include "coro/core/source.h"

struct bight__timed {
    struct bight_waiter waiter; /* its link is free for the source's list */
    struct bight_timer timer;
};

/* Once, before it is used; bight__timed_init does it too. */
void bight__timed_prepare(struct bight__timed *timed);

/* Initialise for a park of the calling task; the ops' abort is bight__timed_abort or calls it. */
void bight__timed_init(struct bight__timed *timed, const struct bight_waiter_ops *ops);

/* At `deadline_ns` the park ends with BIGHT_ETIMEDOUT. */
void bight__timed_arm(struct bight__timed *timed, uint64_t deadline_ns);

/* Unlinks the waiter and disarms the timer: returns 0. */
int bight__timed_abort(struct bight_waiter *waiter);

/* Unpark from the source's side: unlinks, disarms. True when this call ended the park. */
bool bight__timed_unpark(struct bight__timed *timed, int result);

#endif
