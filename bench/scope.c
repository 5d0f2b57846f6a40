/* Scopes with a deadline that is met. Baseline: a uv_timer_t that is started and stopped. */
#include "bench/run.h"

#include <bight/scope.h>
#include <uv.h>

#define SCOPES 2000000u
#define TIMEOUT_MS 30000

struct sample {
    uint64_t scopes;
    double ns; /* per scope */
};

static int scopes_main(void *arg)
{
    struct sample *sample = arg;
    struct bight_scope scope;
    uint64_t begin = bench_begin();

    for (uint64_t i = 0; i < sample->scopes; i++) {
        bench_check(bight_scope_begin(&scope, TIMEOUT_MS, 0), "begin");
        bench_check(bight_scope_end(&scope, 0), "end");
    }
    sample->ns = bench_end(begin, sample->scopes);
    return 0;
}

static double scopes(void *arg, uint64_t operations)
{
    struct sample sample = {.scopes = operations};

    (void)arg;
    bench_run(scopes_main, &sample);
    return sample.ns;
}

static void fired(uv_timer_t *timer)
{
    (void)timer;
}

static double timers(void *arg, uint64_t operations)
{
    uv_loop_t loop;
    uv_timer_t timer;
    uint64_t begin;
    double ns;

    (void)arg;
    bench_check(uv_loop_init(&loop), "loop");
    bench_check(uv_timer_init(&loop, &timer), "timer");
    begin = bench_begin();
    for (uint64_t i = 0; i < operations; i++) {
        uv_update_time(&loop);
        bench_check(uv_timer_start(&timer, fired, TIMEOUT_MS, 0), "start");
        bench_check(uv_timer_stop(&timer), "stop");
    }
    ns = bench_end(begin, operations);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_check(uv_loop_close(&loop), "close");
    return ns;
}

static const struct bench_row rows[] = {
    {"deadline_scope", "ns", "uv_timer_start and uv_timer_stop", scopes, timers, NULL, SCOPES,
     .counted = 20000},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
