/* samples/scraper/page.c, parse.c and wire.c: what is learnt of a page, whatever it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>

#include "samples/scraper/charset.h"
#include "samples/scraper/url.h"

#include "tests/samples/scraper/page_case.h"

static void page_gives_title_links_and_words(void)
{
    struct parsed page;

    parse(&page, "<!doctype html><html><head><title> A\n <!-- no --> tidy&nbsp;title </title>"
                 "<link href=style.css><script>var x = '<a href=no>';</script>"
                 "<style>p { x: y }</style></head>"
                 "<body><p>One <b>t</b>wo<p>three<br>four &amp; <a href='b.html#x'>five</a> "
                 "<A HREF=\"/c?x=1&amp;y=2\">six</A><a name=z>7</a><a href=b.html>8</a>"
                 "<a href=''>9</a><a href='mailto:me@h'>10</a><area href=no>");
    ck_assert(page.facts.has_title);
    ck_assert_str_eq(page.facts.title, "A <!-- no --> tidy title");
    ck_assert_uint_eq(page.facts.links, 5);
    /* A <!-- no --> tidy title One two three four & five six7891011 */
    ck_assert_uint_eq(page.facts.words, 6 + 7);
    ck_assert(!page.facts.cut);
    expect_link(&page, "http://h/dir/b.html");
    expect_link(&page, "http://h/c?x=1&y=2");
    expect_link(&page, "http://h/dir/page");
    done(&page);
}

static void empty_page_has_nothing(void)
{
    struct parsed page;

    parse(&page, "");
    ck_assert(!page.facts.has_title);
    ck_assert_str_eq(page.facts.title, "");
    ck_assert_uint_eq(page.facts.links + page.facts.words, 0);
    done(&page);
}

static void empty_title_is_a_title(void)
{
    struct parsed page;

    parse(&page, "<title></title><title>second</title>x");
    ck_assert(page.facts.has_title);
    ck_assert_str_eq(page.facts.title, "");
    done(&page);
}

static void page_goes_on_after_its_end(void)
{
    struct parsed page;

    parse(&page, "<!doctype html><html><head><title>t</title></head><body>one</body></html>"
                 "<p>two <a href=late>three</a></body></html></html> four<a href=last>");
    ck_assert_uint_eq(page.facts.words, 5);
    expect_link(&page, "http://h/dir/late");
    expect_link(&page, "http://h/dir/last");
    done(&page);
    parse(&page, "one</body></html>two<a href=late>three");
    ck_assert_uint_eq(page.facts.links, 1);
    expect_link(&page, "http://h/dir/late");
    done(&page);
}

static void title_of_a_drawing_is_not_the_pages(void)
{
    struct parsed page;

    parse(&page, "<body><svg><title>icon</title></svg><title>page</title>");
    ck_assert_str_eq(page.facts.title, "page");
    done(&page);
}

static void first_base_with_href_counts_for_all_links(void)
{
    struct parsed page;

    parse(&page, "<a href=early></a><base target=_blank><base href='/other/#f'>"
                 "<base href='/third/'><a href=late></a><a href='../up'></a>");
    expect_link(&page, "http://h/other/early");
    expect_link(&page, "http://h/other/late");
    expect_link(&page, "http://h/up");
    done(&page);
    parse(&page, "<base href='https://O.example'><a href=x></a>");
    expect_link(&page, "https://o.example/x");
    done(&page);
    parse(&page, "<base href='javascript:1'><a href=x></a>");
    expect_link(&page, "http://h/dir/x");
    done(&page);
}

/* `count` times `text`, after `head`. */
static struct bytes repeated(const char *head, const char *text, size_t count)
{
    struct bytes body = {0};
    int rc = bytes_append_text(&body, head);

    /* Each assertion of Check is a system call: not in here. */
    for (size_t i = 0; i < count; i++)
        rc |= bytes_append_text(&body, text);
    ck_assert_int_eq(rc, 0);
    return body;
}

