/* Tests of worker processes. Every case runs in a program of its own, whose zygote is its own
 * child: the process that Check forked for the case executes the suite again with the case's
 * name, and then waits until all processes that the case left behind have ended too, so that
 * none can be forgotten. In that program Check is not: use CHECK. */
#ifndef TESTS_OFFLOAD_WORKER_CASES_H
#define TESTS_OFFLOAD_WORKER_CASES_H

#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>

#include <bight.h>
#include <bight/job_process.h>
#include <bight/workers.h>

#include "coro/base/list.h"
#include "tests/harness/suite.h"

/* How long a case may run. */
#define WORKER_CASE_SECONDS 80

/* Do not call bight_workers_prepare. */
#define CASE_UNPREPARED 1u
/* The case ends without its zygote, so it has less open than it began with. */
#define CASE_LOSES_ZYGOTE 2u
/* The case counts its own descriptors. */
#define CASE_COUNTS_FDS 4u

struct worker_case {
    const char *name;
    /* The main task, or NULL. */
    int (*task)(void *arg);
    /* Instead of it: called from main, outside of any runtime. */
    int (*plain)(void);
    unsigned flags;
};

/* Memory that the case and the workers forked for it share; zero at the start. */
struct worker_shared {
    _Atomic int running;  /* hold_job: how many have begun */
    _Atomic int released; /* and may end */
    _Atomic int counter;
    _Atomic int pid;
    _Atomic int flags[4096];
};
extern struct worker_shared *worker_shared;

/* What such suites end with. */
/* clang-format off */
#define worker_case(function, case_flags)                                                          \
    {suite_place(function), .run = worker_execute,                                                 \
     .arg = &(struct worker_case){#function, function, NULL, case_flags}}
#define worker_plain(function, case_flags)                                                         \
    {suite_place(function), .run = worker_execute,                                                 \
     .arg = &(struct worker_case){#function, NULL, function, case_flags}}
/* clang-format on */
#define worker_suite(name, cases, ...)                                                             \
    test_suite(name, cases, .timeout_s = WORKER_CASE_SECONDS + 20, .begin = worker_begin,          \
               __VA_ARGS__)

/* In the process of a case: execute the case `arg`; 0 when it passed and nobody is left. */
int worker_execute(int (*none)(void *arg), void *arg);
/* In main: the program may have been executed for a case, or as a zygote; then it does not
 * return. */
void worker_begin(int argc, char **argv);

/* End the case as failed. */
_Noreturn void worker_case_failed(const char *file, int line, const char *what, long a, long b);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            worker_case_failed(__FILE__, __LINE__, #condition, 0, 0);                              \
    } while (0)
#define CHECK_EQ(a, b)                                                                             \
    do {                                                                                           \
        long a_value = (long)(a), b_value = (long)(b);                                             \
        if (a_value != b_value)                                                                    \
            worker_case_failed(__FILE__, __LINE__, #a " == " #b, a_value, b_value);                \
    } while (0)

/* Descriptors of this process that are open. (tests/harness/support.h's can be called by Check's
 * own processes only.) */
int worker_open_fds(void);

/* From now on this process cannot open a descriptor more. Returns the limit as it was. */
struct rlimit worker_no_descriptors(void);

/* Let the loop run until *value is at least `least`. */
void worker_await(_Atomic int *value, int least);

/* Open an executor that must succeed. */
struct bight_executor *worker_open(const struct bight_workers_options *options);
struct bight_executor *worker_open_count(unsigned workers);
void worker_close(struct bight_executor *executor);
struct bight_executor_stats worker_stats(const struct bight_executor *executor);
/* Let the loop run until so many workers take jobs; until so many have died. */
void worker_await_ready(const struct bight_executor *executor, unsigned ready);
void worker_await_died(const struct bight_executor *executor, uint64_t died);
/* The process id of the only worker. */
int worker_pid(const struct bight_executor *executor);
/* The zygote's parent. */
int worker_keeper(const struct bight_executor *executor);
/* In a job: the memory that its worker shares with its host. */
struct channel *worker_channel(void);
/* A number in /proc/PID/status. */
long worker_status_of(int pid, const char *name);

/* A task that executes one job. */
struct worker_call {
    struct bight_executor *executor;
    const struct bight_job_def *def;
    const void *input;
    size_t input_bytes;
    struct bight_result result;
    struct bight_task *task;
    int rc;
    bool ended;
};
void worker_spawn(struct worker_call *call);
/* Join it and free its output. */
void worker_join(struct worker_call *call);

/* The same for `count` of them; all must end with `rc`. */
void worker_spawn_all(struct worker_call *calls, struct bight_executor *executor,
                      const struct bight_job_def *def, int count);
void worker_join_all(struct worker_call *calls, int count, int rc);
/* Run pid_job: the process id of the worker that it ran in. */
int worker_run_pid(struct bight_executor *executor);
/* bight_job_process_join in a scope with a deadline. */
int worker_join_within(struct bight_job_process *process, int64_t timeout_ms);

/* Copies its input to its output, returns 0. */
extern const struct bight_job_def echo_job;
/* Counts itself in worker_shared->running, ends when `released` is set; returns its attempt. */
extern const struct bight_job_def hold_job;
/* The same, idempotent. */
extern const struct bight_job_def hold_again_job;
/* Returns the worker's process id. */
extern const struct bight_job_def pid_job;
/* Counts itself in worker_shared->running, and ends with 55 on SIGTERM, which it handles and notes
 * in worker_shared->counter. */
extern const struct bight_job_def handling_job;

/* bight_workers_prepare, as main would call it. */
int worker_prepare(void);

/* A job finds open what a worker is to have: stdio, and its channel as descriptor 3. */
void worker_check_fds(struct bight_executor *executor);

#endif
