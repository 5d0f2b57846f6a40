/* A job in a process of its own: its life, its end in every way, signals, who waits for it. */
#include "tests/offload/worker_cases.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static struct bight_job_process *start(const struct bight_job_def *def, const void *input,
                                       size_t input_bytes)
{
    struct bight_job_process *process = NULL;

    CHECK_EQ(bight_job_process_start(&process, def, input, input_bytes, NULL), 0);
    return process;
}

/* The result of one that has ended with `rc`. */
static struct bight_result result_of(const struct bight_job_process *process, int rc)
{
    const struct bight_result *result;

    CHECK_EQ(bight_job_process_result(process, &result), rc);
    CHECK(result);
    return *result;
}

static struct bight_result join(struct bight_job_process *process, int rc)
{
    CHECK_EQ(bight_job_process_join(process), 0);
    CHECK(!bight_job_process_alive(process));
    return result_of(process, rc);
}

static int sleep_on(struct bight_job *job)
{
    atomic_fetch_add(&worker_shared->running, 1);
    while (job)
        pause();
    return 0;
}

static int exit_with(struct bight_job *job)
{
    exit(*(const int *)job->input);
}

static int give_up(struct bight_job *job)
{
    int rc = bight_job_output_append(job, "why", 3);

    return rc ? rc : -5;
}

static const struct bight_job_def sleep_job = {.name = "sleep", .fn = sleep_on};
static const struct bight_job_def exit_job = {.name = "exit", .fn = exit_with};
static const struct bight_job_def fail_job = {.name = "fail", .fn = give_up};

static int the_life_of_a_process(void *arg)
{
    struct bight_job_process *process = start(&hold_job, "x", 1);
    const struct bight_result *none = (void *)process;
    struct bight_result result;

    (void)arg;
    CHECK(bight_job_process_alive(process));
    CHECK_EQ(bight_job_process_result(process, &none), BIGHT_EBUSY);
    CHECK(!none);
    CHECK_EQ(bight_job_process_free(process), BIGHT_EBUSY);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(atomic_load(&worker_shared->pid), bight_job_process_pid(process));
    atomic_store(&worker_shared->released, 1);
    result = join(process, 0);
    CHECK_EQ(result.code, 1);
    CHECK_EQ(result.exit_signal, 0);
    CHECK_EQ(result.exit_status, 0);
    CHECK_EQ(result.attempts, 1);
    CHECK_EQ(kill(bight_job_process_pid(process), 0), -1);
    CHECK_EQ(bight_job_process_join(process), 0); /* again */
    CHECK_EQ(bight_job_process_terminate(process), BIGHT_EALREADY);
    CHECK_EQ(bight_job_process_kill(process), BIGHT_EALREADY);
    CHECK_EQ(bight_job_process_free(process), 0);
    return 0;
}

static int inputs_and_outputs_of_all_sizes(void *arg)
{
    static const size_t sizes[] = {0, 1, 5000, 3 << 20};
    char *bytes = calloc(1, 3 << 20);

    (void)arg;
    CHECK(bytes);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct bight_job_process *process;
        struct bight_result result;

        memset(bytes, 'a' + (int)i, sizes[i]);
        process = start(&echo_job, bytes, sizes[i]);
        memset(bytes, 0, sizes[i]); /* it has a copy */
        result = join(process, 0);
        CHECK_EQ(result.output_bytes, sizes[i]);
        for (size_t at = 0; at < sizes[i]; at += 997)
            CHECK_EQ(((char *)result.output)[at], 'a' + (int)i);
        CHECK_EQ(bight_job_process_free(process), 0);
    }
    free(bytes);
    return 0;
}

