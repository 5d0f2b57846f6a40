/* Futures: a value that does not exist yet. Code on the loop's thread sets it once, or fails it
 * with a code; any number of tasks wait for it. The record is the caller's memory. Another thread
 * posts a function that sets it: see mailbox.h. */
#ifndef BIGHT_FUTURE_H
#define BIGHT_FUTURE_H

#include <bight/call.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

/* All fields are private. */
struct bight_future {
    bool done;
    int status;
    void *value;
    struct bight_link watches;
};

/* A future that is pending, as bight_future_init makes it. So is one that is all zero. */
#define BIGHT_FUTURE_INIT                                                                          \
    {                                                                                              \
        false, 0, NULL, BIGHT__LIST_INIT                                                           \
    }

/* Private: a place in the list of those who wait for a future. */
struct bight_future_watch {
    struct bight_link link;
    void (*settled)(struct bight_future_watch *watch);
    const void *runtime; /* that of those who wait, by which the future is known to be theirs */
};

/** Make a future that is pending. There is nothing to destroy.
 *
 *  Thread: any.
 */
BIGHT_API void bight_future_init(struct bight_future *future);

/** Give the future its value, with status 0, and wake all that wait.
 *
 *  @return 0; BIGHT_EALREADY: it is done, nothing changed.
 *  Ownership: value is only handed on.
 */
BIGHT_API int bight_future_set(struct bight_future *future, void *value);

/** Fail the future with a negative `code`: there will be no value. Wake all that wait.
 *
 *  @return 0; BIGHT_EALREADY: it is done, nothing changed; BIGHT_EINVAL for a code that is not
 *          negative.
 */
BIGHT_API int bight_future_fail(struct bight_future *future, int code);

/** bight_future_fail with BIGHT_ECANCELED: nobody works on it any more.
 *
 *  @return 0; BIGHT_EALREADY: it is done, nothing changed.
 */
BIGHT_API int bight_future_cancel(struct bight_future *future);

/** Settle `to` as `from` is.
 *
 *  @return 0; BIGHT_EAGAIN: `from` is pending; BIGHT_EALREADY: `to` is done.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_future_copy(struct bight_future *to,
                                                 const struct bight_future *from);

/** Whether the future is done, with a value or without. */
BIGHT_API bool bight_future_done(const struct bight_future *future);

/** The future's status, 0 or the code it failed with, and its value, NULL if it failed.
 *  Both pointers may be NULL.
 *
 *  @return 0; BIGHT_EAGAIN: it is pending, both are as they were.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_future_get(const struct bight_future *future, int *status,
                                                void **value);

/** Sleep until the future is done, at once when it is; then as bight_future_get. `status` says
 *  whether the future failed, never the return of this call.
 *
 *  @return 0; BIGHT_ECANCELED: the future is as it was; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, the future stays pending.
 *  Allocates: no.  Thread: the loop's.  Ownership: keeps future until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_future_wait(struct bight_future *future, int *status,
                                                 void **value);

/** bight_future_wait with a time limit (negative: none): when it passes, or when the call is
 *  cancelled, the future is cancelled as by bight_future_cancel, and others that wait for it see
 *  that. One that is done before keeps what it has. To leave the future pending, use bight_wait, or
 *  bight_future_wait in a scope with a deadline.
 *
 *  @return 0, as bight_future_wait; BIGHT_ETIMEDOUT or BIGHT_ECANCELED: the call has cancelled the
 *          future, status and value are as they were. BIGHT_ECANCELED also when the call began
 *          cancelled; BIGHT_EPERM: tasks of another thread's runtime wait for it; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes; the cancellation is passed on to the future.
 *  On cancel: BIGHT_ECANCELED, the future is cancelled, unless it was done.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps future until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_future_wait_for(struct bight_future *future,
                                                     int64_t timeout_ms, int *status, void **value);

/* A function to be called when a future is done. Caller's memory. */
struct bight_future_callback {
    /* Called on the loop's thread, outside of tasks; must not suspend. It finds what is around its
     * record with bight_container_of. */
    void (*fn)(struct bight_future_callback *callback);
    struct bight_future *future;
    /* Private from here. */
    struct bight_call call;
    struct bight_future_watch watch;
};

/** Have `fn(callback)` called when `future` is done, as by bight_call_soon at that moment; now if
 *  it is done. Callbacks are called, and tasks woken, in the order in which they came.
 *
 *  @return 0; BIGHT_EINVAL without fn; BIGHT_ENORUNTIME.
 *  Ownership: keeps future and callback until it was called or removed.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_future_add_callback(struct bight_future *future, struct bight_future_callback *callback,
                          void (*fn)(struct bight_future_callback *callback));

/** Remove a callback that was added and not yet called.
 *
 *  @return whether it was still to be called.
 *  Ownership: returns callback to the caller.
 */
BIGHT_API bool bight_future_remove_callback(struct bight_future_callback *callback);

BIGHT_END_DECLS

#endif
