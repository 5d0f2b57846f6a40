/* net/http/repeat.c: what is sent twice when a kept connection ends before an answer, and what is
 * not. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <bight/curl.h>

#include "net/http/session.h"
#include "net/resolve/resolve.h"
#include "tests/net/http/http_case.h"

static int requests_at(const struct http_server *at)
{
    return atomic_load(&at->counts->requests);
}

/* Over a connection that has carried a request already. How often it went out, and its code. */
static int sent_kept(struct bight_http_session *session, struct bight_http_request *request,
                     const char *path, int *code)
{
    struct bight_http_response *response;
    struct bight_http_error error;

    http_expect(session, http_server_url(&server, "/ok"), "ok");
    int before = requests_at(&server);
    request->error = &error;
    *code = bight_http_fetch(&response, session, http_server_url(&server, path), request);
    ck_assert_int_eq(error.code, *code);
    EXPECT(*code == 0 || *error.text);
    if (*code == 0)
        bight_http_response_free(response);
    else
        EXPECT((error.kind == BIGHT_HTTP_UNKNOWN_OUTCOME) == (*code == BIGHT_EUNKNOWNOUTCOME));
    return requests_at(&server) - before;
}

HTTP_TEST(only_what_changes_nothing_is_sent_twice)
{
    static const char *const safe[] = {"GET", "HEAD", "OPTIONS", "TRACE"};
    static const char *const others[] = {"POST", "DELETE", "PUT", "PATCH", "get", "LOCK"};
    int code;

    for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++) {
        struct bight_http_request request = {.method = safe[i]};
        int sent = sent_kept(session, &request, "/dead", &code);
        if (sent != 2 || code != BIGHT_EPROTOCOL)
            ck_abort_msg("%s: %d times, %s", safe[i], sent, bight_error_name(code));
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct bight_http_request request = {.method = others[i]};
        ck_assert_int_eq(sent_kept(session, &request, "/dead", &code), 1);
        ck_assert_int_eq(code, BIGHT_EUNKNOWNOUTCOME);
        request.body = "pay 100";
        request.body_bytes = 7;
        ck_assert_int_eq(sent_kept(session, &request, "/dead", &code), 1);
        ck_assert_int_eq(code, BIGHT_EUNKNOWNOUTCOME);
    }
    return 0;
}

/* What comes before an answer is none. */
HTTP_TEST(a_hint_that_comes_first_is_no_answer)
{
    static const char *const methods[] = {"POST", "DELETE"};
    struct bight_http_response *response;
    int code;

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct bight_http_request request = {.method = methods[i], .body = "x", .body_bytes = 1};
        ck_assert_int_eq(sent_kept(session, &request, "/early-dead", &code), 1);
        ck_assert_int_eq(code, BIGHT_EUNKNOWNOUTCOME);
        /* Nor over a connection of its own. */
        request.error = NULL;
        http_expect(session, http_server_url(&server, "/close"), "ok");
        EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/early-dead"),
                                &request) == BIGHT_EUNKNOWNOUTCOME);
    }
    return 0;
}

HTTP_TEST(on_request_any_method_is_sent_twice)
{
    struct bight_http_request request = {
        .method = "POST", .body = "once", .body_bytes = 4, .idempotent = true};
    int code;

    ck_assert_int_eq(sent_kept(session, &request, "/dead", &code), 2);
    ck_assert_int_eq(code, BIGHT_EPROTOCOL);
    return 0;
}

/* One that the peer resets when the next request comes, among others of the kind. */
HTTP_TEST(a_repeat_takes_a_new_connection)
{
    struct http_case_call calls[5];
    struct bight_http_request request = {.method = "POST"};
    struct bight_http_response *response;

    for (int i = 0; i < 5; i++) {
        calls[i] = (struct http_case_call){0};
        http_call_start(&calls[i], session, http_server_url(&server, "/reset-next"));
    }
    for (int i = 0; i < 5; i++)
        EXPECT(http_call_finish(&calls[i]) == 0);
    int connections = atomic_load(&server.counts->connections);
    EXPECT(connections > 2);
    http_expect(session, http_server_url(&server, "/close"), "ok");
    ck_assert_int_eq(atomic_load(&server.counts->connections), connections + 1);
    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/ok"), &request) ==
           BIGHT_EUNKNOWNOUTCOME);
    ck_assert_int_eq(atomic_load(&server.counts->connections), connections + 1);
    return 0;
}

