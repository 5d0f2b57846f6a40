/* bight_execute on threads: input, output, the result and how it is told apart, cancellation. */
#include <stdlib.h>
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/offload/threads/held.h"

static void end(struct bight_executor *executor)
{
    ck_assert_int_eq(bight_executor_end(executor), 0);
}

/* The input reversed in its place, and then as the output. */
static int reverse(struct bight_job *job)
{
    unsigned char *bytes = job->input;

    if ((uintptr_t)job->input % 16 || job->attempt != 1 || (job->input_bytes == 0) != !job->input)
        return -1;
    for (size_t i = 0, j = job->input_bytes; i + 1 < j; i++) {
        unsigned char byte = bytes[i];

        bytes[i] = bytes[--j];
        bytes[j] = byte;
    }
    return bight_job_output_append(job, bytes, job->input_bytes);
}

static const struct bight_job_def reverse_job = {.name = "reverse", .fn = reverse};

static int copies_input(void *arg)
{
    static const size_t sizes[] = {1, 5, 0, 4000, 64, 3000000, 7};
    struct bight_executor *threads = held_threads(1);
    unsigned char *input = malloc(3000000);
    struct bight_result result;

    (void)arg;
    for (size_t i = 0; i < 3000000; i++)
        input[i] = (unsigned char)(i * 7);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t bytes = sizes[i];

        ck_assert_int_eq(bight_execute(threads, &reverse_job, input, bytes, &result), 0);
        ck_assert_int_eq(result.code, 0);
        ck_assert_uint_eq(result.attempts, 1);
        ck_assert_uint_eq(result.output_bytes, bytes);
        ck_assert_int_eq(!result.output, bytes == 0);
        for (size_t at = 0; at < bytes; at += 1 + bytes / 1000)
            ck_assert_uint_eq(((unsigned char *)result.output)[at],
                              (unsigned char)((bytes - 1 - at) * 7));
        bight_result_free(&result);
    }
    ck_assert_uint_eq(input[1], 7);
    free(input);
    end(threads);
    return 0;
}

/* Piece by piece, with a false start. */
static int count_up(struct bight_job *job)
{
    void *room;

    if (bight_job_output_append(job, "false", 5))
        return -1;
    bight_job_output_clear(job);
    for (uint32_t i = 0; i < 10000; i++) {
        if (bight_job_output_reserve(job, 3 * sizeof(i), &room))
            return -2;
        memcpy(room, &i, sizeof(i));
        if (bight_job_output_commit(job, sizeof(i)) ||
            bight_job_output_commit(job, 1 << 20) != BIGHT_EINVAL)
            return -3;
    }
    return 3;
}

static const struct bight_job_def count_job = {.name = "count", .fn = count_up};

static int grows_output(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct bight_result result;

    (void)arg;
    ck_assert_int_eq(bight_execute(threads, &count_job, NULL, 0, &result), 0);
    ck_assert_int_eq(result.code, 3);
    ck_assert_uint_eq(result.output_bytes, 40000);
    for (uint32_t i = 0; i < 10000; i++)
        ck_assert_uint_eq(((uint32_t *)result.output)[i], i);
    bight_result_free(&result);
    ck_assert_int_eq(bight_execute(threads, &count_job, NULL, 0, NULL), 0);
    end(threads);
    return 0;
}

static int fail_with_reason(struct bight_job *job)
{
    return bight_job_output_append(job, "why", 3) ? -1 : -44;
}

static const struct bight_job_def fail_job = {
    .name = "fail", .fn = fail_with_reason, .flags = BIGHT_JOB_IDEMPOTENT};

static int tells_failure(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct bight_result result;

    (void)arg;
    ck_assert_int_eq(bight_execute(threads, &fail_job, NULL, 0, &result), BIGHT_EJOBFAILED);
    ck_assert_int_eq(result.code, -44);
    ck_assert_uint_eq(result.attempts, 1);
    ck_assert_mem_eq(result.output, "why", 3);
    bight_result_free(&result);
    end(threads);
    return 0;
}

/* More than there can be. */
static int take_all(struct bight_job *job)
{
    void *room;
    int rc = bight_job_output_reserve(job, SIZE_MAX, &room);

    if (rc != BIGHT_ENOMEM || bight_job_output_append(job, "x", 1))
        return -1;
    rc = bight_job_output_reserve(job, SIZE_MAX, &room);
    if (rc != BIGHT_ENOMEM || bight_job_output_reserve(job, SIZE_MAX / 2, &room) != BIGHT_ENOMEM)
        return -2;
    return 0;
}

