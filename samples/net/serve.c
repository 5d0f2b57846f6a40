/* See serve.h. */
#include "samples/net/serve.h"

#include "samples/common/service.h"

#include <bight/tcp.h>

#include <stdlib.h>

/* Clients that are connected and idle do not keep a server that is to end. */
#define DRAIN_MS 1000

struct service {
    struct bight_listener *listener;
    int (*handler)(struct bight_stream *stream, void *arg);
    void *arg;
};

static int serve(void *arg)
{
    static const struct bight_serve_options options = {.drain_ms = DRAIN_MS};
    const struct service *service = arg;

    return bight_serve(service->listener, service->handler, service->arg, &options);
}

int serve_until_signal(uint16_t port, int (*handler)(struct bight_stream *stream, void *arg),
                       void *arg)
{
    struct service service = {.handler = handler, .arg = arg};
    int rc = bight_tcp_listen(&service.listener, "127.0.0.1", port, NULL);

    if (rc)
        return rc;
    rc = service_until_signal(service.listener, serve, &service);
    bight_listener_end(service.listener);
    return rc;
}

int parse_port(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return *text && !*end && port >= 0 && port <= 65535 ? (int)port : -1;
}
