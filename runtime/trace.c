/* Traces: begun, ended, and written as Chrome's JSON. A task is a thread there: its life is a span,
 * in which turns alternate with waits, each called by what is waited for, or "ready". What is no
 * task's, and the waits of the loop, are on thread 0. */
#include <bight/trace.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "coro/base/json.h"
#include "coro/base/print.h"
#include "coro/core/trace.h"
#include "runtime/runtime.h"

#define DEFAULT_EVENTS 65536
#define EVENTS_MOST ((size_t)1 << 32)

/* Taking it */

static void is_idle(struct bight_hook *hook)
{
    struct bight_trace *trace = container_of(hook, struct bight_trace, idle);
    struct bight_sched *sched = bight__sched;

    sched->step.begun = false; /* this is no turn to be seen */
    trace->poll_ns = sched->driver->now_ns(sched);
}

static void turn_begins(struct bight_hook *hook)
{
    struct bight_trace *trace = container_of(hook, struct bight_trace, turn);
    struct bight_sched *sched = bight__sched;

    sched->step.begun = false;
    if (!trace->poll_ns)
        return;
    *bight__trace_add(trace) = (struct bight_trace_record){
        .begin_ns = trace->poll_ns,
        .took_ns = sched->driver->now_ns(sched) - trace->poll_ns,
        .flags = TRACE_POLL,
    };
    trace->poll_ns = 0;
}

static struct bight_trace *trace_new(const struct bight_sched *sched, size_t events)
{
    struct bight_trace *trace;
    size_t records = events * sizeof(trace->records[0]);

    trace = bight__alloc_zero(&sched->seams,
                              sizeof(*trace) + records + 2 * events * sizeof(*trace->seen));
    if (!trace)
        return NULL;
    trace->mask = events - 1;
    trace->seen = (uint64_t *)((char *)trace->records + records);
    bight_hook_init(&trace->idle, is_idle);
    bight_hook_init(&trace->turn, turn_begins);
    return trace;
}

int bight_trace_begin(const struct bight_trace_options *options)
{
    size_t wanted = options && options->events_max ? options->events_max : DEFAULT_EVENTS;
    struct bight_runtime *runtime = bight__runtime();
    struct bight_trace *trace;
    size_t events = 1;

    if (wanted > EVENTS_MOST)
        return BIGHT_EINVAL;
    if (!runtime)
        return BIGHT_ENORUNTIME;
    if (runtime->sched.trace)
        return BIGHT_EALREADY;
    while (events < wanted)
        events *= 2;
    trace = trace_new(&runtime->sched, events);
    if (!trace)
        return BIGHT_ENOMEM;
    trace->begin_ns = runtime->sched.driver->now_ns(&runtime->sched);
    link_append(&runtime->idle_hooks, &trace->idle.link);
    link_append(&runtime->turn_hooks, &trace->turn.link);
    runtime->sched.trace = trace;
    bight__measure(&runtime->sched, MEASURE_TRACE, true);
    return 0;
}

/* Writing it */

struct writing {
    const struct bight_trace *trace;
    struct printer to;
    const char *between;
};

static __attribute__((format(printf, 2, 3))) void emit(const struct writing *writing,
                                                       const char *format, ...)
{
    va_list args;

    va_start(args, format);
    bight__print(&writing->to, format, args); /* a name takes at most half of the room */
    va_end(args);
}

/* An event of a kind at a time, up to where its own members begin. */
static void event(struct writing *writing, char kind, uint64_t task_id, uint64_t at_ns)
{
    uint64_t ns = at_ns - writing->trace->begin_ns;

    emit(writing, "%s\n{\"ph\": \"%c\", \"pid\": 1, \"tid\": %" PRIu64 ", \"ts\": %" PRIu64 ".%03u",
         writing->between, kind, task_id, ns / 1000, (unsigned)(ns % 1000));
    writing->between = ",";
}

static void named(struct writing *writing, const char *category, const char *name)
{
    char string[BIGHT_JSON_ROOM(BIGHT_TASK_NAME_BYTES)], cut[BIGHT_TASK_NAME_BYTES];

    snprintf(cut, sizeof(cut), "%s", name);
    emit(writing, ", \"cat\": \"%s\", \"name\": %s", category, bight__json_string(string, cut));
}

