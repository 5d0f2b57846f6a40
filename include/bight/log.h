/* Log lines: the program's own, and what the runtime has to report (<bight/report.h>), each with
 * the task and the request that it is about. They go to one handler, which puts them where it
 * likes; without one they go nowhere, and cost a comparison. Nothing is printed.
 *
 *     static void to_stderr(void *arg, const struct bight_log_line *line)
 *     {
 *         static char text[BIGHT_LOG_LINE_BYTES];
 *         int64_t bytes = bight_log_line_text(line, BIGHT_LOG_JSON, text, sizeof(text));
 *
 *         if (bytes > 0)
 *             fwrite(text, 1, (size_t)bytes, stderr);
 *     }
 *     ...
 *     rc = bight_log_set_handler((struct bight_log_handler){.fn = to_stderr}, NULL);
 *     ...
 *     bight_log(BIGHT_LOG_INFO, "%u of %u are done", done, all);
 */
#ifndef BIGHT_LOG_H
#define BIGHT_LOG_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/report.h>
#include <bight/trace_context.h>

BIGHT_BEGIN_DECLS

enum bight_log_level {
    BIGHT_LOG_DEBUG = -1,
    BIGHT_LOG_INFO = 0,
    BIGHT_LOG_WARNING = 1,
    BIGHT_LOG_ERROR = 2,
};

/* The longest text of bight_log, with its final NUL; longer ones are cut. */
#define BIGHT_LOG_TEXT_BYTES 1024

struct bight_log_line {
    enum bight_log_level level;
    /* The task that has said it, or that the report is about: its number, 0 for none, and name. */
    uint64_t task_id;
    const char *task_name;
    /* The number of the request for which that task works, as bight_request_id; 0: none. */
    uint64_t request_id;
    /* The task's trace context; NULL: it has none. */
    const struct bight_trace_context *trace;
    /* What is said. It may have any bytes that the program has put there. */
    const char *text;
    /* Of what the runtime, or bight_report_send, reports; NULL for a line of bight_log. */
    const struct bight_report *report;
};

struct bight_log_handler {
    /* Called on the loop's thread, in the task concerned or outside of tasks; must not suspend. The
     * line is valid during the call. What it logs itself is dropped. */
    void (*fn)(void *arg, const struct bight_log_line *line);
    void *arg;
    /* Lines below it are dropped before their text is made. */
    enum bight_log_level least;
};

/** Have this thread's runtime log to `handler` from now on; with a handler without fn, to nobody.
 *  `before`, which may be NULL, gets the handler up to now. The handler of reports gets them as
 *  before.
 *
 *  @return 0; BIGHT_ENORUNTIME.
 *  Ownership: keeps handler.arg until another handler is set or the runtime has ended.
 */
BIGHT_API int bight_log_set_handler(struct bight_log_handler handler,
                                    struct bight_log_handler *before);

/** Whether a line of that level goes to somebody, for those that are work to make.
 *
 *  @return false also on a thread without a runtime.
 *  Thread: any.
 */
BIGHT_API bool bight_log_wants(enum bight_log_level level);

/** Log a line of the calling task: a text as printf makes it, without a newline.
 *
 *  @return 0, also when nobody listens; BIGHT_EINVAL without format; BIGHT_ENORUNTIME.
 */
__attribute__((format(printf, 2, 3))) BIGHT_API int bight_log(enum bight_log_level level,
                                                              const char *format, ...);

enum bight_log_format {
    /* For people: 2026-11-30T11:00:00.123Z error #5 client: text id=REQUEST trace_id=TRACE. Control
     * characters become "?". */
    BIGHT_LOG_TEXT,
    /* An object a line: time (RFC 3339, UTC), level, task, task_name, id (of the request, as in an
     * access log), trace_id, span_id, sampled, code (of a report), text; what there is not is left
     * out. */
    BIGHT_LOG_JSON,
};

/* Room for any line of bight_log. */
#define BIGHT_LOG_LINE_BYTES 8192

/** Write a line, said now, with a line feed and a final NUL.
 *
 *  @return how many bytes, without the NUL; BIGHT_ETOOBIG: `bytes` may be too few, and nothing was
 *          written; BIGHT_EINVAL.
 *  Thread: any.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_log_line_text(const struct bight_log_line *line,
                                                       enum bight_log_format format, char *text,
                                                       size_t bytes);

BIGHT_END_DECLS

#endif
