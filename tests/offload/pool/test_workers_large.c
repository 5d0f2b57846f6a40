/* Inputs that are copied into a ring piece by piece while the loop turns: their bytes, who runs
 * meanwhile, what happens in the middle, and when the memory is given back. The test looks into the
 * pool for how much is missing, so that it needs no clock. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bight/testing.h>

#include "offload/pool/pool.h"

#define MIB ((size_t)1 << 20)

/* Private memory of its own, so that it can be made unreadable. */
static unsigned char *make_input(size_t bytes)
{
    unsigned char *input =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(input != MAP_FAILED);
    for (size_t i = 0; i < bytes; i += 509)
        input[i] = (unsigned char)(i >> 9 ^ i >> 17);
    return input;
}

/* The worker in whose ring an input is being filled in, or NULL. */
static struct worker *filled_worker(struct bight_executor *executor)
{
    struct pool *pool = container_of(executor, struct pool, base);

    return link_empty(&pool->filling) ? NULL
                                      : container_of(pool->filling.next, struct worker, filling);
}

/* How much of that input is not there yet. */
static size_t missing(struct bight_executor *executor)
{
    const struct worker *worker = filled_worker(executor);

    return worker ? worker->seats[worker->posted % CHANNEL_SLOTS].missing : 0;
}

static void begin(struct worker_call *call, struct bight_executor *executor, const void *input,
                  size_t bytes)
{
    size_t jobs = worker_stats(executor).jobs;

    *call = (struct worker_call){
        .executor = executor, .def = &echo_job, .input = input, .input_bytes = bytes};
    worker_spawn(call);
    while (worker_stats(executor).jobs == jobs)
        CHECK_EQ(bight_yield(), 0);
}

/* The call has been answered with its input. */
static void check_answer(struct worker_call *call)
{
    CHECK_EQ(call->rc, 0);
    CHECK_EQ(call->result.attempts, 1);
    CHECK_EQ(call->result.output_bytes, call->input_bytes);
    CHECK(memcmp(call->result.output, call->input, call->input_bytes) == 0);
    bight_result_free(&call->result);
}

static void finish(struct worker_call *call)
{
    CHECK_EQ(bight_join(call->task, NULL), 0);
    check_answer(call);
}

static void check_alive(struct bight_executor *executor)
{
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    CHECK_EQ(worker_stats(executor).jobs, 0);
}

static int bytes_around_a_piece_come_back(void *arg)
{
    static const size_t sizes[] = {MIB - 1, MIB, MIB + 1, 2 * MIB, 5 * MIB + 3, 64 * MIB};
    struct bight_executor *executor = worker_open_count(1);
    unsigned char *input = make_input(64 * MIB);

    (void)arg;
    for (int known = 0; known < 2; known++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes - (size_t)known; i++) {
            struct worker_call call = {.executor = executor,
                                       .def = &echo_job,
                                       .input = input + i,
                                       .input_bytes = sizes[i] - (i == 5) * i};

            worker_spawn(&call);
            finish(&call);
        }
    }
    CHECK_EQ(bight_execute(executor, &echo_job, input, 64 * MIB + 1, NULL), BIGHT_ETOOBIG);
    munmap(input, 64 * MIB);
    worker_close(executor);
    return 0;
}

/* The main task has its turn after each piece or two. */
static int others_run_between_the_pieces(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    unsigned char *input = make_input(32 * MIB);
    struct worker_call call;
    size_t before, turns = 0;

    (void)arg;
    begin(&call, executor, input, 32 * MIB);
    CHECK(missing(executor) >= 30 * MIB);
    while ((before = missing(executor)) > 0) {
        CHECK_EQ(bight_yield(), 0);
        CHECK(before - missing(executor) <= 2 * FILL_BYTES);
        turns++;
    }
    CHECK(turns >= 16);
    finish(&call);
    munmap(input, 32 * MIB);
    worker_close(executor);
    return 0;
}

/* Let pieces be copied until at least `bytes` are there. */
static void copy_some(struct bight_executor *executor, size_t total, size_t bytes)
{
    while (missing(executor) && total - missing(executor) < bytes)
        CHECK_EQ(bight_yield(), 0);
}

static int a_cancelled_input_is_read_no_further(void *arg)
{
    enum { PIECES = 6 };
    struct bight_executor *executor = worker_open_count(1);
    unsigned char *input = make_input(PIECES * MIB);

    (void)arg;
    for (size_t piece = 0; piece < PIECES; piece++) {
        struct worker_call call, behind = {.executor = executor, .def = &pid_job};

        begin(&call, executor, input, PIECES * MIB);
        worker_spawn(&behind);
        copy_some(executor, PIECES * MIB, piece * MIB);
        if (!missing(executor)) { /* the last two can come in one turn */
            worker_join(&call);
            worker_join(&behind);
            continue;
        }
        CHECK(bight_task_cancel(call.task));
        CHECK_EQ(mprotect(input, PIECES * MIB, PROT_NONE), 0);
        CHECK_EQ(missing(executor), 0);
        worker_join(&call);
        CHECK_EQ(call.rc, BIGHT_ECANCELED);
        CHECK_EQ(call.result.attempts, 0);
        worker_join(&behind);
        CHECK_EQ(behind.rc, 0);
        check_alive(executor);
        CHECK_EQ(mprotect(input, PIECES * MIB, PROT_READ | PROT_WRITE), 0);
    }
    CHECK_EQ(worker_stats(executor).started, 1);
    munmap(input, PIECES * MIB);
    worker_close(executor);
    return 0;
}

