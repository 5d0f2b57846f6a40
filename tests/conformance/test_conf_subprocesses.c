/* The cases about subprocesses: what goes in and comes out. An exit status is a code or a signal;
 * to communicate is bight_process_run. */
#include "tests/conformance/conf.h"

#include <signal.h>
#include <string.h>

#include "tests/runtime/process/children.h"

/* What `/bin/sh -c command` gives to `input`, NULL: there is none, with these options but for
 * argv. */
static void communicate(struct bight_process_result *result, const char *command, const char *input,
                        struct bight_process_options options)
{
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};
    const struct bight_process_run_options how = {.input = input,
                                                  .input_bytes = input ? strlen(input) : 0};

    options.argv = argv;
    ck_ok(bight_process_run(result, &options, &how));
    no_child_is_left();
}

static void gives(struct bight_process_result *result, const char *output, const char *error,
                  int code)
{
    ck_assert_int_eq(result->status.state, BIGHT_PROCESS_EXITED);
    ck_assert_int_eq(result->status.code, code);
    ck_assert_pstr_eq(result->output, output);
    ck_assert_pstr_eq(result->error, error);
    bight_process_result_free(result);
}

static const struct bight_process_options plain;

static int feeds(void *arg)
{
    struct bight_process *process = shell_piped("cat");

    (void)arg;
    ck_ok(bight_stream_write(bight_process_input(process), "some data", 9));
    ck_ok(bight_stream_shutdown(bight_process_input(process)));
    ck_assert_str_eq(hear_all(bight_process_output(process)), "some data");
    exits_with(process, 0);
    return 0;
}

struct watcher {
    struct bight_process *process;
    struct bight_process_status status;
};

static int watches(void *arg)
{
    struct watcher *watcher = arg;

    return bight_process_wait(watcher->process, &watcher->status);
}

static void echoes(struct bight_process *process, const char *text)
{
    char bytes[16];

    ck_ok(bight_stream_write(bight_process_input(process), text, strlen(text)));
    ck_ok(bight_stream_read_exactly(bight_process_output(process), bytes, strlen(text)));
    ck_assert_mem_eq(bytes, text, strlen(text));
}

static int talks(void *arg)
{
    struct watcher watcher = {.process = shell_piped("cat")};
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, watches, &watcher));
    echoes(watcher.process, "Python ");
    echoes(watcher.process, "The Winner");
    ck_ok(bight_process_end(watcher.process, 0));
    conf_join(task, 0);
    ck_assert_int_eq(watcher.status.signum, SIGKILL);
    return 0;
}

static int communicates(void *arg)
{
    struct bight_process_result result;

    (void)arg;
    communicate(&result, "cat", "some data", plain);
    gives(&result, "some data", "", 0);
    return 0;
}

static char much[300000];

static int writes_much(void *stream)
{
    return bight_stream_write(stream, much, sizeof(much));
}

static int breaks(void *arg)
{
    struct bight_process *process = shell_piped("trap 'exit 0' USR1; echo ready; while :; do sleep "
                                                "0.01; done");
    struct bight_task *writer;

    (void)arg;
    ck_assert_str_eq(hear_line(bight_process_output(process)), "ready");
    ck_ok(bight_spawn(&writer, writes_much, bight_process_input(process)));
    world_settle();
    ck_ok(bight_process_signal(process, SIGUSR1));
    conf_join(writer, BIGHT_EPIPE);
    exits_with(process, 0);
    return 0;
}

static int shells(void *arg)
{
    (void)arg;
    exits_with(shell_piped("exit 7"), 7);
    exits_with(shell("exit 7", plain), 7);
    exits_with(shell("exit 7", (struct bight_process_options){.flags = BIGHT_PROCESS_NEW_SESSION}),
               7);
    exits_with(shell("exit 8", plain), 8);
    return 0;
}

static int says(void *arg)
{
    struct bight_process *process = shell_piped("echo Python");

    (void)arg;
    ck_ok(bight_stream_shutdown(bight_process_input(process)));
    ck_assert_str_eq(hear_all(bight_process_output(process)), "Python\n");
    ck_assert_str_eq(hear_all(bight_process_error(process)), "");
    exits_with(process, 0);
    return 0;
}

