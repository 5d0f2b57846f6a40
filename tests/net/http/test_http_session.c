/* net/http/session.c: the end of a session in every state, hooks, and want of memory. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bight/curl.h>

#include "net/http/session.h"
#include "runtime/runtime.h"
#include "tests/harness/opening.h"
#include "tests/harness/world.h"
#include "tests/net/http/http_case.h"

HTTP_TEST(closing_fails_what_runs)
{
    static const char *const paths[] = {"/silent", "/drip", "/hops/9", "/ok", "/later"};
    static struct http_case_call calls[40];
    struct bight_http_response *kept, *stream;
    char byte;

    EXPECT(bight_http_fetch(&kept, session, http_server_url(&server, "/ok"), NULL) == 0);
    EXPECT(bight_http_open(&stream, session, http_server_url(&server, "/stall"), NULL) == 0);
    for (int i = 0; i < 40; i++)
        http_call_start(&calls[i], session, http_server_url(&server, paths[i % 5]));
    EXPECT(bight_sleep(10) == 0);
    EXPECT(bight_http_session_end(session) == 0);
    http_session = NULL;
    for (int i = 0; i < 40; i++) {
        int rc = http_call_finish(&calls[i]);
        EXPECT(rc == 0 || (rc == BIGHT_ECLOSED && calls[i].error.kind == BIGHT_HTTP_CLOSED));
    }
    ck_assert_str_eq(bight_http_response_body(kept, NULL), "ok");
    bight_http_response_free(kept);
    EXPECT(bight_http_read(stream, &byte, 1) == 1);
    EXPECT(bight_http_read(stream, &byte, 1) == BIGHT_ECLOSED);
    bight_http_response_free(stream);
    return 0;
}

static int close_main(void *arg)
{
    return bight_http_session_end(arg);
}

HTTP_TEST(closing_is_not_cancelled_and_not_done_twice)
{
    struct bight_task *task;
    int status;

    http_expect(session, http_server_url(&server, "/ok"), "ok");
    EXPECT(bight_spawn(&task, close_main, session) == 0);
    EXPECT(bight_yield() == 0);
    bight_task_cancel(task);
    EXPECT(bight_http_session_end(session) == BIGHT_EALREADY);
    EXPECT(http_try(session, http_server_url(&server, "/ok"), NULL) == BIGHT_ECLOSED);
    EXPECT(bight_join(task, &status) == 0);
    EXPECT(status == 0);
    http_session = NULL;
    return 0;
}

static struct bight_http_session *closing;

static int fetches(void *arg)
{
    struct bight_http_response *response;

    (void)arg;
    return bight_http_fetch(&response, closing, "http://127.0.0.1:1/", NULL);
}

static void closes(void *arg)
{
    (void)arg;
    ck_assert_int_eq(bight_http_session_end(closing), 0);
}

static int close_at_the_opening(void *arg)
{
    (void)arg;
    EXPECT(bight_http_session_new(&closing, NULL) == 0);
    EXPECT(opening_race(fetches, closes, NULL) == BIGHT_ECLOSED);
    return 0;
}

/* The request has not begun, but its call has. */
static void closing_waits_for_a_request_at_its_opening(void)
{
    ck_ok(world_run(close_at_the_opening, NULL, NULL));
}

static struct bight_http_response *survivor, *unfinished;

static int leave_open_main(void *arg)
{
    struct bight_http_session *session;
    struct bight_http_response *stream;

    (void)arg;
    EXPECT(bight_http_session_new(&session, NULL) == 0);
    EXPECT(bight_http_session_new(&session, NULL) == 0);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    EXPECT(bight_http_fetch(&survivor, session, http_server_url(&server, "/ok"), NULL) == 0);
    EXPECT(bight_http_open(&stream, session, http_server_url(&server, "/stall"), NULL) == 0);
    bight_http_response_free(stream);
    return bight_http_open(&unfinished, session, http_server_url(&server, "/stall"), NULL);
}

static void a_session_left_open_ends_with_the_runtime(void)
{
    int fds;

    ck_assert_int_eq(bight_run(leave_open_main, NULL), 0);
    bight_http_response_free(survivor);
    bight_http_response_free(unfinished);
    fds = test_open_fds();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(bight_run(leave_open_main, NULL), 0);
        ck_assert_str_eq(bight_http_response_body(survivor, NULL), "ok");
        bight_http_response_free(survivor);
        bight_http_response_free(unfinished);
    }
    ck_assert_int_eq(test_open_fds(), fds);
}

/* BIGHT_CHECK_OPEN */

static int told;

static void on_left(void *arg, const struct bight_report *report)
{
    bool here = false;

    (void)arg;
    if (report->kind != BIGHT_REPORT_LEFT_OPEN)
        return;
    ck_assert_str_eq(report->text, "an HTTP session");
    for (size_t i = 0; i < report->place_count; i++)
        here |= (uintptr_t)report->places[i] - (uintptr_t)leave_open_main < 2048;
    ck_assert(here);
    told++;
}