static void link_is_the_same_however_often_and_with_what_fragment(void)
{
    struct parsed page;
    struct bytes body = repeated("<a href='l#", "f", URL_BYTES_MAX);

    parse(&page, "<a href=b></a><a href='b#1'></a><a href=b></a><a href='#x'></a><a href=''></a>"
                 "<a href='#'></a><a href=' #y'></a><a href='mailto:me@h'></a><a href='b ?q#'></a>"
                 "<a href='mailto:me@h'></a><a href=\"/dir/b#2\"></a><a href='b?q#'></a>"
                 "<a href='http:b#z'></a><a href='page#'></a>");
    ck_assert_uint_eq(page.facts.links, 14);
    expect_link(&page, "http://h/dir/b");
    expect_link(&page, "http://h/dir/page");
    expect_link(&page, "http://h/dir/b%20?q");
    expect_link(&page, "http://h/dir/b?q");
    done(&page);
    /* White space is part of the URL before a fragment, not at the end. */
    parse(&page, "<a href='s '></a><a href='s #1'></a><a href='s'></a><a href='t #2'></a>"
                 "<a href='t '></a><a href='t\n#3'></a>");
    expect_link(&page, "http://h/dir/s");
    expect_link(&page, "http://h/dir/s%20");
    expect_link(&page, "http://h/dir/t%20");
    expect_link(&page, "http://h/dir/t");
    done(&page);
    /* A link that is too long for its fragment's sake is none, the same without it is one. */
    ck_assert_int_eq(bytes_append_text(&body, "'></a><a href=l></a><a href='l#x'></a>"), 0);
    parse_bytes(&page, page_html, body.data, body.size);
    expect_link(&page, "http://h/dir/l");
    done(&page);
    bytes_free(&body);
}

/* More than are remembered; all of them are found once. */
static void many_links_are_each_found_once(void)
{
    enum { count = 20000 };
    struct bytes body = {0};
    struct parsed page;
    char text[64];
    int rc = 0;

    for (int i = 0; i < 2 * count; i++) {
        (void)snprintf(text, sizeof text, "<a href='%d#%d'></a>", i % count, i);
        rc |= bytes_append_text(&body, text);
    }
    ck_assert_int_eq(rc, 0);
    parse_bytes(&page, page_html, body.data, body.size);
    ck_assert_uint_eq(page.facts.links, 2 * count);
    for (int i = 0; i < count; i++) {
        (void)snprintf(text, sizeof text, "http://h/dir/%d", i);
        rc |= strcmp(parse_next_link(&page.links), text) != 0;
    }
    ck_assert_int_eq(rc, 0);
    done(&page);
    bytes_free(&body);
}

static void nul_bytes_hide_nothing(void)
{
    static const char body[] = "<tit\0le>a\0b</title><p>x\0y<a href=\"c\0d\">z\0\0</a><a href=e>";
    struct parsed page;

    parse_bytes(&page, page_html, body, sizeof body - 1);
    ck_assert_str_eq(page.facts.title, "ab");
    ck_assert_uint_eq(page.facts.links, 2);
    expect_link(&page, "http://h/dir/cd");
    expect_link(&page, "http://h/dir/e");
    done(&page);
}

static void long_title_is_cut_at_a_character(void)
{
    struct bytes body = repeated("<title>x", "\xc3\xa9", PAGE_TITLE_BYTES_MAX);
    struct parsed page;

    ck_assert_int_eq(bytes_append_text(&body, "yz</title>"), 0);
    parse_bytes(&page, page_html, body.data, body.size);
    ck_assert_uint_eq(strlen(page.facts.title), PAGE_TITLE_BYTES_MAX - 1);
    ck_assert_str_eq(page.facts.title + PAGE_TITLE_BYTES_MAX - 3, "\xc3\xa9");
    done(&page);
    bytes_free(&body);
}

