/* Jobs in worker processes that live: bytes in and out, failures, limits, order. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void fill(unsigned char *bytes, size_t count, unsigned seed)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)(seed + i * 7 + (i >> 12));
}

static int bytes_of_all_sizes_come_back(void *arg)
{
    static const size_t sizes[] = {0, 1, 447, 448, 449, 65536, 65537, 8u << 20};
    struct bight_executor *executor = worker_open_count(2);

    (void)arg;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *bytes = malloc(sizes[i] + 1);
        struct bight_result result;

        fill(bytes, sizes[i], (unsigned)i);
        CHECK_EQ(bight_execute(executor, &echo_job, bytes, sizes[i], &result), 0);
        CHECK_EQ(result.code, 0);
        CHECK_EQ(result.attempts, 1);
        CHECK_EQ(result.output_bytes, sizes[i]);
        CHECK((result.output != NULL) == (sizes[i] > 0));
        CHECK(sizes[i] == 0 || memcmp(result.output, bytes, sizes[i]) == 0);
        bight_result_free(&result);
        CHECK(!result.output);
        free(bytes);
    }
    worker_close(executor);
    return 0;
}

/* The output grows in steps, in place and by moving. */
static int piecewise(struct bight_job *job)
{
    size_t bytes = *(size_t *)job->input;
    unsigned char chunk[1000];
    void *room;

    for (size_t done = 0; done < bytes;) {
        size_t part = bytes - done < sizeof chunk ? bytes - done : sizeof chunk;

        memset(chunk, (int)(done >> 10), part);
        if (done & 1) {
            if (bight_job_output_append(job, chunk, part))
                return BIGHT_EIO;
        } else {
            if (bight_job_output_reserve(job, part + 77, &room))
                return BIGHT_EIO;
            memcpy(room, chunk, part);
            if (bight_job_output_commit(job, part))
                return BIGHT_EIO;
        }
        done += part;
    }
    return 3;
}

static const struct bight_job_def piecewise_job = {.name = "piecewise", .fn = piecewise};

static int outputs_grow_piece_by_piece(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);

    (void)arg;
    for (size_t bytes = 100; bytes < 3000000; bytes = bytes * 3 + 1) {
        struct bight_result result;

        CHECK_EQ(bight_execute(executor, &piecewise_job, &bytes, sizeof bytes, &result), 0);
        CHECK_EQ(result.code, 3);
        CHECK_EQ(result.output_bytes, bytes);
        for (size_t i = 0; i < bytes; i++)
            CHECK_EQ(((unsigned char *)result.output)[i], (unsigned char)(i / 1000 * 1000 >> 10));
        bight_result_free(&result);
    }
    worker_close(executor);
    return 0;
}

/* More large payloads at once than the arenas hold: both sides have to wait for room. */
static int many_large_payloads_share_small_arenas(void *arg)
{
    enum { CALLS = 200, BYTES = 300000 };
    struct bight_workers_options options = {.workers = 2, .payload_max_bytes = 400000};
    struct bight_executor *executor = worker_open(&options);
    struct worker_call *calls = calloc(CALLS, sizeof *calls);
    unsigned char *bytes = malloc(BYTES + CALLS);

    (void)arg;
    fill(bytes, BYTES + CALLS, 5);
    for (int i = 0; i < CALLS; i++) {
        size_t size = i % 3 == 0 ? BYTES : (size_t)(i * 150);

        calls[i] = (struct worker_call){
            .executor = executor, .def = &echo_job, .input = bytes + i, .input_bytes = size};
        worker_spawn(&calls[i]);
    }
    for (int i = 0; i < CALLS; i++) {
        CHECK_EQ(bight_join(calls[i].task, NULL), 0);
        CHECK_EQ(calls[i].rc, 0);
        CHECK_EQ(calls[i].result.output_bytes, calls[i].input_bytes);
        CHECK(calls[i].input_bytes == 0 ||
              memcmp(calls[i].result.output, bytes + i, calls[i].input_bytes) == 0);
        bight_result_free(&calls[i].result);
    }
    worker_close(executor);
    free(calls);
    free(bytes);
    return 0;
}

static int fails_with_bytes(struct bight_job *job)
{
    if (bight_job_output_append(job, "half a result", 13))
        return BIGHT_EIO;
    bight_job_output_clear(job);
    if (bight_job_output_append(job, "the reason", 10))
        return BIGHT_EIO;
    return -77;
}

static const struct bight_job_def failing_job = {.name = "failing", .fn = fails_with_bytes};

