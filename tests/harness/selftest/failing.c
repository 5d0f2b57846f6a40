/* A case of each kind that has to fail, and some that pass: what the harness says of them is in
 * expected. */
#include "tests/harness/suite.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Check prints the file as the compiler was given it, which depends on where the build is. */
#line 12 "failing.c"

static void passes(void)
{
    ck_assert_int_eq(1, 1);
}

static void fails(void)
{
    ck_assert_int_eq(1, 2);
}

static void leaves_by_exit(void)
{
    exit(EXIT_SUCCESS);
}

static void leaves_without_ceremony(void)
{
    _exit(EXIT_SUCCESS);
}

/* Run fn(1) in a process whose end nobody looks at. */
static void ignore(void (*fn)(int one))
{
    pid_t pid = fork();

    if (pid == 0) {
        fn(1);
        _exit(EXIT_SUCCESS);
    }
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void assert_two(int one)
{
    ck_assert_int_eq(one, 2);
}

static void assert_one(int one)
{
    ck_assert_int_eq(one, 1);
}

static void assert_in_a_child(int one)
{
    (void)one;
    ignore(assert_two);
}

static void assertion_in_a_child_fails(void)
{
    ignore(assert_two);
}

static void assertion_in_a_childs_child_fails(void)
{
    ignore(assert_in_a_child);
}

static void assertion_in_a_child_holds(void)
{
    ignore(assert_one);
}

static void fails_after_its_child(void)
{
    ignore(assert_two);
    ck_assert_msg(0, "the child gave nothing");
}

static void killed_after_its_child_failed(void)
{
    ignore(assert_two);
    raise(SIGUSR1);
}

/* What Check says is where this process was. */
static void leaves_after_its_child(void)
{
    ck_assert_int_eq(1, 1);
    if (fork() == 0) {
        assert_one(1);
        _exit(EXIT_SUCCESS);
    }
    (void)wait(NULL);
    _exit(EXIT_SUCCESS);
}

static void second_round_fails(int round)
{
    ck_assert_int_eq(round, 0);
}

static int gives(int (*body)(void *arg), void *arg)
{
    return body(arg);
}

static int five(void *arg)
{
    (void)arg;
    return 5;
}

static const struct suite_case cases[] = {
    plain_case(passes),
    plain_case(fails),
    plain_case(leaves_by_exit),
    plain_case(leaves_without_ceremony),
    plain_case(assertion_in_a_child_fails),
    plain_case(assertion_in_a_childs_child_fails),
    plain_case(assertion_in_a_child_holds),
    plain_case(fails_after_its_child),
    plain_case(killed_after_its_child_failed, .signal = SIGUSR1),
    plain_case(leaves_after_its_child),
    each_case(second_round_fails, 2),
    body_case(body_gives_five, gives, five, .code = 5),
    body_case(body_gives_another_code, gives, five),
};

test_suite("failing", cases);
