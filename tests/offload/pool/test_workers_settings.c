/* What workers are made to be: nicer than the host, on CPUs of their own, with own limits. */
#include "tests/offload/worker_cases.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <string.h>
#include <unistd.h>

/* A sanitizer has more address space of its own than that. */
#if defined(BIGHT_ASAN) || defined(BIGHT_TSAN)
#define HAS_ROOM_TO_LIMIT 0
#else
#define HAS_ROOM_TO_LIMIT 1
#endif

static int tell_niceness(struct bight_job *job)
{
    (void)job;
    return getpriority(PRIO_PROCESS, 0);
}

/* The CPU that the worker may run on, or minus how many they are. */
static int tell_cpu(struct bight_job *job)
{
    cpu_set_t set;
    int cpu = 0, count;

    (void)job;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return -1000;
    count = CPU_COUNT(&set);
    while (count == 1 && !CPU_ISSET((size_t)cpu, &set))
        cpu++;
    return count == 1 ? cpu : -count;
}

static int tell_limit(struct bight_job *job)
{
    struct rlimit limit;

    if (getrlimit((__rlimit_resource_t) * (const int *)job->input, &limit) < 0)
        return -1;
    return bight_job_output_append(job, &limit, sizeof limit);
}

static const struct bight_job_def niceness_job = {.name = "niceness", .fn = tell_niceness};
static const struct bight_job_def cpu_job = {.name = "cpu", .fn = tell_cpu};
static const struct bight_job_def limit_job = {.name = "limit", .fn = tell_limit};

static int code_of(struct bight_executor *executor, const struct bight_job_def *def)
{
    struct bight_result result;
    int rc = bight_execute(executor, def, NULL, 0, &result);

    CHECK(rc == 0 || rc == BIGHT_EJOBFAILED);
    return result.code;
}

static struct rlimit limit_of(struct bight_executor *executor, int resource)
{
    struct bight_result result;
    struct rlimit limit;

    CHECK_EQ(bight_execute(executor, &limit_job, &resource, sizeof resource, &result), 0);
    CHECK_EQ(result.output_bytes, sizeof limit);
    limit = *(struct rlimit *)result.output;
    bight_result_free(&result);
    return limit;
}

static int workers_are_nicer_by_so_much(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_workers_options options = {.workers = 1, .nice = 2};
    int own = getpriority(PRIO_PROCESS, 0);

    (void)arg;
    CHECK_EQ(code_of(executor, &niceness_job), own);
    worker_close(executor);
    executor = worker_open(&options);
    CHECK_EQ(code_of(executor, &niceness_job), own + 2);
    CHECK_EQ(setpriority(PRIO_PROCESS, 0, own + 3), 0);
    CHECK_EQ(kill(worker_pid(executor), SIGKILL), 0);
    while (worker_stats(executor).died == 0 || worker_stats(executor).ready == 0)
        CHECK_EQ(bight_sleep(1), 0);
    CHECK_EQ(code_of(executor, &niceness_job), own + 5); /* that of now */
    worker_close(executor);
    options.nice = 39;
    executor = worker_open(&options);
    CHECK_EQ(code_of(executor, &niceness_job), 19);
    worker_close(executor);
    return 0;
}

static int each_worker_has_a_cpu_of_its_own(void *arg)
{
    struct bight_workers_options options = {.pin = true};
    cpu_set_t set, seen;
    unsigned count;

    (void)arg;
    CPU_ZERO(&seen);
    CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    count = (unsigned)CPU_COUNT(&set);
    options.workers = count < 4 ? count : 4;
    struct bight_executor *executor = worker_open(&options);
    struct worker_call calls[4] = {{0}};

    /* each runs one, since a job that holds on stays where it is */
    for (unsigned i = 0; i < options.workers; i++) {
        calls[i] = (struct worker_call){.executor = executor, .def = &hold_job};
        worker_spawn(&calls[i]);
        worker_await(&worker_shared->running, (int)i + 1);
        CHECK_EQ(sched_getaffinity(atomic_load(&worker_shared->pid), sizeof set, &set), 0);
        CHECK_EQ(CPU_COUNT(&set), 1);
        CPU_OR(&seen, &seen, &set);
    }
    atomic_store(&worker_shared->released, 1);
    for (unsigned i = 0; i < options.workers; i++)
        worker_join(&calls[i]);
    CHECK_EQ(CPU_COUNT(&seen), (int)options.workers);
    worker_close(executor);
    return 0;
}

