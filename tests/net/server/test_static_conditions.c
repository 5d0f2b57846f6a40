/* net/server/condition.c and http_date.c: what the conditions of a request say, in the order of RFC
 * 9110, 13.2.2, and dates. */
#include <stdio.h>
#include <string.h>

#include "net/server/condition.h"
#include "net/server/http_date.h"
#include "tests/harness/suite.h"

/* The file: strong tag "a", of Sun, 06 Nov 1994 08:49:37 GMT. */
#define MODIFIED_S INT64_C(784111777)
#define NOW_S INT64_C(1700000000)
#define THEN "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

#define rows_of(table) (int)(sizeof(table) / sizeof(*(table)))

struct row {
    const char *headers[8]; /* name, value, ... */
    enum condition says;
    bool ranged; /* with "Range: bytes=0-1" */
    bool weak;   /* the file's tag is W/"a", and its date is not strong */
};

static const struct row rows[] = {
    {{NULL}, CONDITION_HOLDS, true, false},
    {{"Accept", "*/*", "If", "x", "Ifs", "\"a\""}, CONDITION_HOLDS, true, false},

    {{"If-Match", "\"a\""}, CONDITION_HOLDS, true, false},
    {{"if-match", "\"b\", \"a\""}, CONDITION_HOLDS, true, false},
    {{"If-Match", "\"b\",\"a\""}, CONDITION_HOLDS, true, false},
    {{"If-Match", "\"b\"", "If-Match", "\"a\""}, CONDITION_HOLDS, true, false},
    {{"If-Match", "*"}, CONDITION_HOLDS, true, false},
    {{"If-Match", "\"b\""}, CONDITION_FAILED, true, false},
    {{"If-Match", ""}, CONDITION_FAILED, true, false},
    {{"If-Match", "a"}, CONDITION_FAILED, true, false},
    {{"If-Match", "W/\"a\""}, CONDITION_FAILED, true, false},
    {{"If-Match", "\"a\""}, CONDITION_FAILED, true, true},
    {{"If-Match", "W/\"a\""}, CONDITION_FAILED, true, true},
    {{"If-Match", "*"}, CONDITION_HOLDS, true, true},
    {{"If-Match", "\"a\"b"}, CONDITION_FAILED, true, false},
    {{"If-Match", "\"a"}, CONDITION_FAILED, true, false},
    {{"If-Match", "\"a,\", \"x\""}, CONDITION_FAILED, true, false},
    {{"If-Match", "\"x,\", \"a\""}, CONDITION_HOLDS, true, false},
    {{"If-Match", "\"x y\", \"a\""}, CONDITION_FAILED, true, false},

    {{"If-Unmodified-Since", THEN}, CONDITION_HOLDS, true, false},
    {{"If-Unmodified-Since", AFTER}, CONDITION_HOLDS, true, false},
    {{"If-Unmodified-Since", BEFORE}, CONDITION_FAILED, true, false},
    {{"If-Unmodified-Since", "yesterday"}, CONDITION_HOLDS, true, false},
    {{"If-Unmodified-Since", BEFORE, "If-Unmodified-Since", BEFORE}, CONDITION_HOLDS, true, false},
    /* With If-Match it is not looked at. */
    {{"If-Unmodified-Since", BEFORE, "If-Match", "\"a\""}, CONDITION_HOLDS, true, false},
    {{"If-Unmodified-Since", AFTER, "If-Match", "\"b\""}, CONDITION_FAILED, true, false},

    {{"If-None-Match", "\"a\""}, CONDITION_NOT_MODIFIED, true, false},
    {{"If-None-Match", "W/\"a\""}, CONDITION_NOT_MODIFIED, true, false},
    {{"If-None-Match", "\"a\""}, CONDITION_NOT_MODIFIED, true, true},
    {{"If-None-Match", "W/\"a\""}, CONDITION_NOT_MODIFIED, true, true},
    {{"If-None-Match", "\"b\", W/\"a\""}, CONDITION_NOT_MODIFIED, true, false},
    {{"If-None-Match", "*"}, CONDITION_NOT_MODIFIED, true, false},
    {{"If-None-Match", "\"b\""}, CONDITION_HOLDS, true, false},
    {{"If-None-Match", "\"b\"", "If-None-Match", "\"a\""}, CONDITION_NOT_MODIFIED, true, false},
    {{"If-None-Match", "w/\"a\""}, CONDITION_HOLDS, true, false},
    {{"If-None-Match", "\"A\""}, CONDITION_HOLDS, true, false},
    {{"If-None-Match", "a"}, CONDITION_HOLDS, true, false},

    {{"If-Modified-Since", THEN}, CONDITION_NOT_MODIFIED, true, false},
    {{"If-Modified-Since", AFTER}, CONDITION_NOT_MODIFIED, true, false},
    {{"If-Modified-Since", BEFORE}, CONDITION_HOLDS, true, false},
    {{"If-Modified-Since", "1994"}, CONDITION_HOLDS, true, false},
    {{"If-Modified-Since", ""}, CONDITION_HOLDS, true, false},
    {{"If-Modified-Since", THEN, "If-Modified-Since", THEN}, CONDITION_HOLDS, true, false},
    /* With If-None-Match it is not looked at, also where that is malformed. */
    {{"If-Modified-Since", THEN, "If-None-Match", "\"b\""}, CONDITION_HOLDS, true, false},
    {{"If-Modified-Since", BEFORE, "If-None-Match", "\"a\""}, CONDITION_NOT_MODIFIED, true, false},
    {{"If-Modified-Since", THEN, "If-None-Match", "b"}, CONDITION_HOLDS, true, false},
    /* The first that fails counts. */
    {{"If-None-Match", "\"a\"", "If-Match", "\"b\""}, CONDITION_FAILED, true, false},
    {{"If-None-Match", "\"a\"", "If-Match", "\"a\""}, CONDITION_NOT_MODIFIED, true, false},
    {{"If-Modified-Since", THEN, "If-Unmodified-Since", BEFORE}, CONDITION_FAILED, true, false},

    {{"If-Range", "\"a\""}, CONDITION_HOLDS, true, false},
    {{"If-Range", "\"b\""}, CONDITION_HOLDS, false, false},
    {{"If-Range", "W/\"a\""}, CONDITION_HOLDS, false, false},
    {{"If-Range", "\"a\""}, CONDITION_HOLDS, false, true},
    {{"If-Range", "W/\"a\""}, CONDITION_HOLDS, false, true},
    {{"If-Range", "\"a\", \"b\""}, CONDITION_HOLDS, false, false},
    {{"If-Range", "*"}, CONDITION_HOLDS, false, false},
    {{"If-Range", ""}, CONDITION_HOLDS, false, false},
    {{"If-Range", THEN}, CONDITION_HOLDS, true, false},
    {{"If-Range", BEFORE}, CONDITION_HOLDS, false, false},
    {{"If-Range", AFTER}, CONDITION_HOLDS, false, false},
    {{"If-Range", THEN}, CONDITION_HOLDS, false, true},
    {{"If-Range", "Wed, 06 Nov 1994 08:49:37 GMT"}, CONDITION_HOLDS, true, false},
    {{"If-Range", "\"a\"", "If-Range", "\"a\""}, CONDITION_HOLDS, false, false},
    {{"Range", "bytes=5-6"}, CONDITION_HOLDS, false, false}, /* the second one */
};

