/* samples/scraper/url.c: each page has one name, however it is linked to. */
#include "samples/scraper/url.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>

#include "tests/harness/suite.h"

struct resolution {
    const char *base;
    const char *href;
    /* NULL: refused with `rc`. */
    const char *url;
    int rc;
};

static const struct resolution resolutions[] = {
    {"http://h/a/b", "c", "http://h/a/c", 0},
    {"http://h/a/b", "", "http://h/a/b", 0},
    {"http://h/a/b?q", "", "http://h/a/b?q", 0},
    {"http://h/a/b", "#part", "http://h/a/b", 0},
    {"http://h/a/b#x", "c#y", "http://h/a/c", 0},
    {"http://h/a/b?x=1", "?y=2", "http://h/a/b?y=2", 0},
    {"http://h/a/b?x=/1/2", "c", "http://h/a/c", 0},
    {"http://h/a/b", "/c", "http://h/c", 0},
    {"https://h/a/b", "//O.example/c", "https://o.example/c", 0},
    {"http://h/a/b", ".", "http://h/a/", 0},
    {"http://h/a/b", "..", "http://h/", 0},
    {"http://h/a/b/", "../..", "http://h/", 0},
    {"http://h/a/b", "../../../c/./d/../e", "http://h/c/e", 0},
    {"http://h/a/b", "c?u=/../d", "http://h/a/c?u=/../d", 0},
    {"http://h/a/b", ".hidden/...", "http://h/a/.hidden/...", 0},
    {"http://h/a/b", "%2e", "http://h/a/", 0},
    {"http://h/a/b/c", "%2E%2e/d", "http://h/a/d", 0},
    {"http://h/a/b/c", ".%2e/%2E./d", "http://h/d", 0},
    {"http://h/a/b", "c/%2e%2e/../d", "http://h/d", 0},
    {"http://h/a/%2e%2e/b", "c", "http://h/c", 0},
    {"http://h/a/b", "http://h/c/%2e%2e?%2e%2e/x#/%2e", "http://h/?%2e%2e/x", 0},
    {"http://h/a/b", "/c/%2E%2E%2E/%2Ed/%2", "http://h/c/%2E%2E%2E/%2Ed/%2", 0},
    {"http://h/a/b", "%252e/c", "http://h/a/%252e/c", 0},
    {"http://h/a/b", ".//c", "http://h/a//c", 0},
    {"http://h/a/b/c", "..//d", "http://h/a//d", 0},
    {"http://h/a/b?/c/d", "../e", "http://h/e", 0},
    {"http://h/a/b", "1a:b", "http://h/a/1a:b", 0},
    {"http://h/a/b", "c?", "http://h/a/c", 0},
    {"http://h/a/b?x", "?", "http://h/a/b", 0},
    {"http://h/a/b", "http://0X7F.1/", "http://127.0.0.1/", 0},
    {"https://h/a/b", "http:/0X7F.1/", "http://127.0.0.1/", 0},
    /* Backslashes are slashes, up to the query. */
    {"http://h/Q/i.html", "..\\SHIP\\a.html", "http://h/SHIP/a.html", 0},
    {"http://h/Q/i.html", "\\root.html", "http://h/root.html", 0},
    {"http://h/Q/i.html", "sub\\b.html", "http://h/Q/sub/b.html", 0},
    {"http://h/Q/i.html", "\\\\i\\c", "http://i/c", 0},
    {"http://h/Q/i.html", "/\\i/c", "http://i/c", 0},
    {"http://h/Q/i.html", "http:\\\\i\\c?d\\e#f\\g", "http://i/c?d\\e", 0},
    {"http://h/Q/i.html", "https:\\i", "https://i/", 0},
    {"http://h/Q/i.html", "%5c..\\%2e%2E\\c", "http://h/Q/c", 0},
    {"http://h/Q/i.html", "?a\\b", "http://h/Q/i.html?a\\b", 0},
    {"http://h/Q/i.html", "mailto:a\\b", NULL, BIGHT_ENOTSUP},
    /* The page's own scheme without its slashes is nothing; another one's are missing. */
    {"http://h/d/i.html", "http:/one.html", "http://h/one.html", 0},
    {"http://h/d/i.html", "http:two.html", "http://h/d/two.html", 0},
    {"http://h/d/i.html", "HTTP:../two.html", "http://h/two.html", 0},
    {"http://h/d/i.html", "http:", "http://h/d/i.html", 0},
    {"http://h/d/i.html", "http:#x", "http://h/d/i.html", 0},
    {"http://h/d/i.html", "http:?q", "http://h/d/i.html?q", 0},
    {"http://h/d/i.html", "http:a:b", "http://h/d/a:b", 0},
    {"http://h/d/i.html", "ht\ntp:\t/one.html", "http://h/one.html", 0},
    {"http://h/d/i.html", "https:/one/x", "https://one/x", 0},
    {"http://h/d/i.html", "https:one/x", "https://one/x", 0},
    {"https://h/d/i.html", "https:/one/x", "https://h/one/x", 0},
    {"https://h/d/i.html", "http:one/x", "http://one/x", 0},
    {"http://h/d/i.html", "http:////i/c", "http://i/c", 0},
    {"http://h/d/i.html", "///i/c", "http://i/c", 0},
    {"http://h/d/i.html", "/////i//c", "http://i//c", 0},
    {"http://h/a/b", "http://[::ABCD]/", "http://[::abcd]/", 0},
    {"http://h/a/b", "http://a%2525b/", NULL, BIGHT_EINVAL},
    {"http://h/a/b", "http://a@b@c/", NULL, BIGHT_EINVAL},
    {"http://h/a/b", "./a:b", "http://h/a/a:b", 0},
    {"http://h", "c", "http://h/c", 0},
    {"http://h//", "c", "http://h//c", 0},
    {"http://h//a/b", "../c", "http://h//c", 0},
    {"http://h/a/b", "c/d.e/~f_g-1/#x", "http://h/a/c/d.e/~f_g-1/", 0},
    {"http://h/a/b", "c//d", "http://h/a/c//d", 0},
    {"http://h/a/b", "c/..", "http://h/a/", 0},
    {"http://h/a/b", "c/./d/.", "http://h/a/c/d/", 0},
    {"http://h?q", "c", "http://h/c", 0},
    {"http://h/a/b", "  c d\t\n ", "http://h/a/c%20d", 0},
    {"http://h/a/b", "\nlong/\n\tname", "http://h/a/long/name", 0},
    {"http://h/a/b", "?q=a b", "http://h/a/b?q=a%20b", 0},
    {"http://h/a/b", "caf\xc3\xa9", "http://h/a/caf%C3%A9", 0},
    {"http://h/a/b", "\"<x>\"", "http://h/a/%22%3Cx%3E%22", 0},
    {"http://h/a/b", "already%20there", "http://h/a/already%20there", 0},
    {"http://h/a/b", "HTTP://EXAMPLE.com:80", "http://example.com/", 0},
    {"http://h/a/b", "HTTPS://EXAMPLE.com:443/", "https://example.com/", 0},
    {"http://h/a/b", "https://example.com:80/", "https://example.com:80/", 0},
    {"http://h:8080/a/b", "c", "http://h:8080/a/c", 0},
    {"http://h/a/b", "http://user:secret@other/c", "http://other/c", 0},
    {"http://[::1]:8080/a", "b", "http://[::1]:8080/b", 0},
    {"http://h/a/b", "http://b\xff\xff/", NULL, BIGHT_EINVAL},
    {"http://h/a/b", "http://%ff/", NULL, BIGHT_EINVAL},
    {"http://h/a/b", "mailto:a@b.example", NULL, BIGHT_ENOTSUP},
    {"http://h/a/b", "javascript:void(0)", NULL, BIGHT_ENOTSUP},
    {"http://h/a/b", "tel:+123", NULL, BIGHT_ENOTSUP},
    {"http://h/a/b", "data:text/html,x", NULL, BIGHT_ENOTSUP},
    {"http://h/a/b", "ftp://h/c", NULL, BIGHT_ENOTSUP},
    {"http://h/a/b", "file:///etc/passwd", NULL, BIGHT_ENOTSUP},
    {"http://h/a/b", "scheme-of-more-than-forty-bytes-not-a-path-then:c\\d", NULL, BIGHT_ENOTSUP},
    {"http://h/a/b", "http://%31/", "http://0.0.0.1/", 0},
    {"http://h/a/b", "//%30X7f.1:8/%31", "http://127.0.0.1:8/%31", 0},
    {"http://h/a/b", "http://%4Cocal/", "http://local/", 0},
    {"http://h/a/b", "http://a%252eb/", NULL, BIGHT_EINVAL},
    {"http://h/a/b", "http://", NULL, BIGHT_EINVAL},
    {"http://h/a/b", "http://h:99999/", NULL, BIGHT_EINVAL},
    {"http://h/a/b", "http://a b/", NULL, BIGHT_EINVAL},
};

