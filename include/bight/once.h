/* Once: a function that the first task that needs it runs for all. It may suspend.
 * Using one never allocates. Not for threads. */
#ifndef BIGHT_ONCE_H
#define BIGHT_ONCE_H

#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* All fields are private. */
struct bight_once {
    struct bight_task *runner;
    bool done;
    int result;
    struct bight_link waiters;
};

/* One whose function has not run, as bight_once_init makes it. So is one that is all zero. */
#define BIGHT_ONCE_INIT                                                                            \
    {                                                                                              \
        NULL, false, 0, BIGHT__LIST_INIT                                                           \
    }

/** Make a record whose function has not run. There is nothing to destroy. To have the function run
 *  again, when nobody waits, initialise the record again.
 *
 *  Thread: any.
 */
BIGHT_API void bight_once_init(struct bight_once *once);

/** Run `fn(arg)`, unless that was done before; while another task runs it, wait for that one.
 *
 *  A failure is a result too, and all get it. But a function that was cancelled and returns
 *  BIGHT_ECANCELED has no result: the first task that waits then runs its own `fn(arg)`.
 *
 *  @return what fn returned, in this call or an earlier one; BIGHT_ECANCELED; BIGHT_EDEADLK: the
 *          task that runs it waits, directly or through others, for the caller, or is the caller;
 *          BIGHT_EINVAL without fn; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes, while another runs it; inside fn as fn does.
 *  On cancel: BIGHT_ECANCELED; or what fn returns, if the caller runs it.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps once until it returns; borrows arg.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_once_run(struct bight_once *once, int (*fn)(void *arg),
                                              void *arg);

/** Whether the function has run and has a result. */
BIGHT_API bool bight_once_done(const struct bight_once *once);

BIGHT_END_DECLS

#endif
