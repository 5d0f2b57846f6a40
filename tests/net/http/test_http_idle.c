/* net/http/idle.c: what becomes of kept connections on which something comes. */
#include <bight/curl.h>
#include <stdio.h>

#include "net/http/session.h"
#include "tests/net/http/http_case.h"

/* What the peer does on the idle connection. */
static const char *const unasked[] = {"/unasked/408",  "/unasked/200", "/unasked/crlf",
                                      "/unasked/junk", "/unasked/fin", "/unasked/reset"};

static const struct bight_http_session_options narrow = {.buffer_bytes = 1};

#define UNASKED (sizeof(unasked) / sizeof(unasked[0]))

static size_t sockets_of(const struct bight_http_session *session)
{
    struct bight_http_stats stats;

    bight_http_session_get_stats(session, &stats);
    return stats.sockets;
}

/* On a slow machine it comes with the page, and libcurl closes the connection itself. */
static void await_given_up(const struct bight_http_session *session)
{
    for (int ms = 0; session->spent < sockets_of(session); ms++) {
        ck_assert_msg(ms < 10000, "%zu connections were given up", session->spent);
        EXPECT(bight_sleep(1) == 0);
    }
}

static void await_no_socket(const struct bight_http_session *session, int64_t limit_ms)
{
    uint64_t end_ns = bight_now_ns() + (uint64_t)limit_ms * 1000000;

    while (sockets_of(session)) {
        ck_assert_msg(bight_now_ns() < end_ns, "%zu sockets are left", sockets_of(session));
        EXPECT(bight_sleep(5) == 0);
    }
}

HTTP_TEST(nothing_that_came_unasked_is_an_answer)
{
    for (size_t i = 0; i < UNASKED; i++) {
        size_t before = (size_t)atomic_load(&server.counts->connections);
        http_expect(session, http_server_url(&server, unasked[i]), "page");
        await_given_up(session);
        http_expect(session, http_server_url(&server, "/close"), "ok");
        EXPECT((size_t)atomic_load(&server.counts->connections) == before + 2);
        EXPECT(session->spent == 0 && sockets_of(session) == 0);
    }
    return 0;
}

/* The loop has had no chance to tell. */
HTTP_TEST(nor_is_what_came_while_a_task_was_at_work)
{
    for (size_t i = 0; i < UNASKED; i++) {
        int unasked_before = atomic_load(&server.counts->unasked);
        http_expect(session, http_server_url(&server, unasked[i]), "page");
        while (atomic_load(&server.counts->unasked) == unasked_before)
            ;
        uint64_t end_ns = bight_now_ns() + 5000000;
        while (bight_now_ns() < end_ns)
            ;
        http_expect(session, http_server_url(&server, "/close"), "ok");
    }
    return 0;
}

/* libcurl has the whole of the body, and wants nothing more of the connection. */
HTTP_TEST_WITH(nor_is_what_came_while_a_stream_was_paused, &narrow)
{
    static char buffer[40000];
    struct bight_http_response *response;
    char path[64];

    for (size_t i = 0; i < UNASKED; i++) {
        int unasked_before = atomic_load(&server.counts->unasked);
        snprintf(path, sizeof path, "/unasked/chunked/%s", unasked[i] + sizeof "/unasked");
        EXPECT(bight_http_open(&response, session, http_server_url(&server, path), NULL) == 0);
        http_await(&server.counts->unasked, unasked_before + 1);
        EXPECT(bight_sleep(5) == 0);
        int64_t got, total = 0;
        while ((got = bight_http_read(response, buffer, sizeof buffer)) > 0)
            total += got;
        EXPECT(got == 0 && total == 40000);
        http_expect(session, http_server_url(&server, "/close"), "ok");
        bight_http_response_free(response);
    }
    return 0;
}

/* The other request begins in the turn in which the stream ends. */
HTTP_TEST_WITH(nor_for_one_who_has_waited_for_the_connection, &narrow)
{
    static char buffer[40000];
    struct bight_http_response *response;
    char path[64];

    for (size_t i = 0; i < UNASKED; i++) {
        struct http_case_call call = {0};
        int unasked_before = atomic_load(&server.counts->unasked);
        snprintf(path, sizeof path, "/unasked/chunked/%s", unasked[i] + sizeof "/unasked");
        EXPECT(bight_http_open(&response, session, http_server_url(&server, path), NULL) == 0);
        http_await(&server.counts->unasked, unasked_before + 1);
        EXPECT(bight_sleep(5) == 0);
        for (int64_t total = 0; total < 40000;) {
            int64_t got = bight_http_read(response, buffer, sizeof buffer);
            EXPECT(got > 0);
            total += got;
        }
        http_call_start(&call, session, http_server_url(&server, "/later"));
        EXPECT(bight_http_read(response, buffer, sizeof buffer) == 0);
        EXPECT(bight_join(call.task, NULL) == 0 && call.rc == 0);
        ck_assert_str_eq(bight_http_response_body(call.response, NULL), "ok");
        bight_http_response_free(call.response);
        bight_http_response_free(response);
    }
    return 0;
}

HTTP_TEST(nobody_else_pays_for_it)
{
    struct bight_http_request request = {.method = "POST", .body = "x", .body_bytes = 1};
    struct bight_http_response *response;

    for (size_t i = 0; i < UNASKED; i++) {
        http_expect(session, http_server_url(&server, unasked[i]), "page");
        await_given_up(session);
        EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/close"), &request) ==
               0);
        bight_http_response_free(response);
    }
    return 0;
}

static int demand_another(void *arg, CURL *easy)
{
    (void)arg;
    return curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) ? BIGHT_ENOMEM : 0;
}

/* Each over a connection of its own, also where a slow machine lets the first ones end early. */
HTTP_TEST(what_the_peer_closed_is_closed_without_a_request)
{
    static const struct bight_curl_hook another = {.prepare = demand_another};
    struct http_case_call calls[8];

    for (size_t i = 0; i < 8; i++) {
        calls[i] = (struct http_case_call){.request = {.curl = &another}};
        http_call_start(&calls[i], session, http_server_url(&server, unasked[i % UNASKED]));
    }
    for (int i = 0; i < 8; i++)
        EXPECT(http_call_finish(&calls[i]) == 0);
    await_given_up(session);
    await_no_socket(session, 2000);
    EXPECT(session->spent == 0);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    return 0;
}

HTTP_TEST(a_peer_that_talks_on_is_cut_off)
{
    http_expect(session, http_server_url(&server, "/unasked/flood"), "page");
    await_given_up(session);
    http_await(&server.counts->hung_up, 1);
    http_expect(session, http_server_url(&server, "/close"), "ok");
    await_no_socket(session, 2000);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(nothing_that_came_unasked_is_an_answer),
    plain_case(nor_is_what_came_while_a_task_was_at_work),
    plain_case(nor_is_what_came_while_a_stream_was_paused),
    plain_case(nor_for_one_who_has_waited_for_the_connection),
    plain_case(nobody_else_pays_for_it),
    plain_case(what_the_peer_closed_is_closed_without_a_request),
    plain_case(a_peer_that_talks_on_is_cut_off),
};

test_suite("http_idle", cases, .setup = http_case_setup, .teardown = http_case_teardown);
