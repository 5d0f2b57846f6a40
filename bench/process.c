/* Starting a program and reaping it: /bin/true, one at a time. Baseline: libuv's own call, as a
 * program uses it, with a handle that is closed when the process has ended. Peer: the same as
 * bight_process_run, which listens to it too. */
#include "bench/run.h"

#include <bight/process.h>
#include <uv.h>

#define PROCESSES 50

struct spawns {
    uint64_t left;
    int (*once)(void);
    double ns; /* per process */
};

static const char *const program[] = {"/bin/true", NULL};

static int start_and_wait(void)
{
    const struct bight_process_options options = {.argv = program};
    struct bight_process *process;
    int rc = bight_process_start(&process, &options);

    if (rc)
        return rc;
    rc = bight_process_wait(process, NULL);
    bench_check(bight_process_end(process, 0), "end");
    return rc;
}

static int run(void)
{
    const struct bight_process_options options = {.argv = program};
    struct bight_process_result result;
    int rc = bight_process_run(&result, &options, NULL);

    bight_process_result_free(&result);
    return rc;
}

static int spawns_main(void *arg)
{
    struct spawns *spawns = arg;
    uint64_t operations = spawns->left, begin;

    bench_check(spawns->once(), "process");
    begin = bench_begin();
    for (; spawns->left; spawns->left--)
        bench_check(spawns->once(), "process");
    spawns->ns = bench_end(begin, operations);
    return 0;
}

static double ours(int (*once)(void), uint64_t operations)
{
    struct spawns spawns = {.left = operations, .once = once};

    bench_run(spawns_main, &spawns);
    return spawns.ns;
}

static double starts(void *arg, uint64_t operations)
{
    (void)arg;
    return ours(start_and_wait, operations);
}

static double runs(void *arg, uint64_t operations)
{
    (void)arg;
    return ours(run, operations);
}

/* libuv */

struct raw {
    uv_process_t process;
    uint64_t left;
};

static void spawn_next(uv_handle_t *handle);

static void on_ended(uv_process_t *process, int64_t status, int signum)
{
    bench_check(status || signum ? -1 : 0, "true");
    uv_close((uv_handle_t *)process, spawn_next);
}

static void spawn_next(uv_handle_t *handle)
{
    struct raw *raw = (struct raw *)handle;
    uv_process_options_t options = {
        .file = program[0], .args = (char **)(uintptr_t)program, .exit_cb = on_ended};
    uv_stdio_container_t inherited[3];

    if (raw->left == 0)
        return;
    raw->left--;
    for (int fd = 0; fd < 3; fd++)
        inherited[fd] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = fd};
    options.stdio = inherited;
    options.stdio_count = 3;
    bench_check(uv_spawn(handle->loop, &raw->process, &options), "uv_spawn");
}

static double raw_spawns(void *arg, uint64_t operations)
{
    struct raw raw = {.left = 1};
    uv_loop_t loop;
    uint64_t begin;
    double ns;

    (void)arg;
    bench_check(uv_loop_init(&loop), "loop");
    raw.process.loop = &loop;
    spawn_next((uv_handle_t *)&raw.process);
    uv_run(&loop, UV_RUN_DEFAULT);
    raw.left = operations;
    begin = bench_begin();
    spawn_next((uv_handle_t *)&raw.process);
    uv_run(&loop, UV_RUN_DEFAULT);
    ns = bench_end(begin, operations);
    bench_check(uv_loop_close(&loop), "close");
    return ns;
}

static const struct bench_row rows[] = {
    {"spawn_process_rtt", "ns", "uv_spawn", starts, raw_spawns, NULL, PROCESSES,
     .peers = {{"process_run", runs}}},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
