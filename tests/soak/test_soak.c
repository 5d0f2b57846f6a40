/* All parts of the library at once, round after round in one runtime: tasks, deadlines, queues,
 * threads, worker processes that are killed, requests that fail. What a round leaves behind adds
 * up: in the end descriptors, tasks and timers are those of the beginning, and memory is that of
 * the first quarter. SOAK_SECONDS in the environment says how long; 2. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bight/http.h>

#include "tests/net/http/http_server.h"
#include "tests/offload/worker_cases.h"

#define ROUNDS_LEAST 20
#define ITEMS 200
/* In the environment: where the server is. */
#define PORT "SOAK_PORT"
/* How much more than after the first quarter may be in use, for what libcurl and getaddrinfo keep;
 * and may be resident, for what malloc keeps. */
#define SLACK_HEAP_BYTES (64 * 1024)
#define SLACK_RESIDENT_KIB 2048

struct soak {
    struct bight_executor *executor;
    struct bight_http_session *session;
    struct bight_queue *queue;
    unsigned round;
    uint64_t requests;
    uint64_t jobs;
    uint64_t expired;
};

static struct http_server server;

static int sleep_long(void *arg)
{
    (void)arg;
    return bight_sleep(60000);
}

static int expires(void *arg)
{
    struct soak *soak = arg;

    CHECK_EQ(bight_timeout(1, sleep_long, NULL), BIGHT_ETIMEDOUT);
    soak->expired++;
    return 0;
}

static int puts_items(void *arg)
{
    struct soak *soak = arg;

    for (uintptr_t i = 1; i <= ITEMS; i++)
        CHECK_EQ(bight_queue_put(soak->queue, (void *)i), 0);
    return 0;
}

static int gets_items(void *arg)
{
    struct soak *soak = arg;

    for (uintptr_t i = 1; i <= ITEMS; i++) {
        void *item = NULL;
        CHECK_EQ(bight_queue_get(soak->queue, &item), 0);
        CHECK_EQ((uintptr_t)item, i);
    }
    return 0;
}

static int half(void *arg)
{
    return *(int *)arg / 2;
}

static int on_a_thread(void *arg)
{
    int number = 42;

    (void)arg;
    CHECK_EQ(bight_offload(half, &number), 21);
    return 0;
}

static int fails(void *arg)
{
    (void)arg;
    return BIGHT_EIO;
}

/* The failure cancels the sleeper. */
static int failing_group(void *arg)
{
    struct bight_group group = {0};

    (void)arg;
    CHECK_EQ(bight_group_begin(&group, 0), 0);
    CHECK_EQ(bight_group_spawn(NULL, &group, NULL, sleep_long, NULL), 0);
    CHECK_EQ(bight_group_spawn(NULL, &group, NULL, fails, NULL), 0);
    CHECK_EQ(bight_group_end(&group, 0), BIGHT_EIO);
    return 0;
}

static void fetch(struct soak *soak, const char *path, int64_t total_ms, int code)
{
    struct bight_http_request request = {.total_timeout_ms = total_ms};
    struct bight_http_response *response;
    int rc = bight_http_get(&response, soak->session, http_server_url(&server, path), &request);

    CHECK_EQ(rc, code);
    if (rc == 0)
        bight_http_response_free(response);
    soak->requests++;
}

static int fetches(void *arg)
{
    struct soak *soak = arg;

    fetch(soak, "/bytes/20000", 0, 0);
    fetch(soak, "/chunked/5000", 0, 0);
    fetch(soak, "/gzip", 0, 0);
    fetch(soak, "/hops/3", 0, 0);
    fetch(soak, "/short", 0, BIGHT_EPROTOCOL);
    fetch(soak, "/silent", 5, BIGHT_ETIMEDOUT);
    return 0;
}

static int crash(struct bight_job *job)
{
    (void)job;
    return raise(SIGKILL);
}

static const struct bight_job_def crash_job = {.name = "crash", .fn = crash};

static int executes(void *arg)
{
    struct soak *soak = arg;
    struct bight_result result = {0};
    char input[6000];

    memset(input, (int)(soak->round & 0x7f), sizeof input);
    int rc = bight_execute(soak->executor, &echo_job, input, sizeof input, &result);
    CHECK(rc == 0 || rc == BIGHT_EWORKERDIED);
    if (rc == 0)
        CHECK(result.output_bytes == sizeof input && !memcmp(result.output, input, sizeof input));
    bight_result_free(&result);
    if (soak->round % 10 == 0)
        CHECK_EQ(bight_execute(soak->executor, &crash_job, NULL, 0, &result), BIGHT_EWORKERDIED);
    bight_result_free(&result);
    soak->jobs++;
    return 0;
}

