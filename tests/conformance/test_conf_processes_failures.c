/* Worker processes: what fails, and with it one call: a job, its output, its worker, or the want of
 * descriptors. The next call runs, where the catalogue has the pool break for good. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define CALLS 10

static int fail_with_text(struct bight_job *job)
{
    char text[64];
    int length = snprintf(text, sizeof text, "%s in %d", __func__, (int)getpid());

    return bight_job_output_append(job, text, (size_t)length + 1) ? -1 : -123;
}

enum output { TOO_BIG, LEAVES, CRASHES };

/* Cannot make its output, for one reason or another. */
static int spoil_output(struct bight_job *job)
{
    static const char half[] = "the first half";
    void *room;

    if (bight_job_output_append(job, half, sizeof half))
        return -1;
    switch (*(enum output *)job->input) {
    case TOO_BIG:
        return bight_job_output_reserve(job, MIB, &room) == BIGHT_ETOOBIG ? 5 : -1;
    case LEAVES:
        _exit(3);
    case CRASHES:
        raise(SIGKILL);
    }
    return -1;
}

/* What its worker says to the program makes no sense. */
static int talk_nonsense(struct bight_job *job)
{
    (void)job;
    (void)!send(3, "nonsense", 8, MSG_NOSIGNAL);
    pause();
    return 0;
}

static int give_much(struct bight_job *job)
{
    void *room;
    int rc = bight_job_output_reserve(job, 2 * MIB, &room);

    if (rc)
        return rc;
    memset(room, 1, 2 * MIB);
    return bight_job_output_commit(job, 2 * MIB);
}

static int crash(struct bight_job *job)
{
    (void)job;
    raise(SIGKILL);
    return 0;
}

static const struct bight_job_def fail_job = {.name = "fail", .fn = fail_with_text};
static const struct bight_job_def spoil_job = {.name = "spoil output", .fn = spoil_output};
static const struct bight_job_def nonsense_job = {.name = "talk nonsense", .fn = talk_nonsense};
static const struct bight_job_def much_job = {.name = "give much", .fn = give_much};
static const struct bight_job_def crash_job = {.name = "crash", .fn = crash};

static void check_alive(struct bight_executor *executor)
{
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
}

static int ppool_07_a_failure_brings_what_the_job_said_of_it(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;
    char text[64];

    (void)arg;
    snprintf(text, sizeof text, "fail_with_text in %d", worker_pid(executor));
    CHECK_EQ(bight_execute(executor, &fail_job, NULL, 0, &result), BIGHT_EJOBFAILED);
    CHECK_EQ(result.code, -123);
    CHECK(strcmp(result.output, text) == 0);
    bight_result_free(&result);
    worker_close(executor);
    return 0;
}

static int next_call(void *arg, const void **input, size_t *input_bytes)
{
    int *given = arg;

    *input = NULL;
    *input_bytes = 0;
    return (*given)++ < CALLS;
}

/* A worker is made when there is work, and then there is no descriptor for it. */
static int ppool_14_calls_fail_when_no_worker_can_be_made(void *arg)
{
    struct bight_workers_options options = {.workers = 2, .idle_ms = -1, .start_ms = 50};
    struct bight_executor *executor = worker_open(&options);
    struct bight_job_map_options all = {.window = CALLS};
    struct rlimit limit = worker_no_descriptors();
    struct bight_job_map_item item;
    struct bight_job_map map;
    int given = 0;

    (void)arg;
    CHECK_EQ(bight_job_map_begin(&map, executor, &echo_job, next_call, &given, &all), 0);
    for (int i = 0; i < CALLS; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        CHECK_EQ(item.status, BIGHT_EAGAIN);
        CHECK_EQ(item.attempts, 0);
    }
    CHECK_EQ(bight_job_map_next(&map, &item), BIGHT_ECLOSED);
    CHECK_EQ(bight_job_map_end(&map), 0);
    worker_close(executor);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return 0;
}

static void spoil(struct bight_executor *executor, enum output output, int rc,
                  struct bight_result *result)
{
    CHECK_EQ(bight_execute(executor, &spoil_job, &output, sizeof output, result), rc);
    CHECK(!result->output);
    CHECK_EQ(result->attempts, 1);
    check_alive(executor);
}

static int ppool_22_an_output_that_cannot_be_made_fails_its_call(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .payload_max_bytes = 64 << 10};
    struct bight_executor *executor = worker_open(&options);
    struct bight_result result;

    (void)arg;
    spoil(executor, TOO_BIG, BIGHT_ETOOBIG, &result);
    CHECK_EQ(result.code, 5);
    spoil(executor, LEAVES, BIGHT_EWORKERDIED, &result);
    CHECK_EQ(result.exit_status, 3);
    CHECK_EQ(result.exit_signal, 0);
    spoil(executor, CRASHES, BIGHT_EWORKERDIED, &result);
    CHECK_EQ(result.exit_signal, SIGKILL);
    worker_close(executor);
    return 0;
}

static int ppool_23_an_output_that_cannot_be_taken_fails_its_call(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;
    struct rlimit limit;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &nonsense_job, NULL, 0, &result), BIGHT_EUNKNOWNOUTCOME);
    CHECK(!result.output);
    check_alive(executor);
    limit = worker_no_descriptors();
    CHECK_EQ(bight_execute(executor, &much_job, NULL, 0, &result), BIGHT_EMFILE);
    CHECK(!result.output);
    check_alive(executor);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK_EQ(bight_execute(executor, &much_job, NULL, 0, &result), 0);
    CHECK_EQ(result.output_bytes, 2 * MIB);
    bight_result_free(&result);
    worker_close(executor);
    return 0;
}

static int ppool_26_crashes_do_not_hold_up_large_inputs(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    struct bight_job_map_row rows[CALLS] = {{0}};
    void *input = calloc(2, MIB);

    (void)arg;
    CHECK(input);
    for (int i = 0; i < CALLS; i++)
        rows[i] = (struct bight_job_map_row){.input = input, .input_bytes = 2 * MIB};
    CHECK_EQ(bight_job_map_all(executor, &crash_job, rows, CALLS, NULL), BIGHT_EWORKERDIED);
    for (int i = 0; i < CALLS; i++) {
        CHECK_EQ(rows[i].status, BIGHT_EWORKERDIED);
        CHECK_EQ(rows[i].result.attempts, 1);
        CHECK_EQ(rows[i].result.exit_signal, SIGKILL);
        bight_result_free(&rows[i].result);
    }
    free(input);
    check_alive(executor);
    worker_close(executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(ppool_07_a_failure_brings_what_the_job_said_of_it, 0),
    worker_case(ppool_14_calls_fail_when_no_worker_can_be_made, 0),
    worker_case(ppool_22_an_output_that_cannot_be_made_fails_its_call, 0),
    worker_case(ppool_23_an_output_that_cannot_be_taken_fails_its_call, 0),
    worker_case(ppool_26_crashes_do_not_hold_up_large_inputs, 0),
};

worker_suite("processes failures", cases);