static int ends_in_every_way(void *arg)
{
    struct bight_job_process *process;
    struct bight_result result;

    (void)arg;
    for (int status = 0; status < 9; status += 4) {
        process = start(&exit_job, &status, sizeof status);
        result = join(process, BIGHT_EWORKERDIED);
        CHECK_EQ(result.exit_status, status);
        CHECK_EQ(result.exit_signal, 0);
        CHECK_EQ(bight_job_process_free(process), 0);
    }
    process = start(&fail_job, NULL, 0);
    result = join(process, BIGHT_EJOBFAILED);
    CHECK_EQ(result.code, -5);
    CHECK_EQ(result.output_bytes, 3);
    CHECK_EQ(result.exit_status, 0);
    CHECK_EQ(bight_job_process_free(process), 0);
    process = start(&sleep_job, NULL, 0);
    CHECK_EQ(kill(bight_job_process_pid(process), SIGUSR1), 0); /* by anybody */
    CHECK_EQ(join(process, BIGHT_EWORKERDIED).exit_signal, SIGUSR1);
    CHECK_EQ(bight_job_process_free(process), 0);
    return 0;
}

static int terminate_and_kill(void *arg)
{
    (void)arg;
    for (int round = 0; round < 2; round++) {
        struct bight_job_process *process = start(&sleep_job, NULL, 0);

        CHECK_EQ(worker_join_within(process, 0), BIGHT_ETIMEDOUT);
        CHECK_EQ(worker_join_within(process, 5), BIGHT_ETIMEDOUT);
        CHECK(bight_job_process_alive(process));
        if (round == 0)
            CHECK_EQ(bight_job_process_terminate(process), 0);
        else
            CHECK_EQ(bight_job_process_kill(process), 0);
        CHECK_EQ(join(process, BIGHT_EWORKERDIED).exit_signal, round ? SIGKILL : SIGTERM);
        CHECK_EQ(bight_job_process_free(process), 0);
    }
    return 0;
}

static int a_job_may_handle_its_termination(void *arg)
{
    struct bight_job_process *process = start(&handling_job, NULL, 0);
    struct bight_result result;

    (void)arg;
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(bight_job_process_terminate(process), 0);
    result = join(process, 0);
    CHECK_EQ(result.code, 55);
    CHECK_EQ(result.exit_signal, 0);
    CHECK_EQ(bight_job_process_free(process), 0);
    return 0;
}

/* With an idempotent job too: another process would have another id. */
static int a_process_is_not_replaced(void *arg)
{
    struct bight_job_process *process = start(&hold_again_job, NULL, 0);

    (void)arg;
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(bight_job_process_kill(process), 0);
    CHECK_EQ(join(process, BIGHT_EWORKERDIED).attempts, 1);
    CHECK_EQ(atomic_load(&worker_shared->running), 1);
    CHECK_EQ(bight_job_process_free(process), 0);
    process = start(&hold_again_job, NULL, 0); /* may die before its job begins */
    CHECK_EQ(bight_job_process_kill(process), 0);
    CHECK_EQ(join(process, BIGHT_EWORKERDIED).exit_signal, SIGKILL);
    CHECK_EQ(bight_job_process_free(process), 0);
    return 0;
}

static int join_task(void *arg)
{
    return bight_job_process_join(arg);
}

static int many_may_wait_and_be_cancelled(void *arg)
{
    struct bight_job_process *process = start(&hold_job, NULL, 0);
    struct bight_task *tasks[3];
    int status;

    (void)arg;
    worker_await(&worker_shared->running, 1);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(bight_spawn(&tasks[i], join_task, process), 0);
    CHECK_EQ(bight_yield(), 0);
    CHECK(bight_task_cancel(tasks[1]));
    CHECK_EQ(bight_join(tasks[1], &status), 0);
    CHECK_EQ(status, BIGHT_ECANCELED);
    CHECK(bight_job_process_alive(process)); /* it goes on */
    /* This one takes the future with it, and nobody else's wait. */
    CHECK_EQ(bight_future_wait_for(bight_job_process_future(process), 1, &status, NULL),
             BIGHT_ETIMEDOUT);
    CHECK(bight_job_process_alive(process));
    atomic_store(&worker_shared->released, 1);
    for (int i = 0; i < 3; i += 2) {
        CHECK_EQ(bight_join(tasks[i], &status), 0);
        CHECK_EQ(status, 0);
    }
    CHECK_EQ(result_of(process, 0).code, 1);
    CHECK_EQ(bight_job_process_free(process), 0);
    return 0;
}

