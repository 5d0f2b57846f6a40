/* What a response of the HTTP client tells besides headers and body: redirects, trailers, responses
 * that only inform, the address, the times. */
#include <stdio.h>
#include <string.h>

#include "tests/net/http/http_case.h"

/* Have the server say it. */
static struct bight_http_request saying(const char *text)
{
    return (struct bight_http_request){.method = "POST", .body = text, .body_bytes = strlen(text)};
}

/* --- redirects -------------------------------------------------------------------------------- */

HTTP_TEST(each_redirect_is_told)
{
    char path[200], last[100], to[200];
    struct bight_http_response *response;
    struct bight_http_hop hop;

    strcpy(last, http_server_url(&other, "/hops/1"));
    snprintf(path, sizeof path, "/status-to/307/%s", last);
    strcpy(to, http_server_url(&server, path));
    ck_assert_int_eq(bight_http_fetch(&response, session, to, NULL), 0);
    ck_assert_int_eq(bight_http_response_hop_at(response, 0, &hop), 0);
    ck_assert_str_eq(hop.from, to);
    ck_assert_str_eq(hop.to, last);
    EXPECT(hop.status == 307 && hop.number == 1 && hop.crosses_origin);
    ck_assert_int_eq(bight_http_response_hop_at(response, 1, &hop), 0);
    ck_assert_str_eq(hop.from, last);
    ck_assert_str_eq(hop.to, bight_http_response_url(response));
    EXPECT(hop.status == 302 && hop.number == 2 && !hop.crosses_origin);
    ck_assert_int_eq(bight_http_response_hop_at(response, 2, &hop), BIGHT_ENOENT);
    bight_http_response_free(response);
    ck_assert_int_eq(bight_http_fetch(&response, session, last, NULL), 0); /* of the pool */
    ck_assert_int_eq(bight_http_response_hop_at(response, 0, &hop), 0);
    ck_assert_str_eq(hop.from, last);
    bight_http_response_free(response);
    return 0;
}

HTTP_TEST(what_was_not_followed_is_no_redirect)
{
    const struct bight_http_request request = {.max_redirects = -1};
    struct bight_http_response *response;
    struct bight_http_hop hop;

    ck_assert_int_eq(
        bight_http_fetch(&response, session, http_server_url(&server, "/to//ok"), &request), 0);
    ck_assert_int_eq(bight_http_response_status(response), 302);
    ck_assert_int_eq(bight_http_response_hop_at(response, 0, &hop), BIGHT_ENOENT);
    bight_http_response_free(response);
    return 0;
}

/* --- trailers --------------------------------------------------------------------------------- */

