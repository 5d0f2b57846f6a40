/* See torture.h. */
#include "tests/net/http/torture.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bight/curl.h>

#include "tests/net/http/http_case.h"

static const char *const endings[ENDINGS] = {
    "well", "unreached", "with a wrong answer", "stalled", "late", "inside a library", "otherwise",
};

/* Of the process that fails. */
static long allocations = -1; /* until the next one to fail; negative: none will */
static long failures;
static bool reached;
static bool may_be_late; /* a request may */
static bool was_late;

static bool fails(void)
{
    if (allocations < 0 || allocations-- > 0)
        return false;
    allocations = --failures > 0 ? 0 : -1;
    reached = true;
    return true;
}

static void *counted_malloc(size_t bytes)
{
    return fails() ? NULL : malloc(bytes);
}

static void *counted_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : calloc(count, bytes);
}

static void *counted_realloc(void *memory, size_t bytes)
{
    return fails() ? NULL : realloc(memory, bytes);
}

static char *counted_strdup(const char *text)
{
    return fails() ? NULL : strdup(text);
}

/* libcurl, and what it uses for TLS and HTTP/2. */
static bool is_of_others(const char *file)
{
    static const char *const names[] = {"/libcurl", "/libssl", "/libcrypto", "/libnghttp2"};

    for (size_t i = 0; file && i < sizeof(names) / sizeof(names[0]); i++)
        if (strstr(file, names[i]))
            return true;
    return false;
}

/* The innermost frame that belongs to neither the C library nor this handler says whose fault it
 * is. */
static void on_fault(int number)
{
    void *frames[32];
    int count = backtrace(frames, 32);

    (void)number;
    for (int i = 1; i < count; i++) {
        Dl_info info;
        if (!dladdr(frames[i], &info) || (info.dli_fname && strstr(info.dli_fname, "/libc.so")))
            continue;
        _exit(is_of_others(info.dli_fname) ? ENDED_IN_LIBRARY : ENDED_OTHERWISE);
    }
    _exit(ENDED_OTHERWISE);
}

static void out_of_time(void)
{
    if (!may_be_late)
        _exit(ENDED_STALLED);
    was_late = true;
}

int torture_ask(struct bight_http_session *session, const char *url,
                const struct bight_http_request *limits, size_t wanted)
{
    struct bight_http_request request = *limits;
    struct bight_http_response *response;
    size_t bytes;
    int rc;

    request.total_timeout_ms = 5000;
    rc = bight_http_fetch(&response, session, url, &request);
    if (rc == BIGHT_ETIMEDOUT)
        out_of_time();
    if (rc)
        return rc;
    bight_http_response_body(response, &bytes);
    if (bight_http_response_status(response) != 200 || bytes != wanted)
        _exit(ENDED_WRONG);
    bight_http_response_free(response);
    return 0;
}

int torture_stream(struct bight_http_session *session, const char *url, int64_t wanted)
{
    struct bight_http_request request = {.total_timeout_ms = 5000};
    struct bight_http_response *response;
    char buffer[1000];
    int64_t got, total = 0;
    int rc = bight_http_open(&response, session, url, &request);

    if (rc == BIGHT_ETIMEDOUT)
        out_of_time();
    if (rc)
        return rc;
    while ((got = bight_http_read(response, buffer, sizeof(buffer))) > 0)
        total += got;
    if (got == BIGHT_ETIMEDOUT)
        out_of_time();
    if (got == 0 && total != wanted)
        _exit(ENDED_WRONG);
    bight_http_response_free(response);
    return (int)got;
}

struct armed {
    const struct torture_plan *plan;
    long number, count;
};

static int victim_main(void *arg)
{
    const struct armed *armed = arg;
    const struct torture_plan *plan = armed->plan;
    struct bight_http_session *session;
    struct bight_task *tasks[4];

    if (bight_http_session_new(&session, plan->options) || plan->begin(session))
        _exit(ENDED_OTHERWISE);
    allocations = armed->number;
    failures = armed->count;
    may_be_late = plan->shares;
    for (int i = 0; i < 4; i++)
        if (bight_spawn(&tasks[i], plan->mains[i], session))
            _exit(ENDED_OTHERWISE);
    for (int i = 0; i < 4; i++)
        if (bight_join(tasks[i], NULL))
            _exit(ENDED_OTHERWISE);
    allocations = -1;
    may_be_late = false;
    for (int i = 0; i < 4; i++)
        if (plan->mains[i](session))
            _exit(ENDED_WRONG);
    if (bight_http_session_end(session))
        _exit(ENDED_OTHERWISE);
    _exit(was_late ? ENDED_LATE : reached ? ENDED_WELL : ENDED_UNREACHED);
}

static void victim(const struct torture_plan *plan, long number, long count)
{
    static char stack[65536];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
    struct armed armed = {plan, number, count};
    void *frame;

    backtrace(&frame, 1); /* which loads what it needs */
    sigaltstack(&alternate, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
    alarm(60);
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, counted_malloc, free, counted_realloc, counted_strdup,
                         counted_calloc);
    (void)!bight_run(victim_main, &armed);
    _exit(ENDED_OTHERWISE);
}

static enum ending ending_of(const struct torture_plan *plan, long number, long count)
{
    pid_t pid = fork();
    int status;

    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        victim(plan, number, count);
    ck_assert_int_eq(test_waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGALRM ? ENDED_STALLED : ENDED_OTHERWISE;
    return WEXITSTATUS(status) < ENDINGS ? (enum ending)WEXITSTATUS(status) : ENDED_OTHERWISE;
}

/* Each allocation, or with fewer processes one of so many: all of them at night. */
static long step(void)
{
    const char *text = getenv("TORTURE_STEP");

    return text && atol(text) > 0 ? atol(text) : 7;
}

void torture_sweep(const struct torture_plan *plan, long count)
{
    int counts[ENDINGS] = {0};
    enum ending ending;
    long number = 0;

    for (; (ending = ending_of(plan, number, count)) != ENDED_UNREACHED; number += step()) {
        counts[ending]++;
        if (ending != ENDED_WELL && ending != ENDED_LATE && ending != ENDED_IN_LIBRARY)
            printf("allocation %ld: ended %s\n", number, endings[ending]);
    }
    printf("libcurl %s, %ld at a time: %d processes ended well, %d late, %d inside a library\n",
           curl_version_info(CURLVERSION_NOW)->version, count, counts[ENDED_WELL],
           counts[ENDED_LATE], counts[ENDED_IN_LIBRARY]);
    fflush(stdout);
    EXPECT(counts[ENDED_WELL] > 0 && counts[ENDED_LATE] <= counts[ENDED_WELL] / 10);
    EXPECT(counts[ENDED_WRONG] + counts[ENDED_STALLED] + counts[ENDED_OTHERWISE] == 0);
}
