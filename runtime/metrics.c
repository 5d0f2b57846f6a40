/* Metrics: a runtime's figures as OpenMetrics 1.0 has them. A family is told once, before its
 * samples; counters end in _total; "# EOF" is the last line. */
#include "runtime/metrics.h"

#include <inttypes.h>
#include <string.h>

#include <bight/runtime.h>

#include "coro/base/json.h"
#include "runtime/runtime.h"

#define KINDS 64
#define COUNTED_MOST 10000
#define NS_PER_S UINT64_C(1000000000)

/* Writing */

void bight__metrics_add(const struct bight_metrics *metrics, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    bight__print(&metrics->to, format, args);
    va_end(args);
}

void bight__metrics_family(const struct bight_metrics *metrics, const char *name, const char *type,
                           const char *unit, const char *help)
{
    bight__metrics_add(metrics, "# TYPE %s %s\n", name, type);
    if (unit)
        bight__metrics_add(metrics, "# UNIT %s %s\n", name, unit);
    bight__metrics_add(metrics, "# HELP %s %s\n", name, help);
}

/* Names are what a program, or a stranger, has made them: what is not UTF-8, and control
 * characters, become "?"; the three that mean something are escaped. */
const char *bight__metrics_label(char room[METRICS_LABEL_ROOM], const char *text)
{
    const unsigned char *at = (const unsigned char *)text,
                        *end = at + strnlen(text, METRICS_LABEL_BYTES);
    char *to = room;

    while (at < end) {
        size_t bytes = *at >= 0x80 ? bight__utf8_bytes(at) : 1;

        if (*at == '"' || *at == '\\' || *at == '\n') {
            *to++ = '\\';
            *to++ = *at == '\n' ? 'n' : (char)*at;
        } else if (!bytes || at + bytes > end || *at < ' ' || *at == 0x7f) {
            *to++ = '?';
        } else {
            memcpy(to, at, bytes);
            to += bytes;
        }
        at += bytes ? bytes : 1;
    }
    *to = '\0';
    return room;
}

/* The runtime's figures */

/* A family of one sample without labels. */
static void tell(const struct bight_metrics *metrics, const char *name, const char *type,
                 uint64_t value, const char *help)
{
    bight__metrics_family(metrics, name, type, NULL, help);
    bight__metrics_add(metrics, "%s%s %" PRIu64 "\n", name, *type == 'c' ? "_total" : "", value);
}

static void tell_seconds(const struct bight_metrics *metrics, const char *name, uint64_t ns,
                         const char *help)
{
    bight__metrics_family(metrics, name, "counter", "seconds", help);
    bight__metrics_add(metrics, "%s_total %" PRIu64 ".%09u\n", name, ns / NS_PER_S,
                       (unsigned)(ns % NS_PER_S));
}

static void tell_tasks(const struct bight_metrics *metrics, const struct bight_runtime_stats *stats)
{
    bight__metrics_family(metrics, "bight_tasks", "gauge", NULL, "Tasks that have not ended.");
    bight__metrics_add(metrics, "bight_tasks{state=\"ready\"} %zu\n", stats->ready);
    bight__metrics_add(metrics, "bight_tasks{state=\"running\"} %zu\n",
                       stats->live - stats->ready - stats->parked);
    bight__metrics_add(metrics, "bight_tasks{state=\"waiting\"} %zu\n", stats->parked);
    tell(metrics, "bight_tasks_outside", "gauge", stats->outside,
         "Waits that something outside of the runtime ends.");
    tell(metrics, "bight_tasks_spawned", "counter", stats->spawned, "Tasks spawned.");
}

static void tell_waits(const struct bight_metrics *metrics, size_t live)
{
    struct bight_parked counts[KINDS];
    char label[METRICS_LABEL_ROOM];
    int kinds = live <= COUNTED_MOST ? bight_runtime_count_parked(counts, KINDS) : 0;

    if (kinds <= 0)
        return;
    bight__metrics_family(metrics, "bight_tasks_waiting", "gauge", NULL,
                          "Tasks that wait, by what they wait for.");
    for (int i = 0; i < kinds; i++)
        bight__metrics_add(metrics, "bight_tasks_waiting{wait=\"%s\"} %zu\n",
                           bight__metrics_label(label, counts[i].name), counts[i].tasks);
}

