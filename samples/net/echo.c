/* echo [PORT]: returns to every client what it sends.
 *
 * To notice: a task per connection in direct style; a client that goes away, or never reads, ends
 * or holds up its own task and nobody else's. What has come is written back from where it is
 * (bight_stream_peek), so a connection that is idle holds no buffer. */
#include "samples/net/serve.h"

#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/stream.h>

#include <stdio.h>

static int echo(struct bight_stream *stream, void *arg)
{
    const void *data;
    int64_t count;

    (void)arg;
    while ((count = bight_stream_peek(stream, &data, 1)) > 0) {
        int rc = bight_stream_write(stream, data, (size_t)count);

        if (rc == 0)
            rc = bight_stream_consume(stream, (size_t)count);
        if (rc)
            return rc;
    }
    return (int)count;
}

static int run(void *arg)
{
    return serve_until_signal(*(const uint16_t *)arg, echo, NULL);
}

int main(int argc, char **argv)
{
    int wanted = argc > 1 ? parse_port(argv[1]) : 0;
    uint16_t port = (uint16_t)wanted;
    int rc;

    if (argc > 2 || wanted < 0) {
        fprintf(stderr, "usage: echo [PORT]\n");
        return 2;
    }
    rc = bight_run(run, &port);
    if (rc)
        fprintf(stderr, "echo: %s\n", bight_strerror(rc));
    return rc != 0;
}
