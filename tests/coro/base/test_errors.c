/* coro/base/errors.c: every code of both lists has its name and text, and no input has none. */
#include <bight/errors.h>

#include <limits.h>
#include <string.h>

#include "tests/harness/suite.h"

struct row {
    int code;
    const char *name;
    const char *text;
};

#define ROW(name, value, text) {(value), #name, text},
static const struct row rows[] = {BIGHT_ERRORS_SYSTEM(ROW) BIGHT_ERRORS_OWN(ROW)};
static const int row_count = (int)(sizeof rows / sizeof rows[0]);

static void each_code_has_its_name_and_text(int i)
{
    ck_assert_str_eq(bight_error_name(rows[i].code), rows[i].name);
    ck_assert_str_eq(bight_strerror(rows[i].code), rows[i].text);
    ck_assert_int_lt(rows[i].code, 0);
}

static void no_two_codes_share_a_value_or_a_text(void)
{
    for (int i = 0; i < row_count; i++) {
        for (int j = 0; j < i; j++) {
            ck_assert_int_ne(rows[i].code, rows[j].code);
            ck_assert_str_ne(rows[i].text, rows[j].text);
        }
    }
}

static void codes_of_neither_list_are_named_by_the_system(void)
{
#ifdef __GLIBC__
    ck_assert_str_eq(bight_error_name(-EXDEV), "EXDEV");
    ck_assert_str_eq(bight_strerror(-EXDEV), "Invalid cross-device link");
    ck_assert_str_eq(bight_strerror(0), "Success");
#endif
    static const int strange[] = {1, INT_MAX, INT_MIN, INT_MIN + 1, -4999, -6000};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        ck_assert_str_eq(bight_error_name(strange[i]), "EUNKNOWN");
        ck_assert_str_eq(bight_strerror(strange[i]), "unknown error");
    }
}

static void success_is_named_ok(void)
{
    ck_assert_str_eq(bight_error_name(0), "OK");
    ck_assert_str_ne(bight_strerror(0), "");
}

static const struct suite_case cases[] = {
    each_case(each_code_has_its_name_and_text, row_count),
    plain_case(no_two_codes_share_a_value_or_a_text),
    plain_case(codes_of_neither_list_are_named_by_the_system),
    plain_case(success_is_named_ok),
};

test_suite("errors", cases);
