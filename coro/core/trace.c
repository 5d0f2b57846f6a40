/* Taking a trace. What a task does after a step is seen where the step ends, on the loop's own
 * stack, if the task is still there: it has ended in this step if fewer live than were before and
 * came to it. */
#include "coro/core/trace.h"

#include <string.h>

void bight__trace_begun(struct bight_sched *sched, const struct bight_task *task)
{
    struct bight_step *step = &sched->step;

    step->task = task;
    step->live = sched->live;
    step->spawned = sched->spawned;
}

struct bight_trace_record *bight__trace_add(struct bight_trace *trace)
{
    return &trace->records[trace->count++ & trace->mask];
}

void bight__trace_ended(struct bight_sched *sched, uint64_t took_ns)
{
    const struct bight_step *step = &sched->step;
    bool ended = step->task && sched->live != step->live + (sched->spawned - step->spawned);
    struct bight_trace_record *record = bight__trace_add(sched->trace);

    record->begin_ns = step->begin_ns;
    record->took_ns = took_ns;
    record->task_id = step->task_id;
    record->waits_for = NULL;
    record->flags = ended ? TRACE_ENDED : 0;
    memcpy(record->name, step->task_name, sizeof(record->name));
    if (step->task && !ended && step->task->parked)
        record->waits_for = step->task->parked->ops->name;
}
