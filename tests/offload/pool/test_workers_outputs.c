/* Large outputs, which come as descriptors: their bytes and their order, want of descriptors and of
 * memory on either side, workers that send what they should not. Every case counts descriptors. */
#include "tests/offload/worker_cases.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "offload/wire/channel.h"

#define MIB ((size_t)1 << 20)

/* What a job should make. */
struct order {
    size_t reserved;
    size_t bytes;
    unsigned char first;
};

static void fill_in(unsigned char *at, size_t bytes, unsigned char first)
{
    for (size_t i = 0; i < bytes; i += 1021)
        at[i] = (unsigned char)(first + i / 1021);
}

static int make(struct bight_job *job)
{
    const struct order *order = job->input;
    void *room;
    int rc = bight_job_output_reserve(job, order->reserved, &room);

    if (rc)
        return rc;
    memset(room, 0, order->bytes);
    fill_in(room, order->bytes, order->first);
    return bight_job_output_commit(job, order->bytes);
}

static const struct bight_job_def make_job = {.name = "make", .fn = make};

static void check_output(const struct bight_result *result, const struct order *order)
{
    const unsigned char *bytes = result->output;

    CHECK_EQ(result->output_bytes, order->bytes);
    for (size_t i = 0; i < order->bytes; i++)
        CHECK_EQ(bytes[i], i % 1021 ? 0 : (unsigned char)(order->first + i / 1021));
}

static int run(struct bight_executor *executor, const struct bight_job_def *def, struct order order,
               struct bight_result *result)
{
    return bight_execute(executor, def, &order, sizeof order, result);
}

/* The executor still has its first worker. */
static void check_unharmed(struct bight_executor *executor)
{
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    CHECK_EQ(worker_stats(executor).started, 1);
}

static int outputs_of_all_sizes_come(void *arg)
{
    static const struct order orders[] = {
        {2 * MIB, 2 * MIB, 1},  {MIB + 1, MIB + 1, 2},   {MIB, MIB, 3},
        {8 * MIB, 100, 4},      {2 * MIB, MIB, 5},       {8 * MIB, 0, 6},
        {64 * MIB, 5 * MIB, 7}, {64 * MIB, 64 * MIB, 8},
    };
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        int before = worker_open_fds();

        CHECK_EQ(run(executor, &make_job, orders[i], &result), 0);
        CHECK_EQ(worker_open_fds(), before);
        check_output(&result, &orders[i]);
        if (result.output_bytes)
            memset(result.output, 1, result.output_bytes); /* it is the caller's */
        bight_result_free(&result);
        CHECK(!result.output && !result.mapped_bytes);
        CHECK_EQ(run(executor, &make_job, orders[i], NULL), 0);
    }
    check_unharmed(executor);
    worker_close(executor);
    return 0;
}

static int append_and_clear(struct bight_job *job)
{
    static unsigned char piece[300000];

    for (int round = 0; round < 2; round++) {
        bight_job_output_clear(job);
        for (unsigned i = 0; i < 40; i++) {
            memset(piece, (int)i + round, sizeof piece);
            if (bight_job_output_append(job, piece, sizeof piece))
                return -1;
        }
    }
    return bight_job_output_append(job, "end", 3);
}

static const struct bight_job_def append_job = {.name = "append and clear", .fn = append_and_clear};

static int an_output_grows_into_its_file(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;
    const unsigned char *bytes;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &append_job, NULL, 0, &result), 0);
    CHECK_EQ(result.output_bytes, 40 * 300000 + 3);
    bytes = result.output;
    for (size_t i = 0; i < 40 * 300000; i++)
        CHECK_EQ(bytes[i], i / 300000 + 1);
    CHECK(memcmp(bytes + 40 * 300000, "end", 3) == 0);
    worker_close(executor);
    CHECK_EQ(bytes[0], 1); /* the result outlives its executor */
    bight_result_free(&result);
    return 0;
}

enum { CALLS = 12 };

/* One worker has CALLS jobs in its ring, every third of a small output, and does them while the
 * loop stands still. */
static void run_row(struct bight_executor *executor, struct worker_call *calls,
                    struct order *orders)
{
    struct worker_call held = {.executor = executor, .def = &hold_job};
    struct worker_call *last = &calls[CALLS - 1];

