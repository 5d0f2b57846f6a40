/* The tree of tasks as text: groups within tasks within groups, each task with what it waits for.
 * Reads only; allocates nothing, so that it works when memory is the problem and in a debugger. */
#include "coro/base/print.h"
#include "coro/core/scope.h"

static __attribute__((format(printf, 2, 3))) void emit(const struct printer *dump,
                                                       const char *format, ...)
{
    va_list args;

    va_start(args, format);
    bight__print(dump, format, args);
    va_end(args);
}

static void emit_wait(const struct printer *dump, const struct bight_task *task)
{
    const struct bight_waiter *waiter = task->parked;
    const char *between = "waits for ";

    do {
        emit(dump, "%s%s", between, waiter->ops->name);
        if (waiter->ops->describe) {
            char text[96] = "";

            waiter->ops->describe(waiter, text, sizeof(text));
            emit(dump, " (%s)", text);
        }
        between = " or ";
        waiter = waiter->also;
    } while (waiter != task->parked);
}

static void emit_task(const struct printer *dump, const struct bight_task *task, unsigned depth)
{
    emit(dump, "%*s#%llu %s: ", (int)(2 * depth), "", (unsigned long long)task->id,
         task->name[0] ? task->name : "-");
    if (task->parked)
        emit_wait(dump, task);
    else if (task->sched->current == task)
        emit(dump, "running");
    else
        emit(dump, task->flags & TASK_STARTED ? "ready" : "not started");
    if (task->pending & PENDING_CANCEL)
        emit(dump, ", cancelled");
    else if (task->pending & PENDING_DRAIN)
        emit(dump, ", drained");
    if (task->scope->earliest_ns != NO_DEADLINE) {
        uint64_t now = task->sched->driver->now_ns(task->sched);
        uint64_t due = task->scope->earliest_ns;

        emit(dump, ", deadline in %llu ms",
             (unsigned long long)(due > now ? (due - now) / NS_PER_MS : 0));
    }
    emit(dump, "\n");
}

int bight_dump(void (*write)(void *arg, const char *text, size_t bytes), void *arg)
{
    struct printer dump = {write, arg};
    struct bight_sched *sched = bight__sched;
    const struct bight_task *task;
    unsigned depth = 1;

    if (!write)
        return BIGHT_EINVAL;
    if (!sched)
        return BIGHT_ENORUNTIME;
    emit(&dump, "%zu tasks, %zu ready\n", sched->live, bight__ready_count(sched));
    for (task = bight__task_first(sched); task; task = bight__task_next(task, &depth))
        emit_task(&dump, task, depth);
    return 0;
}
