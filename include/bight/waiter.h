/* Park and unpark: the one mechanism under everything that waits, and the way to bridge a foreign
 * callback API into direct style. A waiter is a record on the waiting task's own stack; whoever
 * holds a pointer to it resolves it once. docs/waiting.md has the contract in full.
 *
 * A bridge is four steps: init the waiter, arm the foreign thing with a pointer to it, park, read
 * the result. The foreign callback, on the loop's thread, calls bight_unpark and nothing else. */
#ifndef BIGHT_WAITER_H
#define BIGHT_WAITER_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_task;
struct bight_waiter;

/* An intrusive node of a circular doubly linked list. */
struct bight_link {
    struct bight_link *next;
    struct bight_link *prev;
};

/* Private: an empty list, or a node outside of any. */
#define BIGHT__LIST_INIT                                                                           \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }

/* Something outside of the runtime (I/O, a thread, a signal) will resolve the waiter: while it
 * sleeps, the runtime is not deadlocked and a virtual clock may not jump. */
#define BIGHT_WAITER_OUTSIDE 1u

/* ops->abort may return BIGHT_EBUSY: the waiter cannot share a park with others. */
#define BIGHT_WAITER_MAY_REFUSE 2u

/* What a source says once about all its waiters; one static constant per kind of wait. */
struct bight_waiter_ops {
    /* What the task waits for, shown by bight_dump: "sleep", "mutex", "dns lookup". */
    const char *name;
    /* Let go of the waiter: return 0 when from now on nothing points at it, or BIGHT_EBUSY when the
     * source will unpark it in its own time. Called at most once per park, on the loop's thread,
     * and must not suspend. Anything else is reported (BIGHT_REPORT_ABORT_HOOK) and taken for
     * BIGHT_EBUSY. NULL stands for a wait that always refuses. What is around the waiter
     * is found with bight_container_of. */
    int (*abort)(struct bight_waiter *waiter);
    /* The one task whose progress ends this wait, or NULL when there is no such task; with it a
     * wait that closes a cycle fails with BIGHT_EDEADLK. May be NULL. */
    struct bight_task *(*waits_for)(const struct bight_waiter *waiter);
    /* Write what is special about this wait (a name, a number) for bight_dump. May be NULL. */
    void (*describe)(const struct bight_waiter *waiter, char *text, size_t text_bytes);
    /* BIGHT_WAITER_* or 0. */
    unsigned flags;
};

struct bight_waiter {
    /* For the source: usually the waiter's place in its queue. Self-linked after init. */
    struct bight_link link;
    const struct bight_waiter_ops *ops;
    /* What bight_unpark was given; valid after the park returned. */
    int result;
    /* Private: who waits, NULL once resolved or let go. */
    struct bight_task *task;
    /* Private: the waiters of one park form a ring. */
    struct bight_waiter *also;
    bool won;
    bool asked; /* abort was called */
};

/** Initialise `waiter` for one park of the calling task. Arm the source only afterwards.
 *
 *  @return 0, or BIGHT_ENOTASK outside of a task.
 *  Ownership: keeps ops for ever; keeps waiter until the park returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_waiter_init(struct bight_waiter *waiter,
                                                 const struct bight_waiter_ops *ops);

/** Sleep until `waiter` is unparked. Returns at once when it already was. A waiter that was
 *  unparked keeps its result even if a cancellation came in between: woken, then cancelled is
 *  woken.
 *
 *  @return the result given to bight_unpark, or BIGHT_ECANCELED: a scope around the call was
 *          cancelled and the source has let go. A source must not unpark with BIGHT_ECANCELED.
 *          BIGHT_EINVAL: another task initialised the waiter.
 *  Suspends: yes.  Cancellable: yes, unless ops->abort refuses.
 *  On cancel: BIGHT_ECANCELED after ops->abort returned 0.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps waiter until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_park(struct bight_waiter *waiter);

/** Make `waiter`, initialised and not yet armed, part of the same park as `with`: bight_park on
 *  either sleeps until one of them is unparked, and at that moment, also between arming and
 *  parking, the others are let go. So exactly one of them is resolved; bight_waiter_won says which.
 *  Arming one may resolve it at once: link all of them first, and arm each only while it is
 *  pending.
 *
 *  @return 0; BIGHT_EALREADY when `with` is resolved: do not arm `waiter`, park now; BIGHT_EINVAL
 *          when one of the two cannot let go at once (ops->abort is NULL or BIGHT_WAITER_MAY_REFUSE
 *          is set): await that one in a task of its own.
 *  Ownership: keeps both until the park returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_waiter_also(struct bight_waiter *waiter,
                                                 struct bight_waiter *with);

/** Whether the waiter can still be resolved. False after it, or a sibling of its park, was; then it
 *  must not be armed.
 */
BIGHT_API bool bight_waiter_pending(const struct bight_waiter *waiter);

/** Whether this waiter is the one that ended its park. */
BIGHT_API bool bight_waiter_won(const struct bight_waiter *waiter);

/** Let go of a waiter that was armed but will not be parked, because a later arming failed.
 *  Siblings of the same park are let go too. A waiter that no source knows of yet need not be
 *  dropped.
 *
 *  @return 0; BIGHT_EALREADY when it or a sibling is resolved: park, to take what it was given;
 *          BIGHT_EBUSY when its source refuses: it has to be parked after all.
 *  Ownership: returns waiter to the caller.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_waiter_drop(struct bight_waiter *waiter);

/** Resolve `waiter` and put its task into the ready queue; the task runs in a later turn, never
 *  inside this call. The first resolution wins. Between bight_waiter_init and bight_park it may be
 *  called too. The source must have unlinked the waiter already; afterwards the waiter must not be
 *  touched.
 *
 *  @return true when this call resolved it; false when it was already resolved or let go, so that a
 *          unit meant for it can be given to the next one.
 */
BIGHT_API bool bight_unpark(struct bight_waiter *waiter, int result);

/** Observe cancellation without waiting. Every suspending call opens with this; a bridge of yours
 *  calls it before its first effect. When the task has done many operations without switching, the
 *  call passes through the ready queue once, so that no task starves the others.
 *
 *  @return 0; BIGHT_ECANCELED in a cancelled scope; BIGHT_ENOTASK outside of a task; BIGHT_ESCOPE,
 *          once, when a scope of the task was left open in a frame that has returned: it has been
 *          closed. Every suspending call can return this one; their comments do not repeat it.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.  Allocates: no.
 *  Thread: the loop's.  Ownership: none.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_checkpoint(void);

BIGHT_END_DECLS

#endif
