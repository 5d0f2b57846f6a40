/* The client against httpbin, which reports what it was asked. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/net/http/http_case.h"
#include "tests/net/http/http_peers.h"

static struct httpbin httpbin;

static void setup(void)
{
    httpbin_start(&httpbin);
}

static void teardown(void)
{
    httpbin_stop(&httpbin);
}

static const char *url(const char *path)
{
    static char text[256];

    snprintf(text, sizeof text, "http://127.0.0.1:%u%s", httpbin.port, path);
    return text;
}

/* Drop the white space between JSON's tokens: versions of httpbin write different amounts of it. */
static void compact(char *json)
{
    bool in_string = false;
    char *to = json;

    for (const char *at = json; *at; at++) {
        if (!in_string && strchr(" \t\r\n", *at))
            continue;
        *to++ = *at;
        if (in_string && at[0] == '\\' && at[1])
            *to++ = *++at;
        else if (*at == '"')
            in_string = !in_string;
    }
    *to = '\0';
}

/* The body of `path`, compacted, whose status must be `status`; to be freed. */
static char *fetch(struct bight_http_session *session, const char *path, int status,
                   const struct bight_http_request *request)
{
    struct bight_http_response *response;
    char *copy;

    EXPECT(bight_http_fetch(&response, session, url(path), request) == 0);
    ck_assert_int_eq(bight_http_response_status(response), status);
    copy = strdup(bight_http_response_body(response, NULL));
    compact(copy);
    bight_http_response_free(response);
    return copy;
}

static void has(struct bight_http_session *session, const char *path, const char *what)
{
    char *body = fetch(session, path, 200, NULL);

    ck_assert_msg(strstr(body, what), "%s: no %s in %s", path, what, body);
    free(body);
}

HTTP_TEST(what_is_asked_arrives)
{
    static const char *const headers[] = {"X-Mine: a, b", NULL};
    struct bight_http_request request = {.headers = headers};
    char *body = fetch(session, "/headers", 200, &request);

    EXPECT(strstr(body, "\"X-Mine\":\"a, b\"") && strstr(body, "\"User-Agent\":\"bight/"));
    free(body);
    has(session, "/get?a=1&b=%C3%BC", "\"a\":\"1\"");
    request = (struct bight_http_request){.method = "POST", .body = "k=v&x=y", .body_bytes = 7};
    body = fetch(session, "/post", 200, &request);
    EXPECT(strstr(body, "\"form\":{\"k\":\"v\",\"x\":\"y\"}"));
    free(body);
    request.method = "PATCH";
    free(fetch(session, "/patch", 200, &request));
    free(fetch(session, "/patch", 405, NULL));
    return 0;
}

HTTP_TEST(each_coding_is_undone)
{
    has(session, "/gzip", "\"gzipped\":true");
    has(session, "/deflate", "\"deflated\":true");
    has(session, "/brotli", "\"brotli\":true");
    return 0;
}

static const struct bight_http_session_options plain = {.accept_encoding = ""};

HTTP_TEST_WITH(a_coding_that_was_not_asked_for_is_left_as_it_is, &plain)
{
    struct bight_http_response *response;
    size_t bytes;

    EXPECT(bight_http_fetch(&response, session, url("/gzip"), NULL) == 0);
    const char *body = bight_http_response_body(response, &bytes);
    EXPECT(bytes > 2 && (unsigned char)body[0] == 0x1f && (unsigned char)body[1] == 0x8b);
    bight_http_response_free(response);
    return 0;
}

HTTP_TEST(every_status_is_a_response)
{
    static const int statuses[] = {200, 204, 304, 400, 404, 418, 500, 503};
    char path[64];

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        snprintf(path, sizeof path, "/status/%d", statuses[i]);
        free(fetch(session, path, statuses[i], NULL));
    }
    return 0;
}

HTTP_TEST(redirects_of_all_sorts)
{
    struct bight_http_request post = {.method = "POST", .body = "a=b", .body_bytes = 3};
    char *body;

    has(session, "/redirect/5", "/get");
    has(session, "/absolute-redirect/3", "/get");
    has(session, "/relative-redirect/3", "/get");
    has(session, "/redirect-to?url=/get%3Fq%3D1&status_code=307", "\"q\":\"1\"");
    body = fetch(session, "/redirect-to?url=/post&status_code=307", 200, &post);
    EXPECT(strstr(body, "\"a\":\"b\""));
    free(body);
    body = fetch(session, "/redirect-to?url=/get&status_code=303", 200, &post);
    EXPECT(!strstr(body, "\"a\":\"b\""));
    free(body);
    EXPECT(http_try(session, url("/redirect/12"), NULL) == BIGHT_EREDIRECTS);
    return 0;
}

