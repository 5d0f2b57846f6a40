/* samples/scraper/options.c: the command line and what it refuses. */
#include "samples/scraper/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/suite.h"

#define ARGS_MAX 16

static struct options options;

/* Read `line`, split at spaces, after the program's name; "_" stands for an empty word. */
static enum command_outcome read_line(const char *line)
{
    static char words[512];
    static char empty[] = "";
    char *argv[ARGS_MAX + 1] = {(char *)"bight-scrape"};
    int argc = 1;

    int size = snprintf(words, sizeof words, "%s", line);
    ck_assert_int_lt(size, (int)sizeof words);
    for (char *word = strtok(words, " "); word && argc < ARGS_MAX; word = strtok(NULL, " "))
        argv[argc++] = strcmp(word, "_") == 0 ? empty : word;
    return options_read(&options, argc, argv);
}

static void defaults_are_those_of_the_help(void)
{
    ck_assert_int_eq(read_line("http://h"), COMMAND_RUN);
    ck_assert_uint_eq(options.transfers, 32);
    ck_assert_uint_eq(options.per_host, 8);
    ck_assert_uint_eq(options.workers, 0);
    ck_assert_int_eq(options.depth_max, -1);
    ck_assert_int_eq(options.pages_max, -1);
    ck_assert_ptr_null(options.output);
    ck_assert_int_eq(options.timeout_ms, 30000);
    ck_assert_uint_eq(options.retries, 1);
    ck_assert_uint_eq(options.body_bytes_max, 16777216);
    ck_assert_int_eq(options.delay_ms, 0);
    ck_assert_str_eq(options.user_agent, "bight-scrape/0.1");
    ck_assert(options.robots);
    ck_assert(!options.any_host);
    ck_assert(!options.quiet);
    ck_assert_uint_eq(options.url_count, 1);
    ck_assert_str_eq(options.urls[0], "http://h/");
    options_free(&options);
}

static void options_may_stand_anywhere(void)
{
    ck_assert_int_eq(read_line("-c 5 http://h/a -H2 --any-host b.example --timeout=0.25 -qw 3"),
                     COMMAND_RUN);
    ck_assert_uint_eq(options.transfers, 5);
    ck_assert_uint_eq(options.per_host, 2);
    ck_assert_uint_eq(options.workers, 3);
    ck_assert_int_eq(options.timeout_ms, 250);
    ck_assert(options.any_host);
    ck_assert(options.quiet);
    ck_assert_uint_eq(options.url_count, 2);
    ck_assert_str_eq(options.urls[1], "http://b.example/");
    options_free(&options);
    ck_assert_int_eq(read_line("-d 0 -n 1 -o out --retries 0 --delay 10 --no-robots h"),
                     COMMAND_RUN);
    ck_assert_int_eq(options.depth_max, 0);
    ck_assert_int_eq(options.pages_max, 1);
    ck_assert_str_eq(options.output, "out");
    ck_assert_uint_eq(options.retries, 0);
    ck_assert_int_eq(options.delay_ms, 10);
    ck_assert(!options.robots);
    options_free(&options);
    ck_assert_int_eq(read_line("-o - --max-size 2M --user-agent x/1 http://h http://H:80/#a"),
                     COMMAND_RUN);
    ck_assert_ptr_null(options.output);
    ck_assert_uint_eq(options.body_bytes_max, 2 << 20);
    ck_assert_str_eq(options.user_agent, "x/1");
    /* The same page twice is one. */
    ck_assert_uint_eq(options.url_count, 1);
    options_free(&options);
}

static const char *const wrong[] = {
    "",
    "-q",
    "-c 0 h",
    "-c -1 h",
    "-c x h",
    "-c 1x h",
    "-c _ h",
    "-c 99999999999999999999 h",
    "-H 0 h",
    "-w 0 h",
    "-w 1025 h",
    "-d -1 h",
    "-n 0 h",
    "--timeout 0 h",
    "--timeout -1 h",
    "--timeout nan h",
    "--timeout 1s h",
    "--retries -1 h",
    "--max-size 0 h",
    "--max-size 2X h",
    "--max-size 2KB h",
    "--max-size 99999999999G h",
    "--delay x h",
    "--user-agent a\nb h",
    "--unknown h",
    "-x h",
    "--any-host=1 h",
    "h -c",
    "ftp://h/",
    "http://me:secret@h/",
    "_",
    "http://h:99999/",
};

static void mistake_is_usage(int i)
{
    /* What it says is for people; not in the log of a test. */
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    ck_assert_int_eq(read_line(wrong[i]), COMMAND_USAGE);
    options_free(&options);
}

static void help_and_version_are_no_errors(void)
{
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stdout));
    ck_assert_int_eq(read_line("--help"), COMMAND_DONE);
    ck_assert_int_eq(read_line("-h"), COMMAND_DONE);
    ck_assert_int_eq(read_line("-V"), COMMAND_DONE);
    ck_assert_int_eq(read_line("--version"), COMMAND_DONE);
}

static const struct suite_case cases[] = {
    plain_case(defaults_are_those_of_the_help),
    plain_case(options_may_stand_anywhere),
    each_case(mistake_is_usage, (int)(sizeof wrong / sizeof wrong[0])),
    plain_case(help_and_version_are_no_errors),
};

test_suite("scraper_options", cases);