    atomic_store(&worker_shared->running, 0);
    atomic_store(&worker_shared->released, 0);
    worker_spawn(&held);
    worker_await(&worker_shared->running, 1);
    for (int i = 0; i < CALLS; i++) {
        orders[i] = (struct order){2 * MIB, i % 3 ? MIB + 1 + (size_t)i : 100, (unsigned char)i};
        calls[i] = (struct worker_call){.executor = executor,
                                        .def = i == CALLS - 1 ? &hold_job : &make_job,
                                        .input = &orders[i],
                                        .input_bytes = sizeof orders[i]};
        worker_spawn(&calls[i]);
    }
    while (worker_stats(executor).jobs < CALLS + 1)
        CHECK_EQ(bight_yield(), 0);
    atomic_store(&worker_shared->released, 1);
    while (atomic_load(&worker_shared->running) < 2)
        usleep(1000);
    worker_join(&held);
    worker_join(last);
    CHECK_EQ(last->rc, 0);
}

static int descriptors_come_in_the_order_of_jobs(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct worker_call calls[CALLS];
    struct order orders[CALLS];

    (void)arg;
    run_row(executor, calls, orders);
    for (int i = 0; i < CALLS - 1; i++) {
        CHECK_EQ(bight_join(calls[i].task, NULL), 0);
        CHECK_EQ(calls[i].rc, 0);
        check_output(&calls[i].result, &orders[i]);
        bight_result_free(&calls[i].result);
    }
    check_unharmed(executor);
    worker_close(executor);
    return 0;
}

static struct rlimit limit_descriptors(int more)
{
    struct rlimit before, now;
    int next = dup(0);

    CHECK(next >= 0);
    close(next);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = before;
    now.rlim_cur = (rlim_t)next + (rlim_t)more;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
    return before;
}

/* One free descriptor is enough for all. */
static int want_of_descriptors_is_not_the_worker_s_fault(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct worker_call calls[CALLS];
    struct order orders[CALLS];

    (void)arg;
    for (int more = 0; more < 2; more++) {
        struct rlimit before = limit_descriptors(more);

        run_row(executor, calls, orders);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
        for (int i = 0; i < CALLS - 1; i++) {
            CHECK_EQ(bight_join(calls[i].task, NULL), 0);
            CHECK_EQ(calls[i].rc, more || i % 3 == 0 ? 0 : BIGHT_EMFILE);
            CHECK_EQ(calls[i].result.attempts, 1);
            if (calls[i].rc == 0)
                check_output(&calls[i].result, &orders[i]);
            else
                CHECK(!calls[i].result.output);
            bight_result_free(&calls[i].result);
        }
        check_unharmed(executor);
    }
    worker_close(executor);
    return 0;
}

/* In a worker: `make` with a limit that leaves no file for an output. */
static int make_within(struct bight_job *job, int resource, rlim_t limit)
{
    struct rlimit before, now;
    int rc;

    if (getrlimit(resource, &before))
        return -1;
    now = (struct rlimit){limit, before.rlim_max};
    if (setrlimit(resource, &now))
        return -1;
    rc = make(job);
    return setrlimit(resource, &before) ? -1 : rc;
}

static int make_without_descriptors(struct bight_job *job)
{
    return make_within(job, RLIMIT_NOFILE, 4);
}

static int make_without_files(struct bight_job *job)
{
    return make_within(job, RLIMIT_FSIZE, MIB);
}

static const struct bight_job_def no_descriptors_job = {.name = "no descriptors",
                                                        .fn = make_without_descriptors};
static const struct bight_job_def no_files_job = {.name = "no files", .fn = make_without_files};

static int a_worker_without_descriptors_uses_its_arena(void *arg)
{
    static const struct bight_job_def *const defs[] = {&no_descriptors_job, &no_files_job};
    static const struct order small = {3 * MIB, 3 * MIB, 9}, large = {8 * MIB, 8 * MIB, 10};
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(run(executor, defs[i], small, &result), 0);
        check_output(&result, &small);
        CHECK_EQ(result.mapped_bytes, 0);
        bight_result_free(&result);
        CHECK_EQ(run(executor, defs[i], large, &result), BIGHT_EJOBFAILED);
        CHECK_EQ(result.code, BIGHT_ENOMEM);
        CHECK_EQ(run(executor, &make_job, large, &result), 0);
        check_output(&result, &large);
        bight_result_free(&result);
    }
    check_unharmed(executor);
    worker_close(executor);
    return 0;
}

/* Closes what is not its own, and has another file of that number. */
static int make_and_close(struct bight_job *job)
{
    int rc = make(job), null;

    for (int fd = 4; fd < 64; fd++)
        close(fd);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    return rc ? rc : null;
}

/* A child has the output mapped for longer than the job runs. */
static int make_and_fork(struct bight_job *job)
{
    int rc = make(job);

    if (fork() == 0) {
        usleep(50000);
        _exit(0);
    }
    return rc;
}

static int is_open(struct bight_job *job)
{
    return fcntl(*(const int *)job->input, F_GETFD) >= 0;
}