/* There are more workers than CPUs, and one takes the place of the dead one. */
static int places_on_cpus_go_around_and_are_taken_over(void *arg)
{
    struct bight_workers_options options = {.workers = 2, .pin = true};
    struct bight_executor *executor;
    cpu_set_t before, one;
    int first = 0, pids[2];

    (void)arg;
    CHECK_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    while (!CPU_ISSET((size_t)first, &before))
        first++;
    CPU_ZERO(&one);
    CPU_SET((size_t)first, &one);
    CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    executor = worker_open(&options);
    CHECK_EQ(code_of(executor, &cpu_job), first);
    CHECK_EQ(sched_setaffinity(0, sizeof before, &before), 0);
    CHECK_EQ(bight_workers_pids(executor, pids, 2), 2);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(sched_getaffinity(pids[i], sizeof one, &one), 0);
        CHECK(CPU_COUNT(&one) == 1 && CPU_ISSET((size_t)first, &one));
    }
    CHECK_EQ(kill(pids[0], SIGKILL), 0);
    while (worker_stats(executor).died == 0 || worker_stats(executor).ready < 2)
        CHECK_EQ(bight_sleep(1), 0);
    CHECK_EQ(bight_workers_pids(executor, pids, 2), 2);
    CHECK_EQ(sched_getaffinity(pids[1], sizeof one, &one), 0);
    CHECK(CPU_COUNT(&one) == 1 && CPU_ISSET((size_t)first, &one)); /* the first place is free */
    worker_close(executor);
    return 0;
}

static int workers_take_on_limits(void *arg)
{
    struct bight_workers_limit limits[] = {{RLIMIT_NOFILE, 32, 48},
                                           {RLIMIT_CORE, 0, 0},
                                           {RLIMIT_STACK, 4 << 20, 0},
                                           {RLIMIT_DATA, RLIM_INFINITY, 0}};
    struct bight_workers_options options = {
        .workers = 1, .limits = limits, .limit_count = sizeof limits / sizeof *limits};
    struct bight_executor *executor = worker_open(&options);
    struct rlimit limit;

    (void)arg;
    limits[0].soft = 7; /* they were copied */
    limit = limit_of(executor, RLIMIT_NOFILE);
    CHECK(limit.rlim_cur == 32 && limit.rlim_max == 48);
    limit = limit_of(executor, RLIMIT_CORE);
    CHECK(limit.rlim_cur == 0 && limit.rlim_max == 0);
    limit = limit_of(executor, RLIMIT_STACK);
    CHECK(limit.rlim_cur == 4 << 20 && limit.rlim_max == 4 << 20);
    limit = limit_of(executor, RLIMIT_DATA);
    CHECK(limit.rlim_cur == RLIM_INFINITY);
    worker_close(executor);
    return 0;
}

static int a_limit_is_no_more_than_the_host_may_have(void *arg)
{
    struct bight_workers_limit limit = {RLIMIT_CORE, 2 << 20, 4 << 20};
    struct bight_workers_options options = {.workers = 1, .limits = &limit, .limit_count = 1};
    struct rlimit own = {1 << 20, 1 << 20}, got;
    struct bight_executor *executor;

    (void)arg;
    CHECK_EQ(setrlimit(RLIMIT_CORE, &own), 0);
    if (geteuid() == 0 && setresuid(65534, 65534, 65534))
        return 1; /* so that nobody may raise it */
    executor = worker_open(&options);
    got = limit_of(executor, RLIMIT_CORE);
    CHECK(got.rlim_cur == 1 << 20 && got.rlim_max == 1 << 20);
    worker_close(executor);
    return 0;
}

static int burn(struct bight_job *job)
{
    volatile unsigned work = 0;

    while (job)
        work++;
    return 0;
}

static int map_much(struct bight_job *job)
{
    size_t bytes = (size_t)512 << 20;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)job;
    return memory == MAP_FAILED ? -errno : munmap(memory, bytes);
}