static void page_of_ten_megabytes_is_read_to_its_end(void)
{
    struct bytes body =
        repeated("<title>big</title>", "<p>some words <a href=x>here</a></p>\n", 300000);
    struct parsed page;

    ck_assert_int_eq(bytes_append_text(&body, "<a href=last>"), 0);
    parse_bytes(&page, page_html, body.data, body.size);
    ck_assert_uint_eq(page.facts.links, 300001);
    ck_assert_uint_eq(page.facts.words, 1 + 900000);
    expect_link(&page, "http://h/dir/x");
    expect_link(&page, "http://h/dir/last");
    done(&page);
    bytes_free(&body);
}

static void one_line_of_ten_megabytes_is_one_word(void)
{
    struct bytes body = repeated("<title>t</title><p>", "aaaaaaaaaa", 1000000);
    struct parsed page;

    parse_bytes(&page, page_html, body.data, body.size);
    ck_assert_uint_eq(page.facts.words, 2);
    done(&page);
    bytes_free(&body);
}

/* Text that parsers do not like. */
static const struct {
    const char *text;
    size_t bytes;
} shapes[] = {
    {"<div>", 2000000},
    {"<b>", 2000000},
    {"<ul><li>", 2000000},
    {"<b></i>", 2000000},
    {"<svg>", 2000000},
    {"<table><tr><td>", 2000000},
    {"<", 2000000},
    {"<!--", 2000000},
    {"&", 2000000},
    {"<a ", 2000000},
    {"<a href='", 2000000},
    {"<x y=z ", 2000000},
    {"<![CDATA[", 2000000},
    {"<a href=x><p>", 2000000},
    /* libxml2 2.9 looks for the end of these anew each time: job.c limits what that may cost. */
    {"</", 60000},
    {"<?", 60000},
};

static void hostile_page_is_left_in_time(int i)
{
    struct bytes body =
        repeated("<title>t</title>", shapes[i].text, shapes[i].bytes / strlen(shapes[i].text));
    struct parsed page;

    ck_assert_int_eq(bytes_append_text(&body, "</b></div><a href=end>"), 0);
    parse_bytes(&page, page_html, body.data, body.size);
    ck_assert_str_eq(page.facts.title, "t");
    bytes_free(&page.request);
    bytes_free(&page.reply);
    bytes_free(&body);
}

static void reasonable_depth_is_no_matter(void)
{
    struct bytes body = repeated("", "<div>", 5000);
    struct parsed page;

    ck_assert_int_eq(bytes_append_text(&body, "<a href=deep>"), 0);
    parse_bytes(&page, page_html, body.data, body.size);
    ck_assert(!page.facts.cut);
    expect_link(&page, "http://h/dir/deep");
    done(&page);
    bytes_free(&body);
}

static void flood_of_links_is_bounded(void)
{
    struct bytes body = repeated("<base href='/", "x", 4000);
    struct parsed page;
    char text[64];
    int rc = bytes_append_text(&body, "/'>");

    for (int i = 0; i < 20000; i++) {
        (void)snprintf(text, sizeof text, "<a href=%d>", i);
        rc |= bytes_append_text(&body, text);
    }
    ck_assert_int_eq(rc, 0);
    parse_bytes(&page, page_html, body.data, body.size);
    ck_assert(page.facts.cut);
    ck_assert_uint_eq(page.facts.links, 20000);
    ck_assert_uint_le(page.reply.size, PARSE_LINK_BYTES_MAX + 64);
    size_t links = 0;
    while (parse_next_link(&page.links))
        links++;
    ck_assert_uint_ge(links, 10000);
    done(&page);
    bytes_free(&body);
}

static bool stop_at_once(void *arg)
{
    ++*(int *)arg;
    return true;
}

static void parse_that_is_told_to_stop_says_so(void)
{
    int asked = 0;
    struct page_stop stop = {.stop = stop_at_once, .arg = &asked};
    struct bytes request = {0};
    struct bytes reply = {0};
    struct page_facts facts;
    struct wire links;

    ck_assert_int_eq(parse_request(&request, "http://h/", page_html, "<a href=x>", 10), 0);
    ck_assert_int_eq(parse_run(&reply, request.data, request.size, &stop), 0);
    ck_assert_int_eq(parse_reply(&facts, &links, reply.data, reply.size), 0);
    ck_assert(facts.cut);
    ck_assert_int_eq(asked, 1);
    bytes_free(&request);
    bytes_free(&reply);
}

