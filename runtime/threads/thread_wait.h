/* One way to wait for something that any thread may give: a task sleeps in a park, a plain thread
 * on a condition variable. Sources keep their waits in a list under a lock of their own, hand
 * things over by writing into the wait with that lock held, and then wake it. Under
 * <bight/thread_queue.h>, <bight/thread_event.h> and submissions.
 *
 * The lifetime: a wait is a record in its caller's frame. A task is woken by a post that lies in
 * the wait too, so once it was posted the wait cannot be left before the post has come: abort
 * refuses then, for as long as the loop takes to get there. That is what lets the wake, and the
 * wait, do without an allocation, and what keeps a task that was handed something from losing
 * it. */
#ifndef BIGHT_RUNTIME_THREADS_THREAD_WAIT_H
#define BIGHT_RUNTIME_THREADS_THREAD_WAIT_H

#include "coro/core/source.h"
#include "runtime/runtime.h"

struct bight_thread_wait {
    struct bight_waiter waiter; /* its link is the place in the source's list, also for a thread */
    struct bight_post post;
    struct bight_mailbox *mailbox; /* of the task's runtime; NULL for a plain thread */
    struct bight_runtime *runtime;
    uv_mutex_t *lock; /* the source's */
    uv_cond_t cond;
    bool woken;
    int result;
    void *item; /* what a source hands over, or is offered */
};

/* The ops of a source's waits: its name, and this hook. */
int bight__thread_wait_abort(struct bight_waiter *waiter);
#define THREAD_WAIT_FLAGS (BIGHT_WAITER_OUTSIDE | BIGHT_WAITER_MAY_REFUSE)

/* What opens a call that may wait: the checkpoint of a task, 0 on a plain thread, BIGHT_ENOTASK in
 * a callback on a thread that has a runtime, which must not block. Inlined like the checkpoint. */
__attribute__((always_inline)) static inline int bight__thread_wait_begin(void)
{
    struct bight_task *self;

    return bight__sched ? bight__checkpoint(&self) : 0;
}

/* Append `wait` to `list`, and wait for at most `timeout_ms`, negative for ever. Called with `lock`
 * held, which is released. Gives what bight__thread_wake was given, BIGHT_ETIMEDOUT,
 * BIGHT_ECANCELED, or what kept it from waiting; with such a code the wait is in no list and was
 * not woken. */
int bight__thread_wait_in(struct bight_link *list, uv_mutex_t *lock, struct bight_thread_wait *wait,
                          const struct bight_waiter_ops *ops, int64_t timeout_ms);

/* The first of `list`, unlinked; NULL when it is empty. With the source's lock held. */
struct bight_thread_wait *bight__thread_wait_first(struct bight_link *list);

/* Wake a wait that was taken out of its list, with the source's lock still held; not to be touched
 * afterwards. Its wait returns `result` in any case: nobody else can have woken it. */
void bight__thread_wake(struct bight_thread_wait *wait, int result);

/* Wake all of `list`, in order. */
void bight__thread_wake_all(struct bight_link *list, int result);

/* Memory for an object of several threads, from the runtime of this one if it has one. */
void *bight__thread_alloc(size_t bytes);
int bight__thread_lock_init(uv_mutex_t *lock);

#endif
