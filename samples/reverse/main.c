/* bight-reverse: hands HTTP requests on to servers behind, and what those answer back. A task per
 * connection; the handler is proxy_answer. README.md says what it does. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <bight/access_log.h>
#include <bight/background.h>
#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/server.h>
#include <bight/signal.h>
#include <bight/tcp.h>

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

static void print_line(void *arg, const struct bight_exchange *exchange)
{
    static char line[BIGHT_ACCESS_LOG_BYTES];

    (void)arg;
    if (bight_access_log_line(exchange, BIGHT_ACCESS_LOG_COMBINED, line, sizeof line) > 0) {
        (void)fputs(line, stdout);
        (void)fflush(stdout);
    }
}

/* What a server behind did was said where it was seen, and what clients do is no news. */
static void print_shortage(void *arg, const struct bight_exchange *exchange, int code)
{
    (void)arg;
    if (code == BIGHT_ENOMEM || code == BIGHT_EMFILE)
        (void)fprintf(stderr, "bight-reverse: %s %s: %s\n", bight_exchange_method(exchange),
                      bight_exchange_target(exchange), bight_strerror(code));
}

/* --- its life --------------------------------------------------------------------------------- */

/* A signal that ends it. */
struct stop {
    struct bight_listener *listener;
    struct bight_signal *signal;
};

/* After the close bight_http_serve lets the handlers finish, and returns. */
static int wait_and_close(void *arg)
{
    const struct stop *stop = arg;
    int rc = bight_signal_wait(stop->signal);
    if (rc < 0)
        return rc;
    rc = bight_listener_close(stop->listener);
    return rc == BIGHT_EALREADY ? 0 : rc;
}

/* From here on the signal is ours. */
static int stop_at(struct bight_background *background, struct stop *stop, int signum)
{
    int rc = bight_signal_open(&stop->signal, signum);
    if (rc)
        return rc;
    return bight_background_spawn(NULL, background, NULL, wait_and_close, stop);
}

/* Whoever reads the line may connect, and send a signal. */
static int announce(const struct bight_listener *listener)
{
    struct bight_address address;
    char text[BIGHT_ADDRESS_TEXT_BYTES];
    int rc = bight_listener_address(listener, &address);
    if (rc)
        return rc;
    (void)printf("listening on %s\n", bight_address_text(&address, text));
    (void)fflush(stdout);
    return 0;
}

static int serve(struct service *service)
{
    const struct options *settings = &service->proxy.options;
    const struct bight_http_serve_options options = {
        .serve.drain_ms = DRAIN_MS,
        .max_body_bytes = settings->max_body_bytes,
        .trusted = settings->trusted,
        .forwarded = BIGHT_FORWARDED_X,
        .request_ids = true,
        .on_failure = print_shortage,
        .on_done = settings->verbose ? print_line : NULL,
    };
    struct stop stops[] = {{.listener = service->listener}, {.listener = service->listener}};
    struct bight_background *background;
    int rc = bight_background_new(&background, NULL, NULL);
    if (rc)
        return rc;
    rc = stop_at(background, &stops[0], SIGINT);
    if (rc == 0)
        rc = stop_at(background, &stops[1], SIGTERM);
    if (rc == 0)
        rc = announce(service->listener);
    if (rc == 0)
        rc = bight_http_serve(service->listener, proxy_answer, &service->proxy, &options);
    int ended = bight_background_end(background);
    bight_signal_end(stops[0].signal);
    bight_signal_end(stops[1].signal);
    return rc ? rc : ended;
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
        rc = serve(service);
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

/* Each connection needs descriptors; the usual soft limit of 1,024 is there for programs that use
 * select. Here each needs two. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    /* Failure shows where it matters: clients wait until others have gone. */
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    static struct service service;
    int rc;

    raise_descriptor_limit();
    switch (options_read(&service.proxy.options, argc, argv)) {
    case OPTIONS_RUN:
        rc = bight_run(listen_and_serve, &service);
        return rc ? complain("cannot serve", rc) : EXIT_SUCCESS;
    case OPTIONS_DONE:
        return EXIT_SUCCESS;
    default:
        return EXIT_USAGE;
    }
}
