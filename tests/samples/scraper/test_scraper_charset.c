/* samples/scraper/charset.c: which charset a page has, and its text in UTF-8. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "samples/scraper/charset.h"

#include "tests/samples/scraper/charset_samples.h"
#include "tests/samples/scraper/page_case.h"

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

static const struct suite_case cases[] = {
    plain_case(all_labels_of_the_standard_are_known),
    plain_case(other_labels_mean_nothing),
    plain_case(a_declaration_may_come_late),
    plain_case(a_bad_byte_makes_a_page_no_other_charset),
    each_case(title_is_utf8, (int)(sizeof charset_rows / sizeof charset_rows[0])),
    plain_case(utf16_is_known_by_its_mark),
};

test_suite("scraper_charset", cases);
