/* Segments: who gets them, when, and for how long. */
#include "tests/offload/shared/shared_cases.h"

/* Returns the number at the beginning of the segment that the order names, plus `count`. */
static int read_it(struct bight_job *job)
{
    struct order order;
    void *data;
    int rc;

    memcpy(&order, job->input, sizeof(order));
    rc = bight_job_shared(job, order.number, &data, NULL);
    return rc ? rc : *(int *)data + order.count;
}
static const struct bight_job_def read_it_job = {
    .name = "read a segment", .fn = read_it, .flags = BIGHT_JOB_IDEMPOTENT};

static int read_in(struct bight_executor *executor, int number)
{
    struct order order = {.number = number};
    struct bight_result result;
    int rc = bight_execute(executor, &read_it_job, &order, sizeof(order), &result), code;

    CHECK(rc == 0 || rc == BIGHT_EJOBFAILED);
    code = result.code;
    bight_result_free(&result);
    return code;
}

/* A segment of `bytes` that begins with `value`. */
static struct bight_shared *make(size_t bytes, int value)
{
    struct bight_shared *segment;

    CHECK_EQ(bight_shared_new(&segment, bytes), 0);
    CHECK_EQ(bight_shared_bytes(segment), bytes);
    for (size_t i = 0; i < bytes; i++)
        CHECK_EQ(((unsigned char *)bight_shared_data(segment))[i], 0);
    *(int *)bight_shared_data(segment) = value;
    return segment;
}

static int workers_find_what_they_are_given(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    struct bight_shared *segments[3];
    int numbers[3];

    (void)arg;
    CHECK_EQ(read_in(executor, 0), BIGHT_ENOENT);
    for (int i = 0; i < 3; i++) {
        segments[i] = make(100000, 100 + i);
        numbers[i] = bight_workers_share(executor, segments[i]);
        CHECK_EQ(bight_workers_share(executor, segments[i]), numbers[i]);
        for (int j = 0; j <= i; j++) {
            CHECK_EQ(read_in(executor, numbers[j]), 100 + j);
            CHECK_EQ(read_in(executor, numbers[j]), 100 + j);
        }
    }
    CHECK_EQ(read_in(executor, numbers[2] + 1), BIGHT_ENOENT);
    CHECK_EQ(read_in(executor, -1), BIGHT_EINVAL);
    CHECK_EQ(read_in(executor, 128), BIGHT_EINVAL);
    worker_close(executor);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(bight_shared_free(segments[i]), 0);
    return 0;
}

static int wait_for_event(void *event)
{
    return bight_shared_event_wait(event, -1);
}

/* A task that has been woken is still in its call. */
static int a_segment_is_not_freed_under_a_woken_task(void *arg)
{
    struct bight_shared *segment = make(sizeof(struct bight_shared_event), 0);
    struct bight_shared_event *event = bight_shared_data(segment);
    struct bight_task *task;
    int status = -1;

    (void)arg;
    CHECK_EQ(bight_shared_event_init(event), 0);
    CHECK_EQ(bight_spawn(&task, wait_for_event, event), 0);
    CHECK_EQ(bight_yield(), 0);
    CHECK_EQ(bight_shared_event_set(event), 0);
    CHECK_EQ(bight_shared_free(segment), BIGHT_EBUSY);
    CHECK_EQ(bight_join(task, &status), 0);
    CHECK_EQ(status, 0);
    CHECK_EQ(bight_shared_free(segment), 0);
    return 0;
}

/* A worker that replaces one has all of them, before its initialiser runs. */
static int initialise(struct bight_job *job)
{
    void *data;
    int rc = bight_job_shared(job, 0, &data, NULL);

    if (rc == 0)
        atomic_store(&worker_shared->counter, *(int *)data);
    return atomic_fetch_add(&worker_shared->running, 1) == 0 ? 0 : rc;
}
static const struct bight_job_def initialise_job = {.name = "initialise", .fn = initialise};

static int later_workers_have_them_when_they_begin(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .init = &initialise_job};
    struct bight_executor *executor = worker_open(&options);
    struct bight_shared *segment = make(8, 41);
    int number = bight_workers_share(executor, segment);

    (void)arg;
    CHECK_EQ(number, 0);
    for (int i = 0; i < 3; i++) {
        *(int *)bight_shared_data(segment) = 42 + i;
        CHECK_EQ(kill(worker_pid(executor), SIGKILL), 0);
        while (worker_stats(executor).died != (uint64_t)i + 1 || !worker_stats(executor).ready)
            CHECK_EQ(bight_sleep(1), 0);
        CHECK_EQ(atomic_load(&worker_shared->counter), 42 + i);
        CHECK_EQ(read_in(executor, number), 42 + i);
    }
    worker_close(executor);
    CHECK_EQ(bight_shared_free(segment), 0);
    return 0;
}