static const struct bight_job_def take_all_job = {.name = "take all", .fn = take_all};

static int has_limits(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct bight_result result;

    (void)arg;
    ck_assert_int_eq(bight_execute(threads, &take_all_job, NULL, 0, &result), 0);
    ck_assert_uint_eq(result.output_bytes, 1);
    bight_result_free(&result);
    ck_assert_int_eq(bight_execute(threads, &take_all_job, "", SIZE_MAX, &result), BIGHT_ENOMEM);
    ck_assert_uint_eq(result.attempts, 0);
    ck_assert_int_eq(bight_execute(threads, &reverse_job, "ab", 2, &result), 0);
    ck_assert_mem_eq(result.output, "ba", 2);
    bight_result_free(&result);
    end(threads);
    return 0;
}

/* A job in a task and a scope of its own. */
static struct execution {
    struct bight_executor *threads;
    const struct bight_job_def *def;
    struct bight_scope scope;
    struct bight_result result;
    int rc;
} running, waiting;

static sem_t entered;

static int run_until_cancelled(struct bight_job *job)
{
    sem_post(&entered);
    while (!bight_job_cancelled(job))
        ;
    return bight_job_output_append(job, "late", 4);
}

static const struct bight_job_def until_cancelled_job = {.name = "until cancelled",
                                                         .fn = run_until_cancelled};

static int execute_task(void *arg)
{
    struct execution *execution = arg;

    ck_assert_int_eq(bight_scope_begin(&execution->scope, -1, 0), 0);
    execution->rc = bight_execute(execution->threads, execution->def, NULL, 0, &execution->result);
    return bight_scope_end(&execution->scope, 0);
}

static struct bight_task *start(struct execution *execution, struct bight_executor *threads,
                                const struct bight_job_def *def)
{
    struct bight_task *task;

    *execution = (struct execution){.threads = threads, .def = def};
    ck_assert_int_eq(bight_spawn(&task, execute_task, execution), 0);
    held_turn();
    return task;
}

static int cancels(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct bight_task *tasks[2];

    (void)arg;
    sem_init(&entered, 0, 0);
    tasks[0] = start(&running, threads, &until_cancelled_job);
    sem_wait(&entered);
    tasks[1] = start(&waiting, threads, &reverse_job);
    bight_scope_cancel(&waiting.scope);
    ck_assert_int_eq(bight_join(tasks[1], NULL), 0);
    ck_assert_int_eq(waiting.rc, BIGHT_ECANCELED);
    ck_assert_uint_eq(waiting.result.attempts, 0);
    bight_scope_cancel(&running.scope);
    ck_assert_int_eq(bight_join(tasks[0], NULL), 0);
    ck_assert_int_eq(running.rc, 0);
    ck_assert_mem_eq(running.result.output, "late", 4);
    bight_result_free(&running.result);
    end(threads);
    sem_destroy(&entered);
    return 0;
}

static int is_full(void *arg)
{
    struct bight_threads_options options = {.threads_most = 1, .queue_max = 1};
    struct bight_executor *threads;
    struct held held, queued;
    struct bight_result result = {.code = 5};

    (void)arg;
    ck_assert_int_eq(bight_threads_new(&threads, &options), 0);
    held_start_standing(&held, threads);
    held_start(&queued, threads, held_pass);
    ck_assert_int_eq(bight_execute(threads, &reverse_job, NULL, 0, &result), BIGHT_EFULL);
    ck_assert_int_eq(result.code, 0);
    held_open(&held);
    held_join(&held);
    held_join(&queued);
    end(threads);
    return 0;
}

static const struct suite_case cases[] = {
    body_case(a_job_gets_a_copy_of_its_input, bight_run, copies_input),
    body_case(output_grows_and_may_be_written_in_place, bight_run, grows_output),
    body_case(a_failed_job_gives_its_code_and_output, bight_run, tells_failure),
    body_case(what_no_memory_has_is_refused, bight_run, has_limits),
    body_case(a_waiting_job_is_withdrawn_and_a_running_one_told, bight_run, cancels),
    body_case(a_full_executor_takes_no_job, bight_run, is_full),
};

test_suite("threads_jobs", cases);
