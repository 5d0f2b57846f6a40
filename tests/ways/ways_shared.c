/* See ways.h. Waits of tasks for what lies in a segment; some are woken by a task of the same
 * runtime in one row, and by a thread, which rings, in the next. */
#include "tests/ways/ways.h"

#include <check.h>
#include <pthread.h>

#include "coro/core/task.h"

#define PARTIES 3
#define ITEM_BYTES 8
#define PIPE_BYTES 4

/* The segment. */
struct ground {
    struct bight_shared_mutex mutex;
    struct bight_shared_semaphore semaphore;
    struct bight_shared_event event;
    struct bight_shared_barrier barrier;
    struct bight_shared_queue queue;
    struct bight_shared_pipe pipe;
    uint64_t storage[8];
};

static struct ground *ground_of(const struct stage *stage)
{
    return bight_shared_data(stage->segment);
}

static struct ground *in_seat(struct seat *seat)
{
    seat->stage->no_memory = true;
    return ground_of(seat->stage);
}

static struct ground *segment_open(struct stage *stage)
{
    ck_assert_int_eq(bight_shared_new(&stage->segment, sizeof(struct ground)), 0);
    return ground_of(stage);
}

static void segment_close(struct stage *stage)
{
    ck_assert_int_eq(bight_shared_free(stage->segment), 0);
}

static void in_thread(void *(*fn)(void *arg), void *arg)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, fn, arg), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* Mutex: main holds it. */

static void mutex_open(struct stage *stage)
{
    struct ground *ground = segment_open(stage);

    ck_assert_int_eq(bight_shared_mutex_init(&ground->mutex), 0);
    ck_assert_int_eq(bight_shared_mutex_try_lock(&ground->mutex), 0);
}

static int mutex_wait(struct seat *seat)
{
    return bight_shared_mutex_lock(&in_seat(seat)->mutex, -1);
}

static void mutex_wake(struct stage *stage)
{
    if (stage->given == 1)
        ck_assert_int_eq(bight_shared_mutex_unlock(&ground_of(stage)->mutex), 0);
}

static void mutex_leave(struct seat *seat)
{
    ck_assert_int_eq(bight_shared_mutex_unlock(&ground_of(seat->stage)->mutex), 0);
}

static void mutex_close(struct stage *stage)
{
    struct bight_shared_mutex *mutex = &ground_of(stage)->mutex;

    ck_assert_int_eq(bight_shared_mutex_try_lock(mutex), stage->given ? 0 : BIGHT_EDEADLK);
    segment_close(stage);
}

/* Semaphore */

static void semaphore_open(struct stage *stage)
{
    ck_assert_int_eq(bight_shared_semaphore_init(&segment_open(stage)->semaphore, 0, 8), 0);
}

static int semaphore_wait(struct seat *seat)
{
    return bight_shared_semaphore_acquire(&in_seat(seat)->semaphore, -1);
}

static int semaphore_timeout_wait(struct seat *seat)
{
    return bight_shared_semaphore_acquire(&in_seat(seat)->semaphore, 60000);
}

static void semaphore_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_shared_semaphore_release(&ground_of(stage)->semaphore), 0);
}

static void *release_one(void *stage)
{
    semaphore_wake(stage);
    return NULL;
}

static void semaphore_wake_from_thread(struct stage *stage)
{
    in_thread(release_one, stage);
}

static void semaphore_close(struct stage *stage)
{
    ck_assert_int_eq(bight_shared_semaphore_value(&ground_of(stage)->semaphore),
                     (int)(stage->given - stage->taken));
    segment_close(stage);
}

/* Event */

static void event_open(struct stage *stage)
{
    ck_assert_int_eq(bight_shared_event_init(&segment_open(stage)->event), 0);
}

static int event_wait(struct seat *seat)
{
    return bight_shared_event_wait(&in_seat(seat)->event, -1);
}

static void event_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_shared_event_set(&ground_of(stage)->event), 0);
}

static void *set_event(void *stage)
{
    event_wake(stage);
    return NULL;
}

static void event_wake_from_thread(struct stage *stage)
{
    in_thread(set_event, stage);
}

/* Barrier: it never fills, and is broken. */

static void barrier_open(struct stage *stage)
{
    ck_assert_int_eq(bight_shared_barrier_init(&segment_open(stage)->barrier, PARTIES), 0);
}

static int barrier_wait(struct seat *seat)
{
    return bight_shared_barrier_wait(&in_seat(seat)->barrier, -1);
}

static void barrier_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_shared_barrier_abort(&ground_of(stage)->barrier), 0);
}

static void barrier_close(struct stage *stage)
{
    struct bight_shared_barrier *barrier = &ground_of(stage)->barrier;

    ck_assert_int_eq(bight_shared_barrier_waiting(barrier), stage->given ? BIGHT_EBROKEN : 0);
    segment_close(stage);
}

/* Queue, of one place. */

static const char item[ITEM_BYTES] = "seventh";

static void queue_open(struct stage *stage)
{
    struct ground *ground = segment_open(stage);

    ck_assert_int_eq(bight_shared_queue_init(&ground->queue, ground->storage, 1, ITEM_BYTES), 0);
}

