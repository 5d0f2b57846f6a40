/* Scopes: the tree in which cancellation travels. A task's scopes form a chain from its base to the
 * innermost one; the base hangs under the scope of the task's group. `effective` says of each scope
 * whether a call inside it is cancelled, and is kept up to date from above, so that a checkpoint
 * reads one word of its task.
 *
 * Deadlines: a scope lives on its user's stack, where a mistake may destroy it while it is open, so
 * nothing outside of the task points at it. The one timer is in the task's control block and is
 * armed for the earliest deadline of the chain (`earliest_ns`, a minimum carried from the base
 * inwards). */
#include "coro/sched.h"

static void pending_update(struct bight_task *task)
{
    if (task->scope->effective) {
        task->pending |= PENDING_CANCEL;
    } else {
        task->pending &= ~PENDING_CANCEL;
        task->delivered = 0;
    }
}

static void timer_update(struct bight_task *task)
{
    const struct bight_host *host = task->sched->host;
    uint64_t earliest = task->scope->earliest_ns;
    bool armed = !link_empty(&task->deadline.link);

    if (earliest == NO_DEADLINE) {
        if (armed)
            host->disarm(task->sched, &task->deadline);
    } else if (!armed || task->deadline.deadline_ns != earliest) {
        host->arm(task->sched, &task->deadline, earliest);
    }
}

/* Carry the minimum inwards from `scope`, whose own deadline changed. */
static void earliest_update(struct bight_scope *scope)
{
    for (; scope; scope = scope->inner) {
        uint64_t own = scope->expired ? NO_DEADLINE : scope->deadline_ns;
        uint64_t around = scope == &scope->task->base ? NO_DEADLINE : scope->parent->earliest_ns;

        scope->earliest_ns = own < around ? own : around;
    }
}

void bight__scope_open(struct bight_scope *scope, struct bight_task *task, unsigned kind,
                       uint64_t deadline_ns)
{
    struct bight_scope *parent = task->scope;

    scope->cancelled = false;
    scope->expired = false;
    scope->effective = kind & SCOPE_SHIELDS ? false : parent->effective;
    scope->kind = (uint8_t)kind;
    scope->magic = SCOPE_MAGIC;
    scope->task = task;
    scope->parent = parent;
    scope->inner = NULL;
    scope->deadline_ns = deadline_ns;
    scope->earliest_ns = deadline_ns < parent->earliest_ns ? deadline_ns : parent->earliest_ns;
    parent->inner = scope;
    task->scope = scope;
    if (scope->earliest_ns != parent->earliest_ns)
        timer_update(task);
    if (scope->effective != parent->effective)
        pending_update(task);
}

void bight__scope_close(struct bight_scope *scope)
{
    struct bight_task *task = scope->task;
    struct bight_scope *parent = scope->parent;
    bool timer_changes = scope->earliest_ns != parent->earliest_ns;

    scope->magic = 0;
    parent->inner = NULL;
    task->scope = parent;
    if (timer_changes)
        timer_update(task);
    if (task->scope->effective != !!(task->pending & PENDING_CANCEL))
        pending_update(task);
}

/* Mark `scope` and what is inside it in the same task; collect the tasks of groups on the way in
 * `*worklist`. A shield stops it. */
static void mark(struct bight_scope *scope, struct bight_task **worklist)
{
    struct bight_task *task = scope->task;

    for (;;) {
        scope->effective = true;
        if (scope->kind & SCOPE_GROUP) {
            struct bight_group *group = container_of(scope, struct bight_group, scope);
            struct bight_link *link;

            for (link = group->members.next; link != &group->members; link = link->next) {
                struct bight_task *member = container_of(link, struct bight_task, member);

                if (!member->base.effective) {
                    member->base.effective = true; /* so that it is listed once */
                    member->cancel_next = *worklist;
                    *worklist = member;
                }
            }
        }
        if (!scope->inner)
            break;
        scope = scope->inner;
        if (scope->kind & SCOPE_SHIELDS || scope->effective)
            return;
    }
    if (task) {
        task->pending |= PENDING_CANCEL;
        bight__abort_park(task);
    }
}

/* The members come off the list in reverse, so cancel in the order of their spawning: reverse it. */
static struct bight_task *reversed(struct bight_task *list, struct bight_task *tail)
{
    while (list) {
        struct bight_task *next = list->cancel_next;

        list->cancel_next = tail;
        tail = list;
        list = next;
    }
    return tail;
}

/* `scope` became cancelled or expired: everything inside observes it. No recursion, because trees
 * of tasks may be deep and stacks are small. */
static void spread(struct bight_scope *scope)
{
    struct bight_task *todo = NULL;

    if (scope->effective)
        return;
    mark(scope, &todo);
    todo = reversed(todo, NULL);
    while (todo) {
        struct bight_task *task = todo;
        struct bight_task *found = NULL;

        todo = task->cancel_next;
        mark(&task->base, &found);
        todo = reversed(found, todo);
    }
}

void bight__scope_cancel(struct bight_scope *scope)
{
    if (scope->cancelled)
        return;
    scope->cancelled = true;
    spread(scope);
}

