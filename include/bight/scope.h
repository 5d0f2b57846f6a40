/* Scopes: where cancellation and deadlines live. A scope is opened and closed by one task, on its
 * stack, and may be cancelled by any. Cancellation is a state: in a cancelled scope every suspending
 * call returns BIGHT_ECANCELED until the scope has ended, and so do those of the tasks in groups
 * inside it. Prefer the callback forms: they cannot be left open. See docs/cancellation.md. */
#ifndef BIGHT_SCOPE_H
#define BIGHT_SCOPE_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_task;

/* Cancellations of the scopes around this one do not reach inside. */
#define BIGHT_SCOPE_SHIELD 1u

struct bight_scope {
    /* Readable: bight_scope_cancel was called. */
    bool cancelled;
    /* Readable: the scope's own deadline passed while it was open. */
    bool expired;
    /* Private from here. */
    bool effective;
    uint8_t kind;
    uint32_t magic;
    struct bight_task *task;
    struct bight_scope *parent;
    struct bight_scope *inner;
    uint64_t deadline_ns;
    uint64_t earliest_ns;
};

/** Run `fn(arg)` with a deadline `timeout_ms` from now; negative for none. The earliest of all
 *  enclosing deadlines holds.
 *
 *  @return what fn returned; BIGHT_ETIMEDOUT when fn gave up with BIGHT_ECANCELED because this
 *          deadline passed; BIGHT_ENOTASK. A result that was complete when the deadline passed is
 *          kept.
 *  Suspends: yes.  Cancellable: yes, inside fn.  On cancel: what fn returns.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows arg.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_timeout(int64_t timeout_ms, int (*fn)(void *arg), void *arg);

/** Run `fn(arg)` shielded from cancellations around it, for at most `budget_ms`; negative for no
 *  limit. For cleanup that has to suspend.
 *
 *  @return what fn returned; BIGHT_ETIMEDOUT when the budget ended it; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: no, but for the budget.  On cancel: nothing, fn goes on.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows arg.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shield(int64_t budget_ms, int (*fn)(void *arg), void *arg);

/** Open `scope` as the calling task's innermost one, with a deadline `timeout_ms` from now
 *  (negative for none). It must be closed by the same task, before the frame that holds it returns,
 *  after all scopes opened inside it.
 *
 *  A timeout of 0 has expired at once: the next suspending call is cancelled.
 *
 *  @return 0; BIGHT_EALREADY when it is open; BIGHT_EINVAL for an unknown flag; BIGHT_ENOTASK.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.
 *  Ownership: keeps scope until bight_scope_end.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_scope_begin(struct bight_scope *scope, int64_t timeout_ms,
                                                 unsigned flags);

/** Close `scope` and settle the code `rc` that its body ended with: BIGHT_ECANCELED becomes
 *  BIGHT_ETIMEDOUT when this scope's deadline passed, and 0 when this scope was cancelled (then
 *  scope->cancelled is set) unless a scope around it is cancelled too, which does not count at a
 *  shield; every other code is kept.
 *
 *  Scopes and groups left open inside it are closed with it and reported; tasks of such a group are
 *  cancelled and pass to the group around.
 *
 *  @return the settled code; BIGHT_ESCOPE when the scope is not open in the calling task.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows scope.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_scope_end(struct bight_scope *scope, int rc);

/** Cancel everything inside `scope`: once and for all, a second call does nothing. Waits that cannot
 *  let go end in their own time; the next suspending call then observes the cancellation.
 *
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows scope, which is open.
 */
BIGHT_API void bight_scope_cancel(struct bight_scope *scope);

/** Move the scope's deadline to `timeout_ms` from now; negative removes it. A scope that has
 *  expired stays so.
 *
 *  @return 0; BIGHT_EALREADY when it has expired; BIGHT_EINVAL when it is not open.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows scope.
 */
BIGHT_API int bight_scope_set_timeout(struct bight_scope *scope, int64_t timeout_ms);

/** The time until the earliest deadline around the caller, in ms, rounded up; 0 when it has passed;
 *  -1 when there is none or outside of a task. Deadlines beyond a shield do not count.
 *
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: none.
 */
BIGHT_API int64_t bight_deadline_remaining_ms(void);

/** Whether the calling task's next suspending call would return BIGHT_ECANCELED; false outside of
 *  tasks.
 *
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: none.
 */
BIGHT_API bool bight_cancelled(void);

BIGHT_END_DECLS

#endif
