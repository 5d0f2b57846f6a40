/* The semaphore: a count, which is taken and given back by one exchange. */
#include "offload/shared/base.h"

struct semaphore_call {
    struct shared_call call;
    struct bight_shared_semaphore *semaphore;
};

static struct bight_shared *segment_of(const struct bight_shared_semaphore *semaphore)
{
    return bight__shared_of(&semaphore->base, sizeof(*semaphore), SHARED_SEMAPHORE);
}

static const struct bight_waiter_ops semaphore_ops = {
    .name = "shared semaphore", .abort = bight__shared_abort, .flags = BIGHT_WAITER_OUTSIDE};

static int take(struct bight_shared_semaphore *semaphore)
{
    int64_t value = shared_load(semaphore->value);

    while (value > 0) {
        if (shared_swap(semaphore->value, &value, value - 1))
            return 0;
    }
    return BIGHT_EAGAIN;
}

static int attempt(struct shared_call *call)
{
    return take(container_of(call, struct semaphore_call, call)->semaphore);
}

int bight_shared_semaphore_init(struct bight_shared_semaphore *semaphore, int64_t value,
                                int64_t bound)
{
    int rc;

    if (!semaphore || value < 0 || bound < value)
        return BIGHT_EINVAL;
    rc = bight__shared_enter(&semaphore->base, sizeof(*semaphore), SHARED_SEMAPHORE);
    if (rc)
        return rc;
    semaphore->value = value;
    semaphore->bound = bound;
    shared_store(semaphore->base.kind, SHARED_SEMAPHORE);
    return 0;
}

int bight_shared_semaphore_acquire(struct bight_shared_semaphore *semaphore, int64_t timeout_ms)
{
    struct semaphore_call acquire = {.semaphore = semaphore};
    int rc;

    if (!semaphore)
        return BIGHT_EINVAL;
    rc = bight__shared_begin();
    if (rc)
        return rc;
    acquire.call =
        (struct shared_call){segment_of(semaphore), &semaphore->base, &semaphore_ops, attempt};
    if (!acquire.call.segment)
        return BIGHT_EINVAL;
    return bight__shared_call(&acquire.call, timeout_ms);
}

int bight_shared_semaphore_try_acquire(struct bight_shared_semaphore *semaphore)
{
    return semaphore && segment_of(semaphore) ? take(semaphore) : BIGHT_EINVAL;
}

int bight_shared_semaphore_release(struct bight_shared_semaphore *semaphore)
{
    struct bight_shared *segment = semaphore ? segment_of(semaphore) : NULL;
    int64_t value;

    if (!segment)
        return BIGHT_EINVAL;
    value = shared_load(semaphore->value);
    do {
        if (value >= shared_load(semaphore->bound))
            return BIGHT_ERANGE;
    } while (!shared_swap(semaphore->value, &value, value + 1));
    bight__shared_changed(segment, &semaphore->base);
    return 0;
}

int64_t bight_shared_semaphore_value(const struct bight_shared_semaphore *semaphore)
{
    return semaphore && segment_of(semaphore) ? shared_load(semaphore->value) : 0;
}
