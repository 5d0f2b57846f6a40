/* Worker processes: calls and maps, which process runs them, what stays of their inputs. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAIRS 40
#define CROWD 100
#define MIB ((size_t)1 << 20)

static int multiply(struct bight_job *job)
{
    const int *pair = job->input;
    int product = pair[0] * pair[1];

    return bight_job_output_append(job, &product, sizeof product);
}

static int hold_if_last(struct bight_job *job)
{
    return *(int *)job->input == 2 ? hold_job.fn(job) : 0;
}

/* Reads all of its input; returns how many KiB of memory the worker then has of what it shares. */
static int read_all(struct bight_job *job)
{
    const unsigned char *input = job->input;
    unsigned sum = 0;

    for (size_t i = 0; i < job->input_bytes; i += 1024)
        sum += input[i];
    return sum == job->input_bytes / 1024 ? (int)worker_status_of(getpid(), "RssShmem:") : -1;
}

static const struct bight_job_def multiply_job = {.name = "multiply", .fn = multiply};
static const struct bight_job_def hold_if_last_job = {.name = "hold if last", .fn = hold_if_last};
static const struct bight_job_def read_all_job = {.name = "read all", .fn = read_all};

/* Gives so many pairs of numbers: (0, 7), (1, 8) and on. */
struct pairs {
    int given;
    int count;
    int pair[2];
};

static int next_pair(void *arg, const void **input, size_t *input_bytes)
{
    struct pairs *pairs = arg;

    if (pairs->given == pairs->count)
        return 0;
    pairs->pair[0] = pairs->given++;
    pairs->pair[1] = pairs->pair[0] + 7;
    *input = pairs->pair;
    *input_bytes = sizeof pairs->pair;
    return 1;
}

static void map_in_chunks(struct bight_executor *executor, size_t chunk)
{
    struct bight_job_map_options options = {.chunk = chunk};
    struct pairs pairs = {.count = PAIRS};
    struct bight_job_map_item item;
    struct bight_job_map map;

    CHECK_EQ(bight_job_map_begin(&map, executor, &multiply_job, next_pair, &pairs, &options), 0);
    for (int i = 0; i < PAIRS; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        CHECK_EQ(item.index, i);
        CHECK_EQ(item.status, 0);
        CHECK_EQ(item.output_bytes, sizeof(int));
        CHECK_EQ(*(const int *)item.output, i * (i + 7));
    }
    CHECK_EQ(bight_job_map_next(&map, &item), BIGHT_ECLOSED);
    CHECK_EQ(bight_job_map_end(&map), 0);
}

/* A chunk of 0 is one that nobody asked for: the default. */
static int ppool_03_chunks_of_any_size_give_one_list(void *arg)
{
    struct bight_job_map_options negative = {.chunk = (size_t)-1};
    struct bight_executor *executor = worker_open_count(2);
    struct pairs pairs = {.count = PAIRS};
    struct bight_job_map map;

    (void)arg;
    map_in_chunks(executor, 6);
    map_in_chunks(executor, 50);
    map_in_chunks(executor, PAIRS);
    map_in_chunks(executor, 0);
    CHECK_EQ(bight_job_map_begin(&map, executor, &multiply_job, next_pair, &pairs, &negative),
             BIGHT_EINVAL);
    worker_close(executor);
    return 0;
}

