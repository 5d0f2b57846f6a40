/* The HTTP client against a raw one of libcurl and libuv, both against an nginx on the other core:
 * CPU time, instructions, system calls. Each load runs in a process of its own, which is this program
 * once more: bench_http CLIENT URL REQUESTS CONCURRENCY STREAMED, printing its CPU ns. */
#include "bench/bench.h"
#include "bench/http_load.h"
#include "bench/nginx.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bight/errors.h>

#define SERVER_CPU 1
#define CLIENT_CPU 0
/* Where counting goes on. On one core with the server, which then answers while the client waits, both
 * clients find about as many answers at once in each run; on two it is a matter of chance. */
#define COUNTED_CPU SERVER_CPU
#define ROUNDS 15
/* Counted runs: the difference of the two is free of start and end. Counts vary by a
 * percent or two, for how many answers an event loop finds at once depends on the time. */
#define COUNTS 5
#define SHORT_REQUESTS 1000u
#define LONG_REQUESTS 3000u

static const char *const clients[] = {"bight", "raw"};

/* One run: which client, which load, and by which tool it is watched. */
struct run {
    const char *client;
    const char *url;
    unsigned requests;
    unsigned concurrency;
    int streamed;
    const char *const *tool; /* up to a NULL; before the program's own arguments */
};

static void become_client(const struct run *run, int out)
{
    char requests[16], concurrency[16], program[4096];
    char *argv[16];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    size_t count = 0;

    if (length < 0)
        _exit(127);
    program[length] = '\0';
    snprintf(requests, sizeof requests, "%u", run->requests);
    snprintf(concurrency, sizeof concurrency, "%u", run->concurrency);
    for (const char *const *word = run->tool; word && *word; word++)
        argv[count++] = (char *)*word;
    argv[count++] = program;
    argv[count++] = (char *)run->client;
    argv[count++] = (char *)run->url;
    argv[count++] = requests;
    argv[count++] = concurrency;
    argv[count++] = run->streamed ? "1" : "0";
    argv[count] = NULL;
    nginx_pin(run->tool ? COUNTED_CPU : CLIENT_CPU);
    dup2(out, STDOUT_FILENO);
    if (run->tool)
        dup2(out, STDERR_FILENO);
    execvp(argv[0], argv);
    _exit(127);
}

/* Run it; what it printed is given to the caller, who frees it. A tool's report comes before or after
 * the figure of the program. */
static char *run_client(const struct run *run)
{
    size_t size = 1 << 16, used = 0;
    char *text = malloc(size);
    int pipe_fds[2], status = 0;
    ssize_t got;
    pid_t pid;

    bench_check(text && !pipe(pipe_fds) ? 0 : BIGHT_EIO, "pipe");
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        close(pipe_fds[0]);
        become_client(run, pipe_fds[1]);
    }
    bench_check(pid < 0 ? BIGHT_EAGAIN : 0, "fork");
    close(pipe_fds[1]);
    while (used + 1 < size && (got = read(pipe_fds[0], text + used, size - used - 1)) > 0)
        used += (size_t)got;
    close(pipe_fds[0]);
    text[used] = '\0';
    waitpid(pid, &status, 0);
    if (status) {
        fprintf(stderr, "%s %s failed: %s\n", run->tool ? run->tool[0] : "", run->client, text);
        exit(1);
    }
    return text;
}

static double cpu_us_per_request(const struct run *run)
{
    char *text = run_client(run);
    double us = strtod(text, NULL) / 1000 / run->requests;

    free(text);
    return us;
}

static void cpu_row(const struct bench_row *row, struct run run)
{
    double samples[2][ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        for (int side = 0; side < 2; side++) {
            run.client = clients[side];
            samples[side][i] = cpu_us_per_request(&run);
        }
    }
    bench_print(row, bench_median(samples[0], ROUNDS), bench_median(samples[1], ROUNDS));
}

/* "I   refs:      1,234,567" of cachegrind. */
static double instructions(const char *report)
{
    const char *at = strstr(report, "refs:");
    double count = 0;

    if (!at)
        bench_fail(BIGHT_EPROTOCOL, "cachegrind's report");
    for (at += strlen("refs:"); *at && *at != '\n'; at++) {
        if (isdigit((unsigned char)*at))
            count = count * 10 + (*at - '0');
    }
    return count;
}

