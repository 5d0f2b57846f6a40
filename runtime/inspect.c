/* Looking at a runtime from outside: counts, and the dump to a descriptor. */
#include "runtime/runtime.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static uint64_t poll_ns(const struct bight_runtime *runtime)
{
    if (runtime->sched.measuring & MEASURE_STATS)
        return uv_metrics_idle_time(runtime->loop) - runtime->poll_before_ns;
    return runtime->poll_ns;
}

static void add_measured(struct bight_runtime_stats *stats, struct bight_runtime *runtime)
{
    const struct bight_measured *measured = &runtime->sched.measured;

    stats->measuring = runtime->sched.measuring & MEASURE_STATS;
    stats->measured_ns = bight__measured_ns(&runtime->sched);
    stats->poll_ns = poll_ns(runtime);
    stats->turns_ns = measured->turns_ns;
    stats->longest_turn_ns = measured->longest_ns;
    stats->longest_turn_id = measured->longest_id;
    memcpy(stats->longest_turn_name, measured->longest_name, sizeof stats->longest_turn_name);
    stats->ready_longest = measured->ready_most;
}

int bight_runtime_get_stats(struct bight_runtime_stats *stats)
{
    struct bight_runtime *runtime = bight__runtime();
    const struct bight_sched *sched = bight__sched;

    if (!stats)
        return BIGHT_EINVAL;
    if (!runtime)
        return BIGHT_ENORUNTIME;
    *stats = (struct bight_runtime_stats){
        .live = sched->live,
        .ready = bight__ready_count(sched),
        .spawned = sched->spawned,
        .slices = sched->slices,
        .stacks_used = sched->stacks.used,
        .stacks_cached = sched->stacks.cached,
        .timers = runtime->wheel.armed - runtime->sched.stale_timers,
        .turns = sched->ready_head,
        .parked = sched->live - bight__ready_count(sched) - (sched->current != NULL),
        .outside = sched->outside,
        .calls = sched->calls_queued,
        .posts = bight__mailbox_waiting(runtime->mailbox),
    };
    add_measured(stats, runtime);
    return 0;
}

void bight__runtime_measure(struct bight_runtime *runtime, bool on)
{
    if (!on)
        runtime->poll_ns = poll_ns(runtime);
    else if (!(runtime->sched.measuring & MEASURE_STATS)) {
        (void)uv_loop_configure(runtime->loop, UV_METRICS_IDLE_TIME); /* always there */
        runtime->poll_before_ns = uv_metrics_idle_time(runtime->loop);
    }
    bight__measure(&runtime->sched, MEASURE_STATS, on);
}

int bight_runtime_set_measuring(bool on)
{
    struct bight_runtime *runtime = bight__runtime();

    if (!runtime)
        return BIGHT_ENORUNTIME;
    bight__runtime_measure(runtime, on);
    return 0;
}

void bight__write_fd(void *arg, const char *text, size_t bytes)
{
    struct bight_fd_sink *sink = arg;

    while (bytes && !sink->rc) {
        size_t most = bytes;
        ssize_t written =
            bight__transfer_fails(sink->seams, "write", &most) ? -1 : write(sink->fd, text, most);

        if (written >= 0) {
            text += written;
            bytes -= (size_t)written;
        } else if (errno != EINTR) {
            sink->rc = -errno;
        }
    }
}

int bight_dump_fd(int fd)
{
    struct bight_fd_sink sink = {.seams = bight__sched ? &bight__sched->seams : NULL, .fd = fd};
    int rc = bight_dump(bight__write_fd, &sink);

    return rc ? rc : sink.rc;
}
