/* See map_cases.h. */
#include "tests/offload/map_cases.h"

#include <string.h>

struct bight_executor *map_open(enum kind kind, size_t queue_max)
{
    struct bight_threads_options threads = {.threads_most = 2, .queue_max = queue_max};
    struct bight_workers_options workers = {
        .workers = 2, .queue_max = queue_max, .payload_max_bytes = 64 << 10};
    struct bight_executor *executor = NULL;

    if (kind == WORKERS)
        return worker_open(&workers);
    CHECK_EQ(bight_threads_new(&executor, &threads), 0);
    return executor;
}

int map_on_both(void (*fn)(enum kind kind))
{
    for (enum kind kind = THREADS; kind <= WORKERS; kind++) {
        atomic_store(&worker_shared->running, 0);
        atomic_store(&worker_shared->released, 0);
        atomic_store(&worker_shared->counter, 0);
        fn(kind);
    }
    return 0;
}

/* Its output is the square, its code the number. */
static int square(struct bight_job *job)
{
    int number;
    long result;

    if (job->input_bytes != sizeof number || (uintptr_t)job->input % 16)
        return -1;
    memcpy(&number, job->input, sizeof number);
    result = (long)number * number;
    atomic_fetch_add(&worker_shared->counter, 1);
    return bight_job_output_append(job, &result, sizeof result) ? -2 : number;
}

static int hold_some(struct bight_job *job)
{
    return *(int *)job->input < 2 ? hold_job.fn(job) : 0;
}

const struct bight_job_def square_job = {.name = "square", .fn = square};

const struct bight_job_def hold_some_job = {.name = "hold some", .fn = hold_some};

int map_next_number(void *arg, const void **input, size_t *input_bytes)
{
    struct numbers *numbers = arg;
    static int number;

    if (numbers->sleeps && bight_sleep(1))
        return BIGHT_ECANCELED;
    if (numbers->next == numbers->fail_at)
        return numbers->code;
    if (numbers->next == numbers->count)
        return 0;
    number = numbers->next++;
    *input = &number;
    *input_bytes = sizeof number;
    return 1;
}

void map_begin(struct bight_job_map *map, struct bight_executor *executor,
               const struct bight_job_def *def, struct numbers *numbers,
               struct bight_job_map_options options)
{
    CHECK_EQ(bight_job_map_begin(map, executor, def, map_next_number, numbers, &options), 0);
}

void map_expect_square(const struct bight_job_map_item *item, size_t index)
{
    long result;

    CHECK_EQ(item->status, 0);
    CHECK_EQ(item->index, index);
    CHECK_EQ(item->code, index);
    CHECK_EQ(item->attempts, 1);
    CHECK_EQ(item->output_bytes, sizeof result);
    memcpy(&result, item->output, sizeof result);
    CHECK_EQ(result, index * index);
}