static void link_resolves_to_its_normal_form(int i)
{
    const struct resolution *row = &resolutions[i];
    struct url_base *base;
    char *url = NULL;

    ck_assert_int_eq(url_base_new(&base, row->base), 0);
    ck_assert_int_eq(url_resolve(base, row->href, &url), row->rc);
    url_base_free(base);
    if (row->url)
        ck_assert_str_eq(url, row->url);
    else
        ck_assert_ptr_null(url);
    free(url);
}

/* A plain path is only put behind the base's directory; with a query it goes the long way. */
static void check_plain_paths(const char *of)
{
    static const char *const paths[] = {"c",         "c.html", "c/d",  "c/d/",      "a-b_c~d.e/F/0",
                                        "..c",       ".c/...", "c../", "1.2.3",     "127.1",
                                        "c/.d",      "x//y",   "../c", "../../c/d", "../../../../c",
                                        "../c/../d", ".././c"};
    char href[64], expected[128];
    struct url_base *base;

    ck_assert_int_eq(url_base_new(&base, of), 0);
    for (size_t k = 0; k < sizeof paths / sizeof paths[0]; k++) {
        char *plain, *other;
        ck_assert_int_eq(url_resolve(base, paths[k], &plain), 0);
        (void)snprintf(href, sizeof href, "%s?q", paths[k]);
        ck_assert_int_eq(url_resolve(base, href, &other), 0);
        (void)snprintf(expected, sizeof expected, "%s?q", plain);
        ck_assert_str_eq(other, expected);
        free(plain);
        free(other);
    }
    url_base_free(base);
}

