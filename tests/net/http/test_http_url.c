/* net/http/url.c, check.c: what is meant by a URL. It must never disagree with libcurl's
 * parser, which has the last word when the request is sent, and must be the same with every version
 * of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bight/curl.h>

#include "net/http/url.h"
#include "tests/harness/suite.h"

static const struct {
    const char *url;
    const char *host; /* NULL: refused */
    int port;
    bool literal;
} rows[] = {
    {"http://example.org", "example.org", 80, false},
    {"https://example.org/", "example.org", 443, false},
    {"http://example.org:8080/a?b#c", "example.org", 8080, false},
    {"http://a-b.example.org?x", "a-b.example.org", 80, false},
    {"http://127.0.0.1:1/", "127.0.0.1", 1, true},
    {"http://[::1]:81/", "::1", 81, true},
    {"http://EXAMPLE.org/", "example.org", 80, false},
    {"HTTP://example.org/", "example.org", 80, false},
    {"http://user:word@example.org/", "example.org", 80, false},
    {"http://good.org@evil.org/", "evil.org", 80, false},
    {"http://good.org:80@evil.org/", "evil.org", 80, false},
    {"http://good.org#@evil.org/", "good.org", 80, false},
    {"http://good.org?@evil.org/", "good.org", 80, false},
    {"http://ex%61mple.org/", "example.org", 80, false},
    {"http://%4Cocalhost/", "localhost", 80, false},
    {"http://%31/", "0.0.0.1", 80, true},
    {"http://%30X7f.1:81/%31", "127.0.0.1", 81, true},
    {"http://%75@127.%31/", "127.0.0.1", 80, true},
    {"http://2130706433/", "127.0.0.1", 80, true},
    {"http://0x7f.1/", "127.0.0.1", 80, true},
    {"http://127.1/", "127.0.0.1", 80, true},
    {"http://017700000001/", "127.0.0.1", 80, true},
    {"http://under_score.org/", "under_score.org", 80, false},
    {"http://example.org:/", "example.org", 80, false},
    {"http://example.org:65536/", NULL, 0, false},
    {"http://example.org:0x50/", NULL, 0, false},
    {"http://", NULL, 0, false},
    {"http:///path", "path", 80, false},
    {"http:/example.org/", "example.org", 80, false},
    {"example.org", NULL, 0, false},
    {"ftp://example.org/", NULL, 0, false},
    {"file:///etc/passwd", NULL, 0, false},
    {"http://exa mple.org/", NULL, 0, false},
    {"http://example.org/a b", NULL, 0, false},
    {"http://example.org/\r\nX: 1", NULL, 0, false},
    {"http://0X7F.1/", "127.0.0.1", 80, true},
    {"http://0x/", "0x", 80, false},
    {"http://4294967296/", "4294967296", 80, false},
    {"http://127.0.0.1./", "127.0.0.1.", 80, false},
    {"http://a%2525b/", NULL, 0, false},
    {"http://a%00b/", NULL, 0, false},
    {"http://a%2fb/", NULL, 0, false},
    {"http://a\\b/", NULL, 0, false},
    {"http://a@b@c/", NULL, 0, false},
    {"http://us er@a/", NULL, 0, false},
    {"http://a:0/", NULL, 0, false},
    {"http://a:+80/", NULL, 0, false},
    {"http://a:0080/", "a", 80, false},
    {"http://A:/", "a", 80, false},
    {"http://a?b", "a", 80, false},
    {"http://[::ABCD]/", "::abcd", 80, true},
    {"http://[0:0:0:0:0:0:0:1]/", "::1", 80, true},
    {"http://[::1.2.3.4]/", "::1.2.3.4", 80, true},
    {"http://[::1", NULL, 0, false},
    {"http://[::1]x/", NULL, 0, false},
    {"http://[g::]/", NULL, 0, false},
    {"http://[]/", NULL, 0, false},
    {"http:////a/", NULL, 0, false},
    {"http:a/", NULL, 0, false},
    {"http://a/#b c", NULL, 0, false},
    {"http://a/?b\x7f", NULL, 0, false},
};

