/* bight_runtime_options.slow_ms: how long one step of a task, or one call, keeps the loop from
 * everything else. While it is on, every step begins and ends on the loop's own stack, where the
 * clock is read and the report handler may do what it likes; sched.c sees to that by quanta of
 * one. What is to be told is noted before the step, since the task may be gone after it. */
#include "coro/core/task.h"

#include <string.h>

void bight__step_begun(struct bight_sched *sched, const struct bight_task *task)
{
    struct bight_step *step = &sched->step;

    step->task_id = task ? task->id : 0;
    memcpy(step->task_name, task ? task->name : "", task ? sizeof step->task_name : 1);
    step->begun = true;
    step->begin_ns = sched->driver->now_ns(sched);
}

void bight__step_ended(struct bight_sched *sched)
{
    struct bight_step *step = &sched->step;

    if (!step->begun)
        return;
    step->begun = false;
    uint64_t took_ms = (sched->driver->now_ns(sched) - step->begin_ns) / NS_PER_MS;
    if (took_ms < sched->options.slow_ms)
        return;
    struct bight_report report = {
        .kind = BIGHT_REPORT_SLOW_TURN,
        .count = took_ms,
        .task_id = step->task_id,
        .task_name = step->task_name,
        .text = step->task_id ? "kept the loop for long without waiting"
                              : "a call, a post or a hook kept the loop for long",
    };
    sched->driver->report(sched, &report);
}
