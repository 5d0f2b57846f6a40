/* See ways.h: subprocesses. The child does not care for SIGTERM: what ends it is SIGKILL, which is
 * what is given. All who wait for it are given it, and a second time there is none. */
#include "tests/ways/ways.h"

#include <check.h>
#include <fcntl.h>
#include <unistd.h>

static void process_open(struct stage *stage)
{
    const char *const argv[] = {"/bin/sh", "-c", "trap '' TERM; echo; exec sleep 1000", NULL};
    const struct bight_process_options options = {.argv = argv, .output.kind = BIGHT_PROCESS_PIPE};
    char byte;

    ck_assert_int_eq(bight_process_start(&stage->process, &options), 0);
    ck_assert_int_eq(bight_stream_read(bight_process_output(stage->process), &byte, 1), 1);
}

static int process_wait(struct seat *seat)
{
    struct bight_process_status status;

    seat->stage->no_memory = true;
    return bight_process_wait(seat->stage->process, &status);
}

static int case_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_process(&cases[0], seat->stage->process);
    return ways_select(seat, cases, 0);
}

static int terminate_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_process_terminate(seat->stage->process, -1);
}

/* The process is gone then. */
static int end_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_process_end(seat->stage->process, -1);
}

static void process_wake(struct stage *stage)
{
    if (stage->given == 1)
        ck_assert_int_eq(bight_process_kill(stage->process), 0);
}

static void process_close(struct stage *stage)
{
    ck_assert_int_eq(bight_process_end(stage->process, 0), 0);
}

/* A cat, which ends when its input does. It takes memory for what it is to give. */
static void run_open(struct stage *stage)
{
    ck_assert_int_eq(pipe2(stage->fds, O_CLOEXEC), 0);
}

static int run_wait(struct seat *seat)
{
    const char *const argv[] = {"cat", NULL};
    const struct bight_process_options options = {
        .argv = argv,
        .input = {.kind = BIGHT_PROCESS_FD, .fd = seat->stage->fds[0]},
        .output.kind = BIGHT_PROCESS_NULL,
        .error.kind = BIGHT_PROCESS_NULL,
    };
    struct bight_process_result result;
    int rc = bight_process_run(&result, &options, NULL);

    bight_process_result_free(&result);
    return rc;
}

static void run_wake(struct stage *stage)
{
    if (stage->given == 1)
        close(stage->fds[1]);
}

static void run_close(struct stage *stage)
{
    close(stage->fds[0]);
    if (stage->given == 0)
        close(stage->fds[1]);
}

static void nothing(struct stage *stage)
{
    (void)stage;
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way process_ways[] = {
    {"bight_process_wait", 2, 0, true, 0, process_open, process_wait, process_wake, NULL,
     process_close},
    {"bight_select", 2, 0, true, 0, process_open, case_wait, process_wake, NULL, process_close},
    {"bight_process_terminate", 2, 0, true, 0, process_open, terminate_wait, process_wake, NULL,
     process_close},
    {"bight_process_end", 1, 0, false, 0, process_open, end_wait, process_wake, NULL, nothing},
    {"bight_process_run", 1, 0, true, 0, run_open, run_wait, run_wake, NULL, run_close},
};

const struct way_table process_way_table = {process_ways,
                                            sizeof(process_ways) / sizeof(process_ways[0])};