static int end_it_main(void *arg)
{
    struct bight_http_session *session;

    (void)arg;
    EXPECT(bight_http_session_new(&session, NULL) == 0);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    return bight_http_session_end(session);
}

static void a_session_left_open_is_told_where_that_is_asked_for(void)
{
    struct bight_runtime_options options = {.checks = BIGHT_CHECK_OPEN, .on_report = on_left};

    ck_assert_int_eq(bight_run_with(&options, leave_open_main, NULL), 0);
    ck_assert_int_eq(told, 2);
    bight_http_response_free(survivor);
    bight_http_response_free(unfinished);
    ck_assert_int_eq(bight_run_with(&options, end_it_main, NULL), 0);
    ck_assert_int_eq(told, 2);
}

static int prepared;

static int set_agent(void *arg, CURL *easy)
{
    prepared++;
    return curl_easy_setopt(easy, CURLOPT_USERAGENT, arg) ? BIGHT_ENOMEM : 0;
}

static int refuse(void *arg, CURL *easy)
{
    (void)arg;
    (void)easy;
    return BIGHT_EPERM;
}

static const struct bight_curl_hook session_hook = {set_agent, "from-session"};
static const struct bight_http_session_options hooked = {.curl = &session_hook};

HTTP_TEST_WITH(hooks_reach_libcurl, &hooked)
{
    struct bight_curl_hook hook = {set_agent, "from-request"}, refusing = {refuse, NULL};
    struct bight_http_error error;
    struct bight_http_request request = {.curl = &hook, .error = &error};
    struct bight_http_response *response;
    const char *url = http_server_url(&server, "/echo");

    for (int i = 0; i < 2; i++) {
        EXPECT(bight_http_fetch(&response, session, url, NULL) == 0);
        EXPECT(strstr(bight_http_response_body(response, NULL), "from-session"));
        bight_http_response_free(response);
        /* Once per handle. A request's hook spoils one, and with an old libcurl each response. */
        EXPECT(prepared == (i ? 3 + session->spoils_handles : 1));
        EXPECT(bight_http_fetch(&response, session, url, &request) == 0);
        EXPECT(strstr(bight_http_response_body(response, NULL), "from-request"));
        bight_http_response_free(response);
    }
    request.curl = &refusing;
    EXPECT(bight_http_fetch(&response, session, url, &request) == BIGHT_EPERM);
    EXPECT(error.kind == BIGHT_HTTP_SYSTEM);
    EXPECT(atomic_load(&server.counts->connections) == 1);
    return 0;
}

HTTP_TEST(want_of_descriptors_is_an_error)
{
    struct rlimit before, none;
    struct bight_http_error error;

    EXPECT(getrlimit(RLIMIT_NOFILE, &before) == 0);
    none = before;
    int next = dup(STDIN_FILENO);
    EXPECT(next > 0 && close(next) == 0);
    none.rlim_cur = (rlim_t)next;
    EXPECT(setrlimit(RLIMIT_NOFILE, &none) == 0);
    int rc = http_try(session, http_server_url(&server, "/ok"), &error);
    EXPECT(setrlimit(RLIMIT_NOFILE, &before) == 0);
    ck_assert_msg(rc == BIGHT_EMFILE && error.kind == BIGHT_HTTP_SYSTEM, "%d %s", rc, error.text);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    return 0;
}

HTTP_TEST(a_resolver_may_be_shared)
{
    struct bight_http_session_options options = {0};
    struct bight_http_session *second;
    struct bight_resolver_stats stats;
    char url[64];

    EXPECT(bight_resolver_new(&options.resolver, NULL) == 0);
    snprintf(url, sizeof url, "http://localhost:%u/ok", server.port);
    for (int i = 0; i < 2; i++) {
        EXPECT(bight_http_session_new(&second, &options) == 0);
        http_expect(second, url, "ok");
        EXPECT(bight_http_session_end(second) == 0);
    }
    bight_resolver_get_stats(options.resolver, &stats);
    EXPECT(stats.lookups == 1 && stats.hits == 1);
    bight_resolver_free(options.resolver);
    return 0;
}

/* What a thread with a runtime of its own finds. */
struct foreign {
    struct bight_http_session *session;
    struct bight_http_response *stream;
    struct bight_resolver *resolver;
};

