/* What libcurl does on its own inside one transfer, and its limits: second rounds, long lines,
 * memory. */
#include <bight/curl.h>
#include <dlfcn.h>
#include <stdio.h>

#include "net/http/session.h"
#include "tests/net/http/http_case.h"

static int digest(void *arg, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_USERPWD, arg);
    return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST) ? BIGHT_ENOMEM : 0;
}

static const struct bight_curl_hook credentials = {.prepare = digest, .arg = "user:password"};

HTTP_TEST(the_answer_to_credentials_is_the_response)
{
    struct bight_http_request request = {.curl = &credentials, .max_body_bytes = 6};
    struct bight_http_response *response;
    char bytes[10];

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/secret"), &request) ==
           0);
    EXPECT(bight_http_response_status(response) == 200);
    ck_assert_str_eq(bight_http_response_body(response, NULL), "secret");
    EXPECT(!bight_http_response_header(response, "X-First"));
    ck_assert_str_eq(bight_http_response_header(response, "X-Second"), "yes");
    bight_http_response_free(response);

    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/secret"), &request) == 0);
    EXPECT(bight_http_response_status(response) == 200);
    EXPECT(bight_http_read(response, bytes, sizeof bytes) == 6 && !memcmp(bytes, "secret", 6));
    EXPECT(bight_http_read(response, bytes, sizeof bytes) == 0);
    bight_http_response_free(response);
    return 0;
}

HTTP_TEST(a_response_that_nobody_answers_is_final)
{
    static const char *const paths[] = {"/secret", "/status/401", "/status/407", "/status/417"};
    struct bight_http_request head = {.method = "HEAD"}, small = {.max_body_bytes = 5};
    struct bight_http_response *response;
    char bytes[10];

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const char *url = http_server_url(&server, paths[i]);
        EXPECT(bight_http_fetch(&response, session, url, NULL) == 0);
        EXPECT(bight_http_response_status(response) >= 401);
        EXPECT(strlen(bight_http_response_body(response, NULL)) == 6);
        bight_http_response_free(response);
        EXPECT(bight_http_open(&response, session, url, NULL) == 0);
        EXPECT(bight_http_response_status(response) >= 401);
        EXPECT(bight_http_read(response, bytes, sizeof bytes) == 6);
        bight_http_response_free(response);
        EXPECT(bight_http_fetch(&response, session, url, &small) == BIGHT_ETOOBIG);
        EXPECT(bight_http_open(&response, session, url, &small) == 0);
        EXPECT(bight_http_read(response, bytes, sizeof bytes) == BIGHT_ETOOBIG);
        bight_http_response_free(response);
    }
    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/no-body"), &head) == 0);
    EXPECT(bight_http_response_status(response) == 401);
    EXPECT(bight_http_read(response, bytes, sizeof bytes) == 0);
    bight_http_response_free(response);
    return 0;
}

/* libcurl asks for leave to send a body of more than 1 MiB, and for any when it is told to. */
HTTP_TEST(after_an_early_answer_no_request_comes_in_the_midst_of_a_body)
{
    static const char *const expect[] = {"Expect: 100-continue", NULL};
    static const int statuses[] = {200, 202, 303, 403, 413, 417, 500};
    static char body[3000000];
    struct bight_http_response *response;
    struct bight_http_error error;
    char path[32];

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        snprintf(path, sizeof path, "/early/%d", statuses[i]);
        for (size_t bytes = statuses[i] == 417 ? sizeof body : 100; bytes <= sizeof body;
             bytes *= 30000) {
            struct bight_http_request request = {.method = "PUT",
                                                 .headers = bytes == 100 ? expect : NULL,
                                                 .body = body,
                                                 .body_bytes = bytes};
            request.error = &error;
            if (bight_http_fetch(&response, session, http_server_url(&server, path), &request))
                ck_abort_msg("%s, %zu bytes: %s", path, bytes, error.text);
            EXPECT(bight_http_response_status(response) ==
                   (statuses[i] == 417 ? 200 : statuses[i]));
            bight_http_response_free(response);
            http_expect(session, http_server_url(&server, "/ok"), "ok");
            http_expect(session, http_server_url(&server, "/ok"), "ok");
        }
    }
    EXPECT(atomic_load(&server.counts->swallowed) == 0);
    return 0;
}