/* The task's timer: expire what is due, outermost first, and arm for what is next. */
void bight__task_timer(struct bight_timer *timer)
{
    struct bight_task *task = container_of(timer, struct bight_task, deadline);
    struct bight_scope *scope;

    if (task->pending & PENDING_ESCOPE)
        return; /* a scope is gone with its frame: the chain cannot be trusted */
    for (scope = &task->base; scope; scope = scope->inner) {
        if (!scope->expired && scope->deadline_ns <= timer->deadline_ns) {
            scope->expired = true;
            spread(scope);
        }
    }
    earliest_update(&task->base);
    timer_update(task);
}

static uint64_t deadline_after(struct bight_sched *sched, int64_t timeout_ms)
{
    uint64_t now;

    if (timeout_ms < 0)
        return NO_DEADLINE;
    now = sched->host->now_ns(sched);
    if ((uint64_t)timeout_ms >= (NO_DEADLINE - now) / 1000000)
        return NO_DEADLINE;
    return now + (uint64_t)timeout_ms * 1000000;
}

int bight_scope_begin(struct bight_scope *scope, int64_t timeout_ms, unsigned flags)
{
    struct bight_sched *sched = bight__sched;

    if (!sched || !sched->current)
        return BIGHT_ENOTASK;
    if (flags & ~BIGHT_SCOPE_SHIELD)
        return BIGHT_EINVAL;
    bight__scope_open(scope, sched->current, flags & BIGHT_SCOPE_SHIELD ? SCOPE_SHIELDS : 0,
                      deadline_after(sched, timeout_ms));
    return 0;
}

/* Close the plain scopes that were left open inside `scope`. False when it is not open in the
 * calling task, or a group is open inside it. */
static bool make_innermost(struct bight_scope *scope)
{
    struct bight_task *task = bight_self();
    struct bight_scope *at;

    if (!task || scope->magic != SCOPE_MAGIC || scope->task != task)
        return false;
    for (at = task->scope; at != scope; at = at->parent) {
        if (at->magic != SCOPE_MAGIC || at == &task->base || at->kind & SCOPE_GROUP)
            return false;
    }
    while (task->scope != scope)
        bight__scope_close(task->scope);
    return true;
}

int bight_scope_end(struct bight_scope *scope, int rc)
{
    bool visible;

    if (scope->kind & SCOPE_GROUP || !make_innermost(scope))
        return rc < 0 ? rc : BIGHT_ESCOPE;
    visible = scope->parent->effective && !(scope->kind & SCOPE_SHIELDS);
    bight__scope_close(scope);
    if (rc != BIGHT_ECANCELED || visible)
        return rc;
    if (scope->expired)
        return BIGHT_ETIMEDOUT;
    return scope->cancelled ? 0 : rc;
}

void bight_scope_cancel(struct bight_scope *scope)
{
    if (scope->magic == SCOPE_MAGIC)
        bight__scope_cancel(scope);
}

int bight_scope_set_timeout(struct bight_scope *scope, int64_t timeout_ms)
{
    if (scope->magic != SCOPE_MAGIC || !scope->task)
        return BIGHT_EINVAL;
    if (scope->expired)
        return BIGHT_EALREADY;
    scope->deadline_ns = deadline_after(scope->task->sched, timeout_ms);
    earliest_update(scope);
    timer_update(scope->task);
    return 0;
}

static int run_in_scope(int64_t timeout_ms, unsigned flags, int (*fn)(void *arg), void *arg)
{
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, timeout_ms, flags);

    if (rc)
        return rc;
    return bight_scope_end(&scope, fn(arg));
}

int bight_timeout(int64_t timeout_ms, int (*fn)(void *arg), void *arg)
{
    return run_in_scope(timeout_ms, 0, fn, arg);
}

int bight_shield(int64_t budget_ms, int (*fn)(void *arg), void *arg)
{
    return run_in_scope(budget_ms, BIGHT_SCOPE_SHIELD, fn, arg);
}

int64_t bight_deadline_remaining_ms(void)
{
    struct bight_task *task = bight_self();
    const struct bight_scope *scope;
    uint64_t earliest = NO_DEADLINE;
    uint64_t now;

    for (scope = task ? task->scope : NULL; scope; scope = scope->parent) {
        if (scope->deadline_ns < earliest)
            earliest = scope->deadline_ns;
        if (scope->kind & SCOPE_SHIELDS)
            break;
    }
    if (earliest == NO_DEADLINE)
        return -1;
    now = task->sched->host->now_ns(task->sched);
    return earliest <= now ? 0 : (int64_t)((earliest - now + 999999) / 1000000);
}

bool bight_cancelled(void)
{
    const struct bight_task *task = bight_self();

    return task && task->pending & PENDING_CANCEL;
}

__attribute__((noinline)) void bight__scopes_abandoned(struct bight_task *task, bool intact)
{
    if (task->status >= 0)
        task->status = BIGHT_ESCOPE;
    if (!(task->pending & PENDING_ESCOPE))
        bight__task_report(task, BIGHT_REPORT_SCOPE_LEFT_OPEN, BIGHT_ESCOPE, 0,
                           "ended with a scope open");
    task->pending &= ~PENDING_ESCOPE;
    while (intact && task->scope != &task->base) {
        struct bight_scope *scope = task->scope;

        if (scope->kind & SCOPE_GROUP) {
            bight__scope_cancel(scope);
            bight__group_drain(container_of(scope, struct bight_group, scope));
        }
        bight__scope_close(scope);
    }
    task->scope = &task->base;
    task->base.inner = NULL;
    timer_update(task);
    pending_update(task);
}
