/* The HTTP server against what it could cost at least, and against nginx and net/http: CPU time of
 * a server on one core per request, with wrk on the other; instructions and system calls; and the
 * memory of its connections. Those that are compared run side by side, all but one of them idle. */
#include "bench/server.h"
#include "bench/bench.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <bight/errors.h>

#define LOAD_CPU 1
#define ROUNDS 9
#define COUNTS 5
#define NEEDED                                                                                     \
    {                                                                                              \
        "wrk", "nginx"                                                                             \
    }

static const struct {
    const char *name;
    void (*run)(const struct serving_job *job);
} servers[] = {
    {"bight", server_bight},
    {"bight_file", server_bight_file},
    {"epoll", server_epoll},
    {"epoll_file", server_epoll_file},
};

/* Rows of CPU time */

enum side {
    NGINX, /* the first, because the others take the file from its folder */
    OURS,
    FLOOR,
    GO,
    SIDES
};

/* What wrk asks for, over how many connections, and who answers; NULL: nobody. */
struct wanted {
    const char *path;
    unsigned connections;
    const char *names[SIDES];
};

static struct server_process processes[SIDES];

static void open_servers(void *arg)
{
    const struct wanted *wanted = arg;

    bench_pin(LOAD_CPU);
    for (unsigned i = 0; i < SIDES; i++) {
        if (wanted->names[i])
            server_start(&processes[i], wanted->names[i], processes[NGINX].nginx.folder);
    }
}

static void close_servers(void *arg)
{
    const struct wanted *wanted = arg;

    for (unsigned i = SIDES; i-- > 0;) {
        if (wanted->names[i])
            server_stop(&processes[i]);
    }
}

/* The difference between a run of wrk and one request on each of as many connections, so that
 * connecting and closing are no part of it. */
static double cpu_us(const struct wanted *wanted, enum side side, uint64_t seconds)
{
    const struct server_process *process = &processes[side];
    struct server_load few;
    uint64_t begun, connected, done, requests;

    begun = server_cpu_ns(process);
    server_load_open(&few, process->port, wanted->connections);
    server_load_put(&few, wanted->path, wanted->connections);
    server_load_close(&few);
    connected = server_cpu_ns(process);
    requests = server_wrk(process->port, wanted->path, wanted->connections, seconds);
    done = server_cpu_ns(process);
    bench_check(requests > wanted->connections ? 0 : BIGHT_ETIMEDOUT, "too few requests");
    return ((double)(done - connected) - (double)(connected - begun)) / 1000 /
           (double)(requests - wanted->connections);
}

static double of_ours(void *arg, uint64_t seconds)
{
    return cpu_us(arg, OURS, seconds);
}

static double of_floor(void *arg, uint64_t seconds)
{
    return cpu_us(arg, FLOOR, seconds);
}

static double of_nginx(void *arg, uint64_t seconds)
{
    return cpu_us(arg, NGINX, seconds);
}

#ifdef BIGHT_BENCH_GO
static double of_go(void *arg, uint64_t seconds)
{
    return cpu_us(arg, GO, seconds);
}
#endif

/* What is counted */

static double counted_ours(void *arg, uint64_t operations)
{
    return serving_measured(arg, "bight", operations);
}

static double counted_floor(void *arg, uint64_t operations)
{
    return serving_measured(arg, "epoll", operations);
}

static double system_calls(const char *report, pid_t pid)
{
    (void)pid;
    return bench_calls(report, "total");
}

/* Memory */

/* By how much a new server has grown when each of so many connections had its answer, and was idle
 * for so long since. */
static double grown(const char *name, uint64_t connections, const void *idle_ms)
{
    unsigned ms = *(const unsigned *)idle_ms;
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    struct server_process process;
    struct server_load load;
    uint64_t before, after;

    server_start(&process, name, NULL);
    before = serving_resident_bytes_of(process.pid);
    server_load_open(&load, process.port, (unsigned)connections);
    server_load_put(&load, SERVER_HELLO, connections);
    nanosleep(&pause, NULL);
    after = serving_resident_bytes_of(process.pid);
    server_load_close(&load);
    server_stop(&process);
    return ((double)after - (double)before) / (double)connections;
}

static double grown_ours(void *arg, uint64_t connections)
{
    return grown("bight", connections, arg);
}

static double grown_nginx(void *arg, uint64_t connections)
{
    return grown("nginx", connections, arg);
}

#ifdef BIGHT_BENCH_GO
static double grown_go(void *arg, uint64_t connections)
{
    return grown("go", connections, arg);
}
#endif

#ifdef BIGHT_BENCH_GO
#define GO_NAME "go"
#define GO_PEER(sample)                                                                            \
    {                                                                                              \
        "net/http", sample                                                                         \
    }
#else
#define GO_NAME NULL
#define GO_PEER(sample)                                                                            \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }
#endif

static const char *const cachegrind[] = {"valgrind",       "--tool=cachegrind",
                                         "--cache-sim=no", "--cachegrind-out-file=/dev/null",
                                         "--vgdb=no",      NULL};
static const char *const strace[] = {"strace", "-f", "-c", NULL};

static struct wanted hello_few = {SERVER_HELLO, 64, {"nginx", "bight", "epoll", GO_NAME}};
static struct wanted hello_many = {SERVER_HELLO, 1000, {"nginx", "bight", "epoll", GO_NAME}};
static struct wanted file = {"/" SERVER_FILE, 64, {"nginx", "bight_file", "epoll_file", NULL}};
static struct serving instructions = {
    .connections = 64, .tool = cachegrind, .count = bench_instructions, .put = server_put};
static struct serving calls = {
    .connections = 64, .tool = strace, .count = system_calls, .put = server_put};
static unsigned at_once_ms = 0, second_ms = 1250;

/* Operations of the first three: seconds of wrk. */
static const struct bench_row rows[] = {
    {"http_hello_c64", "CPU us per request", "epoll", of_ours, of_floor, &hello_few, 1,
     .samples = ROUNDS, .peers = {{"nginx", of_nginx}, GO_PEER(of_go)}, .needs = NEEDED,
     .open = open_servers, .close = close_servers},
    {"http_hello_c1000", "CPU us per request", "epoll", of_ours, of_floor, &hello_many, 1,
     .samples = ROUNDS, .peers = {{"nginx", of_nginx}, GO_PEER(of_go)}, .needs = NEEDED,
     .open = open_servers, .close = close_servers},
    {"http_file_64k", "CPU us per request", "nginx", of_ours, of_nginx, &file, 1, .samples = ROUNDS,
     .peers = {{"epoll", of_floor}}, .needs = NEEDED, .open = open_servers, .close = close_servers},
    {"http_hello_instructions", "instructions per request", "epoll", counted_ours, counted_floor,
     &instructions, 30000, .samples = COUNTS, .needs = {"valgrind"}},
    {"http_hello_syscalls", "system calls per request", "epoll", counted_ours, counted_floor,
     &calls, 30000, .samples = COUNTS, .needs = {"strace"}},
    {"bytes_per_connection_http", "bytes", "nginx", grown_ours, grown_nginx, &at_once_ms, 10000,
     .samples = 3, .peers = {GO_PEER(grown_go)}, .needs = {"nginx"}},
    {"bytes_per_connection_http_1s", "bytes", "nginx", grown_ours, grown_nginx, &second_ms, 10000,
     .samples = 3, .peers = {GO_PEER(grown_go)}, .needs = {"nginx"}},
};

static int server_main(const char *server, const struct serving_job *job)
{
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        if (!strcmp(server, servers[i].name))
            servers[i].run(job);
    }
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
