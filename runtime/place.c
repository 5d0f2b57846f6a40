/* Places in the program as text, and reports with them. */
#include "runtime/runtime.h"
#include "coro/core/task.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static size_t cut(int length, size_t text_bytes)
{
    if (length < 0)
        return 0;
    return (size_t)length < text_bytes ? (size_t)length : text_bytes - 1;
}

size_t bight_place_describe(const void *place, char *text, size_t text_bytes)
{
    const char *at, *slash;
    size_t offset;
    Dl_info info;

    if (!text || !text_bytes)
        return 0;
    if (!place)
        return cut(snprintf(text, text_bytes, "-"), text_bytes);
    at = (const char *)place - 1;
    if (!dladdr(at, &info) || !info.dli_fname)
        return cut(snprintf(text, text_bytes, "%p", (const void *)at), text_bytes);
    slash = strrchr(info.dli_fname, '/');
    offset = (size_t)(at - (const char *)info.dli_fbase);
    if (!info.dli_sname)
        return cut(
            snprintf(text, text_bytes, "%s+0x%zx", slash ? slash + 1 : info.dli_fname, offset),
            text_bytes);
    return cut(snprintf(text, text_bytes, "%s+0x%zx (%s+0x%zx)", info.dli_sname,
                        (size_t)(at - (const char *)info.dli_saddr),
                        slash ? slash + 1 : info.dli_fname, offset),
               text_bytes);
}

static const char *const kinds[] = {
    [BIGHT_REPORT_UNSEEN_FAILURE] = "unseen failure",
    [BIGHT_REPORT_IGNORED_CANCEL] = "ignored cancel",
    [BIGHT_REPORT_SCOPE_LEFT_OPEN] = "scope left open",
    [BIGHT_REPORT_MUTEX_HELD] = "mutex held",
    [BIGHT_REPORT_NEVER_JOINED] = "never joined",
    [BIGHT_REPORT_MAP_LIMIT] = "map limit",
    [BIGHT_REPORT_STALLED] = "stalled",
    [BIGHT_REPORT_SLOW_TURN] = "slow turn",
    [BIGHT_REPORT_PROGRAM] = "program",
    [BIGHT_REPORT_ABORT_HOOK] = "abort hook",
    [BIGHT_REPORT_LATE_CANCEL] = "late cancel",
    [BIGHT_REPORT_LEFT_RUNNING] = "left running",
    [BIGHT_REPORT_LEFT_OPEN] = "left open",
    [BIGHT_REPORT_STACK_MARK] = "stack mark",
};

static const char *kind_name(enum bight_report_kind kind)
{
    return (size_t)kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[kind] : "report";
}

/* What `count` counts, where that is not clear by itself. */
static const char *unit(enum bight_report_kind kind)
{
    switch (kind) {
    case BIGHT_REPORT_SLOW_TURN:
    case BIGHT_REPORT_LATE_CANCEL:
        return " ms";
    case BIGHT_REPORT_STACK_MARK:
        return " bytes used";
    case BIGHT_REPORT_STALLED:
        return " tasks";
    case BIGHT_REPORT_IGNORED_CANCEL:
        return " times";
    default:
        return "";
    }
}

/* What the places are to it. */
static const char *relation(enum bight_report_kind kind)
{
    switch (kind) {
    case BIGHT_REPORT_SLOW_TURN:
        return "at";
    case BIGHT_REPORT_LEFT_OPEN:
        return "opened at";
    default:
        return "spawned at";
    }
}

/* "bight: slow turn: #2 parser: kept the loop for long without waiting, 31 ms, EIO" */
static size_t first_line(const struct bight_report *report, char *line, size_t line_bytes)
{
    char task[64] = "", count[40] = "", code[48] = "";

    if (report->task_id)
        snprintf(task, sizeof(task), "#%" PRIu64 " %s: ", report->task_id,
                 report->task_name && *report->task_name ? report->task_name : "-");
    else if (report->task_name && *report->task_name)
        snprintf(task, sizeof(task), "%s: ", report->task_name);
    if (report->count)
        snprintf(count, sizeof(count), ", %" PRIu64 "%s", report->count, unit(report->kind));
    if (report->code)
        snprintf(code, sizeof(code), ", %s", bight_error_name(report->code));
    return cut(snprintf(line, line_bytes, "bight: %s: %s%s%s%s\n", kind_name(report->kind), task,
                        report->text ? report->text : "", count, code),
               line_bytes);
}

int bight_report_write_fd(const struct bight_report *report, int fd)
{
    struct bight_fd_sink sink = {.seams = bight__sched ? &bight__sched->seams : NULL, .fd = fd};
    char line[320], place[BIGHT_PLACE_BYTES];
    size_t bytes;

    if (!report)
        return BIGHT_EINVAL;
    bytes = first_line(report, line, sizeof(line));
    bight__write_fd(&sink, line, bytes);
    for (size_t i = 0; i < report->place_count; i++) {
        (void)bight_place_describe(report->places[i], place, sizeof(place));
        bytes = cut(snprintf(line, sizeof(line), "    %s %s\n", relation(report->kind), place),
                    sizeof(line));
        bight__write_fd(&sink, line, bytes);
    }
    return sink.rc;
}
