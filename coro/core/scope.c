/* Scopes: a task's form a chain from its base to the innermost one; the base hangs under the
 * scope of the task's group. Owns the chain: opening, closing in order, and what to do about
 * those that were left open. How cancellation travels is cancel.c's, deadlines are deadline.c's. */
#include "coro/core/group.h"

static bool is_in_frame(const struct bight_scope *scope, const struct bight_task *task)
{
    const char *address = (const char *)scope;

    return address >= task->stack.lo && address < (const char *)task;
}

/* Addresses of open scopes: those in frames in the innermost scope, the others, for as long as any
 * scope is open, in the base. Together they would say nothing: a group in memory of the heap lies
 * below all frames. */
static inline void note_address(struct bight_scope *scope, struct bight_task *task,
                                const struct bight_scope *parent)
{
    struct bight_scope *base = &task->base, *with = is_in_frame(scope, task) ? scope : base;

    if (parent == base) {
        struct bight_scope *without = with == base ? scope : base;

        without->lowest = (const struct bight_scope *)UINTPTR_MAX;
        without->highest = NULL;
        with->lowest = with->highest = scope;
        return;
    }
    scope->lowest = parent->lowest;
    scope->highest = parent->highest;
    if (scope < with->lowest)
        with->lowest = scope;
    if (scope > with->highest)
        with->highest = scope;
}

static inline void scope_open(struct bight_scope *scope, struct bight_task *task, unsigned kind,
                              uint64_t deadline_ns)
{
    struct bight_scope *parent = task->scope;

    bight__scope_start(scope, kind | (parent->kind & SCOPE_DRAINS), SCOPE_MAGIC, task, parent);
    scope->effective = kind & SCOPE_SHIELDS ? false : parent->effective;
    scope->deadline_ns = deadline_ns;
    scope->earliest_ns = deadline_ns < parent->earliest_ns ? deadline_ns : parent->earliest_ns;
    note_address(scope, task, parent);
    parent->inner = scope;
    task->scope = scope;
    if (scope->earliest_ns != parent->earliest_ns)
        bight__timer_update(task);
    if (scope->effective != parent->effective || scope->kind & SCOPE_DRAINS)
        bight__pending_update(task);
}

void bight__scope_open(struct bight_scope *scope, struct bight_task *task, unsigned kind,
                       uint64_t deadline_ns)
{
    scope_open(scope, task, kind, deadline_ns);
}

static inline void scope_unlink(struct bight_scope *scope, struct bight_task *task)
{
    scope->magic = SCOPE_LEFT;
    scope->parent->inner = NULL;
    task->scope = scope->parent;
}

void bight__scope_close(struct bight_scope *scope)
{
    struct bight_task *task = scope->task;
    struct bight_scope *parent = scope->parent;

    scope_unlink(scope, task);
    if (scope->earliest_ns != parent->earliest_ns)
        bight__timer_update(task);
    if (parent->effective != !!(task->pending & PENDING_CANCEL) || scope->kind & SCOPE_DRAINS)
        bight__pending_update(task);
}

/* The same without a call: false where it takes one, nothing was done then. */
static inline bool close_at_once(struct bight_scope *scope, struct bight_task *task)
{
    const struct bight_scope *parent = scope->parent;
    uint64_t earliest = parent->earliest_ns;

    if (unlikely(parent->effective != !!(task->pending & PENDING_CANCEL) ||
                 scope->kind & SCOPE_DRAINS))
        return false;
    if (scope->earliest_ns != earliest) {
        if (unlikely(!bight__timer_stays(task, earliest)))
            return false;
        bight__timer_set_stale(task, earliest == NO_DEADLINE);
    }
    scope_unlink(scope, task);
    return true;
}

bool bight__scope_is_open(const struct bight_scope *scope, const struct bight_task *task)
{
    const struct bight_scope *at = task->scope;

    while (at != scope && at != &task->base)
        at = at->parent;
    return at == scope;
}

/* The record may be any memory, so its contents say nothing. Its address does: records mostly lie
 * in frames, the inner ones below all others. */
bool bight__scope_begun(const struct bight_scope *scope, const struct bight_task *task)
{
    const struct bight_scope *noted = is_in_frame(scope, task) ? task->scope : &task->base;

    return task->scope != &task->base && scope >= noted->lowest && scope <= noted->highest &&
           bight__scope_is_open(scope, task);
}

/* Open a scope that was made. */
static int scope_enter(struct bight_scope *scope, struct bight_task *task)
{
    unsigned kind = scope->kind & (SCOPE_SHIELDS | SCOPE_STOPPABLE | SCOPE_DRAINS);
    bool cancelled = scope->cancelled;
    uint64_t deadline = scope->deadline_ns;
    bool past = bight__scope_made_is_past(scope) || (scope->timeout_ms == 0 && !cancelled);

    if (scope->kind & SCOPE_INVALID) {
        scope->magic = 0;
        return BIGHT_EINVAL;
    }
    if (scope->kind & SCOPE_INHERITS)
        kind |= task->scope->kind & SCOPE_STOPPABLE;
    if (scope->timeout_ms >= 0)
        deadline = bight__deadline_after(task->sched, scope->timeout_ms);
    bight__scope_open(scope, task, kind, deadline);
    if (past)
        bight__scope_expire(scope);
    if (cancelled)
        bight__scope_cancel(scope);
    return 0;
}

