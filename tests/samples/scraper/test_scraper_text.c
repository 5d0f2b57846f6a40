/* samples/scraper/text.c and page.c: which text is title and words, and which is not. */
#include <stdio.h>

#include <libxml/xmlversion.h>

#include "tests/samples/scraper/page_case.h"

static void words_end_at_any_white_space(void)
{
    /* As UTF-8, in the title and outside of it; a zero-width space is none. */
    static const char *const spaces[] = {" ",
                                         "\t",
                                         "\n",
                                         "\r\n",
                                         "\xc2\x85",
                                         "\xc2\xa0",
                                         "\xe1\x9a\x80",
                                         "\xe2\x80\x80",
                                         "\xe2\x80\x8a",
                                         "\xe2\x80\xa8",
                                         "\xe2\x80\xa9",
                                         "\xe2\x80\xaf",
                                         "\xe2\x81\x9f",
                                         "\xe3\x80\x80"};
    char body[256];
    struct parsed page;

    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        const char *s = spaces[i];
        (void)snprintf(body, sizeof body,
                       "<title>a%s\xc3\xa9</title>%sb%s%s\xc3\xa9%scd<b>%se</b>f%s", s, s, s, s, s,
                       s, s);
        parse(&page, body);
        ck_assert_msg(page.facts.words == 6, "%zu: %d", i, (int)page.facts.words);
        ck_assert_str_eq(page.facts.title, "a \xc3\xa9");
        done(&page);
    }
    parse(&page, "a\xe2\x80\x8b\xc3\xa9 \xc3\xa9<br>d");
    ck_assert_uint_eq(page.facts.words, 3);
    done(&page);
}

static void words_go_on_in_inline_elements_alone(void)
{
    static const char *const inlines[] = {
        "a",    "abbr",   "acronym", "b",   "bdi", "bdo",  "big",  "cite", "code", "data", "del",
        "dfn",  "em",     "font",    "i",   "ins", "kbd",  "mark", "q",    "s",    "samp", "small",
        "span", "strike", "strong",  "sub", "sup", "time", "tt",   "u",    "var",  "wbr"};
    static const char *const others[] = {"p",     "li",    "div",     "td",        "h1",
                                         "br",    "table", "ul",      "sx",        "aa",
                                         "spanx", "z-a",   "strong-", "blockquote"};
    char body[64];
    struct parsed page;

    for (size_t i = 0; i < sizeof inlines / sizeof inlines[0]; i++) {
        (void)snprintf(body, sizeof body, "x<%s>y</%s>z", inlines[i], inlines[i]);
        parse(&page, body);
        ck_assert_msg(page.facts.words == 1, "%s", body);
        done(&page);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        (void)snprintf(body, sizeof body, "x<%s>y", others[i]);
        parse(&page, body);
        ck_assert_msg(page.facts.words == 2, "%s", body);
        done(&page);
    }
}

static void reference_to_a_number_of_windows_1252_means_that(void)
{
    struct parsed page;

    parse(&page, "<title>&#150;x&#x85;&#128;y &#0153 &#x9F;</title>a&#133;b &#x81;z");
    ck_assert_str_eq(page.facts.title,
                     "\xe2\x80\x93x\xe2\x80\xa6\xe2\x82\xacy \xe2\x84\xa2 \xc5\xb8");
    ck_assert_uint_eq(page.facts.words, 3 + 2);
    done(&page);
    /* In the text itself they are what they are. */
    parse(&page, "<title>x\xc2\x96y</title>a\xc2\x85z");
    ck_assert_str_eq(page.facts.title, "x\xc2\x96y");
    ck_assert_uint_eq(page.facts.words, 1 + 2);
    done(&page);
}

