/* The HTTP client: which requests carry the trace context of their task, and where it does not
 * follow. */
#include "tests/net/http/http_case.h"

#include <stdio.h>

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static const struct bight_http_session_options traced = {.trace_context = true};

static void set_context(const char *state)
{
    struct bight_trace_context context;

    ck_assert_int_eq(bight_trace_context_parse(&context, PARENT), 0);
    ck_assert_int_eq(bight_trace_context_set(&context, state), 0);
}

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

static const char *echo_url(const struct http_server *from)
{
    static char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/echo", from->port);
    return url;
}

static const char *to_url(const struct http_server *from, const struct http_server *to)
{
    static char url[128];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/to/http://127.0.0.1:%d/echo", from->port,
             to->port);
    return url;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

HTTP_TEST_WITH(a_context_is_sent_with_its_state, &traced)
{
    static const char *const lines[] = {"X-Own: 1", "X-Other: 2", NULL};
    const struct bight_http_request request = {.headers = lines};
    const char *text;

    ck_assert(!has(echoed(session, echo_url(&server), NULL), "trace")); /* there is none */
    set_context(NULL);
    text = echoed(session, echo_url(&server), NULL);
    ck_assert(has(text, "\r\ntraceparent: " PARENT "\r\n"));
    ck_assert(!has(text, "tracestate"));
    ck_assert(has(text, "Accept-Encoding: "));
    set_context("rojo=1");
    text = echoed(session, echo_url(&server), &request);
    ck_assert(has(text, "\r\ntraceparent: " PARENT "\r\ntracestate: rojo=1\r\n"));
    ck_assert(has(text, "\r\nX-Own: 1\r\nX-Other: 2\r\n"));
    ck_assert(has(text, "Accept-Encoding: "));
    return 0;
}

HTTP_TEST_WITH(a_request_may_leave_it_out, &traced)
{
    set_context("rojo=1");
    ck_assert(
        !has(echoed(session, echo_url(&server), &(struct bight_http_request){.trace_context = -1}),
             "trace"));
    return 0;
}

HTTP_TEST(only_those_that_are_told_to_send_it)
{
    set_context("rojo=1");
    ck_assert(!has(echoed(session, echo_url(&server), NULL), "trace"));
    ck_assert(
        has(echoed(session, echo_url(&server), &(struct bight_http_request){.trace_context = 1}),
            "\r\ntraceparent: " PARENT "\r\n"));
    ck_assert(!has(echoed(session, echo_url(&server), NULL), "trace"));
    return 0;
}

HTTP_TEST_WITH(the_callers_own_header_goes_out, &traced)
{
    static const char *const own[] = {"TraceParent: mine", NULL};
    static const char *const none[] = {"traceparent:", NULL};
    const char *text;

    set_context("rojo=1");
    text = echoed(session, echo_url(&server), &(struct bight_http_request){.headers = own});
    ck_assert(has(text, "\r\nTraceParent: mine\r\n") && !has(text, PARENT) && !has(text, "rojo"));
    text = echoed(session, echo_url(&server), &(struct bight_http_request){.headers = none});
    ck_assert(!has(text, "trace"));
    return 0;
}

HTTP_TEST_WITH(it_does_not_follow_to_another_origin, &traced)
{
    const char *text;

    set_context("rojo=1");
    text = echoed(session, to_url(&server, &server), NULL);
    ck_assert(has(text, "\r\ntraceparent: " PARENT "\r\ntracestate: rojo=1\r\n"));
    text = echoed(session, to_url(&server, &other), NULL);
    ck_assert(has(text, "GET /echo") && !has(text, "trace"));
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(a_context_is_sent_with_its_state),     plain_case(a_request_may_leave_it_out),
    plain_case(only_those_that_are_told_to_send_it),  plain_case(the_callers_own_header_goes_out),
    plain_case(it_does_not_follow_to_another_origin),
};

test_suite("http_trace", cases, .setup = http_case_setup, .teardown = http_case_teardown);