static void plain_path_is_resolved_like_any_other(void)
{
    for (size_t i = 0; i < sizeof resolutions / sizeof resolutions[0]; i++)
        if (i == 0 || strcmp(resolutions[i].base, resolutions[i - 1].base) != 0)
            check_plain_paths(resolutions[i].base);
}

static void normal_form_of_a_normal_form_is_itself(int i)
{
    const char *url = resolutions[i].url;
    char *again = NULL;

    if (!url)
        return;
    ck_assert_int_eq(url_normalise(url, &again), 0);
    ck_assert_str_eq(again, url);
    free(again);
}

static void relative_text_is_no_url(void)
{
    char *url = NULL;

    ck_assert_int_lt(url_normalise("a/b", &url), 0);
    ck_assert_int_eq(url_normalise("1a:b", &url), BIGHT_EINVAL);
    ck_assert_int_lt(url_normalise("", &url), 0);
    ck_assert_int_lt(url_normalise("#a", &url), 0);
    ck_assert_ptr_null(url);
}

static void user_may_leave_the_scheme_out(void)
{
    char *url = NULL;

    ck_assert_int_eq(url_from_user("Example.com:8080/a#b", &url), 0);
    ck_assert_str_eq(url, "http://example.com:8080/a");
    free(url);
    ck_assert_int_eq(url_from_user("https://example.com", &url), 0);
    ck_assert_str_eq(url, "https://example.com/");
    free(url);
}

