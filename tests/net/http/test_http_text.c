/* Bodies as text (net/http/text.c): which charset one is read in, and what becomes of it. The
 * labels are tested with the scraper, which reads pages by them (test_scraper_charset). */
#include <stdio.h>
#include <string.h>

#include "tests/net/http/http_case.h"

#define BYTES(text) text, sizeof(text) - 1
#define BAD "\xef\xbf\xbd"

static const struct {
    const char *type; /* NULL: none */
    const char *body;
    size_t bytes;
    const char *wanted;
} rows[] = {
    {NULL, BYTES("abc"), "abc"},
    {NULL, BYTES(""), ""},
    {NULL, BYTES("caf\xc3\xa9"), "caf\xc3\xa9"},
    {NULL, BYTES("caf\xe9!"), "caf" BAD "!"},
    {NULL, BYTES("caf\xc3"), "caf" BAD},
    {"text/plain", BYTES("\xc3\xa9"), "\xc3\xa9"},
    {"text/plain; charset=latin1", BYTES("caf\xe9 \x80"), "caf\xc3\xa9 \xe2\x82\xac"},
    {"text/plain;charset=\"ISO-8859-1\"", BYTES("\xe9"), "\xc3\xa9"},
    {"text/plain; a=b; CHARSET='Windows-1252' ; c", BYTES("\xe9"), "\xc3\xa9"},
    {"text/plain; xcharset=latin1", BYTES("\xc3\xa9"), "\xc3\xa9"},
    {"text/plain; charset=", BYTES("\xc3\xa9"), "\xc3\xa9"},
    {"text/plain; charset=nonsense", BYTES("\xc3\xa9"), "\xc3\xa9"},
    {"text/plain; charset=utf-7", BYTES("+AGE-"), "+AGE-"},
    {"text/plain; charset=shift_jis", BYTES("\x93\xfa\x96\x7b"), "\xe6\x97\xa5\xe6\x9c\xac"},
    {"text/plain; charset=big5", BYTES("\x88\x62"), "\xc3\x8a\xcc\x84"},
    {"text/plain; charset=big5", BYTES("\x88\x66"), "\xc3\x8a"}, /* iconv keeps it to the end */
    {"text/plain; charset=utf-16le", BYTES("a\0\xe9\0"), "a\xc3\xa9"},
    {"text/plain; charset=utf-16be", BYTES("\0a\xdc\0\0b"), "a" BAD "b"},
    {"text/plain; charset=utf-16be", BYTES("\0a\0"), "a" BAD},
    {"text/plain; charset=latin1", BYTES("\xef\xbb\xbf\xc3\xa9"), "\xc3\xa9"},
    {"text/plain; charset=latin1",
     BYTES("\xff\xfe"
           "a\0"),
     "a"},
    {"text/plain", BYTES("\xfe\xff\0a"), "a"},
    {"text/plain; charset=iso-2022-kr", BYTES("<script>"), BAD},
    {"text/plain; charset=iso-2022-kr", BYTES(""), ""},
    {"text/plain; charset=x-user-defined", BYTES("a\x80\xff"), "a\xef\x9e\x80\xef\x9f\xbf"},
};

/* Have the server say it. */
static struct bight_http_response *said(struct bight_http_session *session, const char *type,
                                        const char *body, size_t bytes)
{
    static char text[4096];
    int head = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%s%s%sContent-Length: %zu\r\n\r\n",
                        type ? "Content-Type: " : "", type ? type : "", type ? "\r\n" : "", bytes);
    const struct bight_http_request request = {
        .method = "POST", .body = text, .body_bytes = (size_t)head + bytes};
    struct bight_http_response *response;

    memcpy(text + head, body, bytes);
    ck_assert_int_eq(
        bight_http_fetch(&response, session, http_server_url(&server, "/say"), &request), 0);
    return response;
}

HTTP_TEST(bodies_become_utf8)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bight_http_response *response =
            said(session, rows[i].type, rows[i].body, rows[i].bytes);
        const char *text, *again;
        size_t bytes;

        ck_assert_int_eq(bight_http_response_text(response, &text, &bytes), 0);
        ck_assert_str_eq(text, rows[i].wanted);
        ck_assert_uint_eq(bytes, strlen(rows[i].wanted));
        ck_assert_int_eq(bight_http_response_text(response, &again, NULL), 0);
        EXPECT(bytes == 0 || again == text);
        (void)bight_http_response_body(response, &bytes); /* which stays */
        ck_assert_uint_eq(bytes, rows[i].bytes);
        bight_http_response_free(response);
    }
    return 0;
}

HTTP_TEST(a_nul_is_a_character)
{
    struct bight_http_response *response = said(session, NULL, BYTES("a\0b"));
    const char *text;
    size_t bytes;

    ck_assert_int_eq(bight_http_response_text(response, &text, &bytes), 0);
    EXPECT(bytes == 3 && memcmp(text, "a\0b", 4) == 0);
    bight_http_response_free(response);
    return 0;
}

HTTP_TEST(text_outlives_the_session)
{
    struct bight_http_response *response = said(session, "a/b; charset=latin1", BYTES("\xe9"));
    const char *text;

    EXPECT(bight_http_session_end(session) == 0);
    http_session = NULL;
    ck_assert_int_eq(bight_http_response_text(response, &text, NULL), 0);
    ck_assert_str_eq(text, "\xc3\xa9");
    bight_http_response_free(response);
    return 0;
}

HTTP_TEST(a_streamed_response_has_no_text)
{
    struct bight_http_response *response;
    const char *text;
    size_t bytes = 1;

    ck_assert_int_eq(bight_http_open(&response, session, http_server_url(&server, "/ok"), NULL), 0);
    ck_assert_int_eq(bight_http_response_text(response, &text, &bytes), 0);
    EXPECT(bytes == 0 && !*text);
    bight_http_response_free(response);
    return 0;
}

/* All that is bad grows by three. */
HTTP_TEST(a_long_text_grows)
{
    struct bight_http_response *response;
    const char *text;
    size_t bytes, bad = 0;

    ck_assert_int_eq(
        bight_http_fetch(&response, session, http_server_url(&server, "/bytes/300000"), NULL), 0);
    ck_assert_int_eq(bight_http_response_text(response, &text, &bytes), 0);
    for (size_t i = 0; i + 3 <= bytes; i++)
        bad += memcmp(text + i, BAD, 3) == 0;
    EXPECT(bytes - 2 * bad <= 300000 && !text[bytes]);
    bight_http_response_free(response);
    return 0;
}

HTTP_TEST(labels_are_those_of_browsers)
{
    (void)session;
    ck_assert_str_eq(bight_http_charset("latin1", 6), "CP1252");
    ck_assert_str_eq(bight_http_charset("UTF8 and more", 4), "UTF-8");
    ck_assert_str_eq(bight_http_charset("hz-gb-2312", 10), "replacement");
    EXPECT(!bight_http_charset("utf-7", 5) && !bight_http_charset("", 0));
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(bodies_become_utf8),        plain_case(a_nul_is_a_character),
    plain_case(text_outlives_the_session), plain_case(a_streamed_response_has_no_text),
    plain_case(a_long_text_grows),         plain_case(labels_are_those_of_browsers),
};

test_suite("http_text", cases, .setup = http_case_setup, .teardown = http_case_teardown);
