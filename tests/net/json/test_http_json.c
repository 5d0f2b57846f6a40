/* JSON that goes out and comes in (net/json): its text, its type, and where a text is none. */
#include <stdio.h>
#include <string.h>

#include <bight/http_json.h>
#include <jansson.h>

#include "tests/net/http/http_case.h"

/* Have the server say it. */
static struct bight_http_response *said(struct bight_http_session *session, const char *body)
{
    char text[1024];
    int head = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                        strlen(body), body);
    const struct bight_http_request request = {
        .method = "POST", .body = text, .body_bytes = (size_t)head};
    struct bight_http_response *response;

    ck_assert_int_eq(
        bight_http_fetch(&response, session, http_server_url(&server, "/say"), &request), 0);
    return response;
}

/* What the server got: head, and body where it says so. */
static const char *sent(struct bight_http_session *session, const char *path,
                        const struct bight_http_request *request, const json_t *json)
{
    static char text[4096];
    struct bight_http_response *response;

    ck_assert_int_eq(
        bight_http_fetch_json(&response, session, http_server_url(&server, path), request, json),
        0);
    snprintf(text, sizeof text, "%s", bight_http_response_body(response, NULL));
    bight_http_response_free(response);
    return text;
}

HTTP_TEST(a_value_is_sent_with_its_type)
{
    static const char *const own[] = {"Content-Type: application/x-own", NULL};
    const struct bight_http_request put = {.method = "PUT", .content_type = "application/ld+json"};
    const struct bight_http_request other_type = {.headers = own};
    json_t *json = json_pack("{s:s, s:[i, n]}", "word", "caf\xc3\xa9", "list", 1);
    const char *echo = sent(session, "/echo", NULL, json);

    EXPECT(strncmp(echo, "POST /echo ", 11) == 0);
    EXPECT(strstr(echo, "Content-Type: application/json\r\n"));
    EXPECT(strstr(echo, "Content-Length: 32\r\n"));
    echo = sent(session, "/echo", &put, json);
    EXPECT(strncmp(echo, "PUT /echo ", 10) == 0);
    EXPECT(strstr(echo, "Content-Type: application/ld+json\r\n"));
    echo = sent(session, "/echo", &other_type, json);
    EXPECT(strstr(echo, "Content-Type: application/x-own\r\n"));
    EXPECT(!strstr(echo, "application/json"));
    json_decref(json);
    return 0;
}

HTTP_TEST(its_text_is_compact)
{
    json_t *json = json_string("HTTP/1.1 200 OK\r\n");
    struct bight_http_response *response;

    /* /say-close says what came; a quote in front is no HTTP, which shows that it was there. */
    ck_assert_int_eq(bight_http_fetch_json(&response, session,
                                           http_server_url(&server, "/say-close"), NULL, json),
                     BIGHT_EPROTOCOL);
    json_decref(json);
    return 0;
}

HTTP_TEST(what_cannot_be_written_is_refused)
{
    struct bight_http_error error;
    struct bight_http_request request = {.error = &error};
    struct bight_http_response *response;
    json_t *json = json_array(), *inner = json_array();

    ck_assert_int_eq(json_array_append(json, inner), 0);
    ck_assert_int_eq(json_array_append(inner, json), 0); /* a circle */
    ck_assert_int_eq(bight_http_fetch_json(&response, session, "http://host.test/", &request, json),
                     BIGHT_EINVAL);
    EXPECT(error.code == BIGHT_EINVAL && error.kind == BIGHT_HTTP_REQUEST);
    json_array_clear(inner);
    request.body = "{}";
    ck_assert_int_eq(bight_http_fetch_json(&response, session, "http://host.test/", &request, json),
                     BIGHT_EINVAL);
    request.body = NULL;
    request.content_type = "a/b\r\nX: y";
    ck_assert_int_eq(bight_http_fetch_json(&response, session, "http://host.test/", &request, json),
                     BIGHT_EINVAL);
    ck_assert_str_eq(error.text, "not a Content-Type");
    json_decref(inner);
    json_decref(json);
    return 0;
}

HTTP_TEST(a_body_is_read)
{
    static const char *const texts[] = {"{\"a\": [1, 2]}", "null", "\"x\"", "\xef\xbb\xbf[]",
                                        " 1.5 "};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct bight_http_response *response = said(session, texts[i]);
        json_t *json;

        ck_assert_int_eq(bight_http_response_json(&json, response, NULL), 0);
        bight_http_response_free(response);
        EXPECT(i != 0 || json_integer_value(json_array_get(json_object_get(json, "a"), 1)) == 2);
        json_decref(json);
    }
    return 0;
}

static const struct {
    const char *text;
    int line, column;
} bad[] = {
    {"", 1, 0},       {"{\"a\": 1,}", 1, 9},           {"[1,\n 2\n x]", 3, 2},
    {"[1] 2", 1, 5},  {"{\"a\": 1, \"a\": 2}", 1, 12}, {"[\"\xe9\"]", 1, 2},
    {"<html>", 1, 1},
};

HTTP_TEST(it_says_where_a_text_is_none)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bight_http_response *response = said(session, bad[i].text);
        struct bight_http_json_error error;
        json_t *json = NULL;

        ck_assert_int_eq(bight_http_response_json(&json, response, &error), BIGHT_EPROTOCOL);
        EXPECT(!json && error.text[0]);
        ck_assert_int_eq(error.line, bad[i].line);
        ck_assert_int_eq(error.column, bad[i].column);
        bight_http_response_free(response);
    }
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(a_value_is_sent_with_its_type),     plain_case(its_text_is_compact),
    plain_case(what_cannot_be_written_is_refused), plain_case(a_body_is_read),
    plain_case(it_says_where_a_text_is_none),
};

test_suite("http_json", cases, .setup = http_case_setup, .teardown = http_case_teardown);
