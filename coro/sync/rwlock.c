/* Read-write lock: a mutex for the writer, whose queue also holds the readers, and a count of those
 * inside. The first in the queue never waits while it could go in. */
#include "coro/core/mutex.h"

#include <bight/rwlock.h>

#include <stdio.h>

struct rwlock_wait {
    struct bight_waiter waiter;
    struct bight_rwlock *lock;
    bool write;
};

static void writer_ended(struct bight_mutex *writer);

/* Set `abandoned` each time, because a lock that was never initialised does not have it. */
static void write_take(struct bight_rwlock *lock, struct bight_task *task)
{
    lock->writer.abandoned = writer_ended;
    bight__mutex_take(&lock->writer, task);
}

/* Let in the first of the queue, and those behind it that may go in together with it. */
static void let_in(struct bight_rwlock *lock)
{
    struct bight_link *queue = &lock->writer.waiters;

    bight__chain_changes(bight_self());
    while (!lock->writer.owner && !list_empty(queue)) {
        struct rwlock_wait *wait = container_of(queue->next, struct rwlock_wait, waiter.link);
        struct bight_task *task = wait->waiter.task;
        bool write = wait->write;

        if (write && lock->readers)
            return;
        link_remove(&wait->waiter.link);
        if (!bight_unpark(&wait->waiter, 0))
            continue;
        if (write)
            write_take(lock, task);
        else
            lock->readers++;
    }
}

static void writer_ended(struct bight_mutex *writer)
{
    let_in(container_of(writer, struct bight_rwlock, writer));
}

/* Those behind a writer that gave up may be able to go in. */
static int rwlock_abort(struct bight_waiter *waiter)
{
    link_remove(&waiter->link);
    let_in(container_of(waiter, struct rwlock_wait, waiter)->lock);
    return 0;
}

static struct bight_task *rwlock_waits_for(const struct bight_waiter *waiter)
{
    return container_of(waiter, struct rwlock_wait, waiter)->lock->writer.owner;
}

static void rwlock_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct bight_rwlock *lock = container_of(waiter, struct rwlock_wait, waiter)->lock;

    if (lock->writer.owner)
        bight__owner_describe(lock->writer.owner, text, text_bytes);
    else
        snprintf(text, text_bytes, "%zu readers", lock->readers);
}

static const struct bight_waiter_ops read_ops = {
    .name = "rwlock, to read",
    .abort = rwlock_abort,
    .waits_for = rwlock_waits_for,
    .describe = rwlock_describe,
    .flags = WAITER_LINK,
};

static const struct bight_waiter_ops write_ops = {
    .name = "rwlock, to write",
    .abort = rwlock_abort,
    .waits_for = rwlock_waits_for,
    .describe = rwlock_describe,
    .flags = WAITER_LINK,
};

void bight_rwlock_init(struct bight_rwlock *lock)
{
    if (!lock)
        return;
    bight_mutex_init(&lock->writer);
    lock->readers = 0;
}

/* Whether tasks of another thread's runtime have it for writing, or wait for it. */
static bool is_foreign(const struct bight_rwlock *lock)
{
    return lock->writer.owner ? bight__is_foreign(lock->writer.owner)
                              : bight__waiters_are_foreign(&lock->writer.waiters);
}

/* Take it if that is possible without waiting. */
static int try_lock(struct bight_rwlock *lock, struct bight_task *self, bool write)
{
    if (lock->writer.owner == self)
        return BIGHT_EDEADLK;
    if (lock->writer.owner || !list_empty(&lock->writer.waiters) || (write && lock->readers))
        return is_foreign(lock) ? BIGHT_EPERM : BIGHT_EBUSY;
    if (write)
        write_take(lock, self);
    else
        lock->readers++;
    return 0;
}

static int rwlock_park(struct bight_rwlock *lock, struct bight_task *self, bool write)
{
    struct rwlock_wait wait = {.lock = lock, .write = write};

    if (bight__lock_would_deadlock(lock->writer.owner, self))
        return BIGHT_EDEADLK;
    return bight__wait_in(&lock->writer.waiters, &wait.waiter, write ? &write_ops : &read_ops);
}

int bight_rwlock_read_lock(struct bight_rwlock *lock)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!lock))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    rc = try_lock(lock, self, false);
    return rc == BIGHT_EBUSY ? rwlock_park(lock, self, false) : rc;
}

int bight_rwlock_write_lock(struct bight_rwlock *lock)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!lock))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    rc = try_lock(lock, self, true);
    return rc == BIGHT_EBUSY ? rwlock_park(lock, self, true) : rc;
}

int bight_rwlock_try_read_lock(struct bight_rwlock *lock)
{
    struct bight_task *self = bight_self();

    if (!lock)
        return BIGHT_EINVAL;
    return self ? try_lock(lock, self, false) : BIGHT_ENOTASK;
}

int bight_rwlock_try_write_lock(struct bight_rwlock *lock)
{
    struct bight_task *self = bight_self();

    if (!lock)
        return BIGHT_EINVAL;
    return self ? try_lock(lock, self, true) : BIGHT_ENOTASK;
}

int bight_rwlock_unlock(struct bight_rwlock *lock)
{
    struct bight_task *self = bight_self();

    if (!lock)
        return BIGHT_EINVAL;
    if (!self)
        return BIGHT_ENOTASK;
    if (lock->writer.owner == self)
        bight__mutex_untake(&lock->writer, self);
    else if (lock->readers && !is_foreign(lock))
        lock->readers--;
    else
        return BIGHT_EPERM;
    let_in(lock);
    return 0;
}

struct bight_task *bight_rwlock_writer(const struct bight_rwlock *lock)
{
    return lock ? lock->writer.owner : NULL;
}

size_t bight_rwlock_readers(const struct bight_rwlock *lock)
{
    return lock ? lock->readers : 0;
}

size_t bight_rwlock_waiting(const struct bight_rwlock *lock)
{
    return lock ? list_count(&lock->writer.waiters) : 0;
}
