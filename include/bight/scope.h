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

/* A deadline that never comes. */
#define BIGHT_NO_DEADLINE UINT64_MAX

struct bight_scope {
    /* Readable: bight_scope_cancel was called. */
    bool cancelled;
    /* Readable: the scope's own deadline passed before it was left. */
    bool expired;
    /* Readable once the scope was left: its end turned BIGHT_ECANCELED into BIGHT_ETIMEDOUT or 0. */
    bool caught;
    /* Private from here. */
    bool effective;
    uint8_t kind;
    uint16_t magic;
    struct bight_task *task;
    struct bight_scope *parent;
    struct bight_scope *inner;
    uint64_t deadline_ns;
    union {
        uint64_t earliest_ns;
        int64_t timeout_ms; /* until it is entered */
    };
};

/** Run `fn(arg)` with a deadline `timeout_ms` from now; negative for none. The earliest of all
 *  enclosing deadlines holds.
 *
 *  @return what fn returned; BIGHT_ETIMEDOUT when fn gave up with BIGHT_ECANCELED because this
 *          deadline passed; BIGHT_EINVAL without fn; BIGHT_ENOTASK. A result that was complete when the deadline passed is
 *          kept.
 *  Suspends: yes.  Cancellable: yes, inside fn.  On cancel: what fn returns.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows arg.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_timeout(int64_t timeout_ms, int (*fn)(void *arg), void *arg);

/** bight_timeout with a deadline at `deadline_ns` of bight_now_ns, or BIGHT_NO_DEADLINE. One that has
 *  passed cancels the first suspending call.
 *
 *  @return as bight_timeout.
 *  Suspends: yes.  Cancellable: yes, inside fn.  On cancel: what fn returns.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows arg.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_deadline(uint64_t deadline_ns, int (*fn)(void *arg),
                                              void *arg);

/** Run `fn(arg)` shielded from cancellations around it, for at most `budget_ms`; negative for no
 *  limit. For cleanup that has to suspend.
 *
 *  @return what fn returned; BIGHT_ETIMEDOUT when the budget ended it; BIGHT_EINVAL without fn;
 *          BIGHT_ENOTASK.
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
 *  Ownership: keeps scope until bight_scope_end.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_scope_begin(struct bight_scope *scope, int64_t timeout_ms,
                                                 unsigned flags);

/** Make `scope` without opening it: whoever is to cancel it, move its deadline or take off its shield may
 *  do so from now on, before a task enters it. `timeout_ms` counts from the entering.
 */
BIGHT_API void bight_scope_init(struct bight_scope *scope, int64_t timeout_ms, unsigned flags);

/** Open a scope that bight_scope_init made, once; bight_scope_begin is both.
 *
 *  @return 0; BIGHT_EALREADY when it is open, in any task, or was left; BIGHT_EINVAL when it was made
 *          with an unknown flag, or not made; BIGHT_ENOTASK.
 *  Ownership: keeps scope until bight_scope_end.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_scope_enter(struct bight_scope *scope);

/** Close `scope` and settle the code `rc` that its body ended with: BIGHT_ECANCELED becomes
 *  BIGHT_ETIMEDOUT when this scope's deadline passed, and 0 when this scope was cancelled (then
 *  scope->cancelled is set) unless a scope around it is cancelled too, which does not count at a
 *  shield; every other code is kept.
 *
 *  Scopes and groups left open inside it are closed with it and reported; tasks of such a group are
 *  cancelled and pass to the group around. Such a scope may still be ended, which gives back rc.
 *
 *  @return the settled code; BIGHT_ESCOPE when the scope is not open in the calling task, or when
 *          others were left open inside it and the code would not have been negative.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_scope_end(struct bight_scope *scope, int rc);

/** Cancel everything inside `scope`: once and for all, a second call does nothing. Waits that cannot
 *  let go end in their own time; the next suspending call then observes the cancellation. A scope
 *  that was made and not entered is cancelled when it is; one that was left only notes it.
 *
 *  Ownership: borrows scope, which is open, made or left.
 */
BIGHT_API void bight_scope_cancel(struct bight_scope *scope);

