/* runtime/process: what a child inherits, and the pipes between us. */
#include "tests/runtime/process/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOME_BYTES 1000000

static int talks(void *arg)
{
    struct bight_process *process = shell_piped("cat; echo done >&2");
    struct bight_stream *input = bight_process_input(process);

    (void)arg;
    ck_ok(bight_stream_write(input, "one\n", 4));
    ck_assert_str_eq(hear_line(bight_process_output(process)), "one");
    ck_ok(bight_stream_write(input, "two\n", 4));
    ck_assert_str_eq(hear_line(bight_process_output(process)), "two");
    ck_ok(bight_stream_shutdown(input));
    ck_code(bight_stream_shutdown(input), BIGHT_EALREADY);
    ck_code(bight_stream_write(input, "x", 1), BIGHT_ECLOSED);
    ck_code(bight_stream_fd(input), BIGHT_ENOTSUP);
    ck_code(bight_stream_shutdown(bight_process_output(process)), BIGHT_ENOTSUP);
    ck_assert_str_eq(hear_all(bight_process_output(process)), "");
    ck_assert_str_eq(hear_all(bight_process_error(process)), "done\n");
    exits_with(process, 0);
    return 0;
}

static int writes_much(void *stream)
{
    static char bytes[SOME_BYTES];
    int rc = bight_stream_write(stream, bytes, sizeof(bytes));

    return rc ? rc : bight_stream_shutdown(stream);
}

/* More than a pipe holds, in both directions. */
static int much(void *arg)
{
    struct bight_process *process = shell_piped("cat");
    struct bight_task *writer;
    static char bytes[4096];
    int64_t count, sum = 0;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&writer, writes_much, bight_process_input(process)));
    while ((count = bight_stream_read(bight_process_output(process), bytes, sizeof(bytes))) > 0)
        sum += count;
    ck_assert_int_eq(sum, SOME_BYTES);
    ck_ok(bight_join(writer, &status));
    ck_assert_int_eq(status, 0);
    exits_with(process, 0);
    return 0;
}

static int after_the_end(void *arg)
{
    struct bight_process *process = shell_piped("echo last; exit 1");
    struct bight_stream *output;

    (void)arg;
    ck_ok(bight_process_wait(process, NULL));
    output = bight_process_take_stream(process, 1);
    ck_assert_ptr_null(bight_process_output(process));
    ck_assert_ptr_null(bight_process_take_stream(process, 1));
    ck_assert_ptr_null(bight_process_take_stream(process, 3));
    exits_with(process, 1);
    ck_assert_str_eq(hear_all(output), "last\n");
    ck_ok(bight_stream_end(output, 0));
    return 0;
}

/* SIGPIPE would end this process. */
static int nobody_reads(void *arg)
{
    static char bytes[SOME_BYTES];
    struct bight_process *process = shell_piped("exit 0");

    (void)arg;
    ck_ok(bight_process_wait(process, NULL));
    ck_code(bight_stream_write(bight_process_input(process), bytes, sizeof(bytes)), BIGHT_EPIPE);
    exits_with(process, 0);
    return 0;
}

static int early_end(void *arg)
{
    struct bight_process *process = shell_piped("exec cat /dev/zero");

    (void)arg;
    ck_ok(bight_stream_end(bight_process_take_stream(process, 1), 0));
    dies_by(process, SIGPIPE);
    return 0;
}

static int again(void *arg)
{
    struct bight_process *process = shell_piped("cat /dev/stdin; echo err > /dev/stderr");

    (void)arg;
    ck_ok(bight_stream_write(bight_process_input(process), "abc", 3));
    ck_ok(bight_stream_shutdown(bight_process_input(process)));
    ck_assert_str_eq(hear_all(bight_process_output(process)), "abc");
    ck_assert_str_eq(hear_all(bight_process_error(process)), "err\n");
    exits_with(process, 0);
    return 0;
}

static int elsewhere(void *arg)
{
    struct bight_process *process =
        shell("cat; echo out; echo err >&2",
              (struct bight_process_options){.input.kind = BIGHT_PROCESS_NULL,
                                             .output.kind = BIGHT_PROCESS_PIPE,
                                             .error.kind = BIGHT_PROCESS_OUTPUT});

    (void)arg;
    ck_assert_ptr_null(bight_process_input(process));
    ck_assert_ptr_null(bight_process_error(process));
    ck_assert_str_eq(hear_all(bight_process_output(process)), "out\nerr\n");
    exits_with(process, 0);
    process = shell("echo out; echo err >&2",
                    (struct bight_process_options){.output.kind = BIGHT_PROCESS_NULL,
                                                   .error.kind = BIGHT_PROCESS_PIPE});
    ck_assert_str_eq(hear_all(bight_process_error(process)), "err\n");
    exits_with(process, 0);
    return 0;
}