static const char *wanted_call;

/* Of a line of strace -c: % time, seconds, usecs/call, calls, perhaps errors, name. */
static double system_calls(const char *report)
{
    char name[64], fifth[64];
    double calls, count = 0;
    size_t length;

    for (; *report; report += length + (report[length] == '\n')) {
        length = strcspn(report, "\n");
        int fields = sscanf(report, "%*f %*f %*f %lf %63s%*[ ]%63[a-z_0-9]", &calls, fifth, name);
        const char *call = fields == 3 ? name : fifth;

        if (fields >= 2 && !strcmp(call, wanted_call))
            count = calls;
    }
    return count;
}

/* What a tool counts per request, as the difference of a long and a short run. */
static double counted(struct run run, double (*count)(const char *report))
{
    double counts[2];

    for (int i = 0; i < 2; i++) {
        run.requests = i ? LONG_REQUESTS : SHORT_REQUESTS;
        char *report = run_client(&run);

        counts[i] = count(report);
        free(report);
    }
    /* Connecting may take a call more or less: none per request is none. */
    return counts[1] > counts[0] ? (counts[1] - counts[0]) / (LONG_REQUESTS - SHORT_REQUESTS) : 0;
}

static void counted_row(const struct bench_row *row, struct run run,
                        double (*count)(const char *report))
{
    double samples[2][COUNTS];

    for (int i = 0; i < COUNTS; i++) {
        for (int side = 0; side < 2; side++) {
            run.client = clients[side];
            samples[side][i] = counted(run, count);
        }
    }
    bench_print(row, bench_median(samples[0], COUNTS), bench_median(samples[1], COUNTS));
}

static void all_rows(const struct nginx *nginx)
{
    static const char *const cachegrind[] = {"valgrind",       "--tool=cachegrind",
                                             "--cache-sim=no", "--cachegrind-out-file=/dev/null",
                                             "--vgdb=no",      NULL};
    static const char *const strace[] = {"strace", "-f", "-c", NULL};
    static const struct bench_row small = {"http_client_small", "CPU us per request",
                                           "multi_socket on libuv, cured"};
    static const struct bench_row large = {"http_client_large", "CPU us per request",
                                           "multi_socket on libuv, cured"};
    static const struct bench_row ir = {"http_client_instructions", "instructions per request",
                                        "multi_socket on libuv, cured"};
    static const struct bench_row calls = {"http_client_syscalls", "system calls per request",
                                           "multi_socket on libuv, cured"};
    static const struct bench_row epoll = {"http_client_epoll_ctl", "epoll_ctl per request",
                                           "multi_socket on libuv, cured"};
    char small_url[64], large_url[64];
    struct run run = {.url = small_url, .requests = 20000, .concurrency = 100};

    snprintf(small_url, sizeof small_url, "http://127.0.0.1:%d/small", nginx->port);
    snprintf(large_url, sizeof large_url, "http://127.0.0.1:%d/large", nginx->port);
    cpu_row(&small, run);
    cpu_row(&large,
            (struct run){.url = large_url, .requests = 200, .concurrency = 10, .streamed = 1});
    run.tool = cachegrind;
    counted_row(&ir, run, instructions);
    run.tool = strace;
    wanted_call = "total";
    counted_row(&calls, run, system_calls);
    wanted_call = "epoll_ctl";
    counted_row(&epoll, run, system_calls);
}

static int client_main(char **argv)
{
    struct http_load load = {
        .url = argv[2],
        .requests = (unsigned)strtoul(argv[3], NULL, 10),
        .concurrency = (unsigned)strtoul(argv[4], NULL, 10),
        .streamed = argv[5][0] == '1',
    };

    if (!strcmp(argv[1], "bight"))
        http_load_bight(&load);
    else
        http_load_raw(&load);
    printf("%llu %llu\n", (unsigned long long)load.cpu_ns, (unsigned long long)load.bytes);
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"small", "large", NULL};
    static const size_t bytes[] = {1 << 10, 4 << 20};
    struct nginx nginx;

    if (argc == 6)
        return client_main(argv);
    nginx_start(&nginx, SERVER_CPU, names, bytes);
    all_rows(&nginx);
    nginx_stop(&nginx);
    return 0;
}