/* It has an option that the next request must not find. */
HTTP_TEST(the_handle_of_a_repeat_is_not_used_again)
{
    struct http_case_call calls[2];
    struct bight_http_stats stats;

    session->spoils_handles = true; /* as with an old libcurl: these leave none behind */
    for (int i = 0; i < 2; i++) {
        calls[i] = (struct http_case_call){0};
        http_call_start(&calls[i], session, http_server_url(&server, "/reset-next"));
    }
    for (int i = 0; i < 2; i++)
        EXPECT(http_call_finish(&calls[i]) == 0);
    session->spoils_handles = false;
    int connections = atomic_load(&server.counts->connections);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    ck_assert_int_eq(atomic_load(&server.counts->connections), connections + 1);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.idle_handles == 0);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.idle_handles == 1);
    return 0;
}

HTTP_TEST(nobody_knows_of_a_first_connection_either)
{
    struct bight_http_request request = {.method = "POST", .body = "x", .body_bytes = 1};
    struct bight_http_response *response;

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/dead"), &request) ==
           BIGHT_EUNKNOWNOUTCOME);
    EXPECT(requests_at(&server) == 1 && atomic_load(&server.counts->connections) == 1);
    return 0;
}

HTTP_TEST(that_the_peer_is_gone_does_not_hide_the_first_time)
{
    struct bight_http_request request = {.method = "POST"};
    struct bight_http_response *response;
    siginfo_t info;

    http_expect(session, http_server_url(&other, "/ok"), "ok");
    EXPECT(bight_http_fetch(&response, session, http_server_url(&other, "/exit"), &request) ==
           BIGHT_EUNKNOWNOUTCOME);
    EXPECT(waitid(P_PID, (id_t)other.pid, &info, WEXITED | WNOWAIT) == 0);
    EXPECT(bight_http_fetch(&response, session, http_server_url(&other, "/ok"), &request) ==
           BIGHT_ECONNECT);
    return 0;
}

static int two_addresses(void *arg, const char *host, struct bight_address *addresses,
                         size_t *count)
{
    (void)arg;
    (void)host;
    addresses[0] = (struct bight_address){.family = 4, .bytes = {127, 0, 0, 77}};
    addresses[1] = (struct bight_address){.family = 4, .bytes = {127, 0, 0, 1}};
    *count = 2;
    return 0;
}

HTTP_TEST(a_connection_that_carried_nothing_does_not_count)
{
    struct bight_http_request request = {.method = "POST", .body = "x", .body_bytes = 1};
    struct bight_http_response *response;
    char url[64];

    bight__resolver_set_lookup(session->resolver, two_addresses, NULL);
    snprintf(url, sizeof(url), "http://two.test:%u/close", server.port);
    for (int i = 0; i < 3; i++) {
        EXPECT(bight_http_fetch(&response, session, url, &request) == 0);
        bight_http_response_free(response);
    }
    EXPECT(requests_at(&server) == 3);
    return 0;
}

static int digest(void *arg, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_USERPWD, arg);
    return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST) ? BIGHT_ENOMEM : 0;
}

HTTP_TEST(an_answer_in_between_makes_it_another_request)
{
    static const struct bight_curl_hook credentials = {digest, "user:password"};
    struct bight_http_request request = {.method = "DELETE", .curl = &credentials};
    int code;

    ck_assert_int_eq(sent_kept(session, &request, "/secret", &code), 2);
    ck_assert_int_eq(code, 0);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(only_what_changes_nothing_is_sent_twice),
    plain_case(a_hint_that_comes_first_is_no_answer),
    plain_case(on_request_any_method_is_sent_twice),
    plain_case(a_repeat_takes_a_new_connection),
    plain_case(the_handle_of_a_repeat_is_not_used_again),
    plain_case(nobody_knows_of_a_first_connection_either),
    plain_case(that_the_peer_is_gone_does_not_hide_the_first_time),
    plain_case(a_connection_that_carried_nothing_does_not_count),
    plain_case(an_answer_in_between_makes_it_another_request),
};

test_suite("http_repeat", cases, .setup = http_case_setup, .teardown = http_case_teardown);
