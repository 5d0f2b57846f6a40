/* Values, arrays and structs in memory that processes share, and how they find it. */
#include "tests/conformance/conf_process.h"

#include <stdlib.h>

/* One of each kind. */
struct values {
    struct bight_shared_mutex mutex;
    int whole;
    double real;
    short small;
    int64_t large;
    char letter;
    struct {
        int x;
        double y;
        int64_t z;
    } pair;
    double reals[10];
    char text[20];
    _Atomic int counted;
};

struct shared {
    struct bight_executor *executor;
    struct bight_shared *segment;
    struct values *values;
    int number;
};

static struct shared begin(void)
{
    struct shared shared = {.executor = worker_open_count(1)};

    CHECK_EQ(bight_shared_new(&shared.segment, sizeof(struct values)), 0);
    shared.values = bight_shared_data(shared.segment);
    shared.number = bight_workers_share(shared.executor, shared.segment);
    CHECK(shared.number >= 0);
    CHECK_EQ(bight_shared_mutex_init(&shared.values->mutex), 0);
    return shared;
}

static int end(struct shared *shared)
{
    worker_close(shared->executor);
    CHECK_EQ(bight_shared_free(shared->segment), 0);
    return 0;
}

/* Run the job `def`, which is told the segment's number. */
static void run(struct shared *shared, const struct bight_job_def *def)
{
    CHECK_EQ(bight_execute(shared->executor, def, &shared->number, sizeof(int), NULL), 0);
}

static struct values *find(struct bight_job *job)
{
    void *data = NULL;
    size_t bytes = 0;

    CHECK_EQ(bight_job_shared(job, *(int *)job->input, &data, &bytes), 0);
    CHECK_EQ(bytes, sizeof(struct values));
    return data;
}

static int write_others(struct bight_job *job)
{
    struct values *values = find(job);

    CHECK_EQ(bight_shared_mutex_lock(&values->mutex, -1), 0);
    CHECK_EQ(values->whole, 7);
    values->whole = -8;
    values->real = 0.25;
    values->small = 300;
    values->large = -(INT64_C(1) << 40);
    values->letter = 'z';
    CHECK_EQ(bight_shared_mutex_unlock(&values->mutex), 0);
    atomic_fetch_add(&values->counted, 41); /* without the mutex */
    return 0;
}
static const struct bight_job_def write_job = {.name = "write", .fn = write_others};

static int shval_01_values_of_all_kinds_are_seen_by_both_sides(void *arg)
{
    struct shared shared = begin();
    struct values *values = shared.values;

    (void)arg;
    values->whole = 7;
    values->real = 3.5;
    values->small = -3;
    values->large = INT64_C(1) << 33;
    values->letter = 'a';
    atomic_store(&values->counted, 1);
    run(&shared, &write_job);
    CHECK_EQ(bight_shared_mutex_lock(&values->mutex, -1), 0);
    CHECK_EQ(values->whole, -8);
    CHECK(values->real == 0.25);
    CHECK_EQ(values->small, 300);
    CHECK_EQ(values->large, -(INT64_C(1) << 40));
    CHECK_EQ(values->letter, 'z');
    CHECK_EQ(bight_shared_mutex_unlock(&values->mutex), 0);
    CHECK_EQ(atomic_load(&values->counted), 42);
    return end(&shared);
}

static int double_all(struct bight_job *job)
{
    struct values *values = find(job);

    CHECK_EQ(bight_shared_mutex_lock(&values->mutex, -1), 0);
    values->whole *= 2;
    values->real *= 2;
    values->large *= 2;
    values->pair.x *= 2;
    values->pair.y *= 2;
    for (int i = 0; i < 10; i++)
        values->reals[i] *= 2;
    memcpy(values->text + 5, values->text, 5);
    return bight_shared_mutex_unlock(&values->mutex);
}
static const struct bight_job_def double_job = {.name = "double", .fn = double_all};

static int shval_03_structs_arrays_and_texts_are_shared_too(void *arg)
{
    struct shared shared = begin();
    struct values *values = shared.values;

    (void)arg;
    values->whole = 7;
    values->real = 1.0 / 3;
    values->large = INT64_C(1) << 33;
    values->pair.x = 3;
    values->pair.y = 2;
    for (int i = 0; i < 10; i++)
        values->reals[i] = i;
    memcpy(values->text, "hitch", 5);
    run(&shared, &double_job);
    CHECK_EQ(values->whole, 14);
    CHECK(values->real == 2.0 / 3);
    CHECK_EQ(values->large, INT64_C(1) << 34);
    CHECK_EQ(values->pair.x, 6);
    CHECK(values->pair.y == 4.0);
    for (int i = 0; i < 10; i++)
        CHECK(values->reals[i] == 2.0 * i);
    CHECK_EQ(strcmp(values->text, "hitchhitch"), 0);
    return end(&shared);
}

