/* Park, unpark, abort: the mechanism of docs/waiting.md. bight_park is the only function that
 * waits; cancellation is delivered here and in the checkpoint, nowhere else.
 *
 * Invariant: a waiter's task field is non-NULL exactly while it can be resolved. Whoever clears it
 * (unpark, or a successful abort) decides the outcome; the other side then finds NULL. */
#include "coro/core/next.h"
#include "coro/core/source.h"

/* Deliveries in a row after which the task is reported. */
#define IGNORED_CANCELS 1000

/* Whether a cancellation from outside of the task cannot reach it here. */
static bool is_shielded(const struct bight_task *task)
{
    for (const struct bight_scope *scope = task->scope; scope != &task->base;
         scope = scope->parent) {
        if (scope->kind & SCOPE_SHIELDS)
            return true;
    }
    return false;
}

/* A test may cancel the task at any suspension; `site` tells it which one this is. */
static void probe(struct bight_sched *sched, struct bight_task *task, const void *site)
{
    task->checks += !is_shielded(task);
    if (sched->seams.cancel_here)
        sched->seams.cancel_here(sched->seams.ctx, site);
}

int bight__stop_code(const struct bight_task *task)
{
    /* A cancellation may have been lifted since it ended the wait; a drain never is. */
    return (task->pending & PENDING_STOP) == PENDING_DRAIN ? BIGHT_EDRAIN : BIGHT_ECANCELED;
}

int bight__deliver(struct bight_task *task, bool passed_queue)
{
    struct bight_sched *sched = task->sched;
    int code = bight__stop_code(task);

    task->delivered++;
    task->base.kind |= SCOPE_WORN;
    if (unlikely(sched->options.checks & BIGHT_CHECK_CANCELS))
        bight__check_told(task, code);
    /* A loop that retries in spite of the cancellation must not starve the others. */
    if (task->delivered > 1 && !passed_queue) {
        bight__requeue(sched, task);
    }
    if (task->delivered % IGNORED_CANCELS == 0)
        bight__task_report(task, BIGHT_REPORT_IGNORED_CANCEL, code, task->delivered,
                           "goes on in spite of its cancellation");
    return code;
}

static int observe(struct bight_task *task, const void *site)
{
    if (task->pending & PENDING_PROBE)
        probe(task->sched, task, site);
    return task->pending & PENDING_STOP ? bight__deliver(task, false) : 0;
}

__attribute__((noinline)) int bight__observe_slow(struct bight_task *task)
{
    return observe(task, __builtin_return_address(0));
}

__attribute__((noinline)) int bight__checkpoint_slow(struct bight_sched *sched,
                                                     struct bight_task *task)
{
    int rc = observe(task, __builtin_return_address(0));

    if (rc)
        return rc;
    if (sched->quantum > 1) {
        sched->quantum--;
        return 0;
    }
    bight__op(sched, task);
    return task->pending & PENDING_STOP ? bight__deliver(task, true) : 0;
}

int bight_checkpoint(void)
{
    struct bight_task *self;

    return bight__checkpoint(&self);
}

int bight_waiter_init(struct bight_waiter *waiter, const struct bight_waiter_ops *ops)
{
    struct bight_sched *sched = bight__sched;

    if (!sched || !sched->current)
        return BIGHT_ENOTASK;
    bight__waiter_begin(waiter, ops);
    return 0;
}

static bool may_share(const struct bight_waiter *waiter)
{
    return waiter->ops->abort && !(waiter->ops->flags & BIGHT_WAITER_MAY_REFUSE);
}

int bight_waiter_also(struct bight_waiter *waiter, struct bight_waiter *with)
{
    struct bight_waiter *next = with->also;

    if (!may_share(waiter) || !may_share(with) || waiter->also != waiter)
        return BIGHT_EINVAL;
    if (unlikely(!with->task)) {
        waiter->task = NULL;
        waiter->also = with->won ? with : next;
        return BIGHT_EALREADY;
    }
    with->also = waiter;
    waiter->also = next;
    return 0;
}

bool bight_waiter_pending(const struct bight_waiter *waiter)
{
    return waiter->task;
}

