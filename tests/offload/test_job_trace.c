/* The trace context of whoever has a job run, as the job finds it on a thread and in a worker
 * process. */
#include "tests/offload/worker_cases.h"

#include <string.h>

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

/* Gives the traceparent, or nothing. */
static int tell(struct bight_job *job)
{
    struct bight_trace_context context;
    char text[BIGHT_TRACEPARENT_BYTES];
    int rc = bight_job_trace_context(job, &context);

    if (rc == BIGHT_ENOENT)
        return 0;
    if (rc == 0)
        rc = bight_trace_context_format(&context, text, sizeof(text));
    return rc ? rc : bight_job_output_append(job, text, strlen(text));
}

static const struct bight_job_def tell_job = {.name = "tell", .fn = tell};

static void set_context(void)
{
    struct bight_trace_context context;

    CHECK_EQ(bight_trace_context_parse(&context, PARENT), 0);
    CHECK_EQ(bight_trace_context_set(&context, "rojo=1"), 0);
}

static void is_told(const void *output, size_t bytes, bool traced)
{
    CHECK_EQ(bytes, traced ? strlen(PARENT) : 0);
    CHECK(!traced || memcmp(output, PARENT, bytes) == 0);
}

static void execute(struct bight_executor *executor, bool traced)
{
    struct bight_result result;

    CHECK_EQ(bight_execute(executor, &tell_job, NULL, 0, &result), 0);
    is_told(result.output, result.output_bytes, traced);
    bight_result_free(&result);
}

/* Six items, some of them in one job. */
static int source(void *left, const void **input, size_t *bytes)
{
    *input = left;
    *bytes = sizeof(int);
    return (*(int *)left)-- > 0;
}

static void map_all(struct bight_executor *executor, bool traced)
{
    const struct bight_job_map_options options = {.chunk = 4};
    struct bight_job_map map;
    struct bight_job_map_item item;
    int left = 6, items = 0;

    CHECK_EQ(bight_job_map_begin(&map, executor, &tell_job, source, &left, &options), 0);
    for (; bight_job_map_next(&map, &item) == 0; items++) {
        CHECK_EQ(item.status, 0);
        is_told(item.output, item.output_bytes, traced);
    }
    CHECK_EQ(items, 6);
    CHECK_EQ(bight_job_map_end(&map), 0);
}

static void with_and_without(struct bight_executor *executor)
{
    execute(executor, false);
    map_all(executor, false);
    set_context();
    execute(executor, true);
    map_all(executor, true);
    CHECK_EQ(bight_trace_context_set(NULL, NULL), 0);
    execute(executor, false);
    worker_close(executor);
}

static int a_job_on_a_thread_has_its_callers(void *arg)
{
    struct bight_executor *executor = NULL;

    (void)arg;
    CHECK_EQ(bight_threads_new(&executor, NULL), 0);
    with_and_without(executor);
    return 0;
}

static int a_job_in_a_process_has_its_callers(void *arg)
{
    (void)arg;
    with_and_without(worker_open(&(struct bight_workers_options){.workers = 1}));
    return 0;
}

static int checksums_have_it_too(void *arg)
{
    (void)arg;
    with_and_without(worker_open(&(struct bight_workers_options){.workers = 1, .checksums = true}));
    return 0;
}

/* The one that it began with, whatever becomes of the task's. */
static int one_that_waits_for_its_turn_keeps_it(void *arg)
{
    struct bight_executor *executor =
        worker_open(&(struct bight_workers_options){.workers = 1, .ahead = 1});
    struct bight_execution first, second;
    int status;

    (void)arg;
    set_context();
    CHECK_EQ(bight_execution_begin(&first, executor, &tell_job, NULL, 0, NULL), 0);
    CHECK_EQ(bight_execution_begin(&second, executor, &tell_job, NULL, 0, NULL), 0);
    CHECK_EQ(bight_trace_context_set(NULL, NULL), 0);
    CHECK_EQ(bight_future_wait(&second.future, &status, NULL), 0);
    CHECK_EQ(status, 0);
    is_told(second.result.output, second.result.output_bytes, true);
    CHECK_EQ(bight_execution_end(&first), 0);
    CHECK_EQ(bight_execution_end(&second), 0);
    worker_close(executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(a_job_on_a_thread_has_its_callers, 0),
    worker_case(a_job_in_a_process_has_its_callers, 0),
    worker_case(checksums_have_it_too, 0),
    worker_case(one_that_waits_for_its_turn_keeps_it, 0),
};

worker_suite("job_trace", cases);
