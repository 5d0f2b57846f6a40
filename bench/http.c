/* The HTTP client against a raw one of libcurl and libuv, both against an nginx on the other core:
 * CPU time, instructions, system calls. Each load runs in a process of its own, which is this
 * program again: bench_http CLIENT URL REQUESTS CONCURRENCY STREAMED, which prints its CPU ns. */
#include "bench/bench.h"
#include "bench/http_load.h"
#include "bench/nginx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_CPU 1
#define CLIENT_CPU 0
/* Where counting runs take place. On one core with the server, which then answers while the client
 * waits, both clients find about as many answers at once in each run; on two that is chance. */
#define COUNTED_CPU SERVER_CPU
#define ROUNDS 15
/* Counted runs: the difference of the two is free of start and end. Counts vary by a
 * percent or two, for how many answers an event loop finds at once depends on the time. */
#define COUNTS 5
#define COUNTED 3000 /* requests of the longer one, the shorter has a third */

/* Of the text, before it is compressed. */
#define TEXT_BYTES ((size_t)1 << 20)

/* Which client puts which load on the server, what watches it, and what is asked of the report. */
struct load {
    const char *file;
    unsigned concurrency;
    enum http_load_way way;
    const char *const *tool;
    double (*count)(const char *report, pid_t pid);
};

static struct nginx nginx;

/* Run the client. Returns what it printed, which the caller frees. A tool's report comes before or
 * after the figure of the program. */
static char *run_client(const struct load *load, const char *client, uint64_t requests, pid_t *pid)
{
    char url[64], count[32], concurrency[16];
    const char way[] = {(char)('0' + load->way), '\0'};
    const char *const arguments[] = {client, url, count, concurrency, way, NULL};
    struct bench_again again = {.tool = load->tool, .arguments = arguments};
    char *report;

    again.cpu = load->tool ? COUNTED_CPU : CLIENT_CPU;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", nginx.port, load->file);
    snprintf(count, sizeof count, "%llu", (unsigned long long)requests);
    snprintf(concurrency, sizeof concurrency, "%u", load->concurrency);
    report = bench_again(&again);
    *pid = again.pid;
    return report;
}

static double cpu_us_per_request(const struct load *load, const char *client, uint64_t requests)
{
    pid_t pid;
    char *text = run_client(load, client, requests, &pid);
    double us = strtod(text, NULL) / 1000 / (double)requests;

    free(text);
    return us;
}

static double system_calls(const char *report, pid_t pid)
{
    (void)pid;
    return bench_calls(report, "total");
}

static double epoll_ctls(const char *report, pid_t pid)
{
    (void)pid;
    return bench_calls(report, "epoll_ctl");
}

/* What a tool counts per request: the difference between a run of `requests` and one of a third. */
static double counted(const struct load *load, const char *client, uint64_t requests)
{
    uint64_t fewer = requests / 3;
    double counts[2];

    for (int i = 0; i < 2; i++) {
        pid_t pid;
        char *report = run_client(load, client, i ? requests : fewer, &pid);

        counts[i] = load->count(report, pid);
        free(report);
    }
    /* Connecting may take a call more or less; the difference may then be negative, and counts as
     * 0. */
    return counts[1] > counts[0] ? (counts[1] - counts[0]) / (double)(requests - fewer) : 0;
}

static double measured(const struct load *load, const char *client, uint64_t requests)
{
    return load->tool ? counted(load, client, requests)
                      : cpu_us_per_request(load, client, requests);
}

static double ours(void *arg, uint64_t operations)
{
    return measured(arg, "bight", operations);
}

static double raw(void *arg, uint64_t operations)
{
    return measured(arg, "raw", operations);
}

static void open_nginx(void *arg)
{
    static const char *const names[] = {"small", "large", NULL};
    static const size_t bytes[] = {1 << 10, 4 << 20};

    (void)arg;
    nginx_start(&nginx, SERVER_CPU, names, bytes);
}

static void close_nginx(void *arg)
{
    (void)arg;
    nginx_stop(&nginx);
}

#ifdef BIGHT_HAVE_ZLIB
/* A text as pages have it is served; the file is gzip already, so that the server has no work. */
static void open_text(void *arg)
{
    open_nginx(arg);
    nginx_add_text(&nginx, "text", TEXT_BYTES);
}

