/* The line that replays a test run: when it is said, what it says, how it is read. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <stdlib.h>
#include <string.h>

/* The lines that were said. */
static struct {
    int count;
    char last[BIGHT_TEST_LINE_BYTES];
} said;

static void note(void *arg, const char *line)
{
    (void)arg;
    said.count++;
    strncpy(said.last, line, sizeof said.last - 1);
}

static struct bight_test_result result;

static int run(struct bight_test_options options, int (*fn)(void *arg), void *arg)
{
    options.say = note;
    said.count = 0;
    return bight_test_run(&options, fn, arg, &result);
}

static int fail_with(void *arg)
{
    return *(int *)arg;
}

static void a_failure_says_the_one_line_that_replays_it(void)
{
    int code = BIGHT_EIO;
    struct bight_test_options options = {
        .seed = 17, .alloc = 99, .suspend = 5, .suspend_count = BIGHT_TEST_ALWAYS, .name = "mine"};

    ck_assert_int_eq(run(options, fail_with, &code), BIGHT_EIO);
    ck_assert_int_eq(said.count, 1);
    ck_assert_str_eq(said.last,
                     "bight-test: name=mine seed=17 alloc=99 suspend=5 suspend_count=always # EIO");
    ck_assert_str_eq(result.line,
                     "bight-test: name=mine seed=17 alloc=99 suspend=5 suspend_count=always");
    ck_assert(result.failed);
    ck_assert_int_eq(result.status, BIGHT_EIO);
}

/* Run what returns `code` where BIGHT_EIO is expected, and insist on the line; NULL: none. */
static void expect_eio(int code, const char *line)
{
    struct bight_test_options options = {.seed = 17, .expected = BIGHT_EIO};

    ck_assert_int_eq(run(options, fail_with, &code), code);
    ck_assert_int_eq(said.count, line ? 1 : 0);
    ck_assert_int_eq(result.failed, line != NULL);
    if (line)
        ck_assert_str_eq(said.last, line);
    ck_assert_int_eq(result.status, code);
}

static void an_expected_failure_says_nothing(void)
{
    expect_eio(BIGHT_EIO, NULL);
    expect_eio(BIGHT_EINVAL, "bight-test: seed=17 # EINVAL, not EIO");
    expect_eio(BIGHT_ESTALLED, "bight-test: seed=17 # ESTALLED, not EIO");
    expect_eio(0, "bight-test: seed=17 # OK, not EIO");
    expect_eio(3, "bight-test: seed=17 # OK, not EIO");
}

static int sleep_and_fail(void *arg)
{
    int rc = bight_sleep(1);

    return rc ? rc : *(int *)arg;
}

static void what_was_made_to_happen_is_expected_too(void)
{
    int code = BIGHT_EIO;
    struct bight_test_options options = {.suspend = 1, .expected = BIGHT_EIO};

    ck_assert_int_eq(run(options, sleep_and_fail, &code), BIGHT_ECANCELED);
    ck_assert_int_eq(said.count, 0);
    ck_assert(!result.failed);
    options.suspend = 0;
    ck_assert_int_eq(run(options, sleep_and_fail, &code), BIGHT_EIO);
    ck_assert_int_eq(said.count, 0);
    options.expected = 1;
    ck_assert_int_eq(run(options, sleep_and_fail, &code), BIGHT_EINVAL);
}

static int note_failure(void *arg)
{
    char line[BIGHT_TEST_LINE_BYTES];

    (void)arg;
    ck_assert_int_eq(bight_test_line(line, sizeof line), 0);
    ck_assert_str_eq(line, "bight-test: seed=4");
    ck_assert_int_eq(bight_test_line(line, 5), BIGHT_ERANGE);
    return bight_test_fail("two inside");
}

/* As expected, but for what it notes. */
static int fail_twice(void *arg)
{
    (void)arg;
    ck_assert_int_eq(bight_test_fail("three inside"), 0);
    return BIGHT_EIO;
}

static void a_program_says_itself_that_it_failed(void)
{
    ck_assert_int_eq(run((struct bight_test_options){.seed = 4}, note_failure, NULL), 0);
    ck_assert_int_eq(said.count, 1);
    ck_assert_str_eq(said.last, "bight-test: seed=4 # two inside");
    ck_assert(result.failed);
    ck_assert_int_eq(run((struct bight_test_options){.expected = BIGHT_EIO}, fail_twice, NULL),
                     BIGHT_EIO);
    ck_assert_int_eq(said.count, 1);
    ck_assert(result.failed);
}

static int draw(void *arg)
{
    *(uint64_t *)arg = bight_test_random();
    return 0;
}

static void the_environment_replays_a_line(void)
{
    uint64_t first, again;

    ck_assert_int_eq(run((struct bight_test_options){.seed = 23}, draw, &first), 0);
    setenv("BIGHT_TEST", result.line, 1);
    ck_assert_int_eq(run((struct bight_test_options){.fresh_seed = true}, draw, &again), 0);
    ck_assert_uint_eq(first, again);
    setenv("BIGHT_TEST", "bight-test: name=other seed=23 # EIO", 1);
    ck_assert_int_eq(run((struct bight_test_options){.seed = 24}, draw, &again), 0);
    ck_assert_uint_eq(result.seed, 24);
    ck_assert_int_eq(run((struct bight_test_options){.seed = 24, .name = "other"}, draw, &again),
                     0);
    ck_assert_uint_eq(result.seed, 23);
    setenv("BIGHT_TEST", "seed=x", 1);
    ck_assert_int_eq(run((struct bight_test_options){0}, draw, &again), BIGHT_EINVAL);
    unsetenv("BIGHT_TEST");
}

static void lines_are_parsed_whole_or_not_at_all(void)
{
    struct bight_test_options options = {.alloc = 7, .manual = true};
    static const char *const bad[] = {
        "seed",  "seed=", "seed=-1",         "seed=18446744073709551616", "call_chance=4294967296",
        "sed=1", "name=", "seed=1 alloc=2x",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_int_eq(bight_test_options_parse(bad[i], &options), BIGHT_EINVAL);
    ck_assert_uint_eq(options.alloc, 7);
    ck_assert_int_eq(bight_test_options_parse(
                         "  seed=18446744073709551615\tcall=3 call_count=always\n", &options),
                     0);
    ck_assert_uint_eq(options.seed, UINT64_MAX);
    ck_assert_uint_eq(options.alloc, 0);
    ck_assert_uint_eq(options.call, 3);
    ck_assert_uint_eq(options.call_count, BIGHT_TEST_ALWAYS);
    ck_assert(options.manual);
}

static void names_that_would_break_the_line_are_refused(void)
{
    int code = 0;

    ck_assert_int_eq(run((struct bight_test_options){.name = "a b"}, fail_with, &code),
                     BIGHT_EINVAL);
    ck_assert_int_eq(run((struct bight_test_options){.name = ""}, fail_with, &code), BIGHT_EINVAL);
}

static const struct suite_case cases[] = {
    plain_case(a_failure_says_the_one_line_that_replays_it),
    plain_case(an_expected_failure_says_nothing),
    plain_case(what_was_made_to_happen_is_expected_too),
    plain_case(a_program_says_itself_that_it_failed),
    plain_case(the_environment_replays_a_line),
    plain_case(lines_are_parsed_whole_or_not_at_all),
    plain_case(names_that_would_break_the_line_are_refused),
};

test_suite("testing_line", cases);
