/* The HTTP servers of bight: a handler in direct style. */
#include "bench/run.h"
#include "bench/server.h"

#include <limits.h>

#include <bight/server.h>
#include <bight/static.h>

struct server {
    const struct serving_job *job;
    struct bight_listener *listener;
    int (*handler)(struct bight_exchange *exchange, void *arg);
    struct bight_static *files;
    uint64_t answered;
};

static int hello(struct bight_exchange *exchange, void *arg)
{
    struct server *server = arg;

    if (++server->answered == server->job->requests)
        bench_check(bight_listener_close(server->listener), "close");
    return bight_exchange_answer(exchange, 200, "text/plain", "hello\n", 6);
}

static int file(struct bight_exchange *exchange, void *arg)
{
    const struct server *server = arg;

    return bight_static_answer(exchange, server->files, SERVER_FILE);
}

/* Without limits that a load reaches, and otherwise by default, deadlines and all. */
static int serve(void *arg)
{
    const struct bight_http_serve_options options = {
        .serve.max_connections = SIZE_MAX,
        .max_requests = UINT_MAX,
    };
    struct server *server = arg;

    bench_check(bight_listener_from_fd(&server->listener, server->job->listener), "listener");
    bench_check(bight_http_serve(server->listener, server->handler, server, &options), "serve");
    return bight_listener_end(server->listener);
}

void server_bight(const struct serving_job *job)
{
    struct server server = {.job = job, .handler = hello};

    bench_run(serve, &server);
}

void server_bight_file(const struct serving_job *job)
{
    struct server server = {.job = job, .handler = file};

    bench_check(bight_static_new(&server.files, ".", NULL), "directory");
    bench_run(serve, &server);
    bight_static_free(server.files);
}
