/* Semaphore, event, barrier and pipe between the host and workers. */
#include "tests/offload/shared/shared_cases.h"

#include "tests/harness/random.h"

static struct bight_executor *executor;
static struct bight_shared *segment;
static struct board *board;

static struct order begin(unsigned workers)
{
    struct order order = {0};

    executor = worker_open_count(workers);
    order.number = share_board(executor, &segment, &board);
    order.timeout_ms = -1;
    return order;
}

static int end(void)
{
    worker_close(executor);
    CHECK_EQ(bight_shared_free(segment), 0);
    return 0;
}

/* At most two at a time have a unit. */
static int with_unit(struct board *on, int64_t timeout_ms)
{
    int rc = bight_shared_semaphore_acquire(&on->semaphore, timeout_ms);

    if (rc)
        return rc;
    CHECK(atomic_fetch_add(&on->came[0], 1) < 2);
    atomic_fetch_add(&on->came[1], 1);
    atomic_fetch_sub(&on->came[0], 1);
    return bight_shared_semaphore_release(&on->semaphore);
}

static int use_units(struct bight_job *job)
{
    struct order order;
    struct board *on = find_board(job, &order);

    for (int i = 0; i < order.count; i++)
        CHECK_EQ(with_unit(on, -1), 0);
    return 0;
}
static const struct bight_job_def use_units_job = {.name = "use units", .fn = use_units};

static int use_units_in_task(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(with_unit(board, -1), 0);
    return 0;
}

static int units_are_shared(void *arg)
{
    struct order order = begin(3);
    struct worker_call calls[3];
    struct bight_task *task;

    (void)arg;
    order.count = 2000;
    CHECK_EQ(bight_shared_semaphore_init(&board->semaphore, 2, 1), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_semaphore_init(&board->semaphore, -1, 1), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_semaphore_init(&board->semaphore, 2, 2), 0);
    CHECK_EQ(bight_shared_semaphore_release(&board->semaphore), BIGHT_ERANGE);
    for (int i = 0; i < 3; i++) {
        calls[i] = (struct worker_call){.executor = executor, .def = &use_units_job};
        begin_order(&calls[i], &order);
    }
    CHECK_EQ(bight_spawn(&task, use_units_in_task, NULL), 0);
    CHECK_EQ(bight_join(task, NULL), 0);
    for (int i = 0; i < 3; i++) {
        worker_join(&calls[i]);
        CHECK_EQ(calls[i].rc, 0);
    }
    CHECK_EQ(bight_shared_semaphore_value(&board->semaphore), 2);
    CHECK_EQ(atomic_load(&board->came[1]), 3 * 2000 + 1000);
    CHECK_EQ(bight_shared_semaphore_try_acquire(&board->semaphore), 0);
    CHECK_EQ(bight_shared_semaphore_try_acquire(&board->semaphore), 0);
    CHECK_EQ(bight_shared_semaphore_try_acquire(&board->semaphore), BIGHT_EAGAIN);
    CHECK_EQ(bight_shared_semaphore_acquire(&board->semaphore, 0), BIGHT_ETIMEDOUT);
    CHECK_EQ(bight_shared_semaphore_acquire(&board->semaphore, 10), BIGHT_ETIMEDOUT);
    return end();
}

/* Give back two units, and be killed before anybody is told. */
static int give_and_die(struct bight_job *job)
{
    struct order order;
    struct board *on = find_board(job, &order);

    atomic_fetch_add((_Atomic int64_t *)&on->semaphore.value, 2);
    raise(SIGKILL);
    return 0;
}
static const struct bight_job_def give_and_die_job = {.name = "give and die", .fn = give_and_die};

static int acquire_one(struct bight_job *job)
{
    struct order order;
    struct board *on = find_board(job, &order);

    atomic_fetch_add(&worker_shared->running, 1);
    return bight_shared_semaphore_acquire(&on->semaphore, -1);
}
static const struct bight_job_def acquire_one_job = {.name = "acquire", .fn = acquire_one};

static int acquire_in_task(void *arg)
{
    (void)arg;
    return bight_shared_semaphore_acquire(&board->semaphore, -1);
}

