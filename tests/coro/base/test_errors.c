/* coro/base/errors.c: every code of both lists has its name and text, and no input has none. */
#include <bight/errors.h>

#include <limits.h>
#include <string.h>

#include "tests/harness/support.h"

struct row {
    int code;
    const char *name;
    const char *text;
};

#define ROW(name, value, text) {(value), #name, text},
static const struct row rows[] = {BIGHT_ERRORS_SYSTEM(ROW) BIGHT_ERRORS_OWN(ROW)};
static const int row_count = (int)(sizeof rows / sizeof rows[0]);

START_TEST(each_code_has_its_name_and_text)
{
    ck_assert_str_eq(bight_error_name(rows[_i].code), rows[_i].name);
    ck_assert_str_eq(bight_strerror(rows[_i].code), rows[_i].text);
    ck_assert_int_lt(rows[_i].code, 0);
}
END_TEST

START_TEST(no_two_codes_share_a_value_or_a_text)
{
    for (int i = 0; i < row_count; i++) {
        for (int j = 0; j < i; j++) {
            ck_assert_int_ne(rows[i].code, rows[j].code);
            ck_assert_str_ne(rows[i].text, rows[j].text);
        }
    }
}
END_TEST

START_TEST(codes_of_neither_list_are_named_by_the_system)
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
    ck_assert_str_eq(bight_error_name(0), "EUNKNOWN");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("errors");
    TCase *tc = tcase_create("errors");
    tcase_add_loop_test(tc, each_code_has_its_name_and_text, 0, row_count);
    tcase_add_test(tc, no_two_codes_share_a_value_or_a_text);
    tcase_add_test(tc, codes_of_neither_list_are_named_by_the_system);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
