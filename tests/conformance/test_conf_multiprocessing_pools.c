/* Pools of worker processes: maps, sources that fail, how workers begin, are replaced and end. */
#include "tests/conformance/conf_process.h"

#include <stdlib.h>

static int square(struct bight_job *job)
{
    int number = *(int *)job->input, result = number * number;

    return bight_job_output_append(job, &result, sizeof(result)) ? -1 : number;
}
static const struct bight_job_def square_job = {.name = "square", .fn = square};

/* A source of 0, 1, 2 and so on, up to `count`, that fails in place of number `fails_at`. */
struct numbers {
    int next;
    int count;
    int fails_at; /* negative: does not */
};

static int next_number(void *arg, const void **input, size_t *input_bytes)
{
    static int given;
    struct numbers *numbers = arg;

    if (numbers->next == numbers->fails_at)
        return BIGHT_EIO;
    if (numbers->next == numbers->count)
        return 0;
    given = numbers->next++;
    *input = &given;
    *input_bytes = sizeof(given);
    return 1;
}

/* Map squares over the numbers; how many results came before the map said `rc`. */
static int squares(struct bight_executor *executor, struct numbers numbers, size_t chunk,
                   bool unordered, int rc)
{
    struct bight_job_map_options options = {.chunk = chunk, .unordered = unordered};
    struct bight_job_map_item item;
    struct bight_job_map map;
    bool seen[1000] = {false};
    int count = 0, ended;

    CHECK_EQ(bight_job_map_begin(&map, executor, &square_job, next_number, &numbers, &options), 0);
    while ((ended = bight_job_map_next(&map, &item)) == 0) {
        CHECK_EQ(item.status, 0);
        CHECK(item.index < 1000 && !seen[item.index]);
        CHECK(unordered || item.index == (size_t)count);
        CHECK_EQ(*(const int *)item.output, (int)(item.index * item.index));
        seen[item.index] = true;
        count++;
    }
    CHECK_EQ(ended, rc);
    CHECK_EQ(bight_job_map_end(&map), 0);
    return count;
}

static int mpool_05_a_source_that_fails_leaves_a_pool_that_works(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);

    (void)arg;
    for (int round = 0; round < 3; round++) {
        CHECK_EQ(squares(executor, (struct numbers){0, 10, 0}, 1, false, BIGHT_EIO), 0);
        CHECK_EQ(squares(executor, (struct numbers){0, 10, 3}, 1, false, BIGHT_EIO), 3);
        CHECK_EQ(squares(executor, (struct numbers){0, 10, -1}, 1, false, BIGHT_ECLOSED), 10);
    }
    worker_close(executor);
    return 0;
}

static int mpool_07_results_come_one_by_one(void *arg)
{
    struct bight_executor *executor = worker_open_count(4);

    (void)arg;
    for (int unordered = 0; unordered < 2; unordered++) {
        CHECK_EQ(squares(executor, (struct numbers){0, 10, -1}, 1, unordered, BIGHT_ECLOSED), 10);
        CHECK_EQ(squares(executor, (struct numbers){0, 1000, -1}, 100, unordered, BIGHT_ECLOSED),
                 1000);
    }
    worker_close(executor);
    return 0;
}

/* Items of a chunk that is not full when the source fails are not run. */
static int mpool_08_a_source_that_fails_ends_the_results(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);

    (void)arg;
    for (int unordered = 0; unordered < 2; unordered++) {
        CHECK_EQ(squares(executor, (struct numbers){0, 10, 0}, 1, unordered, BIGHT_EIO), 0);
        CHECK_EQ(squares(executor, (struct numbers){0, 10, 3}, 1, unordered, BIGHT_EIO), 3);
        CHECK_EQ(squares(executor, (struct numbers){0, 20, 7}, 2, unordered, BIGHT_EIO), 6);
        CHECK_EQ(squares(executor, (struct numbers){0, 20, 7}, 4, unordered, BIGHT_EIO), 4);
    }
    worker_close(executor);
    return 0;
}

#define QUEUED 10000

static int mpool_10_an_end_by_force_drops_the_work(void *arg)
{
    struct bight_workers_options options = {
        .workers = 3, .queue_max = QUEUED, .payload_max_bytes = 64 << 10};
    struct bight_execution *calls = calloc(QUEUED, sizeof(*calls));
    struct bight_executor *executor = worker_open(&options);
    int died = 0;

    (void)arg;
    CHECK(calls);
    for (int i = 0; i < QUEUED; i++)
        CHECK_EQ(bight_execution_begin(&calls[i], executor, &hold_job, NULL, 0, NULL), 0);
    worker_await(&worker_shared->running, 3);
    CHECK_EQ(bight_executor_end_with(executor, BIGHT_EXECUTOR_KILL), 0);
    for (int i = 0; i < QUEUED; i++) {
        int status = 0;

        CHECK_EQ(bight_future_wait(&calls[i].future, &status, NULL), 0);
        CHECK(status == BIGHT_ECLOSED || status == BIGHT_EWORKERDIED);
        died += status == BIGHT_EWORKERDIED;
        CHECK_EQ(bight_execution_end(&calls[i]), 0);
    }
    CHECK_EQ(died, 3); /* those that ran */
    CHECK_EQ(atomic_load(&worker_shared->running), 3);
    free(calls);
    return 0;
}