static int a_killed_process_leaves_no_change_unheard(void *arg)
{
    struct order order = begin(2);
    struct worker_call waits = {.executor = executor, .def = &acquire_one_job},
                       dies = {.executor = executor, .def = &give_and_die_job};
    struct bight_task *task;
    int status;

    (void)arg;
    CHECK_EQ(bight_shared_semaphore_init(&board->semaphore, 0, 5), 0);
    begin_order(&waits, &order);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(bight_spawn(&task, acquire_in_task, NULL), 0);
    CHECK_EQ(bight_sleep(20), 0);
    begin_order(&dies, &order);
    worker_join(&dies);
    CHECK_EQ(dies.rc, BIGHT_EWORKERDIED);
    CHECK_EQ(bight_join(task, &status), 0);
    CHECK_EQ(status, 0);
    worker_join(&waits);
    CHECK_EQ(waits.rc, 0);
    CHECK_EQ(bight_shared_semaphore_value(&board->semaphore), 0);
    return end();
}

static int await_event(struct bight_job *job)
{
    struct order order;
    struct board *on = find_board(job, &order);

    atomic_fetch_add(&worker_shared->running, 1);
    return -bight_shared_event_wait(&on->event, order.timeout_ms);
}
static const struct bight_job_def await_event_job = {.name = "await an event", .fn = await_event};

static int set_event(struct bight_job *job)
{
    struct order order;

    return bight_shared_event_set(&find_board(job, &order)->event);
}
static const struct bight_job_def set_event_job = {.name = "set an event", .fn = set_event};

static int an_event_wakes_all(void *arg)
{
    struct order order = begin(3);
    struct worker_call calls[3];

    (void)arg;
    CHECK_EQ(bight_shared_event_init(&board->event), 0);
    CHECK(!bight_shared_event_is_set(&board->event));
    CHECK_EQ(bight_shared_event_wait(&board->event, 0), BIGHT_ETIMEDOUT);
    CHECK_EQ(bight_shared_event_wait(&board->event, 10), BIGHT_ETIMEDOUT);
    order.timeout_ms = 10;
    run_order(executor, &await_event_job, order, -BIGHT_ETIMEDOUT);
    order.timeout_ms = -1;
    for (int round = 0; round < 100; round++) {
        int before = atomic_load(&worker_shared->running);

        for (int i = 0; i < 3; i++) {
            calls[i] = (struct worker_call){.executor = executor, .def = &await_event_job};
            begin_order(&calls[i], &order);
        }
        worker_await(&worker_shared->running, before + 3);
        CHECK_EQ(bight_sleep(round % 3), 0);
        CHECK_EQ(bight_shared_event_set(&board->event), 0);
        for (int i = 0; i < 3; i++) {
            worker_join(&calls[i]);
            CHECK_EQ(calls[i].rc, 0);
        }
        CHECK(bight_shared_event_is_set(&board->event));
        CHECK_EQ(bight_shared_event_set(&board->event), 0);
        CHECK_EQ(bight_shared_event_clear(&board->event), 0);
        CHECK_EQ(bight_shared_event_clear(&board->event), 0);
        /* And the other way round. */
        calls[0] = (struct worker_call){.executor = executor, .def = &set_event_job};
        begin_order(&calls[0], &order);
        CHECK_EQ(bight_shared_event_wait(&board->event, -1), 0);
        worker_join(&calls[0]);
        CHECK_EQ(bight_shared_event_clear(&board->event), 0);
    }
    return end();
}

#define PARTIES 4

/* Nobody is ever a round ahead of the others. */
static int pass(struct board *on, int rounds)
{
    int last = 0;

    for (int i = 0; i < rounds; i++) {
        int place;

        atomic_fetch_add(&on->came[0], 1);
        place = bight_shared_barrier_wait(&on->barrier, -1);
        CHECK(place >= 0 && place < PARTIES);
        last += place == PARTIES - 1;
        CHECK(atomic_load(&on->came[0]) >= (i + 1) * PARTIES);
        CHECK(atomic_load(&on->came[0]) < (i + 2) * PARTIES);
    }
    return last;
}