HTTP_TEST(streams_without_a_length)
{
    struct bight_http_response *response;
    char buffer[1000];
    int64_t got, total = 0;

    EXPECT(bight_http_open(&response, session, url("/stream-bytes/50000?seed=1"), NULL) == 0);
    while ((got = bight_http_read(response, buffer, sizeof buffer)) > 0)
        total += got;
    EXPECT(got == 0 && total == 50000);
    bight_http_response_free(response);
    has(session, "/stream/20", "\"id\":19");
    return 0;
}

HTTP_TEST(credentials_in_the_url)
{
    char text[128];

    snprintf(text, sizeof text, "http://user:secret@127.0.0.1:%u/basic-auth/user/secret",
             httpbin.port);
    struct bight_http_response *response;
    EXPECT(bight_http_fetch(&response, session, text, NULL) == 0);
    EXPECT(bight_http_response_status(response) == 200);
    bight_http_response_free(response);
    free(fetch(session, "/basic-auth/user/secret", 401, NULL));
    return 0;
}

HTTP_TEST(a_slow_answer_is_not_waited_for)
{
    struct http_case_call calls[10];
    uint64_t begun;

    memset(calls, 0, sizeof calls);
    EXPECT(http_try(session, url("/get"), NULL) == 0);
    begun = bight_now_ns();
    for (int i = 0; i < 10; i++) {
        calls[i].request.total_timeout_ms = i % 2 ? 100 : 0;
        http_call_start(&calls[i], session, strdup(url("/delay/10")));
    }
    EXPECT(bight_sleep(50) == 0);
    for (int i = 0; i < 10; i += 2)
        bight_task_cancel(calls[i].task);
    for (int i = 0; i < 10; i++) {
        EXPECT(http_call_finish(&calls[i]) == (i % 2 ? BIGHT_ETIMEDOUT : BIGHT_ECANCELED));
        free((void *)calls[i].url);
    }
    EXPECT(bight_now_ns() - begun < 8000000000);
    return 0;
}

/* What it says of a body, without white space. */
static void posted(struct bight_http_session *session, struct bight_http_request *request,
                   const char *what)
{
    struct bight_http_response *response;
    char *text;

    request->method = "POST";
    EXPECT(bight_http_fetch(&response, session, url("/post"), request) == 0);
    text = strdup(bight_http_response_body(response, NULL));
    compact(text);
    if (!strstr(text, what))
        ck_abort_msg("no %s in %s", what, text);
    free(text);
    bight_http_response_free(response);
}

static int64_t give_word(void *arg, void *buffer, size_t bytes)
{
    int *given = arg;

    EXPECT(bytes >= 4);
    memcpy(buffer, "word", 4);
    return (*given)++ ? 0 : 4;
}

HTTP_TEST(bodies_of_all_kinds_are_understood)
{
    static const struct bight_http_field fields[] = {{"a b", "c+d&\xc3\xa9"}, {NULL, NULL}};
    static const struct bight_http_part parts[] = {
        {.name = "field", .value = "x"},
        {.name = "file", .value = "y", .filename = "note \"1\".txt"},
        {.name = NULL}};
    int given = 0;
    const struct bight_http_source source = {give_word, &given, 4};
    struct bight_http_request request = {.query = fields};

    posted(session, &request, "\"args\":{\"a b\":\"c+d&\\u00e9\"}");
    request = (struct bight_http_request){.form = fields};
    posted(session, &request, "\"form\":{\"a b\":\"c+d&\\u00e9\"}");
    request = (struct bight_http_request){.parts = parts};
    posted(session, &request, "\"files\":{\"file\":\"y\"},\"form\":{\"field\":\"x\"}");
    request = (struct bight_http_request){.source = &source};
    posted(session, &request, "\"data\":\"word\"");
    request = (struct bight_http_request){
        .body = "[1]", .body_bytes = 3, .content_type = "application/json"};
    posted(session, &request, "\"json\":[1]");
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(what_is_asked_arrives),
    plain_case(each_coding_is_undone),
    plain_case(a_coding_that_was_not_asked_for_is_left_as_it_is),
    plain_case(every_status_is_a_response),
    plain_case(redirects_of_all_sorts),
    plain_case(streams_without_a_length),
    plain_case(credentials_in_the_url),
    plain_case(a_slow_answer_is_not_waited_for),
    plain_case(bodies_of_all_kinds_are_understood),
};

/* One server for all: Python takes a second to come up. */
test_suite("http_httpbin", cases, .begin = httpbin_needed, .open = setup, .close = teardown);