_Static_assert(BIGHT_SCOPE_SHIELD == SCOPE_SHIELDS, "one is made of the other");

static unsigned kind_of(unsigned flags)
{
    if (likely(!(flags & ~BIGHT_SCOPE_SHIELD)))
        return flags;
    if (flags & ~(BIGHT_SCOPE_SHIELD | BIGHT_SCOPE_STOPPABLE | BIGHT_SCOPE_INHERIT))
        return SCOPE_INVALID;
    return (flags & BIGHT_SCOPE_SHIELD) | (flags & BIGHT_SCOPE_STOPPABLE ? SCOPE_STOPPABLE : 0) |
           (flags & BIGHT_SCOPE_INHERIT ? SCOPE_INHERITS : 0);
}

void bight_scope_init(struct bight_scope *scope, int64_t timeout_ms, unsigned flags)
{
    unsigned kind = kind_of(flags);

    if (!scope)
        return;
    bight__scope_start(scope, kind, SCOPE_MADE, NULL, NULL);
    scope->timeout_ms = timeout_ms;
}

int bight_scope_enter(struct bight_scope *scope)
{
    struct bight_task *task = bight_self();

    if (!scope)
        return BIGHT_EINVAL;
    if (!task)
        return BIGHT_ENOTASK;
    bight__scopes_check(task, __builtin_frame_address(0));
    if (scope->magic == SCOPE_MAGIC || scope->magic == SCOPE_LEFT)
        return BIGHT_EALREADY;
    return scope->magic == SCOPE_MADE ? scope_enter(scope, task) : BIGHT_EINVAL;
}

int bight_scope_begin(struct bight_scope *scope, int64_t timeout_ms, unsigned flags)
{
    struct bight_task *task = bight__self();

    if (unlikely(!scope))
        return BIGHT_EINVAL;
    if (unlikely(!task)) {
        scope->magic = 0;
        return BIGHT_ENOTASK;
    }
    bight__scopes_check(task, CALLERS_FRAME);
    if (unlikely(bight__scope_begun(scope, task)))
        return BIGHT_EALREADY;
    if (likely(timeout_ms && !(flags & ~BIGHT_SCOPE_SHIELD))) {
        scope_open(scope, task, flags, bight__deadline_after(task->sched, timeout_ms));
        return 0;
    }
    bight_scope_init(scope, timeout_ms, flags);
    return scope_enter(scope, task);
}

int bight_scope_set_shield(struct bight_scope *scope, bool shield)
{
    bool made = scope && scope->magic == SCOPE_MADE;

    if (!made && (!scope || scope->magic != SCOPE_MAGIC || !scope->task))
        return BIGHT_EINVAL;
    if (!made && bight__is_foreign(scope->task))
        return BIGHT_EPERM;
    if (shield)
        scope->kind |= SCOPE_SHIELDS;
    else
        scope->kind &= (uint16_t)~SCOPE_SHIELDS;
    if (!made)
        bight__scope_follow(scope);
    return 0;
}

enum bight_scope_state bight_scope_get_state(const struct bight_scope *scope)
{
    if (!scope)
        return BIGHT_SCOPE_FINISHED;
    if (scope->magic == SCOPE_MADE)
        return bight__scope_made_is_past(scope) ? BIGHT_SCOPE_EXPIRING : BIGHT_SCOPE_MADE;
    if (scope->magic != SCOPE_MAGIC)
        return scope->expired && scope->caught ? BIGHT_SCOPE_EXPIRED : BIGHT_SCOPE_FINISHED;
    if (scope->expired)
        return BIGHT_SCOPE_EXPIRING;
    return scope->effective ? BIGHT_SCOPE_CANCELLED : BIGHT_SCOPE_ACTIVE;
}

static void left_open(struct bight_task *task, const char *text)
{
    bight__task_report(task, BIGHT_REPORT_SCOPE_LEFT_OPEN, BIGHT_ESCOPE, 0, text);
}

/* Make `last`, which is open and whole, the innermost scope. Tasks of groups that were inside it
 * have lost theirs: the innermost group that is left around takes them. */
