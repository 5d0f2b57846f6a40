/* What other rooms ask of trace contexts: trace_context.c has the numbers and the header
 * traceparent, tracestate.c the header tracestate. Read <bight/trace_context.h> first. */
#ifndef BIGHT_RUNTIME_TRACE_CONTEXT_H
#define BIGHT_RUNTIME_TRACE_CONTEXT_H

#include <bight/trace_context.h>

#include "coro/core/task.h"

/* The context of `task`, which may be NULL; NULL: it has none. Valid until the task sets it. */
const struct bight_trace_context *bight__trace_context_of(const struct bight_task *task);
/* The same without a call for a task that has no locals at all. */
static inline const struct bight_trace_context *
bight__trace_context_seldom(const struct bight_task *task)
{
    return task && unlikely(task->locals) ? bight__trace_context_of(task) : NULL;
}

/* How many bytes of `text` are a list that may be handed on, of at most BIGHT_TRACESTATE_BYTES - 1;
 * negative: it is no list of members. */
int bight__tracestate_check(const char *text);

#endif
