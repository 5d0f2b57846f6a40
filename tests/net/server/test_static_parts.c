/* net/server/range.c, codings.c, types.c and static_name.c: what a request for a file says, and
 * what is in a name. */
#include <stdio.h>
#include <string.h>

#include "net/server/codings.h"
#include "net/server/range.h"
#include "net/server/static.h"
#include "net/server/types.h"
#include "tests/harness/suite.h"

#define rows_of(table) (int)(sizeof(table) / sizeof(*(table)))

/* What comes out, as "first+bytes" with spaces between; "whole" and "none". */
static const char *ranges_text(const char *value, int64_t size)
{
    static char text[1024];
    struct byte_range ranges[RANGES_MAX];
    int count = bight__ranges_parse(value, size, ranges);
    size_t used = 0;

    if (count <= 0)
        return count == RANGES_WHOLE ? "whole" : "none";
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%lld+%lld", i ? " " : "",
                                 (long long)ranges[i].first, (long long)ranges[i].bytes);
    return text;
}

static const struct {
    const char *value;
    int64_t size;
    const char *expected;
} range_rows[] = {
    {"bytes=0-0", 100, "0+1"},
    {"bytes=0-99", 100, "0+100"},
    {"bytes=10-19", 100, "10+10"},
    {"bytes=90-", 100, "90+10"},
    {"bytes=90-1000", 100, "90+10"},
    {"bytes=99-99", 100, "99+1"},
    {"bytes=-1", 100, "99+1"},
    {"bytes=-100", 100, "0+100"},
    {"bytes=-1000", 100, "0+100"},
    {"BYTES=1-2", 100, "1+2"},
    {"bytes= 1-2", 100, "1+2"},
    {"bytes=1-2 ", 100, "1+2"},
    {"bytes=0-1,3-4", 100, "0+2 3+2"},
    {"bytes=0-1 , 3-4", 100, "0+2 3+2"},
    {"bytes=,0-1,,3-4,", 100, "0+2 3+2"},
    {"bytes=90-99,0-9", 100, "90+10 0+10"},
    {"bytes=0-9,5-14", 100, "0+10 5+10"},
    {"bytes=0-59,50-99", 100, "whole"}, /* together longer than the file */
    {"bytes=0-,0-", 100, "whole"},
    {"bytes=0-49,50-99", 100, "0+50 50+50"},
    {"bytes=0-1,100-", 100, "0+2"},
    {"bytes=100-", 100, "none"},
    {"bytes=100-200", 100, "none"},
    {"bytes=-0", 100, "none"},
    {"bytes=-0,200-", 100, "none"},
    {"bytes=99999999999999999999-", 100, "none"},
    {"bytes=0-99999999999999999999", 100, "0+100"},
    {"bytes=-99999999999999999999", 100, "0+100"},
    {"bytes=99999999999999999998-99999999999999999999", 100, "none"},
    {"bytes=9223372036854775807-", INT64_MAX, "none"},
    {"bytes=9223372036854775806-", INT64_MAX, "9223372036854775806+1"},
    {"bytes=0-9223372036854775807", INT64_MAX, "0+9223372036854775807"},
    /* An empty file has no part. */
    {"bytes=0-", 0, "whole"},
    {"bytes=-5", 0, "whole"},
    /* Malformed, or of another unit: as if there were none. */
    {"", 100, "whole"},
    {"bytes", 100, "whole"},
    {"bytes=", 100, "whole"},
    {"bytes=,", 100, "whole"},
    {"bytes=-", 100, "whole"},
    {"bytes=2-1", 100, "whole"},
    {"bytes=200-100", 100, "whole"},
    {"bytes=0-1;2-3", 100, "whole"},
    {"bytes=0-1 2-3", 100, "whole"},
    {"bytes=0 -1", 100, "whole"},
    {"bytes=0- 1", 100, "whole"},
    {"bytes=--1", 100, "whole"},
    {"bytes=+1-2", 100, "whole"},
    {"bytes=0x1-2", 100, "whole"},
    {"bytes=1-2-3", 100, "whole"},
    {"bytes=1-2,x", 100, "whole"},
    {"bytes=200-,x", 100, "whole"},
    {"bytes =0-1", 100, "whole"},
    {"lines=0-1", 100, "whole"},
    {"bytes=a-b", 100, "whole"},
    {"bytes=1", 100, "whole"},
};

