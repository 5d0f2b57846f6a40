/* The life of a task: spawn, run, end; join.c has the wait for the end. Its memory is its stack:
 * the control block is the head of it, so a task that ends either puts its stack back itself, as
 * the last thing before it leaves, or leaves that to the joiner or the loop. */
#include "coro/core/group.h"
#include "coro/core/mutex.h"
#include "coro/core/next.h"

#include <string.h>

/* Close the scopes with which the body has returned. */
static void settle_scopes(struct bight_task *task, const char *frame)
{
    bight__scopes_cut(task, frame);
    if (task->scope != &task->base)
        bight__scope_make_innermost(&task->base, task); /* some live outside of the stack */
    if (task->status >= 0)
        task->status = BIGHT_ESCOPE;
}

/* Whether its status says that the task was cancelled, or drained, and it was. */
static void note_giving_way(struct bight_task *task)
{
    if (task->status == BIGHT_ECANCELED && bight__scope_was_cancelled(&task->base))
        task->flags |= TASK_GAVE_WAY;
    if (bight__scope_was_drained(&task->base, task->status))
        task->flags |= TASK_DRAINED;
}

/* What a body has left to its end: handlers, mutexes, an armed timer. */
static __attribute__((noinline)) void pay(struct bight_task *task, const char *frame)
{
    if (task->defers) {
        bight__defers_run(task);
        if (task->scope != &task->base)
            settle_scopes(task, frame);
    }
    if (task->held)
        bight__mutexes_abandoned(task);
    if (!link_empty(&task->deadline.link))
        bight__timer_drop(task);
}

/* What comes after the body: the task is out of its group, and whoever waits for it is told. */
BIGHT__NEVER_LEFT static inline void task_end(struct bight_sched *sched, struct bight_task *task)
{
    task->flags |= TASK_DONE;
    bight__group_left_by(task); /* which may report its failure, with what its locals say */
    if (unlikely(task->flags & TASK_MAIN)) {
        sched->main_done = true;
        sched->main_status = task->status;
        sched->driver->main_ended(sched);
    }
    if (--sched->live == 0)
        sched->driver->alive(sched, false);
    if (unlikely(task->base.kind & SCOPE_OWES)) {
        bight__locals_drop(task);
        bight__ends_tell(task);
        task->base.kind &= (uint16_t)~SCOPE_OWES;
    }
}

/* Free a task that has ended and that nobody uses any more, from its own stack, or have the loop do
 * that. */
BIGHT__NEVER_LEFT static inline void task_vanish(struct bight_sched *sched, struct bight_task *task)
{
    if (likely(bight__stack_put_is_cheap(&sched->stacks, &task->stack)))
        bight__stack_put(&sched->stacks, &task->stack);
    else
        sched->dying = task;
}

/* The first and last frame on every task's stack. */
BIGHT__NEVER_LEFT static SWITCHES void task_entry(void *argument)
{
    struct bight_task *task = argument;
    struct bight_sched *sched = task->sched;

    bight__context_arrive(&task->stack.context);
    if (unlikely(task->flags & TASK_OWNS))
        bight__own_enter(task);
    if (unlikely(task->pending & PENDING_CANCEL)) {
        task->status = BIGHT_ECANCELED;
        if (task->drop)
            task->drop(task->arg);
    } else {
        task->flags |= TASK_STARTED;
        task->status = task->fn(task->arg);
    }
    if (unlikely(task->status < 0))
        note_giving_way(task);
    if (unlikely(task->scope != &task->base))
        settle_scopes(task, __builtin_frame_address(0));
    if (unlikely(task->base.kind & SCOPE_OWES))
        pay(task, __builtin_frame_address(0));
    task_end(sched, task);
    if (task->flags & TASK_HANDLE)
        link_append(&sched->ended, &task->member);
    else
        task_vanish(sched, task);
    bight__leave(sched, task);
}

/* What a plain life leaves as it was. */
static const struct bight_scope base_of_new = {.magic = SCOPE_MAGIC};

/* Whether the control block is as task_make left it: it has been used, and was not worn. A stack
 * whose memory went back to the system is all zero. */
static inline bool is_made(const struct bight_task *task)
{
    return memcmp(&task->base, &base_of_new, offsetof(struct bight_scope, parent)) == 0;
}

