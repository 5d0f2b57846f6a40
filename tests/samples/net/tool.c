/* See tool.h. Files and not pipes, so that nobody has to read while the tool writes. */
#include "tests/samples/net/tool.h"

#include "tests/harness/program.h"

#include <check.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

double tool_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void tool_start(struct tool *tool, const char *const *argv)
{
    tool->out = tmpfile();
    tool->err = tmpfile();
    ck_assert(tool->out && tool->err);
    tool->began_ms = tool_now_ms();
    tool->pid = test_program_start(argv, SIGKILL, -1, fileno(tool->out), fileno(tool->err));
}

static char *whole(FILE *file)
{
    size_t bytes;
    char *text;

    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    bytes = (size_t)ftell(file);
    text = malloc(bytes + 1);
    ck_assert_ptr_nonnull(text);
    rewind(file);
    ck_assert_uint_eq(fread(text, 1, bytes, file), bytes);
    text[bytes] = '\0';
    fclose(file);
    return text;
}

void tool_wait(struct tool *tool)
{
    int status = test_program_end(tool->pid, 0);

    tool->took_ms = tool_now_ms() - tool->began_ms;
    tool->said = whole(tool->out);
    tool->complained = whole(tool->err);
    ck_assert_msg(WIFEXITED(status), "ended by signal %d, saying %s", WTERMSIG(status),
                  tool->complained);
    tool->status = WEXITSTATUS(status);
}

void tool_forget(struct tool *tool)
{
    free(tool->said);
    free(tool->complained);
    *tool = (struct tool){0};
}