static const char with_trailers[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n"
                                    "3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-two:  c d \r\n\r\n";

static void has_trailers(const struct bight_http_response *response)
{
    const char *name, *value;

    ck_assert_str_eq(bight_http_response_trailer(response, "x-sum"), "1");
    ck_assert_str_eq(bight_http_response_trailer(response, "X-Two"), "c d");
    EXPECT(!bight_http_response_trailer(response, "A"));
    EXPECT(!bight_http_response_header(response, "X-Sum"));
    ck_assert_int_eq(bight_http_response_trailer_at(response, 1, &name, &value), 0);
    ck_assert_str_eq(name, "x-two");
    ck_assert_int_eq(bight_http_response_trailer_at(response, 2, &name, &value), BIGHT_ENOENT);
}

HTTP_TEST(trailers_are_kept)
{
    struct bight_http_request request = saying(with_trailers);
    struct bight_http_response *response;
    const char *url = http_server_url(&server, "/say"), *name, *value;

    ck_assert_int_eq(bight_http_fetch(&response, session, url, &request), 0);
    ck_assert_str_eq(bight_http_response_body(response, NULL), "abc");
    has_trailers(response);
    bight_http_response_free(response);
    ck_assert_int_eq(bight_http_fetch(&response, session, http_server_url(&server, "/ok"), NULL),
                     0);
    EXPECT(!bight_http_response_trailer(response, "X-Sum")); /* of the one before */
    ck_assert_int_eq(bight_http_response_trailer_at(response, 0, &name, &value), BIGHT_ENOENT);
    bight_http_response_free(response);
    return 0;
}

HTTP_TEST(trailers_of_a_stream_come_with_its_end)
{
    struct bight_http_request request = saying(with_trailers);
    struct bight_http_response *response;
    const char *url = http_server_url(&server, "/say-bytes"), *name, *value;
    char text[16];
    int64_t got;

    ck_assert_int_eq(bight_http_open(&response, session, url, &request), 0);
    EXPECT(!bight_http_response_trailer(response, "X-Sum"));
    ck_assert_int_eq(bight_http_response_trailer_at(response, 0, &name, &value), BIGHT_ENOENT);
    do
        got = bight_http_read(response, text, sizeof text);
    while (got > 0);
    ck_assert_int_eq(got, 0);
    has_trailers(response);
    bight_http_response_free(response);
    return 0;
}

static const struct bight_http_session_options short_headers = {.max_header_bytes = 1000};

HTTP_TEST_WITH(trailers_without_end_are_too_much, &short_headers)
{
    static char text[10000];
    size_t used = (size_t)snprintf(text, sizeof text, "%s",
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
    struct bight_http_request request;
    struct bight_http_response *response;

    while (used < sizeof text - 64)
        used += (size_t)snprintf(text + used, 32, "X-Again: and again\r\n");
    strcpy(text + used, "\r\n");
    request = saying(text);
    ck_assert_int_eq(
        bight_http_fetch(&response, session, http_server_url(&server, "/say"), &request),
        BIGHT_ETOOBIG);
    return 0;
}

/* --- responses that inform -------------------------------------------------------------------- */

struct hints {
    int count, last;
    char link[32];
};

static void note_hint(void *arg, const struct bight_http_response *response)
{
    struct hints *hints = arg;
    const char *link = bight_http_response_header(response, "Link");

    hints->count++;
    hints->last = bight_http_response_status(response);
    snprintf(hints->link, sizeof hints->link, "%s", link ? link : "none");
}

HTTP_TEST(what_informs_is_told_when_it_comes)
{
    struct hints hints = {0};
    struct bight_http_request request = saying("HTTP/1.1 102 Processing\r\n\r\n"
                                               "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                                               "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    struct bight_http_response *response;

    request.on_informational = note_hint;
    request.on_informational_arg = &hints;
    ck_assert_int_eq(
        bight_http_fetch(&response, session, http_server_url(&server, "/say"), &request), 0);
    ck_assert_int_eq(bight_http_response_status(response), 200);
    EXPECT(!bight_http_response_header(response, "Link"));
    EXPECT(hints.count == 2 && hints.last == 103 && strcmp(hints.link, "</a>") == 0);
    bight_http_response_free(response);
    return 0;
}

/* --- address and times ------------------------------------------------------------------------ */

HTTP_TEST(the_address_is_told)
{
    struct bight_http_response *response;
    struct bight_address address;

    for (int i = 0; i < 3; i++) { /* the second time over a connection that was kept */
        const struct http_server *from = i == 2 ? &other : &server;

        ck_assert_int_eq(bight_http_fetch(&response, session, http_server_url(from, "/ok"), NULL),
                         0);
        ck_assert_int_eq(bight_http_response_remote(response, &address), 0);
        EXPECT(address.family == 4 && address.port == from->port && address.bytes[0] == 127);
        bight_http_response_free(response);
    }
    return 0;
}

HTTP_TEST(times_are_in_order)
{
    const char *url = http_server_url(&server, "/later");
    struct bight_http_response *response;
    struct bight_http_timing timing;

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(bight_http_fetch(&response, session, url, NULL), 0);
        bight_http_response_timing(response, &timing);
        EXPECT(0 <= timing.started_ms && timing.started_ms <= timing.resolved_ms);
        if (i == 0)
            EXPECT(timing.resolved_ms <= timing.connected_ms &&
                   timing.connected_ms <= timing.sent_ms);
        else
            EXPECT(timing.connected_ms == -1);
        EXPECT(timing.secured_ms == -1 && timing.resolved_ms <= timing.sent_ms);
        EXPECT(timing.sent_ms + 20 <= timing.first_byte_ms); /* 30 ms later, says the server */
        EXPECT(timing.first_byte_ms <= timing.headers_ms && timing.headers_ms <= timing.done_ms);
        bight_http_response_free(response);
    }
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(each_redirect_is_told),
    plain_case(what_was_not_followed_is_no_redirect),
    plain_case(trailers_are_kept),
    plain_case(trailers_of_a_stream_come_with_its_end),
    plain_case(trailers_without_end_are_too_much),
    plain_case(what_informs_is_told_when_it_comes),
    plain_case(the_address_is_told),
    plain_case(times_are_in_order),
};

test_suite("http_told", cases, .setup = http_case_setup, .teardown = http_case_teardown);