static void every_cut_and_flip_of_a_message_is_survived(void)
{
    static const char body[] = "<title>t</title><a href=x>1</a><a href=y>2</a>";
    struct parsed page;
    struct page_facts facts;
    struct wire links;

    parse(&page, body);
    for (size_t size = 0; size < page.reply.size; size++) {
        /* A copy of exactly this size, so that the sanitizer sees a read beyond it. */
        char *cut = malloc(size ? size : 1);
        ck_assert_ptr_nonnull(cut);
        memcpy(cut, page.reply.data, size);
        if (parse_reply(&facts, &links, cut, size) == 0)
            while (parse_next_link(&links))
                ;
        free(cut);
    }
    for (size_t bit = 0; bit < 8 * page.reply.size; bit++) {
        char *flipped = malloc(page.reply.size);
        ck_assert_ptr_nonnull(flipped);
        memcpy(flipped, page.reply.data, page.reply.size);
        flipped[bit / 8] ^= (char)(1 << bit % 8);
        if (parse_reply(&facts, &links, flipped, page.reply.size) == 0) {
            ck_assert_uint_le(strlen(facts.title), page.reply.size);
            for (const char *url; (url = parse_next_link(&links));)
                ck_assert_uint_le(strlen(url), page.reply.size);
        }
        free(flipped);
    }
    for (size_t size = 0; size < page.request.size - (sizeof body - 1); size++) {
        struct bytes reply = {0};
        ck_assert_int_eq(parse_run(&reply, page.request.data, size, NULL), BIGHT_EINVAL);
        bytes_free(&reply);
    }
    bytes_free(&page.request);
    bytes_free(&page.reply);
}

static void random_bytes_are_a_page_too(int round)
{
    enum { size = 100000 };
    char *body = malloc(size);
    struct parsed page;
    unsigned state = (unsigned)round;

    ck_assert_ptr_nonnull(body);
    for (int i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        /* Mostly the bytes that mean something. */
        body[i] = state >> 30 ? "<>/=\"' abp!-&;#x"[state >> 20 & 15] : (char)(state >> 20);
    }
    parse_bytes(&page, round % 2 ? page_html : "text/html; charset=shift_jis", body, size);
    while (parse_next_link(&page.links))
        ;
    done(&page);
    free(body);
}

static void html_is_known_by_its_type(void)
{
    ck_assert(content_type_is_html("text/html"));
    ck_assert(content_type_is_html("Text/HTML ; charset=x"));
    ck_assert(content_type_is_html("application/xhtml+xml;x"));
    ck_assert(!content_type_is_html("text/plain"));
    ck_assert(!content_type_is_html("text/html5"));
    ck_assert(!content_type_is_html(""));
}

static const struct suite_case cases[] = {
    plain_case(page_gives_title_links_and_words),
    plain_case(empty_page_has_nothing),
    plain_case(empty_title_is_a_title),
    plain_case(page_goes_on_after_its_end),
    plain_case(title_of_a_drawing_is_not_the_pages),
    plain_case(first_base_with_href_counts_for_all_links),
    plain_case(link_is_the_same_however_often_and_with_what_fragment),
    plain_case(many_links_are_each_found_once),
    plain_case(nul_bytes_hide_nothing),
    plain_case(long_title_is_cut_at_a_character),
    plain_case(page_of_ten_megabytes_is_read_to_its_end),
    plain_case(one_line_of_ten_megabytes_is_one_word),
    each_case(hostile_page_is_left_in_time, (int)(sizeof shapes / sizeof shapes[0])),
    plain_case(reasonable_depth_is_no_matter),
    plain_case(flood_of_links_is_bounded),
    plain_case(parse_that_is_told_to_stop_says_so),
    plain_case(every_cut_and_flip_of_a_message_is_survived),
    each_case(random_bytes_are_a_page_too, 20),
    plain_case(html_is_known_by_its_type),
};

test_suite("scraper_page", cases);