static const struct bight_job_def closing_job = {.name = "make and close", .fn = make_and_close};
static const struct bight_job_def forking_job = {.name = "make and fork", .fn = make_and_fork};
static const struct bight_job_def is_open_job = {.name = "is open", .fn = is_open};

static int what_a_job_does_to_its_file_does_no_harm(void *arg)
{
    static const struct order order = {6 * MIB, 5 * MIB, 11};
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;
    int fd;

    (void)arg;
    CHECK_EQ(run(executor, &closing_job, order, &result), 0);
    check_output(&result, &order);
    fd = result.code;
    bight_result_free(&result);
    CHECK_EQ(bight_execute(executor, &is_open_job, &fd, sizeof fd, &result), 0);
    CHECK_EQ(result.code, 1);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(run(executor, &forking_job, order, &result), 0);
        check_output(&result, &order);
        bight_result_free(&result);
    }
    check_unharmed(executor);
    worker_close(executor);
    return 0;
}

static int make_too_much(struct bight_job *job)
{
    void *room;
    int rc = make(job);

    return rc ? rc : bight_job_output_reserve(job, 64 * MIB, &room) == BIGHT_ETOOBIG ? 0 : -1;
}

static const struct bight_job_def too_much_job = {.name = "make too much", .fn = make_too_much};

static int an_output_may_become_too_large(void *arg)
{
    static const struct order order = {6 * MIB, 5 * MIB, 12};
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(run(executor, &too_much_job, order, &result), BIGHT_ETOOBIG);
        CHECK_EQ(result.output_bytes, 0);
    }
    worker_check_fds(executor); /* nothing is left open in the worker either */
    check_unharmed(executor);
    worker_close(executor);
    return 0;
}

/* A caller that was cancelled while the job ran, whose output comes all the same. */
static int hold_and_make(struct bight_job *job)
{
    atomic_fetch_add(&worker_shared->running, 1);
    while (!atomic_load(&worker_shared->released))
        usleep(500);
    return make(job);
}

static const struct bight_job_def hold_make_job = {.name = "hold and make", .fn = hold_and_make};

static int an_output_comes_to_who_was_cancelled(void *arg)
{
    static const struct order order = {6 * MIB, 5 * MIB, 13};
    struct bight_executor *executor = worker_open_count(1);
    struct worker_call call = {
        .executor = executor, .def = &hold_make_job, .input = &order, .input_bytes = sizeof order};

    (void)arg;
    worker_spawn(&call);
    worker_await(&worker_shared->running, 1);
    CHECK(bight_task_cancel(call.task));
    CHECK_EQ(bight_yield(), 0);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(bight_join(call.task, NULL), 0);
    CHECK_EQ(call.rc, 0);
    check_output(&call.result, &order);
    bight_result_free(&call.result);
    worker_close(executor);
    return 0;
}

#define SMALL 1500

/* More of them than are kept, then from what is kept; freed by the runtime, and after its end. */
static int small_outputs(void *arg)
{
    static struct bight_result results[SMALL];
    struct bight_executor *executor = worker_open_count(1);

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < SMALL; i++) {
            CHECK_EQ(bight_execute(executor, &echo_job, &i, sizeof i, &results[i]), 0);
            CHECK_EQ(*(int *)results[i].output, i);
        }
        for (int i = 0; i < SMALL; i++)
            CHECK_EQ(*(int *)results[i].output, i);
        for (int i = 0; i < SMALL; i++)
            bight_result_free(&results[i]);
    }
    CHECK_EQ(bight_execute(executor, &echo_job, "small", 6, arg), 0);
    worker_close(executor);
    return 0;
}

static int small_outputs_outlive_their_runtime(void)
{
    struct bight_result result;

    CHECK_EQ(bight_run(small_outputs, &result), 0);
    CHECK_EQ(result.output_bytes, 6);
    CHECK(strcmp(result.output, "small") == 0);
    bight_result_free(&result);
    return 0;
}

static const struct suite_case cases[] = {
    worker_plain(small_outputs_outlive_their_runtime, 0),
    worker_case(outputs_of_all_sizes_come, 0),
    worker_case(an_output_grows_into_its_file, 0),
    worker_case(descriptors_come_in_the_order_of_jobs, 0),
    worker_case(want_of_descriptors_is_not_the_worker_s_fault, 0),
    worker_case(a_worker_without_descriptors_uses_its_arena, 0),
    worker_case(what_a_job_does_to_its_file_does_no_harm, 0),
    worker_case(an_output_may_become_too_large, 0),
    worker_case(an_output_comes_to_who_was_cancelled, 0),
};

worker_suite("workers_outputs", cases);