static int pass_barrier(struct bight_job *job)
{
    struct order order;
    struct board *on = find_board(job, &order);

    atomic_fetch_add(&on->came[1], pass(on, order.count));
    return 0;
}
static const struct bight_job_def pass_barrier_job = {.name = "pass a barrier", .fn = pass_barrier};

static int a_barrier_is_passed_in_lockstep(void *arg)
{
    struct order order = begin(PARTIES - 1);
    struct worker_call calls[PARTIES - 1];

    (void)arg;
    order.count = 1000;
    CHECK_EQ(bight_shared_barrier_init(&board->barrier, 0), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_barrier_init(&board->barrier, PARTIES), 0);
    for (int i = 0; i < PARTIES - 1; i++) {
        calls[i] = (struct worker_call){.executor = executor, .def = &pass_barrier_job};
        begin_order(&calls[i], &order);
    }
    atomic_fetch_add(&board->came[1], pass(board, order.count));
    for (int i = 0; i < PARTIES - 1; i++) {
        worker_join(&calls[i]);
        CHECK_EQ(calls[i].rc, 0);
    }
    CHECK_EQ(atomic_load(&board->came[1]), order.count); /* one last comer a round */
    CHECK_EQ(bight_shared_barrier_waiting(&board->barrier), 0);
    return end();
}

static int wait_at_barrier(struct bight_job *job)
{
    struct order order;
    struct board *on = find_board(job, &order);
    int rc = bight_shared_barrier_wait(&on->barrier, order.timeout_ms);

    return rc < 0 ? -rc : rc;
}
static const struct bight_job_def wait_at_barrier_job = {.name = "wait", .fn = wait_at_barrier};

static int a_barrier_can_be_left_broken_and_mended(void *arg)
{
    struct order order = begin(1);
    struct worker_call call = {.executor = executor, .def = &wait_at_barrier_job};

    (void)arg;
    CHECK_EQ(bight_shared_barrier_init(&board->barrier, 2), 0);
    CHECK_EQ(bight_shared_barrier_wait(&board->barrier, 5), BIGHT_ETIMEDOUT);
    CHECK_EQ(bight_shared_barrier_waiting(&board->barrier), 0);
    order.timeout_ms = 5;
    run_order(executor, &wait_at_barrier_job, order, -BIGHT_ETIMEDOUT);
    CHECK_EQ(bight_shared_barrier_waiting(&board->barrier), 0);
    order.timeout_ms = -1;
    for (int i = 0; i < 2; i++) {

        call = (struct worker_call){.executor = executor, .def = &wait_at_barrier_job};
        begin_order(&call, &order);
        while (bight_shared_barrier_waiting(&board->barrier) != 1)
            CHECK_EQ(bight_yield(), 0);
        if (i == 0) {
            CHECK_EQ(bight_shared_barrier_abort(&board->barrier), 0);
            CHECK_EQ(bight_shared_barrier_waiting(&board->barrier), BIGHT_EBROKEN);
            CHECK_EQ(bight_shared_barrier_wait(&board->barrier, -1), BIGHT_EBROKEN);
            run_order(executor, &wait_at_barrier_job, order, -BIGHT_EBROKEN);
        }
        CHECK_EQ(bight_shared_barrier_reset(&board->barrier), 0);
        CHECK_EQ(bight_shared_barrier_waiting(&board->barrier), 0);
        worker_join(&call);
        CHECK_EQ(call.rc, 0);
    }
    /* Who is killed while it waits has come. */
    call = (struct worker_call){.executor = executor, .def = &wait_at_barrier_job};
    begin_order(&call, &order);
    while (bight_shared_barrier_waiting(&board->barrier) != 1)
        CHECK_EQ(bight_yield(), 0);
    CHECK_EQ(kill(worker_pid(executor), SIGKILL), 0);
    worker_join(&call);
    CHECK_EQ(call.rc, BIGHT_EWORKERDIED);
    CHECK_EQ(bight_shared_barrier_wait(&board->barrier, -1), 1);
    return end();
}

