/* See children.h. */
#include "tests/runtime/process/children.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

void no_child_is_left(void)
{
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1);
    ck_assert_int_eq(errno, ECHILD);
}

/* What libuv keeps for the process is open from the first runtime on. */
int child_plain(int (*body)(void *arg), void *arg)
{
    int nothing = 0, fds, rc;

    ck_ok(bight_run(world_return, &nothing));
    fds = test_open_fds();
    rc = bight_run(body, arg);
    no_child_is_left();
    ck_assert_int_eq(test_open_fds(), fds);
    return rc;
}

struct bight_process *shell(const char *command, struct bight_process_options options)
{
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};
    struct bight_process *process = NULL;

    options.argv = argv;
    ck_ok(bight_process_start(&process, &options));
    return process;
}

struct bight_process *shell_piped(const char *command)
{
    return shell(command, (struct bight_process_options){.input.kind = BIGHT_PROCESS_PIPE,
                                                         .output.kind = BIGHT_PROCESS_PIPE,
                                                         .error.kind = BIGHT_PROCESS_PIPE});
}

const char *hear_all(struct bight_stream *stream)
{
    static char text[65536];
    size_t used = 0;
    int64_t count;

    while ((count = bight_stream_read(stream, text + used, sizeof(text) - 1 - used)) > 0)
        used += (size_t)count;
    ck_assert_int_eq(count, 0);
    text[used] = '\0';
    return text;
}

const char *hear_line(struct bight_stream *stream)
{
    static char line[4096];

    ck_assert_int_ge(bight_stream_read_line(stream, line, sizeof(line)), 0);
    return line;
}

void exits_with(struct bight_process *process, int code)
{
    struct bight_process_status status;

    ck_ok(bight_process_wait(process, &status));
    ck_assert_int_eq(status.state, BIGHT_PROCESS_EXITED);
    ck_assert_int_eq(status.code, code);
    ck_assert_int_eq(status.signum, 0);
    ck_ok(bight_process_end(process, 0));
}

void dies_by(struct bight_process *process, int signum)
{
    struct bight_process_status status;

    ck_ok(bight_process_wait(process, &status));
    ck_assert_int_eq(status.state, BIGHT_PROCESS_SIGNALED);
    ck_assert_int_eq(status.signum, signum);
    ck_assert_int_eq(status.code, 0);
    ck_ok(bight_process_end(process, 0));
}
