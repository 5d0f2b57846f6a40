/* Waiting for the ends of tasks without taking their handles, and for futures: for several at once
 * (wait), for one after the other as they end (as-completed), and for one with a time limit after
 * which it is cancelled (wait-for; bight_future_wait_for in future.h does so for a future). A
 * future has ended when it is done. */
#ifndef BIGHT_WAIT_H
#define BIGHT_WAIT_H

#include <bight/future.h>
#include <bight/task.h>
#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* When bight_wait returns. */
enum bight_wait_until {
    /* As soon as one has ended. */
    BIGHT_WAIT_FIRST_COMPLETED = 1,
    /* As soon as one has failed, or all have ended. A cancelled task or future has not failed; a
     * task that returned BIGHT_ECANCELED without having been cancelled has. */
    BIGHT_WAIT_FIRST_FAILED,
    /* When all have ended. */
    BIGHT_WAIT_ALL_COMPLETED,
};

/* One thing to wait for, a task or a future. The same one may be listed more than once. */
struct bight_wait_item {
    /* The task, or NULL for a future. */
    struct bight_task *task;
    /* The future; only looked at when there is no task. */
    struct bight_future *future;
    /* Result: whether it has ended, and its status, as from bight_join or bight_future_get. */
    bool done;
    /* Result: as bight_task_was_cancelled. A future is cancelled when its status is
     * BIGHT_ECANCELED. */
    bool cancelled;
    int status;
    /* Private from here. */
    union {
        struct bight_link link; /* with which both begin */
        struct bight_end_watch task;
        struct bight_future_watch future;
    } watch;
    void *wait;
    void (*ended)(struct bight_wait_item *item);
    struct bight_wait_item *twin;
};

/** Sleep until as many of the items have ended as `until` says, for at most `timeout_ms` (negative:
 *  without a limit, 0: not at all). The items say which have ended; tasks and futures stay as they
 *  are: running or to be joined, pending or done.
 *
 *  @return the number of tasks and futures that have ended, each counted once; also when the time
 *          is over, which is not an error. BIGHT_ECANCELED; BIGHT_EINVAL for no items, one with
 *          neither a task nor a future, or an unknown `until`; BIGHT_EDEADLK: one of them is
 *          the caller, or the call waits for all and one of them waits for the caller;
 *          BIGHT_EPERM: one is of another thread's runtime; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, the items say who has ended so far.  Allocates: no.
 *  Thread: the loop's.
 *  Ownership: keeps items until it returns; what they wait for has to exist until then, a task only
 *  until it ends.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_wait(struct bight_wait_item *items, size_t count,
                                          enum bight_wait_until until, int64_t timeout_ms);

/* All fields are private. */
struct bight_as_completed {
    struct bight_wait_item *items;
    size_t count;
    size_t left; /* to be given out */
    struct bight_link finished;
    struct bight_link waiters;
};

/** Begin to give out `items` in the order in which their tasks end and their futures are done; what
 *  has ended already comes first, in the order of the array.
 *
 *  @return 0; BIGHT_EINVAL for an item with neither a task nor a future; BIGHT_EPERM: one is of
 *          another thread's runtime.
 *  Ownership: keeps all until bight_as_completed_end; a task or future has to exist until it ends.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_as_completed_begin(struct bight_as_completed *completed,
                                                        struct bight_wait_item *items,
                                                        size_t count);

/** Sleep until the next one has ended. Several tasks may do so at the same time: they are served in
 *  FIFO order. An item that is listed more than once is given out once.
 *
 *  @return 0, and the item in `*item`; BIGHT_ECLOSED: all were given out, or bight_as_completed_end
 *          was called; BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, the item is given to the next.
 *  Allocates: no.  Thread: the loop's.  Ownership: *item points into the array.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_as_completed_next(struct bight_as_completed *completed,
                                                       struct bight_wait_item **item);

/** The same without waiting.
 *
 *  @return 0, and the item in `*item`; BIGHT_EAGAIN: no other has ended yet; BIGHT_ECLOSED: all
 *          were given out, or bight_as_completed_end was called.
 *  Ownership: *item points into the array.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_as_completed_try_next(struct bight_as_completed *completed,
                                                           struct bight_wait_item **item);

/** How many items are still to be given out, ended or not. */
BIGHT_API size_t bight_as_completed_left(const struct bight_as_completed *completed);

/** Stop waiting, before or after the last one. Tasks that sleep in bight_as_completed_next get
 *  BIGHT_ECLOSED; tasks that were waited for go on, and futures stay pending.
 *
 *  @return 0; BIGHT_EPERM: tasks of another thread's runtime sleep there.
 *  Ownership: returns all to the caller.
 */
BIGHT_API int bight_as_completed_end(struct bight_as_completed *completed);

/** bight_join with a time limit (negative: none): when it passes, or when the call is cancelled,
 *  the task is cancelled and its end awaited. With 0 a task that has not begun never does. A task
 *  that ends with a result all the same keeps it.
 *
 *  @return 0, with the task's status; BIGHT_ETIMEDOUT or BIGHT_ECANCELED: the task gave way to the
 *          time limit or to a cancellation around the call; BIGHT_ECANCELED also when the call
 *          began cancelled. In all these cases the handle is gone. BIGHT_EDEADLK, BIGHT_EALREADY,
 *          BIGHT_EINVAL or BIGHT_ENOTASK as from bight_join: nothing has happened.
 *  Suspends: yes.  Cancellable: yes; the cancellation is passed on to the task, which is awaited.
 *  On cancel: BIGHT_ECANCELED after the task has ended, or its result.  Allocates: no.
 *  Thread: the loop's.  Ownership: takes task; borrows status, which may be NULL.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_wait_for(struct bight_task *task, int64_t timeout_ms,
                                              int *status);

BIGHT_END_DECLS

#endif
