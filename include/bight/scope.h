/* Scopes: where cancellation and deadlines live. One task opens and ends a scope, on its stack; any
 * task may cancel it. Cancellation is a state: in a cancelled scope every suspending call returns
 * BIGHT_ECANCELED until the scope has ended, and so do those of the tasks in groups inside it.
 * Prefer the callback forms: they cannot be left open. See docs/cancellation.md. */
#ifndef BIGHT_SCOPE_H
#define BIGHT_SCOPE_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_task;

/* Cancellations of the scopes around this one do not reach what is inside. */
#define BIGHT_SCOPE_SHIELD 1u

/* Calls directly in this scope are those that a drain ends: see bight_scope_drain. */
#define BIGHT_SCOPE_STOPPABLE 2u

/* As stoppable as the scope around it: for a call of one's own that needs a scope for a time limit,
 * and should be one call to whoever makes it. */
#define BIGHT_SCOPE_INHERIT 4u

/* A deadline that never comes. */
#define BIGHT_NO_DEADLINE UINT64_MAX

struct bight_scope {
    /* Readable: bight_scope_cancel was called. */
    bool cancelled;
    /* Readable: the scope's own deadline passed before its end. */
    bool expired;
    /* Readable after the scope's end, which turned BIGHT_ECANCELED into BIGHT_ETIMEDOUT or 0. */
    bool caught;
    /* Private from here. */
    bool effective;
    uint16_t kind;
    uint16_t magic;
    struct bight_scope *parent;
    struct bight_task *task;
    struct bight_scope *inner;
    const struct bight_scope *lowest, *highest; /* addresses of those in frames, up to this */
    uint64_t deadline_ns;
    union {
        uint64_t earliest_ns;
        int64_t timeout_ms; /* until it is entered */
    };
};

/** Run `fn(arg)` with a deadline `timeout_ms` from now; negative for none. The earliest deadline of
 *  all enclosing scopes holds.
 *
 *  @return what fn returned; BIGHT_ETIMEDOUT when fn gave up with BIGHT_ECANCELED because this
 *          deadline passed; BIGHT_EINVAL without fn; BIGHT_ENOTASK. A result that was complete when
 *          the deadline passed is kept.
 *  Suspends: yes.  Cancellable: yes, inside fn.  On cancel: what fn returns.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows arg.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_timeout(int64_t timeout_ms, int (*fn)(void *arg), void *arg);

/** bight_timeout with a deadline at `deadline_ns` of bight_now_ns, or BIGHT_NO_DEADLINE. One that
 *  has passed cancels the first suspending call.
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
 *  Suspends: yes.  Cancellable: no, except by the budget.  On cancel: nothing, fn goes on.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows arg.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shield(int64_t budget_ms, int (*fn)(void *arg), void *arg);

/** Open `scope` as the calling task's innermost one, with a deadline `timeout_ms` from now
 *  (negative for none). The same task must end it, after all scopes opened inside it and before the
 *  frame that holds it returns.
 *
 *  A timeout of 0 has expired at once: the next suspending call is cancelled.
 *
 *  @return 0; BIGHT_EALREADY when it is open; BIGHT_EINVAL for an unknown flag; BIGHT_ENOTASK.
 *  Ownership: keeps scope until bight_scope_end.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_scope_begin(struct bight_scope *scope, int64_t timeout_ms,
                                                 unsigned flags);

/** Initialise `scope` without opening it: from now on, before a task enters it, it can be
 *  cancelled, and its deadline and shield changed. `timeout_ms` counts from bight_scope_enter.
 */
BIGHT_API void bight_scope_init(struct bight_scope *scope, int64_t timeout_ms, unsigned flags);

/** Open a scope that bight_scope_init made, once; bight_scope_begin does both.
 *
 *  @return 0; BIGHT_EALREADY when it is open, in any task, or has ended; BIGHT_EINVAL when it was
 *          made with an unknown flag, or not initialised; BIGHT_ENOTASK.
 *  Ownership: keeps scope until bight_scope_end.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_scope_enter(struct bight_scope *scope);

/** End `scope` and settle the code `rc` that its body ended with: BIGHT_ECANCELED becomes
 *  BIGHT_ETIMEDOUT when this scope's deadline passed, and 0 when this scope was cancelled (then
 *  scope->cancelled is set) unless a scope around it is cancelled too and this one has no shield;
 *  every other code is kept.
 *
 *  Scopes and groups left open inside it end with it and are reported; tasks of such a group are
 *  cancelled and pass to the group around. Ending such a scope later is allowed and returns rc.
 *
 *  @return the settled code; BIGHT_ESCOPE when the scope is not open in the calling task, or when
 *          others were left open inside it and the code would not have been negative.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_scope_end(struct bight_scope *scope, int rc);

/** Cancel everything inside `scope`, for good: a second call does nothing. Waits that cannot let go
 *  end in their own time; the next suspending call then observes the cancellation. A scope that was
 *  made and not entered is cancelled when a task enters it; one that has ended only notes it.
 *
 *  Ownership: borrows scope, which is made, open or ended.
 */