HTTP_TEST(an_expectation_that_is_never_met_is_given_up)
{
    static const char *const expect[] = {"Expect: 100-continue", NULL};
    struct bight_http_request request = {
        .method = "PUT", .headers = expect, .body = "x", .body_bytes = 1};
    struct bight_http_response *response;

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/early/417"), &request) ==
           BIGHT_EPROTOCOL);
    EXPECT(atomic_load(&server.counts->requests) == 8);
    return 0;
}

HTTP_TEST(a_line_too_long_for_libcurl_is_too_big)
{
    struct bight_http_error error;

    EXPECT(http_try(session, http_server_url(&server, "/long-header"), &error) == BIGHT_ETOOBIG);
    EXPECT(error.kind == BIGHT_HTTP_TOO_BIG && error.code == BIGHT_ETOOBIG && *error.text);
    return 0;
}

HTTP_TEST(what_some_versions_let_pass_is_no_response)
{
    static const char *const paths[] = {"/four-digits", "/tab", "/plus-length"};
    struct bight_http_error error;

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        EXPECT(http_try(session, http_server_url(&server, paths[i]), &error) == BIGHT_EPROTOCOL);
        EXPECT(error.kind == BIGHT_HTTP_PROTOCOL);
    }
    return 0;
}

HTTP_TEST(what_could_be_two_responses_is_none)
{
    struct bight_http_response *response;
    struct bight_http_error error = {0};
    char path[32];
    int count = 0;

    for (;; count++) {
        snprintf(path, sizeof path, "/ill-framed/%d", count);
        struct bight_http_request request = {.error = &error};
        int rc = bight_http_fetch(&response, session, http_server_url(&server, path), &request);
        if (rc == 0 && bight_http_response_status(response) == 404)
            break;
        if (rc != BIGHT_EPROTOCOL || error.kind != BIGHT_HTTP_PROTOCOL || !*error.text)
            ck_abort_msg("%s: %s %s", path, bight_error_name(rc), error.text);
    }
    bight_http_response_free(response);
    EXPECT(count > 30);
    return 0;
}

HTTP_TEST(what_is_odd_and_clear_is_a_response)
{
    struct bight_http_response *response;
    struct bight_http_error error = {0};
    char path[32];

    for (int count = 0;; count++) {
        snprintf(path, sizeof path, "/well-framed/%d", count);
        struct bight_http_request request = {.error = &error};
        if (bight_http_fetch(&response, session, http_server_url(&server, path), &request))
            ck_abort_msg("%s: %s", path, error.text);
        int status = bight_http_response_status(response);
        if (status != 404)
            ck_assert_str_eq(bight_http_response_body(response, NULL), "abc");
        bight_http_response_free(response);
        if (status == 404)
            return 0;
    }
}

/* libcurl holds 64 MiB of a paused transfer at most. */
HTTP_TEST(a_coded_stream_is_read_in_small_pieces)
{
    struct bight_http_request request = {.max_body_bytes = UINT64_MAX};
    struct bight_http_response *response;
    static char bytes[1 << 20];
    int64_t total = 0, got;

    EXPECT(http_try(session, http_server_url(&server, "/bytes/1048576"), NULL) == 0);
    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/bomb"), &request) == 0);
    while (total < 96 << 20) {
        got = bight_http_read(response, bytes, sizeof bytes);
        ck_assert_msg(got > 0, "after %lld: %s", (long long)total,
                      bight_http_response_error(response)->text);
        total += got;
        if (total < 1 << 20)
            EXPECT(bight_sleep(20) == 0); /* the peer fills the socket */
    }
    bight_http_response_free(response);
    return 0;
}

