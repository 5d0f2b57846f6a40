/* The shared mutex between tasks of the host and jobs, and what becomes of it when those die. */
#include "tests/offload/shared/shared_cases.h"

static int count_up(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);

    for (int i = 0; i < order.count; i++) {
        CHECK_EQ(bight_shared_mutex_lock(&board->mutex, -1), 0);
        board->plain[0]++;
        board->plain[1] += 2;
        CHECK_EQ(board->plain[1], 2 * board->plain[0]);
        CHECK_EQ(bight_shared_mutex_unlock(&board->mutex), 0);
    }
    return 0;
}
static const struct bight_job_def count_up_job = {.name = "count up", .fn = count_up};

/* Take it, say so, and keep it until the process is killed. */
static int hold(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);
    int rc = bight_shared_mutex_lock(&board->mutex, -1);

    board->plain[2] = rc;
    atomic_store(&worker_shared->pid, getpid());
    atomic_fetch_add(&worker_shared->running, 1);
    while (!atomic_load(&worker_shared->released))
        usleep(200);
    return bight_shared_mutex_unlock(&board->mutex);
}
static const struct bight_job_def hold_mutex_job = {.name = "hold a mutex", .fn = hold};

/* What lock says; it is mended if `count`, and unlocked again. */
static int try_on(struct board *board, const struct order *order)
{
    int rc = bight_shared_mutex_lock(&board->mutex, order->timeout_ms);

    atomic_fetch_add(&board->came[0], rc == BIGHT_EOWNERDEAD);
    if (rc == BIGHT_EOWNERDEAD && order->count)
        CHECK_EQ(bight_shared_mutex_recover(&board->mutex), 0);
    if (rc == 0 || rc == BIGHT_EOWNERDEAD) {
        atomic_fetch_add(&board->came[1], 1);
        CHECK_EQ(bight_shared_mutex_unlock(&board->mutex), 0);
    }
    return -rc;
}

static int try_it(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);

    atomic_fetch_add(&worker_shared->running, 1);
    return try_on(board, &order);
}
static const struct bight_job_def try_it_job = {.name = "lock", .fn = try_it};

struct place {
    struct bight_executor *executor;
    struct bight_shared *segment;
    struct board *board;
    int number;
};

static struct place begin(unsigned workers)
{
    struct place place = {.executor = worker_open_count(workers)};

    place.number = share_board(place.executor, &place.segment, &place.board);
    CHECK_EQ(bight_shared_mutex_init(&place.board->mutex), 0);
    return place;
}

static int end(struct place *place)
{
    worker_close(place->executor);
    CHECK_EQ(bight_shared_free(place->segment), 0);
    return 0;
}

static int count_in_task(void *arg)
{
    struct board *board = arg;

    for (int i = 0; i < 300; i++) {
        CHECK_EQ(bight_shared_mutex_lock(&board->mutex, -1), 0);
        board->plain[0]++;
        if (i % 7 == 0)
            CHECK_EQ(bight_yield(), 0);
        board->plain[1] += 2;
        CHECK_EQ(bight_shared_mutex_unlock(&board->mutex), 0);
    }
    return 0;
}

static int one_at_a_time_among_workers_and_tasks(void *arg)
{
    struct place place = begin(3);
    struct worker_call calls[3];
    struct order order = {.number = place.number, .count = 3000};
    struct bight_task *tasks[3];

    (void)arg;
    for (int i = 0; i < 3; i++) {
        calls[i] = (struct worker_call){.executor = place.executor, .def = &count_up_job};
        begin_order(&calls[i], &order);
        CHECK_EQ(bight_spawn(&tasks[i], count_in_task, place.board), 0);
    }
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(bight_join(tasks[i], NULL), 0);
        worker_join(&calls[i]);
        CHECK_EQ(calls[i].rc, 0);
    }
    CHECK_EQ(place.board->plain[0], 3 * 3000 + 3 * 300);
    return end(&place);
}

