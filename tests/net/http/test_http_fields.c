/* Queries and forms that the HTTP client writes (net/http/fields.c): the text itself, and what a
 * server of bight in the same runtime reads of it. */
#include <stdio.h>
#include <string.h>

#include <bight/form.h>

#include "tests/net/http/http_case.h"
#include "tests/net/server/listened.h"

/* --- the server ------------------------------------------------------------------------------- */

static char all_bytes[256]; /* but NUL, up to one */

/* "name=value;" of each pair; all_bytes shows as "all". */
static int say_pairs(struct bight_exchange *exchange, const struct bight_form *form)
{
    const char *name, *value;
    char text[1024];
    size_t used = 0, bytes;

    used += (size_t)snprintf(text, sizeof text, "%s ", bight_exchange_method(exchange));
    for (size_t i = 0; bight_form_at(form, i, &name, &value, &bytes) == 0; i++) {
        EXPECT(strlen(value) == bytes);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s=%s;",
                                 strcmp(name, all_bytes) == 0 ? "all" : name,
                                 strcmp(value, all_bytes) == 0 ? "all" : value);
    }
    return bight_exchange_answer(exchange, 200, NULL, text, used);
}

static int say_body(struct bight_exchange *exchange)
{
    const char *body;
    size_t bytes;
    int rc = bight_exchange_read_all(exchange, &body, &bytes);

    return rc ? rc : bight_exchange_answer(exchange, 200, NULL, body, bytes);
}

static int answer(struct bight_exchange *exchange, void *arg)
{
    const char *path = bight_exchange_path(exchange);
    const struct bight_form *form;
    int rc;

    (void)arg;
    if (strcmp(path, "/moved") == 0)
        return bight_exchange_redirect(exchange, 307, "/form");
    if (strcmp(path, "/other") == 0)
        return bight_exchange_redirect(exchange, 303, "/query");
    if (strcmp(path, "/type") == 0) {
        path = bight_exchange_header(exchange, "Content-Type");
        return bight_exchange_answer(exchange, 200, NULL, path, strlen(path));
    }
    if (strcmp(path, "/raw") == 0)
        return say_body(exchange);
    if (strcmp(path, "/query") == 0)
        rc = bight_exchange_read_query(exchange, &form);
    else
        rc = bight_exchange_read_form(exchange, &form);
    return rc ? rc : say_pairs(exchange, form);
}

static const char *url(const char *path)
{
    static char text[256];
    struct bight_address address;

    ck_ok(bight_listener_address(listened.listener, &address));
    snprintf(text, sizeof text, "http://127.0.0.1:%u%s", address.port, path);
    return text;
}

static void begin(void)
{
    for (int i = 0; i < 255; i++)
        all_bytes[i] = (char)(i + 1);
    listened_begin(answer, NULL, false);
}

static int end(struct bight_http_session *session)
{
    EXPECT(bight_http_session_end(session) == 0);
    http_session = NULL;
    return listened_end();
}

static void says(struct bight_http_session *session, const char *path,
                 const struct bight_http_request *request, const char *wanted)
{
    struct bight_http_response *response;

    ck_ok(bight_http_fetch(&response, session, url(path), request));
    ck_assert_str_eq(bight_http_response_body(response, NULL), wanted);
    bight_http_response_free(response);
}

/* --- queries ---------------------------------------------------------------------------------- */

static const struct bight_http_field two[] = {{"a", "1"}, {"b", "2"}, {NULL, NULL}};
static const struct bight_http_field odd[] = {{"a b", "c+d"},       {"", ""},
                                              {"flag", NULL},       {"-._~*", "&=#/?%"},
                                              {"\xc3\xa9", "\r\n"}, {NULL, NULL}};
static const struct bight_http_field none[] = {{NULL, NULL}};

static const struct {
    const char *path;
    const struct bight_http_field *query;
    const char *wanted; /* of the URL, behind the port */
} rows[] = {
    {"", two, "/?a=1&b=2"},
    {"/x", two, "/x?a=1&b=2"},
    {"/x?", two, "/x?a=1&b=2"},
    {"/x?y", two, "/x?y&a=1&b=2"},
    {"/x?y&", two, "/x?y&a=1&b=2"},
    {"/x?y#z?", two, "/x?y&a=1&b=2#z?"},
    {"#z", two, "/?a=1&b=2#z"},
    {"/x#", two, "/x?a=1&b=2#"},
    {"/x", none, "/x"},
    {"/x?y", none, "/x?y"},
    {"/x", odd, "/x?a%20b=c%2Bd&=&flag&-._~%2A=%26%3D%23%2F%3F%25&%C3%A9=%0D%0A"},
};

HTTP_TEST(a_query_is_added_to_the_url)
{
    struct bight_http_response *response;
    char port[8];

    snprintf(port, sizeof port, ":%u", server.port);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct bight_http_request request = {.query = rows[i].query};

        ck_ok(
            bight_http_fetch(&response, session, http_server_url(&server, rows[i].path), &request));
        ck_assert_str_eq(strstr(bight_http_response_url(response), port) + strlen(port),
                         rows[i].wanted);
        bight_http_response_free(response);
    }
    return 0;
}