static int files(void *arg)
{
    char path[] = "/tmp/bight-process-XXXXXX", text[16];
    int fd = mkostemp(path, O_CLOEXEC);
    struct bight_process_options options = {
        .output = {.kind = BIGHT_PROCESS_FILE, .path = path},
        .error = {.kind = BIGHT_PROCESS_FD, .fd = fd},
    };

    (void)arg;
    ck_assert_int_ge(fd, 0);
    exits_with(shell("echo one", options), 0);
    exits_with(shell("echo two", options), 0);
    options.output.flags = O_WRONLY | O_APPEND;
    exits_with(shell("echo three", options), 0);
    ck_assert_int_eq(read(fd, text, sizeof(text)), 10);
    ck_assert_mem_eq(text, "two\nthree\n", 10);
    exits_with(shell("echo err >&2", options), 0);
    ck_assert_int_eq(pread(fd, text, sizeof(text), 10), 4);
    options = (struct bight_process_options){
        .input = {.kind = BIGHT_PROCESS_FILE, .path = path},
        .output.kind = BIGHT_PROCESS_PIPE,
    };
    struct bight_process *process = shell("cat", options);
    ck_assert_str_eq(hear_all(bight_process_output(process)), "two\nthree\nerr\n");
    exits_with(process, 0);
    close(fd);
    unlink(path);
    return 0;
}

/* How many descriptors a listing has: the three, one for each of `fds`, and that of the listing. */
static void lists(const char *text, const struct bight_process_fd *fds, int count)
{
    int found = 0, others = 0;

    for (; *text; text = strchr(text, '\n') + 1) {
        bool wanted = atoi(text) <= STDERR_FILENO;

        for (int i = 0; i < count; i++)
            wanted = wanted || atoi(text) == fds[i].child_fd;
        found += wanted;
        others += !wanted;
    }
    ck_assert_int_eq(found, 3 + count);
    ck_assert_int_eq(others, 1);
}

static void reads(int fd, const char *text)
{
    char bytes[16];

    ck_assert_int_eq(read(fd, bytes, sizeof(bytes)), (ssize_t)strlen(text));
    ck_assert_mem_eq(bytes, text, strlen(text));
}

/* Two change their places, one stays, one is far; all others are closed, also those that were not
 * marked to be. */
static int numbers(void *arg)
{
    int one[2], other[2], leaked[] = {open("/dev/null", O_RDONLY), fcntl(0, F_DUPFD, 300)};
    struct bight_process_options options = {.output.kind = BIGHT_PROCESS_PIPE, .fds_count = 4};
    struct bight_process *process;
    char one_is[16], other_is[16];

    (void)arg;
    ck_assert_int_eq(pipe2(one, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(other, 0), 0);
    const struct bight_process_fd fds[] = {
        {one[1], other[1]}, {other[1], one[1]}, {leaked[0], 333}, {other[0], other[0]}};
    snprintf(one_is, sizeof(one_is), "ONE=%d", one[1]);
    snprintf(other_is, sizeof(other_is), "OTHER=%d", other[1]);
    options.fds = fds;
    options.env_extra = (const char *const[]){one_is, other_is, NULL};
    process =
        shell("echo one >/dev/fd/$OTHER; echo other >/dev/fd/$ONE; exec ls /proc/self/fd", options);
    lists(hear_all(bight_process_output(process)), fds, 4);
    exits_with(process, 0);
    reads(one[0], "one\n");
    reads(other[0], "other\n");
    for (int i = 0; i < 2; i++) {
        close(one[i]);
        close(other[i]);
        close(leaked[i]);
    }
    return 0;
}

static void on_signal(int signum)
{
    (void)signum;
}

/* The kernel's sets of signals that are blocked, ignored and caught. */
static int signals(void *arg)
{
    const char *const argv[] = {"sed", "-n", "/^Sig[BIC]/p", "/proc/self/status", NULL};
    struct bight_process_options options = {.argv = argv, .output.kind = BIGHT_PROCESS_PIPE};
    struct bight_process *process;
    sigset_t set;

    (void)arg;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, on_signal);
    signal(SIGRTMIN, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    ck_ok(bight_process_start(&process, &options));
    ck_assert_str_eq(hear_all(bight_process_output(process)),
                     "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
                     "SigCgt:\t0000000000000000\n");
    exits_with(process, 0);
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    ck_assert_int_eq(sigismember(&set, SIGUSR2), 1);
    ck_assert_int_eq(sigismember(&set, SIGTERM), 0);
    return 0;
}

static int ends_with_a_reader(void *arg)
{
    struct bight_process *process = shell_piped("exec sleep 1000");
    struct bight_task *writer;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&writer, writes_much, bight_process_input(process)));
    world_settle();
    ck_ok(bight_process_end(process, 0));
    ck_ok(bight_join(writer, &status));
    ck_assert(status == BIGHT_ECLOSED || status == BIGHT_EPIPE);
    return 0;
}

static const struct suite_case cases[] = {
    child_case(a_child_is_talked_to_in_turns, talks),
    child_case(writing_and_reading_wait_for_each_other, much),
    child_case(what_it_wrote_can_be_read_after_its_end, after_the_end),
    child_case(to_write_to_one_that_has_ended_is_an_error_and_no_signal, nobody_reads),
    child_case(a_stream_may_be_ended_early, early_end),
    child_case(the_pipes_are_pipes_that_can_be_opened_again, again),
    child_case(standard_descriptors_lead_elsewhere, elsewhere),
    child_case(standard_descriptors_are_files, files),
    child_case(descriptors_have_the_numbers_that_were_asked_for_and_no_other_is_open, numbers),
    child_case(no_signal_is_blocked_ignored_or_caught, signals),
    child_case(its_end_ends_the_calls_on_its_streams, ends_with_a_reader),
};

test_suite("process_stdio", cases);