static int give_up(struct bight_job *job)
{
    static const char where[] = "in give_up, of 123";

    return bight_job_output_append(job, where, sizeof(where)) ? -1 : -*(int *)job->input;
}
static const struct bight_job_def give_up_job = {.name = "give up", .fn = give_up};

static int mpool_12_a_failure_says_what_the_job_says(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct numbers numbers = {.fails_at = 0};
    struct bight_job_map_item item = {.index = 99};
    struct bight_job_map map;
    struct bight_result result;
    int number = 123;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &give_up_job, &number, sizeof(number), &result),
             BIGHT_EJOBFAILED);
    CHECK_EQ(result.code, -123);
    CHECK_EQ(strcmp(result.output, "in give_up, of 123"), 0);
    bight_result_free(&result);
    CHECK_EQ(bight_job_map_begin(&map, executor, &square_job, next_number, &numbers, NULL), 0);
    CHECK_EQ(bight_job_map_next(&map, &item), BIGHT_EIO);
    CHECK(!item.output);
    CHECK_EQ(bight_job_map_end(&map), 0);
    worker_close(executor);
    return 0;
}

static int mpool_15_workers_are_replaced_after_some_calls(void *arg)
{
    struct bight_workers_options options = {.workers = 3, .jobs_max = 10};
    struct bight_executor *executor = worker_open(&options);
    int before[3], after[3];

    (void)arg;
    CHECK_EQ(bight_workers_pids(executor, before, 3), 3);
    CHECK_EQ(squares(executor, (struct numbers){0, 100, -1}, 1, false, BIGHT_ECLOSED), 100);
    while (bight_workers_pids(executor, after, 3) != 3)
        CHECK_EQ(bight_sleep(1), 0);
    CHECK(memcmp(before, after, sizeof(before)));
    CHECK(worker_stats(executor).started >= 3 + 100 / 10 - 3);
    CHECK_EQ(worker_stats(executor).died, 0);
    worker_close(executor);
    return 0;
}

static int count_one(struct bight_job *job)
{
    (void)job;
    return atomic_fetch_add(&worker_shared->counter, 1);
}
static const struct bight_job_def count_job = {.name = "count", .fn = count_one};
static const struct bight_job_def no_function = {.name = "no function"};

static int mpool_17_an_initialiser_runs_once_in_each_worker(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .init = &count_job};
    struct bight_executor *executor = worker_open(&options);

    (void)arg;
    worker_close(executor);
    CHECK_EQ(atomic_load(&worker_shared->counter), 1);
    options.init = &no_function;
    executor = NULL;
    CHECK_EQ(bight_workers_new(&executor, &options), BIGHT_EUNKNOWNJOB);
    CHECK(!executor);
    return 0;
}

static int mpool_19_a_pool_may_be_large(void *arg)
{
    static struct bight_job_map_row rows[1000];
    static int numbers[1000];
    struct bight_workers_options options = {.workers = 200, .payload_max_bytes = 64 << 10};
    struct bight_executor *executor = worker_open(&options);
    long sum = 0;

    (void)arg;
    CHECK_EQ(worker_stats(executor).workers, 200);
    for (int i = 0; i < 1000; i++) {
        numbers[i] = i;
        rows[i].input = &numbers[i];
        rows[i].input_bytes = sizeof(int);
    }
    CHECK_EQ(bight_job_map_all(executor, &square_job, rows, 1000, NULL), 0);
    for (int i = 0; i < 1000; i++) {
        sum += *(int *)rows[i].result.output;
        bight_result_free(&rows[i].result);
    }
    CHECK_EQ(sum, 332833500);
    worker_close(executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(mpool_05_a_source_that_fails_leaves_a_pool_that_works, 0),
    worker_case(mpool_07_results_come_one_by_one, 0),
    worker_case(mpool_08_a_source_that_fails_ends_the_results, 0),
    worker_case(mpool_10_an_end_by_force_drops_the_work, 0),
    worker_case(mpool_12_a_failure_says_what_the_job_says, 0),
    worker_case(mpool_15_workers_are_replaced_after_some_calls, 0),
    worker_case(mpool_17_an_initialiser_runs_once_in_each_worker, 0),
    worker_case(mpool_19_a_pool_may_be_large, 0),
};

worker_suite("multiprocessing, pools", cases);