static void check_row(int i)
{
    const struct row *row = &rows[i];
    const struct validators validators = {
        .etag = row->weak ? "W/\"a\"" : "\"a\"",
        .modified_s = MODIFIED_S,
        .date_is_strong = !row->weak,
    };
    struct conditions conditions;

    bight__conditions_init(&conditions, &validators);
    bight__conditions_take(&conditions, "Range", "bytes=0-1");
    for (int k = 0; k < 8 && row->headers[k]; k += 2)
        bight__conditions_take(&conditions, row->headers[k], row->headers[k + 1]);
    ck_assert_msg(bight__conditions_say(&conditions, NOW_S) == row->says, "%s: %s", row->headers[0],
                  row->headers[1]);

    const char *range = bight__conditions_range(&conditions, NOW_S);
    ck_assert_msg((range && *range) == row->ranged, "%s: %s", row->headers[0], row->headers[1]);
}

static void conditions_say_what_the_rfc_says(void)
{
    for (int i = 0; i < rows_of(rows); i++)
        check_row(i);
}

static void without_range_there_is_none(void)
{
    const struct validators validators = {.etag = "\"a\""};
    struct conditions conditions;

    bight__conditions_init(&conditions, &validators);
    ck_assert_ptr_null(bight__conditions_range(&conditions, NOW_S));
    bight__conditions_take(&conditions, "If-Range", "\"a\"");
    ck_assert_ptr_null(bight__conditions_range(&conditions, NOW_S));
}

