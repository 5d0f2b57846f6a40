/* Calls: a queue beside that of the ready tasks, in one order with it. A call knows how many
 * tasks run between the call before it and itself (`before`); the scheduler hands out no longer
 * quantum than that while a call waits, so the hot path of tasks pays nothing for them. They are
 * made on the loop's own stack, outside of tasks.
 *
 * A call whose time has come is queued like any other. Deadlines pass at once instead, so one that
 * comes after the call in time has the call made first (`timed_first` and those behind it).
 *
 * Many such calls may be due at once, and work for long. Those that a slice had no time for are
 * overdue: no more than a few of them stand in the queue, and the others come in one by one as
 * these are made, so that tasks that wake meanwhile do not have them all before them. A deadline
 * passes those that its pass of the timers had no time for. */
#include "coro/core/sched.h"

/* So many calls stand in the queue while others are overdue. */
#define TIMED_MOST (STEPS_PER_LOOK / 4)

/* `call` leaves the queue: the next timed call is the first, perhaps. */
static void timed_follow(struct bight_sched *sched, const struct bight_call *call)
{
    struct bight_link *link = call->timer.link.next;

    while (link != &sched->calls && !container_of(link, struct bight_call, timer.link)->timed)
        link = link->next;
    sched->timed_first =
        link == &sched->calls ? NULL : container_of(link, struct bight_call, timer.link);
}

/* Of a call that is about to be unlinked. */
static void leaves(struct bight_sched *sched, const struct bight_call *call)
{
    sched->calls_queued--;
    if (!call->timed)
        return;
    sched->timed_queued--;
    if (call == sched->timed_first)
        timed_follow(sched, call);
}

/* What is taken out passes its distance on to the call behind it, or to nobody. */
static void unqueue(struct bight_sched *sched, struct bight_call *call)
{
    struct bight_link *next = call->timer.link.next;

    bight__quantum_settle(sched);
    leaves(sched, call);
    if (next != &sched->calls)
        container_of(next, struct bight_call, timer.link)->before += call->before;
    else
        sched->calls_span -= call->before;
    link_remove(&call->timer.link);
    call->queued = false;
}

static void queue_timed(struct bight_sched *sched, struct bight_call *call)
{
    bight__call_queue(sched, call);
    call->timed = true;
    sched->timed_queued++;
    if (!sched->timed_first)
        sched->timed_first = call;
}

/* Overdue calls come into the queue while there is room. */
static void fill_up(struct bight_sched *sched, size_t most)
{
    struct bight_link *link;

    while (sched->timed_queued < most && (link = link_take(&sched->overdue)))
        queue_timed(sched, container_of(link, struct bight_call, timer.link));
}

/* All timed calls but the first few leave the queue, and are the first of those that are
 * overdue. */
static void put_back(struct bight_sched *sched, size_t keep)
{
    struct bight_link *link = sched->calls.prev;

    while (sched->timed_queued > keep) {
        struct bight_call *call = container_of(link, struct bight_call, timer.link);

        link = link->prev;
        if (!call->timed)
            continue;
        unqueue(sched, call);
        link_prepend(&sched->overdue, &call->timer.link);
    }
}

void bight__calls_step_back(struct bight_sched *sched)
{
    put_back(sched, TIMED_MOST);
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

    leaves(sched, call);
    link_remove(&call->timer.link);
    call->queued = false;
    if (unlikely(call->timed))
        fill_up(sched, TIMED_MOST);
    make(sched, call);
}

/* Take the timed call out that was due first. */
static struct bight_call *take_timed(struct bight_sched *sched)
{
    struct bight_call *call = sched->timed_first;

    if (call)
        unqueue(sched, call);
    else
        call = container_of(link_take(&sched->overdue), struct bight_call, timer.link);
    return call;
}

/* Those for which there is no time are behind what the deadlines of this pass wake. */
void bight__calls_before_deadline(struct bight_sched *sched)
{
    while (unlikely(sched->timed_first || !link_empty(&sched->overdue))) {
        if (!bight__pace_call(sched)) {
            put_back(sched, 0);
            return;
        }
        make(sched, take_timed(sched));
    }
}

void bight__calls_passed(struct bight_sched *sched)
{
    bight__pace_end_calls(sched);
    fill_up(sched, TIMED_MOST);
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
    fill_up(sched, SIZE_MAX);
    for (size_t count = sched->calls_queued; count && bight__call_is_due(sched); count--)
        make_first(sched);
}

void bight__calls_drop(struct bight_sched *sched)
{
    struct bight_link *link;

    while ((link = link_take(&sched->calls)))
        container_of(link, struct bight_call, timer.link)->queued = false;
    while (link_take(&sched->overdue))
        continue;
    sched->calls_queued = 0;
    sched->timed_queued = 0;
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

/* Behind the overdue calls that were due before, which is nearly always behind them all. */
static void be_overdue(struct bight_sched *sched, struct bight_call *call)
{
    struct bight_link *at = &sched->overdue;

    while (at->prev != &sched->overdue &&
           container_of(at->prev, struct bight_call, timer.link)->timer.deadline_ns >
               call->timer.deadline_ns)
        at = at->prev;
    call->timed = true;
    link_append(at, &call->timer.link); /* before `at` */
}

static void fire(struct bight_timer *timer)
{
    struct bight_sched *sched = bight__sched;
    struct bight_call *call = container_of(timer, struct bight_call, timer);

    if (unlikely(!link_empty(&sched->overdue)))
        be_overdue(sched, call);
    else
        queue_timed(sched, call);
}

/* Not pending. One that came to be by its initialiser has no timer yet. */
static void call_prepare(struct bight_call *call)
{
    link_init(&call->timer.link);
    call->timer.fire = fire;
    call->timed = false;
}

/* Its time has come, and it is not queued yet. */
static bool is_overdue(const struct bight_call *call)
{
    return call->timed && !call->queued;
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
    if (call->queued) {
        unqueue(sched, call);
        fill_up(sched, TIMED_MOST);
    } else if (is_overdue(call)) {
        link_remove(&call->timer.link);
    } else {
        sched->driver->disarm(sched, &call->timer);
    }
    return true;
}

bool bight_call_pending(const struct bight_call *call)
{
    return call && !list_empty(&call->timer.link);
}

uint64_t bight_call_when_ns(const struct bight_call *call)
{
    bool armed = bight_call_pending(call) && !call->queued && !is_overdue(call);

    return armed ? call->timer.deadline_ns : 0;
}
