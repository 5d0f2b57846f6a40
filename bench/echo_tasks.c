/* See echo_tasks.h. */
#include "bench/echo_tasks.h"

#include "bench/bench.h"

#define BUFFER_BYTES 32768

void echo_tasks_listen(struct echo_tasks *tasks)
{
    bench_check(bight_listener_from_fd(&tasks->listener, tasks->job->listener), "listener");
}

static int closed(struct echo_tasks *tasks, int rc)
{
    if (++tasks->closed == tasks->job->connections)
        bench_check(bight_listener_close(tasks->listener), "close");
    return rc;
}

int echo_buffered(struct bight_stream *stream, void *arg)
{
    char buffer[BUFFER_BYTES];
    int64_t count;

    while ((count = bight_stream_read(stream, buffer, sizeof(buffer))) > 0) {
        int rc = bight_stream_write(stream, buffer, (size_t)count);
        if (rc)
            return closed(arg, rc);
    }
    return closed(arg, (int)count);
}

int echo_in_place(struct bight_stream *stream, void *arg)
{
    struct echo_tasks *tasks = arg;
    bool first = true;
    const void *data;
    int64_t count;

    while ((count = bight_stream_peek(stream, &data, 1)) > 0) {
        int rc = bight_stream_write(stream, data, (size_t)count);
        if (rc == 0)
            rc = bight_stream_consume(stream, (size_t)count);
        if (rc)
            return closed(tasks, rc);
        if (first && ++tasks->served == tasks->job->connections && tasks->job->all_idle)
            tasks->job->all_idle();
        first = false;
    }
    return closed(tasks, (int)count);
}