static const struct {
    const char *text;
    int64_t seconds; /* -1: it is none */
} dates[] = {
    {THEN, MODIFIED_S},
    {"Sunday, 06-Nov-94 08:49:37 GMT", MODIFIED_S},
    {"Sun Nov  6 08:49:37 1994", MODIFIED_S},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199},
    {"Thu, 31 Dec 2026 23:59:60 GMT", 1798761600},
    {"Tue Nov 14 22:13:20 2023", NOW_S},
    {"Wednesday, 01-Jan-20 00:00:00 GMT", 1577836800},
    {"Saturday, 01-Jan-73 00:00:00 GMT", 3250454400}, /* 50 years ahead of 2023 */
    {"Tuesday, 01-Jan-74 00:00:00 GMT", 126230400},   /* 51 */
    {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
    {"Thu, 29 Feb 2023 23:59:59 GMT", -1},
    {"Thu, 32 Jan 2023 23:59:59 GMT", -1},
    {"Thu, 00 Jan 2023 23:59:59 GMT", -1},
    {"Thu, 01 Jan 2023 24:00:00 GMT", -1},
    {"Thu, 01 Jan 2023 00:60:00 GMT", -1},
    {"Thu, 01 Jan 2023 00:00:61 GMT", -1},
    {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
    {"Sun, 06 Nov 1994 08:49:37 +0000", -1},
    {"Sun, 06 Nov 1994 08:49:37", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
    {"Sun, 06 Nov 1994  08:49:37 GMT", -1},
    {"sun, 06 nov 1994 08:49:37 gmt", -1},
    {"Son, 06 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 Nob 1994 08:49:37 GMT", -1},
    {"Sun, 06 Nov 94 08:49:37 GMT", -1},
    {"Sunday, 06 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06-Nov-94 08:49:37 GMT", -1},
    {"Sun Nov 06 08:49:37 1994", MODIFIED_S},
    {"Sun Nov 6 08:49:37 1994", -1},
    {"Sun Nov  6 08:49:37 1994 GMT", -1},
    {"", -1},
    {" ", -1},
    {"Sun", -1},
    {"Sun,", -1},
    {"Sun ", -1},
    {"784111777", -1},
};

static void check_date(int i)
{
    int64_t seconds = -1;
    bool good = bight__date_parse(dates[i].text, NOW_S, &seconds);

    ck_assert_msg(good == (dates[i].seconds >= 0), "%s", dates[i].text);
    if (good)
        ck_assert_msg(seconds == dates[i].seconds, "%s: %lld", dates[i].text, (long long)seconds);
}

static void a_date_is_one_in_three_forms(void)
{
    for (int i = 0; i < rows_of(dates); i++)
        check_date(i);
}

static void what_is_written_is_read_back(void)
{
    char text[DATE_BYTES];
    int64_t seconds;

    bight__date_format(MODIFIED_S, text);
    ck_assert_str_eq(text, THEN);
    bight__date_format(INT64_MAX, text);
    ck_assert_str_eq(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    for (int64_t s = -86400; s < INT64_C(10000000000); s += 86400 * 9 + 12345) {
        bight__date_format(s, text);
        ck_assert(bight__date_parse(text, NOW_S, &seconds));
        ck_assert_int_eq(seconds, s);
    }
}

static const struct suite_case cases[] = {
    plain_case(conditions_say_what_the_rfc_says),
    plain_case(without_range_there_is_none),
    plain_case(a_date_is_one_in_three_forms),
    plain_case(what_is_written_is_read_back),
};

test_suite("static_conditions", cases);
