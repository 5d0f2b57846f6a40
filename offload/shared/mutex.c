/* The mutex: one word that says who has it. The kernel's robust mutexes keep their list of what a
 * thread holds in the mutexes themselves: a worker that writes over one would have this process
 * follow its pointers. Here the word is compared and no more. The maker of the segment learns of
 * each worker's death, and marks what that worker held (segment.c). */
#include "offload/shared/base.h"

struct mutex_call {
    struct shared_call call;
    struct bight_shared_mutex *mutex;
    uint64_t self;
};

static struct bight_shared *segment_of(const struct bight_shared_mutex *mutex)
{
    return bight__shared_of(&mutex->base, sizeof(*mutex), SHARED_MUTEX);
}

static const struct bight_waiter_ops mutex_ops = {
    .name = "shared mutex", .abort = bight__shared_abort, .flags = BIGHT_WAITER_OUTSIDE};

static int take(struct bight_shared_mutex *mutex, uint64_t self)
{
    uint64_t owner = shared_load(mutex->owner);

    for (;;) {
        bool died = owner == OWNER_DIED;

        if (owner == OWNER_GONE)
            return BIGHT_ENOTRECOVERABLE;
        if (owner && !died)
            return (owner & ~OWNER_MENDS) == self ? BIGHT_EDEADLK : BIGHT_EAGAIN;
        if (shared_swap(mutex->owner, &owner, died ? self | OWNER_MENDS : self))
            return died ? BIGHT_EOWNERDEAD : 0;
    }
}

static int attempt(struct shared_call *call)
{
    const struct mutex_call *lock = container_of(call, struct mutex_call, call);

    return take(lock->mutex, lock->self);
}

int bight_shared_mutex_init(struct bight_shared_mutex *mutex)
{
    int rc;

    if (!mutex)
        return BIGHT_EINVAL;
    rc = bight__shared_enter(&mutex->base, sizeof(*mutex), SHARED_MUTEX);
    if (!rc)
        shared_store(mutex->base.kind, SHARED_MUTEX);
    return rc;
}

int bight_shared_mutex_lock(struct bight_shared_mutex *mutex, int64_t timeout_ms)
{
    struct mutex_call lock = {.mutex = mutex};
    int rc;

    if (!mutex)
        return BIGHT_EINVAL;
    rc = bight__shared_begin();
    if (rc)
        return rc;
    lock.call = (struct shared_call){segment_of(mutex), &mutex->base, &mutex_ops, attempt};
    if (!lock.call.segment)
        return BIGHT_EINVAL;
    lock.self = bight__shared_self(lock.call.segment);
    return bight__shared_call(&lock.call, timeout_ms);
}

int bight_shared_mutex_try_lock(struct bight_shared_mutex *mutex)
{
    const struct bight_shared *segment = mutex ? segment_of(mutex) : NULL;
    int rc;

    if (!segment)
        return BIGHT_EINVAL;
    rc = take(mutex, bight__shared_self(segment));
    return rc == BIGHT_EAGAIN ? BIGHT_EBUSY : rc;
}

int bight_shared_mutex_unlock(struct bight_shared_mutex *mutex)
{
    struct bight_shared *segment = mutex ? segment_of(mutex) : NULL;
    uint64_t owner, self;

    if (!segment)
        return BIGHT_EINVAL;
    self = bight__shared_self(segment);
    owner = shared_load(mutex->owner);
    if ((owner & ~OWNER_MENDS) != self ||
        !shared_swap(mutex->owner, &owner, owner == self ? 0 : OWNER_GONE))
        return BIGHT_EPERM;
    bight__shared_changed(segment, &mutex->base);
    return 0;
}

int bight_shared_mutex_recover(struct bight_shared_mutex *mutex)
{
    const struct bight_shared *segment = mutex ? segment_of(mutex) : NULL;
    uint64_t owner, self;

    if (!segment)
        return BIGHT_EINVAL;
    self = bight__shared_self(segment);
    owner = self | OWNER_MENDS;
    if (shared_swap(mutex->owner, &owner, self))
        return 0;
    return owner == self ? BIGHT_EINVAL : BIGHT_EPERM;
}
