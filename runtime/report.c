/* Reports: where they go, and those of the program itself. What is reported, and when, is decided
 * at the place where it happens. */
#include "runtime/runtime.h"
#include "coro/core/task.h"

int bight_report_set_handler(struct bight_report_handler handler,
                             struct bight_report_handler *before)
{
    struct bight_sched *sched = bight__sched;

    if (!sched)
        return BIGHT_ENORUNTIME;
    if (before) {
        before->fn = sched->options.on_report;
        before->arg = sched->options.on_report_arg;
    }
    sched->options.on_report = handler.fn;
    sched->options.on_report_arg = handler.arg;
    return 0;
}

int bight_report_send(int code, const char *text)
{
    struct bight_sched *sched = bight__sched;
    const struct bight_task *task = bight_self();
    struct bight_report report = {
        .kind = BIGHT_REPORT_PROGRAM,
        .code = code,
        .task_id = task ? task->id : 0,
        .task_name = task ? task->name : "",
        .text = text,
    };

    if (!text)
        return BIGHT_EINVAL;
    if (!sched)
        return BIGHT_ENORUNTIME;
    sched->driver->report(sched, task, &report);
    return 0;
}
