/* Calls: functions that the loop calls outside of tasks, soon or at a time. Work of a few steps
 * that does not wait needs no task. The record is the caller's memory, so nothing here allocates;
 * it is initialised once and may be used again after each call. */
#ifndef BIGHT_CALL_H
#define BIGHT_CALL_H

#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* Private: a place in the runtime's timers. */
struct bight_timer {
    struct bight_link link; /* self-linked, or all zero, while not armed */
    uint64_t deadline_ns;
    /* Called on the loop's thread, outside of tasks, the timer being disarmed. */
    void (*fire)(struct bight_timer *timer);
};

#define BIGHT__TIMER_INIT                                                                          \
    {                                                                                              \
        BIGHT__LIST_INIT, 0, NULL                                                                  \
    }

struct bight_call {
    /* Called on the loop's thread, outside of tasks; must not suspend. It may arm the call again,
     * or free the memory around it, which it finds with bight_container_of. */
    void (*fn)(struct bight_call *call);
    /* Private from here. */
    struct bight_timer timer;
    size_t before;
    bool queued;
    bool timed;
};

/* A call of `fn` that is not pending, as bight_call_init makes it. One that is all zero has no fn:
 * that has to be set before it can be called. */
#define BIGHT_CALL_INIT(fn)                                                                        \
    {                                                                                              \
        (fn), BIGHT__TIMER_INIT, 0, false, false                                                   \
    }

/** Initialise `call`, once, before its first use. It is not pending then.
 *
 *  Thread: any.
 */
BIGHT_API void bight_call_init(struct bight_call *call, void (*fn)(struct bight_call *call));

/** Call `call->fn(call)` after everything that is ready now, tasks and calls alike, and what was
 *  posted (see mailbox.h), and before what becomes ready later. Calls do not keep a runtime alive;
 *  one that is still queued when the runtime has ended is never made, and is not pending any more.
 *
 *  @return 0; BIGHT_EALREADY when it is pending: it is made once, where it stands;
 *          BIGHT_EINVAL without fn; BIGHT_ENORUNTIME.
 *  Ownership: keeps call until it is made.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_call_soon(struct bight_call *call);

/** The same `delay_ms` from now. Calls whose time has come are made in the order of their times; a
 *  call comes before a deadline that is due later, even if the thread was busy until both had
 *  passed. When those that are due at once work for longer than bight_runtime_options.slice_us
 *  allows, deadlines and tasks come in between. A negative delay is a time that has passed.
 *
 *  @return 0; BIGHT_EALREADY when it is pending: cancel it first to move it; BIGHT_ERANGE for a
 *          time beyond the clock; BIGHT_EINVAL without fn; BIGHT_ENORUNTIME.
 *  Ownership: keeps call until it is made.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_call_later(struct bight_call *call, int64_t delay_ms);

/** The same at `when_ns` of bight_now_ns.
 *
 *  @return as bight_call_later.
 *  Ownership: keeps call until it is made.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_call_at(struct bight_call *call, uint64_t when_ns);

/** Take the call back.
 *
 *  @return whether it was pending.
 *  Ownership: returns call to the caller.
 */
BIGHT_API bool bight_call_cancel(struct bight_call *call);

/** Whether the call is still to be made. False within fn. */
BIGHT_API bool bight_call_pending(const struct bight_call *call);

/** The time for which a pending call of bight_call_later or bight_call_at is armed, in ns of
 *  bight_now_ns; 0 when it is not armed for one.
 */
BIGHT_API uint64_t bight_call_when_ns(const struct bight_call *call);

BIGHT_END_DECLS

#endif