static __attribute__((noinline)) void task_make(struct bight_sched *sched, struct bight_task *task)
{
    const size_t from = offsetof(struct bight_task, drop);
    unsigned kind = sched->seams.cancel_here ? SCOPE_WORN : 0; /* each counts from 0 */

    memset((char *)task + from, 0, sizeof *task - from);
    task->sched = sched;
    task->parked = NULL;
    task->delivered = 0;
    link_init(&task->deadline.link);
    link_init(&task->children);
    (void)bight__switch_prepare(task->stack.lo, task, task_entry, task);
    bight__scope_start(&task->base, kind, SCOPE_MAGIC, task, NULL);
}

/* A group that is cancelled or drains has that of its new tasks, too. */
static void follow_group(struct bight_task *task, const struct bight_group *group)
{
    task->base.kind |= group->scope.kind & SCOPE_DRAINS;
    task->base.effective = group->scope.effective;
    if (task->base.effective)
        task->pending |= PENDING_CANCEL;
}

static void with_options(struct bight_task *task, const struct bight_spawn_options *options)
{
    task->base.kind |= SCOPE_WORN;
    task->drop = options->drop;
    task->flags |= options->flags;
    if (options->name)
        bight_task_set_name(task, options->name);
}

static __attribute__((noinline)) int no_stack(struct bight_sched *sched, int rc)
{
    struct bight_report report = {
        .kind = BIGHT_REPORT_MAP_LIMIT,
        .code = rc,
        .count = sched->stacks.used,
        .task_name = "",
        .text = "no stack for a task: vm.max_map_count is reached",
    };

    if (rc == BIGHT_ENOMEM && sched->stacks.map_limit)
        sched->driver->report(sched, NULL, &report);
    return rc;
}

/* What each new task gets. */
static inline void task_begin(struct bight_sched *sched, struct bight_group *group,
                              struct bight_link *siblings, struct bight_task *task,
                              int (*fn)(void *arg), void *arg, const void *site)
{
    task->fn = fn;
    task->arg = arg;
    task->spawned_at = site;
    task->id = ++sched->spawned;
    task->base.parent = &group->scope;
    task->scope = &task->base;
    task->stack.context.sp = bight__switch_again(task->stack.lo, &task->stack, task_entry, task);
    link_append(siblings, &task->member);
    group->live++;
}

static inline void task_begun(struct bight_task *task, struct bight_task **out)
{
    if (out) {
        task->flags |= TASK_HANDLE;
        *out = task;
    }
}

/* Tasks begin in two ways: here with all that there may be to do, and as most do. */
static __attribute__((noinline)) int
spawn_with_care(struct bight_sched *sched, struct bight_group *group, struct bight_task **out,
                const struct bight_spawn_options *options, int (*fn)(void *arg), void *arg,
                const void *site)
{
    struct bight_stack *stack;
    struct bight_task *task;
    int rc;

    if (options && (options->flags & ~TASK_OWNS))
        return BIGHT_EINVAL;
    if (sched->live > sched->ready_mask) {
        rc = bight__ready_grow(sched);
        if (rc)
            return rc;
    }
    rc = bight__stack_get(&sched->stacks, options ? options->stack_bytes : 0, &stack);
    if (rc)
        return no_stack(sched, rc);
    task = (struct bight_task *)stack;
    if (!is_made(task))
        task_make(sched, task);
    task->state = sched->state_of_new;
    task_begin(sched, group, bight__group_siblings(group), task, fn, arg, site);
    if (options)
        with_options(task, options);
    if (task->flags)
        bight__own_init(task);
    follow_group(task, group);
    if (sched->current && sched->current->locals)
        bight__locals_share(task, sched->current);
    if (sched->live++ == 0)
        sched->driver->alive(sched, true);
    task_begun(task, out);
    bight__ready(task);
    return 0;
}

/* Whether a task takes a made control block from the cache and has nothing to do that most need
 * not: it begins without one call. */
