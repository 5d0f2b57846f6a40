/* The life of a task: spawn, run, end; join.c has the wait for the end. Its memory is its stack:
 * the control block is the head of it, so a task that ends either puts its stack back itself, as
 * the last thing before it leaves, or leaves that to the joiner or the loop. */
#include "coro/core/group.h"
#include "coro/core/mutex.h"

#include <string.h>

/* Ends a task that nobody uses any more: frees it from its own stack, or has the loop do it. */
BIGHT__NEVER_LEFT static _Noreturn void task_vanish(struct bight_sched *sched,
                                                    struct bight_task *task)
{
    if (likely(bight__stack_put_is_cheap(&sched->stacks, &task->stack)))
        bight__stack_put(&sched->stacks, &task->stack);
    else
        sched->dying = task;
    bight__leave(sched, task);
}

BIGHT__NEVER_LEFT static _Noreturn void task_end(struct bight_task *task)
{
    struct bight_sched *sched = task->sched;

    if (unlikely(!link_empty(&task->deadline.link)))
        bight__timer_drop(task);
    task->flags |= TASK_DONE;
    bight__group_left_by(task); /* which may report its failure, with what its locals say */
    if (unlikely(task->locals))
        bight__locals_drop(task);
    if (unlikely(task->flags & TASK_MAIN)) {
        sched->main_done = true;
        sched->main_status = task->status;
        sched->driver->main_ended(sched);
    }
    if (--sched->live == 0)
        sched->driver->alive(sched, false);
    if (unlikely(task->ends.next != NULL))
        bight__ends_tell(task);
    if (!(task->flags & TASK_HANDLE))
        task_vanish(sched, task);
    link_append(&sched->ended, &task->member);
    bight__leave(sched, task);
}

/* The body has returned with scopes open. */
static void settle_scopes(struct bight_task *task, const char *frame)
{
    bight__scopes_cut(task, frame);
    if (task->scope != &task->base)
        bight__scope_make_innermost(&task->base, task); /* some live outside of the stack */
    if (task->status >= 0)
        task->status = BIGHT_ESCOPE;
}

/* The first and last frame on every task's stack. */
BIGHT__NEVER_LEFT static void task_entry(void *argument)
{
    struct bight_task *task = argument;

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
    if (unlikely(task->status == BIGHT_ECANCELED) && bight__scope_was_cancelled(&task->base))
        task->flags |= TASK_GAVE_WAY;
    if (unlikely(bight__scope_was_drained(&task->base, task->status)))
        task->flags |= TASK_DRAINED;
    if (unlikely(task->scope != &task->base))
        settle_scopes(task, __builtin_frame_address(0));
    if (unlikely(task->defers)) {
        bight__defers_run(task);
        if (task->scope != &task->base)
            settle_scopes(task, __builtin_frame_address(0));
    }
    if (unlikely(task->held))
        bight__mutexes_abandoned(task);
    task_end(task);
}

static void task_setup(struct bight_task *task, struct bight_sched *sched,
                       const struct bight_spawn_options *options)
{
    task->sched = sched;
    memset(&task->parked, 0,
           offsetof(struct bight_task, ends.prev) - offsetof(struct bight_task, parked));
    task->pending = 0;
    task->flags = sched->options.spawn_flags;
    task->aborted = false;
    task->id = ++sched->spawned;
    task->name[0] = '\0';
    link_init(&task->children);
    task->group_users = NULL;
    link_init(&task->deadline.link);
    if (unlikely(sched->seams.cancel_here != NULL)) {
        task->pending = PENDING_PROBE;
        task->checks = 0;
        task->turns = 0;
    }
    if (options) {
        task->drop = options->drop;
        task->flags |= options->flags;
        if (options->name)
            bight_task_set_name(task, options->name);
    }
    if (unlikely(task->flags))
        bight__own_init(task);
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

int bight__spawn(struct bight_sched *sched, struct bight_group *group, struct bight_task **out,
                 const struct bight_spawn_options *options, int (*fn)(void *arg), void *arg,
                 const void *site)
{
    struct bight_stack *stack;
    struct bight_task *task;
    int rc;

    if (unlikely(!fn || (options && (options->flags & ~TASK_OWNS))))
        return BIGHT_EINVAL;
    if (unlikely(sched->live > sched->ready_mask)) {
        rc = bight__ready_grow(sched);
        if (rc)
            return rc;
    }
    rc = bight__stack_get(&sched->stacks, options ? options->stack_bytes : 0, &stack);
    if (unlikely(rc))
        return no_stack(sched, rc);
    task = (struct bight_task *)stack;
    task_setup(task, sched, options);
    task->fn = fn;
    task->arg = arg;
    task->spawned_at = site;
    bight__group_joined_by(group, task);
    if (sched->current && sched->current->locals)
        bight__locals_share(task, sched->current);
    task->stack.context.sp = bight__switch_prepare(stack->lo, stack, task_entry, task);
    if (sched->live++ == 0)
        sched->driver->alive(sched, true);
    if (out) {
        task->flags |= TASK_HANDLE;
        *out = task;
    }
    bight__ready(task);
    return 0;
}

static int spawn_root(struct bight_task **out, const struct bight_spawn_options *options,
                      int (*fn)(void *arg), void *arg, const void *site)
{
    struct bight_sched *sched = bight__sched;

    if (!fn)
        return BIGHT_EINVAL;
    if (!sched)
        return BIGHT_ENORUNTIME;
    if (sched->closing)
        return BIGHT_ECLOSED;
    return bight__spawn(sched, &sched->root, out, options, fn, arg, site);
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
    if (group->scope.magic != SCOPE_MAGIC || !group->scope.task)
        return BIGHT_ECLOSED;
    if (unlikely(bight__is_foreign(group->scope.task)))
        return BIGHT_EPERM;
    return bight__spawn(group->scope.task->sched, group, out, options, fn, arg,
                        __builtin_return_address(0));
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
