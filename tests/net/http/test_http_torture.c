/* Every allocation of libcurl fails in turn, alone or with some that follow, in a process of its
 * own: requests end, with their body or an error, and the session works on. libcurl itself does not
 * survive all of it: how many processes ended inside of it is said, and is no failure of ours. */
#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bight/curl.h>

#include "net/http/session.h"
#include "net/resolve/resolve.h"
#include "tests/net/http/http_case.h"

/* How a process ends. */
enum ending {
    ENDED_WELL,
    ENDED_UNREACHED, /* there were fewer allocations */
    ENDED_WRONG,     /* a body that is not the one, or a session that does not work any more */
    ENDED_STALLED,
    ENDED_IN_LIBCURL,
    ENDED_OTHERWISE,
    ENDINGS,
};

static const char *const endings[ENDINGS] = {
    "well", "unreached", "with a wrong answer", "stalled", "inside libcurl", "otherwise",
};

/* Of the process that fails. */
static long allocations = -1; /* until the next one to fail; negative: none will */
static long failures;
static bool reached;

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

static bool is_in(const char *file, const char *name)
{
    return file && strstr(file, name);
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
        if (!dladdr(frames[i], &info) || is_in(info.dli_fname, "/libc.so"))
            continue;
        _exit(is_in(info.dli_fname, "/libcurl") ? ENDED_IN_LIBCURL : ENDED_OTHERWISE);
    }
    _exit(ENDED_OTHERWISE);
}

static int look_up(void *arg, const char *host, struct bight_address *addresses, size_t *count)
{
    (void)arg;
    (void)host;
    addresses[0] = (struct bight_address){.family = 4, .bytes = {127, 0, 0, 1}};
    *count = 1;
    return 0;
}

static int ask(struct bight_http_session *session, const char *url,
               const struct bight_http_request *limits, size_t wanted)
{
    struct bight_http_request request = *limits;
    struct bight_http_response *response;
    size_t bytes;
    int rc;

    request.total_timeout_ms = 5000;
    rc = bight_http_fetch(&response, session, url, &request);
    if (rc == BIGHT_ETIMEDOUT)
        _exit(ENDED_STALLED);
    if (rc)
        return rc;
    bight_http_response_body(response, &bytes);
    if (bight_http_response_status(response) != 200 || bytes != wanted)
        _exit(ENDED_WRONG);
    bight_http_response_free(response);
    return 0;
}

static int stream(struct bight_http_session *session, const char *url, int64_t wanted)
{
    struct bight_http_request request = {.total_timeout_ms = 5000};
    struct bight_http_response *response;
    char buffer[1000];
    int64_t got, total = 0;
    int rc = bight_http_open(&response, session, url, &request);

    if (rc == BIGHT_ETIMEDOUT)
        _exit(ENDED_STALLED);
    if (rc)
        return rc;
    while ((got = bight_http_read(response, buffer, sizeof(buffer))) > 0)
        total += got;
    if (got == BIGHT_ETIMEDOUT)
        _exit(ENDED_STALLED);
    if (got == 0 && total != wanted)
        _exit(ENDED_WRONG);
    bight_http_response_free(response);
    return (int)got;
}

static int get_main(void *session)
{
    static const struct bight_http_request plain;

    return ask(session, http_server_url(&server, "/bytes/40000"), &plain, 40000);
}

static int post_main(void *session)
{
    static const char *const headers[] = {"X-One: 1", "X-Two: 2", NULL};
    static const struct bight_http_request post = {
        .method = "POST", .headers = headers, .body = "x", .body_bytes = 1};
    char url[64];

    snprintf(url, sizeof(url), "HTTP://name.test:%u/ok", other.port);
    return ask(session, url, &post, 2);
}

static int gzip_main(void *session)
{
    static const struct bight_http_request plain;

    return ask(session, http_server_url(&server, "/to//gzip"), &plain, 5);
}

static int stream_main(void *session)
{
    return stream(session, http_server_url(&server, "/chunked/200000"), 200000);
}

static int victim_main(void *arg)
{
    static int (*const mains[])(void *) = {get_main, post_main, gzip_main, stream_main};
    static const struct bight_http_request plain;
    struct bight_http_session *session;
    struct bight_task *tasks[4];
    const long *armed = arg;

    if (bight_http_session_new(&session, NULL))
        _exit(ENDED_OTHERWISE);
    bight__resolver_set_lookup(session->resolver, look_up, NULL);
    if (ask(session, http_server_url(&server, "/ok"), &plain, 2))
        _exit(ENDED_OTHERWISE);
    allocations = armed[0];
    failures = armed[1];
    for (int i = 0; i < 4; i++)
        if (bight_spawn(&tasks[i], mains[i], session))
            _exit(ENDED_OTHERWISE);
    for (int i = 0; i < 4; i++)
        if (bight_join(tasks[i], NULL))
            _exit(ENDED_OTHERWISE);
    allocations = -1;
    if (get_main(session) || post_main(session) || gzip_main(session) || stream_main(session))
        _exit(ENDED_WRONG);
    if (bight_http_session_end(session))
        _exit(ENDED_OTHERWISE);
    _exit(reached ? ENDED_WELL : ENDED_UNREACHED);
}

static void victim(long number, long count)
{
    static char stack[65536];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
    long armed[2] = {number, count};
    void *frame;

    backtrace(&frame, 1); /* which loads what it needs */
    sigaltstack(&alternate, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
    alarm(60);
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, counted_malloc, free, counted_realloc, counted_strdup,
                         counted_calloc);
    (void)!bight_run(victim_main, armed);
    _exit(ENDED_OTHERWISE);
}

static enum ending ending_of(long number, long count)
{
    pid_t pid = fork();
    int status;

    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        victim(number, count);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
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

static void sweep(long count)
{
    int counts[ENDINGS] = {0};
    enum ending ending;
    long number = 0;

    for (; (ending = ending_of(number, count)) != ENDED_UNREACHED; number += step()) {
        counts[ending]++;
        if (ending != ENDED_WELL && ending != ENDED_IN_LIBCURL)
            printf("allocation %ld: ended %s\n", number, endings[ending]);
    }
    printf("libcurl %s, %ld at a time: %d processes ended well, %d inside libcurl\n",
           curl_version_info(CURLVERSION_NOW)->version, count, counts[ENDED_WELL],
           counts[ENDED_IN_LIBCURL]);
    fflush(stdout);
    EXPECT(counts[ENDED_WELL] > 0);
    EXPECT(counts[ENDED_WRONG] + counts[ENDED_STALLED] + counts[ENDED_OTHERWISE] == 0);
}

static void one_failed_allocation_in_libcurl_stalls_nothing(void)
{
    sweep(1);
}

static void a_row_of_failed_allocations_in_libcurl_stalls_nothing(void)
{
    sweep(20);
}

static const struct suite_case cases[] = {
    plain_case(one_failed_allocation_in_libcurl_stalls_nothing),
    plain_case(a_row_of_failed_allocations_in_libcurl_stalls_nothing),
};

test_suite("http_torture", cases, .setup = http_case_setup, .teardown = http_case_teardown,
           .timeout_s = -1);
