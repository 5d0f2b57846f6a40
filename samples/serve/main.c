/* bight-serve: the files of a directory over HTTP. A task per connection; the handler is one call.
 * README.md says what it does. */
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
#include <bight/static.h>
#include <bight/tcp.h>

#include "samples/serve/options.h"

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
};

/* For the requests that are under way when a signal comes. */
#define DRAIN_MS 5000

struct service {
    struct options options;
    struct bight_static *files;
    struct bight_listener *listener;
};

static int answer(struct bight_exchange *exchange, void *arg)
{
    const struct service *service = arg;
    return bight_static_answer(exchange, service->files, NULL);
}

static void print_line(void *arg, const struct bight_exchange *exchange)
{
    static char line[BIGHT_ACCESS_LOG_BYTES];

    (void)arg;
    if (bight_access_log_line(exchange, BIGHT_ACCESS_LOG_COMBINED, line, sizeof line) > 0) {
        (void)fputs(line, stdout);
        (void)fflush(stdout);
    }
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
    const struct bight_http_serve_options options = {
        .serve.drain_ms = DRAIN_MS,
        .on_done = service->options.verbose ? print_line : NULL,
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
        rc = bight_http_serve(service->listener, answer, service, &options);
    int ended = bight_background_end(background);
    bight_signal_end(stops[0].signal);
    bight_signal_end(stops[1].signal);
    return rc ? rc : ended;
}

static int listen_and_serve(void *arg)
{
    struct service *service = arg;
    int rc =
        bight_tcp_listen(&service->listener, service->options.host, service->options.port, NULL);
    if (rc)
        return rc;
    rc = serve(service);
    bight_listener_end(service->listener);
    return rc;
}

/* --- main ------------------------------------------------------------------------------------- */

static int complain(const char *what, int code)
{
    (void)fprintf(stderr, "bight-serve: %s: %s\n", what, bight_strerror(code));
    return EXIT_FAILED;
}

/* Each connection needs a descriptor; the usual soft limit of 1,024 is there for programs that use
 * select. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    /* Failure shows where it matters: clients wait until others have gone. */
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(struct service *service)
{
    const struct options *options = &service->options;
    const struct bight_static_options files = {
        .index = options->index,
        .cache_control = *options->cache_control ? options->cache_control : NULL,
        .dot_files = options->dot_files,
        .precompressed = options->precompressed,
    };
    int rc = bight_static_new(&service->files, options->root, &files);
    if (rc)
        return complain(options->root, rc);
    rc = bight_run(listen_and_serve, service);
    bight_static_free(service->files);
    return rc ? complain("cannot serve", rc) : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct service service = {.files = NULL};

    raise_descriptor_limit();
    switch (options_read(&service.options, argc, argv)) {
    case OPTIONS_RUN:
        return run(&service);
    case OPTIONS_DONE:
        return EXIT_SUCCESS;
    default:
        return EXIT_USAGE;
    }
}