/* A process of a job's own has the segments that it is started with, in their order. */
static int hold_and_say(struct bight_job *job)
{
    void *data;
    struct board *on;

    CHECK_EQ(bight_job_shared(job, 2, &data, NULL), BIGHT_ENOENT);
    CHECK_EQ(bight_job_shared(job, 0, &data, NULL), 0);
    CHECK_EQ(*(int *)data, 17);
    CHECK_EQ(bight_job_shared(job, 1, &data, NULL), 0);
    on = data;
    CHECK_EQ(bight_shared_mutex_lock(&on->mutex, -1), 0);
    CHECK_EQ(bight_shared_event_set(&on->event), 0);
    for (;;)
        pause();
}
static const struct bight_job_def hold_and_say_job = {.name = "hold", .fn = hold_and_say};

static int a_process_has_the_segments_it_is_started_with(void *arg)
{
    struct bight_shared *segments[3] = {NULL, NULL, NULL};
    struct bight_job_process_options options = {.segments = segments, .segment_count = 3};
    struct bight_job_process *process;

    (void)arg;
    CHECK_EQ(bight_shared_new(&segments[0], sizeof(int)), 0);
    *(int *)bight_shared_data(segments[0]) = 17;
    CHECK_EQ(bight_shared_new(&segments[1], sizeof(*board)), 0);
    board = bight_shared_data(segments[1]);
    CHECK_EQ(bight_shared_mutex_init(&board->mutex), 0);
    CHECK_EQ(bight_shared_event_init(&board->event), 0);
    CHECK_EQ(bight_job_process_start(&process, &hold_and_say_job, NULL, 0, &options), BIGHT_EINVAL);
    options.segments = NULL;
    CHECK_EQ(bight_job_process_start(&process, &hold_and_say_job, NULL, 0, &options), BIGHT_EINVAL);
    options.segments = segments;
    options.segment_count = 2;
    CHECK_EQ(bight_job_process_start(&process, &hold_and_say_job, NULL, 0, &options), 0);
    CHECK_EQ(bight_shared_event_wait(&board->event, -1), 0);
    CHECK_EQ(bight_shared_mutex_try_lock(&board->mutex), BIGHT_EBUSY);
    CHECK_EQ(bight_job_process_kill(process), 0);
    CHECK_EQ(bight_shared_mutex_lock(&board->mutex, -1), BIGHT_EOWNERDEAD);
    CHECK_EQ(bight_job_process_join(process), 0);
    CHECK_EQ(bight_job_process_free(process), 0);
    CHECK_EQ(bight_shared_free(segments[0]), 0);
    CHECK_EQ(bight_shared_free(segments[1]), 0);
    return 0;
}

#define PIPE_BYTES 1000
#define SENT_BYTES 300000

static void fill(unsigned char *bytes, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)test_random(&seed);
}

/* Read what the host writes, and write it back. */
static int echo_pipe(struct bight_job *job)
{
    static unsigned char bytes[SENT_BYTES];
    struct order order;
    struct board *on = find_board(job, &order);
    struct bight_shared_pipe *back = (void *)(on->storage + 4096);
    int64_t count;
    size_t have = 0;

    while ((count = bight_shared_pipe_read(&on->pipe, bytes + have, sizeof(bytes) - have, -1)) > 0)
        have += (size_t)count;
    CHECK_EQ(count, 0);
    CHECK_EQ(bight_shared_pipe_write(back, bytes, have, -1), have);
    return bight_shared_pipe_close_write(back);
}
static const struct bight_job_def echo_pipe_job = {.name = "echo a pipe", .fn = echo_pipe};