static void forget_inside(struct bight_task *task, struct bight_scope *last)
{
    struct bight_group *heir = bight__group_of(task);
    struct bight_scope *scope;
    struct bight_link *link, *next;

    last->inner = NULL;
    task->scope = last;
    for (scope = last; scope != &task->base && heir == bight__group_of(task);
         scope = scope->parent) {
        if (scope->kind & SCOPE_GROUP)
            heir = container_of(scope, struct bight_group, scope);
    }
    for (link = task->children.next; link != &task->children; link = next) {
        struct bight_task *child = container_of(link, struct bight_task, member);

        next = link->next;
        if (!bight__scope_is_open(&bight__group_of(child)->scope, task))
            bight__group_adopt(heir, child);
    }
    bight__group_users_tell(task);
    bight__timer_update(task);
    bight__pending_update(task);
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
    for (at = task->scope; at != scope; at = at->parent) {
        at->magic = SCOPE_LEFT;
        at->kind |= SCOPE_TORN;
    }
    forget_inside(task, scope);
    left_open(task, "a scope was open inside one that was closed");
    return true;
}

/* What a cancellation that was seen in a closed scope means outside of it. */
static int settled(struct bight_scope *scope)
{
    bool visible = scope->parent->effective && !(scope->kind & SCOPE_SHIELDS);

    if (visible)
        return BIGHT_ECANCELED;
    scope->caught = scope->expired || scope->cancelled;
    if (scope->expired)
        return BIGHT_ETIMEDOUT;
    return scope->cancelled ? 0 : BIGHT_ECANCELED;
}

static __attribute__((noinline)) int settle(struct bight_scope *scope, int rc)
{
    bight__scope_close(scope);
    return likely(rc != BIGHT_ECANCELED) ? rc : settled(scope);
}

/* Scopes below `frame` are gone. That something was open inside is told once: here, or it was
 * when a scope around this one was closed. */
static __attribute__((noinline)) int scope_end(struct bight_scope *scope, struct bight_task *task,
                                               int rc, const char *frame)
{
    bool whole = bight__scopes_check(task, frame) && task->scope == scope;

    if (scope->magic == SCOPE_LEFT && scope->kind & SCOPE_TORN) {
        scope->kind &= (uint16_t)~SCOPE_TORN;
        return rc;
    }
    if (scope->magic != SCOPE_MAGIC || !bight__scope_make_innermost(scope, task))
        return BIGHT_ESCOPE;
    rc = settle(scope, rc);
    return whole || rc < 0 ? rc : BIGHT_ESCOPE;
}

int bight_scope_end(struct bight_scope *scope, int rc)
{
    struct bight_task *task = bight__self();

    if (unlikely(!scope))
        return BIGHT_EINVAL;
    if (unlikely(!task))
        return BIGHT_ENOTASK;
    if (unlikely(scope->kind & SCOPE_GROUP))
        return BIGHT_ESCOPE;
    if (likely(scope == task->scope && !bight__scope_is_gone(task, scope, CALLERS_FRAME))) {
        if (likely(rc != BIGHT_ECANCELED && close_at_once(scope, task)))
            return rc;
        return settle(scope, rc);
    }
    return scope_end(scope, task, rc, CALLERS_FRAME);
}

void bight_scope_cancel(struct bight_scope *scope)
{
    if (!scope)
        return;
    if (scope->magic == SCOPE_MAGIC) {
        if (!scope->task || !bight__is_foreign(scope->task))
            bight__scope_cancel(scope);
        return;
    }
    if (scope->magic == SCOPE_MADE)
        scope->expired = bight__scope_made_is_past(scope);
    if (scope->magic == SCOPE_MADE || scope->magic == SCOPE_LEFT)
        scope->cancelled = true;
}

/* `frame` is that of the public function, above everything that the body leaves behind. */
static int run_in_scope(struct bight_scope *scope, int (*fn)(void *arg), void *arg,
                        const char *frame)
{
    struct bight_task *task = bight_self();
    int rc;

    if (!fn)
        return BIGHT_EINVAL;
    if (!task)
        return BIGHT_ENOTASK;
    bight__scopes_check(task, frame);
    rc = scope_enter(scope, task);
    if (rc)
        return rc;
    rc = fn(arg);
    /* What lies below our own scope belonged to the body. */
    return scope_end(scope, task, rc, (const char *)scope);
}

int bight_timeout(int64_t timeout_ms, int (*fn)(void *arg), void *arg)
{
    struct bight_scope scope;

    bight_scope_init(&scope, timeout_ms, 0);
    return run_in_scope(&scope, fn, arg, __builtin_frame_address(0));
}

int bight_deadline(uint64_t deadline_ns, int (*fn)(void *arg), void *arg)
{
    struct bight_scope scope;

    bight_scope_init(&scope, -1, 0);
    scope.deadline_ns = deadline_ns;
    return run_in_scope(&scope, fn, arg, __builtin_frame_address(0));
}

int bight_shield(int64_t budget_ms, int (*fn)(void *arg), void *arg)
{
    struct bight_scope scope;

    bight_scope_init(&scope, budget_ms, BIGHT_SCOPE_SHIELD);
    return run_in_scope(&scope, fn, arg, __builtin_frame_address(0));
}
