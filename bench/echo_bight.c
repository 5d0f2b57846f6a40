/* The echo server of bight: a task per connection. */
#include "bench/echo.h"
#include "bench/echo_tasks.h"
#include "bench/run.h"

struct server {
    struct echo_tasks tasks; /* the handler's argument */
    int (*handler)(struct bight_stream *stream, void *arg);
};

static int serve(void *arg)
{
    struct server *server = arg;

    echo_tasks_listen(&server->tasks);
    bench_check(bight_serve(server->tasks.listener, server->handler, &server->tasks, NULL),
                "serve");
    return bight_listener_end(server->tasks.listener);
}

void echo_bight(const struct serving_job *job)
{
    struct server server = {.tasks = {.job = job}, .handler = echo_buffered};

    bench_run(serve, &server);
}

void echo_bight_idle(const struct serving_job *job)
{
    struct server server = {.tasks = {.job = job}, .handler = echo_in_place};

    bench_run(serve, &server);
}