static const struct {
    const char *body;
    const char *title;
    unsigned links, words;
} texts[] = {
    {"<title>The <title> tag</title>z", "The <title> tag", 0, 4},
    {"<title>Use <B Class=\"x\">bold</B>, <br> and <p>.</title>z",
     "Use <B Class=\"x\">bold</B>, <br> and <p>.", 0, 7},
    {"<title><i>a</i><i>b</title>c", "<i>a</i><i>b", 0, 2},
    {"<title>a <b>x <i >y</i ></title>c", "a <b>x <i >y</i >", 0, 6},
    {"<title>a < b & c &lt;d></title>e", "a < b & c <d>", 0, 7},
    {"<title>a<a href=no>b<base href=/no/></title><a href=x>c", "a<a href=no>b<base href=/no/>", 1,
     4},
    {"<title>a<script>b</script></title>c", "a<script>b</script>", 0, 2},
    {"<title>a<textarea>b</title>c", "a<textarea>b", 0, 2},
    {"<textarea>a <a href=no>b c</a></textarea><a href=x>d", NULL, 1, 5},
    {"<textarea><title>no</title> <p>b<p>c</textarea>d<title>t</title>", "t", 0, 4},
    {"<textarea><!--a b--></textarea>c", NULL, 0, 3},
    {"<svg><title>a<b>b</b></title></svg><title>t</title>", "t", 0, 2},
    {"<script>a <a href=no>b</script>c<style>d <p></style>", NULL, 0, 1},
    {"<script><title>no</title></script><title>t</title>", "t", 0, 1},
};

static void text_is_not_read_as_tags(int i)
{
    struct parsed page;

    parse(&page, texts[i].body);
    ck_assert_str_eq(page.facts.title, texts[i].title ? texts[i].title : "");
    ck_assert_int_eq(page.facts.has_title, texts[i].title != NULL);
    ck_assert_uint_eq(page.facts.links, texts[i].links);
    ck_assert_msg(page.facts.words == texts[i].words, "%s: %d words", texts[i].body,
                  (int)page.facts.words);
    if (texts[i].links)
        expect_link(&page, "http://h/dir/x");
    done(&page);
}

/* What follows HTML with libxml2 from 2.14 on, and what is left of its faults before. */
static const struct {
    const char *body;
    struct facts {
        const char *title;
        unsigned links, words;
    } now, before;
} versions[] = {
    /* A stray end tag. */
    {"<title>a</b>c</title>d", {"a</b>c", 0, 2}, {"ac", 0, 2}},
    {"<textarea>a</b> </i> c</textarea>d", {"", 0, 4}, {"", 0, 3}},
    /* What looks like a processing instruction. */
    {"<title>a <?php x?> b</title>", {"a <?php x?> b", 0, 4}, {"a b", 0, 2}},
    /* A title that does not end. */
    {"<title>a <body> b", {"a <body> b", 0, 3}, {"a", 0, 2}},
    /* Elements whose content is text, besides those that page.c mends. */
    {"<iframe><a href=x>b</a></iframe>c", {"", 0, 3}, {"", 1, 2}},
    {"<noframes><a href=x>b</a></noframes>c", {"", 0, 3}, {"", 1, 2}},
    {"<xmp><a href=x>b</a></xmp>c", {"", 0, 3}, {"", 1, 2}},
    {"<plaintext>a<br>b<a href=x>c", {"", 0, 2}, {"", 1, 2}},
    /* References without their semicolon. */
    {"<title>&copy a</title>", {"\xc2\xa9 a", 0, 2}, {"&copy a", 0, 2}},
    /* References to what is no character. */
    {"<title>a&#0;b&#x110000;&#xd800;</title>",
     {"a\xef\xbf\xbd"
      "b\xef\xbf\xbd\xef\xbf\xbd",
      0, 1},
     {"ab", 0, 1}},
    /* Control characters, of which the form feed is white space. */
    {"<title>a\fb</title>c\fd", {"a b", 0, 4}, {"ab", 0, 2}},
    /* A section that HTML does not have. */
    {"a<![CDATA[<br>b]]>c", {"", 0, 1}, {"", 0, 2}},
};

static void each_version_has_its_reading(int i)
{
    const struct facts *facts = LIBXML_VERSION >= 21400 ? &versions[i].now : &versions[i].before;
    struct parsed page;

    parse(&page, versions[i].body);
    ck_assert_str_eq(page.facts.title, facts->title);
    ck_assert_uint_eq(page.facts.links, facts->links);
    ck_assert_msg(page.facts.words == facts->words, "%s: %d words", versions[i].body,
                  (int)page.facts.words);
    if (facts->links)
        expect_link(&page, "http://h/dir/x");
    done(&page);
}

static const struct suite_case cases[] = {
    plain_case(words_end_at_any_white_space),
    plain_case(words_go_on_in_inline_elements_alone),
    plain_case(reference_to_a_number_of_windows_1252_means_that),
    each_case(text_is_not_read_as_tags, (int)(sizeof texts / sizeof texts[0])),
    each_case(each_version_has_its_reading, (int)(sizeof versions / sizeof versions[0])),
};

test_suite("scraper_text", cases);