static int a_future_tells_of_the_end(void *arg)
{
    struct bight_job_process *process = start(&hold_job, NULL, 0);
    struct bight_future *future = bight_job_process_future(process);
    void *value = NULL;
    int status = 1;

    (void)arg;
    CHECK(!bight_future_done(future));
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(bight_future_wait(future, &status, &value), 0);
    CHECK_EQ(status, 0);
    CHECK(value == process);
    CHECK(!bight_job_process_alive(process));
    CHECK_EQ(bight_job_process_free(process), 0);
    return 0;
}

#define MANY 40

static int very_many_processes(void *arg)
{
    struct bight_job_process *processes[MANY];

    (void)arg;
    for (int i = 0; i < MANY; i++)
        processes[i] = start(&echo_job, &i, sizeof i);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(*(int *)join(processes[i], 0).output, i);
        CHECK_EQ(bight_job_process_free(processes[i]), 0);
    }
    for (int i = 0; i < MANY; i++) {
        processes[i] = start(&sleep_job, NULL, 0);
        CHECK_EQ(bight_job_process_terminate(processes[i]), 0);
    }
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(join(processes[i], BIGHT_EWORKERDIED).exit_signal, SIGTERM);
        CHECK_EQ(bight_job_process_free(processes[i]), 0);
    }
    return 0;
}

static int tell_name(struct bight_job *job)
{
    char name[32] = "";
    FILE *file = fopen("/proc/self/comm", "re");

    if (!file || !fgets(name, sizeof name, file))
        return -1;
    fclose(file);
    name[strcspn(name, "\n")] = '\0';
    return bight_job_output_append(job, name, strlen(name) + 1) ? -1 : getpriority(PRIO_PROCESS, 0);
}

static const struct bight_job_def name_job = {.name = "tell name", .fn = tell_name};

static int options_are_taken_on(void *arg)
{
    const struct bight_workers_limit limit = {RLIMIT_CORE, 0, 0};
    struct bight_job_process_options options = {
        .name = "a name of twenty byt", .nice = 1, .limits = &limit, .limit_count = 1};
    struct bight_job_process *process = start(&name_job, NULL, 0);
    int own = getpriority(PRIO_PROCESS, 0);

    (void)arg;
    CHECK_EQ(strcmp(join(process, 0).output, "tell name"), 0);
    CHECK_EQ(bight_job_process_free(process), 0);
    CHECK_EQ(bight_job_process_start(&process, &name_job, NULL, 0, &options), 0);
    CHECK_EQ(join(process, 0).code, own + 1);
    CHECK_EQ(strcmp(result_of(process, 0).output, "a name of twent"), 0);
    CHECK_EQ(bight_job_process_free(process), 0);
    return 0;
}

static int what_cannot_be_started_is_not(void *arg)
{
    struct bight_job_def local = echo_job;
    struct bight_job_process_options small = {.payload_max_bytes = 4096}, wrong = {.nice = -1};
    struct bight_job_process *none = NULL;
    char bytes[5000] = {0};

    (void)arg;
    CHECK_EQ(bight_job_process_start(&none, &local, NULL, 0, NULL), BIGHT_EUNKNOWNJOB);
    CHECK_EQ(bight_job_process_start(&none, &echo_job, bytes, 5000, &small), BIGHT_ETOOBIG);
    CHECK_EQ(bight_job_process_start(&none, &echo_job, NULL, 1, NULL), BIGHT_EINVAL);
    CHECK_EQ(bight_job_process_start(&none, &echo_job, NULL, 0, &wrong), BIGHT_EINVAL);
    CHECK(!none);
    return 0;
}

struct attempt {
    struct bight_job_process *process;
    int rc;
};

static int try_start(void *arg)
{
    struct attempt *attempt = arg;

    attempt->rc = bight_job_process_start(&attempt->process, &echo_job, NULL, 0, NULL);
    return 0;
}