static int a_failing_job_gives_its_code_and_bytes(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &failing_job, NULL, 0, &result), BIGHT_EJOBFAILED);
    CHECK_EQ(result.code, -77);
    CHECK_EQ(result.output_bytes, 10);
    CHECK(memcmp(result.output, "the reason", 10) == 0);
    bight_result_free(&result);
    CHECK_EQ(bight_execute(executor, &failing_job, NULL, 0, NULL), BIGHT_EJOBFAILED);
    worker_close(executor);
    return 0;
}

static int a_definition_on_the_stack_is_unknown(void *arg)
{
    struct bight_job_def local = {.name = "local", .fn = fails_with_bytes};
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &local, NULL, 0, &result), BIGHT_EUNKNOWNJOB);
    CHECK_EQ(result.attempts, 0);
    worker_close(executor);
    return 0;
}

/* Renamed after the worker was forked: the worker's copy has another name. */
static struct bight_job_def renamed_job = {.name = "old name", .fn = fails_with_bytes};

static int a_definition_of_another_name_is_unknown(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    renamed_job.name = "new name";
    CHECK_EQ(bight_execute(executor, &renamed_job, "x", 1, &result), BIGHT_EUNKNOWNJOB);
    CHECK_EQ(result.attempts, 0);
    CHECK_EQ(bight_execute(executor, &renamed_job, "x", 1, &result), BIGHT_EUNKNOWNJOB);
    CHECK_EQ(bight_execute(executor, &echo_job, "x", 1, NULL), 0);
    worker_close(executor);
    return 0;
}

/* The worker's copy is of the version before. */
static struct bight_job_def changed_job = {.name = "changed", .fn = fails_with_bytes, .version = 1};

static int a_definition_of_another_version_is_unknown(void *arg)
{
    struct bight_executor *before = worker_open_count(1), *after;
    struct bight_result result;

    (void)arg;
    CHECK_EQ(bight_execute(before, &changed_job, "x", 1, &result), BIGHT_EJOBFAILED);
    bight_result_free(&result);
    worker_close(before);
    changed_job.version = 2;
    after = worker_open_count(1);
    CHECK_EQ(bight_execute(after, &changed_job, "x", 1, &result), BIGHT_EUNKNOWNJOB);
    CHECK_EQ(result.attempts, 0);
    worker_close(after);
    return 0;
}

static int invalid_calls_are_refused(void *arg)
{
    static const struct bight_job_def nameless = {.name = "", .fn = fails_with_bytes};
    static const struct bight_job_def flagged = {
        .name = "flagged", .fn = fails_with_bytes, .flags = 128};
    static const struct bight_job_def empty = {.name = "empty"};
    struct bight_executor *executor = worker_open_count(1);
    struct bight_executor *none = NULL;

    (void)arg;
    CHECK_EQ(bight_execute(executor, NULL, NULL, 0, NULL), BIGHT_EINVAL);
    CHECK_EQ(bight_execute(executor, &nameless, NULL, 0, NULL), BIGHT_EINVAL);
    CHECK_EQ(bight_execute(executor, &flagged, NULL, 0, NULL), BIGHT_EINVAL);
    CHECK_EQ(bight_execute(executor, &empty, NULL, 0, NULL), BIGHT_EINVAL);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 1, NULL), BIGHT_EINVAL);
    worker_close(executor);
    CHECK_EQ(bight_workers_new(&none, &(struct bight_workers_options){.workers = 1025}),
             BIGHT_EINVAL);
    CHECK_EQ(bight_workers_new(&none, &(struct bight_workers_options){.payload_max_bytes = 10}),
             BIGHT_EINVAL);
    CHECK_EQ(bight_workers_new(&none, &(struct bight_workers_options){.grace_ms = -1}),
             BIGHT_EINVAL);
    CHECK(!none);
    return 0;
}

static int too_much_is_refused_on_both_ways(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .payload_max_bytes = 100000};
    struct bight_executor *executor = worker_open(&options);
    size_t most = 100000, more = 100001;
    char *bytes = calloc(1, more);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &echo_job, bytes, most, &result), 0);
    CHECK_EQ(result.output_bytes, most);
    bight_result_free(&result);
    CHECK_EQ(bight_execute(executor, &echo_job, bytes, more, &result), BIGHT_ETOOBIG);
    CHECK_EQ(result.attempts, 0);
    CHECK_EQ(bight_execute(executor, &piecewise_job, &more, sizeof more, &result), BIGHT_ETOOBIG);
    CHECK_EQ(result.attempts, 1);
    CHECK_EQ(result.output_bytes, 0);
    free(bytes);
    worker_close(executor);
    return 0;
}

