/* proxy PORT HOST HOST_PORT: passes every connection on to HOST.
 *
 * To notice, in samples/common/relay.c: two copies at once, one per direction, in one group. Each
 * ends the half that it has copied to its end, so that half-closed connections work; if one fails,
 * the other is cancelled. A slow reader at one side holds up the writer at the other: the proxy
 * never has more than a buffer of each direction in memory. */
#include "samples/common/relay.h"
#include "samples/net/serve.h"

#include <bight/errors.h>
#include <bight/runtime.h>

#include <stdio.h>

struct proxy {
    uint16_t port;
    struct relay_host host;
};

static int serve(struct bight_stream *client, void *arg)
{
    const struct proxy *proxy = arg;

    return relay(client, &proxy->host);
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
    proxy = (struct proxy){(uint16_t)port, {argv[2], (uint16_t)host_port}};
    rc = bight_run(run, &proxy);
    if (rc)
        fprintf(stderr, "proxy: %s\n", bight_strerror(rc));
    return rc != 0;
}