static int (*const kinds[])(void *arg) = {
    expires, puts_items, gets_items, on_a_thread, failing_group, fetches, executes,
};

static void one_round(struct soak *soak)
{
    struct bight_group group = {0};
    struct bight_runtime_stats stats;

    CHECK_EQ(bight_group_begin(&group, 0), 0);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        CHECK_EQ(bight_group_spawn(NULL, &group, NULL, kinds[i], soak), 0);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(bight_group_spawn(NULL, &group, NULL, expires, soak), 0);
    CHECK_EQ(bight_group_end(&group, 0), 0);
    CHECK_EQ(bight_runtime_get_stats(&stats), 0);
    CHECK_EQ(stats.live, 1);
    soak->round++;
}

struct memory {
    size_t heap_bytes;
    long resident_kib;
};

static struct memory memory_now(void)
{
    struct memory now = {.heap_bytes = mallinfo2().uordblks};
    FILE *file = fopen("/proc/self/statm", "re");
    long pages;

    CHECK(file && fscanf(file, "%*d %ld", &pages) == 1);
    fclose(file);
    now.resident_kib = pages * (sysconf(_SC_PAGESIZE) / 1024);
    return now;
}

/* A sanitizer's malloc tells nothing of itself, and keeps what was freed. */
static void expect_no_growth(struct memory early)
{
    struct memory now = memory_now();

    if (!early.heap_bytes)
        return;
    CHECK_EQ(now.heap_bytes > early.heap_bytes + SLACK_HEAP_BYTES ? now.heap_bytes : 0, 0);
    CHECK_EQ(now.resident_kib > early.resident_kib + SLACK_RESIDENT_KIB ? now.resident_kib : 0, 0);
}

/* How long, in ns. */
static uint64_t soak_ns(void)
{
    const char *text = getenv("SOAK_SECONDS");
    int seconds = text ? atoi(text) : 0;

    return (uint64_t)(seconds > 0 ? seconds : 2) * 1000000000;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int soaks(void *arg)
{
    struct soak *soak = arg;
    struct bight_executor *executor = worker_open_count(2);
    uint64_t start = bight_now_ns(), length = soak_ns();
    struct memory early = {0};

    soak->executor = executor;
    CHECK_EQ(bight_http_session_new(&soak->session, NULL), 0);
    CHECK_EQ(bight_queue_new(&soak->queue, 16), 0);
    while (soak->round < ROUNDS_LEAST || bight_now_ns() - start < length) {
        one_round(soak);
        if (!early.resident_kib && soak->round >= ROUNDS_LEAST / 2 &&
            bight_now_ns() - start > length / 4)
            early = memory_now();
    }
    expect_no_growth(early);
    CHECK_EQ(bight_queue_free(soak->queue), 0);
    CHECK_EQ(bight_http_session_end(soak->session), 0);
    worker_close(executor);
    return 0;
}

static int a_long_life_leaves_nothing_behind(void)
{
    struct soak soak = {0};
    const char *port = getenv(PORT);

    CHECK(port);
    CHECK_EQ(bight_run(nothing, NULL), 0); /* libuv keeps a pipe from its first loop */
    int before = worker_open_fds();
    server.port = (uint16_t)atoi(port);
    int rc = bight_run(soaks, &soak);
    CHECK_EQ(worker_open_fds(), before);
    CHECK(soak.expired >= 100 * (uint64_t)soak.round && soak.requests && soak.jobs);
    printf("soak: %u rounds, %ju requests, %ju jobs\n", soak.round, (uintmax_t)soak.requests,
           (uintmax_t)soak.jobs);
    return rc;
}

static const struct suite_case cases[] = {
    worker_plain(a_long_life_leaves_nothing_behind, 0),
};

/* The server is no child of the case, whose children have to end. */
static void open_suite(void)
{
    char port[8];

    http_server_start(&server);
    snprintf(port, sizeof port, "%u", (unsigned)server.port);
    setenv(PORT, port, 1);
}

static void close_suite(void)
{
    http_server_stop(&server);
}

worker_suite("soak", cases, .open = open_suite, .close = close_suite);