bool bight_waiter_won(const struct bight_waiter *waiter)
{
    return waiter->won;
}

/* Ask the source to let go of the waiter. A hook that says neither yes nor no refuses. */
static inline bool lets_go(struct bight_waiter *waiter)
{
    const struct bight_task *task = waiter->task;
    bool asked = waiter->asked;
    int rc;

    if (likely(waiter->ops->abort == bight__unlink_abort)) {
        link_remove(&waiter->link);
        return true;
    }
    waiter->asked = true;
    if (asked || !waiter->ops->abort)
        return false;
    rc = waiter->ops->abort(waiter);
    if (unlikely(rc && rc != BIGHT_EBUSY))
        bight__task_report(task, BIGHT_REPORT_ABORT_HOOK, rc, 0,
                           "an abort hook returned neither 0 nor BIGHT_EBUSY");
    return rc == 0;
}

/* Let go of every waiter of the ring, unless a hook unparks one. 0, or BIGHT_EBUSY: then the ring
 * is that one waiter, since only waiters that always let go may share. */
static int ring_abort(struct bight_waiter *first)
{
    struct bight_waiter *waiter = first;
    int rc = 0;

    do {
        struct bight_waiter *next = waiter->also;

        if (waiter->task) {
            if (lets_go(waiter))
                waiter->task = NULL;
            else
                rc = BIGHT_EBUSY;
        }
        waiter = next;
    } while (waiter != first && !bight__ring_winner(waiter));
    return rc;
}

static inline void count_waiter(struct bight_task *task, const struct bight_waiter *waiter,
                                bool sleeps)
{
    unsigned flags = waiter->ops->flags;

    if (flags & BIGHT_WAITER_OUTSIDE)
        task->sched->outside += sleeps ? 1 : (size_t)-1;
    if (!sleeps && unlikely(flags & WAITER_LINK))
        bight__chain_changes(task);
}

/* The task falls asleep, or goes on. Most waiters have nothing to count. */
static inline void count_park(struct bight_task *task, const struct bight_waiter *first,
                              bool sleeps)
{
    const struct bight_waiter *waiter = first;

    do {
        if (unlikely(waiter->ops->flags))
            count_waiter(task, waiter, sleeps);
        waiter = waiter->also;
    } while (unlikely(waiter != first));
}

int bight_waiter_drop(struct bight_waiter *waiter)
{
    return bight__ring_winner(waiter) ? BIGHT_EALREADY : ring_abort(waiter);
}

/* What the waits of a ring are counted for. */
struct counted {
    size_t outside;
    unsigned flags; /* of any of them */
};

static inline void counted_add(struct counted *counted, unsigned flags)
{
    counted->outside += flags & BIGHT_WAITER_OUTSIDE;
    counted->flags |= flags;
}

/* Let go of a waiter of which more is to be done than most need. */
static __attribute__((noinline)) void let_go(struct bight_waiter *waiter, struct counted *counted)
{
    counted_add(counted, waiter->ops->flags);
    if (waiter->task && lets_go(waiter))
        waiter->task = NULL;
}

/* Let go of the others of a ring, which lead to the winner from now on. */
static inline void others_let_go(struct bight_waiter *winner, struct counted *counted)
{
    struct bight_waiter *next;

    for (struct bight_waiter *at = winner->also; at != winner; at = next) {
        next = at->also;
        if (likely(at->ops->abort == bight__unlink_abort && !at->ops->flags)) {
            link_remove(&at->link);
            at->task = NULL;
        } else {
            let_go(at, counted);
        }
        at->also = winner;
    }
}

/* Unpark a waiter that shares its park, or whose task does not sleep in it: it may sleep in another
 * wait between arming this one and parking on it. */
__attribute__((noinline)) int bight__unpark_other(struct bight_waiter *waiter, int result)
{
    struct bight_task *task = waiter->task;
    struct counted counted = {0, 0};

    counted_add(&counted, waiter->ops->flags);
    waiter->task = NULL;
    waiter->result = result;
    waiter->won = true;
    others_let_go(waiter, &counted);
    if (!task->parked || bight__ring_winner(task->parked) != waiter)
        return 0;
    task->sched->outside -= counted.outside;
    if (unlikely(counted.flags & WAITER_LINK))
        bight__chain_changes(task);
    task->parked = NULL;
    task->delivered = 0;
    bight__ready(task);
    return 0;
}

