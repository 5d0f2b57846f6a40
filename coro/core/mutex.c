/* Mutex: hand-over in FIFO order. The owner field changes in unlock itself, so a woken waiter owns
 * the mutex before it runs, and nobody can barge in between. */
#include "coro/core/mutex.h"

#include <stdio.h>

struct lock_wait {
    struct bight_waiter waiter;
    const struct bight_mutex *mutex;
};

static struct bight_task *lock_waits_for(const struct bight_waiter *waiter)
{
    return container_of(waiter, struct lock_wait, waiter)->mutex->owner;
}

void bight__owner_describe(const struct bight_task *owner, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "held by #%llu %s", (unsigned long long)owner->id, owner->name);
}

static void lock_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    bight__owner_describe(lock_waits_for(waiter), text, text_bytes);
}

static const struct bight_waiter_ops lock_ops = {
    .name = "mutex",
    .abort = bight__unlink_abort,
    .waits_for = lock_waits_for,
    .describe = lock_describe,
    .flags = WAITER_LINK,
};

void bight_mutex_init(struct bight_mutex *mutex)
{
    if (!mutex)
        return;
    mutex->owner = NULL;
    mutex->next_held = NULL;
    link_init(&mutex->waiters);
    mutex->abandoned = NULL;
}

static inline int lock_sleep(struct bight_mutex *mutex, struct bight_task *self)
{
    struct lock_wait wait;

    wait.mutex = mutex;
    bight__waiter_begin_of(&wait.waiter, &lock_ops, self);
    list_append(&mutex->waiters, &wait.waiter.link);
    return bight__park_alone(self, &wait.waiter);
}

static __attribute__((noinline)) int lock_in_chain(struct bight_mutex *mutex,
                                                   struct bight_task *self)
{
    return bight__lock_would_deadlock(mutex->owner, self) ? BIGHT_EDEADLK : lock_sleep(mutex, self);
}

/* Those that wait are of the owner's runtime. It mostly waits for nobody, so that there is no chain
 * to walk. */
static __attribute__((noinline)) int lock_park(struct bight_mutex *mutex, struct bight_task *self)
{
    const struct bight_task *owner = mutex->owner;

    if (unlikely(owner->sched != self->sched))
        return BIGHT_EPERM;
    if (unlikely(owner->parked))
        return lock_in_chain(mutex, self);
    return likely(owner != self) ? lock_sleep(mutex, self) : BIGHT_EDEADLK;
}

__attribute__((noinline)) void bight__mutex_hand_over(struct bight_mutex *mutex)
{
    struct bight_link *link;

    bight__chain_changes(bight__self());
    while ((link = list_take(&mutex->waiters))) {
        struct bight_waiter *waiter = container_of(link, struct bight_waiter, link);
        struct bight_task *heir = waiter->task;

        if (bight_unpark(waiter, 0)) {
            bight__mutex_take(mutex, heir);
            return;
        }
    }
}

/* The same by the running task, where the first waiter is a lock: in that its task sleeps, alone.
 * False: nothing was done. */
static inline bool hand_to_first(struct bight_mutex *mutex, const struct bight_task *self)
{
    struct bight_link *link = mutex->waiters.next;
    uint64_t epoch = self->sched->chain_epoch;
    struct bight_waiter *waiter;

    if (unlikely(!link))
        return false;
    waiter = container_of(link, struct bight_waiter, link);
    if (unlikely(waiter->ops != &lock_ops || self->chain_epoch == epoch ||
                 waiter->task->chain_epoch == epoch))
        return false;
    link_cut(link);
    bight__mutex_take(mutex, waiter->task);
    bight__ready_push(self->sched, bight__waiter_resolve(waiter, 0));
    return true;
}

/* A function of its own, so that the usual lock needs no frame. */
static __attribute__((noinline)) int lock_checked(struct bight_mutex *mutex, const char *frame)
{
    struct bight_task *self;
    int rc = bight__checkpoint_of(&self, frame);

    if (rc)
        return rc;
    if (mutex->owner)
        return lock_park(mutex, self);
    bight__mutex_take(mutex, self);
    return 0;
}

int bight_mutex_lock(struct bight_mutex *mutex)
{
    struct bight_task *self;

    if (unlikely(!mutex))
        return BIGHT_EINVAL;
    if (unlikely(!bight__checkpoint_is_clear(&self)))
        return lock_checked(mutex, CALLERS_FRAME);
    if (unlikely(mutex->owner))
        return lock_park(mutex, self);
    bight__mutex_take(mutex, self);
    return 0;
}

int bight_mutex_try_lock(struct bight_mutex *mutex)
{
    struct bight_task *self = bight_self();

    if (unlikely(!mutex))
        return BIGHT_EINVAL;
    if (!self)
        return BIGHT_ENOTASK;
    if (mutex->owner && bight__is_foreign(mutex->owner))
        return BIGHT_EPERM;
    if (mutex->owner)
        return mutex->owner == self ? BIGHT_EDEADLK : BIGHT_EBUSY;
    bight__mutex_take(mutex, self);
    return 0;
}

int bight_mutex_unlock(struct bight_mutex *mutex)
{
    struct bight_task *self = bight__self();

    if (unlikely(!mutex))
        return BIGHT_EINVAL;
    if (unlikely(!self))
        return BIGHT_ENOTASK;
    if (unlikely(mutex->owner != self))
        return BIGHT_EPERM;
    bight__mutex_untake(mutex, self);
    /* A list that is all zero takes this path too, once: handing over initialises it. */
    if (unlikely(!link_empty(&mutex->waiters)) && !hand_to_first(mutex, self))
        bight__mutex_hand_over(mutex);
    return 0;
}

struct bight_task *bight_mutex_owner(const struct bight_mutex *mutex)
{
    return mutex ? mutex->owner : NULL;
}

size_t bight_mutex_waiting(const struct bight_mutex *mutex)
{
    return mutex ? list_count(&mutex->waiters) : 0;
}

void bight__mutexes_abandoned(struct bight_task *task)
{
    bight__task_report(task, BIGHT_REPORT_MUTEX_HELD, BIGHT_EPERM, 0, "ended with a mutex locked");
    /* A mutex on the task's own stack is gone with its frame, and so is the way to those behind it
     * in the list. */
    while (task->held && !bight__stack_contains(&task->stack, task->held)) {
        struct bight_mutex *mutex = task->held;

        bight__mutex_untake(mutex, task);
        if (mutex->abandoned)
            mutex->abandoned(mutex);
        else
            bight__mutex_hand_over(mutex);
    }
    task->held = NULL;
}
