/* The log: its handler, lines of the program, and reports as lines. */
#include "runtime/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "coro/core/task.h"
#include "runtime/runtime.h"
#include "runtime/trace_context.h"

static const struct bight_local request_id = {"request id", NULL};

int bight__request_id_set(uint64_t id)
{
    return bight_local_set(&request_id, (void *)(uintptr_t)id);
}

uint64_t bight__request_id(void)
{
    return (uintptr_t)bight_local_get(&request_id);
}

static bool wants(const struct bight_runtime *runtime, enum bight_log_level level)
{
    return runtime && runtime->log.fn && level >= runtime->log.least && !runtime->logging;
}

/* Hand over a line of which level, text and report are filled in. */
static void hand_over(struct bight_runtime *runtime, const struct bight_task *task,
                      struct bight_log_line *line)
{
    line->request_id = (uintptr_t)bight__local_of(task, &request_id);
    line->trace = bight__trace_context_of(task);
    runtime->logging = true;
    runtime->log.fn(runtime->log.arg, line);
    runtime->logging = false;
}

int bight_log_set_handler(struct bight_log_handler handler, struct bight_log_handler *before)
{
    struct bight_runtime *runtime = bight__runtime();

    if (!runtime)
        return BIGHT_ENORUNTIME;
    if (before)
        *before = runtime->log;
    runtime->log = handler;
    return 0;
}

bool bight_log_wants(enum bight_log_level level)
{
    return wants(bight__runtime(), level);
}

int bight_log(enum bight_log_level level, const char *format, ...)
{
    struct bight_runtime *runtime = bight__runtime();
    const struct bight_task *task = bight_self();
    struct bight_log_line line = {.level = level, .task_name = ""};
    char text[BIGHT_LOG_TEXT_BYTES];
    va_list args;

    if (!format)
        return BIGHT_EINVAL;
    if (!wants(runtime, level))
        return runtime ? 0 : BIGHT_ENORUNTIME;
    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0)
        text[0] = '\0';
    va_end(args);
    line.text = text;
    if (task) {
        line.task_id = task->id;
        line.task_name = task->name;
    }
    hand_over(runtime, task, &line);
    return 0;
}

static enum bight_log_level level_of(const struct bight_report *report)
{
    switch (report->kind) {
    case BIGHT_REPORT_PROGRAM:
        return report->code < 0 ? BIGHT_LOG_ERROR : BIGHT_LOG_INFO;
    case BIGHT_REPORT_IGNORED_CANCEL:
    case BIGHT_REPORT_NEVER_JOINED:
    case BIGHT_REPORT_SLOW_TURN:
        return BIGHT_LOG_WARNING;
    default:
        return BIGHT_LOG_ERROR;
    }
}

void bight__log_report(struct bight_runtime *runtime, const struct bight_task *task,
                       const struct bight_report *report)
{
    struct bight_log_line line = {
        .level = level_of(report),
        .task_id = report->task_id,
        .task_name = report->task_name ? report->task_name : "",
        .text = report->text,
        .report = report,
    };

    if (wants(runtime, line.level))
        hand_over(runtime, task, &line);
}
