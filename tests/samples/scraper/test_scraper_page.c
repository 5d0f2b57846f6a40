/* samples/scraper/charset.c, page.c, parse.c and wire.c: what is learnt of a page, whatever it
 * is. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>

#include "samples/scraper/charset.h"
#include "samples/scraper/parse.h"
#include "samples/scraper/url.h"

#include "tests/harness/suite.h"
#include "tests/samples/scraper/charset_samples.h"

static const char html[] = "text/html; charset=utf-8";

struct parsed {
    struct bytes request;
    struct bytes reply;
    struct page_facts facts;
    struct wire links;
};

static void parse_bytes(struct parsed *parsed, const char *type, const char *body, size_t size)
{
    *parsed = (struct parsed){0};
    ck_assert_int_eq(parse_request(&parsed->request, "http://h/dir/page", type, body, size), 0);
    ck_assert_int_eq(parse_run(&parsed->reply, parsed->request.data, parsed->request.size, NULL),
                     0);
    ck_assert_int_eq(
        parse_reply(&parsed->facts, &parsed->links, parsed->reply.data, parsed->reply.size), 0);
}

static void parse(struct parsed *parsed, const char *body)
{
    parse_bytes(parsed, html, body, strlen(body));
}

static void done(struct parsed *parsed)
{
    ck_assert_ptr_null(parse_next_link(&parsed->links));
    ck_assert(!parsed->links.bad);
    bytes_free(&parsed->request);
    bytes_free(&parsed->reply);
}

#define expect_link(parsed, url) ck_assert_str_eq(parse_next_link(&(parsed)->links), url)

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
    ck_assert_str_eq(page.facts.title, "A tidy title");
    ck_assert_uint_eq(page.facts.links, 5);
    /* A tidy title One two three four & five six7891011 */
    ck_assert_uint_eq(page.facts.words, 3 + 7);
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

struct charset_row {
    const char *type;
    const char *body;
    const char *title;
};

static const struct charset_row charset_rows[] = {
    {"text/html; charset=iso-8859-1", "<title>caf\xe9 \x80</title>", "caf\xc3\xa9 \xe2\x82\xac"},
    {"text/html;charset=\"windows-1251\"", "<title>\xcf\xf0\xe8\xe2\xe5\xf2</title>",
     "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"},
    {"text/html", "<meta charset=windows-1251><title>\xcf\xf0</title>", "\xd0\x9f\xd1\x80"},
    {"text/html",
     "<META http-equiv='Content-Type' content='text/html; charset=KOI8-R'><title>\xf0</title>",
     "\xd0\x9f"},
    {"text/html", "<?xml version='1.0' encoding='windows-1251'?><title>\xcf</title>", "\xd0\x9f"},
    /* The header's charset wins over the page's, the mark over both. */
    {"text/html; charset=utf-8", "<meta charset=windows-1251><title>\xd0\x9f</title>", "\xd0\x9f"},
    {"text/html; charset=windows-1251", "\xef\xbb\xbf<title>\xd0\x9f</title>", "\xd0\x9f"},
    {"text/html; charset=nonsense", "<meta charset=koi8-r><title>\xf0</title>", "\xd0\x9f"},
    {"text/html; charset=", "<title>\xd0\x9f</title>", "\xd0\x9f"},
    /* Nothing is declared: UTF-8 if it is. */
    {"text/html", "<title>caf\xc3\xa9</title>", "caf\xc3\xa9"},
    {"text/html", "<title>caf\xe9</title>", "caf\xc3\xa9"},
    {"text/html", "<!-- <meta charset=koi8-r> --><title>\xe9</title>", "\xc3\xa9"},
    {"", "<title>plain</title>", "plain"},
    /* What is no text becomes U+FFFD. */
    {"text/html; charset=utf-8",
     "<title>a\xff"
     "b\xc3</title>",
     "a\xef\xbf\xbd"
     "b\xef\xbf\xbd"},
    {"text/html; charset=utf-8", "<title>\xed\xa0\x80</title>",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"text/html", "<meta charset=utf-16><title>caf\xc3\xa9</title>", "caf\xc3\xa9"},
    {"text/html; charset=shift_jis", "<title>\x93\xfa\x96\x7b</title>", "\xe6\x97\xa5\xe6\x9c\xac"},
    {"text/html; charset=gb2312", "<title>\xd6\xd0</title>", "\xe4\xb8\xad"},
};

