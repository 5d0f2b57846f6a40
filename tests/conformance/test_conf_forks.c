/* The cases about fork() in a task: the child has no runtime until it begins one of its own, and
 * what happens to it does not reach its parent's. */
#include "tests/conformance/conf.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bight/process.h"
#include "tests/runtime/process/children.h"

/* Fork a child that ends with what `fn(arg)` returns. It may not assert: nobody hears of it. */
static pid_t child_of(int (*fn)(void *arg), void *arg)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(fn(arg));
    return pid;
}

static int status_of(pid_t pid)
{
    int status;

    ck_assert_int_eq(test_waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status), "signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static int is_alone(void *arg)
{
    struct bight_runtime_stats stats;

    return bight_self() == NULL && bight_yield() == BIGHT_ENOTASK &&
                   bight_event_wait(arg) == BIGHT_ENOTASK &&
                   bight_runtime_get_stats(&stats) == BIGHT_ENORUNTIME
               ? 0
               : 1;
}

static int asks_in_a_child(void *arg)
{
    struct bight_event event;

    (void)arg;
    bight_event_init(&event);
    ck_assert_int_eq(status_of(child_of(is_alone, &event)), 0);
    ck_assert_ptr_nonnull(bight_self());
    return bight_sleep(1);
}

struct terminal {
    struct bight_signal *signal;
    int ready[2];
};

static int waits_for_term(void *arg)
{
    struct terminal *terminal = arg;
    struct bight_signal *signal;
    int rc = bight_signal_open(&signal, SIGTERM);

    if (rc || write(terminal->ready[1], "r", 1) != 1)
        return 1;
    rc = bight_signal_wait(signal);
    return rc == 1 ? bight_signal_end(signal) : 2;
}

static int has_its_own_signals(void *arg)
{
    return bight_run(waits_for_term, arg) == 0 ? 7 : 1;
}

static int sleeps(void *arg)
{
    int rc = bight_sleep(100);

    (void)arg;
    return rc ? rc : 42;
}

static int signals_a_child(void *arg)
{
    struct terminal terminal;
    struct bight_case heard[1];
    struct bight_task *task;
    char byte;
    pid_t pid;
    int got;

    (void)arg;
    ck_ok(bight_signal_open(&terminal.signal, SIGTERM));
    ck_assert_int_eq(pipe(terminal.ready), 0);
    pid = child_of(has_its_own_signals, &terminal);
    ck_assert_int_eq(test_read(terminal.ready[0], &byte, 1), 1);
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    ck_assert_int_eq(status_of(pid), 7);
    close(terminal.ready[0]);
    close(terminal.ready[1]);
    ck_ok(bight_spawn(&task, sleeps, NULL));
    ck_ok(bight_join(task, &got));
    ck_assert_int_eq(got, 42);
    bight_case_signal(&heard[0], terminal.signal);
    ck_code(bight_select(heard, 1, BIGHT_SELECT_TRY), BIGHT_EAGAIN);
    return bight_signal_end(terminal.signal);
}

static int sleeps_in_its_own(void *arg)
{
    (void)arg;
    return bight_run(sleeps, NULL) == 42 ? 42 : 1;
}

static int runs_a_program(void *arg)
{
    const char *const argv[] = {"true", NULL};
    struct bight_process_result result;
    int rc = bight_process_run(&result, &(struct bight_process_options){.argv = argv},
                               &(struct bight_process_run_options){0});

    (void)arg;
    if (rc == 0)
        rc = result.status.code;
    bight_process_result_free(&result);
    return rc;
}

static int runs_a_program_in_its_own(void *arg)
{
    (void)arg;
    return bight_run(runs_a_program, NULL) == 0 ? 0 : 1;
}

static int run_loops_in_children(void *arg)
{
    (void)arg;
    ck_assert_int_eq(status_of(child_of(sleeps_in_its_own, NULL)), 42);
    ck_assert_int_eq(status_of(child_of(runs_a_program_in_its_own, NULL)), 0);
    return bight_sleep(1);
}

static const struct suite_case cases[] = {
    child_case(fork_01_a_child_does_not_have_its_parents_loop, asks_in_a_child),
    child_case(fork_02_signals_to_a_child_stay_there, signals_a_child),
    child_case(fork_03_a_child_can_run_its_own_loop, run_loops_in_children),
};

test_suite("conf_forks", cases);
