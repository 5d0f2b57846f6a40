/* net/http/url.c, http_check.c: what is meant by a URL. The short way through plain URLs must never
 * disagree with libcurl's parser, which has the last word when the request is sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http/http.h"
#include "tests/harness/support.h"

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
};

START_TEST(a_url_means_what_libcurl_takes_it_for)
{
    struct http_url url;
    char *text;
    int rc = bight__http_url_parse(rows[_i].url, &url, &text);

    if (!rows[_i].host) {
        ck_assert_msg(rc == BIGHT_EINVAL, "%s: %s", rows[_i].url, url.host);
        return;
    }
    ck_assert_msg(rc == 0, "%s", rows[_i].url);
    ck_assert_str_eq(url.host, rows[_i].host);
    ck_assert_int_eq(url.port, rows[_i].port);
    ck_assert_int_eq(url.literal, rows[_i].literal);
    ck_assert_int_eq(url.https, rows[_i].url[4] == 's');
    curl_free(text);
}
END_TEST

/* 0 when libcurl finds the same in `text`. */
static int differs(const char *text, const struct http_url *url)
{
    CURLU *handle = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL;
    int rc = curl_url_set(handle, CURLUPART_URL, text, 0) ||
             curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) ||
             curl_url_get(handle, CURLUPART_HOST, &host, 0) ||
             curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ||
             strcmp(scheme, url->https ? "https" : "http") != 0 || strcmp(host, url->host) != 0 ||
             atoi(port) != url->port;

    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(handle);
    return rc;
}

START_TEST(the_short_way_never_disagrees_with_libcurl)
{
    static const char *const pieces[] = {"a",  "org", ".",  "-", ":", "/",   "?",    "#",  "@", "[",
                                         "]",  "%",   "0",  "1", "9", "80",  "0x7f", "\\", " ", "A",
                                         "..", "//",  "\t", "_", "~", "127", "255",  "256"};
    int taken = 0;

    srand(11);
    for (int i = 0; i < 300000; i++) {
        char text[200];
        struct http_url url;
        char *normal;
        strcpy(text, i % 2 ? "http://" : "https://");
        for (int count = rand() % 12; count > 0; count--)
            strcat(text, pieces[(size_t)rand() % (sizeof pieces / sizeof *pieces)]);
        if (bight__http_url_parse(text, &url, &normal) == 0 && !normal) {
            taken++;
            if (differs(text, &url))
                ck_abort_msg("%s: %s port %d", text, url.host, url.port);
        } else {
            curl_free(normal);
        }
    }
    ck_assert_int_gt(taken, 1000);
}
END_TEST

START_TEST(locations_are_joined)
{
    static const char *const joins[][3] = {
        {"http://a.org/x/y?q#f", "z", "http://a.org/x/z"},
        {"http://a.org/x/y", "/z?q", "http://a.org/z?q"},
        {"http://a.org/x/y", "../../z", "http://a.org/z"},
        {"http://a.org/x", "//b.org/y", "http://b.org/y"},
        {"https://a.org/x", "http://b.org", "http://b.org/"},
        {"http://a.org/x/y", "?q", "http://a.org/x/y?q"},
        {"http://a.org/x", "a b", "http://a.org/a%20b"},
        {"http://a.org/x", "\xc3\xbc", "http://a.org/%c3%bc"},
        {"http://a.org/x", "ftp://b.org/", "ftp://b.org/"},
    };

    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        char *text;
        ck_assert_int_eq(bight__http_url_join(joins[i][0], joins[i][1], &text), 0);
        ck_assert_str_eq(text, joins[i][2]);
        curl_free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_url");
    TCase *tc = tcase_create("url");

    tcase_set_timeout(tc, 30);
    tcase_add_loop_test(tc, a_url_means_what_libcurl_takes_it_for, 0,
                        (int)(sizeof rows / sizeof *rows));
    tcase_add_test(tc, the_short_way_never_disagrees_with_libcurl);
    tcase_add_test(tc, locations_are_joined);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
