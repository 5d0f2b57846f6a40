/* Semaphore: units handed over in FIFO order. Nobody waits while a unit is free. */
#include "coro/core/source.h"

#include <bight/semaphore.h>

static const struct bight_waiter_ops semaphore_ops = {
    .name = "semaphore",
    .abort = bight__unlink_abort,
};

int bight_semaphore_init(struct bight_semaphore *semaphore, int64_t value)
{
    return bight_semaphore_init_bounded(semaphore, value, INT64_MAX);
}

int bight_semaphore_init_bounded(struct bight_semaphore *semaphore, int64_t value, int64_t bound)
{
    if (!semaphore || value < 0 || bound < value)
        return BIGHT_EINVAL;
    semaphore->value = value;
    semaphore->limit = (uint64_t)bound + 1;
    link_init(&semaphore->waiters);
    return 0;
}

static bool take(struct bight_semaphore *semaphore)
{
    if (semaphore->value <= 0)
        return false;
    semaphore->value--;
    return true;
}

/* A function of its own, so that taking a free unit needs no room for a waiter. */
static __attribute__((noinline)) int semaphore_park(struct bight_semaphore *semaphore)
{
    struct bight_waiter waiter;

    return bight__wait_in(&semaphore->waiters, &waiter, &semaphore_ops);
}

int bight_semaphore_acquire(struct bight_semaphore *semaphore)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!semaphore))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    return likely(take(semaphore)) ? 0 : semaphore_park(semaphore);
}

int bight_semaphore_try_acquire(struct bight_semaphore *semaphore)
{
    if (unlikely(!semaphore))
        return BIGHT_EINVAL;
    if (take(semaphore))
        return 0;
    return bight__waiters_are_foreign(&semaphore->waiters) ? BIGHT_EPERM : BIGHT_EAGAIN;
}

/* Give the unit to the first waiter that can still be woken; nobody's is free. */
static __attribute__((noinline)) int hand_over(struct bight_semaphore *semaphore)
{
    struct bight_link *link;

    if (bight__waiters_are_foreign(&semaphore->waiters))
        return BIGHT_EPERM;
    while ((link = list_take(&semaphore->waiters))) {
        if (bight_unpark(container_of(link, struct bight_waiter, link), 0))
            return 0;
    }
    semaphore->value++;
    return 0;
}

int bight_semaphore_release(struct bight_semaphore *semaphore)
{
    if (unlikely(!semaphore))
        return BIGHT_EINVAL;
    if ((uint64_t)semaphore->value + 1 == semaphore->limit)
        return BIGHT_ERANGE;
    /* A list that is all zero takes this path too, once. */
    if (unlikely(!link_empty(&semaphore->waiters)))
        return hand_over(semaphore);
    semaphore->value++;
    return 0;
}

int64_t bight_semaphore_value(const struct bight_semaphore *semaphore)
{
    return semaphore ? semaphore->value : 0;
}

size_t bight_semaphore_waiting(const struct bight_semaphore *semaphore)
{
    return semaphore ? list_count(&semaphore->waiters) : 0;
}
