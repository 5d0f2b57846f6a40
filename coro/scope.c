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
    if (task->scope->effective)
        task->pending |= PENDING_CANCEL;
    else
        task->pending &= ~PENDING_CANCEL;
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
        bool over = scope->expired || scope->cancelled;
        uint64_t own = over ? NO_DEADLINE : scope->deadline_ns;
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

static void mark_members(struct bight_group *group, struct bight_task **worklist)
{
    struct bight_link *siblings = bight__group_siblings(group);
    struct bight_link *link;

    for (link = siblings->next; link != siblings; link = link->next) {
        struct bight_task *member = container_of(link, struct bight_task, member);

        if (member->group == group && !member->base.effective) {
            member->base.effective = true; /* so that it is listed once */
            member->cancel_next = *worklist;
            *worklist = member;
        }
    }
}

/* Mark `scope` and what is inside it in the same task; collect the tasks of groups on the way in
 * `*worklist`. A shield stops it. */
static void mark(struct bight_scope *scope, struct bight_task **worklist)
{
    struct bight_task *task = scope->task;

    for (;;) {
        scope->effective = true;
        if (scope->kind & SCOPE_GROUP)
            mark_members(container_of(scope, struct bight_group, scope), worklist);
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

    for (scope = &task->base; scope; scope = scope->inner) {
        if (!scope->expired && !scope->cancelled && scope->deadline_ns <= timer->deadline_ns) {
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

bool bight__scope_is_open(const struct bight_scope *scope, const struct bight_task *task)
{
    const struct bight_scope *at = task->scope;

    while (at != scope && at != &task->base)
        at = at->parent;
    return at == scope;
}

/* A deadline that is no later than now has passed: do not wait for the wheel to say so. */
static void expire_if_past(struct bight_scope *scope, int64_t timeout_ms)
{
    if (timeout_ms != 0)
        return;
    scope->expired = true;
    earliest_update(scope);
    timer_update(scope->task);
    spread(scope);
}

static int scope_begin(struct bight_scope *scope, int64_t timeout_ms, unsigned flags)
{
    struct bight_sched *sched = bight__sched;
    struct bight_task *task = sched->current;

    if (bight__scope_is_open(scope, task))
        return BIGHT_EALREADY;
    scope->magic = 0;
    if (flags & ~BIGHT_SCOPE_SHIELD)
        return BIGHT_EINVAL;
    bight__scope_open(scope, task, flags & BIGHT_SCOPE_SHIELD ? SCOPE_SHIELDS : 0,
                      deadline_after(sched, timeout_ms));
    expire_if_past(scope, timeout_ms);
    return 0;
}

int bight_scope_begin(struct bight_scope *scope, int64_t timeout_ms, unsigned flags)
{
    struct bight_task *task = bight_self();

    if (!task) {
        scope->magic = 0;
        return BIGHT_ENOTASK;
    }
    bight__scopes_check(task, __builtin_frame_address(0));
    return scope_begin(scope, timeout_ms, flags);
}

static void left_open(struct bight_task *task, const char *text)
{
    bight__task_report(task, BIGHT_REPORT_SCOPE_LEFT_OPEN, BIGHT_ESCOPE, 0, text);
}

/* Make `last`, which is open and whole, the innermost scope. Tasks of groups that were inside it have
 * lost theirs: the innermost group that is left around takes them. */
static void forget_inside(struct bight_task *task, struct bight_scope *last)
{
    struct bight_group *heir = task->group;
    struct bight_scope *scope;
    struct bight_link *link, *next;

    last->inner = NULL;
    task->scope = last;
    for (scope = last; scope != &task->base && heir == task->group; scope = scope->parent) {
        if (scope->kind & SCOPE_GROUP)
            heir = container_of(scope, struct bight_group, scope);
    }
    for (link = task->children.next; link != &task->children; link = next) {
        struct bight_task *child = container_of(link, struct bight_task, member);

        next = link->next;
        if (!bight__scope_is_open(&child->group->scope, task))
            bight__group_adopt(heir, child);
    }
    timer_update(task);
    pending_update(task);
}

__attribute__((noinline)) void bight__scopes_cut(struct bight_task *task, const char *frame)
{
    struct bight_scope *last = &task->base;

    while (last->inner && !bight__scope_is_gone(task, last->inner, frame) &&
           last->inner->parent == last)
        last = last->inner;
    forget_inside(task, last);
    left_open(task, "a scope was open in a frame that has returned");
}

bool bight__scope_make_innermost(struct bight_scope *scope, struct bight_task *task)
{
    struct bight_scope *at;

    if (task->scope == scope)
        return true;
    if (!bight__scope_is_open(scope, task))
        return false;
    for (at = task->scope; at != scope; at = at->parent)
        at->magic = 0;
    forget_inside(task, scope);
    left_open(task, "a scope was open inside one that was closed");
    return true;
}

static int scope_end(struct bight_scope *scope, int rc)
{
    bool visible = scope->parent->effective && !(scope->kind & SCOPE_SHIELDS);

    bight__scope_close(scope);
    if (rc != BIGHT_ECANCELED || visible)
        return rc;
    if (scope->expired)
        return BIGHT_ETIMEDOUT;
    return scope->cancelled ? 0 : rc;
}

int bight_scope_end(struct bight_scope *scope, int rc)
{
    struct bight_task *task = bight_self();

    if (!task)
        return BIGHT_ENOTASK;
    bight__scopes_check(task, __builtin_frame_address(0));
    if (scope->magic != SCOPE_MAGIC || scope->kind & SCOPE_GROUP ||
        !bight__scope_make_innermost(scope, task))
        return BIGHT_ESCOPE;
    return scope_end(scope, rc);
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
    expire_if_past(scope, timeout_ms);
    return 0;
}

/* `frame` is that of the public function, above everything that the body leaves behind. */
static int run_in_scope(int64_t timeout_ms, unsigned flags, int (*fn)(void *arg), void *arg,
                        const char *frame)
{
    struct bight_task *task = bight_self();
    struct bight_scope scope;
    int rc;

    if (!task)
        return BIGHT_ENOTASK;
    bight__scopes_check(task, frame);
    rc = scope_begin(&scope, timeout_ms, flags);
    if (rc)
        return rc;
    rc = fn(arg);
    /* What lies below our own scope belonged to the body. */
    bight__scopes_check(task, (const char *)&scope);
    return bight__scope_make_innermost(&scope, task) ? scope_end(&scope, rc) : BIGHT_ESCOPE;
}

int bight_timeout(int64_t timeout_ms, int (*fn)(void *arg), void *arg)
{
    return run_in_scope(timeout_ms, 0, fn, arg, __builtin_frame_address(0));
}

int bight_shield(int64_t budget_ms, int (*fn)(void *arg), void *arg)
{
    return run_in_scope(budget_ms, BIGHT_SCOPE_SHIELD, fn, arg, __builtin_frame_address(0));
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