static const struct bight_http_session_options brisk = {.idle_timeout_ms = 400};

/* What comes is no part of a response, and still it comes. */
HTTP_TEST_WITH(an_endless_chunk_extension_is_cut_off_and_not_called_silence, &brisk)
{
    struct bight_http_error error;

    EXPECT(http_try(session, http_server_url(&server, "/extension"), &error) == BIGHT_ETIMEDOUT);
    EXPECT(error.kind == BIGHT_HTTP_TIMEOUT && *error.text);
    EXPECT(!strstr(error.text, "from the peer") && strstr(error.text, "part of a body"));
    return 0;
}

/* libcurl's, which says that it had no memory when it is told to. */
static bool wants_memory;
static int cleanups;

CURLMcode curl_multi_socket_action(CURLM *multi_handle, curl_socket_t s, int ev_bitmask,
                                   int *running_handles)
{
    CURLMcode (*act)(CURLM *, curl_socket_t, int, int *) =
        (CURLMcode(*)(CURLM *, curl_socket_t, int, int *))dlsym(RTLD_NEXT, __func__);
    CURLMcode rc = act(multi_handle, s, ev_bitmask, running_handles);

    if (!wants_memory)
        return rc;
    wants_memory = false;
    return CURLM_OUT_OF_MEMORY;
}

CURLMcode curl_multi_cleanup(CURLM *multi)
{
    cleanups++;
    return ((CURLMcode(*)(CURLM *))dlsym(RTLD_NEXT, __func__))(multi);
}

HTTP_TEST(without_memory_in_libcurl_all_end_and_it_begins_anew)
{
    struct bight_http_response *stream;
    struct http_case_call calls[3];
    int before = cleanups;
    char byte;

    for (int round = 0; round < 3; round++) {
        int requests = atomic_load(&server.counts->requests);
        EXPECT(bight_http_open(&stream, session, http_server_url(&server, "/stall"), NULL) == 0);
        EXPECT(bight_http_read(stream, &byte, 1) == 1);
        for (int i = 0; i < 3; i++) {
            calls[i] = (struct http_case_call){0};
            http_call_start(&calls[i], session, http_server_url(&server, "/silent"));
        }
        http_await(&server.counts->requests, requests + 4);
        wants_memory = true;
        (void)http_try(session, http_server_url(&server, "/ok"), NULL); /* libcurl acts */
        for (int i = 0; i < 3; i++) {
            ck_assert_int_eq(http_call_finish(&calls[i]), BIGHT_ENOMEM);
            EXPECT(calls[i].error.kind == BIGHT_HTTP_SYSTEM && *calls[i].error.text);
        }
        EXPECT(bight_http_read(stream, &byte, 1) == BIGHT_ENOMEM);
        bight_http_response_free(stream);
        EXPECT(!wants_memory && cleanups == before + round + 1);
        http_expect(session, http_server_url(&server, "/ok"), "ok");
    }
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(the_answer_to_credentials_is_the_response),
    plain_case(a_response_that_nobody_answers_is_final),
    plain_case(after_an_early_answer_no_request_comes_in_the_midst_of_a_body),
    plain_case(an_expectation_that_is_never_met_is_given_up),
    plain_case(a_line_too_long_for_libcurl_is_too_big),
    plain_case(what_some_versions_let_pass_is_no_response),
    plain_case(an_endless_chunk_extension_is_cut_off_and_not_called_silence),
    plain_case(what_could_be_two_responses_is_none),
    plain_case(what_is_odd_and_clear_is_a_response),
    plain_case(a_coded_stream_is_read_in_small_pieces),
    plain_case(without_memory_in_libcurl_all_end_and_it_begins_anew),
};

test_suite("http_libcurl", cases, .setup = http_case_setup, .teardown = http_case_teardown);