static int complains(void *arg)
{
    struct bight_process *process = shell_piped("read line; echo OUT:$line; echo ERR:$line >&2");

    (void)arg;
    ck_ok(bight_stream_write(bight_process_input(process), "test\n", 5));
    ck_assert_str_eq(hear_all(bight_process_output(process)), "OUT:test\n");
    ck_assert_str_eq(hear_all(bight_process_error(process)), "ERR:test\n");
    exits_with(process, 0);
    return 0;
}

static int nowhere(void *arg)
{
    const char *const counts = "printf %s $(wc -c)";
    struct bight_process_result result;

    (void)arg;
    communicate(&result, counts, NULL,
                (struct bight_process_options){.input.kind = BIGHT_PROCESS_NULL});
    gives(&result, "0", "", 0);
    communicate(&result, counts, "abc",
                (struct bight_process_options){.output.kind = BIGHT_PROCESS_NULL});
    gives(&result, NULL, "", 0);
    communicate(&result, counts, "abc",
                (struct bight_process_options){.error.kind = BIGHT_PROCESS_NULL});
    gives(&result, "3", NULL, 0);
    return 0;
}

static int reopens(void *arg)
{
    struct bight_process_result result;

    (void)arg;
    communicate(&result, "printf %s $(cat /dev/stdin | wc -c)", "abc", plain);
    gives(&result, "3", "", 0);
    return 0;
}

#define TAKEN_BYTES 65536

static int reads_late(void *arg)
{
    struct bight_process *process = shell_piped("head -c 262144 /dev/zero; exit 1");
    static char bytes[TAKEN_BYTES];
    int64_t count, sum = 0;

    (void)arg;
    while ((count = bight_stream_read(bight_process_output(process), bytes, sizeof(bytes))) > 0) {
        sum += count;
        ck_ok(bight_sleep(300));
    }
    ck_assert_int_eq(count, 0);
    ck_assert_int_eq(sum, 262144);
    exits_with(process, 1);
    return 0;
}

static int environments(void *arg)
{
    const char *const bar[] = {"FOO=bar", NULL}, *const baz[] = {"FOO=baz", NULL};
    const char *const argv[] = {"printenv", "FOO", NULL};
    const struct bight_process_options options = {
        .argv = argv, .env_extra = baz, .output.kind = BIGHT_PROCESS_PIPE};
    struct watcher watcher;
    struct bight_task *task;

    (void)arg;
    watcher.process =
        shell("printf %s $FOO",
              (struct bight_process_options){.env = bar, .output.kind = BIGHT_PROCESS_PIPE});
    ck_assert_str_eq(hear_all(bight_process_output(watcher.process)), "bar");
    exits_with(watcher.process, 0);
    ck_ok(bight_process_start(&watcher.process, &options));
    ck_assert_str_eq(hear_all(bight_process_output(watcher.process)), "baz\n");
    ck_ok(bight_process_wait(watcher.process, NULL));
    ck_ok(bight_spawn(&task, watches, &watcher));
    ck_ok(bight_yield());
    ck_assert(bight_task_done(task));
    conf_join(task, 0);
    exits_with(watcher.process, 0);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(proc_01_a_child_is_fed_and_heard_to_its_end, feeds),
    conf_case(proc_02_a_child_is_talked_to_in_turns, talks),
    conf_case(proc_03_to_communicate_does_all_of_it, communicates),
    conf_case(proc_07_to_write_to_a_child_that_ends_is_an_error, breaks),
    conf_case(proc_08_a_shell_has_its_exit_code, shells),
    conf_case(proc_09_a_shell_has_its_output, says),
    conf_case(proc_12_errors_come_by_themselves, complains),
    conf_case(proc_15_each_stream_may_lead_nowhere, nowhere),
    conf_case(proc_16_a_child_may_open_its_input_again, reopens),
    conf_case(proc_18_output_is_there_after_the_end, reads_late),
    conf_case(proc_25_a_child_has_the_environment_that_it_is_given, environments),
};

test_suite("conf_subprocesses", cases);
