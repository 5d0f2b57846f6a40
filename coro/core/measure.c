/* How long one step of a task, or one call, keeps the loop from everything else: for
 * bight_runtime_options.slow_ms, for bight_runtime_get_stats and for a trace. While it is measured,
 * every step begins and ends on the loop's own stack, where the clock is read and the report
 * handler may do what it likes; sched.c sees to that by quanta of one. What is to be told is noted
 * before the step, since the task may be gone after it. */
#include "coro/core/trace.h"

#include <string.h>

void bight__step_begun(struct bight_sched *sched, const struct bight_task *task)
{
    struct bight_step *step = &sched->step;

    step->task_id = task ? task->id : 0;
    memcpy(step->task_name, task ? task->name : "", task ? sizeof step->task_name : 1);
    step->begun = true;
    if (sched->measuring & MEASURE_STATS && bight__ready_count(sched) > sched->measured.ready_most)
        sched->measured.ready_most = bight__ready_count(sched);
    if (sched->measuring & MEASURE_TRACE)
        bight__trace_begun(sched, task);
    step->begin_ns = sched->driver->now_ns(sched);
    if (sched->measuring & MEASURE_PLACES)
        sched->driver->sample(sched, true);
}

static void count(struct bight_measured *measured, const struct bight_step *step, uint64_t took_ns)
{
    measured->turns_ns += took_ns;
    if (took_ns < measured->longest_ns)
        return;
    measured->longest_ns = took_ns;
    measured->longest_id = step->task_id;
    memcpy(measured->longest_name, step->task_name, sizeof measured->longest_name);
}

static void report(struct bight_sched *sched, const struct bight_step *step, uint64_t took_ms)
{
    struct bight_report report = {
        .kind = BIGHT_REPORT_SLOW_TURN,
        .count = took_ms,
        .task_id = step->task_id,
        .task_name = step->task_name,
        .text = step->task_id ? "kept the loop for long without waiting"
                              : "a call, a post or a hook kept the loop for long",
        .places = step->places,
        .place_count = step->place_count,
    };

    sched->driver->report(sched, NULL, &report);
}

void bight__step_ended(struct bight_sched *sched)
{
    struct bight_step *step = &sched->step;
    uint64_t took_ns;

    if (!step->begun)
        return;
    step->begun = false;
    took_ns = sched->driver->now_ns(sched) - step->begin_ns;
    if (sched->measuring & MEASURE_PLACES)
        sched->driver->sample(sched, false);
    if (sched->measuring & MEASURE_STATS)
        count(&sched->measured, step, took_ns);
    if (sched->measuring & MEASURE_TRACE)
        bight__trace_ended(sched, took_ns);
    if (sched->measuring & MEASURE_SLOW && took_ns / NS_PER_MS >= sched->options.slow_ms)
        report(sched, step, took_ns / NS_PER_MS);
}

uint64_t bight__measured_ns(struct bight_sched *sched)
{
    const struct bight_measured *measured = &sched->measured;

    if (sched->measuring & MEASURE_STATS)
        return sched->driver->now_ns(sched) - measured->since_ns;
    return measured->total_ns;
}

/* The figures begin anew, or stay as they are now. */
static void switch_stats(struct bight_sched *sched, bool on)
{
    if (on)
        sched->measured = (struct bight_measured){.since_ns = sched->driver->now_ns(sched)};
    else
        sched->measured.total_ns = bight__measured_ns(sched);
}

/* A step that has begun unmeasured stays so. */
void bight__measure(struct bight_sched *sched, unsigned who, bool on)
{
    if (!(sched->measuring & who) == !on)
        return;
    if (who == MEASURE_STATS)
        switch_stats(sched, on);
    sched->measuring ^= who;
    if (!sched->measuring)
        sched->step.begun = false;
    bight__quantum_end(sched);
}
