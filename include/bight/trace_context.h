/* Trace contexts, as W3C's Trace Context has them (https://www.w3.org/TR/trace-context/): a number
 * for everything that one request from outside has set off, in however many programs, and one for
 * the part that a program does of it. A task has a context or none, and hands it on to the tasks
 * that it spawns. It comes in with a request (bight_http_serve_options.trace_context), goes out
 * with others (bight_http_session_options.trace_context, bight_websocket_options.trace_context), is
 * in what is logged (<bight/log.h>), and a job can ask for that of its caller
 * (bight_job_trace_context). */
#ifndef BIGHT_TRACE_CONTEXT_H
#define BIGHT_TRACE_CONTEXT_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

/* In `flags`: whoever has begun the trace may have recorded what it did. */
#define BIGHT_TRACE_SAMPLED 1u

struct bight_trace_context {
    /* Of all that belongs together. Valid if not all are zero. */
    uint8_t trace_id[16];
    /* Of one part of it, a span. Valid if not all are zero. */
    uint8_t span_id[8];
    /* BIGHT_TRACE_SAMPLED or 0. */
    uint8_t flags;
};

/* Room for the header traceparent with its final NUL, and for a header tracestate. */
#define BIGHT_TRACEPARENT_BYTES 56
#define BIGHT_TRACESTATE_BYTES 513

/** Read the value of a header traceparent: version 00 as it is defined, and of later versions what
 *  they have to have in common with it. Flags that are not known are dropped.
 *
 *  @return 0; BIGHT_EINVAL: it is not valid.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_trace_context_parse(struct bight_trace_context *out,
                                                         const char *traceparent);

/** Write `context` as the value of a header traceparent, version 00, with a final NUL.
 *
 *  @return 0; BIGHT_EINVAL: it is not valid, or `bytes` are fewer than BIGHT_TRACEPARENT_BYTES.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_trace_context_format(const struct bight_trace_context *context,
                                                          char *traceparent, size_t bytes);

/** Make a context of a new span: in the trace of `parent`, or with NULL in a new trace, without
 *  flags. The numbers are random, and no secrets.
 *
 *  @return 0; BIGHT_EINVAL without out, or when parent is not valid; BIGHT_ENORUNTIME.
 *  Ownership: borrows parent, which may be out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_trace_context_make(struct bight_trace_context *out,
                                                        const struct bight_trace_context *parent);

/** Give the calling task a context, which tasks that it spawns from now on begin with; with NULL,
 *  none. `tracestate` goes with it: the value of the header of that name, or NULL for none. What it
 *  has beyond 512 bytes is left out, whole members from the end.
 *
 *  @return 0; BIGHT_EINVAL: the context is not valid, or tracestate is no list of members as the
 *          standard has it; BIGHT_ENOMEM: nothing changed; BIGHT_ENOTASK.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_trace_context_set(const struct bight_trace_context *context,
                                                       const char *tracestate);

/** Get the calling task's context.
 *
 *  @return 0; BIGHT_ENOENT: it has none; BIGHT_EINVAL without out; BIGHT_ENOTASK.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_trace_context_get(struct bight_trace_context *out);

/** The tracestate that goes with the calling task's context, "" without.
 *
 *  Ownership: valid until the task sets its context or ends.
 */
BIGHT_API const char *bight_trace_context_state(void);

BIGHT_END_DECLS

#endif