static int foreign_main(void *arg)
{
    const struct foreign *foreign = arg;
    struct bight_http_session_options options = {.resolver = foreign->resolver};
    struct bight_http_response *response;
    struct bight_http_session *own;
    struct bight_http_error error;
    char url[64], byte;

    EXPECT(http_try(foreign->session, http_server_url(&server, "/ok"), &error) == BIGHT_EPERM);
    EXPECT(error.code == BIGHT_EPERM);
    EXPECT(bight_http_open(&response, foreign->session, http_server_url(&server, "/ok"), NULL) ==
           BIGHT_EPERM);
    EXPECT(bight_http_read(foreign->stream, &byte, 1) == BIGHT_EPERM);
    EXPECT(bight_http_session_end(foreign->session) == BIGHT_EPERM);
    /* One's own session, with the other one's resolver. */
    EXPECT(bight_http_session_new(&own, &options) == 0);
    snprintf(url, sizeof url, "http://localhost:%u/ok", server.port);
    EXPECT(http_try(own, url, &error) == BIGHT_EPERM && error.code == BIGHT_EPERM);
    return bight_http_session_end(own);
}

static void *foreign_thread(void *arg)
{
    EXPECT(bight_run(foreign_main, arg) == 0);
    return NULL;
}

HTTP_TEST(a_session_of_another_thread_is_refused)
{
    struct foreign foreign = {.session = session};
    pthread_t thread;
    char bytes[8];

    EXPECT(bight_resolver_new(&foreign.resolver, NULL) == 0);
    EXPECT(bight_http_open(&foreign.stream, session, http_server_url(&server, "/ok"), NULL) == 0);
    EXPECT(pthread_create(&thread, NULL, foreign_thread, &foreign) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT(bight_http_read(foreign.stream, bytes, sizeof bytes) == 2 && !memcmp(bytes, "ok", 2));
    bight_http_response_free(foreign.stream);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    EXPECT(atomic_load(&server.counts->requests) == 2);
    bight_resolver_free(foreign.resolver);
    return 0;
}

/* Fails the k-th allocation of the layers. */
struct failing {
    long left;
    bool on;
};

static bool fail_alloc(void *ctx, const void *site)
{
    struct failing *failing = ctx;

    (void)site;
    return failing->on && failing->left-- == 0;
}

/* A request with everything: headers, body, a hop to another origin, a stream. */
static int busy_main(void *arg)
{
    static const char *const headers[] = {"X: 1", NULL};
    struct failing *failing = arg;
    struct bight_http_request request = {
        .method = "POST", .headers = headers, .body = "x", .body_bytes = 1};
    struct bight_http_session *session;
    struct bight_http_response *response;
    char path[100], buffer[65536];
    int64_t got;
    int rc;

    failing->on = true;
    rc = bight_http_session_new(&session, NULL);
    if (rc < 0)
        goto out;
    snprintf(path, sizeof path, "/to/http://localhost:%u/bytes/100000", other.port);
    rc = bight_http_fetch(&response, session, http_server_url(&server, path), &request);
    if (rc == 0) {
        bight_http_response_free(response);
        rc = bight_http_open(&response, session, http_server_url(&server, "/chunked/200000"), NULL);
    }
    if (rc == 0) {
        while ((got = bight_http_read(response, buffer, 100)) > 0)
            ;
        rc = (int)got;
        bight_http_response_free(response);
    }
    failing->on = false;
    EXPECT(bight_http_session_end(session) == 0);
out:
    failing->on = false;
    return rc;
}

static void each_allocation_may_fail(void)
{
    struct failing failing = {.left = -1};
    struct bight_seams seams = {.ctx = &failing, .fail_alloc = fail_alloc};
    int failed = 0, fds;

    ck_assert_int_eq(bight__run_with_seams(NULL, &seams, busy_main, &failing), 0);
    fds = test_open_fds();
    for (int k = 0;; k++) {
        failing = (struct failing){.left = k};
        int rc = bight__run_with_seams(NULL, &seams, busy_main, &failing);
        ck_assert_int_eq(test_open_fds(), fds);
        if (failing.left >= 0)
            break;
        ck_assert_msg(rc == BIGHT_ENOMEM || rc == 0, "allocation %d: %s", k, bight_error_name(rc));
        failed += rc != 0;
    }
    ck_assert_int_ge(failed, 15);
    printf("http: %d allocations failed\n", failed);
}

static const struct suite_case cases[] = {
    plain_case(closing_fails_what_runs),
    plain_case(closing_is_not_cancelled_and_not_done_twice),
    plain_case(closing_waits_for_a_request_at_its_opening),
    plain_case(a_session_left_open_ends_with_the_runtime),
    plain_case(a_session_left_open_is_told_where_that_is_asked_for),
    plain_case(hooks_reach_libcurl),
    plain_case(want_of_descriptors_is_an_error),
    plain_case(a_resolver_may_be_shared),
    plain_case(a_session_of_another_thread_is_refused),
    plain_case(each_allocation_may_fail),
};

test_suite("http_session", cases, .setup = http_case_setup, .teardown = http_case_teardown);