/* A worker is killed that has it. */
static void kill_owner(const struct place *place)
{
    struct order order = {.number = place->number};
    struct worker_call held = {.executor = place->executor, .def = &hold_mutex_job};
    int before = atomic_load(&worker_shared->running);

    begin_order(&held, &order);
    worker_await(&worker_shared->running, before + 1);
    CHECK_EQ(bight_shared_mutex_try_lock(&place->board->mutex), BIGHT_EBUSY);
    CHECK_EQ(bight_shared_mutex_lock(&place->board->mutex, 5), BIGHT_ETIMEDOUT);
    CHECK_EQ(bight_shared_mutex_unlock(&place->board->mutex), BIGHT_EPERM);
    CHECK_EQ(bight_shared_mutex_recover(&place->board->mutex), BIGHT_EPERM);
    CHECK_EQ(kill(atomic_load(&worker_shared->pid), SIGKILL), 0);
    worker_join(&held);
    CHECK_EQ(held.rc, BIGHT_EWORKERDIED);
}

static int a_dead_owner_is_told_once(void *arg)
{
    struct place place = begin(2);
    struct bight_shared_mutex *mutex = &place.board->mutex;
    struct order order = {.number = place.number, .timeout_ms = -1};

    (void)arg;
    kill_owner(&place);
    CHECK_EQ(bight_shared_mutex_lock(mutex, -1), BIGHT_EOWNERDEAD);
    CHECK_EQ(bight_shared_mutex_lock(mutex, -1), BIGHT_EDEADLK);
    CHECK_EQ(bight_shared_mutex_recover(mutex), 0);
    CHECK_EQ(bight_shared_mutex_recover(mutex), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_mutex_unlock(mutex), 0);
    for (int i = 0; i < 2; i++) {
        run_order(place.executor, &try_it_job, order, 0);
        CHECK_EQ(bight_shared_mutex_lock(mutex, -1), 0);
        CHECK_EQ(bight_shared_mutex_unlock(mutex), 0);
    }
    return end(&place);
}

static int what_is_not_mended_stays_locked(void *arg)
{
    struct place place = begin(2);
    struct bight_shared_mutex *mutex = &place.board->mutex;
    struct order order = {.number = place.number, .timeout_ms = -1};

    (void)arg;
    kill_owner(&place);
    CHECK_EQ(bight_shared_mutex_try_lock(mutex), BIGHT_EOWNERDEAD);
    CHECK_EQ(bight_shared_mutex_unlock(mutex), 0);
    CHECK_EQ(bight_shared_mutex_lock(mutex, -1), BIGHT_ENOTRECOVERABLE);
    CHECK_EQ(bight_shared_mutex_try_lock(mutex), BIGHT_ENOTRECOVERABLE);
    run_order(place.executor, &try_it_job, order, -BIGHT_ENOTRECOVERABLE);
    CHECK_EQ(bight_shared_mutex_init(mutex), 0);
    CHECK_EQ(bight_shared_mutex_lock(mutex, -1), 0);
    CHECK_EQ(bight_shared_mutex_unlock(mutex), 0);
    return end(&place);
}

static int lock_in_task(void *arg)
{
    (void)try_on(arg, &(struct order){.timeout_ms = -1, .count = 1});
    return 0;
}