static int a_cancelled_start_leaves_nothing(void *arg)
{
    (void)arg;
    for (int turns = 0; turns < 12; turns++) {
        struct attempt attempt = {.rc = BIGHT_ECANCELED}; /* it may not even begin */
        struct bight_task *task;

        CHECK_EQ(bight_spawn(&task, try_start, &attempt), 0);
        for (int i = 0; i < turns; i++)
            CHECK_EQ(bight_sleep(i % 3 ? 0 : 1), 0);
        (void)bight_task_cancel(task);
        CHECK_EQ(bight_join(task, NULL), 0);
        CHECK(attempt.rc ? attempt.rc == BIGHT_ECANCELED && !attempt.process
                         : attempt.process != NULL);
        if (attempt.rc)
            continue;
        join(attempt.process, 0);
        CHECK_EQ(bight_job_process_free(attempt.process), 0);
    }
    return 0;
}

static int the_zygote_may_die(void *arg)
{
    struct bight_job_process *first = start(&sleep_job, NULL, 0), *second;
    struct bight_executor *executor = worker_open_count(1);

    (void)arg;
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGKILL), 0);
    CHECK_EQ(join(first, BIGHT_EWORKERDIED).exit_signal, SIGKILL);
    CHECK_EQ(bight_job_process_free(first), 0);
    second = start(&echo_job, "x", 1);
    CHECK_EQ(join(second, 0).output_bytes, 1);
    CHECK_EQ(bight_job_process_free(second), 0);
    worker_close(executor);
    return 0;
}

/* It dies with the runtime, and its memory with it. */
static int a_runtime_may_end_before(void *arg)
{
    (void)arg;
    (void)start(&sleep_job, NULL, 0);
    (void)start(&echo_job, NULL, 0);
    worker_await(&worker_shared->running, 1);
    return 0;
}

static int child_of_child(struct bight_job *job);
static const struct bight_job_def nested_job = {.name = "nested", .fn = child_of_child};

/* Start two below, down to depth two; each says where it is. */
static int start_two(void *arg)
{
    const char *path = arg;

    for (int which = 0; which < 2; which++) {
        struct bight_job_process *process;
        char below[24];

        snprintf(below, sizeof below, "%s%d", path, which);
        process = start(&nested_job, below, strlen(below) + 1);
        join(process, 0);
        CHECK_EQ(bight_job_process_free(process), 0);
    }
    return 0;
}

static int child_of_child(struct bight_job *job)
{
    char *path = job->input;
    int at = atomic_fetch_add(&worker_shared->counter, 1);

    atomic_store(&worker_shared->flags[at], (int)strlen(path) * 100 + atoi(path));
    return strlen(path) < 2 ? bight_run(start_two, path) : 0;
}

static int children_may_have_children(void *arg)
{
    static const int order[] = {0, 100, 200, 201, 101, 210, 211};
    struct bight_job_process *process = start(&nested_job, "", 1);

    (void)arg;
    CHECK_EQ(join(process, 0).code, 0);
    CHECK_EQ(bight_job_process_free(process), 0);
    CHECK_EQ(atomic_load(&worker_shared->counter), 7);
    for (int i = 0; i < 7; i++)
        CHECK_EQ(atomic_load(&worker_shared->flags[i]), order[i]);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(the_life_of_a_process, 0),
    worker_case(inputs_and_outputs_of_all_sizes, 0),
    worker_case(ends_in_every_way, 0),
    worker_case(terminate_and_kill, 0),
    worker_case(a_job_may_handle_its_termination, 0),
    worker_case(a_process_is_not_replaced, 0),
    worker_case(many_may_wait_and_be_cancelled, 0),
    worker_case(a_future_tells_of_the_end, 0),
    worker_case(very_many_processes, 0),
    worker_case(options_are_taken_on, 0),
    worker_case(what_cannot_be_started_is_not, 0),
    worker_case(a_cancelled_start_leaves_nothing, 0),
    worker_case(the_zygote_may_die, 0),
    worker_case(a_runtime_may_end_before, 0),
    worker_case(children_may_have_children, 0),
};

worker_suite("job_process", cases);