static const struct bight_seams seams;

/* `text` parsed; the buffer is to be freed when the result is 0. */
static int parse(const char *text, struct http_buffer *buffer, struct http_url *url)
{
    *buffer = (struct http_buffer){0};
    ck_assert_int_eq(http_buffer_append(&seams, buffer, text, strlen(text) + 1), 0);
    int rc = bight__http_url_parse(&seams, buffer, url);
    if (rc < 0)
        bight__http_buffer_free(buffer);
    else
        ck_assert_uint_eq(buffer->bytes, strlen(buffer->data) + 1);
    return rc;
}

static void a_url_means_what_libcurl_takes_it_for(int i)
{
    struct http_url url;
    struct http_buffer text;
    int rc = parse(rows[i].url, &text, &url);

    if (!rows[i].host) {
        ck_assert_msg(rc == BIGHT_EINVAL || rc == BIGHT_ENOTSUP, "%s: %s", rows[i].url, url.host);
        return;
    }
    ck_assert_msg(rc == 0, "%s", rows[i].url);
    ck_assert_str_eq(url.host, rows[i].host);
    ck_assert_int_eq(url.port, rows[i].port);
    ck_assert_int_eq(url.literal, rows[i].literal);
    ck_assert_int_eq(url.https, rows[i].url[4] == 's');
    bight__http_buffer_free(&text);
}

static void a_path_is_the_same_with_every_libcurl(void)
{
    static const char *const paths[][2] = {
        {"/a/../b", "/b"},
        {"/a/./b/.", "/a/b/"},
        {"/a/b/..", "/a/"},
        {"/..", "/"},
        {"/../../a", "/a"},
        {"/a//../b", "/a/b"},
        {"//..", "/"},
        {"/.../..a/.b", "/.../..a/.b"},
        {"/%2e", "/"},
        {"/%2E/a", "/a"},
        {"/a/%2e%2e/b", "/b"},
        {"/a/.%2e/b", "/b"},
        {"/a/%2E./b", "/b"},
        {"/a/%2e%2E", "/"},
        {"/a/%2e%2e/../b", "/b"},
        {"/a/b/%2e%2e/../c", "/c"},
        {"/a/%2e%2e%2e", "/a/%2e%2e%2e"},
        {"/a/%2e%2", "/a/%2e%2"},
        {"/a%2e/%2eb", "/a%2e/%2eb"},
        {"/a/%252e%252e/b", "/a/%252e%252e/b"},
        {"/a%2f../b", "/a%2f../b"},
        {"/a?b/../c", "/a?b/../c"},
        {"/a/..?b/%2e%2e/c#/../", "/?b/%2e%2e/c#/../"},
        {"/a#b/../c", "/a#b/../c"},
        {"?a/../b", "?a/../b"},
        {"/a?", "/a"},
        {"/a/..?#f", "/#f"},
        {"?", ""},
        {"?#f", "#f"},
        {"/a??", "/a??"},
        {"/\xc3\xbc/%2e", "/\xc3\xbc/"},
        {"", ""},
    };
    /* The short way, and what libcurl is asked about. */
    static const char *const fronts[][2] = {{"http://a.org", "http://a.org"},
                                            {"HTTP://u:p@A.org:81", "http://u:p@a.org:81"}};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (int front = 0; front < 2; front++) {
            struct http_buffer text;
            struct http_url url;
            char given[100], wanted[100];
            const char *path = paths[i][1];
            snprintf(given, sizeof given, "%s%s", fronts[front][0], paths[i][0]);
            snprintf(wanted, sizeof wanted, "%s%s%s", fronts[front][1], *path != '/' ? "/" : "",
                     path);
            ck_assert_int_eq(parse(given, &text, &url), 0);
            ck_assert_str_eq(text.data, wanted);
            bight__http_buffer_free(&text);
        }
}