/* All of them sleep when the owner dies: exactly one is told, and then the others get it. */
static int a_dead_owner_wakes_a_sleeping_job_or_task(void *arg)
{
    struct place place = begin(3);
    struct order order = {.number = place.number, .timeout_ms = -1, .count = 1};
    struct worker_call held = {.executor = place.executor, .def = &hold_mutex_job}, calls[2];
    struct bight_task *task;

    (void)arg;
    begin_order(&held, &order);
    worker_await(&worker_shared->running, 1);
    for (int i = 0; i < 2; i++) {
        calls[i] = (struct worker_call){.executor = place.executor, .def = &try_it_job};
        begin_order(&calls[i], &order);
    }
    CHECK_EQ(bight_spawn(&task, lock_in_task, place.board), 0);
    worker_await(&worker_shared->running, 3);
    CHECK_EQ(bight_sleep(20), 0);
    CHECK_EQ(atomic_load(&place.board->came[0]), 0);
    CHECK_EQ(kill(atomic_load(&worker_shared->pid), SIGKILL), 0);
    CHECK_EQ(bight_join(task, NULL), 0);
    for (int i = 0; i < 2; i++) {
        worker_join(&calls[i]);
        CHECK_EQ(calls[i].rc, 0);
    }
    worker_join(&held);
    CHECK_EQ(atomic_load(&place.board->came[0]), 1);
    CHECK_EQ(atomic_load(&place.board->came[1]), 3);
    return end(&place);
}

/* The next owner dies too before it has mended anything: the one after it is told. */
static int a_second_owner_may_die_too(void *arg)
{
    struct place place = begin(2);

    (void)arg;
    kill_owner(&place);
    atomic_store(&worker_shared->pid, 0);
    kill_owner(&place);
    CHECK_EQ(place.board->plain[2], BIGHT_EOWNERDEAD);
    CHECK_EQ(bight_shared_mutex_lock(&place.board->mutex, -1), BIGHT_EOWNERDEAD);
    CHECK_EQ(bight_shared_mutex_recover(&place.board->mutex), 0);
    CHECK_EQ(bight_shared_mutex_unlock(&place.board->mutex), 0);
    return end(&place);
}

/* The zygote takes all workers with it; none says that it has ended. */
static int the_zygote_may_die_too(void *arg)
{
    struct place place = begin(2);
    struct order order = {.number = place.number};
    struct worker_call held = {.executor = place.executor, .def = &hold_mutex_job};

    (void)arg;
    begin_order(&held, &order);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(kill(worker_stats(place.executor).zygote_pid, SIGKILL), 0);
    CHECK_EQ(bight_shared_mutex_lock(&place.board->mutex, -1), BIGHT_EOWNERDEAD);
    CHECK(kill(atomic_load(&worker_shared->pid), 0) < 0 ||
          worker_status_of(atomic_load(&worker_shared->pid), "VmSize") <= 0);
    CHECK_EQ(bight_shared_mutex_recover(&place.board->mutex), 0);
    CHECK_EQ(bight_shared_mutex_unlock(&place.board->mutex), 0);
    worker_join(&held);
    return end(&place);
}

static int the_executors_end_frees_it(void *arg)
{
    struct place place = begin(1);
    struct order order = {.number = place.number};
    struct worker_call held = {.executor = place.executor, .def = &hold_mutex_job};

    (void)arg;
    begin_order(&held, &order);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(kill(atomic_load(&worker_shared->pid), SIGKILL), 0);
    worker_close(place.executor);
    worker_join(&held);
    CHECK_EQ(bight_shared_mutex_lock(&place.board->mutex, -1), BIGHT_EOWNERDEAD);
    CHECK_EQ(bight_shared_free(place.segment), 0);
    return 0;
}

/* A job waits for what a task holds while it sleeps. */
static int a_task_keeps_it_while_it_sleeps(void *arg)
{
    struct place place = begin(1);
    struct order order = {.number = place.number, .timeout_ms = 10};
    struct worker_call call = {.executor = place.executor, .def = &try_it_job};

    (void)arg;
    CHECK_EQ(bight_shared_mutex_lock(&place.board->mutex, -1), 0);
    run_order(place.executor, &try_it_job, order, -BIGHT_ETIMEDOUT);
    order.timeout_ms = 0;
    run_order(place.executor, &try_it_job, order, -BIGHT_ETIMEDOUT);
    order.timeout_ms = -1;
    begin_order(&call, &order);
    worker_await(&worker_shared->running, 3);
    CHECK_EQ(bight_sleep(10), 0);
    CHECK(!call.ended);
    CHECK_EQ(bight_shared_mutex_unlock(&place.board->mutex), 0);
    worker_join(&call);
    CHECK_EQ(atomic_load(&place.board->came[1]), 1);
    return end(&place);
}

