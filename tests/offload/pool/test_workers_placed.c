/* Inputs that workers are given without a copy. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bight/threads.h>

#include "offload/wire/channel.h"

#define LARGE ((size_t)8 << 20)

static struct bight_job_input *make(size_t bytes, int seed)
{
    struct bight_job_input *input = NULL;

    CHECK_EQ(bight_job_input_new(&input, bytes), 0);
    memset(bight_job_input_data(input), seed, bytes);
    return input;
}

static int execute(struct bight_executor *executor, const struct bight_job_def *def,
                   const struct bight_job_input *input, size_t bytes, struct bight_result *result)
{
    const struct bight_execute_options options = {.placed = input};

    return bight_execute_with(executor, def, bight_job_input_data(input), bytes, &options, result);
}

/* Whether all bytes are those of the first, which is what it returns; it then spoils them. */
static int look(struct bight_job *job)
{
    unsigned char *data = job->input;
    int seed = data[0];

    for (size_t i = 0; i < job->input_bytes; i += 509)
        if (data[i] != seed)
            return -1;
    memset(data, 255, job->input_bytes);
    return seed;
}

static int look_and_die(struct bight_job *job)
{
    int seed = look(job);

    if (seed < 0 || job->attempt == 3)
        return seed;
    raise(SIGKILL);
    return 0;
}

static const struct bight_job_def look_job = {.name = "look", .fn = look};
static const struct bight_job_def dying_job = {
    .name = "look and die", .fn = look_and_die, .flags = BIGHT_JOB_IDEMPOTENT};

static void check_look(struct bight_executor *executor, const struct bight_job_input *input,
                       size_t bytes, int seed)
{
    struct bight_result result;

    CHECK_EQ(execute(executor, &look_job, input, bytes, &result), 0);
    CHECK_EQ(result.code, seed);
    CHECK_EQ(((unsigned char *)bight_job_input_data(input))[bytes - 1], seed);
}

static int the_input_is_the_job_s_to_write_to(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .checksums = arg != NULL};
    struct bight_executor *executor = worker_open(&options);
    struct bight_job_input *small = make(1, 3), *large = make(LARGE, 4);

    for (int i = 0; i < 3; i++) {
        check_look(executor, small, 1, 3);
        check_look(executor, large, LARGE, 4);
        check_look(executor, large, 4097, 4);
    }
    memset(bight_job_input_data(large), 5, LARGE);
    check_look(executor, large, LARGE, 5);
    worker_check_fds(executor);
    bight_job_input_free(large);
    bight_job_input_free(small);
    worker_close(executor);
    return 0;
}

static int with_checksums_too(void *arg)
{
    return the_input_is_the_job_s_to_write_to(&arg);
}

static int an_input_survives_its_workers(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_job_input *input = make(LARGE, 6);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(execute(executor, &dying_job, input, LARGE, &result), 0);
    CHECK_EQ(result.code, 6);
    CHECK_EQ(result.attempts, 3);
    check_look(executor, input, LARGE, 6);
    bight_job_input_free(input);
    worker_close(executor);
    return 0;
}

#define MANY 40

/* More of them than there are slots, some of which are withdrawn in the ring: each job gets its
 * own. */
static int each_job_gets_its_own(void *arg)
{
    static struct bight_execution executions[MANY];
    struct bight_executor *executor = worker_open_count(1);
    struct bight_job_input *inputs[MANY];
    struct bight_execution hold;

    (void)arg;
    for (int i = 0; i < MANY; i++)
        inputs[i] = make(100, i);
    for (unsigned round = 0; round < 2 * CHANNEL_SLOTS / MANY + 2; round++) {
        atomic_store(&worker_shared->released, 0);
        CHECK_EQ(bight_execution_begin(&hold, executor, &hold_job, NULL, 0, NULL), 0);
        for (int i = 0; i < MANY; i++) {
            const struct bight_execute_options options = {.placed = inputs[i]};

            CHECK_EQ(bight_execution_begin(&executions[i], executor, &look_job,
                                           bight_job_input_data(inputs[i]), 100, &options),
                     0);
        }
        for (int i = 0; i < MANY; i++)
            if (i % 3 == 1 || round % 4 == 3)
                CHECK_EQ(bight_execution_cancel(&executions[i]), 0);
        atomic_store(&worker_shared->released, 1);
        for (int i = 0; i < MANY; i++) {
            int status = 0;

            CHECK_EQ(bight_future_wait(&executions[i].future, &status, NULL), 0);
            CHECK_EQ(status, i % 3 == 1 || round % 4 == 3 ? BIGHT_ECANCELED : 0);
            CHECK_EQ(executions[i].result.code, status ? 0 : i);
            CHECK_EQ(bight_execution_end(&executions[i]), 0);
        }
        CHECK_EQ(bight_future_wait(&hold.future, NULL, NULL), 0);
        CHECK_EQ(bight_execution_end(&hold), 0);
    }
    worker_check_fds(executor);
    CHECK_EQ(worker_stats(executor).died, 0);
    for (int i = 0; i < MANY; i++)
        bight_job_input_free(inputs[i]);
    worker_close(executor);
    return 0;
}

