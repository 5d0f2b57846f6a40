/* Looking at a runtime from outside: counts, and the dump to a descriptor. */
#include "runtime/runtime.h"

#include <errno.h>
#include <unistd.h>

int bight_runtime_get_stats(struct bight_runtime_stats *stats)
{
    const struct bight_runtime *runtime = bight__runtime();

    if (!stats)
        return BIGHT_EINVAL;
    if (!runtime)
        return BIGHT_ENORUNTIME;
    *stats = (struct bight_runtime_stats){
        .live = runtime->sched.live,
        .ready = bight__ready_count(&runtime->sched),
        .spawned = runtime->sched.spawned,
        .slices = runtime->sched.slices,
        .stacks_used = runtime->sched.stacks.used,
        .stacks_cached = runtime->sched.stacks.cached,
        .timers = runtime->wheel.armed,
    };
    return 0;
}

struct fd_sink {
    const struct bight_seams *seams;
    int fd;
    int rc;
};

static void write_fd(void *arg, const char *text, size_t bytes)
{
    struct fd_sink *sink = arg;

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
    struct fd_sink sink = {.seams = bight__sched ? &bight__sched->seams : NULL, .fd = fd};
    int rc = bight_dump(write_fd, &sink);

    return rc ? rc : sink.rc;
}