/* Two numbers that differ only while somebody has the mutex, or after he was killed. */
static int alternate(struct board *board, int64_t timeout_ms)
{
    int rc = bight_shared_mutex_lock(&board->mutex, timeout_ms);

    if (rc == BIGHT_EOWNERDEAD) {
        atomic_fetch_add(&board->came[0], 1);
        board->plain[1] = board->plain[0];
        CHECK_EQ(bight_shared_mutex_recover(&board->mutex), 0);
    } else if (rc) {
        return rc;
    }
    atomic_store(&board->came[2], getpid());
    CHECK_EQ(board->plain[1], board->plain[0]);
    board->plain[0]++;
    for (int i = 0; i < 50; i++)
        CHECK_EQ(atomic_load(&board->came[2]), getpid());
    board->plain[1]++;
    return bight_shared_mutex_unlock(&board->mutex);
}

static int alternate_often(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);
    int rc = 0;

    atomic_fetch_add(&worker_shared->running, 1);
    while (rc == 0 && !atomic_load(&worker_shared->released))
        rc = alternate(board, -1);
    return rc;
}
static const struct bight_job_def alternate_job = {
    .name = "alternate", .fn = alternate_often, .flags = BIGHT_JOB_IDEMPOTENT};

#define KILLS 60

static int many_owners_are_killed(void *arg)
{
    struct bight_workers_options options = {.workers = 3, .attempts_max = KILLS + 1, .ahead = 1};
    struct bight_shared *segment;
    struct board *board;
    struct bight_executor *executor = worker_open(&options);
    struct order order = {.number = share_board(executor, &segment, &board)};
    struct worker_call calls[3];
    int pids[3];

    (void)arg;
    CHECK_EQ(bight_shared_mutex_init(&board->mutex), 0);
    for (int i = 0; i < 3; i++) {
        calls[i] = (struct worker_call){.executor = executor, .def = &alternate_job};
        begin_order(&calls[i], &order);
    }
    for (int i = 0; i < KILLS; i++) {
        worker_await(&worker_shared->running, 3 + i);
        for (int n = i % 4; n > 0; n--)
            CHECK_EQ(alternate(board, 20000), 0);
        do
            CHECK_EQ(bight_yield(), 0);
        while (bight_workers_pids(executor, pids, 3) != 3);
        CHECK_EQ(kill(pids[i % 3], SIGKILL), 0);
        while (worker_stats(executor).died != (uint64_t)i + 1)
            CHECK_EQ(bight_yield(), 0);
    }
    atomic_store(&worker_shared->released, 1);
    for (int i = 0; i < 3; i++) {
        worker_join(&calls[i]);
        CHECK_EQ(calls[i].rc, 0);
    }
    CHECK_EQ(alternate(board, 0), 0);
    CHECK(atomic_load(&board->came[0]) <= KILLS);
    worker_close(executor);
    CHECK_EQ(bight_shared_free(segment), 0);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(many_owners_are_killed, 0),
    worker_case(one_at_a_time_among_workers_and_tasks, 0),
    worker_case(a_dead_owner_is_told_once, 0),
    worker_case(what_is_not_mended_stays_locked, 0),
    worker_case(a_dead_owner_wakes_a_sleeping_job_or_task, 0),
    worker_case(a_second_owner_may_die_too, 0),
    worker_case(the_zygote_may_die_too, 0),
    worker_case(the_executors_end_frees_it, 0),
    worker_case(a_task_keeps_it_while_it_sleeps, 0),
};

worker_suite("shared_mutex", cases);
