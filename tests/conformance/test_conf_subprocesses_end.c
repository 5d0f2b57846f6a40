/* The cases about subprocesses: how they end, and who hears of it. */
#include "tests/conformance/conf.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "tests/runtime/process/children.h"

static const struct bight_process_options plain;

static int blocked_run(void *result)
{
    const char *const argv[] = {"sleep", "3600", NULL};

    return bight_process_run(result, &(struct bight_process_options){.argv = argv}, NULL);
}

/* A start does not suspend: what is cancelled is what comes next. */
static int cancelled_at_birth(void *arg)
{
    struct bight_process_result result;
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, blocked_run, &result));
    ck_ok(bight_yield());
    bight_task_cancel(task);
    conf_join(task, BIGHT_ECANCELED);
    no_child_is_left();
    bight_process_result_free(&result);
    return 0;
}

static int waits(void *process)
{
    struct bight_process_status status;
    int rc = bight_process_wait(process, &status);

    return rc ? rc : status.signum;
}

static int closed(void *arg)
{
    struct bight_process *process = shell("exec sleep 3600", plain);
    struct bight_process_status status;
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_process_get_status(process, &status));
    ck_assert_int_eq(status.state, BIGHT_PROCESS_RUNNING);
    ck_ok(bight_spawn(&task, waits, process));
    ck_ok(bight_yield());
    ck_ok(bight_process_end(process, 0));
    conf_join(task, SIGKILL);
    no_child_is_left();
    return 0;
}

static int many(void *arg)
{
    struct bight_process *process = shell_piped("cat");
    struct bight_task *tasks[10];

    (void)arg;
    ck_ok(bight_stream_shutdown(bight_process_input(process)));
    ck_assert_str_eq(hear_all(bight_process_output(process)), "");
    ck_ok(bight_process_wait(process, NULL));
    for (int i = 0; i < 10; i++)
        ck_ok(bight_spawn(&tasks[i], waits, process));
    for (int i = 0; i < 10; i++)
        conf_join(tasks[i], 0);
    exits_with(process, 0);
    return 0;
}

/* Notes what a pipe brings, and its end. */
struct listener {
    struct bight_stream *stream;
    struct conf_notes notes;
};

static int listens(void *arg)
{
    struct listener *listener = arg;
    char text[16];
    int64_t count;

    while ((count = bight_stream_read(listener->stream, text, sizeof(text) - 1)) > 0) {
        text[count] = '\0';
        conf_note(&listener->notes, text);
    }
    conf_note(&listener->notes, "end");
    return (int)count;
}

static int in_order(void *arg)
{
    struct bight_process *process = shell_piped("printf stdout; printf stderr >&2");
    struct listener listeners[] = {{.stream = bight_process_output(process)},
                                   {.stream = bight_process_error(process)}};
    struct bight_task *tasks[2];

    (void)arg;
    for (int i = 0; i < 2; i++)
        ck_ok(bight_spawn(&tasks[i], listens, &listeners[i]));
    ck_ok(bight_process_wait(process, NULL));
    for (int i = 0; i < 2; i++)
        conf_join(tasks[i], 0);
    ck_assert_str_eq(listeners[0].notes.text, " stdout end");
    ck_assert_str_eq(listeners[1].notes.text, " stderr end");
    exits_with(process, 0);
    return 0;
}

static int races(void *arg)
{
    struct bight_process_status status;

    (void)arg;
    for (int i = 0; i < 10; i++) {
        struct bight_process *process = shell("exec sleep 0.1", plain);
        int rc = bight_sleep(100);

        ck_ok(rc);
        rc = bight_process_signal(process, SIGUSR1);
        ck_assert(rc == 0 || rc == BIGHT_ESRCH);
        ck_ok(bight_process_wait(process, &status));
        ck_assert_int_ne(status.state, BIGHT_PROCESS_UNKNOWN);
        ck_assert(status.signum == SIGUSR1 ||
                  (status.state == BIGHT_PROCESS_EXITED && status.code == 0));
        ck_ok(bight_process_end(process, 0));
    }
    return 0;
}

static int refused(void *arg)
{
    struct bight_process *process = shell("exit 6", plain);
    struct bight_process_status status;

    (void)arg;
    ck_ok(bight_process_wait(process, NULL));
    ck_ok(bight_process_get_status(process, &status));
    ck_assert_int_eq(status.code, 6);
    ck_code(bight_process_signal(process, SIGUSR1), BIGHT_ESRCH);
    ck_code(bight_process_signal(process, SIGTERM), BIGHT_ESRCH);
    ck_code(bight_process_kill(process), BIGHT_ESRCH);
    ck_ok(bight_process_end(process, 0));
    return 0;
}

static int communicates(void *arg)
{
    const char *const argv[] = {"cat", NULL};
    struct bight_process_result result;

    (void)arg;
    ck_ok(bight_process_run(
        &result, &(struct bight_process_options){.argv = argv},
        &(struct bight_process_run_options){.input = "some data", .input_bytes = 9}));
    ck_assert_int_eq(result.status.state, BIGHT_PROCESS_EXITED);
    ck_assert_int_eq(result.status.code, 0);
    ck_assert_str_eq(result.output, "some data");
    bight_process_result_free(&result);
    return 0;
}

static void *runs(void *arg)
{
    int *rc = arg;

    *rc = bight_run(communicates, NULL);
    return NULL;
}

static void proc_32_a_loop_in_another_thread_has_children(void)
{
    pthread_t thread;
    int rc = -1;

    ck_assert_int_eq(pthread_create(&thread, NULL, runs, &rc), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_ok(rc);
    no_child_is_left();
}

static const struct suite_case cases[] = {
    conf_case(proc_20_one_that_is_cancelled_at_birth_leaves_nothing, cancelled_at_birth),
    conf_case(proc_21_to_end_one_that_runs_kills_it, closed),
    conf_case(proc_26_many_wait_for_one_that_has_ended, many),
    conf_case(proc_27_each_pipe_brings_its_bytes_and_then_its_end, in_order),
    conf_case(proc_29_a_signal_that_races_with_the_end_takes_no_status, races),
    conf_case(proc_30_after_the_end_signals_are_refused, refused),
    plain_case(proc_32_a_loop_in_another_thread_has_children),
};

test_suite("conf_subprocesses_end", cases);