bool bight_unpark(struct bight_waiter *waiter, int result)
{
    if (!waiter->task)
        return false;
    if (!bight__waiter_sleeps(waiter)) {
        bight__unpark_other(waiter, result);
        return true;
    }
    count_waiter(waiter->task, waiter, false);
    bight__ready(bight__waiter_resolve(waiter, result));
    return true;
}

void bight__abort_park(struct bight_task *task)
{
    struct bight_waiter *parked = task->parked;

    if (!parked || task->aborted)
        return;
    task->aborted = true;
    /* A source may also unpark from within its abort hook: that settles it. */
    if (ring_abort(parked) || task->parked != parked)
        return;
    count_park(task, parked, false);
    task->parked = NULL;
    bight__ready(task);
}

/* Something is pending as the task is about to sleep. True: do not sleep, *rc is the outcome. */
static __attribute__((noinline)) bool park_refused(struct bight_sched *sched,
                                                   struct bight_task *task,
                                                   struct bight_waiter *waiter, const void *site,
                                                   int *rc)
{
    if (task->pending & PENDING_PROBE)
        probe(sched, task, site);
    if (!(task->pending & PENDING_STOP))
        return false;
    task->aborted = true;
    if (ring_abort(waiter))
        return false;
    if (bight__ring_winner(waiter))
        return false;
    *rc = bight__deliver(task, false);
    return true;
}

/* What the park of a waiter that is not pending any more, or one of its ring, came to. */
static __attribute__((noinline)) int outcome(struct bight_waiter *waiter)
{
    const struct bight_waiter *winner = bight__ring_winner(waiter);

    return winner ? winner->result : bight__deliver(bight__sched->current, true);
}

/* Sleep on a waiter that is pending. */
__attribute__((always_inline)) static inline int
sleep_on(struct bight_sched *sched, struct bight_task *self, struct bight_waiter *waiter)
{
    self->parked = waiter;
    bight__switch_to(sched, self, bight__ready_pop(sched, 0));
    return likely(waiter->won) ? waiter->result : outcome(waiter);
}

/* The park from `site` while something is pending. */
static SWITCHES int park_pending(struct bight_sched *sched, struct bight_task *self,
                                 struct bight_waiter *waiter, const void *site)
{
    int rc;

    self->aborted = false;
    if (park_refused(sched, self, waiter, site, &rc))
        return rc;
    if (!waiter->task)
        return outcome(waiter); /* unparked from within its abort hook */
    count_park(self, waiter, true);
    return sleep_on(sched, self, waiter);
}

SWITCHES int bight_park(struct bight_waiter *waiter)
{
    struct bight_sched *sched = bight__sched;
    struct bight_task *self;

    if (unlikely(!sched || !sched->current))
        return BIGHT_ENOTASK;
    self = sched->current;
    if (unlikely(waiter->task != self))
        return waiter->task ? BIGHT_EINVAL : outcome(waiter);
    if (unlikely(self->pending))
        return park_pending(sched, self, waiter, __builtin_return_address(0));
    self->aborted = false;
    count_park(self, waiter, true);
    return sleep_on(sched, self, waiter);
}

SWITCHES int bight__park_begun(struct bight_task *self, struct bight_waiter *waiter, size_t outside)
{
    struct bight_sched *sched = self->sched;

    if (unlikely(self->pending))
        return park_pending(sched, self, waiter, __builtin_return_address(0));
    self->aborted = false;
    sched->outside += outside;
    return sleep_on(sched, self, waiter);
}

int bight__unlink_abort(struct bight_waiter *waiter)
{
    link_remove(&waiter->link);
    return 0;
}

int bight__wake_all(struct bight_link *waiters, int result)
{
    struct bight_link *link = list_take(waiters);

    for (; link; link = link_take(waiters))
        bight_unpark(container_of(link, struct bight_waiter, link), result);
    return 0;
}
