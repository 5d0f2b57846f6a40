/* Scenarios of <bight/process.h>. See scenarios.h. */
#include "tests/sweeps/frame.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Not even one that has ended. */
static void no_child_is_left(void)
{
    EXPECT(waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD);
}

static int hears(struct bight_stream *stream, const char *text)
{
    char bytes[16];
    int64_t count = bight_stream_read(stream, bytes, sizeof bytes);

    if (count < 0)
        return (int)count;
    EXPECT(count <= (int64_t)strlen(text) && memcmp(bytes, text, (size_t)count) == 0);
    return 0;
}

/* A cat, through pipes. */
static int talks(struct bight_process *process)
{
    struct bight_process_status status;
    int rc = bight_stream_write(bight_process_input(process), "abc", 3);

    if (rc == 0)
        rc = hears(bight_process_output(process), "abc");
    if (rc == 0)
        rc = bight_stream_shutdown(bight_process_input(process));
    if (rc)
        return rc;
    rc = bight_process_wait(process, &status);
    EXPECT(rc || status.state == BIGHT_PROCESS_EXITED);
    return rc;
}

static int converse(void)
{
    const struct bight_process_fd fd = {STDERR_FILENO, 5};
    const char *const argv[] = {"cat", NULL}, *const extra[] = {"NAME=value", NULL};
    struct bight_process *process;
    const struct bight_process_options options = {
        .argv = argv,
        .env_extra = extra,
        .input.kind = BIGHT_PROCESS_PIPE,
        .output.kind = BIGHT_PROCESS_PIPE,
        .error = {.kind = BIGHT_PROCESS_FD, .fd = STDERR_FILENO},
        .fds = &fd,
        .fds_count = 1,
    };
    int rc = bight_process_start(&process, &options);

    if (rc)
        return rc;
    rc = talks(process);
    EXPECT(bight_process_end(process, 100) == 0);
    return rc;
}

/* With all the time that it wants, or none. */
static int interrupt(int64_t grace_ms)
{
    const char *const argv[] = {"sleep", "1000", NULL};
    const struct bight_process_options options = {
        .argv = argv,
        .input.kind = BIGHT_PROCESS_NULL,
        .error.kind = BIGHT_PROCESS_TERMINAL,
        .terminal_size = {24, 80},
    };
    struct bight_case cases[2];
    struct bight_process *process;
    int rc = bight_process_start(&process, &options);

    if (rc)
        return rc;
    bight_case_process(&cases[0], process);
    bight_case_sleep(&cases[1], 1);
    rc = bight_select(cases, 2, 0);
    if (rc >= 0)
        rc = bight_process_terminate(process, grace_ms);
    EXPECT(bight_process_end(process, 0) == 0);
    return rc;
}

int scenario_process(void *arg)
{
    int rc = converse();

    (void)arg;
    if (rc == 0)
        rc = interrupt(-1);
    if (rc == 0)
        rc = interrupt(0);
    no_child_is_left();
    return rc;
}

/* From its start to its end, with more input than fits into a first piece. */
int scenario_process_run(void *arg)
{
    static const char input[5000];
    const char *const argv[] = {"cat", NULL};
    const struct bight_process_options options = {.argv = argv};
    const struct bight_process_run_options how = {
        .input = input, .input_bytes = sizeof input, .grace_ms = -1};
    struct bight_process_result result;
    int rc = bight_process_run(&result, &options, &how);

    (void)arg;
    if (rc == 0) {
        EXPECT(result.output_bytes == sizeof input || sweep.said);
        EXPECT(result.error_bytes == 0);
    }
    bight_process_result_free(&result);
    no_child_is_left();
    return rc;
}

/* One that does not come to be. A start that could not hear so has one that ends by itself. */
int scenario_no_process(void *arg)
{
    const char *const argv[] = {"/nowhere/at/all", NULL};
    const struct bight_process_options options = {.argv = argv};
    struct bight_process *process;
    int rc = bight_process_start(&process, &options);

    (void)arg;
    if (rc == 0) {
        EXPECT(sweep.said);
        EXPECT(bight_process_end(process, 0) == 0);
    }
    no_child_is_left();
    return rc == BIGHT_ENOENT ? 0 : rc;
}