/* Process and all, as long as it lives. */
static double whole_us(struct bench_again *again, uint64_t requests)
{
    again->cpu = CLIENT_CPU;
    free(bench_again(again));
    return (double)again->cpu_ns / 1000 / (double)requests;
}

static double ours_whole(void *arg, uint64_t requests)
{
    char url[64], count[32];
    const char *const arguments[] = {"bight", url, count, "1", "2", NULL};
    struct bench_again again = {.arguments = arguments};

    (void)arg;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/text", nginx.port);
    snprintf(count, sizeof count, "%llu", (unsigned long long)requests);
    return whole_us(&again, requests);
}

static double curl_tool(void *arg, uint64_t requests)
{
    char url[64];
    const char *const arguments[] = {"-sS", "--fail", "--compressed", "-o", "/dev/null", url, NULL};
    struct bench_again again = {.program = "curl", .arguments = arguments};

    (void)arg;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/text?[1-%llu]", nginx.port,
             (unsigned long long)requests);
    return whole_us(&again, requests);
}
#endif

static const char *const cachegrind[] = {"valgrind",       "--tool=cachegrind",
                                         "--cache-sim=no", "--cachegrind-out-file=/dev/null",
                                         "--vgdb=no",      NULL};
static const char *const strace[] = {"strace", "-f", "-c", NULL};

static struct load small = {"small", 100, HTTP_LOAD_COLLECTED, NULL, NULL};
static struct load large = {"large", 10, HTTP_LOAD_STREAMED, NULL, NULL};
static struct load copied = {"large", 10, HTTP_LOAD_COPIED, NULL, NULL};
static struct load instructions = {"small", 100, HTTP_LOAD_COLLECTED, cachegrind,
                                   bench_instructions};
static struct load all_calls = {"small", 100, HTTP_LOAD_COLLECTED, strace, system_calls};
static struct load epoll_calls = {"small", 100, HTTP_LOAD_COLLECTED, strace, epoll_ctls};

static const struct bench_row rows[] = {
    {"http_client_small", "CPU us per request", "multi_socket on libuv, cured", ours, raw, &small,
     20000, .samples = ROUNDS, .open = open_nginx, .close = close_nginx, .needs = {"nginx"}},
    {"http_client_large", "CPU us per request", "multi_socket on libuv, cured", ours, raw, &large,
     200, .samples = ROUNDS, .open = open_nginx, .close = close_nginx, .needs = {"nginx"}},
    {"http_client_large_copied", "CPU us per request", "the same, each byte copied once", ours, raw,
     &copied, 200, .samples = ROUNDS, .open = open_nginx, .close = close_nginx, .needs = {"nginx"}},
#ifdef BIGHT_HAVE_ZLIB
    {"http_client_gzip", "CPU us per request", "curl --compressed", ours_whole, curl_tool, NULL,
     200, .samples = ROUNDS, .open = open_text, .close = close_nginx, .needs = {"nginx", "curl"}},
#endif
    {"http_client_instructions", "instructions per request", "multi_socket on libuv, cured", ours,
     raw, &instructions, COUNTED, .samples = COUNTS, .open = open_nginx, .close = close_nginx,
     .needs = {"nginx", "valgrind"}},
    {"http_client_syscalls", "system calls per request", "multi_socket on libuv, cured", ours, raw,
     &all_calls, COUNTED, .samples = COUNTS, .open = open_nginx, .close = close_nginx,
     .needs = {"nginx", "strace"}},
    {"http_client_epoll_ctl", "epoll_ctl per request", "multi_socket on libuv, cured", ours, raw,
     &epoll_calls, COUNTED, .samples = COUNTS, .open = open_nginx, .close = close_nginx,
     .needs = {"nginx", "strace"}},
};

static int client_main(char **argv)
{
    struct http_load load = {
        .url = argv[2],
        .requests = (unsigned)strtoul(argv[3], NULL, 10),
        .concurrency = (unsigned)strtoul(argv[4], NULL, 10),
        .way = (enum http_load_way)(argv[5][0] - '0'),
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
    if (argc == 6 && argv[1][0] != '-')
        return client_main(argv);
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
