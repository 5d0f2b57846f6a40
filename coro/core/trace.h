/* A trace as it is taken: the last steps, in a ring. runtime/trace.c makes and writes it. */
#ifndef BIGHT_CORO_CORE_TRACE_H
#define BIGHT_CORO_CORE_TRACE_H

#include <bight/hook.h>

#include "coro/core/task.h"

#define TRACE_ENDED 1u /* it was the task's last */
#define TRACE_POLL 2u  /* no step: the loop waited */

/* One step of a task, or a call, a post or a hook. */
struct bight_trace_record {
    uint64_t begin_ns;
    uint64_t took_ns;
    uint64_t task_id;      /* 0: of no task */
    const char *waits_for; /* what the task did afterwards; NULL: nothing, it was ready */
    unsigned flags;
    char name[BIGHT_TASK_NAME_BYTES];
};

struct bight_trace {
    struct bight_hook idle;
    struct bight_hook turn;
    uint64_t begin_ns;
    uint64_t poll_ns; /* when the poll began; 0: it has not */
    uint64_t count;   /* of records since the begin */
    size_t mask;      /* as many records are kept, less one */
    uint64_t *seen;   /* for the writing: a set of tasks, of twice as many places */
    struct bight_trace_record records[];
};

/* The step that begins is one of `task`, NULL: of none. */
void bight__trace_begun(struct bight_sched *sched, const struct bight_task *task);
/* It is over. */
void bight__trace_ended(struct bight_sched *sched, uint64_t took_ns);
/* The next record; the oldest one makes room. */
struct bight_trace_record *bight__trace_add(struct bight_trace *trace);

#endif
