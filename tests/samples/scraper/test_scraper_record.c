/* samples/scraper/record.c and progress.c: what is written is JSON, whatever it is made of. */
#include "samples/scraper/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples/scraper/progress.h"

#include "tests/harness/suite.h"

static void expect(const struct record *record, const char *line)
{
    struct bytes out = {0};

    ck_assert_int_eq(record_write(&out, record), 0);
    ck_assert_int_eq(bytes_append_char(&out, '\0'), 0);
    ck_assert_str_eq(out.data, line);
    bytes_free(&out);
}

static void page_has_every_field(void)
{
    struct record record = {
        .url = "http://h/a",
        .final_url = "http://h/b",
        .status = 200,
        .content_type = "text/html; charset=utf-8",
        .bytes = 1234,
        .parsed = true,
        .title = "A \"title\"",
        .links = 3,
        .words = 40,
        .sha256 = "00ff",
        .ms = 12,
    };

    expect(&record, "{\"url\":\"http://h/a\",\"final_url\":\"http://h/b\",\"status\":200,"
                    "\"content_type\":\"text/html; charset=utf-8\",\"bytes\":1234,"
                    "\"title\":\"A \\\"title\\\"\",\"links\":3,\"words\":40,\"sha256\":\"00ff\","
                    "\"ms\":12}\n");
}

static void what_is_not_known_is_null(void)
{
    struct record record = {.url = "http://h/",
                            .final_url = "http://h/",
                            .bytes = -1,
                            .ms = 5,
                            .error = "connect: refused"};

    expect(&record, "{\"url\":\"http://h/\",\"final_url\":\"http://h/\",\"status\":null,"
                    "\"content_type\":null,\"bytes\":null,\"title\":null,\"links\":null,"
                    "\"words\":null,\"sha256\":null,\"ms\":5,\"error\":\"connect: refused\"}\n");
}

static void without_libcrypto_there_is_no_sha256(void)
{
    struct record record = {.url = "u", .final_url = "u", .status = 200, .sha256 = ""};

    expect(&record, "{\"url\":\"u\",\"final_url\":\"u\",\"status\":200,\"content_type\":null,"
                    "\"bytes\":0,\"title\":null,\"links\":null,\"words\":null,\"ms\":0}\n");
}

#define BAD "\xef\xbf\xbd"

