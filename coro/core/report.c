/* Reports about a task. The driver decides where they go. */
#include "coro/core/task.h"

void bight__task_report(const struct bight_task *task, enum bight_report_kind kind, int code,
                        uint64_t count, const char *text)
{
    struct bight_report report = {
        .kind = kind,
        .code = code,
        .count = count,
        .task_id = task->id,
        .task_name = task->name,
        .text = text,
        .places = &task->spawned_at,
        .place_count = task->spawned_at != NULL,
    };

    task->sched->driver->report(task->sched, task, &report);
}

void bight__failure_unseen(const struct bight_task *task)
{
    if (task->status < 0 && !(task->flags & (TASK_GAVE_WAY | TASK_HANDLE | TASK_MAIN | TASK_SEEN)))
        bight__task_report(task, BIGHT_REPORT_UNSEEN_FAILURE, task->status, 0,
                           "failed, and nobody has its handle");
}