static void queue_fill(struct stage *stage)
{
    ck_assert_int_eq(bight_shared_queue_try_put(&ground_of(stage)->queue, item, ITEM_BYTES), 0);
}

static void full_queue_open(struct stage *stage)
{
    queue_open(stage);
    queue_fill(stage);
}

static int put_wait(struct seat *seat)
{
    return bight_shared_queue_put(&in_seat(seat)->queue, item, ITEM_BYTES, -1);
}

static void put_wake(struct stage *stage)
{
    char got[ITEM_BYTES];

    ck_assert_int_eq(bight_shared_queue_try_get(&ground_of(stage)->queue, got, sizeof(got)),
                     ITEM_BYTES);
    ck_assert_str_eq(got, item);
}

static void put_close(struct stage *stage)
{
    ck_assert_uint_eq(bight_shared_queue_length(&ground_of(stage)->queue),
                      1 + stage->taken - stage->given);
    segment_close(stage);
}

static int get_wait(struct seat *seat)
{
    char got[ITEM_BYTES] = "nothing";
    int rc = bight_shared_queue_get(&in_seat(seat)->queue, got, sizeof(got), -1);

    ck_assert_str_eq(got, rc == ITEM_BYTES ? item : "nothing");
    return rc;
}

static void *put_one(void *stage)
{
    queue_fill(stage);
    return NULL;
}

static void get_wake_from_thread(struct stage *stage)
{
    in_thread(put_one, stage);
}

static void get_close(struct stage *stage)
{
    ck_assert_uint_eq(bight_shared_queue_length(&ground_of(stage)->queue),
                      stage->given - stage->taken);
    segment_close(stage);
}

static void taken_queue_open(struct stage *stage)
{
    full_queue_open(stage);
    put_wake(stage);
}

static int join_wait(struct seat *seat)
{
    return bight_shared_queue_join(&in_seat(seat)->queue, -1);
}

static void join_wake(struct stage *stage)
{
    if (stage->given == 1)
        ck_assert_int_eq(bight_shared_queue_task_done(&ground_of(stage)->queue), 0);
}

/* Pipe */

static void pipe_open(struct stage *stage)
{
    struct ground *ground = segment_open(stage);

    ck_assert_int_eq(bight_shared_pipe_init(&ground->pipe, ground->storage, PIPE_BYTES), 0);
}

static void pipe_fill(struct stage *stage)
{
    ck_assert_int_eq(bight_shared_pipe_write(&ground_of(stage)->pipe, item, PIPE_BYTES, -1),
                     PIPE_BYTES);
}

static void full_pipe_open(struct stage *stage)
{
    pipe_open(stage);
    pipe_fill(stage);
}

static int write_wait(struct seat *seat)
{
    return (int)bight_shared_pipe_write(&in_seat(seat)->pipe, item, PIPE_BYTES, -1);
}

static void write_wake(struct stage *stage)
{
    char got[PIPE_BYTES];

    ck_assert_int_eq(bight_shared_pipe_read(&ground_of(stage)->pipe, got, sizeof(got), 0),
                     PIPE_BYTES);
}

static int read_wait(struct seat *seat)
{
    char got[PIPE_BYTES];

    return (int)bight_shared_pipe_read(&in_seat(seat)->pipe, got, sizeof(got), -1);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way shared_ways[] = {
    {"bight_shared_mutex_lock", 2, 0, true, 0, mutex_open, mutex_wait, mutex_wake, mutex_leave,
     mutex_close},
    {"bight_shared_semaphore_acquire", 2, 0, true, 0, semaphore_open, semaphore_wait,
     semaphore_wake, NULL, semaphore_close},
    {"bight_shared_semaphore_acquire", 2, 0, true, 0, semaphore_open, semaphore_timeout_wait,
     semaphore_wake_from_thread, NULL, semaphore_close},
    {"bight_shared_event_wait", 2, 0, true, 0, event_open, event_wait, event_wake, NULL,
     segment_close},
    {"bight_shared_event_wait", 2, 0, true, 0, event_open, event_wait, event_wake_from_thread, NULL,
     segment_close},
    {"bight_shared_barrier_wait", 2, BIGHT_EBROKEN, true, 0, barrier_open, barrier_wait,
     barrier_wake, NULL, barrier_close},
    {"bight_shared_queue_put", 2, 0, true, 0, full_queue_open, put_wait, put_wake, NULL, put_close},
    {"bight_shared_queue_get", 2, ITEM_BYTES, true, 0, queue_open, get_wait, queue_fill, NULL,
     get_close},
    {"bight_shared_queue_get", 2, ITEM_BYTES, true, 0, queue_open, get_wait, get_wake_from_thread,
     NULL, get_close},
    {"bight_shared_queue_join", 2, 0, true, 0, taken_queue_open, join_wait, join_wake, NULL,
     segment_close},
    {"bight_shared_pipe_write", 2, PIPE_BYTES, true, 0, full_pipe_open, write_wait, write_wake,
     NULL, segment_close},
    {"bight_shared_pipe_read", 2, PIPE_BYTES, true, 0, pipe_open, read_wait, pipe_fill, NULL,
     segment_close},
};

const struct way_table shared_way_table = {shared_ways,
                                           sizeof(shared_ways) / sizeof(shared_ways[0])};