static void check_range(int i)
{
    ck_assert_msg(
        strcmp(ranges_text(range_rows[i].value, range_rows[i].size), range_rows[i].expected) == 0,
        "%s of %lld: %s", range_rows[i].value, (long long)range_rows[i].size,
        ranges_text(range_rows[i].value, range_rows[i].size));
}

static void a_range_is_what_the_rfc_says(void)
{
    for (int i = 0; i < rows_of(range_rows); i++)
        check_range(i);
}

static void as_many_ranges_as_allowed_and_no_more(void)
{
    struct byte_range ranges[RANGES_MAX];
    char value[256] = "bytes=";

    for (int i = 0; i < RANGES_MAX; i++)
        strcat(value, "1-1,");
    ck_assert_int_eq(bight__ranges_parse(value, 100, ranges), RANGES_MAX);
    /* What is not in the file is not counted. */
    strcat(value, "500-,");
    ck_assert_int_eq(bight__ranges_parse(value, 100, ranges), RANGES_MAX);
    strcat(value, "1-1");
    ck_assert_int_eq(bight__ranges_parse(value, 100, ranges), RANGES_WHOLE);
}

/* The values are given one by one, NULL behind the last; "br zstd" and the like come out. */
static const struct {
    const char *values[3];
    const char *expected;
} coding_rows[] = {
    {{NULL}, ""},
    {{""}, ""},
    {{"gzip"}, "gzip"},
    {{"x-gzip"}, "gzip"},
    {{"GZip"}, "gzip"},
    {{"gzip, deflate, br, zstd"}, "br zstd gzip"},
    {{"gzip", "br"}, "br gzip"},
    {{"gzip;q=1.0, br;q=0.5"}, "gzip br"},
    {{"gzip;q=0.5, br;q=0.5, zstd;q=0.7"}, "zstd br gzip"},
    {{"gzip;q=0"}, ""},
    {{"gzip;q=0.000"}, ""},
    {{"gzip;q=0.001"}, "gzip"},
    {{"gzip ; q=0.5"}, "gzip"},
    {{"gzip;Q=0.5"}, "gzip"},
    {{"*"}, "br zstd gzip"},
    {{"*;q=0"}, ""},
    {{"gzip;q=1.0, *;q=0"}, "gzip"},
    {{"br;q=0, *"}, "zstd gzip"},
    {{"identity"}, ""},
    {{"identity, gzip"}, "gzip"},
    {{"identity;q=0.5, gzip;q=0.2"}, ""},
    {{"identity;q=0.5, gzip;q=0.2, br"}, "br"},
    {{"identity;q=0, gzip;q=0.1"}, "gzip"},
    {{"identity;q=0"}, ""},
    {{"*;q=0.5, gzip;q=0.2"}, "br zstd"},
    {{",, gzip ,"}, "gzip"},
    {{"deflate"}, ""},
    /* Malformed members are not there. */
    {{"gzip;q=2"}, ""},
    {{"gzip;q=1.001"}, ""},
    {{"gzip;q=0.0001"}, ""},
    {{"gzip;q="}, ""},
    {{"gzip;q=x"}, ""},
    {{"gzip;q=-1"}, ""},
    {{"gzip;level=1"}, ""},
    {{"gzip q=1"}, ""},
    {{"gzip br"}, ""},
    {{"gzip;q=5, br"}, "br"},
    {{"gzi"}, ""},
    {{"gzipp"}, ""},
    {{";q=1"}, ""},
};

