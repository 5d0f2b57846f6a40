/* What there is to see of one task. Reads only and allocates nothing. */
#include "coro/core/group.h"

#include <string.h>

/* Append what fits of `more`. */
static void append(char *text, size_t text_bytes, const char *more)
{
    size_t length = strlen(text);
    size_t bytes = strnlen(more, text_bytes - length - 1);

    memcpy(text + length, more, bytes);
    text[length + bytes] = '\0';
}

static void append_wait(char *text, size_t text_bytes, const struct bight_waiter *waiter)
{
    char special[96] = "";

    append(text, text_bytes, waiter->ops->name);
    if (!waiter->ops->describe)
        return;
    waiter->ops->describe(waiter, special, sizeof(special));
    append(text, text_bytes, " (");
    append(text, text_bytes, special);
    append(text, text_bytes, ")");
}

static void describe_waits(char *text, size_t text_bytes, const struct bight_waiter *first)
{
    const struct bight_waiter *waiter = first;

    do {
        if (waiter != first)
            append(text, text_bytes, " or ");
        append_wait(text, text_bytes, waiter);
        waiter = waiter->also;
    } while (waiter != first);
}

static enum bight_task_state state_of(const struct bight_task *task)
{
    if (task->flags & TASK_DONE)
        return BIGHT_TASK_ENDED;
    if (task->parked)
        return BIGHT_TASK_WAITING;
    if (task->sched->current == task)
        return BIGHT_TASK_RUNNING;
    return task->flags & TASK_STARTED ? BIGHT_TASK_READY : BIGHT_TASK_NEW;
}

static int64_t deadline_ms(const struct bight_task *task)
{
    uint64_t due = task->scope->earliest_ns, now;

    if (due == NO_DEADLINE)
        return -1;
    now = task->sched->driver->now_ns(task->sched);
    return due > now ? (int64_t)((due - now) / NS_PER_MS) : 0;
}

int bight_task_get_info(const struct bight_task *task, struct bight_task_info *info)
{
    const struct bight_task *parent;

    if (!task || !info)
        return BIGHT_EINVAL;
    *info = (struct bight_task_info){
        .id = task->id,
        .state = state_of(task),
        .cancelled = task->base.effective,
        .deadline_ms = -1,
        .spawned_at = task->spawned_at,
        .stack_bytes = bight__stack_bytes(&task->stack),
        .stack_used = (size_t)((const char *)task - task->stack.low_water),
    };
    memcpy(info->name, task->name, sizeof(info->name));
    if (info->state == BIGHT_TASK_ENDED)
        return 0;
    parent = bight_task_parent(task);
    info->parent_id = parent ? parent->id : 0;
    info->deadline_ms = deadline_ms(task);
    if (info->state == BIGHT_TASK_WAITING)
        describe_waits(info->waits_for, sizeof(info->waits_for), task->parked);
    return 0;
}
