/* bight-reverse: hands HTTP requests on to servers behind, and what those answer back. A task per
 * connection; the handler is proxy_answer. README.md says what it does. */
#include <stdio.h>
#include <stdlib.h>

#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/server.h>
#include <bight/tcp.h>

#include "samples/common/access.h"
#include "samples/common/service.h"
#include "samples/reverse/proxy.h"

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
};

/* For the requests that are under way when a signal comes. */
#define DRAIN_MS 5000

struct service {
    struct proxy proxy;
    struct bight_listener *listener;
};

/* What a server behind did was said where it was seen, and what clients do is no news. */
static void print_shortage(void *arg, const struct bight_exchange *exchange, int code)
{
    (void)arg;
    if (code == BIGHT_ENOMEM || code == BIGHT_EMFILE)
        (void)fprintf(stderr, "bight-reverse: %s %s: %s\n", bight_exchange_method(exchange),
                      bight_exchange_target(exchange), bight_strerror(code));
}

/* --- its life --------------------------------------------------------------------------------- */

static int serve(void *arg)
{
    struct service *service = arg;
    const struct options *settings = &service->proxy.options;
    const struct bight_http_serve_options options = {
        .serve.drain_ms = DRAIN_MS,
        .max_body_bytes = settings->max_body_bytes,
        .trusted = settings->trusted,
        .forwarded = BIGHT_FORWARDED_X,
        .request_ids = true,
        .on_failure = print_shortage,
        .on_done = settings->verbose ? access_print_combined : NULL,
    };

    return bight_http_serve(service->listener, proxy_answer, &service->proxy, &options);
}

/* What servers say goes on as it is: redirects are not followed, codings not undone. How long one
 * may be silent, pass.c decides request by request. */
static int open_session(struct proxy *proxy)
{
    const struct bight_http_session_options options = {
        .max_total = -1,
        .max_per_host = -1,
        .user_agent = "",
        .accept_encoding = "",
        .resolve_timeout_ms = proxy->options.connect_ms,
        .connect_timeout_ms = proxy->options.connect_ms,
        .idle_timeout_ms = -1,
        .total_timeout_ms = -1,
        .max_body_bytes = UINT64_MAX,
        .max_redirects = -1,
    };

    return bight_http_session_new(&proxy->session, &options);
}

static int listen_and_serve(void *arg)
{
    struct service *service = arg;
    const struct options *settings = &service->proxy.options;
    int ended, rc = bight_tcp_listen(&service->listener, settings->host, settings->port, NULL);

    if (rc)
        return rc;
    rc = open_session(&service->proxy);
    if (rc == 0) {
        rc = service_until_signal(service->listener, serve, service);
        ended = bight_http_session_end(service->proxy.session);
        rc = rc ? rc : ended;
    }
    bight_listener_end(service->listener);
    return rc;
}

/* --- main ------------------------------------------------------------------------------------- */

static int complain(const char *what, int code)
{
    (void)fprintf(stderr, "bight-reverse: %s: %s\n", what, bight_strerror(code));
    return EXIT_FAILED;
}

int main(int argc, char **argv)
{
    static struct service service;
    int rc;

    service_raise_descriptor_limit();
    switch (options_read(&service.proxy.options, argc, argv)) {
    case COMMAND_RUN:
        rc = bight_run(listen_and_serve, &service);
        return rc ? complain("cannot serve", rc) : EXIT_SUCCESS;
    case COMMAND_DONE:
        return EXIT_SUCCESS;
    default:
        return EXIT_USAGE;
    }
}
