/* json-service: notes as JSON over HTTP, in PostgreSQL or SQLite. README.md says what it does;
 * api.c has the handlers, this file the life of a service. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/server.h>
#include <bight/workers.h>

#include "samples/common/access.h"
#include "samples/common/service.h"
#include "samples/service/api.h"
#include "samples/service/listen.h"
#include "samples/service/options.h"

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
};

/* How often a search is tried whose worker dies. */
#define ATTEMPTS 2
/* At a time; each may have a body of 1 MiB. */
#define REQUESTS_MAX 1000
#define WORKER_GRACE_MS 200

struct program {
    struct options options;
    struct service service;
    struct bight_router *router;
    struct bight_listener *listener;
    int inherited; /* the socket, or -1 */
};

static int complain(const char *what, int code)
{
    (void)fprintf(stderr, "json-service: %s: %s\n", what, bight_strerror(code));
    return EXIT_FAILED;
}

/* --- requests --------------------------------------------------------------------------------- */

static int answer(struct bight_exchange *exchange, void *arg)
{
    struct program *program = arg;

    program->service.begun++;
    return bight_router_handle(exchange, program->router);
}

static void on_failure(void *arg, const struct bight_exchange *exchange, int code)
{
    struct program *program = arg;

    program->service.failed++;
    (void)fprintf(stderr, "json-service: request %016llx: %s\n",
                  (unsigned long long)bight_exchange_id(exchange), bight_strerror(code));
}

static void on_done(void *arg, const struct bight_exchange *exchange)
{
    struct program *program = arg;

    if (bight_router_pattern(exchange)) /* there is one for every path */
        program->service.answered[bight_exchange_status(exchange) / 100 % 10]++;
    else
        program->service.refused++;
    if (program->options.access_log)
        access_print_json(NULL, exchange);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void on_drain(void *arg)
{
    struct program *program = arg;

    program->service.draining = true;
}

static void say_farewell(const struct service *service)
{
    uint64_t answered = 0;

    for (int digit = 0; digit < 10; digit++)
        answered += service->answered[digit];
    (void)fprintf(stderr,
                  "json-service: requests: %llu begun, %llu answered, %llu failed; %llu refused\n",
                  (unsigned long long)service->begun, (unsigned long long)answered,
                  (unsigned long long)service->failed, (unsigned long long)service->refused);
}

/* --- the beginning, from outside to inside ---------------------------------------------------- */

static int serve(void *arg)
{
    struct program *program = arg;
    const struct bight_http_serve_options options = {
        .serve = {.drain_ms = program->options.drain_ms,
                  .on_drain = on_drain,
                  .callback_arg = program},
        .max_running = REQUESTS_MAX,
        .request_ids = true,
        .on_failure = on_failure,
        .on_done = on_done,
        .callback_arg = program,
    };

    return bight_http_serve(program->listener, answer, program, &options);
}

static int listen_and_serve(struct program *program)
{
    const struct options *options = &program->options;
    int rc = listen_begin(&program->listener, program->inherited, options->host, options->port);

    if (rc)
        return complain("cannot listen", rc);
    rc = service_until_signal(program->listener, serve, program);
    bight_listener_end(program->listener);
    say_farewell(&program->service);
    return rc ? complain("cannot serve", rc) : EXIT_SUCCESS;
}

/* A deadline ends a search too. */
static int with_workers(struct program *program)
{
    const struct bight_workers_options options = {
        .workers = program->options.workers,
        .attempts_max = ATTEMPTS,
        .cancel = BIGHT_EXECUTOR_CANCEL_INTERRUPT,
        .grace_ms = WORKER_GRACE_MS,
    };
    int rc = bight_workers_new(&program->service.workers, &options);

    if (rc)
        return complain("cannot start workers", rc);
    int status = listen_and_serve(program);
    rc = bight_executor_end(program->service.workers);
    return rc ? complain("cannot end workers", rc) : status;
}

static int with_router(struct program *program)
{
    int rc = api_new(&program->router, &program->service);

    if (rc)
        return complain("cannot make the router", rc);
    int status = with_workers(program);
    bight_router_free(program->router);
    return status;
}

/* Returns an exit status. */
static int with_store(void *arg)
{
    struct program *program = arg;
    int rc = store_open(&program->service.store, program->options.store);

    if (rc)
        return complain("cannot open the store", rc);
    int status = with_router(program);
    program->service.store->ops->close(program->service.store);
    return status;
}

static int run(struct program *program)
{
    int status;

    /* Who reads the log may go away. */
    (void)signal(SIGPIPE, SIG_IGN);
    service_raise_descriptor_limit();
    program->service.deadline_ms = program->options.deadline_ms;
    status = bight_run(with_store, program);
    return status < 0 ? complain("cannot run", status) : status;
}

int main(int argc, char **argv)
{
    struct program program = {.inherited = listen_inherited()};
    int rc = bight_workers_prepare(argc, argv);

    if (rc)
        return complain("cannot prepare workers", rc);
    switch (options_read(&program.options, argc, argv)) {
    case COMMAND_RUN:
        return run(&program);
    case COMMAND_DONE:
        return EXIT_SUCCESS;
    default:
        return EXIT_USAGE;
    }
}
