/* See ways.h. Calls on an executor of one thread. It stands at a gate with a call of a task of its
 * own, so that those of the seats wait for it, or with a seat's call that is left alone when it is
 * cancelled. Maps of jobs take memory for the inputs. */
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

static const struct bight_job_def job_def = {.name = "seven", .fn = job};

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

static int end_with_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_executor_end_with(seat->stage->executor, BIGHT_EXECUTOR_WITHDRAW);
}

static int execute_with_wait(struct seat *seat)
{
    struct bight_execute_options options = {.run_ms = 60000};

    seat->stage->no_memory = true;
    return bight_execute_with(seat->stage->executor, &job_def, NULL, 0, &options, NULL);
}

/* One call runs, and the one that may wait does. */
static void full_open(struct stage *stage)
{
    struct bight_threads_options options = {.threads_most = 1, .threads_least = 1, .queue_max = 1};

    ck_assert_int_eq(sem_init(&stage->finish, 0, 0), 0);
    ck_assert_int_eq(bight_threads_new(&stage->executor, &options), 0);
    ck_assert_int_eq(bight_spawn(&stage->child, occupy, stage), 0);
    ck_assert_int_eq(bight_yield(), 0);
    ck_assert_int_eq(
        bight_execution_begin(&stage->execution, stage->executor, &job_def, NULL, 0, NULL), 0);
}

static int begin_wait(struct seat *seat)
{
    static struct bight_execution execution;
    struct bight_execute_options options = {.wait_for_room = true};
    struct stage *stage = seat->stage;

    stage->no_memory = true;
    int rc = bight_execution_begin(&execution, stage->executor, &job_def, NULL, 0, &options);
    ck_assert_int_eq(bight_execution_end(&execution), 0);
    return rc;
}

static void full_close(struct stage *stage)
{
    gate_open(stage);
    ck_assert_int_eq(bight_join(stage->child, NULL), 0);
    ck_assert_int_eq(bight_execution_end(&stage->execution), 0);
    threads_close(stage);
}

static int gate_job_fn(struct bight_job *job)
{
    struct stage *stage = *(struct stage **)job->input;

    atomic_store(&stage->begun, true);
    return stand_at_gate(stage);
}

static const struct bight_job_def gate_job = {.name = "stand at gate", .fn = gate_job_fn};

static void begun_open(struct stage *stage)
{
    threads_open(stage);
    ck_assert_int_eq(bight_execution_begin(&stage->execution, stage->executor, &gate_job, &stage,
                                           sizeof stage, NULL),
                     0);
    while (!atomic_load(&stage->begun))
        ck_assert_int_eq(bight_yield(), 0);
}

static int execution_end_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_execution_end(&seat->stage->execution);
}

static int next_item(void *arg, const void **input, size_t *input_bytes)
{
    static struct stage *stage;

    stage = arg;
    *input = &stage;
    *input_bytes = sizeof stage;
    return stage->items-- > 0;
}

static void map_open(struct stage *stage)
{
    threads_open(stage);
    stage->items = 1;
    ck_assert_int_eq(
        bight_job_map_begin(&stage->map, stage->executor, &gate_job, next_item, stage, NULL), 0);
}

static int map_next_wait(struct seat *seat)
{
    struct bight_job_map_item item;

    return bight_job_map_next(&seat->stage->map, &item);
}

static void map_close(struct stage *stage)
{
    gate_open(stage);
    ck_assert_int_eq(bight_job_map_end(&stage->map), 0);
    threads_close(stage);
}

/* A job of it runs. */
static void running_map_open(struct stage *stage)
{
    struct bight_job_map_item item;
    struct bight_scope scope;
    int rc;

    map_open(stage);
    ck_assert_int_eq(bight_scope_begin(&scope, 1, 0), 0);
    rc = bight_job_map_next(&stage->map, &item);
    ck_assert_int_eq(rc, BIGHT_ECANCELED);
    (void)!bight_scope_end(&scope, rc);
    while (!atomic_load(&stage->begun))
        ck_assert_int_eq(bight_yield(), 0);
}

static int map_end_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_job_map_end(&seat->stage->map);
}

static int map_all_wait(struct seat *seat)
{
    struct bight_job_map_row row = {0};
    int rc = bight_job_map_all(seat->stage->executor, &job_def, &row, 1, NULL);

    ck_assert(row.result.code == -1 || rc == BIGHT_ECANCELED || rc == BIGHT_EDRAIN);
    return rc;
}

static void begun_end_close(struct stage *stage)
{
    ck_assert_int_eq(bight_execution_end(&stage->execution), 0);
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
    {"bight_executor_end_with", 1, 0, false, 0, begun_open, end_with_wait, gate_open, NULL,
     begun_end_close},
    {"bight_execute_with", 1, BIGHT_EJOBFAILED, true, 0, occupied_open, execute_with_wait,
     gate_open, NULL, occupied_close},
    {"bight_execution_begin", 1, 0, true, 0, full_open, begin_wait, gate_open, NULL, full_close},
    {"bight_execution_end", 1, 0, false, 0, begun_open, execution_end_wait, gate_open, NULL,
     threads_close},
    {"bight_job_map_next", 1, 0, true, 0, map_open, map_next_wait, gate_open, NULL, map_close},
    {"bight_job_map_end", 1, 0, false, 0, running_map_open, map_end_wait, gate_open, NULL,
     threads_close},
    {"bight_job_map_all", 1, BIGHT_EJOBFAILED, true, WAY_HINT, occupied_open, map_all_wait,
     gate_open, NULL, occupied_close},
};

const struct way_table offload_way_table = {offload_ways,
                                            sizeof(offload_ways) / sizeof(offload_ways[0])};