static const struct bight_job_def burn_job = {.name = "burn", .fn = burn};
static const struct bight_job_def map_job = {.name = "map much", .fn = map_much};

static int a_job_that_meets_a_limit_fails_or_dies(void *arg)
{
    const struct bight_workers_limit limits[] = {{RLIMIT_CPU, 1, 2},
                                                 {RLIMIT_DATA, (uint64_t)256 << 20, 0}};
    struct bight_workers_options options = {
        .workers = 1, .limits = limits, .limit_count = HAS_ROOM_TO_LIMIT ? 2 : 1};
    struct bight_executor *executor = worker_open(&options);
    struct bight_result result;

    (void)arg;
    if (HAS_ROOM_TO_LIMIT)
        CHECK_EQ(code_of(executor, &map_job), -ENOMEM);
    CHECK_EQ(bight_execute(executor, &burn_job, NULL, 0, &result), BIGHT_EWORKERDIED);
    CHECK_EQ(result.exit_signal, SIGXCPU);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    worker_close(executor);
    return 0;
}

static int settings_that_cannot_be_are_refused(void *arg)
{
    const struct bight_workers_limit wrong[] = {
        {-1, 1, 1}, {RLIM_NLIMITS, 1, 1}, {RLIMIT_CPU, 2, 1}};
    struct bight_executor *none = NULL;

    (void)arg;
    for (int i = 0; i < 3; i++) {
        struct bight_workers_options options = {.limits = &wrong[i], .limit_count = 1};

        CHECK_EQ(bight_workers_new(&none, &options), BIGHT_EINVAL);
    }
    CHECK_EQ(bight_workers_new(&none, &(struct bight_workers_options){.limit_count = 1}),
             BIGHT_EINVAL);
    CHECK_EQ(bight_workers_new(&none, &(struct bight_workers_options){.nice = -1}), BIGHT_EINVAL);
    CHECK_EQ(bight_workers_new(&none, &(struct bight_workers_options){.nice = 40}), BIGHT_EINVAL);
    CHECK(!none);
    return 0;
}

#define RING_JOBS 600

/* Many times around it, with inputs and outputs in slots and in arenas. */
static void go_around(unsigned ahead)
{
    static unsigned char data[RING_JOBS][900];
    static struct worker_call calls[RING_JOBS];
    struct bight_workers_options options = {.workers = 1, .ahead = ahead};
    struct bight_executor *executor = worker_open(&options);

    for (unsigned i = 0; i < RING_JOBS; i++) {
        memset(data[i], (int)(i % 251), sizeof data[i]);
        calls[i] = (struct worker_call){.executor = executor,
                                        .def = &echo_job,
                                        .input = data[i],
                                        .input_bytes = i % 3 ? sizeof data[i] : 9};
        worker_spawn(&calls[i]);
    }
    for (unsigned i = 0; i < RING_JOBS; i++) {
        CHECK_EQ(bight_join(calls[i].task, NULL), 0);
        CHECK_EQ(calls[i].rc, 0);
        CHECK_EQ(calls[i].result.output_bytes, calls[i].input_bytes);
        CHECK_EQ(memcmp(calls[i].result.output, data[i], calls[i].input_bytes), 0);
        bight_result_free(&calls[i].result);
    }
    worker_close(executor);
}

static int rings_of_all_sizes_go_around(void *arg)
{
    static const unsigned sizes[] = {1, 2, 3, 16, 17, 255, 256};

    (void)arg;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        go_around(sizes[i]);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(rings_of_all_sizes_go_around, 0),
    worker_case(workers_are_nicer_by_so_much, 0),
    worker_case(each_worker_has_a_cpu_of_its_own, 0),
    worker_case(places_on_cpus_go_around_and_are_taken_over, 0),
    worker_case(workers_take_on_limits, 0),
    worker_case(a_limit_is_no_more_than_the_host_may_have, 0),
    worker_case(a_job_that_meets_a_limit_fails_or_dies, 0),
    worker_case(settings_that_cannot_be_are_refused, 0),
};

worker_suite("workers_settings", cases);
