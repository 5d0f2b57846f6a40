/* Semaphore: units handed over in FIFO order. Nobody waits while there is one to be taken. */
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
    semaphore->short_of_max = INT64_MAX - bound;
    link_init(&semaphore->waiters);
    return 0;
}

int bight_semaphore_acquire(struct bight_semaphore *semaphore)
{
    struct bight_waiter waiter;
    struct bight_task *self;
    int rc;

    if (unlikely(!semaphore))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    if (bight_semaphore_try_acquire(semaphore) == 0)
        return 0;
    return bight__wait_in(&semaphore->waiters, &waiter, &semaphore_ops);
}

int bight_semaphore_try_acquire(struct bight_semaphore *semaphore)
{
    if (unlikely(!semaphore))
        return BIGHT_EINVAL;
    if (semaphore->value <= 0)
        return BIGHT_EAGAIN;
    semaphore->value--;
    return 0;
}

int bight_semaphore_release(struct bight_semaphore *semaphore)
{
    struct bight_link *link;

    if (unlikely(!semaphore))
        return BIGHT_EINVAL;
    if (semaphore->value == INT64_MAX - semaphore->short_of_max)
        return BIGHT_ERANGE;
    while ((link = list_take(&semaphore->waiters))) {
        if (bight_unpark(container_of(link, struct bight_waiter, link), 0))
            return 0;
    }
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
