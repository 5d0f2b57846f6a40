/* The echo server of bight: a task per connection. */
#include "bench/echo.h"
#include "bench/run.h"

#include <bight/group.h>
#include <bight/listener.h>
#include <bight/stream.h>

#define BUFFER_BYTES 32768

struct server {
    const struct echo_job *job;
    struct bight_listener *listener;
    int (*handler)(struct bight_stream *stream, void *arg);
    unsigned served;
    unsigned closed;
};

static int closed(struct server *server, int rc)
{
    if (++server->closed == server->job->connections)
        bench_check(bight_listener_close(server->listener), "close");
    return rc;
}

static int buffered(struct bight_stream *stream, void *arg)
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

static int in_place(struct bight_stream *stream, void *arg)
{
    struct server *server = arg;
    bool first = true;
    const void *data;
    int64_t count;

    while ((count = bight_stream_peek(stream, &data, 1)) > 0) {
        int rc = bight_stream_write(stream, data, (size_t)count);
        if (rc == 0)
            rc = bight_stream_consume(stream, (size_t)count);
        if (rc)
            return closed(server, rc);
        if (first && ++server->served == server->job->connections && server->job->all_idle)
            server->job->all_idle();
        first = false;
    }
    return closed(server, (int)count);
}

static int serve(void *arg)
{
    struct server *server = arg;
    int rc;

    bench_check(bight_listener_from_fd(&server->listener, server->job->listener), "listener");
    rc = bight_serve(server->listener, server->handler, server, NULL);
    bench_check(rc, "serve");
    return bight_listener_end(server->listener);
}

void echo_bight(const struct echo_job *job)
{
    struct server server = {.job = job, .handler = buffered};

    bench_run(serve, &server);
}

void echo_bight_idle(const struct echo_job *job)
{
    struct server server = {.job = job, .handler = in_place};

    bench_run(serve, &server);
}