static void title_is_utf8(int i)
{
    const struct charset_row *row = &charset_rows[i];
    struct parsed page;

    parse_bytes(&page, row->type, row->body, strlen(row->body));
    ck_assert_str_eq(page.facts.title, row->title);
    done(&page);
}

/* Do something for each of the words of `labels`; how many there are. */
static int each_label(const char *labels, void (*check)(const char *label, const void *arg),
                      const void *arg)
{
    char label[64];
    int count = 0;

    for (int size; sscanf(labels, " %63s%n", label, &size) == 1; labels += size) {
        check(label, arg);
        count++;
    }
    return count;
}

static void expect_title(const char *type, const char *body, size_t size, const char *title)
{
    struct parsed page;

    parse_bytes(&page, type, body, size);
    ck_assert_msg(strcmp(page.facts.title, title) == 0, "%s: %s", type, page.facts.title);
    done(&page);
}

static void check_sample(const char *label, const void *arg)
{
    const struct charset_sample *sample = arg;
    char type[128], body[256], upper[64];
    size_t size = 0;

    do
        upper[size] = (char)toupper((unsigned char)label[size]);
    while (label[size++]);
    snprintf(body, sizeof body, "<title>%s</title>", sample->bytes);
    snprintf(type, sizeof type, "text/html; charset=%s", label);
    expect_title(type, body, strlen(body), sample->text);
    snprintf(type, sizeof type, "text/html; charset=\" %s \"", upper);
    expect_title(type, body, strlen(body), sample->text);
}

static void check_replacement(const char *label, const void *arg)
{
    static const char body[] = "<title>\x1b$)C\x0e\x30\x21</title><a href=x>";
    char name[CHARSET_NAME_BYTES], type[128];
    struct parsed page;

    (void)arg;
    snprintf(type, sizeof type, "text/html; charset=%s", label);
    charset_detect(name, type, body, sizeof body - 1);
    ck_assert_str_eq(name, "replacement");
    parse_bytes(&page, type, body, sizeof body - 1);
    ck_assert_uint_eq(page.facts.links, 0);
    ck_assert_uint_eq(page.facts.words, 1);
    done(&page);
}

static void check_utf16(const char *label, const void *arg)
{
    static const char text[] = "<title>Hi</title>";
    const bool big = arg;
    char body[2 * sizeof text] = {0}, type[128];

    for (size_t i = 0; i < sizeof text - 1; i++)
        body[2 * i + big] = text[i];
    snprintf(type, sizeof type, "text/html; charset=%s", label);
    expect_title(type, body, 2 * (sizeof text - 1), "Hi");
}

static void all_labels_of_the_standard_are_known(void)
{
    int count = each_label(replacement_labels, check_replacement, NULL) +
                each_label(utf16le_labels, check_utf16, NULL) +
                each_label(utf16be_labels, check_utf16, "big-endian");

    for (size_t i = 0; i < sizeof charset_samples / sizeof charset_samples[0]; i++)
        count += each_label(charset_samples[i].labels, check_sample, &charset_samples[i]);
    ck_assert_int_eq(count, 228);
}

/* Also where iconv knows them. */
static void other_labels_mean_nothing(void)
{
    static const char *const labels[] = {"utf-7",    "utf7",    "utf-32", "cp437", "ebcdic-us",
                                         "win-1251", "latin-1", "x",      "utf-8x"};

    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        char name[CHARSET_NAME_BYTES], type[128];
        snprintf(type, sizeof type, "text/html; charset=%s", labels[i]);
        charset_detect(name, type, "<meta charset=koi8-r>", 21);
        ck_assert_str_eq(name, "KOI8-R");
    }
}

/* `before`, so many bytes of filling, `after`. */
static void expect_charset(const char *before, size_t filling, const char *after,
                           const char *wanted)
{
    char *body = malloc(strlen(before) + filling + strlen(after) + 1);
    char name[CHARSET_NAME_BYTES];

    ck_assert_ptr_nonnull(body);
    strcpy(body, before);
    memset(body + strlen(before), ' ', filling);
    strcpy(body + strlen(before) + filling, after);
    charset_detect(name, "text/html", body, strlen(before) + filling + strlen(after));
    ck_assert_msg(strcmp(name, wanted) == 0, "%s%zu%s: %s", before, filling, after, name);
    free(body);
}

