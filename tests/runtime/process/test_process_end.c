/* runtime/process: how a process is made to end, and that none is left over, whoever reaps it. */
#include "tests/runtime/process/children.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct bight_process_options plain;

#define PIPED(more)                                                                                \
    (struct bight_process_options)                                                                 \
    {                                                                                              \
        .output.kind = BIGHT_PROCESS_PIPE, .error.kind = BIGHT_PROCESS_NULL, .flags = more         \
    }

static int polite(void *arg)
{
    struct bight_process *process = shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; "
                                          "done",
                                          PIPED(0));

    (void)arg;
    ck_assert_str_eq(hear_line(bight_process_output(process)), "ready");
    ck_ok(bight_process_terminate(process, -1));
    ck_ok(bight_process_terminate(process, 0));
    exits_with(process, 5);
    return 0;
}

static int stubborn(void *arg)
{
    struct bight_process *process = shell("trap '' TERM; echo ready; exec sleep 1000", PIPED(0));

    (void)arg;
    ck_assert_str_eq(hear_line(bight_process_output(process)), "ready");
    ck_ok(bight_process_terminate(process, 20));
    dies_by(process, SIGKILL);
    return 0;
}

static int stopped(void *arg)
{
    struct bight_process *process = shell("exec sleep 1000", plain);

    (void)arg;
    ck_ok(bight_process_signal(process, SIGSTOP));
    ck_ok(bight_process_terminate(process, -1));
    dies_by(process, SIGTERM);
    return 0;
}

static int ends_with_patience(void *process)
{
    return bight_process_end(process, 20);
}

static int ends_in_its_time(void *process)
{
    return bight_process_end(process, -1);
}

static int terminates(void *process)
{
    return bight_process_terminate(process, -1);
}

/* To end it goes on through a cancellation; to terminate does not. */
static int cancelled(void *arg)
{
    struct bight_process *process = shell("trap '' TERM; echo ready; exec sleep 1000", PIPED(0));

    (void)arg;
    ck_assert_str_eq(hear_line(bight_process_output(process)), "ready");
    ck_code(bight_timeout(5, terminates, process), BIGHT_ETIMEDOUT);
    ck_ok(bight_process_signal(process, 0));
    ck_ok(bight_timeout(0, ends_with_patience, process));
    no_child_is_left();
    return 0;
}

static int ended_twice(void *arg)
{
    struct bight_process *process = shell("trap '' TERM; echo ready; exec sleep 1000", PIPED(0));
    struct bight_task *task;
    int status;

    (void)arg;
    ck_assert_str_eq(hear_line(bight_process_output(process)), "ready");
    ck_ok(bight_spawn(&task, ends_in_its_time, process));
    world_settle();
    ck_code(bight_process_end(process, 0), BIGHT_EALREADY);
    ck_ok(bight_process_kill(process));
    ck_ok(bight_join(task, &status));
    ck_assert_int_eq(status, 0);
    ck_ok(bight_process_end(NULL, 0));
    return 0;
}

/* The pipe ends when all who have it are gone. */
static int whole_groups(void *arg)
{
    const char *const command = "sleep 1000 & sleep 1000 & echo ready; wait";
    struct bight_process *process = shell(command, PIPED(BIGHT_PROCESS_NEW_GROUP));
    struct bight_stream *output = bight_process_output(process);

    (void)arg;
    ck_assert_str_eq(hear_line(output), "ready");
    ck_ok(bight_process_kill(process));
    ck_assert_str_eq(hear_all(output), "");
    dies_by(process, SIGKILL);
    process = shell(command, PIPED(BIGHT_PROCESS_NEW_SESSION));
    output = bight_process_output(process);
    ck_assert_str_eq(hear_line(output), "ready");
    ck_ok(bight_process_terminate(process, -1));
    ck_assert_str_eq(hear_all(output), "");
    dies_by(process, SIGTERM);
    return 0;
}

/* One of its children does not care for SIGTERM, and is ended with it. */
static int rest_of_group(void *arg)
{
    struct bight_process *process = shell(
        "trap 'exit 4' TERM; sh -c \"trap '' TERM; echo ready; while :; do sleep 1000; done\" & "
        "while :; do sleep 0.01; done",
        PIPED(BIGHT_PROCESS_NEW_GROUP));
    struct bight_stream *output = bight_process_output(process);

    (void)arg;
    ck_assert_str_eq(hear_line(output), "ready");
    ck_ok(bight_process_terminate(process, -1));
    ck_assert_str_eq(hear_all(output), "");
    exits_with(process, 4);
    return 0;
}

static int left_open(void *arg)
{
    (void)arg;
    (void)shell("exec sleep 1000", PIPED(0));
    (void)shell("exit 1", PIPED(0));
    ck_ok(bight_process_wait(shell("exit 1", PIPED(0)), NULL));
    return 0;
}

