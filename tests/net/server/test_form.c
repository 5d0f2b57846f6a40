/* Queries, forms and cookies. */
#include <bight/form.h>

#include "tests/net/server/talk.h"

#include <stdio.h>
#include <string.h>

/* All pairs as [name=value]. */
static int show_pairs(struct bight_exchange *exchange, const struct bight_form *form)
{
    char text[1024] = "", *at = text;
    const char *name, *value;
    size_t bytes;

    for (size_t i = 0; bight_form_at(form, i, &name, &value, &bytes) == 0; i++) {
        ck_assert_uint_eq(value[bytes], 0);
        at += snprintf(at, sizeof(text) - (size_t)(at - text), "[%s=%s%s]", name, value,
                       strlen(value) < bytes ? "<NUL>" : "");
    }
    ck_assert_int_eq(bight_form_at(form, bight_form_count(form), &name, &value, NULL),
                     BIGHT_ENOENT);
    return bight_exchange_answer(exchange, 200, NULL, text, (size_t)(at - text));
}

static int show_query(struct bight_exchange *exchange, void *arg)
{
    const struct bight_form *form;
    int rc = bight_exchange_read_query(exchange, &form);

    (void)arg;
    return rc ? rc : show_pairs(exchange, form);
}

static int show_form(struct bight_exchange *exchange, void *arg)
{
    const struct bight_form *form;
    int rc = bight_exchange_read_form(exchange, &form);

    (void)arg;
    return rc ? rc : show_pairs(exchange, form);
}

static const char *body_after(const char *request, int status)
{
    return strstr(talk_ask(request, status), "\r\n\r\n") + 4;
}

static int queries(void *arg)
{
    static const char *const rows[][2] = {
        {"/", ""},
        {"/?", ""},
        {"/?a", "[a=]"},
        {"/?a=b&c=d", "[a=b][c=d]"},
        {"/?&&a=b&&", "[a=b]"},
        {"/?=x&=", "[=x][=]"},
        {"/?a+b=c%20d%2B&%61=%c3%a9", "[a b=c d+][a=\xc3\xa9]"},
        {"/?a=%&b=%4&c=%zz&d=%4g", "[a=%][b=%4][c=%zz][d=%4g]"},
        {"/?a=x%00y", "[a=x<NUL>]"},
        {"/?a=b=c?d", "[a=b=c?d]"},
    };
    char request[200];

    (void)arg;
    talk_begin(show_query, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", rows[i][0]);
        ck_assert_str_eq(body_after(request, 200), rows[i][1]);
    }
    return talk_end();
}

static int by_name(struct bight_exchange *exchange, void *arg)
{
    const struct bight_form *form;

    (void)arg;
    ck_ok(bight_exchange_read_query(exchange, &form));
    ck_assert_str_eq(bight_form_value(form, "a"), "1");
    ck_assert_str_eq(bight_form_value(form, "b"), "");
    ck_assert_ptr_null(bight_form_value(form, "A"));
    ck_assert_ptr_null(bight_form_value(form, "nul"));
    ck_assert_uint_eq(bight_form_count(form), 4);
    return bight_exchange_answer_status(exchange, 204);
}

static int values(void *arg)
{
    (void)arg;
    talk_begin(by_name, NULL);
    talk_ask("GET /?a=1&b&a=2&nul=%00 HTTP/1.1\r\nHost: a\r\n\r\n", 204);
    return talk_end();
}

static int forms(void *arg)
{
    (void)arg;
    talk_begin(show_form, NULL);
    ck_assert_str_eq(body_after("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n"
                                "Content-Type: Application/x-www-form-urlencoded; charset=x\r\n"
                                "\r\na=b&c=+",
                                200),
                     "[a=b][c= ]");
    body_after("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n"
               "\r\na=b",
               415);
    body_after("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=b", 415);
    ck_assert_int_eq(talk_failures, 0);
    return talk_end();
}

static int many_pairs(void *arg)
{
    char request[5000] = "GET /?";

    (void)arg;
    talk_begin(show_query, NULL);
    for (int i = 0; i < 1001; i++)
        strcat(request, "a&");
    strcat(request, " HTTP/1.1\r\nHost: a\r\n\r\n");
    body_after(request, 413);
    ck_assert_int_eq(talk_failures, 0);
    return talk_end();
}