/* 0 when libcurl finds the same in `text`, and, if it is `final`, no path to change. */
static int differs(const char *text, const struct http_url *url, bool final)
{
    CURLU *handle = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
    char bracketed[HTTP_HOST_BYTES + 2];
    int rc = curl_url_set(handle, CURLUPART_URL, text, 0) ||
             curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) ||
             curl_url_get(handle, CURLUPART_HOST, &host, 0) ||
             curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ||
             curl_url_get(handle, CURLUPART_PATH, &path, 0);

    snprintf(bracketed, sizeof bracketed, strchr(url->host, ':') ? "[%s]" : "%s", url->host);
    rc = rc || strcmp(scheme, url->https ? "https" : "http") != 0 ||
         strcasecmp(host, bracketed) != 0 || atoi(port) != url->port ||
         (final && strcmp(path, "/") != 0 && !strstr(text, path));
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_url_cleanup(handle);
    return rc;
}

static void libcurl_never_disagrees(void)
{
    static const char *const pieces[] = {"a",  "org", ".",  "-", ":", "/",   "?",    "#",  "@", "[",
                                         "]",  "%",   "0",  "1", "9", "80",  "0x7f", "\\", " ", "A",
                                         "..", "//",  "\t", "_", "~", "127", "255",  "256"};
    int taken = 0;

    srand(11);
    for (int i = 0; i < 300000; i++) {
        char text[200];
        struct http_url url;
        struct http_buffer normal;
        strcpy(text, i % 2 ? "http://" : "https://");
        for (int count = rand() % 12; count > 0; count--)
            strcat(text, pieces[(size_t)rand() % (sizeof pieces / sizeof *pieces)]);
        if (parse(text, &normal, &url) < 0)
            continue;
        taken++;
        if (differs(text, &url, false) || differs(normal.data, &url, true))
            ck_abort_msg("%s, %s: %s port %d", text, normal.data, url.host, url.port);
        bight__http_buffer_free(&normal);
    }
    ck_assert_int_gt(taken, 1000);
}

static void locations_are_joined(void)
{
    static const struct {
        const char *base;
        const char *location;
        const char *url;
        int rc;
    } joins[] = {
        {"http://a.org/x/y?q#f", "z", "http://a.org/x/z", 0},
        {"http://a.org/x/y", "/z?q", "http://a.org/z?q", 0},
        {"http://a.org/x/y", "../../z", "http://a.org/z", 0},
        {"http://a.org/x", "//b.org/y", "http://b.org/y", 0},
        {"https://a.org/x", "http://b.org", "http://b.org/", 0},
        {"http://a.org/x/y", "?q", "http://a.org/x/y?q", 0},
        {"http://a.org/x", "a b", "http://a.org/a%20b", 0},
        {"http://a.org/x", "\xc3\xbc", "http://a.org/%C3%BC", 0},
        {"http://a.org/x", "ftp://b.org/", "ftp://b.org/", BIGHT_ENOTSUP},
        {"http://a.org/x/y?q#f", "", "http://a.org/x/y?q", 0},
        {"http://a.org/x/y?q#f", "#g", "http://a.org/x/y?q#g", 0},
        {"http://a.org/x/y?/z/", "w", "http://a.org/x/w", 0},
        {"http://a.org/x/y#/z/", "w", "http://a.org/x/w", 0},
        {"http://a.org/x/y?p", "?", "http://a.org/x/y", 0},
        {"http://a.org/", "z", "http://a.org/z", 0},
        {"http://a.org/?q", "z", "http://a.org/z", 0},
        {"http://a.org/?/q", "/z", "http://a.org/z", 0},
        {"http://a.org:81/?/q", "?z/y", "http://a.org:81/?z/y", 0},
        {"http://u:p@a.org/x", "z", "http://u:p@a.org/z", 0},
        {"http://a.org/x/y/z", ".%2e/w", "http://a.org/x/w", 0},
        {"http://a.org/x/y/z", "%2e%2E/../w", "http://a.org/w", 0},
        {"http://a.org/x/y/z", "./%2e/", "http://a.org/x/y/", 0},
        {"http://a.org/x", "y?a b#c d", "http://a.org/y?a+b#c+d", 0},
        {"http://a.org/x", "http://b.org/y#c d", "http://b.org/y#c%20d", 0},
        {"http://a.org/x", "http://b.org/\tz", "http://b.org/%09z", 0},
        {"http://a.org/x", "http://b%20c/", NULL, BIGHT_EINVAL},
        {"http://a.org/x", "//b c/", NULL, BIGHT_EINVAL},
        {"http://a.org/x", "javascript:1", NULL, BIGHT_EINVAL},
        {"http://a.org/x", "http:y", NULL, BIGHT_EINVAL},
    };

    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        struct http_buffer text = {0};
        struct http_url url;
        ck_assert_int_eq(bight__http_url_join(&seams, joins[i].base, joins[i].location, &text), 0);
        ck_assert_int_eq(bight__http_url_parse(&seams, &text, &url), joins[i].rc);
        if (joins[i].url)
            ck_assert_str_eq(text.data, joins[i].url);
        bight__http_buffer_free(&text);
    }
}

