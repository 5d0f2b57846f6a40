/* What the thread has once, but a task may have to itself: floating-point control and the state of
 * C++ exceptions. Tasks ask for it when they are spawned, because it makes each switch slower; all
 * other tasks, and the loop, share what the thread has. */
#include "coro/core/own.h"
#include "coro/core/task.h"

void bight__own_init(struct bight_task *task)
{
    bight__float_control_save(&task->own.float_control);
    task->own.exceptions = (struct bight_exceptions){0};
}

/* Save only what the task asked for: if it changes the rest, it changes the thread's. */
static void save(unsigned flags, struct bight_own *out)
{
    if (flags & TASK_FLOAT)
        bight__float_control_save(&out->float_control);
    if (flags & TASK_EXCEPTIONS)
        bight__exceptions_save(&out->exceptions);
}

static void load(unsigned flags, const struct bight_own *in)
{
    if (flags & TASK_FLOAT)
        bight__float_control_load(&in->float_control);
    if (flags & TASK_EXCEPTIONS)
        bight__exceptions_load(&in->exceptions);
}

void bight__own_enter(struct bight_task *task)
{
    save(task->flags, &task->sched->own);
    load(task->flags, &task->own);
}

void bight__own_leave(struct bight_task *task)
{
    save(task->flags, &task->own);
    load(task->flags, &task->sched->own);
}
