/* TCP echo: CPU time, instructions and system calls of a server on one core per request, and the
 * memory of its connections, with the load on the other core. */
#include "bench/bench.h"
#include "bench/echo.h"

#include <stdio.h>
#include <string.h>

#define ROUNDS 9
#define COUNTS 5

static const struct {
    const char *name;
    void (*run)(const struct serving_job *job);
} servers[] = {
    {"epoll", echo_epoll},
    {"uv", echo_uv},
    {"bight", echo_bight},
    {"idle", echo_bight_idle},
};

static double of_bight(void *arg, uint64_t operations)
{
    return serving_measured(arg, "bight", operations);
}

static double of_epoll(void *arg, uint64_t operations)
{
    return serving_measured(arg, "epoll", operations);
}

static double of_uv(void *arg, uint64_t operations)
{
    return serving_measured(arg, "uv", operations);
}

static double system_calls(const char *report, pid_t pid)
{
    (void)pid;
    return bench_calls(report, "total");
}

/* Bytes per connection when all have been served once, as the server itself says. */
static double idle_bytes(void *arg, uint64_t connections)
{
    return serving_idle_bytes(arg, "idle", connections);
}

static const char *const cachegrind[] = {"valgrind",       "--tool=cachegrind",
                                         "--cache-sim=no", "--cachegrind-out-file=/dev/null",
                                         "--vgdb=no",      NULL};
static const char *const strace[] = {"strace", "-f", "-c", NULL};

static struct serving small_few = {.connections = 64, .bytes = 64, .put = echo_put};
static struct serving small_many = {.connections = 1000, .bytes = 64, .put = echo_put};
static struct serving large_few = {.connections = 64, .bytes = 16384, .put = echo_put};
static struct serving counted = {64, false, 64, cachegrind, bench_instructions, echo_put};
static struct serving calls = {64, false, 64, strace, system_calls, echo_put};

static const struct bench_row rows[] = {
    {"echo_64_c64", "CPU us per request", "epoll", of_bight, of_epoll, &small_few, 45000,
     .samples = ROUNDS, .peers = {{"libuv", of_uv}}},
    {"echo_64_c1000", "CPU us per request", "epoll", of_bight, of_epoll, &small_many, 45000,
     .samples = ROUNDS, .peers = {{"libuv", of_uv}}},
    {"echo_16k_c64", "CPU us per request", "epoll", of_bight, of_epoll, &large_few, 24000,
     .samples = ROUNDS, .peers = {{"libuv", of_uv}}},
    {"echo_instructions", "instructions per request", "epoll", of_bight, of_epoll, &counted, 30000,
     .samples = COUNTS, .peers = {{"libuv", of_uv}}, .needs = {"valgrind"}},
    {"echo_syscalls", "system calls per request", "epoll", of_bight, of_epoll, &calls, 30000,
     .samples = COUNTS, .peers = {{"libuv", of_uv}}, .needs = {"strace"}},
    {"bytes_per_connection_echo", "bytes", NULL, idle_bytes, NULL, &small_few, 10000, .samples = 3},
};

/* The server's process */

static uint64_t resident_before;

static void print_resident(void)
{
    printf("%llu\n", (unsigned long long)(serving_resident_bytes() - resident_before));
}

static int server_main(const char *server, struct serving_job *job)
{
    job->all_idle = strcmp(server, "idle") ? NULL : print_resident;
    resident_before = serving_resident_bytes();
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        if (!strcmp(server, servers[i].name))
            servers[i].run(job);
    }
    if (!job->all_idle)
        serving_job_done();
    return 0;
}

int main(int argc, char **argv)
{
    struct serving_job job;

    serving_raise_descriptors();
    if (serving_job_read(argc, argv, &job))
        return server_main(argv[1], &job);
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
