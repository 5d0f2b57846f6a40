/* Deadlines of scopes. A scope lives on its user's stack, where a mistake may destroy it while
 * it is open, so no timer points at it. The one timer is in the task's control block and is
 * armed for the earliest deadline of the chain (`earliest_ns`, a minimum carried from the base
 * inwards). */
#include "coro/core/scope.h"

void bight__timer_move(struct bight_task *task)
{
    const struct bight_driver *driver = task->sched->driver;
    uint64_t earliest = task->scope->earliest_ns;

    if (earliest == NO_DEADLINE) {
        driver->disarm(task->sched, &task->deadline);
    } else if (link_empty(&task->deadline.link) || task->deadline.deadline_ns != earliest) {
        bight__timer_set_stale(task, false);
        task->base.kind |= SCOPE_OWES;
        task->deadline.fire = bight__task_timer;
        driver->arm(task->sched, &task->deadline, earliest);
    }
}

void bight__timer_drop(struct bight_task *task)
{
    bight__timer_set_stale(task, false);
    task->sched->driver->disarm(task->sched, &task->deadline);
}

/* Carry the minimum inwards from `scope`, whose own deadline changed. */
static void earliest_update(struct bight_scope *scope)
{
    for (; scope; scope = scope->inner) {
        bool over = scope->expired || scope->cancelled;
        uint64_t own = over ? NO_DEADLINE : scope->deadline_ns;
        uint64_t around = scope == &scope->task->base ? NO_DEADLINE : scope->parent->earliest_ns;

        scope->earliest_ns = own < around ? own : around;
    }
}

/* Expire what is due, outermost first. Calls that come first may move deadlines, and arm the timer
 * with that. */
static void expire(struct bight_task *task, uint64_t due_ns)
{
    struct bight_scope *scope;

    bight__calls_before_deadline(task->sched);
    for (scope = &task->base; scope; scope = scope->inner) {
        if (!scope->expired && !scope->cancelled && scope->deadline_ns <= due_ns) {
            scope->expired = true;
            bight__scope_spread(scope);
        }
    }
    earliest_update(&task->base);
}

/* The task's timer, armed for the earliest deadline or for before it. It goes on to what is next,
 * which may be due as well. */
void bight__task_timer(struct bight_timer *timer)
{
    struct bight_task *task = container_of(timer, struct bight_task, deadline);

    bight__timer_set_stale(task, false);
    if (task->scope->earliest_ns <= timer->deadline_ns)
        expire(task, timer->deadline_ns);
    if (task->scope->earliest_ns != NO_DEADLINE)
        task->sched->driver->go_on(task->sched, timer, task->scope->earliest_ns);
    else
        bight__timer_update(task);
}

void bight__deadline_over(struct bight_scope *scope)
{
    earliest_update(scope);
    bight__timer_update(scope->task);
}

void bight__scope_expire(struct bight_scope *scope)
{
    scope->expired = true;
    earliest_update(scope);
    bight__timer_update(scope->task);
    bight__scope_spread(scope);
}

static int move_deadline(struct bight_scope *scope, uint64_t deadline_ns, bool past)
{
    scope->deadline_ns = deadline_ns;
    scope->task->base.kind |= SCOPE_WORN; /* it may be the base itself */
    earliest_update(scope);
    bight__timer_update(scope->task);
    if (past && !scope->cancelled)
        bight__scope_expire(scope);
    return 0;
}

/* 0 for a scope that is open and whose deadline may move. */
static int movable(const struct bight_scope *scope)
{
    if (!scope || scope->magic != SCOPE_MAGIC || !scope->task)
        return BIGHT_EINVAL;
    if (bight__is_foreign(scope->task))
        return BIGHT_EPERM;
    return scope->expired ? BIGHT_EALREADY : 0;
}

int bight_scope_set_timeout(struct bight_scope *scope, int64_t timeout_ms)
{
    int rc;

    if (scope && scope->magic == SCOPE_MADE) {
        if (scope->deadline_ns != NO_DEADLINE)
            return BIGHT_EINVAL;
        scope->timeout_ms = timeout_ms;
        return 0;
    }
    rc = movable(scope);
    if (rc)
        return rc;
    return move_deadline(scope, bight__deadline_after(scope->task->sched, timeout_ms),
                         timeout_ms == 0);
}

bool bight__scope_made_is_past(const struct bight_scope *scope)
{
    struct bight_sched *sched = bight__sched;

    if (scope->expired || scope->cancelled)
        return scope->expired;
    return sched && bight__deadline_is_past(sched, scope->deadline_ns);
}

/* An expiry is not taken back, whether or not somebody has looked meanwhile. */
static int set_made_deadline(struct bight_scope *scope, uint64_t deadline_ns)
{
    if (scope->timeout_ms >= 0)
        return BIGHT_EINVAL;
    scope->expired = bight__scope_made_is_past(scope);
    if (scope->expired)
        return BIGHT_EALREADY;
    scope->deadline_ns = deadline_ns;
    scope->expired = bight__scope_made_is_past(scope);
    return 0;
}

int bight_scope_set_deadline(struct bight_scope *scope, uint64_t deadline_ns)
{
    int rc;

    if (scope && scope->magic == SCOPE_MADE)
        return set_made_deadline(scope, deadline_ns);
    rc = movable(scope);
    if (rc)
        return rc;
    return move_deadline(scope, deadline_ns,
                         bight__deadline_is_past(scope->task->sched, deadline_ns));
}

uint64_t bight_scope_deadline(const struct bight_scope *scope)
{
    bool known = scope && (scope->magic == SCOPE_MAGIC || scope->magic == SCOPE_MADE ||
                           scope->magic == SCOPE_LEFT);

    return known ? scope->deadline_ns : NO_DEADLINE;
}

bool bight__deadline_is_past(struct bight_sched *sched, uint64_t deadline_ns)
{
    return deadline_ns != NO_DEADLINE && deadline_ns <= sched->driver->now_ns(sched);
}

int64_t bight_deadline_remaining_ms(void)
{
    struct bight_task *task = bight_self();
    const struct bight_scope *scope;
    uint64_t earliest = NO_DEADLINE;
    uint64_t now;

    if (task)
        bight__scopes_check(task, __builtin_frame_address(0));
    if (bight_cancelled())
        return 0;
    for (scope = task ? task->scope : NULL; scope; scope = scope->parent) {
        if (scope->deadline_ns < earliest)
            earliest = scope->deadline_ns;
        if (scope->kind & SCOPE_SHIELDS)
            break;
    }
    if (earliest == NO_DEADLINE)
        return -1;
    now = task->sched->driver->now_ns(task->sched);
    return earliest <= now ? 0 : (int64_t)ms_ceil(earliest - now);
}
