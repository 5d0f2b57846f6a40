/* Trace contexts: the header traceparent, and the context of a task, which is a local that is a
 * copy, so that it lasts as long as the last task that has inherited it. */
#include "runtime/trace_context.h"

#include <stdio.h>
#include <string.h>

#include <bight/task.h>

#include "coro/core/task.h"

/* version-trace-span-flags */
#define TRACE_AT 3
#define SPAN_AT 36
#define FLAGS_AT 53
#define LENGTH ((size_t)BIGHT_TRACEPARENT_BYTES - 1)

struct carried {
    struct bight_trace_context context;
    char tracestate[BIGHT_TRACESTATE_BYTES];
};

static const struct bight_local current = {"trace context", NULL};

/* Lower case only: a sender must not use the other. */
static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Read `bytes` from twice as many digits; false: some are none. */
static bool read_hex(uint8_t *to, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool any_set(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i])
            return true;
    }
    return false;
}

static bool is_valid(const struct bight_trace_context *context)
{
    return context && any_set(context->trace_id, sizeof(context->trace_id)) &&
           any_set(context->span_id, sizeof(context->span_id));
}

/* Version 00 ends after the flags; a later one may go on behind a dash, and is not ff. */
static bool has_form(const char *text)
{
    uint8_t version;

    if (strnlen(text, LENGTH) < LENGTH || !read_hex(&version, text, 1) || version == 0xff)
        return false;
    if (text[TRACE_AT - 1] != '-' || text[SPAN_AT - 1] != '-' || text[FLAGS_AT - 1] != '-')
        return false;
    return !text[LENGTH] || (version > 0 && text[LENGTH] == '-');
}

int bight_trace_context_parse(struct bight_trace_context *out, const char *traceparent)
{
    struct bight_trace_context context;

    if (!out || !traceparent || !has_form(traceparent) ||
        !read_hex(context.trace_id, traceparent + TRACE_AT, sizeof(context.trace_id)) ||
        !read_hex(context.span_id, traceparent + SPAN_AT, sizeof(context.span_id)) ||
        !read_hex(&context.flags, traceparent + FLAGS_AT, 1) || !is_valid(&context))
        return BIGHT_EINVAL;
    context.flags &= BIGHT_TRACE_SAMPLED;
    *out = context;
    return 0;
}

static char *write_hex(char *to, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to += sprintf(to, "%02x", bytes[i]);
    return to;
}

int bight_trace_context_format(const struct bight_trace_context *context, char *traceparent,
                               size_t bytes)
{
    char *to = traceparent;

    if (!is_valid(context) || !traceparent || bytes < BIGHT_TRACEPARENT_BYTES)
        return BIGHT_EINVAL;
    to += sprintf(to, "00-");
    to = write_hex(to, context->trace_id, sizeof(context->trace_id));
    *to++ = '-';
    to = write_hex(to, context->span_id, sizeof(context->span_id));
    sprintf(to, "-%02x", context->flags & BIGHT_TRACE_SAMPLED);
    return 0;
}

static void fill_random(struct bight_sched *sched, uint8_t *bytes, size_t count)
{
    do {
        for (size_t i = 0; i < count; i += sizeof(uint64_t)) {
            uint64_t bits = bight__random(sched);

            memcpy(bytes + i, &bits, sizeof(bits));
        }
    } while (!any_set(bytes, count));
}

int bight_trace_context_make(struct bight_trace_context *out,
                             const struct bight_trace_context *parent)
{
    struct bight_trace_context context = {0};

    if (!out || (parent && !is_valid(parent)))
        return BIGHT_EINVAL;
    if (!bight__sched)
        return BIGHT_ENORUNTIME;
    if (parent)
        context = *parent;
    else
        fill_random(bight__sched, context.trace_id, sizeof(context.trace_id));
    fill_random(bight__sched, context.span_id, sizeof(context.span_id));
    *out = context;
    return 0;
}

int bight_trace_context_set(const struct bight_trace_context *context, const char *tracestate)
{
    struct carried carried;
    int bytes = tracestate ? bight__tracestate_check(tracestate) : 0;

    if (!context)
        return tracestate ? BIGHT_EINVAL : bight_local_set(&current, NULL);
    if (!is_valid(context) || bytes < 0)
        return BIGHT_EINVAL;
    carried.context = *context;
    carried.context.flags &= BIGHT_TRACE_SAMPLED;
    if (bytes)
        memcpy(carried.tracestate, tracestate, (size_t)bytes);
    carried.tracestate[bytes] = '\0';
    return bight_local_set_copy(&current, &carried,
                                offsetof(struct carried, tracestate) + (size_t)bytes + 1);
}

const struct bight_trace_context *bight__trace_context_of(const struct bight_task *task)
{
    const struct carried *carried = task ? bight__local_of(task, &current) : NULL;

    return carried ? &carried->context : NULL;
}

int bight_trace_context_get(struct bight_trace_context *out)
{
    const struct bight_task *task = bight_self();
    const struct bight_trace_context *context = bight__trace_context_of(task);

    if (!out)
        return BIGHT_EINVAL;
    if (!task)
        return BIGHT_ENOTASK;
    if (!context)
        return BIGHT_ENOENT;
    *out = *context;
    return 0;
}

const char *bight_trace_context_state(void)
{
    const struct carried *carried = bight_local_get(&current);

    return carried ? carried->tracestate : "";
}