BIGHT_API void bight_scope_cancel(struct bight_scope *scope);

/** Drain what is inside `scope`, for good: what runs goes on, and what waits for more to do stops.
 *  Where, the program says by BIGHT_SCOPE_STOPPABLE: while the innermost scope of a task has
 *  that flag, each of its suspending calls ends with BIGHT_EDRAIN, as it would with BIGHT_ECANCELED
 *  in one that is cancelled, and in the same state. Calls in scopes inside that one go on unless
 *  those have the flag too. A shield does not keep a drain out; of a cancelled scope's calls
 *  BIGHT_ECANCELED is the code.
 *
 *  A call that waits for tasks that were given to it (gather, the end of a group) ends when they
 *  have. A task that returns BIGHT_EDRAIN when it was drained has not failed, and the body of a
 *  group that does so lets the group's tasks go on. bight_scope_end keeps the code.
 *
 *  Takes as many steps as the runtime has tasks. A scope that was made and not entered drains from
 *  the start. Ownership: borrows scope, which is made, open or ended.
 */
BIGHT_API void bight_scope_drain(struct bight_scope *scope);

/** Whether the calling task is inside of a scope that drains, stoppable or not: so that it begins
 *  nothing new. Outside of tasks: whether the runtime drains.
 */
BIGHT_API bool bight_draining(void);

/** Move the scope's deadline to `timeout_ms` from now; negative removes it. A scope that has
 *  expired stays so. For a scope that no task has entered, the time counts from bight_scope_enter.
 *
 *  @return 0; BIGHT_EALREADY when it has expired; BIGHT_EINVAL when it is neither open nor made, or
 *          was made and has an absolute deadline.
 */
BIGHT_API int bight_scope_set_timeout(struct bight_scope *scope, int64_t timeout_ms);

/** Move the scope's deadline to `deadline_ns` of bight_now_ns; BIGHT_NO_DEADLINE removes it. A
 *  deadline that has passed expires the scope at once, even one that no task has entered, and for
 *  good.
 *
 *  @return 0; BIGHT_EALREADY when it has expired; BIGHT_EINVAL when it is neither open nor made, or
 *          is made and has a timeout.
 */
BIGHT_API int bight_scope_set_deadline(struct bight_scope *scope, uint64_t deadline_ns);

/** The scope's own deadline in ns of bight_now_ns; BIGHT_NO_DEADLINE when it has none, or a timeout
 *  that has not begun to count. It can still be read after the scope's end.
 */
BIGHT_API uint64_t bight_scope_deadline(const struct bight_scope *scope);

/** Put a shield on the scope, or take it off. If a scope around it is cancelled, what is inside is
 *  then no longer cancelled, or is again. A wait that was already interrupted stays interrupted.
 *
 *  @return 0; BIGHT_EINVAL when the scope is neither open nor made.
 */
BIGHT_API int bight_scope_set_shield(struct bight_scope *scope, bool shield);

enum bight_scope_state {
    BIGHT_SCOPE_MADE,      /* not entered yet */
    BIGHT_SCOPE_ACTIVE,    /* open */
    BIGHT_SCOPE_CANCELLED, /* open, and calls inside it are cancelled */
    BIGHT_SCOPE_EXPIRING,  /* made or open, and its own deadline has passed */
    BIGHT_SCOPE_EXPIRED,   /* ended with BIGHT_ETIMEDOUT */
    BIGHT_SCOPE_FINISHED,  /* ended otherwise */
};

/** The scope's state. It must have been initialised, by bight_scope_init or bight_scope_begin. */
BIGHT_API enum bight_scope_state bight_scope_get_state(const struct bight_scope *scope);

/** The time until the earliest deadline around the caller, in ms, rounded up; 0 when it has passed,
 *  or when the caller is cancelled and no call can take any time; -1 when there is none or outside
 *  of a task. Deadlines beyond a shield do not count.
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
    BIGHT_CAUSE_LEFT_OPEN, /* the task that had opened the task's group left it open */
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

/** Why the calling task is cancelled: of several cancelled scopes around it, up to the innermost
 *  shield, it is the outermost one, at which the cancellation ends.
 *
 *  @return whether it is cancelled; if not, *cause is all zero.
 *  Ownership: cause->scope is valid until that scope ends.
 */
BIGHT_API bool bight_cancel_get_cause(struct bight_cancel_cause *cause);

BIGHT_END_DECLS

#endif
