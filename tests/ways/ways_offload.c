/* See ways.h. Calls on an executor of one thread. It stands at a gate with a call of a task of its
 * own, so that those of the seats wait for it, or with a seat's call that is left alone when it is
 * cancelled. */
#include "tests/ways/ways.h"

#include <check.h>

static int stand_at_gate(void *arg)
{
    struct stage *stage = arg;

    while (sem_wait(&stage->finish))
        ;
    return 0;
}

static void threads_open(struct stage *stage)
{
    struct bight_threads_options options = {.threads_most = 1, .threads_least = 1};

    ck_assert_int_eq(sem_init(&stage->finish, 0, 0), 0);
    ck_assert_int_eq(bight_threads_new(&stage->executor, &options), 0);
}

static int occupy(void *arg)
{
    struct stage *stage = arg;

    return bight_threads_call(stage->executor, stand_at_gate, stage);
}

/* The thread has got a call, which nobody can cancel any more. */
static void occupied_open(struct stage *stage)
{
    threads_open(stage);
    ck_assert_int_eq(bight_spawn(&stage->child, occupy, stage), 0);
    ck_assert_int_eq(bight_yield(), 0);
}

static int answer(void *arg)
{
    struct seat *seat = arg;

    seat->item = seat;
    return 7;
}

static int call_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    int rc = bight_threads_call(seat->stage->executor, answer, seat);
    ck_assert_ptr_eq(seat->item, rc == 7 ? seat : NULL);
    return rc;
}

static int job(struct bight_job *job)
{
    return job->input_bytes == 4 ? 7 : -1;
}

static const struct bight_job_def job_def = {"seven", job, 0};

static int execute_wait(struct seat *seat)
{
    struct bight_result result;

    seat->stage->no_memory = true;
    int rc = bight_execute(seat->stage->executor, &job_def, NULL, 0, &result);
    ck_assert_int_eq(result.code, rc == BIGHT_EJOBFAILED ? -1 : 0);
    return rc;
}

static void gate_open(struct stage *stage)
{
    sem_post(&stage->finish);
}

static void threads_close(struct stage *stage)
{
    gate_open(stage);
    ck_assert_int_eq(bight_executor_end(stage->executor), 0);
    sem_destroy(&stage->finish);
}

static void occupied_close(struct stage *stage)
{
    gate_open(stage);
    ck_assert_int_eq(bight_join(stage->child, NULL), 0);
    threads_close(stage);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void count_destroyed(void *arg)
{
    struct stage *stage = arg;

    stage->destroyed++;
}

/* The record of an owned call is there: one has been made before. */
static void owned_open(struct stage *stage)
{
    threads_open(stage);
    ck_assert_int_eq(bight_threads_call_owned(stage->executor, nothing, stage, count_destroyed), 0);
}

static void occupied_owned_open(struct stage *stage)
{
    owned_open(stage);
    ck_assert_int_eq(bight_spawn(&stage->child, occupy, stage), 0);
    ck_assert_int_eq(bight_yield(), 0);
}

static int owned_wait(struct seat *seat)
{
    struct stage *stage = seat->stage;

    stage->no_memory = true;
    return bight_threads_call_owned(stage->executor, stand_at_gate, stage, count_destroyed);
}

static int queued_owned_wait(struct seat *seat)
{
    struct stage *stage = seat->stage;

    stage->no_memory = true;
    return bight_threads_call_owned(stage->executor, nothing, stage, count_destroyed);
}

static void owned_close(struct stage *stage)
{
    threads_close(stage);
    ck_assert_uint_eq(stage->destroyed, 1 - stage->taken);
}

static void occupied_owned_close(struct stage *stage)
{
    occupied_close(stage);
    ck_assert_uint_eq(stage->destroyed, 1 - stage->taken);
}

static int end_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_executor_end(seat->stage->executor);
}

static void end_close(struct stage *stage)
{
    ck_assert_int_eq(bight_join(stage->child, NULL), 0);
    sem_destroy(&stage->finish);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way offload_ways[] = {
    {"bight_threads_call", 1, 7, true, 0, occupied_open, call_wait, gate_open, NULL,
     occupied_close},
    {"bight_threads_call_owned", 1, 0, true, 0, occupied_owned_open, queued_owned_wait, gate_open,
     NULL, occupied_owned_close},
    {"bight_threads_call_owned", 1, 0, true, 0, owned_open, owned_wait, gate_open, NULL,
     owned_close},
    {"bight_execute", 1, BIGHT_EJOBFAILED, true, 0, occupied_open, execute_wait, gate_open, NULL,
     occupied_close},
    {"bight_executor_end", 1, 0, false, 0, occupied_open, end_wait, gate_open, NULL, end_close},
};

const struct way_table offload_way_table = {offload_ways,
                                            sizeof(offload_ways) / sizeof(offload_ways[0])};