static int left_at_cancel(void *arg)
{
    struct bight_process *process = shell("exec sleep 1000", plain);

    (void)arg;
    return bight_process_wait(process, NULL);
}

static int cut_short(void *arg)
{
    return bight_timeout(5, left_at_cancel, arg);
}

/* Whoever else waits for children */

static int reaps_all(void *arg)
{
    struct bight_process *process =
        shell("read x; exit 4", (struct bight_process_options){.input.kind = BIGHT_PROCESS_PIPE});
    struct bight_process_status status;
    int word;

    (void)arg;
    ck_ok(bight_stream_write(bight_process_input(process), "\n", 1));
    ck_assert_int_eq(test_waitpid(-1, &word, 0), bight_process_pid(process));
    ck_assert_int_eq(WEXITSTATUS(word), 4);
    ck_ok(bight_process_wait(process, &status));
    if (status.state != BIGHT_PROCESS_UNKNOWN) {
        ck_assert_int_eq(status.state, BIGHT_PROCESS_EXITED);
        ck_assert_int_eq(status.code, 4);
    }
    ck_code(bight_process_signal(process, 0), BIGHT_ESRCH);
    ck_ok(bight_process_end(process, 0));
    return 0;
}

/* It is reaped, and the loop has not heard of it: signals go nowhere, and nothing hangs. */
static int reaped_before(void *arg)
{
    struct bight_process *process = shell("exec sleep 1000", plain);
    struct bight_process_status status;
    int word;

    (void)arg;
    ck_ok(bight_process_kill(process));
    ck_assert_int_eq(test_waitpid(-1, &word, 0), bight_process_pid(process));
    ck_code(bight_process_signal(process, SIGTERM), BIGHT_ESRCH);
    ck_ok(bight_process_terminate(process, 60000));
    ck_ok(bight_process_get_status(process, &status));
    ck_assert(status.state == BIGHT_PROCESS_UNKNOWN || status.signum == SIGKILL);
    ck_ok(bight_process_end(process, 0));
    process = shell("exec sleep 1000", plain);
    ck_ok(bight_process_kill(process));
    ck_assert_int_eq(test_waitpid(-1, &word, 0), bight_process_pid(process));
    ck_ok(bight_process_end(process, 60000));
    return 0;
}

static int ignored(void *arg)
{
    struct bight_process_status status;
    struct bight_process *process;

    (void)arg;
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 20; i++) {
        process = shell(i % 2 ? "kill -9 $$" : "exit 4", plain);
        ck_ok(bight_process_wait(process, &status));
        if (status.state == BIGHT_PROCESS_EXITED)
            ck_assert_int_eq(status.code, 4);
        else if (status.state == BIGHT_PROCESS_SIGNALED)
            ck_assert_int_eq(status.signum, SIGKILL);
        else
            ck_assert_int_eq(status.state, BIGHT_PROCESS_UNKNOWN);
        ck_ok(bight_process_end(process, 0));
    }
    (void)shell("exec sleep 1000", plain);
    return 0;
}

static volatile sig_atomic_t told;

static void on_child(int signum)
{
    (void)signum;
    told = told + 1;
}

/* The host hears of a child that has run its program, and of no other. */
static int heard_of(void *arg)
{
    const char *const argv[] = {"/nowhere", NULL};
    struct bight_process *process;

    (void)arg;
    signal(SIGCHLD, on_child);
    ck_code(bight_process_start(&process, &(struct bight_process_options){.argv = argv}),
            BIGHT_ENOENT);
    ck_assert_int_eq(told, 0);
    exits_with(shell("exit 2", plain), 2);
    ck_assert_int_eq(told, 1);
    return 0;
}

static const struct suite_case cases[] = {
    child_case(one_that_listens_ends_by_itself, polite),
    child_case(one_that_does_not_is_killed_after_the_grace, stubborn),
    child_case(one_that_is_stopped_hears_too, stopped),
    child_case(to_end_goes_on_when_it_is_cancelled, cancelled),
    child_case(one_task_ends_it, ended_twice),
    child_case(a_group_ends_as_a_whole, whole_groups),
    child_case(what_is_left_of_a_group_goes_with_it, rest_of_group),
    child_case(the_runtime_ends_what_is_left, left_open),
    child_case(and_so_it_does_after_a_cancellation, cut_short, .code = BIGHT_ETIMEDOUT),
    child_case(somebody_else_may_reap_it, reaps_all),
    child_case(one_that_was_reaped_is_not_waited_for, reaped_before),
    child_case(where_sigchld_is_ignored_nothing_hangs, ignored),
    child_case(a_child_that_never_ran_is_not_heard_of, heard_of),
};

test_suite("process_end", cases);