static int an_input_may_run_out_of_time(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    unsigned char *input = make_input(64 * MIB);
    struct bight_scope scope;
    int rc;

    (void)arg;
    CHECK_EQ(bight_scope_begin(&scope, 0, 0), 0);
    rc = bight_execute(executor, &echo_job, input, 64 * MIB, NULL);
    CHECK_EQ(rc, BIGHT_ECANCELED);
    CHECK_EQ(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    munmap(input, 64 * MIB);
    check_alive(executor);
    worker_close(executor);
    return 0;
}

/* The job had not begun, whatever was there of it, so it may run again. */
static int a_worker_may_be_killed_at_every_piece(void *arg)
{
    enum { PIECES = 4 };
    struct bight_executor *executor = worker_open_count(1);
    unsigned char *input = make_input(PIECES * MIB);

    (void)arg;
    for (size_t piece = 0; piece < PIECES; piece++) {
        struct worker_call call, behind;

        begin(&call, executor, input, PIECES * MIB);
        begin(&behind, executor, input, MIB + 1); /* the second behind a first */
        copy_some(executor, PIECES * MIB, piece * MIB);
        CHECK_EQ(kill(worker_pid(executor), SIGKILL), 0);
        CHECK_EQ(bight_join(call.task, NULL), 0);
        if (call.rc) { /* it had begun: the last pieces can come in one turn */
            CHECK_EQ(call.rc, BIGHT_EWORKERDIED);
            CHECK_EQ(piece, PIECES - 1);
        } else {
            check_answer(&call);
        }
        worker_join(&behind);
        check_alive(executor);
    }
    CHECK_EQ(worker_stats(executor).died, PIECES);
    munmap(input, PIECES * MIB);
    worker_close(executor);
    return 0;
}

static int wait_for_counter(struct bight_job *job)
{
    (void)job;
    atomic_fetch_add(&worker_shared->running, 1);
    while (!atomic_load(&worker_shared->counter))
        usleep(200);
    return 0;
}

static const struct bight_job_def counter_job = {.name = "counter", .fn = wait_for_counter};

/* Both workers are held; the one that is free first takes what is being copied for the other. */
static int an_input_moves_to_an_idle_worker(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    struct worker_call held = {.executor = executor, .def = &hold_job};
    struct worker_call gate = {.executor = executor, .def = &counter_job};
    unsigned char *input = make_input(16 * MIB);
    struct worker_call calls[2];

    (void)arg;
    worker_spawn(&held);
    worker_spawn(&gate);
    worker_await(&worker_shared->running, 2);
    for (int i = 0; i < 2; i++)
        begin(&calls[i], executor, input, 16 * MIB);
    atomic_store(&worker_shared->counter, 1);
    finish(&calls[0]);
    finish(&calls[1]);
    CHECK(!held.ended);
    atomic_store(&worker_shared->released, 1);
    worker_join(&held);
    worker_join(&gate);
    munmap(input, 16 * MIB);
    worker_close(executor);
    return 0;
}

static int ignore_flag(struct bight_job *job)
{
    (void)job;
    atomic_fetch_add(&worker_shared->running, 1);
    while (pause())
        continue;
    return 0;
}

static const struct bight_job_def deaf_job = {.name = "deaf", .fn = ignore_flag};

static int an_input_behind_an_interrupted_job_goes_elsewhere(void *arg)
{
    struct bight_workers_options options = {
        .workers = 1, .cancel = BIGHT_EXECUTOR_CANCEL_INTERRUPT, .grace_ms = 1};
    struct bight_executor *executor = worker_open(&options);
    struct worker_call deaf = {.executor = executor, .def = &deaf_job}, call;
    unsigned char *input = make_input(16 * MIB);

    (void)arg;
    worker_spawn(&deaf);
    worker_await(&worker_shared->running, 1);
    begin(&call, executor, input, 16 * MIB);
    CHECK(bight_task_cancel(deaf.task));
    CHECK_EQ(usleep(2000), 0); /* its grace is over before the next piece */
    finish(&call);
    worker_join(&deaf);
    CHECK_EQ(deaf.rc, BIGHT_ECANCELED);
    munmap(input, 16 * MIB);
    worker_close(executor);
    return 0;
}

static int an_ending_executor_copies_on(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    unsigned char *input = make_input(8 * MIB);
    struct worker_call call;

    (void)arg;
    begin(&call, executor, input, 8 * MIB);
    worker_close(executor);
    finish(&call);
    munmap(input, 8 * MIB);
    return 0;
}

/* Its task is cancelled, and the executor is freed with the runtime. */
static int a_runtime_may_end_while_an_input_is_copied(void *arg)
{
    static struct worker_call call;
    unsigned char *input = make_input(8 * MIB);

    (void)arg;
    begin(&call, worker_open_count(1), input, 8 * MIB);
    return 0;
}

static int check_input(struct bight_job *job)
{
    unsigned char *expected = make_input(job->input_bytes);

    return memcmp(expected, job->input, job->input_bytes) == 0 ? 0 : -1;
}

static const struct bight_job_def check_job = {.name = "check", .fn = check_input};

static int an_initialiser_has_a_large_input(void *arg)
{
    unsigned char *input = make_input(4 * MIB);
    struct bight_workers_options options = {
        .workers = 2, .init = &check_job, .init_input = input, .init_input_bytes = 4 * MIB};
    struct bight_executor *executor = worker_open(&options), *none = NULL;
    struct bight_scope scope;
    int rc;

    (void)arg;
    check_alive(executor);
    worker_close(executor);
    /* The open is cancelled while the inputs are copied. */
    CHECK_EQ(bight_scope_begin(&scope, 0, 0), 0);
    rc = bight_workers_new(&none, &options);
    CHECK_EQ(rc, BIGHT_ECANCELED);
    CHECK_EQ(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    munmap(input, 4 * MIB);
    return 0;
}

static struct worker *only_worker(struct bight_executor *executor)
{
    return container_of(container_of(executor, struct pool, base)->workers.next, struct worker,
                        link);
}

/* How much of the arena of inputs has memory, from its byte `from` on. */
static size_t resident(const struct worker *worker, size_t from)
{
    static unsigned char pages[64 * MIB / 4096];
    size_t bytes = 64 * MIB - from, count = 0;

    CHECK_EQ(mincore((char *)worker->channel + worker->input_arena + from, bytes, pages), 0);
    for (size_t i = 0; i < bytes / 4096; i++)
        count += pages[i] & 1;
    return count * 4096;
}

static int memory_goes_back_when_it_is_not_used(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    unsigned char *input = make_input(24 * MIB);
    struct worker_call call;
    uint64_t begun_ns;

    (void)arg;
    for (int i = 0; i < 2; i++) {
        begun_ns = bight_now_ns();
        begin(&call, executor, input, 24 * MIB);
        finish(&call);
        CHECK_EQ(bight_sleep(i ? 0 : 20), 0);
        CHECK(bight_now_ns() - begun_ns > 900000000 ||
              resident(only_worker(executor), 0) >= 24 * MIB);
    }
    while (resident(only_worker(executor), 16 * MIB) > 0) {
        check_alive(executor); /* a worker need not be idle for it */
        CHECK_EQ(bight_sleep(1), 0);
    }
    CHECK(bight_now_ns() - begun_ns >= 1000000000);
    CHECK_EQ(resident(only_worker(executor), 0), 16 * MIB);
    begin(&call, executor, input, 24 * MIB);
    finish(&call);
    munmap(input, 24 * MIB);
    worker_close(executor);
    return 0;
}

static int use_under_a_test_s_clock(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    unsigned char *input = make_input(24 * MIB);
    struct worker_call call;

    (void)arg;
    begin(&call, executor, input, 24 * MIB);
    finish(&call);
    CHECK(link_empty(&only_worker(executor)->trim.link));
    munmap(input, 24 * MIB);
    worker_close(executor);
    return 0;
}

static int a_test_s_clock_does_not_stop_for_it(void)
{
    return bight_test_run(NULL, use_under_a_test_s_clock, NULL, NULL);
}

static const struct suite_case cases[] = {
    worker_case(bytes_around_a_piece_come_back, 0),
    worker_case(others_run_between_the_pieces, 0),
    worker_case(a_cancelled_input_is_read_no_further, 0),
    worker_case(an_input_may_run_out_of_time, 0),
    worker_case(a_worker_may_be_killed_at_every_piece, 0),
    worker_case(an_input_moves_to_an_idle_worker, 0),
    worker_case(an_input_behind_an_interrupted_job_goes_elsewhere, 0),
    worker_case(an_ending_executor_copies_on, 0),
    worker_case(a_runtime_may_end_while_an_input_is_copied, 0),
    worker_case(an_initialiser_has_a_large_input, 0),
    worker_case(memory_goes_back_when_it_is_not_used, 0),
    worker_plain(a_test_s_clock_does_not_stop_for_it, 0),
};

worker_suite("workers_large", cases);