#ifdef BIGHT_HAVE_IDN2
static const bool with_idn2 = true;
#else
static const bool with_idn2 = false;
#endif

static void a_host_in_other_letters_needs_no_locale(void)
{
    static const char *const names[][2] = {
        {"http://b\xc3\xbc"
         "cher.example/",
         "xn--bcher-kva.example"},
        {"http://B\xc3\x9c"
         "CHER.example:8080/x",
         "xn--bcher-kva.example"},
        {"https://u@\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88?q",
         "xn--r8jz45g.xn--zckzah"},
        {"http://fa\xc3\x9f.de", "xn--fa-hia.de"},
        {"http://b\xfc"
         "cher.example/",
         NULL},
        {"http://\xe2\x80\x8e.example/", NULL},
        /* Signs of a URL in full width: they are none of a name. */
        {"http://a\xef\xbc\x8f"
         "b.example/",
         NULL},
        {"http://a\xef\xbc\x9a"
         "80.example/",
         NULL},
        {"http://a\xef\xbc\xa0"
         "b.example/",
         NULL},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct http_buffer text;
        struct http_url url;
        int rc = parse(names[i][0], &text, &url);
        ck_assert_int_eq(rc, with_idn2 && names[i][1] ? 0 : BIGHT_EINVAL);
        if (rc) {
            ck_assert_ptr_nonnull(strstr(url.why, with_idn2 ? "UTF-8" : "libidn2"));
            continue;
        }
        ck_assert_str_eq(url.host, names[i][1]);
        ck_assert_ptr_nonnull(strstr(text.data, names[i][1]));
        bight__http_buffer_free(&text);
    }
}

static void what_is_wrong_with_a_url_is_said(void)
{
    static const char *const wrong[][2] = {
        {"http://example.org/a b", "space"},
        {"http://exa mple.org/", "space"},
        {"http://example.org/\r\nX: 1", "control character"},
        {"http://example.org:0/", "port"},
        {"http://example.org:65536/", "port"},
        {"http://example.org:x/", "port"},
        {"http://[::1/", "bracket"},
        {"http://[::1", "bracket"},
        {"example.org", "http://"},
        {"/path", "http://"},
        {"ftp://example.org/", "http://"},
        {"http://", NULL},
        {"http://a%2fb/", NULL},
        {"http://[::zz]/", NULL},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct http_buffer text;
        struct http_url url;
        int rc = parse(wrong[i][0], &text, &url);
        ck_assert_msg(rc == BIGHT_EINVAL || rc == BIGHT_ENOTSUP, "%s", wrong[i][0]);
        ck_assert_msg(url.why && *url.why, "%s", wrong[i][0]);
        if (wrong[i][1])
            ck_assert_msg(strstr(url.why, wrong[i][1]) != NULL, "%s: %s", wrong[i][0], url.why);
    }
}

static const struct suite_case cases[] = {
    each_case(a_url_means_what_libcurl_takes_it_for, (int)(sizeof rows / sizeof *rows)),
    plain_case(a_path_is_the_same_with_every_libcurl),
    plain_case(libcurl_never_disagrees),
    plain_case(locations_are_joined),
    plain_case(a_host_in_other_letters_needs_no_locale),
    plain_case(what_is_wrong_with_a_url_is_said),
};

test_suite("http_url", cases);