static void check_codings(int i)
{
    enum coding order[CODINGS_COUNT];
    struct accepted accepted;
    char text[64] = "";

    bight__accepted_init(&accepted);
    for (int v = 0; v < 3 && coding_rows[i].values[v]; v++)
        bight__accepted_take(&accepted, coding_rows[i].values[v]);
    int count = bight__accepted_order(&accepted, order);
    for (int k = 0; k < count; k++) {
        strcat(text, k ? " " : "");
        strcat(text, bight__coding_names[order[k]].name);
    }
    ck_assert_msg(strcmp(text, coding_rows[i].expected) == 0, "%s: %s",
                  coding_rows[i].values[0] ? coding_rows[i].values[0] : "(none)", text);
}

static void codings_come_in_the_order_that_the_client_likes(void)
{
    for (int i = 0; i < rows_of(coding_rows); i++)
        check_codings(i);
}

static const struct bight_static_type own[] = {
    {"foo", "text/foo"},
    {"html", "text/html"},
};

static const struct {
    const char *name;
    const char *type;
} type_rows[] = {
    {"index.html", "text/html"}, /* one's own comes first */
    {"a/b.c/x.css", "text/css; charset=utf-8"},
    {"X.CSS", "text/css; charset=utf-8"},
    {"a.7z", "application/x-7z-compressed"}, /* the first and the last of the table */
    {"a.zst", "application/zstd"},
    {"a.tar.gz", "application/gzip"},
    {"a.woff2", "font/woff2"},
    {"a.js", "text/javascript; charset=utf-8"},
    {"a.json", "application/json"},
    {"a.foo", "text/foo"},
    {"a.", NULL},
    {"a", NULL},
    {"a.b/c", NULL},
    {".css", NULL},
    {"a/.css", NULL},
    {"a.unknown", NULL},
    {"a.extensionthatislong", NULL},
    {"a.css ", NULL},
    {"", NULL},
};

static void check_type(int i)
{
    const char *type = bight__type_of(type_rows[i].name, own, sizeof(own) / sizeof(*own));

    ck_assert_msg(type_rows[i].type ? type && !strcmp(type, type_rows[i].type) : !type, "%s: %s",
                  type_rows[i].name, type ? type : "none");
}

static void a_type_is_by_the_end_of_the_name(void)
{
    for (int i = 0; i < rows_of(type_rows); i++)
        check_type(i);
}

static void built_in_types_are_found_without_ones_own(void)
{
    ck_assert_str_eq(bight__type_of("index.html", NULL, 0), "text/html; charset=utf-8");
    ck_assert_ptr_null(bight__type_of("a.foo", NULL, 0));
}

static const struct {
    const char *path;
    bool dot_files;
    enum static_path kind;
    const char *out;
} path_rows[] = {
    {"/", false, STATIC_PATH_FOLDER, ""},
    {"", false, STATIC_PATH_FILE, ""},
    {"/a", false, STATIC_PATH_FILE, "a"},
    {"a", false, STATIC_PATH_FILE, "a"},
    {"/a/", false, STATIC_PATH_FOLDER, "a"},
    {"//a//b///", false, STATIC_PATH_FOLDER, "a/b"},
    {"/a.b/c..d", false, STATIC_PATH_FILE, "a.b/c..d"},
    {"/..", false, STATIC_PATH_REFUSED, NULL},
    {"/..", true, STATIC_PATH_REFUSED, NULL},
    {"/a/../b", true, STATIC_PATH_REFUSED, NULL},
    {"/a/..", true, STATIC_PATH_REFUSED, NULL},
    {"/./a", true, STATIC_PATH_REFUSED, NULL},
    {"/.a", false, STATIC_PATH_REFUSED, NULL},
    {"/a/.b/c", false, STATIC_PATH_REFUSED, NULL},
    {"/a/.b/c", true, STATIC_PATH_FILE, "a/.b/c"},
    {"/...", true, STATIC_PATH_FILE, "..."},
    {"/..a", true, STATIC_PATH_FILE, "..a"},
    {"/a%2F..", false, STATIC_PATH_REFUSED, NULL},
    {"/a%2fb", false, STATIC_PATH_REFUSED, NULL},
    {"/a%25b", false, STATIC_PATH_FILE, "a%b"},
    {"/a%252Fb", false, STATIC_PATH_FILE, "a%2Fb"}, /* once is all */
    {"/%25", false, STATIC_PATH_FILE, "%"},
    {"/%2e%2e/a", false, STATIC_PATH_FILE, "%2e%2e/a"}, /* of a handler: the server decodes it */
    {"/a%", false, STATIC_PATH_FILE, "a%"},
    {"/a%2/Fb", false, STATIC_PATH_FILE, "a%2/Fb"},
    {"/a\\..\\b", false, STATIC_PATH_FILE, "a\\..\\b"},
};