HTTP_TEST(a_query_is_read_as_it_was_given)
{
    const struct bight_http_field all[] = {{all_bytes, all_bytes}, {NULL, NULL}};
    struct bight_http_request request = {.query = odd};

    begin();
    says(session, "/query", &request, "GET a b=c+d;=;flag=;-._~*=&=#/?%;\xc3\xa9=\r\n;");
    request.query = all;
    says(session, "/query?x=y", &request, "GET x=y;all=all;");
    request.query = two; /* not once more */
    says(session, "/other?a", &request, "GET ");
    return end(session);
}

HTTP_TEST(a_query_goes_with_a_relative_url)
{
    char base[64];
    struct bight_http_session_options options = {.base_url = base};
    const struct bight_http_request request = {.query = two};
    struct bight_http_session *made;
    struct bight_http_response *response;

    begin();
    strcpy(base, url("/v2/"));
    ck_ok(bight_http_session_new(&made, &options));
    ck_ok(bight_http_fetch(&response, made, "../query?x", &request));
    ck_assert_str_eq(bight_http_response_body(response, NULL), "GET x=;a=1;b=2;");
    bight_http_response_free(response);
    ck_ok(bight_http_session_end(made));
    return end(session);
}

/* --- forms ------------------------------------------------------------------------------------ */

HTTP_TEST(a_form_is_read_as_it_was_given)
{
    const struct bight_http_field all[] = {{all_bytes, all_bytes}, {NULL, NULL}};
    struct bight_http_request request = {.method = "POST", .form = odd};

    begin();
    says(session, "/form", &request, "POST a b=c+d;=;flag=;-._~*=&=#/?%;\xc3\xa9=\r\n;");
    request.form = all;
    request.method = "PUT";
    says(session, "/form", &request, "PUT all=all;");
    request.form = none;
    says(session, "/form", &request, "PUT ");
    request.form = two;
    request.query = two;
    says(session, "/form", &request, "PUT a=1;b=2;");
    says(session, "/moved", &request, "PUT a=1;b=2;");
    says(session, "/other", &request, "GET ");
    return end(session);
}

HTTP_TEST(a_form_is_written_by_the_url_standard)
{
    const struct bight_http_request request = {.method = "POST", .form = odd};

    begin();
    says(session, "/raw", &request, "a+b=c%2Bd&=&flag&-._%7E*=%26%3D%23%2F%3F%25&%C3%A9=%0D%0A");
    return end(session);
}

/* Read when the caller's fields are gone. */
HTTP_TEST(a_form_lives_as_long_as_the_response)
{
    char value[] = "hello";
    struct bight_http_field form[] = {{"word", value}, {NULL, NULL}};
    const struct bight_http_request request = {.method = "POST", .form = form};
    struct bight_http_response *response;
    char text[64];

    begin();
    ck_ok(bight_http_open(&response, session, url("/form"), &request));
    memset(value, 'x', sizeof value - 1);
    ck_assert_int_eq(bight_http_read(response, text, sizeof text), 16);
    EXPECT(memcmp(text, "POST word=hello;", 16) == 0);
    bight_http_response_free(response);
    return end(session);
}

static const char *const json_type[] = {"Content-Type: application/json", NULL};
static const char *const own_type[] = {"content-type: application/x-own", NULL};
static const struct bight_http_session_options of_json = {.headers = json_type};

HTTP_TEST_WITH(the_type_of_a_form_comes_before_the_sessions, &of_json)
{
    struct bight_http_request request = {.method = "POST", .body = "{}", .body_bytes = 2};

    begin();
    says(session, "/type", &request, "application/json");
    request = (struct bight_http_request){.method = "POST", .form = two};
    says(session, "/type", &request, "application/x-www-form-urlencoded");
    request.headers = own_type;
    says(session, "/type", &request, "application/x-own");
    return end(session);
}

HTTP_TEST(one_body_is_enough)
{
    struct bight_http_upload upload;
    struct bight_http_error error;
    struct bight_http_request request = {
        .method = "POST", .form = two, .body = "", .error = &error};
    struct bight_http_response *response;

    ck_assert_int_eq(bight_http_fetch(&response, session, "http://host.test/", &request),
                     BIGHT_EINVAL);
    ck_assert_str_eq(error.text, "there are two bodies");
    request.body = NULL;
    request.upload = &upload;
    bight_http_upload_init(&upload, 0);
    ck_assert_int_eq(bight_http_fetch(&response, session, "http://host.test/", &request),
                     BIGHT_EINVAL);
    request.upload = NULL;
    request.method = "HEAD";
    ck_assert_int_eq(bight_http_fetch(&response, session, "http://host.test/", &request),
                     BIGHT_EINVAL);
    ck_assert_str_eq(error.text, "a HEAD has no body");
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(a_query_is_added_to_the_url),
    plain_case(a_query_is_read_as_it_was_given),
    plain_case(a_query_goes_with_a_relative_url),
    plain_case(a_form_is_read_as_it_was_given),
    plain_case(a_form_is_written_by_the_url_standard),
    plain_case(a_form_lives_as_long_as_the_response),
    plain_case(the_type_of_a_form_comes_before_the_sessions),
    plain_case(one_body_is_enough),
};

test_suite("http_fields", cases, .setup = http_case_setup, .teardown = http_case_teardown);
