/* bight-serve: the files of a directory over HTTP. A task per connection; the handler is one call.
 * README.md says what it does. */
#include <stdio.h>
#include <stdlib.h>

#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/server.h>
#include <bight/static.h>
#include <bight/tcp.h>

#include "samples/common/access.h"
#include "samples/common/service.h"
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

static int serve(void *arg)
{
    struct service *service = arg;
    const struct bight_http_serve_options options = {
        .serve.drain_ms = DRAIN_MS,
        .on_done = service->options.verbose ? access_print_combined : NULL,
    };
    return bight_http_serve(service->listener, answer, service, &options);
}

static int listen_and_serve(void *arg)
{
    struct service *service = arg;
    int rc =
        bight_tcp_listen(&service->listener, service->options.host, service->options.port, NULL);
    if (rc)
        return rc;
    rc = service_until_signal(service->listener, serve, service);
    bight_listener_end(service->listener);
    return rc;
}

static int complain(const char *what, int code)
{
    (void)fprintf(stderr, "bight-serve: %s: %s\n", what, bight_strerror(code));
    return EXIT_FAILED;
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

    service_raise_descriptor_limit();
    switch (options_read(&service.options, argc, argv)) {
    case COMMAND_RUN:
        return run(&service);
    case COMMAND_DONE:
        return EXIT_SUCCESS;
    default:
        return EXIT_USAGE;
    }
}