static inline bool is_plain(const struct bight_sched *sched, const struct bight_group *group)
{
    static const struct bight_scope plain = {.kind = SCOPE_GROUP, .magic = SCOPE_MAGIC};
    const struct bight_task *current = sched->current;
    const struct bight_stack *stack = sched->stacks.classes[0].cache;

    return !BIGHT__STACKS_ARE_ANNOTATED && stack && is_made((const struct bight_task *)stack) &&
           current && !current->locals && sched->live <= sched->ready_mask &&
           sched->state_of_new == 0 &&
           memcmp(&group->scope, &plain, offsetof(struct bight_scope, parent)) == 0;
}

static inline int spawn(struct bight_sched *sched, struct bight_group *group,
                        struct bight_link *siblings, struct bight_task **out,
                        const struct bight_spawn_options *options, int (*fn)(void *arg), void *arg,
                        const void *site)
{
    struct bight_task *task;

    if (unlikely(options || !is_plain(sched, group)))
        return spawn_with_care(sched, group, out, options, fn, arg, site);
    task = (struct bight_task *)bight__stack_pop(&sched->stacks);
    task->state = 0;
    task_begin(sched, group, siblings, task, fn, arg, site);
    sched->live++;
    task_begun(task, out);
    bight__ready_push(sched, task);
    return 0;
}

int bight__spawn(struct bight_sched *sched, struct bight_group *group, struct bight_task **out,
                 const struct bight_spawn_options *options, int (*fn)(void *arg), void *arg,
                 const void *site)
{
    if (unlikely(!fn))
        return BIGHT_EINVAL;
    return spawn(sched, group, bight__group_siblings(group), out, options, fn, arg, site);
}

static inline int spawn_root(struct bight_task **out, const struct bight_spawn_options *options,
                             int (*fn)(void *arg), void *arg, const void *site)
{
    struct bight_sched *sched = bight__sched;

    if (unlikely(!fn))
        return BIGHT_EINVAL;
    if (unlikely(!sched))
        return BIGHT_ENORUNTIME;
    if (unlikely(sched->closing))
        return BIGHT_ECLOSED;
    return spawn(sched, &sched->root, &sched->children, out, options, fn, arg, site);
}

int bight_spawn(struct bight_task **out, int (*fn)(void *arg), void *arg)
{
    return spawn_root(out, NULL, fn, arg, __builtin_return_address(0));
}

int bight_spawn_with(struct bight_task **out, const struct bight_spawn_options *options,
                     int (*fn)(void *arg), void *arg)
{
    return spawn_root(out, options, fn, arg, __builtin_return_address(0));
}

int bight_group_spawn(struct bight_task **out, struct bight_group *group,
                      const struct bight_spawn_options *options, int (*fn)(void *arg), void *arg)
{
    if (unlikely(!group || !fn))
        return BIGHT_EINVAL;
    if (unlikely(group->scope.magic != SCOPE_MAGIC || !group->scope.task))
        return BIGHT_ECLOSED;
    if (unlikely(bight__is_foreign(group->scope.task)))
        return BIGHT_EPERM;
    return spawn(group->scope.task->sched, group, &group->scope.task->children, out, options, fn,
                 arg, __builtin_return_address(0));
}

bool bight_task_cancel(struct bight_task *task)
{
    if (!task || bight__is_foreign(task))
        return false;
    if (task->flags & TASK_DONE) {
        task->flags |= TASK_SEEN;
        return false;
    }
    bight__scope_cancel(&task->base);
    return true;
}

bool bight_task_cancelling(const struct bight_task *task)
{
    return task && task->base.effective;
}

bool bight_task_was_cancelled(const struct bight_task *task)
{
    return task && task->flags & TASK_DONE && task->flags & TASK_GAVE_WAY;
}

uint64_t bight_task_id(const struct bight_task *task)
{
    return task ? task->id : 0;
}

const char *bight_task_name(const struct bight_task *task)
{
    return task ? task->name : NULL;
}

void bight_task_set_name(struct bight_task *task, const char *name)
{
    size_t bytes;

    if (!task || !name)
        return;
    task->base.kind |= SCOPE_WORN;
    bytes = strnlen(name, sizeof(task->name) - 1);
    memcpy(task->name, name, bytes);
    task->name[bytes] = '\0';
}

void bight__task_rest(void)
{
    struct bight_task *self = bight_self();

    if (self)
        bight__stack_rest(&self->sched->stacks, &self->stack, __builtin_frame_address(0));
}
