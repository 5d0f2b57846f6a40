/* Jobs in worker processes: one at a time in one worker, a thousand in flight over two, a map in
 * chunks, and large payloads there and back, against forked children that echo what comes over a
 * socketpair. Wall time. */
#include "bench/python.h"
#include "bench/run.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bight/group.h>
#include <bight/job_map.h>
#include <bight/workers.h>

#define WORKERS_MAX 2
#define BATCH_BYTES 65536

/* What a job carries there and back. */
struct message {
    uint64_t number;
    uint64_t unused;
};

struct load {
    unsigned in_flight;
    unsigned workers;
    unsigned ahead;
    unsigned spin_us;
    int (*main)(void *arg);
    struct bight_executor *executor;
    uint64_t jobs;
    uint64_t begun;
    double us; /* per job */
};

static int echo(struct bight_job *job)
{
    return bight_job_output_append(job, job->input, job->input_bytes);
}

static const struct bight_job_def echo_def = {.name = "echo", .fn = echo};

static int caller(void *arg)
{
    struct load *load = arg;
    struct bight_result result;
    int rc = 0;

    while (rc == 0 && load->begun < load->jobs) {
        struct message message = {.number = load->begun++};

        rc = bight_execute(load->executor, &echo_def, &message, sizeof message, &result);
        bight_result_free(&result);
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

static int load_main(void *arg)
{
    struct load *load = arg;
    struct bight_workers_options options = {
        .workers = load->workers, .ahead = load->ahead, .spin_us = load->spin_us};
    int rc = bight_workers_new(&load->executor, &options);
    uint64_t begin;

    if (rc)
        return rc;
    /* Once, so that the worker knows the definition. */
    load->begun = load->jobs - 1;
    bench_check(caller(load), "first job");
    load->begun = 0;
    begin = bench_wall_begin();
    rc = bight_group_run(callers, load);
    load->us = bench_wall_end(begin, load->jobs) / 1000;
    bench_check(bight_executor_end(load->executor), "close");
    return rc;
}

static int next_message(void *arg, const void **input, size_t *input_bytes)
{
    static struct message message;
    struct load *load = arg;

    if (load->begun == load->jobs)
        return 0;
    message.number = load->begun++;
    *input = &message;
    *input_bytes = sizeof message;
    return 1;
}

static int map_all(struct load *load)
{
    struct bight_job_map_options options = {.chunk = 256};
    struct bight_job_map_item item;
    struct bight_job_map map;
    int rc = bight_job_map_begin(&map, load->executor, &echo_def, next_message, load, &options);

    while (rc == 0)
        rc = bight_job_map_next(&map, &item);
    bench_check(bight_job_map_end(&map), "end of the map");
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int map_main(void *arg)
{
    struct load *load = arg;
    struct bight_workers_options options = {.workers = load->workers};
    int rc = bight_workers_new(&load->executor, &options);
    uint64_t begin;

    if (rc)
        return rc;
    load->begun = load->jobs - 1;
    bench_check(map_all(load), "first item");
    load->begun = 0;
    begin = bench_wall_begin();
    rc = map_all(load);
    load->us = bench_wall_end(begin, load->jobs) / 1000;
    bench_check(bight_executor_end(load->executor), "close");
    return rc;
}

static double ours(void *arg, uint64_t operations)
{
    struct load *load = arg;

    load->jobs = operations;
    bench_run(load->main, load);
    return load->us;
}

/* The children of the baseline, which are forked before everything else. */
static int channels[WORKERS_MAX];
static pid_t children[WORKERS_MAX];

static void transfer(int fd, void *data, size_t bytes, int writes)
{
    char *at = data;

    while (bytes) {
        ssize_t moved = writes ? write(fd, at, bytes) : read(fd, at, bytes);

        bench_check(moved <= 0 ? BIGHT_EIO : 0, "socketpair");
        at += moved;
        bytes -= (size_t)moved;
    }
}

static _Noreturn void child(int fd)
{
    static char batch[BATCH_BYTES];
    ssize_t bytes;

    while ((bytes = read(fd, batch, sizeof batch)) > 0)
        transfer(fd, batch, (size_t)bytes, 1);
    _exit(0);
}

static void fork_children(void)
{
    for (int i = 0; i < WORKERS_MAX; i++) {
        int ends[2];
        pid_t pid;

        bench_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) ? BIGHT_EMFILE : 0, "socketpair");
        pid = fork();
        if (pid == 0) {
            close(ends[0]);
            while (i)
                close(channels[--i]);
            child(ends[1]);
        }
        bench_check(pid < 0 ? BIGHT_EAGAIN : 0, "fork");
        close(ends[1]);
        channels[i] = ends[0];
        children[i] = pid;
    }
}

static void one_at_a_time(const struct load *load)
{
    struct message message = {0};

    for (uint64_t i = 0; i < load->jobs; i++) {
        transfer(channels[0], &message, sizeof message, 1);
        transfer(channels[0], &message, sizeof message, 0);
    }
}

/* Each child has its share in flight; what came back is replaced in one write. */
static void in_batches(const struct load *load)
{
    static struct message batch[BATCH_BYTES / sizeof(struct message)];
    struct pollfd polls[WORKERS_MAX];
    size_t partial[WORKERS_MAX] = {0};
    uint64_t begun = load->in_flight, done = 0;

    for (unsigned i = 0; i < load->workers; i++) {
        transfer(channels[i], batch, load->in_flight / load->workers * sizeof *batch, 1);
        polls[i] = (struct pollfd){.fd = channels[i], .events = POLLIN};
    }
    while (done < load->jobs) {
        bench_check(poll(polls, load->workers, -1) < 0 ? BIGHT_EIO : 0, "poll");
        for (unsigned i = 0; i < load->workers; i++) {
            if (!polls[i].revents)
                continue;
            ssize_t bytes = read(channels[i], batch, sizeof batch);

            bench_check(bytes <= 0 ? BIGHT_EIO : 0, "read");
            partial[i] += (size_t)bytes;
            uint64_t back = partial[i] / sizeof *batch;
            partial[i] %= sizeof *batch;
            done += back;
            if (back > load->jobs - begun)
                back = load->jobs - begun;
            begun += back;
            transfer(channels[i], batch, back * sizeof *batch, 1);
        }
    }
}

static double raw(void *arg, uint64_t operations)
{
    struct load *load = arg;
    uint64_t begin;

    load->jobs = operations;
    begin = bench_wall_begin();
    if (load->in_flight == 1)
        one_at_a_time(load);
    else
        in_batches(load);
    return bench_wall_end(begin, load->jobs) / 1000;
}

#define MIB ((size_t)1 << 20)

/* Payloads of so many bytes, there and back. An operation is one MiB of it. */
struct large {
    size_t bytes;
    unsigned char *payload, *other;
    uint64_t jobs;
    double us; /* per MiB */
};

static uint64_t jobs_of(const struct large *large, uint64_t operations)
{
    return (operations * MIB + large->bytes - 1) / large->bytes;
}

static double end_large(const struct large *large, uint64_t begin, uint64_t jobs)
{
    return bench_wall_end(begin, jobs * (large->bytes / MIB)) / 1000;
}

static void open_large(void *arg)
{
    struct large *large = arg;

    large->payload = malloc(large->bytes);
    large->other = malloc(large->bytes);
    bench_check(large->payload && large->other ? 0 : BIGHT_ENOMEM, "payload");
    memset(large->payload, 1, large->bytes);
    memset(large->other, 2, large->bytes);
}

static void close_large(void *arg)
{
    struct large *large = arg;

    free(large->payload);
    free(large->other);
}

static int carry(struct bight_executor *executor, const struct large *large, uint64_t jobs)
{
    int rc = 0;

    for (uint64_t i = 0; rc == 0 && i < jobs; i++) {
        struct bight_result result;

        rc = bight_execute(executor, &echo_def, large->payload, large->bytes, &result);
        if (rc == 0)
            memcpy(large->other, result.output, result.output_bytes);
        bight_result_free(&result);
    }
    return rc;
}

static int large_main(void *arg)
{
    struct large *large = arg;
    struct bight_workers_options options = {.workers = 1};
    struct bight_executor *executor;
    int rc = bight_workers_new(&executor, &options);
    uint64_t begin;

    if (rc)
        return rc;
    bench_check(carry(executor, large, 1), "first job");
    begin = bench_wall_begin();
    rc = carry(executor, large, large->jobs);
    large->us = end_large(large, begin, large->jobs);
    bench_check(bight_executor_end(executor), "close");
    return rc;
}

static double ours_large(void *arg, uint64_t operations)
{
    struct large *large = arg;

    large->jobs = jobs_of(large, operations);
    bench_run(large_main, large);
    return large->us;
}

/* In pieces that the sockets hold, so that neither side waits for the other for ever. */
static double raw_large(void *arg, uint64_t operations)
{
    const struct large *large = arg;
    uint64_t jobs = jobs_of(large, operations), begin = bench_wall_begin();

    for (uint64_t i = 0; i < jobs; i++) {
        for (size_t at = 0; at < large->bytes; at += BATCH_BYTES) {
            transfer(channels[0], large->payload + at, BATCH_BYTES, 1);
            transfer(channels[0], large->other + at, BATCH_BYTES, 0);
        }
    }
    return end_large(large, begin, jobs);
}

static double copy_large(void *arg, uint64_t operations)
{
    const struct large *large = arg;
    uint64_t jobs = jobs_of(large, operations), begin = bench_wall_begin();

    for (uint64_t i = 0; i < jobs; i++) {
        memcpy(large->other, large->payload, large->bytes);
        memcpy(large->payload, large->other, large->bytes);
    }
    return end_large(large, begin, jobs);
}

static int read_ends(struct bight_job *job)
{
    const unsigned char *bytes = job->input;

    return bytes[0] + bytes[job->input_bytes - 1];
}

static const struct bight_job_def read_ends_def = {.name = "read ends", .fn = read_ends};

static int carry_placed(struct bight_executor *executor, const struct bight_job_input *input,
                        size_t bytes, uint64_t jobs)
{
    const struct bight_execute_options options = {.placed = input};
    int rc = 0;

    for (uint64_t i = 0; rc == 0 && i < jobs; i++)
        rc = bight_execute_with(executor, &read_ends_def, bight_job_input_data(input), bytes,
                                &options, NULL);
    return rc;
}

static int placed_main(void *arg)
{
    struct large *large = arg;
    struct bight_workers_options options = {.workers = 1};
    struct bight_executor *executor;
    struct bight_job_input *input;
    int rc = bight_workers_new(&executor, &options);
    uint64_t begin;

    if (rc)
        return rc;
    bench_check(bight_job_input_new(&input, large->bytes), "input");
    memset(bight_job_input_data(input), 1, large->bytes);
    bench_check(carry_placed(executor, input, large->bytes, 1), "first job");
    begin = bench_wall_begin();
    rc = carry_placed(executor, input, large->bytes, large->jobs);
    large->us = end_large(large, begin, large->jobs);
    bight_job_input_free(input);
    bench_check(bight_executor_end(executor), "close");
    return rc;
}

static double ours_placed(void *arg, uint64_t operations)
{
    struct large *large = arg;

    large->jobs = jobs_of(large, operations);
    bench_run(placed_main, large);
    return large->us;
}

PYTHON_PEER(python_rtt, "worker_rtt", 1000)
PYTHON_PEER(python_1000, "worker_1000", 10000)
PYTHON_PEER(python_map, "map_100000", 100000)
PYTHON_PEER(python_1m, "worker_1m", 20)
PYTHON_PEER(python_64m, "worker_64m", 64)

static struct large one_mib = {.bytes = MIB};
static struct large many_mib = {.bytes = 64 * MIB};
static struct load single = {.in_flight = 1, .workers = 1, .main = load_main};
static struct load spinning = {.in_flight = 1, .workers = 1, .spin_us = 1000, .main = load_main};
static struct load thousand = {
    .in_flight = 1000, .workers = WORKERS_MAX, .ahead = 256, .main = load_main};
static struct load many = {.in_flight = 1000, .workers = 64, .main = load_main};
static struct load mapped = {
    .in_flight = 1000, .workers = WORKERS_MAX, .ahead = 256, .main = map_main};
static struct load sixteen = {
    .in_flight = 1000, .workers = WORKERS_MAX, .ahead = 16, .main = load_main};

/* Instructions are those of the host alone: valgrind counts no child with its parent. */
static const struct bench_row rows[] = {
    {"worker_rtt", "us", "forked child on a socketpair", ours, raw, &single, .operations = 5000,
     .peers = {PYTHON(python_rtt)}},
    {"worker_rtt_spin", "us", "forked child on a socketpair", ours, raw, &spinning,
     .operations = 5000},
    {"worker_1000", "us per job", "forked children on socketpairs", ours, raw, &thousand, 100000,
     .counted = 20000, .counted_samples = 5, .peers = {PYTHON(python_1000)}},
    {"worker_1000_ahead_16", "us per job", "forked children on socketpairs", ours, raw, &sixteen,
     100000, .counted = 20000, .counted_samples = 5},
    {"worker_1000_of_64", "us per job", NULL, ours, NULL, &many, 100000, .counted = 20000,
     .counted_samples = 5},
    {"map_100000", "us per item", "forked children on socketpairs", ours, raw, &mapped, 100000,
     .counted = 20000, .counted_samples = 5, .peers = {PYTHON(python_map)}},
    {"worker_1m", "us per MiB", "forked child on a socketpair", ours_large, raw_large, &one_mib,
     .operations = 100, .peers = {{"two memcpys", copy_large}, PYTHON(python_1m)},
     .open = open_large, .close = close_large},
    {"worker_64m", "us per MiB", "forked child on a socketpair", ours_large, raw_large, &many_mib,
     .operations = 128, .samples = 3, .peers = {{"two memcpys", copy_large}, PYTHON(python_64m)},
     .open = open_large, .close = close_large},
    {"worker_64m_placed", "us per MiB", "two memcpys", ours_placed, copy_large, &many_mib,
     .operations = 1024, .samples = 3, .open = open_large, .close = close_large},
};

int main(int argc, char **argv)
{
    int rc;

    bench_check(bight_workers_prepare(argc, argv), "prepare");
    fork_children();
    rc = bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
    for (int i = 0; i < WORKERS_MAX; i++)
        close(channels[i]);
    for (int i = 0; i < WORKERS_MAX; i++)
        waitpid(children[i], NULL, 0);
    return rc;
}