static int a_full_executor_refuses(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .queue_max = 2};
    struct bight_executor *executor = worker_open(&options);
    struct worker_call calls[3] = {{0}};

    (void)arg;
    for (int i = 0; i < 3; i++) {
        calls[i] = (struct worker_call){.executor = executor, .def = &hold_job};
        worker_spawn(&calls[i]);
    }
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), BIGHT_EFULL);
    CHECK_EQ(worker_stats(executor).jobs, 3);
    atomic_store(&worker_shared->released, 1);
    for (int i = 0; i < 3; i++) {
        worker_join(&calls[i]);
        CHECK_EQ(calls[i].rc, 0);
    }
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    worker_close(executor);
    return 0;
}

static int note_order(struct bight_job *job)
{
    int place = atomic_fetch_add(&worker_shared->counter, 1);

    atomic_store(&worker_shared->flags[place], *(int *)job->input);
    return 0;
}

static const struct bight_job_def order_job = {.name = "order", .fn = note_order};

static int one_worker_runs_jobs_in_order(void *arg)
{
    enum { CALLS = 1000 };
    struct bight_executor *executor = worker_open_count(1);
    struct worker_call *calls = calloc(CALLS, sizeof *calls);
    int *numbers = calloc(CALLS, sizeof *numbers);

    (void)arg;
    for (int i = 0; i < CALLS; i++) {
        numbers[i] = i;
        calls[i] = (struct worker_call){
            .executor = executor, .def = &order_job, .input = &numbers[i], .input_bytes = 4};
        worker_spawn(&calls[i]);
        for (struct bight_executor_stats stats = {0}; stats.jobs + stats.ended < (size_t)i + 1;) {
            CHECK_EQ(bight_yield(), 0); /* tasks may overtake each other on the way in */
            stats = worker_stats(executor);
        }
    }
    for (int i = 0; i < CALLS; i++) {
        worker_join(&calls[i]);
        CHECK_EQ(calls[i].rc, 0);
        CHECK_EQ(atomic_load(&worker_shared->flags[i]), i);
    }
    CHECK_EQ(worker_stats(executor).ended, CALLS);
    worker_close(executor);
    free(calls);
    free(numbers);
    return 0;
}

/* One worker is held up with jobs behind its running one: the others get them. */
static int jobs_behind_a_long_one_go_to_idle_workers(void *arg)
{
    enum { CALLS = 40 };
    struct bight_executor *executor = worker_open_count(2);
    struct worker_call held = {.executor = executor, .def = &hold_job};
    struct worker_call calls[CALLS];

    (void)arg;
    worker_spawn(&held);
    worker_await(&worker_shared->running, 1);
    for (int i = 0; i < CALLS; i++) {
        calls[i] = (struct worker_call){.executor = executor, .def = &echo_job};
        worker_spawn(&calls[i]);
    }
    for (int i = 0; i < CALLS; i++) {
        worker_join(&calls[i]);
        CHECK_EQ(calls[i].rc, 0);
    }
    CHECK(!held.ended);
    atomic_store(&worker_shared->released, 1);
    worker_join(&held);
    CHECK_EQ(held.rc, 0);
    worker_close(executor);
    return 0;
}

static int init_table(struct bight_job *job)
{
    static char copy[32];

    memcpy(copy, job->input, job->input_bytes);
    bight_job_set_local(job, copy);
    return 0;
}

static int read_table(struct bight_job *job)
{
    return bight_job_output_append(job, job->local, strlen(job->local));
}

static const struct bight_job_def init_job = {.name = "init", .fn = init_table};
static const struct bight_job_def read_job = {.name = "read", .fn = read_table};

static int the_initialiser_sets_what_jobs_find(void *arg)
{
    char input[] = "a table";
    struct bight_workers_options options = {
        .workers = 2, .init = &init_job, .init_input = input, .init_input_bytes = sizeof input};
    struct bight_executor *executor = worker_open(&options);

    (void)arg;
    memset(input, 'x', sizeof input); /* it was copied */
    for (int i = 0; i < 4; i++) {
        struct bight_result result;

        CHECK_EQ(bight_execute(executor, &read_job, NULL, 0, &result), 0);
        CHECK_EQ(result.output_bytes, 7);
        CHECK(memcmp(result.output, "a table", 7) == 0);
        bight_result_free(&result);
    }
    worker_close(executor);
    return 0;
}

static int init_fails(struct bight_job *job)
{
    (void)job;
    return -9;
}