static void span(struct writing *writing, const struct bight_trace_record *record,
                 const char *category, const char *name)
{
    event(writing, 'X', record->task_id, record->begin_ns);
    named(writing, category, name);
    emit(writing, ", \"dur\": %" PRIu64 ".%03u}", record->took_ns / 1000,
         (unsigned)(record->took_ns % 1000));
}

static void begin(struct writing *writing, uint64_t task_id, uint64_t at_ns, const char *category,
                  const char *name)
{
    event(writing, 'B', task_id, at_ns);
    named(writing, category, name);
    emit(writing, "}");
}

static void end(struct writing *writing, uint64_t task_id, uint64_t at_ns)
{
    event(writing, 'E', task_id, at_ns);
    emit(writing, "}");
}

static void name_thread(struct writing *writing, uint64_t task_id, const char *name)
{
    char string[BIGHT_JSON_ROOM(BIGHT_TASK_NAME_BYTES)];

    event(writing, 'M', task_id, writing->trace->begin_ns);
    emit(writing, ", \"name\": \"thread_name\", \"args\": {\"name\": %s}}",
         bight__json_string(string, name));
}

/* Whether the trace has not shown the task before; it has now. */
static bool is_new(const struct bight_trace *trace, uint64_t task_id)
{
    size_t mask = 2 * trace->mask + 1;
    size_t at = (size_t)(task_id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

    while (trace->seen[at] && trace->seen[at] != task_id)
        at = (at + 1) & mask;
    if (trace->seen[at])
        return false;
    trace->seen[at] = task_id;
    return true;
}

/* A turn lies between two waits. Of a task that is new here and has run before, nothing is known
 * of the wait before this turn; its span begins with what there is. */
static void write_turn(struct writing *writing, const struct bight_trace_record *record)
{
    const char *name = record->name[0] ? record->name : "task";
    uint64_t over_ns = record->begin_ns + record->took_ns;

    if (is_new(writing->trace, record->task_id)) {
        name_thread(writing, record->task_id, name);
        begin(writing, record->task_id, record->begin_ns, "task", name);
    } else {
        end(writing, record->task_id, record->begin_ns);
    }
    span(writing, record, "turn", "run");
    if (record->flags & TRACE_ENDED)
        end(writing, record->task_id, over_ns);
    else
        begin(writing, record->task_id, over_ns, "wait",
              record->waits_for ? record->waits_for : "ready");
}

static void write_record(struct writing *writing, const struct bight_trace_record *record)
{
    if (record->flags & TRACE_POLL)
        span(writing, record, "loop", "poll");
    else if (record->task_id)
        write_turn(writing, record);
    else
        span(writing, record, "turn", "call");
}

static void write_trace(struct writing *writing)
{
    const struct bight_trace *trace = writing->trace;
    uint64_t i = trace->count > trace->mask ? trace->count - trace->mask - 1 : 0;

    emit(writing, "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [");
    name_thread(writing, 0, "loop");
    for (; i < trace->count; i++)
        write_record(writing, &trace->records[i & trace->mask]);
    emit(writing, "\n]}\n");
}

int bight_trace_end(void (*write)(void *arg, const char *text, size_t bytes), void *arg)
{
    struct bight_sched *sched = bight__sched;
    struct writing writing = {.to = {write, arg}, .between = ""};
    struct bight_trace *trace;

    if (!sched)
        return BIGHT_ENORUNTIME;
    trace = sched->trace;
    if (!trace)
        return BIGHT_EINVAL;
    bight__measure(sched, MEASURE_TRACE, false);
    sched->trace = NULL;
    link_remove(&trace->idle.link);
    link_remove(&trace->turn.link);
    writing.trace = trace;
    if (write)
        write_trace(&writing);
    bight__free(trace);
    return 0;
}

int bight_trace_end_fd(int fd)
{
    struct bight_fd_sink sink = {.seams = bight__sched ? &bight__sched->seams : NULL, .fd = fd};
    int rc = bight_trace_end(bight__write_fd, &sink);

    return rc ? rc : sink.rc;
}
