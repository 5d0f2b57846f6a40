/* What an attached runtime that has nothing to do costs its host: one turn of the host's loop, that
 * polls and does not block. Baseline: the same loop with a prepare and a check handle whose
 * callbacks do nothing, which is the least that an attached library can do. */
#include "bench/run.h"

#include <bight/time.h>
#include <bight/uv.h>

#define TURNS 100000u

/* The host: it has a handle of its own that keeps the loop turning. */
static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void host_open(uv_loop_t *loop, uv_idle_t *idle)
{
    bench_check(uv_loop_init(loop), "uv_loop_init");
    bench_check(uv_idle_init(loop, idle), "uv_idle_init");
    bench_check(uv_idle_start(idle, on_idle), "uv_idle_start");
}

static void host_close(uv_loop_t *loop, uv_idle_t *idle)
{
    uv_close((uv_handle_t *)idle, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    bench_check(uv_loop_close(loop), "uv_loop_close");
}

static double turns(uv_loop_t *loop, uint64_t operations)
{
    uint64_t begin;

    for (int i = 0; i < 100; i++)
        uv_run(loop, UV_RUN_NOWAIT);
    begin = bench_begin();
    for (uint64_t i = 0; i < operations; i++)
        uv_run(loop, UV_RUN_NOWAIT);
    return bench_end(begin, operations);
}

/* A task that sleeps for long: the runtime has something to wait for, and nothing to do. */
static int sleeps(void *arg)
{
    (void)arg;
    return bight_sleep(3600000);
}

static double attached(void *arg, uint64_t operations)
{
    struct bight_runtime *runtime;
    uv_loop_t loop;
    uv_idle_t idle;
    double ns;

    host_open(&loop, &idle);
    bench_check(bight_attach(&runtime, &loop, NULL), "attach");
    if (*(const bool *)arg)
        bench_check(bight_spawn(NULL, sleeps, NULL), "spawn");
    ns = turns(&loop, operations);
    bench_check(bight_detach(runtime, NULL, NULL), "detach");
    host_close(&loop, &idle);
    return ns;
}

static void on_prepare(uv_prepare_t *prepare)
{
    (void)prepare;
}

static void on_check(uv_check_t *check)
{
    (void)check;
}

static double bare_pair(void *arg, uint64_t operations)
{
    uv_loop_t loop;
    uv_idle_t idle;
    uv_prepare_t prepare;
    uv_check_t check;
    double ns;

    (void)arg;
    host_open(&loop, &idle);
    bench_check(uv_prepare_init(&loop, &prepare), "uv_prepare_init");
    bench_check(uv_check_init(&loop, &check), "uv_check_init");
    bench_check(uv_prepare_start(&prepare, on_prepare), "uv_prepare_start");
    bench_check(uv_check_start(&check, on_check), "uv_check_start");
    ns = turns(&loop, operations);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_close((uv_handle_t *)&check, NULL);
    host_close(&loop, &idle);
    return ns;
}

static bool no_task, a_task = true;

static const struct bench_row rows[] = {
    {"attach_overhead", "ns", "the turn with a prepare and a check handle alone", attached,
     bare_pair, &no_task, TURNS, .counted = 20000},
    {"attach_overhead_waiting", "ns", "the turn with a prepare and a check handle alone", attached,
     bare_pair, &a_task, TURNS, .counted = 20000},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