/* The keeper that replaces one is a copy of the program, without its segments. */
static int a_new_keeper_has_none(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_shared *segment = make(8, 77);
    int number = bight_workers_share(executor, segment);

    (void)arg;
    CHECK_EQ(kill(worker_keeper(executor), SIGKILL), 0);
    while (worker_stats(executor).zygotes_died != 1 || !worker_stats(executor).ready)
        CHECK_EQ(bight_sleep(1), 0);
    CHECK_EQ(read_in(executor, number), 77);
    worker_close(executor);
    CHECK_EQ(bight_shared_free(segment), 0);
    return 0;
}

static int write_it(struct bight_job *job)
{
    struct order order;
    void *data;

    memcpy(&order, job->input, sizeof(order));
    CHECK_EQ(bight_job_shared(job, order.number, &data, NULL), 0);
    memset(data, order.count, 512);
    return 0;
}
static const struct bight_job_def write_it_job = {.name = "write", .fn = write_it};

static int the_host_sees_what_a_job_writes(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    struct bight_shared *segment = make(512, 0);
    struct order order = {.number = bight_workers_share(executor, segment)};
    unsigned char *data = bight_shared_data(segment);

    (void)arg;
    for (order.count = 1; order.count < 5; order.count++) {
        run_order(executor, &write_it_job, order, 0);
        for (int i = 0; i < 512; i++)
            CHECK_EQ(data[i], order.count);
    }
    worker_close(executor);
    CHECK_EQ(data[511], 4);
    CHECK_EQ(bight_shared_free(segment), 0);
    return 0;
}

/* A job runs with a segment that the host frees, and still has it; the next one has not. */
static int use_late(struct bight_job *job)
{
    struct order order;
    void *data;

    memcpy(&order, job->input, sizeof(order));
    CHECK_EQ(bight_job_shared(job, order.number, &data, NULL), 0);
    atomic_fetch_add(&worker_shared->running, 1);
    while (!atomic_load(&worker_shared->released))
        usleep(200);
    return *(int *)data;
}
static const struct bight_job_def use_late_job = {.name = "use late", .fn = use_late};

/* The lines of /proc/self/maps that are of segments, and the descriptors, in a worker. */
static int count_maps(struct bight_job *job)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    int count = 0;

    (void)job;
    CHECK(maps);
    while (fgets(line, sizeof line, maps))
        count += strstr(line, "bight-shared") != NULL;
    fclose(maps);
    return count * 100 + worker_open_fds();
}
static const struct bight_job_def count_maps_job = {.name = "count", .fn = count_maps};

static int count_in(struct bight_executor *executor)
{
    struct bight_result result;
    int code;

    CHECK_EQ(bight_execute(executor, &count_maps_job, NULL, 0, &result), 0);
    code = result.code;
    bight_result_free(&result);
    return code;
}

static int a_segment_may_be_freed_before_the_workers_end(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    int before = count_in(executor);
    struct bight_shared *segment = make(4096, 7);
    struct order order = {.number = bight_workers_share(executor, segment)};
    struct worker_call call = {.executor = executor, .def = &use_late_job};

    (void)arg;
    CHECK_EQ(read_in(executor, order.number), 7);
    CHECK_EQ(count_in(executor), before + 101);
    begin_order(&call, &order);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(bight_shared_free(segment), 0);
    atomic_store(&worker_shared->released, 1);
    worker_join(&call);
    CHECK_EQ(call.rc, 0);
    CHECK_EQ(read_in(executor, order.number), BIGHT_ENOENT);
    /* Its number is given to others. */
    for (int i = 0; i < 300; i++) {
        segment = make(4096, 1000 + i);
        CHECK_EQ(bight_workers_share(executor, segment), order.number);
        if (i % 3)
            CHECK_EQ(read_in(executor, order.number), 1000 + i);
        CHECK_EQ(bight_shared_free(segment), 0);
    }
    CHECK_EQ(read_in(executor, order.number), BIGHT_ENOENT);
    CHECK_EQ(bight_yield(), 0);
    while (count_in(executor) != before) /* the worker tidies up before it sleeps */
        CHECK_EQ(bight_sleep(1), 0);
    worker_close(executor);
    return 0;
}