static const struct {
    const char *text;
    const char *json;
} strings[] = {
    {"", "\"\""},
    {"plain", "\"plain\""},
    {"\"\\/", "\"\\\"\\\\/\""},
    {"a\nb\rc\td", "\"a\\nb\\rc\\td\""},
    {"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
    /* Bytes that begin nothing, cut characters, long forms, surrogates, beyond the last
     * character. */
    {"\x80z\xff", "\"" BAD "z" BAD "\""},
    {"\xc3", "\"" BAD "\""},
    {"\xe2\x82", "\"" BAD BAD "\""},
    {"\xf0\x9f\x98", "\"" BAD BAD BAD "\""},
    {"\xc3\"", "\"" BAD "\\\"\""},
    {"\xc0\xaf", "\"" BAD BAD "\""},
    {"\xe0\x80\xaf", "\"" BAD BAD BAD "\""},
    {"\xf0\x80\x80\xaf", "\"" BAD BAD BAD BAD "\""},
    {"\xed\xa0\x80", "\"" BAD BAD BAD "\""},
    {"\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\""},
    {"\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80", "\"\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80\""},
};

static void string_is_json(int i)
{
    struct bytes out = {0};

    ck_assert_int_eq(record_write_string(&out, strings[i].text), 0);
    ck_assert_int_eq(bytes_append_char(&out, '\0'), 0);
    ck_assert_str_eq(out.data, strings[i].json);
    bytes_free(&out);
}

static void summary_has_pages_bytes_time_and_failures_by_kind(void)
{
    struct progress progress;
    char *text = NULL;
    size_t size = 0;
    FILE *file = tmpfile();
    FILE *copy = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(copy);
    progress_init(&progress, file, file, false, 0);
    for (int i = 0; i < 3; i++)
        progress_page(&progress, 200, 1000000, FAILURE_NONE);
    progress_page(&progress, 404, 10, FAILURE_NONE);
    progress_page(&progress, 404, 10, FAILURE_NONE);
    progress_page(&progress, 999, 0, FAILURE_NONE);
    progress_page(&progress, 0, -1, FAILURE_TIMEOUT);
    progress_page(&progress, 302, -1, FAILURE_FORBIDDEN);
    progress_summary(&progress, 2000000000);
    rewind(file);
    for (int c; (c = getc(file)) != EOF;)
        (void)putc(c, copy);
    ck_assert_int_eq(fclose(copy), 0);
    ck_assert_str_eq(text, "bight-scrape: 8 pages, 3.0 MB (3000020 bytes) in 2.00 s, 4.0 pages/s\n"
                           "bight-scrape: failures: 1 timeout, 1 forbidden, 2 HTTP 404\n");
    free(text);
    ck_assert_int_eq(fclose(file), 0);
}

/* What `progress` has written to its file so far; the caller frees it. */
static char *said(const struct progress *progress)
{
    char *text = NULL;
    size_t size = 0;
    FILE *copy = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(copy);
    rewind(progress->out);
    for (int c; (c = getc(progress->out)) != EOF;)
        (void)putc(c, copy);
    ck_assert_int_eq(fclose(copy), 0);
    return text;
}

static void one_of_a_kind_is_said_in_the_singular(void)
{
    struct progress progress;
    FILE *file = tmpfile();

    ck_assert_ptr_nonnull(file);
    progress_init(&progress, file, file, false, 0);
    progress_page(&progress, 404, 1, FAILURE_NONE);
    progress_show(&progress, 1000000000, 1, 1);
    progress_summary(&progress, 2000000000);
    char *text = said(&progress);
    ck_assert_str_eq(text,
                     "bight-scrape: 1 s, 1 page, 1 queued, 1 in flight, 1 B, 1 pages/s, 1 error\n"
                     "bight-scrape: 1 page, 1 B (1 byte) in 2.00 s, 0.5 pages/s\n"
                     "bight-scrape: failures: 1 HTTP 404\n");
    free(text);
    ck_assert_int_eq(fclose(file), 0);
}

/* 100 pages a second for a minute, then 10 a second: soon the line says 10. */
static void progress_has_the_time_and_the_rate_of_the_last_seconds(void)
{
    static const char *const wanted[] = {
        "bight-scrape: 59 s, 5900 pages, 2 queued, 3 in flight, 0 B, 100 pages/s, 0 errors\n",
        "bight-scrape: 1:10, 6091 pages, 2 queued, 3 in flight, 0 B, 10 pages/s, 0 errors\n",
        "bight-scrape: 1:01:00, 41991 pages, 2 queued, 3 in flight, 0 B, 10 pages/s, 0 errors\n",
    };
    struct progress progress;
    FILE *file = tmpfile();

    ck_assert_ptr_nonnull(file);
    progress_init(&progress, file, file, false, 0);
    for (uint64_t tenth = 1; tenth <= 36600; tenth++) {
        for (int i = 0; i < (tenth < 600 ? 10 : 1); i++)
            progress_page(&progress, 200, 0, FAILURE_NONE);
        progress_show(&progress, tenth * 100000000, 2, 3);
    }
    char *text = said(&progress);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        ck_assert_msg(strstr(text, wanted[i]), "%s", wanted[i]);
    free(text);
    ck_assert_int_eq(fclose(file), 0);
}

static void quiet_says_nothing(void)
{
    struct progress progress;
    FILE *file = tmpfile();

    ck_assert_ptr_nonnull(file);
    progress_init(&progress, file, file, true, 0);
    progress_page(&progress, 200, 5, FAILURE_NONE);
    progress_show(&progress, 1, 2, 3);
    progress_summary(&progress, 4);
    ck_assert_int_eq(ftell(file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static const struct suite_case cases[] = {
    plain_case(page_has_every_field),
    plain_case(what_is_not_known_is_null),
    plain_case(without_libcrypto_there_is_no_sha256),
    each_case(string_is_json, (int)(sizeof strings / sizeof strings[0])),
    plain_case(summary_has_pages_bytes_time_and_failures_by_kind),
    plain_case(one_of_a_kind_is_said_in_the_singular),
    plain_case(progress_has_the_time_and_the_rate_of_the_last_seconds),
    plain_case(quiet_says_nothing),
};

test_suite("scraper_record", cases);
