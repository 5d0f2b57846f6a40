/* TCP echo: CPU time, instructions and system calls of a server on one core per request, and the
 * memory of its connections, with the load on the other core. The server of a sample is this
 * program again: bench_echo SERVER LISTENER CONNECTIONS [counted], which prints its CPU ns. */
#include "bench/bench.h"
#include "bench/echo.h"
#include "bench/rows.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER_CPU 0
#define LOAD_CPU 1
/* As for the HTTP client: on one core a server finds about as many requests at once in each run. */
#define COUNTED_CPU SERVER_CPU
#define ROUNDS 9
#define COUNTS 5
#define BACKLOG 4096

static const struct {
    const char *name;
    void (*run)(const struct echo_job *job);
} servers[] = {
    {"epoll", echo_epoll},
    {"uv", echo_uv},
    {"bight", echo_bight},
    {"idle", echo_bight_idle},
};

struct row {
    struct echo_load load;
    const char *const *tool;
    double (*count)(const char *report, pid_t pid);
};

/* A listening socket that the server inherits; its port goes to the load. */
static int listen_anywhere(struct echo_load *load)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    bench_check(fd, "socket");
    bench_check(bind(fd, (const struct sockaddr *)&name, bytes) ? -errno : 0, "bind");
    bench_check(listen(fd, BACKLOG) ? -errno : 0, "listen");
    bench_check(getsockname(fd, (struct sockaddr *)&name, &bytes) ? -errno : 0, "getsockname");
    load->port = ntohs(name.sin_port);
    return fd;
}

static pid_t fork_load(const struct echo_load *load, int cpu)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    bench_check(pid < 0 ? -errno : 0, "fork");
    if (pid)
        return pid;
    bench_pin(cpu);
    echo_put(load);
    _exit(0);
}

/* Run the server under that load. Returns what it printed, which the caller frees. */
static char *run(const struct row *row, const char *server, uint64_t requests, pid_t *pid)
{
    struct echo_load load = row->load;
    char listener[16], connections[16];
    const char *const arguments[] = {server, listener, connections, row->tool ? "counted" : NULL,
                                     NULL};
    struct bench_again again = {.tool = row->tool, .arguments = arguments, .cpu = SERVER_CPU};
    int status, fd = listen_anywhere(&load);
    pid_t loader;
    char *report;

    load.requests = requests;
    loader = fork_load(&load, row->tool ? COUNTED_CPU : LOAD_CPU);
    snprintf(listener, sizeof listener, "%d", fd);
    snprintf(connections, sizeof connections, "%u", load.connections);
    report = bench_again(&again);
    *pid = again.pid;
    close(fd);
    bench_check(waitpid(loader, &status, 0) == loader && status == 0 ? 0 : -EIO, "the load");
    return report;
}

/* The difference between a run of `requests` and one of a third: free of start, connecting and
 * end. */
static double measured(const struct row *row, const char *server, uint64_t requests)
{
    uint64_t fewer = requests / 3;
    double figures[2];

    for (int i = 0; i < 2; i++) {
        pid_t pid;
        char *report = run(row, server, i ? requests : fewer, &pid);

        figures[i] = row->tool ? row->count(report, pid) : strtod(report, NULL) / 1000;
        free(report);
    }
    return (figures[1] - figures[0]) / (double)(requests - fewer);
}

static double of_bight(void *arg, uint64_t operations)
{
    return measured(arg, "bight", operations);
}

static double of_epoll(void *arg, uint64_t operations)
{
    return measured(arg, "epoll", operations);
}

static double of_uv(void *arg, uint64_t operations)
{
    return measured(arg, "uv", operations);
}

static double system_calls(const char *report, pid_t pid)
{
    (void)pid;
    return bench_calls(report, "total");
}

/* Bytes per connection when all have been served once, as the server itself says. */
static double idle_bytes(void *arg, uint64_t connections)
{
    struct row row = *(const struct row *)arg;
    pid_t pid;
    char *report;
    double bytes;

    row.load.connections = (unsigned)connections;
    report = run(&row, "idle", connections, &pid);
    bytes = strtod(report, NULL) / (double)connections;
    free(report);
    return bytes;
}

static const char *const cachegrind[] = {"valgrind",       "--tool=cachegrind",
                                         "--cache-sim=no", "--cachegrind-out-file=/dev/null",
                                         "--vgdb=no",      NULL};
static const char *const strace[] = {"strace", "-f", "-c", NULL};

static struct row small_few = {.load = {.connections = 64, .bytes = 64}};
static struct row small_many = {.load = {.connections = 1000, .bytes = 64}};
static struct row large_few = {.load = {.connections = 64, .bytes = 16384}};
static struct row counted = {{.connections = 64, .bytes = 64}, cachegrind, bench_instructions};
static struct row calls = {{.connections = 64, .bytes = 64}, strace, system_calls};

static const struct bench_row rows[] = {
    {"echo_64_c64", "CPU us per request", "epoll", of_bight, of_epoll, &small_few, 45000,
     .samples = ROUNDS, .peers = {{"libuv", of_uv}}},
    {"echo_64_c1000", "CPU us per request", "epoll", of_bight, of_epoll, &small_many, 45000,
     .samples = ROUNDS, .peers = {{"libuv", of_uv}}},
    {"echo_16k_c64", "CPU us per request", "epoll", of_bight, of_epoll, &large_few, 24000,
     .samples = ROUNDS, .peers = {{"libuv", of_uv}}},
    {"echo_instructions", "instructions per request", "epoll", of_bight, of_epoll, &counted, 30000,
     .samples = COUNTS, .peers = {{"libuv", of_uv}}},
    {"echo_syscalls", "system calls per request", "epoll", of_bight, of_epoll, &calls, 30000,
     .samples = COUNTS, .peers = {{"libuv", of_uv}}},
    {"bytes_per_connection_echo", "bytes", NULL, idle_bytes, NULL, &small_few, 10000, .samples = 3},
};

/* The server's process */

static uint64_t resident_before;

static uint64_t resident_bytes(void)
{
    unsigned long long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    bench_check(file && fscanf(file, "%llu %llu", &all, &resident) == 2 ? 0 : -EIO, "statm");
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void print_resident(void)
{
    printf("%llu\n", (unsigned long long)(resident_bytes() - resident_before));
}

static int server_main(char **argv)
{
    struct echo_job job = {
        .listener = atoi(argv[2]),
        .connections = (unsigned)strtoul(argv[3], NULL, 10),
        .all_idle = strcmp(argv[1], "idle") ? NULL : print_resident,
    };

    if (argv[4])
        bench_count();
    resident_before = resident_bytes();
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        if (!strcmp(argv[1], servers[i].name))
            servers[i].run(&job);
    }
    if (!job.all_idle)
        printf("%llu\n", (unsigned long long)bench_process_ns());
    return 0;
}

/* For many connections, in the servers and the load too. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    raise_descriptors();
    if (argc >= 4 && argv[1][0] != '-')
        return server_main(argv);
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