static int bytes_go_through_pipes_in_order(void *arg)
{
    static unsigned char sent[SENT_BYTES - 1], got[SENT_BYTES];
    struct order order = begin(1);
    struct worker_call call = {.executor = executor, .def = &echo_pipe_job};
    struct bight_shared_pipe *back = (void *)(board->storage + 4096);
    size_t have = 0;
    int64_t count;

    (void)arg;
    CHECK_EQ(bight_shared_pipe_init(&board->pipe, board->storage, PIPE_BYTES), 0);
    CHECK_EQ(bight_shared_pipe_init(back, board->storage + 4200, PIPE_BYTES + 7), 0);
    fill(sent, sizeof(sent), 99);
    begin_order(&call, &order);
    CHECK_EQ(bight_shared_pipe_read(&board->pipe, got, 0, -1), 0);
    CHECK_EQ(bight_shared_pipe_write(&board->pipe, sent, sizeof(sent), -1), sizeof(sent));
    CHECK_EQ(bight_shared_pipe_close_write(&board->pipe), 0);
    CHECK_EQ(bight_shared_pipe_write(&board->pipe, sent, 1, -1), BIGHT_EPIPE);
    while ((count = bight_shared_pipe_read(back, got + have, sizeof(got) - have, -1)) > 0)
        have += (size_t)count;
    CHECK_EQ(count, 0);
    CHECK_EQ(have, sizeof(sent));
    CHECK(memcmp(sent, got, have) == 0);
    worker_join(&call);
    CHECK_EQ(call.rc, 0);
    return end();
}

static int a_pipe_has_limits_and_ends(void *arg)
{
    struct bight_shared_pipe *pipe;
    char bytes[32] = "0123456789";
    uint64_t random = 5;

    (void)arg;
    (void)begin(1);
    pipe = &board->pipe;
    CHECK_EQ(bight_shared_pipe_init(pipe, segment, 10), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_pipe_init(pipe, board->storage, 0), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_pipe_init(pipe, board->storage, sizeof(*board)), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_pipe_init(pipe, board->storage, 10), 0);
    CHECK_EQ(bight_shared_pipe_read(pipe, bytes, 4, 0), BIGHT_ETIMEDOUT);
    CHECK_EQ(bight_shared_pipe_write(pipe, bytes, 10, 0), 10);
    CHECK_EQ(bight_shared_pipe_write(pipe, bytes, 10, 5), BIGHT_ETIMEDOUT);
    CHECK_EQ(bight_shared_pipe_read(pipe, bytes, 4, 5), 4);
    CHECK_EQ(bight_shared_pipe_write(pipe, "abcdefgh", 8, 5), 4); /* as many as there was room */
    CHECK_EQ(bight_shared_pipe_read(pipe, bytes, 32, -1), 10);
    CHECK(memcmp(bytes, "456789abcd", 10) == 0);
    CHECK_EQ(bight_shared_pipe_write(pipe, bytes, 1, -1), 1);
    CHECK_EQ(bight_shared_pipe_close_read(pipe), 0);
    CHECK_EQ(bight_shared_pipe_write(pipe, bytes, 1, -1), BIGHT_EPIPE);
    CHECK_EQ(bight_shared_pipe_read(pipe, bytes, 1, -1), BIGHT_EPIPE);
    for (int i = 0; i < 20000; i++) {
        unsigned char *over = (unsigned char *)pipe;
        size_t from = sizeof(pipe->base);

        CHECK_EQ(bight_shared_pipe_init(pipe, board->storage, 10), 0);
        CHECK_EQ(bight_shared_pipe_write(pipe, bytes, 8, 0), 8);
        for (uint64_t n = 1 + test_random(&random) % 10; n > 0; n--)
            over[from + test_random(&random) % (sizeof(*pipe) - from)] =
                (unsigned char)test_random(&random);
        CHECK(bight_shared_pipe_read(pipe, bytes, 16, 0) <= 16);
        CHECK(bight_shared_pipe_write(pipe, bytes, 16, 0) <= 16);
    }
    return end();
}

static const struct suite_case cases[] = {
    worker_case(units_are_shared, 0),
    worker_case(a_killed_process_leaves_no_change_unheard, 0),
    worker_case(an_event_wakes_all, 0),
    worker_case(a_barrier_is_passed_in_lockstep, 0),
    worker_case(a_barrier_can_be_left_broken_and_mended, 0),
    worker_case(a_process_has_the_segments_it_is_started_with, 0),
    worker_case(bytes_go_through_pipes_in_order, 0),
    worker_case(a_pipe_has_limits_and_ends, 0),
};

worker_suite("shared_sync", cases);
