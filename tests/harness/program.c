/* See program.h. */
#include "tests/harness/program.h"

#include "tests/harness/support.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t test_program_start(const char *const *argv, int death, int in, int out, int err)
{
    const int fds[] = {in, out, err};
    pid_t parent = getpid(), pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    test_die_with(parent, death);
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0 && dup2(fds[i], i) < 0)
            _exit(126);
    (void)execv(argv[0], (char **)(uintptr_t)argv);
    _exit(127);
}

pid_t test_program_start_heard(const char *const *argv, int death, int *out)
{
    int fds[2];
    pid_t pid;

    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    pid = test_program_start(argv, death, -1, fds[1], -1);
    ck_assert_int_eq(close(fds[1]), 0);
    *out = fds[0];
    return pid;
}

/* As fgets does, which a signal would end. */
static bool read_line(int out, char *line, size_t line_bytes)
{
    size_t length = 0;

    while (length + 1 < line_bytes && test_read(out, line + length, 1) == 1)
        if (line[length++] == '\n')
            break;
    line[length] = '\0';
    return length > 0;
}

bool test_program_says(int out, const char *part, char *line, size_t line_bytes)
{
    bool found = false;

    while (!found && read_line(out, line, line_bytes))
        found = strstr(line, part) != NULL;
    ck_assert_int_eq(close(out), 0);
    return found;
}

int test_program_end(pid_t pid, int signum)
{
    int status;

    ck_assert_int_eq(kill(pid, signum), 0);
    ck_assert_int_eq(test_waitpid(pid, &status, 0), pid);
    return status;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

void test_remove_folder(const char *path)
{
    ck_assert_int_eq(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}