static int try_to_write(struct bight_job *job)
{
    char line[512], path[64] = "";
    FILE *maps = fopen("/proc/self/maps", "re"), *file;
    unsigned long low, high;

    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "bight-input") && sscanf(line, "%lx-%lx", &low, &high) == 2)
            snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", low, high);
    fclose(maps);
    file = fopen(path, "r+e");
    if (!file)
        return path[0] ? 1 : -1;
    setvbuf(file, NULL, _IONBF, 0);
    return fwrite(job->input, 1, 1, file) == 1 ? -2 : 2;
}

static const struct bight_job_def writing_job = {.name = "try to write", .fn = try_to_write};

static int nobody_else_writes_to_it(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_job_input *input = make(100, 6);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(execute(executor, &writing_job, input, 100, &result), 0);
    CHECK(result.code > 0);
    bight_job_input_free(input);
    worker_close(executor);
    return 0;
}

static int what_is_not_an_input_is_refused(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_job_input *input = make(100, 6), *none = NULL;
    const struct bight_execute_options options = {.placed = input};
    char *data = bight_job_input_data(input);
    struct bight_execution execution;
    struct rlimit before, limit;

    (void)arg;
    CHECK_EQ(bight_execute_with(executor, &look_job, data, 101, &options, NULL), BIGHT_EINVAL);
    CHECK_EQ(bight_execute_with(executor, &look_job, data, 0, &options, NULL), BIGHT_EINVAL);
    CHECK_EQ(bight_execute_with(executor, &look_job, data + 1, 9, &options, NULL), BIGHT_EINVAL);
    CHECK_EQ(bight_execution_begin(&execution, executor, &look_job, data + 1, 9, &options),
             BIGHT_EINVAL);
    CHECK_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){4096, before.rlim_max};
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    CHECK_EQ(bight_job_input_new(&none, 4097), BIGHT_EFBIG);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    before = worker_no_descriptors();
    CHECK_EQ(bight_job_input_new(&none, 100), BIGHT_EMFILE);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK(!none);
    bight_job_input_free(input);
    worker_close(executor);
    return 0;
}

/* The worker has no descriptor left for it. */
static int a_worker_without_room_does_not_run_it(void *arg)
{
    struct bight_workers_limit limit = {.resource = RLIMIT_NOFILE, .soft = 4};
    struct bight_workers_options options = {.workers = 1, .limits = &limit, .limit_count = 1};
    struct bight_executor *executor = worker_open(&options);
    struct bight_job_input *input = make(100, 6);
    struct bight_result result;

    (void)arg;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(execute(executor, &look_job, input, 100, &result), BIGHT_ENOMEM);
        CHECK_EQ(result.attempts, 0);
        CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    }
    bight_job_input_free(input);
    worker_close(executor);
    return 0;
}

static int threads_copy_it(void *arg)
{
    struct bight_executor *executor = NULL;
    struct bight_job_input *input = make(LARGE, 6);

    (void)arg;
    CHECK_EQ(bight_threads_new(&executor, NULL), 0);
    check_look(executor, input, LARGE, 6);
    CHECK_EQ(bight_executor_end(executor), 0);
    bight_job_input_free(input);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(the_input_is_the_job_s_to_write_to, 0),
    worker_case(with_checksums_too, 0),
    worker_case(an_input_survives_its_workers, 0),
    worker_case(each_job_gets_its_own, 0),
    worker_case(nobody_else_writes_to_it, 0),
    worker_case(what_is_not_an_input_is_refused, 0),
    worker_case(a_worker_without_room_does_not_run_it, 0),
    worker_case(threads_copy_it, 0),
};

worker_suite("workers_placed", cases);