/* A worker that does not read gets no job before it has been sent all that was shared. */
static int a_stopped_worker_gets_them_later(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_shared *segment = NULL;
    struct order order = {.number = 0};
    struct worker_call call = {.executor = executor, .def = &read_it_job};
    int pid = worker_pid(executor);

    (void)arg;
    CHECK_EQ(kill(pid, SIGSTOP), 0);
    for (int i = 0; i < 500; i++) {
        if (segment)
            CHECK_EQ(bight_shared_free(segment), 0);
        segment = make(4096, 10000 + i);
        CHECK_EQ(bight_workers_share(executor, segment), 0);
    }
    begin_order(&call, &order);
    CHECK_EQ(bight_sleep(30), 0);
    CHECK(!call.ended);
    CHECK_EQ(kill(pid, SIGCONT), 0);
    CHECK_EQ(read_in(executor, 0), 10499);
    worker_join(&call);
    CHECK_EQ(call.rc, 0);
    while (count_in(executor) / 100 != 1)
        CHECK_EQ(bight_sleep(1), 0);
    worker_close(executor);
    CHECK_EQ(bight_shared_free(segment), 0);
    return 0;
}

static int there_are_so_many_and_no_more(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    struct bight_shared *segments[129];

    (void)arg;
    for (int i = 0; i < 128; i++) {
        segments[i] = make(8, i);
        CHECK_EQ(bight_workers_share(executor, segments[i]), i);
    }
    segments[128] = make(8, 128);
    CHECK_EQ(bight_workers_share(executor, segments[128]), BIGHT_EFULL);
    for (int i = 0; i < 128; i += 9)
        CHECK_EQ(read_in(executor, i), i);
    CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGKILL), 0);
    while (worker_stats(executor).zygotes_died != 1 || worker_stats(executor).ready != 2)
        CHECK_EQ(bight_sleep(1), 0);
    for (int i = 0; i < 128; i++)
        CHECK_EQ(read_in(executor, i), i);
    worker_close(executor);
    for (int i = 0; i < 129; i++)
        CHECK_EQ(bight_shared_free(segments[i]), 0);
    return 0;
}

static int a_runtime_may_end_with_segments(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    struct bight_shared *segment = make(64, 5);

    (void)arg;
    CHECK(bight_workers_share(executor, segment) >= 0);
    (void)make(64, 6);
    return 0;
}

static int several_executors_may_have_one(void *arg)
{
    struct bight_executor *first = worker_open_count(1), *second = worker_open_count(1);
    struct bight_shared *other = make(64, 1), *segment = make(64, 9);

    (void)arg;
    CHECK_EQ(bight_workers_share(first, other), 0);
    CHECK_EQ(bight_workers_share(first, segment), 1);
    CHECK_EQ(bight_workers_share(second, segment), 0);
    CHECK_EQ(read_in(first, 1), 9);
    CHECK_EQ(read_in(second, 0), 9);
    worker_close(first);
    CHECK_EQ(read_in(second, 0), 9);
    CHECK_EQ(bight_shared_free(segment), 0);
    CHECK_EQ(read_in(second, 0), BIGHT_ENOENT);
    worker_close(second);
    CHECK_EQ(bight_shared_free(other), 0);
    return 0;
}

static int threads_have_the_segment_as_it_is(void *arg)
{
    struct bight_executor *threads;
    struct bight_shared *segment = make(64, 9);
    void *outside[8] = {NULL};

    (void)arg;
    CHECK_EQ(bight_threads_new(&threads, NULL), 0);
    CHECK_EQ(bight_workers_share(threads, segment), BIGHT_EINVAL);
    CHECK_EQ(read_in(threads, 0), BIGHT_ENOENT);
    CHECK_EQ(bight_executor_end(threads), 0);
    CHECK_EQ(bight_shared_mutex_init((void *)outside), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_mutex_lock((void *)outside, -1), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_mutex_lock(bight_shared_data(segment), -1), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_free(segment), 0);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(workers_find_what_they_are_given, 0),
    worker_case(a_segment_is_not_freed_under_a_woken_task, 0),
    worker_case(later_workers_have_them_when_they_begin, 0),
    worker_case(a_new_keeper_has_none, 0),
    worker_case(the_host_sees_what_a_job_writes, 0),
    worker_case(a_segment_may_be_freed_before_the_workers_end, 0),
    worker_case(a_stopped_worker_gets_them_later, 0),
    worker_case(there_are_so_many_and_no_more, 0),
    worker_case(a_runtime_may_end_with_segments, 0),
    worker_case(several_executors_may_have_one, 0),
    worker_case(threads_have_the_segment_as_it_is, 0),
};

worker_suite("shared_segment", cases);
