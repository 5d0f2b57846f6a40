/* Calls on threads, against raw uv_queue_work: one at a time, and a thousand in flight, on libuv's
 * threads and on those of an executor. Wall time, since the cost is that of waking another core. */
#include "bench/python.h"
#include "bench/run.h"

#include <stdlib.h>

#include <bight/group.h>
#include <bight/offload.h>
#include <bight/threads.h>
#include <uv.h>

struct load {
    unsigned in_flight;
    uint64_t calls;
    bool own; /* threads of an executor */
    struct bight_executor *threads;
    uint64_t begun;
    double us; /* per call */
};

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int caller(void *arg)
{
    struct load *load = arg;
    int rc = 0;

    while (rc == 0 && load->begun < load->calls) {
        load->begun++;
        rc = load->own ? bight_threads_call(load->threads, nothing, NULL)
                       : bight_offload(nothing, NULL);
    }
    return rc;
}

static int callers(struct bight_group *group, void *arg)
{
    struct load *load = arg;

    for (unsigned i = 0; i < load->in_flight; i++) {
        int rc = bight_group_spawn(NULL, group, NULL, caller, load);

        if (rc)
            return rc;
    }
    return 0;
}

static int timed(struct load *load)
{
    uint64_t begin = bench_wall_begin();
    int rc = bight_group_run(callers, load);

    load->us = bench_wall_end(begin, load->calls) / 1000;
    return rc;
}

static int load_main(void *arg)
{
    struct load *load = arg;
    uint64_t calls;
    int rc;

    if (!load->own)
        return timed(load);
    bench_check(bight_threads_new(&load->threads, NULL), "threads");
    calls = load->calls;
    load->calls = load->in_flight;
    bench_check(bight_group_run(callers, load), "first calls"); /* the stacks are warm now */
    load->calls = calls;
    load->begun = 0;
    rc = timed(load);
    bench_check(bight_executor_end(load->threads), "end");
    return rc;
}

static double ours(void *arg, uint64_t operations)
{
    struct load *load = arg;

    load->calls = operations;
    load->begun = 0;
    bench_run(load_main, load);
    return load->us;
}

static void uv_nothing(uv_work_t *work)
{
    (void)work;
}

static void uv_done(uv_work_t *work, int status)
{
    struct load *load = work->data;

    bench_check(status, "work");
    if (load->begun == load->calls)
        return;
    load->begun++;
    bench_check(uv_queue_work(work->loop, work, uv_nothing, uv_done), "queue_work");
}

static double raw(void *arg, uint64_t operations)
{
    struct load *load = arg;
    uv_work_t *works = calloc(load->in_flight, sizeof *works);
    uv_loop_t loop;
    uint64_t begin;

    bench_check(works ? uv_loop_init(&loop) : BIGHT_ENOMEM, "loop");
    load->calls = operations;
    load->begun = load->in_flight;
    begin = bench_wall_begin();
    for (unsigned i = 0; i < load->in_flight; i++) {
        works[i].data = load;
        bench_check(uv_queue_work(&loop, &works[i], uv_nothing, uv_done), "queue_work");
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    load->us = bench_wall_end(begin, load->calls) / 1000;
    bench_check(uv_loop_close(&loop), "close");
    free(works);
    return load->us;
}

static struct load one = {.in_flight = 1}, thousand = {.in_flight = 1000};
static struct load thousand_own = {.in_flight = 1000, .own = true};

PYTHON_PEER(python_rtt, "offload_rtt", 2000)

static const struct bench_row rows[] = {
    {"offload_rtt", "us", "uv_queue_work", ours, raw, &one, .operations = 5000,
     .peers = {PYTHON(python_rtt)}},
    {"offload_1000", "us per call", "uv_queue_work", ours, raw, &thousand_own,
     .operations = 100000},
    {"offload_uv_1000", "us per call", "uv_queue_work", ours, raw, &thousand, .operations = 100000},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
