/* A trace: what ran when, and what each task waited for in between, in Chrome's JSON format, which
 * ui.perfetto.dev and chrome://tracing show. It is taken into memory, without a pause for writing,
 * and keeps the last events: so a program may have it on until something is worth a look. */
#ifndef BIGHT_TRACE_H
#define BIGHT_TRACE_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

/* Zero is the default for every field. */
struct bight_trace_options {
    /* How many events are kept, a power of two or the next above; default 65,536. Each takes 88
     * bytes. An event is a turn, of a task, a call, a post or a hook, or a wait of the loop. */
    size_t events_max;
};

/** Begin a trace of this thread's runtime. While it is on, each turn costs as with
 *  bight_runtime_set_measuring, and an entry.
 *
 *  @return 0; BIGHT_EALREADY: one is on; BIGHT_EINVAL: more events than memory can have;
 *          BIGHT_ENOMEM; BIGHT_ENORUNTIME.
 *  Ownership: borrows options, NULL for the defaults. The memory is the runtime's until
 *  bight_trace_end, or its own end.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_trace_begin(const struct bight_trace_options *options);

/** End the trace and write it in pieces to `write`, the oldest events first; with NULL it is
 *  dropped.
 *
 *  @return 0; BIGHT_EINVAL: none is on; BIGHT_ENORUNTIME.
 */
BIGHT_API int bight_trace_end(void (*write)(void *arg, const char *text, size_t bytes), void *arg);

/** bight_trace_end to a file descriptor.
 *
 *  @return as bight_trace_end; the error of write(2): the trace is gone then too.
 *  Suspends: no, though write(2) may block.
 */
BIGHT_API int bight_trace_end_fd(int fd);

BIGHT_END_DECLS

#endif