static void check_path(int i)
{
    char out[64];
    enum static_path kind = bight__static_path(path_rows[i].path, path_rows[i].dot_files, out);

    ck_assert_msg(kind == path_rows[i].kind, "%s: %d", path_rows[i].path, (int)kind);
    if (path_rows[i].out)
        ck_assert_str_eq(out, path_rows[i].out);
}

static void a_path_never_leads_up(void)
{
    for (int i = 0; i < rows_of(path_rows); i++)
        check_path(i);
}

static void what_is_no_part_of_a_path_is_encoded(void)
{
    char out[3 * 64];
    char *end = bight__static_encode("/a b/\"<>?#%2F%25\\\x7f\xc3\xa4;=:@&~", out);

    ck_assert_str_eq(out, "/a%20b/%22%3C%3E%3F%23%2F%25%5C%7F%C3%A4;=:@&~");
    ck_assert_ptr_eq(end, strchr(out, '\0'));
}

struct tag {
    char text[ETAG_BYTES];
};

static struct tag tag_of(const struct open_file *file, const char *mark, int64_t now_s)
{
    struct tag tag;

    bight__static_etag(file, mark, now_s, tag.text);
    return tag;
}

static void a_tag_differs_with_each_thing_that_makes_a_version(void)
{
    const struct open_file file = {.bytes = 5, .inode = 7, .modified_s = 1000, .modified_ns = 1};
    struct open_file other[] = {file, file, file, file};

    other[0].bytes++;
    other[1].inode++;
    other[2].modified_s++;
    other[3].modified_ns++;
    ck_assert_str_eq(tag_of(&file, "", 2000).text, tag_of(&file, "", 3000).text);
    ck_assert_str_ne(tag_of(&file, "", 2000).text, tag_of(&file, "-br", 2000).text);
    for (int i = 0; i < 4; i++)
        ck_assert_str_ne(tag_of(&file, "", 2000).text, tag_of(&other[i], "", 2000).text);
}

static void a_tag_is_weak_until_its_file_is_settled(void)
{
    const struct open_file file = {
        .bytes = INT64_MAX, .inode = UINT64_MAX, .modified_s = 1000, .modified_ns = 1};
    struct tag strong = tag_of(&file, "-gzip", 1003);

    ck_assert_int_eq(strong.text[0], '"');
    ck_assert_int_eq(strong.text[strlen(strong.text) - 1], '"');
    ck_assert(strlen(strong.text) + 2 < ETAG_BYTES);
    for (int64_t now_s = 0; now_s < 1003; now_s++) {
        struct tag weak = tag_of(&file, "-gzip", now_s);

        ck_assert(strncmp(weak.text, "W/", 2) == 0);
        ck_assert_str_eq(weak.text + 2, strong.text);
    }
}

static const struct suite_case cases[] = {
    plain_case(a_range_is_what_the_rfc_says),
    plain_case(as_many_ranges_as_allowed_and_no_more),
    plain_case(codings_come_in_the_order_that_the_client_likes),
    plain_case(a_type_is_by_the_end_of_the_name),
    plain_case(built_in_types_are_found_without_ones_own),
    plain_case(a_path_never_leads_up),
    plain_case(what_is_no_part_of_a_path_is_encoded),
    plain_case(a_tag_differs_with_each_thing_that_makes_a_version),
    plain_case(a_tag_is_weak_until_its_file_is_settled),
};

test_suite("static_parts", cases);