static int wipe(struct bight_job *job)
{
    struct values *values = find(job);

    memset(&values->pair, 0, sizeof(values->pair));
    return 0;
}
static const struct bight_job_def wipe_job = {.name = "wipe", .fn = wipe};

static int shval_04_a_copy_of_a_shared_struct_is_ones_own(void *arg)
{
    struct shared shared = begin();
    struct values copy;

    (void)arg;
    shared.values->pair.x = 2;
    shared.values->pair.y = 5;
    shared.values->pair.z = INT64_C(1) << 33;
    copy = *shared.values;
    run(&shared, &wipe_job);
    CHECK_EQ(shared.values->pair.x, 0);
    CHECK_EQ(copy.pair.x, 2);
    CHECK(copy.pair.y == 5);
    CHECK_EQ(copy.pair.z, INT64_C(1) << 33);
    return end(&shared);
}

static int sharr_02_new_memory_is_zero(void *arg)
{
    (void)arg;
    for (int round = 0; round < 3; round++) {
        struct bight_shared *segment;
        int *numbers;

        CHECK_EQ(bight_shared_new(&segment, 10 * sizeof(int)), 0);
        CHECK_EQ(bight_shared_bytes(segment), 10 * sizeof(int));
        numbers = bight_shared_data(segment);
        for (int i = 0; i < 10; i++) {
            CHECK_EQ(numbers[i], 0);
            numbers[i] = i;
        }
        for (int i = 0; i < 10; i++)
            CHECK_EQ(numbers[i], i);
        CHECK_EQ(bight_shared_free(segment), 0);
    }
    return 0;
}

static int write_text(struct bight_job *job)
{
    struct values *values = find(job);

    memcpy(values->text, "sheet", 6);
    return getpid();
}
static const struct bight_job_def text_job = {.name = "text", .fn = write_text};

/* The name of a segment is its number in the executor, or among those of a process. */
static int shm_04_a_job_finds_a_segment_by_its_number(void *arg)
{
    struct shared shared = begin();
    struct bight_job_process *process;
    int number = 0;

    (void)arg;
    run(&shared, &text_job);
    CHECK_EQ(strcmp(shared.values->text, "sheet"), 0);
    memset(shared.values->text, 0, sizeof(shared.values->text));
    process = process_start(&text_job, &number, sizeof(number), shared.segment);
    CHECK_EQ(process_join(process, 0)->code, bight_job_process_pid(process));
    CHECK_EQ(strcmp(shared.values->text, "sheet"), 0);
    CHECK_EQ(bight_job_process_free(process), 0);
    return end(&shared);
}

/* Its output is what it found. */
static int look_for(struct bight_job *job)
{
    void *data = NULL;
    int number = *(int *)job->input, rc = bight_job_shared(job, number, &data, NULL);

    if (rc)
        return rc;
    CHECK_EQ(bight_job_output_append(job, &number, sizeof(number)), 0);
    return ((struct values *)data)->letter++;
}
static const struct bight_job_def look_job = {.name = "look", .fn = look_for};

/* It goes to a job and comes back, as bytes. */
static int shm_05_a_number_still_means_the_same_segment(void *arg)
{
    struct shared shared = begin();
    struct bight_result result;
    int number = shared.number;

    (void)arg;
    shared.values->letter = 'p';
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(bight_execute(shared.executor, &look_job, &number, sizeof(number), &result), 0);
        CHECK_EQ(result.code, 'p' + i);
        CHECK_EQ(shared.values->letter, 'p' + i + 1);
        CHECK_EQ(result.output_bytes, sizeof(number));
        memcpy(&number, result.output, sizeof(number));
        bight_result_free(&result);
    }
    CHECK_EQ(bight_shared_free(shared.segment), 0);
    CHECK_EQ(bight_execute(shared.executor, &look_job, &number, sizeof(number), &result),
             BIGHT_EJOBFAILED);
    CHECK_EQ(result.code, BIGHT_ENOENT);
    bight_result_free(&result);
    worker_close(shared.executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(shval_01_values_of_all_kinds_are_seen_by_both_sides, 0),
    worker_case(shval_03_structs_arrays_and_texts_are_shared_too, 0),
    worker_case(shval_04_a_copy_of_a_shared_struct_is_ones_own, 0),
    worker_case(sharr_02_new_memory_is_zero, 0),
    worker_case(shm_04_a_job_finds_a_segment_by_its_number, 0),
    worker_case(shm_05_a_number_still_means_the_same_segment, 0),
};

worker_suite("multiprocessing, values", cases);
