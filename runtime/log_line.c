/* What a line of the log looks like. Nothing that a program says, or a stranger made it say, can
 * end a line or a field early. */
#include "runtime/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <bight/task.h>

#include "coro/base/json.h"

/* All but the text, names being the longest, as JSON. */
#define AROUND_BYTES (512 + BIGHT_JSON_ROOM(BIGHT_TASK_NAME_BYTES))

#define TIME_BYTES 32
#define HEX_BYTES 33

static const char *level_name(enum bight_log_level level)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};

    if (level < BIGHT_LOG_DEBUG)
        level = BIGHT_LOG_DEBUG;
    if (level > BIGHT_LOG_ERROR)
        level = BIGHT_LOG_ERROR;
    return names[level - BIGHT_LOG_DEBUG];
}

static const char *time_text(char *text)
{
    struct timespec now;
    struct tm tm;
    size_t used;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    used = strftime(text, TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + used, TIME_BYTES - used, ".%03dZ", (int)(now.tv_nsec / 1000000));
    return text;
}

static const char *hex(char *text, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sprintf(text + 2 * i, "%02x", bytes[i]);
    return text;
}

/* A name of a task, cut to what one may have. */
static const char *name_of(const struct bight_log_line *line, char *name)
{
    snprintf(name, BIGHT_TASK_NAME_BYTES, "%s", line->task_name ? line->task_name : "");
    return name;
}

static char *json_text(const struct bight_log_line *line, char *to)
{
    char text[TIME_BYTES], number[HEX_BYTES], name[BIGHT_TASK_NAME_BYTES];

    to +=
        sprintf(to, "{\"time\":\"%s\",\"level\":\"%s\"", time_text(text), level_name(line->level));
    if (line->task_id)
        to += sprintf(to, ",\"task\":%" PRIu64, line->task_id);
    if (*name_of(line, name)) {
        to += sprintf(to, ",\"task_name\":");
        to += strlen(bight__json_string(to, name));
    }
    if (line->request_id)
        to += sprintf(to, ",\"id\":\"%016" PRIx64 "\"", line->request_id);
    if (line->trace) {
        to += sprintf(to, ",\"trace_id\":\"%s\"", hex(number, line->trace->trace_id, 16));
        to += sprintf(to, ",\"span_id\":\"%s\"", hex(number, line->trace->span_id, 8));
        to += sprintf(to, ",\"sampled\":%s",
                      line->trace->flags & BIGHT_TRACE_SAMPLED ? "true" : "false");
    }
    if (line->report && line->report->code)
        to += sprintf(to, ",\"code\":%d", line->report->code);
    to += sprintf(to, ",\"text\":");
    to += strlen(bight__json_string(to, line->text));
    return to + sprintf(to, "}\n");
}

/* Bytes beyond ASCII stay: what they are is the terminal's matter. */
static char *add_clean(char *to, const char *text)
{
    for (; *text; text++)
        *to++ = (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text;
    return to;
}

static char *plain_text(const struct bight_log_line *line, char *to)
{
    char text[TIME_BYTES], number[HEX_BYTES], name[BIGHT_TASK_NAME_BYTES];

    to += sprintf(to, "%s %s ", time_text(text), level_name(line->level));
    if (line->task_id)
        to += sprintf(to, "#%" PRIu64 " ", line->task_id);
    if (*name_of(line, name)) {
        to = add_clean(to, name);
        *to++ = ' ';
    }
    to[-1] = ':';
    *to++ = ' ';
    to = add_clean(to, line->text);
    if (line->report && line->report->code)
        to += sprintf(to, " (%s)", bight_strerror(line->report->code));
    if (line->request_id)
        to += sprintf(to, " id=%016" PRIx64, line->request_id);
    if (line->trace)
        to += sprintf(to, " trace_id=%s", hex(number, line->trace->trace_id, 16));
    return to + sprintf(to, "\n");
}

int64_t bight_log_line_text(const struct bight_log_line *line, enum bight_log_format format,
                            char *text, size_t bytes)
{
    size_t room;

    if (!line || !line->text || !text)
        return BIGHT_EINVAL;
    room = strlen(line->text);
    room = AROUND_BYTES + (format == BIGHT_LOG_JSON ? BIGHT_JSON_ROOM(room) : room);
    if (bytes < room)
        return BIGHT_ETOOBIG;
    if (format == BIGHT_LOG_JSON)
        return json_text(line, text) - text;
    return format == BIGHT_LOG_TEXT ? plain_text(line, text) - text : BIGHT_EINVAL;
}
