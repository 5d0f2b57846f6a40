/* A listener whose port is printed, and signals that close it. */
#include "samples/net/serve.h"

#include <bight/background.h>
#include <bight/errors.h>
#include <bight/listener.h>
#include <bight/signal.h>
#include <bight/tcp.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* Clients that are connected and idle do not keep a server that is to end. */
#define DRAIN_MS 1000

struct service {
    struct bight_listener *listener;
    int (*handler)(struct bight_stream *stream, void *arg);
    void *arg;
};

/* After the close bight_serve gives the handlers some time to finish, and returns. */
static int close_at(struct bight_listener *listener, int signum)
{
    struct bight_signal *arrival;
    int rc = bight_signal_open(&arrival, signum);

    if (rc)
        return rc;
    rc = bight_signal_wait(arrival);
    bight_signal_end(arrival);
    if (rc < 0)
        return rc;
    rc = bight_listener_close(listener);
    return rc == BIGHT_EALREADY ? 0 : rc;
}

static int on_interrupt(void *arg)
{
    return close_at(arg, SIGINT);
}

static int on_terminate(void *arg)
{
    return close_at(arg, SIGTERM);
}

/* Whatever ends the server, those that wait for a signal end with it. */
static int serve(const struct service *service)
{
    static const struct bight_serve_options options = {.drain_ms = DRAIN_MS};
    struct bight_background *signals;
    int ended, rc = bight_background_new(&signals, NULL, NULL);

    if (rc)
        return rc;
    rc = bight_background_spawn(NULL, signals, NULL, on_interrupt, service->listener);
    if (rc == 0)
        rc = bight_background_spawn(NULL, signals, NULL, on_terminate, service->listener);
    if (rc == 0)
        rc = bight_serve(service->listener, service->handler, service->arg, &options);
    ended = bight_background_end(signals);
    return rc ? rc : ended;
}

int serve_until_signal(uint16_t port, int (*handler)(struct bight_stream *stream, void *arg),
                       void *arg)
{
    struct service service = {.handler = handler, .arg = arg};
    struct bight_address address;
    char text[BIGHT_ADDRESS_TEXT_BYTES];
    int rc = bight_tcp_listen(&service.listener, "127.0.0.1", port, NULL);

    if (rc)
        return rc;
    rc = bight_listener_address(service.listener, &address);
    if (rc == 0) {
        printf("listening on %s\n", bight_address_text(&address, text));
        fflush(stdout);
        rc = serve(&service);
    }
    bight_listener_end(service.listener);
    return rc;
}

int parse_port(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return *text && !*end && port >= 0 && port <= 65535 ? (int)port : -1;
}
