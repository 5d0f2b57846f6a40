/* What other rooms ask of trace contexts: trace_context.c has the numbers and the header
 * traceparent, tracestate.c the header tracestate. Read <bight/trace_context.h> first. */
#ifndef BIGHT_RUNTIME_TRACE_CONTEXT_H
#define BIGHT_RUNTIME_TRACE_CONTEXT_H

#include <bight/trace_context.h>

struct bight_task;

/* The context of `task`, which may be NULL; NULL: it has none. Valid until the task sets it. */
const struct bight_trace_context *bight__trace_context_of(const struct bight_task *task);

/* How many bytes of `text` are a list that may be handed on, of at most BIGHT_TRACESTATE_BYTES - 1;
 * negative: it is no list of members. */
int bight__tracestate_check(const char *text);

#endif
