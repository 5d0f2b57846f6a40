/* The HTTP client: what every request of a session takes along (net/http/target.c), and what a
 * request's own word changes of it. */
#include <stdio.h>

#include "tests/net/http/http_case.h"

static const char *const lines[] = {"X-Key: 1", "Accept: text/plain", "X-Two: a",
                                    "X-Two: b", "Content-Type: a/b",  NULL};
static const struct bight_http_session_options with_lines = {.headers = lines};

/* The request as the server got it. */
static const char *echoed(struct bight_http_session *session, const char *url,
                          const struct bight_http_request *request)
{
    static char text[8192];
    struct bight_http_response *response;
    size_t bytes;
    const char *body;

    ck_assert_int_eq(bight_http_fetch(&response, session, url, request), 0);
    body = bight_http_response_body(response, &bytes);
    ck_assert_uint_lt(bytes, sizeof(text));
    memcpy(text, body, bytes);
    text[bytes] = '\0';
    bight_http_response_free(response);
    return text;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static const char *across(void)
{
    static char text[200];

    snprintf(text, sizeof text, "/to/%s", http_server_url(&other, "/echo"));
    return http_server_url(&server, text);
}

HTTP_TEST_WITH(headers_of_the_session_go_with_every_request, &with_lines)
{
    for (int i = 0; i < 2; i++) {
        const char *echo = echoed(session, http_server_url(&server, "/echo"), NULL);

        EXPECT(has(echo, "X-Key: 1\r\n") && has(echo, "Accept: text/plain\r\n"));
        EXPECT(has(echo, "X-Two: a\r\n") && has(echo, "X-Two: b\r\n"));
        EXPECT(has(echo, "Accept-Encoding: ") && !has(echo, "Accept: */*"));
    }
    return 0;
}

HTTP_TEST_WITH(a_header_of_the_request_goes_instead, &with_lines)
{
    static const char *const own[] = {"x-two: mine", "ACCEPT:", "X-Keys: 2", NULL};
    const struct bight_http_request request = {.headers = own};
    const char *echo = echoed(session, http_server_url(&server, "/echo"), &request);

    EXPECT(has(echo, "x-two: mine\r\n") && !has(echo, "X-Two") && !has(echo, "Accept:"));
    EXPECT(has(echo, "X-Key: 1\r\n") && has(echo, "X-Keys: 2\r\n"));
    EXPECT(has(echoed(session, http_server_url(&server, "/echo"), NULL), "X-Two: a\r\n"));
    return 0;
}

HTTP_TEST_WITH(headers_of_the_session_stay_with_the_origin, &with_lines)
{
    const char *echo = echoed(session, http_server_url(&server, "/to//echo"), NULL);

    EXPECT(has(echo, "X-Key: 1\r\n"));
    echo = echoed(session, across(), NULL);
    EXPECT(!has(echo, "X-Key") && !has(echo, "X-Two") && has(echo, "Accept: */*\r\n"));
    return 0;
}

HTTP_TEST_WITH(those_about_the_body_go_with_it, &with_lines)
{
    const struct bight_http_request request = {.method = "POST", .body = "x", .body_bytes = 1};
    const char *echo = echoed(session, http_server_url(&server, "/echo"), &request);

    EXPECT(has(echo, "Content-Type: a/b\r\n"));
    echo = echoed(session, http_server_url(&server, "/status-to/303//echo"), &request);
    EXPECT(has(echo, "X-Key: 1\r\n") && !has(echo, "Content-Type"));
    return 0;
}

HTTP_TEST(what_cannot_be_sent_makes_no_session)
{
    static const char *const bad[] = {"X: a\r\nY: b", "X: a\nb", "X", "", ": a", "X Y: a", "X;a"};
    static const char *const none[] = {NULL};
    struct bight_http_session_options options = {0};
    struct bight_http_session *made;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *const list[] = {"A: b", bad[i], NULL};
        options.headers = list;
        ck_assert_int_eq(bight_http_session_new(&made, &options), BIGHT_EINVAL);
    }
    options.headers = none;
    ck_assert_int_eq(bight_http_session_new(&made, &options), 0);
    return bight_http_session_end(made);
}

/* --- base ------------------------------------------------------------------------------------- */