static void tell_loop(const struct bight_metrics *metrics, const struct bight_runtime_stats *stats)
{
    tell(metrics, "bight_turns", "counter", stats->turns, "Turns of tasks.");
    tell(metrics, "bight_slices", "counter", stats->slices,
         "Runs of ready tasks between two entries of libuv.");
    tell(metrics, "bight_calls", "gauge", stats->calls, "Calls that are queued.");
    tell(metrics, "bight_posts", "gauge", stats->posts, "Posts that the loop has not seen yet.");
    tell(metrics, "bight_timers", "gauge", stats->timers, "Armed timers.");
    bight__metrics_family(metrics, "bight_stacks", "gauge", NULL, "Stacks with memory.");
    bight__metrics_add(metrics, "bight_stacks{state=\"used\"} %zu\n", stats->stacks_used);
    bight__metrics_add(metrics, "bight_stacks{state=\"cached\"} %zu\n", stats->stacks_cached);
}

/* Only if it was ever measured. */
static void tell_measured(const struct bight_metrics *metrics,
                          const struct bight_runtime_stats *stats)
{
    char label[METRICS_LABEL_ROOM];

    tell(metrics, "bight_measuring", "gauge", stats->measuring, "Whether turns are measured.");
    if (!stats->measured_ns)
        return;
    tell_seconds(metrics, "bight_measured_seconds", stats->measured_ns,
                 "Time in which turns were measured.");
    tell_seconds(metrics, "bight_poll_seconds", stats->poll_ns,
                 "Of that, asleep in the kernel until something happens.");
    tell_seconds(metrics, "bight_turns_seconds", stats->turns_ns, "Of that, in turns.");
    tell(metrics, "bight_tasks_ready_most", "gauge", stats->ready_longest,
         "The most tasks that were ready at the beginning of a turn.");
    bight__metrics_family(metrics, "bight_longest_turn_seconds", "gauge", "seconds",
                          "The longest turn, and whose it was.");
    bight__metrics_add(metrics, "bight_longest_turn_seconds{task=\"%s\"} %" PRIu64 ".%09u\n",
                       bight__metrics_label(label, stats->longest_turn_name),
                       stats->longest_turn_ns / NS_PER_S,
                       (unsigned)(stats->longest_turn_ns % NS_PER_S));
}

int bight_metrics_write(void (*write)(void *arg, const char *text, size_t bytes), void *arg)
{
    const struct bight_metrics metrics = {.to = {write, arg}};
    struct bight_runtime *runtime = bight__runtime();
    struct bight_runtime_stats stats;
    int rc = write ? bight_runtime_get_stats(&stats) : BIGHT_EINVAL;

    if (rc)
        return rc;
    tell_tasks(&metrics, &stats);
    tell_waits(&metrics, stats.live);
    tell_loop(&metrics, &stats);
    tell_measured(&metrics, &stats);
    if (runtime->tell_executors)
        runtime->tell_executors(runtime, &metrics);
    bight__metrics_add(&metrics, "# EOF\n");
    return 0;
}

/* Into a buffer */

struct buffer {
    char *text;
    size_t bytes, used; /* what it takes may be more than there is */
};

static void put(void *arg, const char *text, size_t bytes)
{
    struct buffer *buffer = arg;

    if (buffer->used + bytes < buffer->bytes)
        memcpy(buffer->text + buffer->used, text, bytes);
    buffer->used += bytes;
}

int64_t bight_metrics_text(char *text, size_t bytes)
{
    struct buffer buffer = {.text = text, .bytes = bytes};
    int rc = text ? bight_metrics_write(put, &buffer) : BIGHT_EINVAL;

    if (rc)
        return rc;
    if (buffer.used >= bytes)
        return BIGHT_ETOOBIG;
    text[buffer.used] = '\0';
    return (int64_t)buffer.used;
}