/* The time is over when two results were taken. The third comes with the next call. */
static int ppool_05_results_can_be_taken_until_the_time_is_over(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    struct pairs pairs = {.count = 3};
    struct bight_job_map_item item;
    struct bight_scope scope;
    struct bight_job_map map;

    (void)arg;
    CHECK_EQ(bight_job_map_begin(&map, executor, &hold_if_last_job, next_pair, &pairs, NULL), 0);
    CHECK_EQ(bight_scope_begin(&scope, 60000, 0), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(bight_job_map_next(&map, &item), 0);
        CHECK_EQ(item.index, i);
        CHECK_EQ(item.status, 0);
    }
    worker_await(&worker_shared->running, 1);
    bight_scope_set_timeout(&scope, 20);
    CHECK_EQ(bight_job_map_next(&map, &item), BIGHT_ECANCELED);
    CHECK_EQ(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(bight_job_map_next(&map, &item), 0);
    CHECK_EQ(item.index, 2);
    CHECK_EQ(bight_job_map_next(&map, &item), BIGHT_ECLOSED);
    CHECK_EQ(bight_job_map_end(&map), 0);
    worker_close(executor);
    return 0;
}

static int ppool_09_an_idle_process_is_used_again(void *arg)
{
    struct bight_workers_options options = {.workers = 4, .idle_ms = -1};
    struct bight_executor *executor = worker_open(&options);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(worker_stats(executor).started, 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(bight_execute(executor, &pid_job, NULL, 0, &result), 0);
        CHECK_EQ(result.code, worker_pid(executor));
        CHECK_EQ(worker_stats(executor).started, 1);
    }
    worker_close(executor);
    return 0;
}

/* What is shared is the memory of the channel, in which inputs lie. 16 MiB of it stay. */
static int ppool_15_the_memory_of_a_large_input_is_given_back(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    unsigned char *input = malloc(32 * MIB);
    struct bight_result result;

    (void)arg;
    CHECK(input);
    memset(input, 1, 32 * MIB);
    CHECK_EQ(bight_execute(executor, &read_all_job, input, 32 * MIB, &result), 0);
    CHECK(result.code >= 32 << 10);
    while (worker_status_of(worker_pid(executor), "RssShmem:") > 20 << 10)
        CHECK_EQ(bight_sleep(20), 0);
    free(input);
    worker_close(executor);
    return 0;
}

/* A size of 0 is one that nobody gave: as many as there are processors. */
static int ppool_16_a_pool_of_a_negative_size_is_refused(void *arg)
{
    struct bight_workers_options options = {.workers = (unsigned)-1};
    struct bight_executor *executor = NULL;

    (void)arg;
    CHECK_EQ(bight_workers_new(&executor, &options), BIGHT_EINVAL);
    CHECK(!executor);
    options.workers = 0;
    CHECK_EQ(bight_workers_new(&executor, &options), 0);
    CHECK(worker_stats(executor).workers >= 1);
    worker_close(executor);
    return 0;
}

/* The worker has stopped, and room for one job. */
static int ppool_27_calls_do_not_wait_for_a_worker_that_does_not_listen(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .ahead = 1};
    struct bight_executor *executor = worker_open(&options);
    static struct bight_execution calls[CROWD];
    static int numbers[CROWD];
    int status, pid = worker_pid(executor);

    (void)arg;
    CHECK_EQ(kill(pid, SIGSTOP), 0);
    for (int i = 0; i < CROWD; i++) {
        numbers[i] = i; /* the input must stay */
        CHECK_EQ(bight_execution_begin(&calls[i], executor, &echo_job, &numbers[i],
                                       sizeof numbers[i], NULL),
                 0);
    }
    CHECK_EQ(worker_stats(executor).jobs, CROWD);
    CHECK_EQ(kill(pid, SIGCONT), 0);
    for (int i = 0; i < CROWD; i++) {
        CHECK_EQ(bight_future_wait(&calls[i].future, &status, NULL), 0);
        CHECK_EQ(status, 0);
        CHECK_EQ(*(int *)calls[i].result.output, i);
        CHECK_EQ(bight_execution_end(&calls[i]), 0);
    }
    worker_close(executor);
    return 0;
}

/* The first was told to stop, and has not. */
static int ppool_36_one_that_was_told_to_stop_but_goes_on_is_not_done(void *arg)
{
    struct bight_executor *executor = worker_open_count(3);
    static struct bight_execution told, quick, slow;
    struct bight_wait_item items[] = {
        {.future = &told.future}, {.future = &quick.future}, {.future = &slow.future}};

    (void)arg;
    CHECK_EQ(bight_execution_begin(&told, executor, &hold_job, NULL, 0, NULL), 0);
    CHECK_EQ(bight_execution_begin(&slow, executor, &hold_job, NULL, 0, NULL), 0);
    worker_await(&worker_shared->running, 2);
    CHECK_EQ(bight_execution_cancel(&told), BIGHT_EBUSY);
    CHECK_EQ(bight_execution_begin(&quick, executor, &pid_job, NULL, 0, NULL), 0);
    CHECK_EQ(bight_wait(items, 3, BIGHT_WAIT_FIRST_COMPLETED, -1), 1);
    CHECK(!items[0].done && items[1].done && !items[2].done);
    CHECK_EQ(items[1].status, 0);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(bight_execution_end(&told), 0);
    CHECK_EQ(bight_execution_end(&quick), 0);
    CHECK_EQ(bight_execution_end(&slow), 0);
    worker_close(executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(ppool_03_chunks_of_any_size_give_one_list, 0),
    worker_case(ppool_05_results_can_be_taken_until_the_time_is_over, 0),
    worker_case(ppool_09_an_idle_process_is_used_again, 0),
    worker_case(ppool_15_the_memory_of_a_large_input_is_given_back, 0),
    worker_case(ppool_16_a_pool_of_a_negative_size_is_refused, 0),
    worker_case(ppool_27_calls_do_not_wait_for_a_worker_that_does_not_listen, 0),
    worker_case(ppool_36_one_that_was_told_to_stop_but_goes_on_is_not_done, 0),
};

worker_suite("processes", cases);
