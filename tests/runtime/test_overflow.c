/* A task that overflows its stack is named before the process dies as it would have; nobody takes a
 * signal handler who was not asked to. */
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static __attribute__((noinline)) int recurses(int depth)
{
    volatile char frame[512];

    memset((void *)frame, depth, sizeof(frame));
    return depth == 0 ? 0 : recurses(depth - 1) + frame[3];
}

static int overflows(void *arg)
{
    return recurses(*(int *)arg);
}

static int spawns(void *arg)
{
    struct bight_spawn_options options = {.name = "parser"};
    struct bight_task *task;

    ck_ok(bight_spawn_with(&task, &options, overflows, arg));
    return bight_join(task, NULL);
}

/* Run in a child; its status, and what it wrote to the descriptor that it was to report to. */
static int child_status(int depth, bool watched, char *text, size_t text_bytes)
{
    int ends[2], status;
    ssize_t bytes;
    pid_t pid;

    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct bight_runtime_options options = {.overflow_fd = watched ? ends[1] : 0};

        _exit(bight_run_with(&options, spawns, &depth));
    }
    close(ends[1]);
    bytes = test_read(ends[0], text, text_bytes - 1);
    ck_assert_int_ge(bytes, 0);
    text[bytes] = '\0';
    close(ends[0]);
    ck_assert_int_eq(test_waitpid(pid, &status, 0), pid);
    return status;
}

static void overflow_is_reported_by_name_and_kills_as_before(void)
{
    char text[512];
    int status = child_status(1000000, true, text, sizeof(text));

    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
    ck_assert_ptr_eq(strstr(text, "bight: task #2 parser overflowed its stack of "), text);
}

static void overflow_is_not_reported_unasked(void)
{
    char text[512];
    int status = child_status(1000000, false, text, sizeof(text));

    ck_assert(WIFSIGNALED(status));
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(child_status(10, true, text, sizeof(text)), 0);
    ck_assert_str_eq(text, "");
}

static void on_segv(int signum)
{
    _exit(signum == SIGSEGV ? 77 : 1);
}

static int faults(void *arg)
{
    raise(SIGSEGV);
    return *(volatile int *)arg;
}

static void another_fault_reaches_the_handler_before_ours(void)
{
    struct bight_runtime_options options = {.overflow_fd = 2};
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int value = 0;

        signal(SIGSEGV, on_segv);
        raise(bight_run_with(&options, faults, &value) ? SIGABRT : SIGSEGV);
        _exit(2);
    }
    ck_assert_int_eq(test_waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 77);
}

static int looks_at_handler(void *arg)
{
    return sigaction(SIGSEGV, NULL, arg) ? -errno : 0;
}

static void the_handler_goes_with_the_runtime(void)
{
    struct bight_runtime_options options = {.overflow_fd = 2};
    struct sigaction before, during, after;
    stack_t stack;

    sigaction(SIGSEGV, NULL, &before);
    ck_ok(bight_run_with(&options, looks_at_handler, &during));
    sigaction(SIGSEGV, NULL, &after);
    ck_assert(during.sa_handler != before.sa_handler);
    ck_assert(after.sa_handler == before.sa_handler);
    ck_assert_int_eq(sigaltstack(NULL, &stack), 0);
    ck_ok(bight_run(looks_at_handler, &during));
    ck_assert(during.sa_handler == before.sa_handler);
}

static const struct suite_case cases[] = {
    plain_case(overflow_is_reported_by_name_and_kills_as_before),
    plain_case(overflow_is_not_reported_unasked),
    plain_case(another_fault_reaches_the_handler_before_ours),
    plain_case(the_handler_goes_with_the_runtime),
};

test_suite("overflow", cases);
