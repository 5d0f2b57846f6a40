/* Several calls at once, each as a task of its own. All have ended when the function returns:
 * gather runs given calls, map runs one function over an array, race tries alternatives of which
 * one has to succeed. The calls' arguments may lie on the caller's stack. Each is a group inside,
 * so that a cancellation around reaches the calls, which are awaited. See group.h to build
 * others. */
#ifndef BIGHT_GATHER_H
#define BIGHT_GATHER_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

/* A failure does not cancel the other calls. */
#define BIGHT_GATHER_COLLECT 1u

/* One call: the first three fields are the caller's, zero is the default for `arg` and `name`. */
struct bight_gather {
    int (*fn)(void *arg);
    void *arg;
    /* The name of its task. */
    const char *name;
    /* Result: what fn returned. BIGHT_ECANCELED of one that gave way or never began. */
    int status;
    /* Result: fn was called. */
    bool started;
    /* Result: the call gave way to a cancellation, or never began. One that returned
     * BIGHT_ECANCELED without having been cancelled has failed. */
    bool cancelled;
};

/** Run `count` calls at the same time and wait for all of them. The first that fails cancels the
 *  rest. With BIGHT_GATHER_COLLECT all run to their end, even when others fail. Each status is in
 *  its record.
 *
 *  @return 0, or the first failure in order of time. With BIGHT_GATHER_COLLECT the number of calls
 *          that failed. BIGHT_ECANCELED: a scope around was cancelled and calls gave way to it;
 *          BIGHT_ENOMEM for a task: the rest were cancelled; BIGHT_EINVAL for a call without fn or
 *          an unknown flag; BIGHT_ENOTASK.
 *  Suspends: yes.
 *  Cancellable: yes; the cancellation is passed on to the calls, all of which are awaited.
 *  On cancel: BIGHT_ECANCELED after all have ended.
 *  Allocates: a task for each call, before it waits.  Thread: the loop's.
 *  Ownership: borrows calls.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_gather_all(struct bight_gather *calls, size_t count,
                                                unsigned flags);

/** Call `fn` for each of `count` items of `item_bytes` at `items`, in their order, at most `limit`
 *  at the same time, and wait for all. The first that fails cancels those that run, and no more
 *  begin. With BIGHT_GATHER_COLLECT all are called. Each call is a task; results go into the items.
 *
 *  @return 0, or the first failure in order of time. With BIGHT_GATHER_COLLECT the number of calls
 *          that failed. BIGHT_ECANCELED: a scope around was cancelled before all were done;
 *          BIGHT_ENOMEM for a task: the rest were cancelled; BIGHT_EINVAL without fn, for a limit
 *          of 0 or an unknown flag; BIGHT_ENOTASK.
 *  Suspends: yes.
 *  Cancellable: yes; the cancellation is passed on to the calls, all of which are awaited.
 *  On cancel: BIGHT_ECANCELED after all have ended.  Allocates: a task for each call.
 *  Thread: the loop's.  Ownership: borrows items.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_map(int (*fn)(void *item), void *items, size_t item_bytes,
                                         size_t count, size_t limit, unsigned flags);

/** Try alternatives until one succeeds, which cancels the others. The next one is started when the
 *  one before it has failed, or `stagger_ms` after that one's start; negative: only when it has
 *  failed. Statuses are in the records; `started` says which calls were begun.
 *
 *  @return 1 when one succeeded, with its index in `*winner`, which else is `count`; 0 when all
 *          failed or there are none; BIGHT_ECANCELED: a scope around was cancelled before;
 *          BIGHT_ENOMEM for a task; BIGHT_EINVAL for a call without fn; BIGHT_ENOTASK.
 *  Suspends: yes.
 *  Cancellable: yes; the cancellation is passed on to the calls, all of which are awaited.
 *  On cancel: BIGHT_ECANCELED after all have ended.  Allocates: a task for each call.
 *  Thread: the loop's.  Ownership: borrows calls and winner, which may be NULL.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_race(struct bight_gather *calls, size_t count,
                                          int64_t stagger_ms, size_t *winner);

BIGHT_END_DECLS

#endif