static void a_declaration_may_come_late(void)
{
    expect_charset("", 5000, "<meta charset=koi8-r>", "KOI8-R");
    expect_charset("<title>x</title>", 5000, "<p><meta charset=koi8-r>", "KOI8-R");
    /* In what is text there, it is none. */
    expect_charset("", 5000, "<script>'<meta charset=koi8-r>'</script>", "UTF-8");
    expect_charset("<script>", 5000, "'<meta charset=koi8-r>'</script>", "UTF-8");
    expect_charset("<script>", 5000, "</script><meta charset=koi8-r>", "KOI8-R");
    expect_charset("", 5000, "<TextArea><meta charset=koi8-r></textarea>", "UTF-8");
    expect_charset("", 5000, "<titles><meta charset=koi8-r>", "KOI8-R");
    expect_charset("", 5000, "<!-- <meta charset=koi8-r> -->", "UTF-8");
    expect_charset("<!--", 5000, "<meta charset=koi8-r> -->", "UTF-8");
    /* The first one that can be read. */
    expect_charset("<meta charset=utf-7>", 5000, "<meta charset=koi8-r>", "KOI8-R");
    expect_charset("<meta charset=koi8-u>", 5000, "<meta charset=koi8-r>", "KOI8-U");
    expect_charset("", 0, "<meta charset=x-user-defined>", "CP1252");
    /* In the first bytes browsers look for it without knowing what is text. */
    expect_charset("<script>'<meta charset=koi8-r>'</script>", 0, "", "KOI8-R");
}

static void a_bad_byte_makes_a_page_no_other_charset(void)
{
    expect_charset("caf\xc3\xa9 \xc3\xa9t\xc3\xa9 ", 0, "caf\xe9", "UTF-8");
    expect_charset("\xe2\x82\xac", 70000, "\xff\xff", "UTF-8");
    expect_charset("caf\xe9 \xe9t\xe9 ", 0, "caf\xc3\xa9", "CP1252");
    expect_charset("", 0, "\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0", "CP1252");
    expect_charset("", 0, "\xc4\xe3\xba\xc3\xca\xc0\xbd\xe7", "CP1252");
    expect_charset("", 65535, "\xc3\xa9", "UTF-8"); /* the look ends in it */
}

static void utf16_is_known_by_its_mark(void)
{
    static const char text[] = "<title>Hi</title><a href=x>y</a>";
    /* A lone surrogate, then half a character. */
    static const char tail[3] = {0, '\xd8', 'z'};
    char body[2 * sizeof text + 4] = "\xff\xfe";
    struct parsed page;

    for (size_t i = 0; i < sizeof text - 1; i++)
        body[2 + 2 * i] = text[i];
    size_t size = 2 + 2 * (sizeof text - 1);
    memcpy(body + size, tail, sizeof tail);
    parse_bytes(&page, "text/html", body, size + sizeof tail);
    ck_assert_str_eq(page.facts.title, "Hi");
    expect_link(&page, "http://h/dir/x");
    done(&page);
}

static void nul_bytes_hide_nothing(void)
{
    static const char body[] = "<tit\0le>a\0b</title><p>x\0y<a href=\"c\0d\">z\0\0</a><a href=e>";
    struct parsed page;

    parse_bytes(&page, html, body, sizeof body - 1);
    ck_assert_str_eq(page.facts.title, "ab");
    ck_assert_uint_eq(page.facts.links, 2);
    expect_link(&page, "http://h/dir/cd");
    expect_link(&page, "http://h/dir/e");
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

static void long_title_is_cut_at_a_character(void)
{
    struct bytes body = repeated("<title>x", "\xc3\xa9", PAGE_TITLE_BYTES_MAX);
    struct parsed page;

    ck_assert_int_eq(bytes_append_text(&body, "yz</title>"), 0);
    parse_bytes(&page, html, body.data, body.size);
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
    parse_bytes(&page, html, body.data, body.size);
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

    parse_bytes(&page, html, body.data, body.size);
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
    parse_bytes(&page, html, body.data, body.size);
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
    parse_bytes(&page, html, body.data, body.size);
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
    parse_bytes(&page, html, body.data, body.size);
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

    ck_assert_int_eq(parse_request(&request, "http://h/", html, "<a href=x>", 10), 0);
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
    parse_bytes(&page, round % 2 ? html : "text/html; charset=shift_jis", body, size);
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
    plain_case(all_labels_of_the_standard_are_known),
    plain_case(other_labels_mean_nothing),
    plain_case(a_declaration_may_come_late),
    plain_case(a_bad_byte_makes_a_page_no_other_charset),
    each_case(title_is_utf8, (int)(sizeof charset_rows / sizeof charset_rows[0])),
    plain_case(utf16_is_known_by_its_mark),
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