/* Cookies */

static int eats(struct bight_exchange *exchange, void *arg)
{
    const char *a = bight_exchange_cookie(exchange, "a"), *b = bight_exchange_cookie(exchange, "b");
    char text[200];
    int bytes = snprintf(text, sizeof(text), "a=%s b=%s", a ? a : "(none)", b ? b : "(none)");

    (void)arg;
    ck_assert_ptr_null(bight_exchange_cookie(exchange, ""));
    return bight_exchange_answer(exchange, 200, NULL, text, (size_t)bytes);
}

static int cookies_in(void *arg)
{
    static const char *const rows[][2] = {
        {"X: y", "a=(none) b=(none)"},
        {"Cookie: a=1", "a=1 b=(none)"},
        {"Cookie: aa=0; a=1;b=\"x y\" ; c=2", "a=1 b=x y"},
        {"Cookie: b=; a==", "a== b="},
        {"Cookie: c=1\r\nCookie: b=2; b=3", "a=(none) b=2"},
        {"Cookie: ;; a", "a=(none) b=(none)"},
    };
    char request[200];

    (void)arg;
    talk_begin(eats, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", rows[i][0]);
        ck_assert_str_eq(body_after(request, 200), rows[i][1]);
    }
    return talk_end();
}

static int bakes(struct bight_exchange *exchange, void *arg)
{
    static const struct bight_cookie bad[] = {
        {.name = NULL, .value = "x"},
        {.name = "a", .value = NULL},
        {.name = "", .value = "x"},
        {.name = "a b", .value = "x"},
        {.name = "a", .value = "x;y"},
        {.name = "a", .value = "x y"},
        {.name = "a", .value = "\xc3\xa9"},
        {.name = "a", .value = "x", .path = "/; Domain=b"},
        {.name = "a", .value = "x", .domain = "b\r\n"},
        {.name = "a", .value = "x", .same_site = BIGHT_SAME_SITE_NONE},
        {.name = "a", .value = "x", .same_site = (enum bight_same_site)7},
    };
    struct bight_cookie cookie = {.name = "a", .value = "1"};
    char large[5000];

    (void)arg;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_int_eq(bight_exchange_set_cookie(exchange, &bad[i]), BIGHT_EINVAL);
    ck_ok(bight_exchange_set_cookie(exchange, &cookie));
    cookie = (struct bight_cookie){.name = "b",
                                   .value = "",
                                   .path = "/p",
                                   .domain = "example.org",
                                   .max_age_s = -1,
                                   .secure = true,
                                   .scripts = true,
                                   .same_site = BIGHT_SAME_SITE_NONE};
    ck_ok(bight_exchange_set_cookie(exchange, &cookie));
    memset(large, 'l', sizeof(large));
    large[sizeof(large) - 1] = '\0';
    cookie.value = large;
    ck_assert_int_eq(bight_exchange_set_cookie(exchange, &cookie), BIGHT_EINVAL);
    return bight_exchange_answer_status(exchange, 204);
}

static int cookies_out(void *arg)
{
    (void)arg;
    talk_begin(bakes, NULL);
    ck_assert_str_eq(talk_ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 204),
                     "HTTP/1.1 204 No Content\r\n"
                     "Set-Cookie: a=1; Path=/; HttpOnly; SameSite=Lax\r\n"
                     "Set-Cookie: b=; Path=/p; Domain=example.org; Max-Age=0; Secure; "
                     "SameSite=None\r\n\r\n");
    return talk_end();
}

static const struct suite_case cases[] = {
    world_case(a_query_is_decoded, queries),
    world_case(a_value_is_found_by_its_name, values),
    world_case(a_form_is_read_if_it_is_one, forms),
    world_case(too_many_pairs_are_refused, many_pairs),
    world_case(a_cookie_is_found_by_its_name, cookies_in),
    world_case(a_cookie_is_set_with_its_attributes, cookies_out),
};

test_suite("form", cases);
