/* Calls: a queue beside that of the ready tasks, in one order with it. A call knows how many
 * tasks run between the call before it and itself (`before`); the scheduler hands out no longer
 * quantum than that while a call waits, so the hot path of tasks pays nothing for them. They are
 * made on the loop's own stack, outside of tasks.
 *
 * A call whose time has come is queued like any other. Deadlines pass at once instead, so one that
 * comes after the call in time has the call made first (`timed_first` and those behind it). */
#include "coro/core/sched.h"

/* `call` leaves the queue: the next timed call is the first, perhaps. */
static void timed_follow(struct bight_sched *sched, const struct bight_call *call)
{
    struct bight_link *link = call->timer.link.next;

    while (link != &sched->calls && !container_of(link, struct bight_call, timer.link)->timed)
        link = link->next;
    sched->timed_first =
        link == &sched->calls ? NULL : container_of(link, struct bight_call, timer.link);
}

/* What is taken out passes its distance on to the call behind it, or to nobody. */
static void unqueue(struct bight_sched *sched, struct bight_call *call)
{
    struct bight_link *next = call->timer.link.next;

    bight__quantum_settle(sched);
    if (call == sched->timed_first)
        timed_follow(sched, call);
    if (next != &sched->calls)
        container_of(next, struct bight_call, timer.link)->before += call->before;
    else
        sched->calls_span -= call->before;
    link_remove(&call->timer.link);
    sched->calls_queued--;
    call->queued = false;
}

static void make(struct bight_sched *sched, struct bight_call *call)
{
    bight__slow_begin(sched);
    call->fn(call);
    bight__slow_end(sched);
}

static void make_first(struct bight_sched *sched)
{
    struct bight_call *call = container_of(sched->calls.next, struct bight_call, timer.link);

    if (call == sched->timed_first)
        timed_follow(sched, call);
    link_remove(&call->timer.link);
    sched->calls_queued--;
    call->queued = false;
    make(sched, call);
}

void bight__calls_before_deadline(struct bight_sched *sched)
{
    struct bight_call *call;

    while (unlikely((call = sched->timed_first) != NULL)) {
        unqueue(sched, call);
        make(sched, call);
    }
}

bool bight__calls_run(struct bight_sched *sched)
{
    struct bight_pace *pace = &sched->pace;
    bool made = false;

    while (bight__call_is_due(sched) && sched->switches_left &&
           (pace->left || bight__pace_look(sched))) {
        pace->left--;
        sched->switches_left--;
        make_first(sched);
        made = true;
    }
    return made;
}

void bight__calls_run_last(struct bight_sched *sched)
{
    for (size_t count = sched->calls_queued; count && bight__call_is_due(sched); count--)
        make_first(sched);
}

void bight__calls_drop(struct bight_sched *sched)
{
    struct bight_link *link;

    while ((link = link_take(&sched->calls)))
        container_of(link, struct bight_call, timer.link)->queued = false;
    sched->calls_queued = 0;
    sched->timed_first = NULL;
}

void bight__call_queue(struct bight_sched *sched, struct bight_call *call)
{
    bool idle = !sched->current && !bight__sched_busy(sched);

    call->queued = true;
    call->timed = false;
    call->before = bight__call_distance(sched);
    link_append(&sched->calls, &call->timer.link);
    sched->calls_queued++;
    bight__quantum_cap(sched);
    if (idle)
        sched->driver->wake(sched);
}

static void fire(struct bight_timer *timer)
{
    struct bight_sched *sched = bight__sched;
    struct bight_call *call = container_of(timer, struct bight_call, timer);

    bight__call_queue(sched, call);
    call->timed = true;
    if (!sched->timed_first)
        sched->timed_first = call;
}

/* Not pending. One that came to be by its initialiser has no timer yet. */
static void call_prepare(struct bight_call *call)
{
    link_init(&call->timer.link);
    call->timer.fire = fire;
}

void bight_call_init(struct bight_call *call, void (*fn)(struct bight_call *call))
{
    if (!call)
        return;
    call->fn = fn;
    call->timer.deadline_ns = 0;
    call_prepare(call);
    call->before = 0;
    call->queued = false;
    call->timed = false;
}

int bight_call_soon(struct bight_call *call)
{
    struct bight_sched *sched = bight__sched;

    if (!call || !call->fn)
        return BIGHT_EINVAL;
    if (!sched)
        return BIGHT_ENORUNTIME;
    if (bight_call_pending(call))
        return BIGHT_EALREADY;
    sched->driver->collect(sched);
    bight__call_queue(sched, call);
    return 0;
}

int bight_call_at(struct bight_call *call, uint64_t when_ns)
{
    struct bight_sched *sched = bight__sched;

    if (!call || !call->fn)
        return BIGHT_EINVAL;
    if (!sched)
        return BIGHT_ENORUNTIME;
    if (bight_call_pending(call))
        return BIGHT_EALREADY;
    if (when_ns == UINT64_MAX)
        return BIGHT_ERANGE;
    call_prepare(call);
    sched->driver->arm(sched, &call->timer, when_ns);
    return 0;
}

int bight_call_later(struct bight_call *call, int64_t delay_ms)
{
    struct bight_sched *sched = bight__sched;
    uint64_t now, ago;

    if (!call || !call->fn)
        return BIGHT_EINVAL;
    if (!sched)
        return BIGHT_ENORUNTIME;
    now = sched->driver->now_ns(sched);
    if (delay_ms >= 0)
        return bight_call_at(call, ns_after(now, delay_ms));
    ago = -(uint64_t)delay_ms;
    return bight_call_at(call, ago < now / NS_PER_MS ? now - ago * NS_PER_MS : 0);
}

bool bight_call_cancel(struct bight_call *call)
{
    struct bight_sched *sched = bight__sched;

    if (!bight_call_pending(call))
        return false;
    if (call->queued)
        unqueue(sched, call);
    else
        sched->driver->disarm(sched, &call->timer);
    return true;
}

bool bight_call_pending(const struct bight_call *call)
{
    return call && !list_empty(&call->timer.link);
}

uint64_t bight_call_when_ns(const struct bight_call *call)
{
    return bight_call_pending(call) && !call->queued ? call->timer.deadline_ns : 0;
}