static const struct bight_job_def bad_init_job = {.name = "bad init", .fn = init_fails};

static int a_failing_initialiser_fails_the_executor(void *arg)
{
    struct bight_workers_options options = {.workers = 3, .init = &bad_init_job};
    struct bight_executor *executor = NULL;

    (void)arg;
    CHECK_EQ(bight_workers_new(&executor, &options), BIGHT_EINITFAILED);
    CHECK(!executor);
    return 0;
}

/* Succeeds for the first worker only. */
static int init_once(struct bight_job *job)
{
    (void)job;
    return atomic_fetch_add(&worker_shared->counter, 1) ? -9 : 0;
}

static const struct bight_job_def init_once_job = {.name = "init once", .fn = init_once};

static int a_later_failure_of_the_initialiser_ends_the_queue(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .init = &init_once_job};
    struct bight_executor *executor = worker_open(&options);
    struct worker_call held = {.executor = executor, .def = &hold_job};
    struct worker_call next = {.executor = executor, .def = &echo_job};

    (void)arg;
    worker_spawn(&held);
    worker_spawn(&next);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(kill(worker_pid(executor), 9), 0);
    CHECK_EQ(bight_join(next.task, NULL), 0);
    CHECK_EQ(next.rc, BIGHT_EINITFAILED);
    CHECK_EQ(next.result.code, -9);
    CHECK_EQ(next.result.attempts, 0);
    worker_join(&held);
    CHECK_EQ(held.rc, BIGHT_EWORKERDIED);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), BIGHT_EINITFAILED);
    worker_close(executor);
    return 0;
}

static int two_executors_work_side_by_side(void *arg)
{
    struct bight_executor *first = worker_open_count(1);
    struct bight_executor *second = worker_open_count(1);
    struct bight_result a, b;

    (void)arg;
    CHECK_EQ(bight_execute(first, &pid_job, NULL, 0, &a), 0);
    CHECK_EQ(bight_execute(second, &pid_job, NULL, 0, &b), 0);
    CHECK(a.code != b.code);
    CHECK_EQ(a.code, worker_pid(first));
    CHECK_EQ(worker_stats(first).zygote_pid, worker_stats(second).zygote_pid);
    worker_close(first);
    CHECK_EQ(bight_execute(second, &echo_job, NULL, 0, NULL), 0);
    worker_close(second);
    return 0;
}

static int a_burst_of_thousands_ends_exactly(void *arg)
{
    enum { CALLS = 4000 };
    struct bight_workers_options options = {.workers = 2, .queue_max = CALLS};
    struct bight_executor *executor = worker_open(&options);
    struct worker_call *calls = calloc(CALLS, sizeof *calls);

    (void)arg;
    for (int i = 0; i < CALLS; i++) {
        calls[i] = (struct worker_call){
            .executor = executor, .def = &echo_job, .input = &calls[i], .input_bytes = 16};
        worker_spawn(&calls[i]);
    }
    for (int i = 0; i < CALLS; i++) {
        CHECK_EQ(bight_join(calls[i].task, NULL), 0);
        CHECK_EQ(calls[i].rc, 0);
        CHECK_EQ(calls[i].result.output_bytes, 16);
        bight_result_free(&calls[i].result);
    }
    CHECK_EQ(worker_stats(executor).ended, CALLS);
    CHECK_EQ(worker_stats(executor).jobs, 0);
    worker_close(executor);
    free(calls);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(bytes_of_all_sizes_come_back, 0),
    worker_case(outputs_grow_piece_by_piece, 0),
    worker_case(many_large_payloads_share_small_arenas, 0),
    worker_case(a_failing_job_gives_its_code_and_bytes, 0),
    worker_case(a_definition_on_the_stack_is_unknown, 0),
    worker_case(a_definition_of_another_name_is_unknown, 0),
    worker_case(a_definition_of_another_version_is_unknown, 0),
    worker_case(invalid_calls_are_refused, 0),
    worker_case(too_much_is_refused_on_both_ways, 0),
    worker_case(a_full_executor_refuses, 0),
    worker_case(one_worker_runs_jobs_in_order, 0),
    worker_case(jobs_behind_a_long_one_go_to_idle_workers, 0),
    worker_case(the_initialiser_sets_what_jobs_find, 0),
    worker_case(a_failing_initialiser_fails_the_executor, 0),
    worker_case(a_later_failure_of_the_initialiser_ends_the_queue, 0),
    worker_case(two_executors_work_side_by_side, 0),
    worker_case(a_burst_of_thousands_ends_exactly, 0),
};

worker_suite("workers_jobs", cases);