static void international_names_go_as_punycode(void)
{
    char *url = NULL;

    ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
    ck_assert_int_eq(url_normalise("http://B\xc3\xbc"
                                   "CHER.example/",
                                   &url),
                     0);
    if (strcmp(url, "http://b\xc3\xbc"
                    "cher.example/") != 0) /* a libcurl without IDN */
        ck_assert_str_eq(url, "http://xn--bcher-kva.example/");
    free(url);
}

static void users_mistakes_are_told_apart(void)
{
    char *url = NULL;

    ck_assert_int_eq(url_from_user("ftp://example.com/", &url), BIGHT_ENOTSUP);
    ck_assert_int_eq(url_from_user("http://me:secret@example.com/", &url), BIGHT_EPERM);
    ck_assert_int_eq(url_from_user("", &url), BIGHT_EINVAL);
    ck_assert_int_eq(url_from_user("localhost:http", &url), BIGHT_EINVAL);
    ck_assert_ptr_null(url);
}

static void endless_url_is_refused(void)
{
    char *href = malloc(URL_BYTES_MAX + 2);
    char *url = NULL;
    struct url_base *base;

    ck_assert_ptr_nonnull(href);
    memset(href, 'a', URL_BYTES_MAX + 1);
    href[URL_BYTES_MAX + 1] = '\0';
    ck_assert_int_eq(url_base_new(&base, "http://h/"), 0);
    ck_assert_int_eq(url_resolve(base, href, &url), BIGHT_ETOOBIG);
    href[URL_BYTES_MAX] = '\0';
    ck_assert_int_eq(url_resolve(base, href, &url), BIGHT_ETOOBIG);
    href[URL_BYTES_MAX - strlen("http://h/")] = '\0';
    ck_assert_int_eq(url_resolve(base, href, &url), 0);
    ck_assert_uint_eq(strlen(url), URL_BYTES_MAX);
    /* Every byte becomes three. */
    memset(href, '\xff', URL_BYTES_MAX / 2);
    href[URL_BYTES_MAX / 2] = '\0';
    char *none = NULL;
    ck_assert_int_eq(url_resolve(base, href, &none), BIGHT_ETOOBIG);
    url_base_free(base);
    free(url);
    free(href);
}

static void origin_is_scheme_host_and_port(void)
{
    ck_assert_uint_eq(url_origin_bytes("http://h/a"), strlen("http://h"));
    ck_assert_uint_eq(url_origin_bytes("https://h:8443/a?b"), strlen("https://h:8443"));
    ck_assert(url_same_origin("http://h/a", "http://h/b"));
    ck_assert(!url_same_origin("http://h/", "https://h/"));
    ck_assert(!url_same_origin("http://h/", "http://h:8080/"));
    ck_assert(!url_same_origin("http://h/", "http://h.example/"));
    ck_assert(!url_same_origin("http://h.example/", "http://h/"));
}

#define ROWS (int)(sizeof resolutions / sizeof resolutions[0])

static const struct suite_case cases[] = {
    each_case(link_resolves_to_its_normal_form, ROWS),
    plain_case(plain_path_is_resolved_like_any_other),
    each_case(normal_form_of_a_normal_form_is_itself, ROWS),
    plain_case(relative_text_is_no_url),
    plain_case(user_may_leave_the_scheme_out),
    plain_case(international_names_go_as_punycode),
    plain_case(users_mistakes_are_told_apart),
    plain_case(endless_url_is_refused),
    plain_case(origin_is_scheme_host_and_port),
};

test_suite("scraper_url", cases);
