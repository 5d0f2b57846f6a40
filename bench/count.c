/* Counting what this program does, by running it again under a tool: see bench.h. The tool is
 * callgrind, because only callgrind can be told by the program where to count. Tasks that switch
 * stacks confuse its tree of callers, which nobody needs here, but not its sums. */
#include "bench/rows.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bight/errors.h>

#define WORDS_MAX 24

static void append(char **argv, size_t *count, const char *const *words)
{
    for (; words && *words && *count < WORDS_MAX; words++)
        argv[(*count)++] = (char *)*words;
}

static _Noreturn void become(const struct bench_again *again, int out)
{
    char program[4096];
    const char *const self[] = {program, NULL}, *const other[] = {again->program, NULL};
    char *argv[WORDS_MAX + 1];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    size_t count = 0;

    if (length < 0)
        _exit(127);
    program[length] = '\0';
    append(argv, &count, again->tool);
    append(argv, &count, again->program ? other : self);
    append(argv, &count, again->arguments);
    argv[count] = NULL;
    if (again->cpu >= 0)
        bench_pin(again->cpu);
    dup2(out, STDOUT_FILENO);
    if (again->tool)
        dup2(out, STDERR_FILENO);
    close(out);
    execvp(argv[0], argv);
    _exit(127);
}

static uint64_t ns_of(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_usec * 1000;
}

char *bench_again(struct bench_again *again)
{
    size_t size = 1 << 16, used = 0;
    char *text = malloc(size);
    int pipe_fds[2], status = 0;
    struct rusage usage;
    ssize_t got;

    bench_check(text && !pipe(pipe_fds) ? 0 : BIGHT_EIO, "pipe");
    fflush(stdout);
    again->pid = fork();
    if (again->pid == 0) {
        close(pipe_fds[0]);
        become(again, pipe_fds[1]);
    }
    bench_check(again->pid < 0 ? BIGHT_EAGAIN : 0, "fork");
    close(pipe_fds[1]);
    while (used + 1 < size && (got = read(pipe_fds[0], text + used, size - used - 1)) > 0)
        used += (size_t)got;
    close(pipe_fds[0]);
    text[used] = '\0';
    wait4(again->pid, &status, 0, &usage);
    again->cpu_ns = ns_of(&usage.ru_utime) + ns_of(&usage.ru_stime);
    if (status) {
        fprintf(stderr, "%s failed: %s\n",
                again->tool      ? again->tool[0]
                : again->program ? again->program
                                 : "a run",
                text);
        exit(1);
    }
    return text;
}

/* "==PID== I   refs:      1,234,567"; children that the process forked report for themselves. */
double bench_instructions(const char *report, pid_t pid)
{
    char line[64];
    const char *at;
    double count = 0;

    snprintf(line, sizeof line, "==%d== I   refs:", (int)pid);
    at = strstr(report, line);
    if (!at)
        bench_fail(BIGHT_EPROTOCOL, "valgrind's report");
    for (at += strlen(line); *at && *at != '\n'; at++) {
        if (isdigit((unsigned char)*at))
            count = count * 10 + (*at - '0');
    }
    return count;
}

/* From a line of strace -c: % time, seconds, usecs/call, calls, perhaps errors, name. */
double bench_calls(const char *report, const char *wanted)
{
    char name[64], fifth[64];
    double calls, count = 0;
    size_t length;

    for (; *report; report += length + (report[length] == '\n')) {
        length = strcspn(report, "\n");
        int fields = sscanf(report, "%*f %*f %*f %lf %63s%*[ ]%63[a-z_0-9]", &calls, fifth, name);
        const char *call = fields == 3 ? name : fifth;

        if (fields >= 2 && !strcmp(call, wanted))
            count = calls;
    }
    return count;
}

double bench_count_instructions(const struct bench_row *row)
{
    static const char *const callgrind[] = {"valgrind",
                                            "--tool=callgrind",
                                            "--collect-atstart=no",
                                            "--callgrind-out-file=/dev/null",
                                            "--vgdb=no",
                                            NULL};
    double counts[2];

    for (unsigned i = 0; i < 2; i++) {
        char operations[32];
        const char *const arguments[] = {"--operations", operations, row->name, NULL};
        struct bench_again again = {.tool = callgrind, .arguments = arguments, .cpu = -1};
        char *report;

        snprintf(operations, sizeof operations, "%" PRIu64, row->counted * (i + 1));
        report = bench_again(&again);
        counts[i] = bench_instructions(report, again.pid);
        free(report);
    }
    return (counts[1] - counts[0]) / (double)row->counted;
}