static const struct {
    const char *base, *url, *wanted; /* behind the server's port */
} joined[] = {
    {"", "echo", "/echo"},
    {"/", "/echo", "/echo"},
    {"/v2/", "users?id=7", "/v2/users?id=7"},
    {"/v2", "users", "/users"},
    {"/v2/", "../users/./x", "/users/x"},
    {"/v2/", "../../../x", "/x"},
    {"/v2/a?b#c", "", "/v2/a?b"},
    {"/v2/a?b#c", "?d", "/v2/a?d"},
    {"/v2/a?b#c", "#d", "/v2/a?b#d"},
    {"/v2/", "%2e%2e/x", "/x"},
    {"/v2/", "caf\xc3\xa9", "/v2/caf%C3%A9"},
    {"/v2/", "/a//b", "/a//b"},
    {"/v2/", "a:b", NULL}, /* a scheme */
    {"/v2/", "a b", NULL},
    {"/v2/", "a\r\nX: y", NULL},
    {"/v2/", "//", NULL},
    {"/v2/", "//host:70000/", NULL},
};

/* That of the response, behind the port. */
static void asks_for(struct bight_http_session *session, const char *url, const char *wanted)
{
    struct bight_http_error error;
    const struct bight_http_request request = {.error = &error};
    struct bight_http_response *response;
    int rc = bight_http_fetch(&response, session, url, &request);
    char port[8];

    if (!wanted) {
        ck_assert_int_eq(rc, BIGHT_EINVAL);
        EXPECT(error.kind == BIGHT_HTTP_REQUEST && strncmp(error.text, "not a URL: ", 11) == 0);
        return;
    }
    ck_assert_int_eq(rc, 0);
    snprintf(port, sizeof port, ":%u", server.port);
    ck_assert_str_eq(strstr(bight_http_response_url(response), port) + strlen(port), wanted);
    bight_http_response_free(response);
}

HTTP_TEST(relative_urls_are_below_the_base)
{
    (void)session;
    for (size_t i = 0; i < sizeof joined / sizeof joined[0]; i++) {
        char base[128];
        struct bight_http_session_options options = {.base_url = base};
        struct bight_http_session *made;

        strcpy(base, http_server_url(&server, joined[i].base));
        ck_assert_int_eq(bight_http_session_new(&made, &options), 0);
        memset(base, 'x', sizeof base - 1); /* it was copied */
        asks_for(made, joined[i].url, joined[i].wanted);
        asks_for(made, http_server_url(&server, "/echo"), "/echo");
        ck_assert_int_eq(bight_http_session_end(made), 0);
    }
    return 0;
}

HTTP_TEST(a_relative_url_can_name_another_host)
{
    char base[64], url[48], wanted[64];
    struct bight_http_session_options options = {.base_url = base};
    struct bight_http_response *response;
    struct bight_http_session *made;

    strcpy(base, http_server_url(&server, "/v2/"));
    snprintf(url, sizeof url, "//127.0.0.1:%u/ok", other.port);
    snprintf(wanted, sizeof wanted, "http:%s", url);
    ck_assert_int_eq(bight_http_session_new(&made, &options), 0);
    ck_assert_int_eq(bight_http_fetch(&response, made, url, NULL), 0);
    ck_assert_str_eq(bight_http_response_url(response), wanted);
    bight_http_response_free(response);
    return bight_http_session_end(made);
}

HTTP_TEST(a_base_is_an_absolute_url_of_http)
{
    static const char *const bad[] = {"", "/v2/", "host/", "ftp://host/", "http://", "http://a b/"};

    (void)session;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct bight_http_session_options options = {.base_url = bad[i]};
        struct bight_http_session *made;

        ck_assert_int_eq(bight_http_session_new(&made, &options), BIGHT_EINVAL);
    }
    return 0;
}

HTTP_TEST(without_a_base_a_url_has_a_scheme)
{
    asks_for(session, "/echo", NULL);
    asks_for(session, "", NULL);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(headers_of_the_session_go_with_every_request),
    plain_case(a_header_of_the_request_goes_instead),
    plain_case(headers_of_the_session_stay_with_the_origin),
    plain_case(those_about_the_body_go_with_it),
    plain_case(what_cannot_be_sent_makes_no_session),
    plain_case(relative_urls_are_below_the_base),
    plain_case(a_relative_url_can_name_another_host),
    plain_case(a_base_is_an_absolute_url_of_http),
    plain_case(without_a_base_a_url_has_a_scheme),
};

test_suite("http_defaults", cases, .setup = http_case_setup, .teardown = http_case_teardown);
