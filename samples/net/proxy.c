/* proxy PORT HOST HOST_PORT: passes every connection on to HOST.
 *
 * To notice: two copies at once, one per direction, in one group. Each ends the half that it has
 * copied to its end, so that half-closed connections work; if one fails, the other is cancelled. A
 * slow reader at one side holds up the writer at the other: the proxy never has more than a buffer
 * of each direction in memory. */
#include "samples/net/serve.h"

#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/stream.h>
#include <bight/tcp.h>

#include <stdio.h>

#define CONNECT_MS 10000

struct proxy {
    uint16_t port;
    const char *host;
    uint16_t host_port;
};

struct direction {
    struct bight_stream *from;
    struct bight_stream *to;
};

static int copy(void *arg)
{
    const struct direction *direction = arg;
    int64_t copied = bight_stream_copy(direction->from, direction->to);

    return copied < 0 ? (int)copied : bight_stream_shutdown(direction->to);
}

static int pass_on(struct bight_stream *client, struct bight_stream *host)
{
    struct direction there = {client, host}, back = {host, client};
    struct bight_gather calls[] = {{.fn = copy, .arg = &there}, {.fn = copy, .arg = &back}};

    return bight_gather_all(calls, 2, 0);
}

struct dial {
    const struct proxy *proxy;
    struct bight_stream *host;
};

static int dial(void *arg)
{
    struct dial *to = arg;

    return bight_tcp_connect(&to->host, to->proxy->host, to->proxy->host_port, NULL, NULL);
}

static int serve(struct bight_stream *client, void *arg)
{
    struct dial to = {.proxy = arg};
    int rc = bight_timeout(CONNECT_MS, dial, &to);

    if (rc)
        return rc;
    rc = pass_on(client, to.host);
    if (rc)
        bight_stream_abort(to.host);
    else
        rc = bight_stream_end(to.host,
                              0); /* both ends have been seen: nothing is left to wait for */
    return rc;
}

static int run(void *arg)
{
    const struct proxy *proxy = arg;

    return serve_until_signal(proxy->port, serve, arg);
}

int main(int argc, char **argv)
{
    int port = argc == 4 ? parse_port(argv[1]) : -1;
    int host_port = argc == 4 ? parse_port(argv[3]) : -1;
    struct proxy proxy;
    int rc;

    if (port < 0 || host_port <= 0) {
        fprintf(stderr, "usage: proxy PORT HOST HOST_PORT\n");
        return 2;
    }
    proxy = (struct proxy){(uint16_t)port, argv[2], (uint16_t)host_port};
    rc = bight_run(run, &proxy);
    if (rc)
        fprintf(stderr, "proxy: %s\n", bight_strerror(rc));
    return rc != 0;
}