/** Move the scope's deadline to `timeout_ms` from now; negative removes it. A scope that has
 *  expired stays so. For a scope that is only made, the time counts from its entering.
 *
 *  @return 0; BIGHT_EALREADY when it has expired; BIGHT_EINVAL when it is neither open nor made, or was
 *          made and has an absolute deadline.
 */
BIGHT_API int bight_scope_set_timeout(struct bight_scope *scope, int64_t timeout_ms);

/** Move the scope's deadline to `deadline_ns` of bight_now_ns; BIGHT_NO_DEADLINE removes it. One that has
 *  passed expires the scope at once, even one that is only made; that is not taken back.
 *
 *  @return 0; BIGHT_EALREADY when it has expired; BIGHT_EINVAL when it is neither open nor made, or is
 *          made and has a timeout.
 */
BIGHT_API int bight_scope_set_deadline(struct bight_scope *scope, uint64_t deadline_ns);

/** The scope's own deadline in ns of bight_now_ns; BIGHT_NO_DEADLINE when it has none, or a timeout that
 *  has not begun to count. It can still be read when the scope was left.
 */
BIGHT_API uint64_t bight_scope_deadline(const struct bight_scope *scope);

/** Put a shield on, or take it off. In a scope around which something is cancelled, what is inside is then
 *  no longer cancelled, or is again. A wait that was already interrupted stays interrupted.
 *
 *  @return 0; BIGHT_EINVAL when the scope is neither open nor made.
 */
BIGHT_API int bight_scope_set_shield(struct bight_scope *scope, bool shield);

enum bight_scope_state {
    BIGHT_SCOPE_MADE,      /* not entered yet */
    BIGHT_SCOPE_ACTIVE,    /* open */
    BIGHT_SCOPE_CANCELLED, /* open, and calls inside it are cancelled */
    BIGHT_SCOPE_EXPIRING,  /* made or open, and its own deadline has passed */
    BIGHT_SCOPE_EXPIRED,   /* left with BIGHT_ETIMEDOUT */
    BIGHT_SCOPE_FINISHED,  /* left otherwise */
};

/** What the scope, which was made or begun, is about. */
BIGHT_API enum bight_scope_state bight_scope_get_state(const struct bight_scope *scope);

/** The time until the earliest deadline around the caller, in ms, rounded up; 0 when it has passed,
 *  or when the caller is cancelled and no call can take any time; -1 when there is none or outside of a
 *  task. Deadlines beyond a shield do not count.
 */
BIGHT_API int64_t bight_deadline_remaining_ms(void);

/** Whether the calling task's next suspending call would return BIGHT_ECANCELED; false outside of
 *  tasks.
 */
BIGHT_API bool bight_cancelled(void);

/* Why calls are cancelled. */
enum bight_cause {
    BIGHT_CAUSE_NONE,
    BIGHT_CAUSE_SCOPE,     /* bight_scope_cancel */
    BIGHT_CAUSE_TASK,      /* bight_task_cancel */
    BIGHT_CAUSE_INTERRUPT, /* bight_runtime_options.interrupt_signal arrived */
    BIGHT_CAUSE_DEADLINE,  /* a deadline passed */
    BIGHT_CAUSE_FAILURE,   /* another task of a group around, or its body, failed */
    BIGHT_CAUSE_LEFT_OPEN, /* the task's group was left open by the one that had opened it */
    BIGHT_CAUSE_END,       /* the runtime ends: main has returned, or the host detaches */
};

struct bight_cancel_cause {
    enum bight_cause kind;
    /* For BIGHT_CAUSE_FAILURE: the first failure, and the name of the task that failed. */
    int code;
    char task[32];
    /* The scope concerned, which is open. */
    const struct bight_scope *scope;
};

/** Why the calling task is cancelled: of several cancelled scopes around it, up to the innermost shield,
 *  the outermost one, which is the one that the cancellation will leave last.
 *
 *  @return whether it is cancelled; if not, *cause is all zero.
 *  Ownership: cause->scope is valid until that scope is left.
 */
BIGHT_API bool bight_cancel_get_cause(struct bight_cancel_cause *cause);

BIGHT_END_DECLS

#endif
