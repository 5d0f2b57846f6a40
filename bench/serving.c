/* See serving.h. */
#include "bench/serving.h"

#include "bench/bench.h"
#include "bench/rows.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER_CPU 0
#define LOAD_CPU 1
/* As for the HTTP client: on one core a server finds about as many requests at once in each run. */
#define COUNTED_CPU SERVER_CPU
#define BACKLOG 4096

int serving_listen(uint16_t *port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    bench_check(fd, "socket");
    bench_check(bind(fd, (const struct sockaddr *)&name, bytes) ? -errno : 0, "bind");
    bench_check(listen(fd, BACKLOG) ? -errno : 0, "listen");
    bench_check(getsockname(fd, (struct sockaddr *)&name, &bytes) ? -errno : 0, "getsockname");
    *port = ntohs(name.sin_port);
    return fd;
}

static pid_t fork_load(const struct serving *serving, uint16_t port, uint64_t requests)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    bench_check(pid < 0 ? -errno : 0, "fork");
    if (pid)
        return pid;
    bench_pin(serving->tool ? COUNTED_CPU : LOAD_CPU);
    serving->put(serving, port, requests);
    _exit(0);
}

char *serving_run(const struct serving *serving, const char *server, uint64_t requests, pid_t *pid)
{
    char listener[16], connections[24], count[24];
    const char *const arguments[] = {
        server, listener, connections, count, serving->tool ? "counted" : NULL, NULL};
    struct bench_again again = {.tool = serving->tool, .arguments = arguments, .cpu = SERVER_CPU};
    uint16_t port;
    int status, fd = serving_listen(&port);
    pid_t loader = fork_load(serving, port, requests);
    char *report;

    snprintf(listener, sizeof listener, "%d", fd);
    snprintf(connections, sizeof connections, "%llu",
             serving->one_each ? (unsigned long long)requests : serving->connections);
    snprintf(count, sizeof count, "%llu", (unsigned long long)requests);
    report = bench_again(&again);
    *pid = again.pid;
    close(fd);
    bench_check(waitpid(loader, &status, 0) == loader && status == 0 ? 0 : -EIO, "the load");
    return report;
}

double serving_measured(const struct serving *serving, const char *server, uint64_t requests)
{
    uint64_t fewer = requests / 3;
    double figures[2];

    for (int i = 0; i < 2; i++) {
        pid_t pid;
        char *report = serving_run(serving, server, i ? requests : fewer, &pid);

        figures[i] = serving->tool ? serving->count(report, pid) : strtod(report, NULL) / 1000;
        free(report);
    }
    return (figures[1] - figures[0]) / (double)(requests - fewer);
}

double serving_idle_bytes(const struct serving *serving, const char *server, uint64_t connections)
{
    struct serving many = *serving;
    pid_t pid;
    char *report;
    double bytes;

    many.connections = (unsigned)connections;
    report = serving_run(&many, server, connections, &pid);
    bytes = strtod(report, NULL) / (double)connections;
    free(report);
    return bytes;
}

uint64_t serving_resident_bytes(void)
{
    return serving_resident_bytes_of(getpid());
}

uint64_t serving_resident_bytes_of(pid_t pid)
{
    unsigned long long all = 0, resident = 0;
    char path[32];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    file = fopen(path, "r");
    bench_check(file && fscanf(file, "%llu %llu", &all, &resident) == 2 ? 0 : -EIO, "statm");
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

bool serving_job_read(int argc, char **argv, struct serving_job *job)
{
    if (argc < 5 || argv[1][0] == '-')
        return false;
    *job = (struct serving_job){
        .listener = atoi(argv[2]),
        .connections = (unsigned)strtoul(argv[3], NULL, 10),
        .requests = strtoull(argv[4], NULL, 10),
    };
    if (argv[5])
        bench_count();
    return true;
}

void serving_job_done(void)
{
    printf("%llu\n", (unsigned long long)bench_process_ns());
}

void serving_raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}
