/* See suite.h: the main of every suite. */
#include "tests/harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/forked.h"
#include "tests/harness/world.h"

/* The process of a case ends with this status and no other, so that an exit() inside is noticed. */
#define CASE_RETURNED 93
#define SKIPPED 77

/* Check hands a test only its number in a loop. So each case is a TCase of its own, whose fixture
 * says, in the process that forks, which case comes now. */
static const struct suite_case **chosen;
static size_t chosen_count, next;
static const struct suite_case *running;

static pid_t main_pid;
static int left; /* failures that Check does not know of */
static bool over;

static void case_is_due(void)
{
    running = chosen[next++];
}

static void case_is_over(void)
{
    left += forked_is_left(running->name);
}

static void run_case(int i)
{
    const struct suite_case *one = running;

    forked_case_begins();
    if (the_suite.setup)
        the_suite.setup();
    if (one->plain)
        one->plain();
    else if (one->each)
        one->each(i);
    else
        world_code(one->run(one->body, one->arg), one->code, one->name, one->file, one->line);
    if (the_suite.teardown)
        the_suite.teardown();
    forked_case_ended();
    if (getpid() != main_pid)
        exit(CASE_RETURNED);
}

static TCase *make_case(const struct suite_case *one, TTest *test)
{
    TCase *made = tcase_create(one->name);
    int timeout_s = the_suite.timeout_s ? the_suite.timeout_s : SUITE_TIMEOUT_S;
    int end = !one->each ? 1 : one->count ? *one->count : one->end;

    *test = (TTest){.name = one->name, .fn = run_case, .file = one->file, .line = one->line};
    tcase_set_timeout(made, timeout_s < 0 ? 0 : timeout_s);
    tcase_add_unchecked_fixture(made, case_is_due, case_is_over);
    _tcase_add_test(made, test, one->signal, CASE_RETURNED, one->first, end);
    return made;
}

/* Check chooses cases by the same name when it runs. */
static void choose(void)
{
    const char *name = getenv("CK_RUN_CASE");

    chosen = calloc(the_suite.count, sizeof(*chosen));
    for (size_t i = 0; i < the_suite.count; i++) {
        if (!name || strcmp(name, the_suite.cases[i].name) == 0)
            chosen[chosen_count++] = &the_suite.cases[i];
    }
    if (chosen_count == 0) {
        printf("%s: no case %s\n", the_suite.name, name ? name : "at all");
        exit(EXIT_FAILURE);
    }
}

/* A case that exits without a process of its own ends the suite. */
static void exit_in_midst(void)
{
    if (getpid() != main_pid || over)
        return;
    printf("%s: the suite was left by exit()\n", running ? running->name : the_suite.name);
    fflush(stdout);
    _exit(EXIT_FAILURE);
}

static int run_chosen(void)
{
    Suite *suite = suite_create(the_suite.name);
    TTest *tests = calloc(chosen_count, sizeof(*tests));
    int failed;

    for (size_t i = 0; i < chosen_count; i++) {
        TCase *made = make_case(chosen[i], &tests[i]);

        tcase_add_unchecked_fixture(made, i == 0 ? the_suite.open : NULL,
                                    i == chosen_count - 1 ? the_suite.close : NULL);
        suite_add_tcase(suite, made);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    free(tests);
    return failed;
}

void test_skip(const char *package)
{
    printf("skipped: needs %s (scripts/deps peers)\n", package);
    exit(SKIPPED);
}

int main(int argc, char **argv)
{
    bool failed;

    if (the_suite.begin)
        the_suite.begin(argc, argv);
    choose();
    forked_share();
    main_pid = getpid();
    atexit(exit_in_midst);
    failed = run_chosen() + left != 0;
    free(chosen);
    over = true;
    if (the_suite.holds && !the_suite.holds())
        failed = true;
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
