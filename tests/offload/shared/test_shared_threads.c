/* What lies in a segment, between tasks and plain threads of one process, and the tasks of another
 * runtime. In virtual time. */
#include <pthread.h>
#include <sched.h>

#include "tests/harness/expect.h"
#include "tests/harness/world.h"

#define THREADS 3
#define TASKS 3
#define ROUNDS 400
#define ITEM_BYTES 16

static struct ground {
    struct bight_shared_mutex mutex;
    struct bight_shared_semaphore semaphore;
    struct bight_shared_event event;
    struct bight_shared_queue queue;
    struct bight_shared_pipe pipe;
    long plain;
    uint64_t storage[64];
} * ground;

static struct bight_shared *segment;
static _Atomic int inside, got_count;
static _Atomic long got_sum;

static void open_ground(void)
{
    ck_ok(bight_shared_new(&segment, sizeof(*ground)));
    ground = bight_shared_data(segment);
    ck_ok(bight_shared_mutex_init(&ground->mutex));
    ck_ok(bight_shared_semaphore_init(&ground->semaphore, 2, 2));
    ck_ok(bight_shared_event_init(&ground->event));
    ck_ok(bight_shared_queue_init(&ground->queue, ground->storage, 4, ITEM_BYTES));
    ck_ok(bight_shared_pipe_init(&ground->pipe, ground->storage + 32, 100));
}

/* Each of the following runs in threads and in tasks. */
static int lock_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        EXPECT(bight_shared_mutex_lock(&ground->mutex, i % 2 ? -1 : 100000) == 0);
        ground->plain++;
        EXPECT(bight_shared_mutex_lock(&ground->mutex, -1) == BIGHT_EDEADLK);
        if (i % 5 == 0)
            (void)!bight_yield(); /* in a thread nothing */
        ground->plain++;
        EXPECT(bight_shared_mutex_unlock(&ground->mutex) == 0);
    }
    return 0;
}

static int acquire_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        EXPECT(bight_shared_semaphore_acquire(&ground->semaphore, -1) == 0);
        EXPECT(inside++ < 2);
        if (i % 5 == 0)
            (void)!bight_yield();
        inside--;
        EXPECT(bight_shared_semaphore_release(&ground->semaphore) == 0);
    }
    return 0;
}

static int put_often(void *arg)
{
    (void)arg;
    for (long i = 0; i < ROUNDS; i++) {
        long item[2] = {i, ~i};

        EXPECT(bight_shared_queue_put(&ground->queue, item, sizeof(item), -1) == 0);
    }
    return 0;
}

static int get_all(void *arg)
{
    long item[2];
    int rc;

    (void)arg;
    while ((rc = bight_shared_queue_get(&ground->queue, item, sizeof(item), -1)) >= 0) {
        EXPECT(rc == sizeof(item) && item[0] == ~item[1]);
        got_sum += item[0];
        got_count++;
        EXPECT(bight_shared_queue_task_done(&ground->queue) == 0);
    }
    EXPECT(rc == BIGHT_ECLOSED);
    return 0;
}

static int await_event(void *arg)
{
    (void)arg;
    inside++;
    EXPECT(bight_shared_event_wait(&ground->event, -1) == 0);
    return 0;
}

static void *in_thread(void *fn)
{
    (void)((int (*)(void *))(uintptr_t)fn)(NULL);
    return NULL;
}

struct crowd {
    pthread_t threads[THREADS];
    struct bight_task *tasks[TASKS];
};

static struct crowd begin(int (*fn)(void *arg))
{
    struct crowd crowd;

    for (int i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&crowd.threads[i], NULL, in_thread, (void *)(uintptr_t)fn) == 0);
    for (int i = 0; i < TASKS; i++)
        ck_ok(bight_spawn(&crowd.tasks[i], fn, NULL));
    return crowd;
}

static void end(struct crowd *crowd)
{
    for (int i = 0; i < TASKS; i++)
        ck_ok(bight_join(crowd->tasks[i], NULL));
    for (int i = 0; i < THREADS; i++)
        EXPECT(pthread_join(crowd->threads[i], NULL) == 0);
}

static int one_has_the_mutex(void *arg)
{
    struct crowd crowd;

    (void)arg;
    open_ground();
    crowd = begin(lock_often);
    end(&crowd);
    ck_assert_int_eq(ground->plain, 2 * ROUNDS * (THREADS + TASKS));
    ck_ok(bight_shared_free(segment));
    return 0;
}

static int two_have_units(void *arg)
{
    struct crowd crowd;

    (void)arg;
    open_ground();
    crowd = begin(acquire_often);
    end(&crowd);
    ck_assert_int_eq(bight_shared_semaphore_value(&ground->semaphore), 2);
    ck_ok(bight_shared_free(segment));
    return 0;
}

static int items_are_got_once(void *arg)
{
    struct crowd putters, getters;

    (void)arg;
    open_ground();
    putters = begin(put_often);
    getters = begin(get_all);
    end(&putters);
    ck_ok(bight_shared_queue_join(&ground->queue, -1));
    ck_ok(bight_shared_queue_close(&ground->queue));
    end(&getters);
    ck_assert_int_eq(got_count, ROUNDS * (THREADS + TASKS));
    ck_assert_int_eq(got_sum, (long)ROUNDS * (ROUNDS - 1) / 2 * (THREADS + TASKS));
    ck_ok(bight_shared_free(segment));
    return 0;
}

static int an_event_is_for_all(void *arg)
{
    struct crowd crowd;

    (void)arg;
    open_ground();
    crowd = begin(await_event);
    while (inside < THREADS + TASKS)
        ck_ok(bight_yield());
    ck_ok(bight_shared_event_set(&ground->event));
    ck_ok(bight_shared_event_clear(&ground->event));
    end(&crowd);
    ck_ok(bight_shared_free(segment));
    return 0;
}

static int write_pipe(void *arg)
{
    static const char bytes[5000];

    (void)arg;
    EXPECT(bight_shared_pipe_write(&ground->pipe, bytes, sizeof(bytes), -1) == sizeof(bytes));
    return 0;
}

static int bytes_come_through(void *arg)
{
    struct crowd crowd;
    char bytes[64];
    size_t have = 0;

    (void)arg;
    open_ground();
    crowd = begin(write_pipe);
    while (have < 5000 * (THREADS + TASKS)) {
        int64_t count = bight_shared_pipe_read(&ground->pipe, bytes, sizeof(bytes), -1);

        EXPECT(count > 0);
        have += (size_t)count;
    }
    end(&crowd);
    ck_code((int)bight_shared_pipe_read(&ground->pipe, bytes, sizeof(bytes), 5), BIGHT_ETIMEDOUT);
    ck_ok(bight_shared_free(segment));
    return 0;
}

/* A runtime of its own: it can have what is there, and cannot wait. */
static int foreign_main(void *arg)
{
    (void)arg;
    EXPECT(bight_shared_free(segment) == BIGHT_EPERM);
    EXPECT(bight_shared_mutex_lock(&ground->mutex, -1) == BIGHT_EPERM);
    EXPECT(bight_shared_mutex_try_lock(&ground->mutex) == BIGHT_EBUSY);
    EXPECT(bight_shared_mutex_unlock(&ground->mutex) == BIGHT_EPERM);
    EXPECT(bight_shared_semaphore_acquire(&ground->semaphore, -1) == 0);
    EXPECT(bight_shared_event_wait(&ground->event, 1000) == BIGHT_EPERM);
    EXPECT(bight_shared_event_wait(&ground->event, 0) == BIGHT_ETIMEDOUT);
    EXPECT(bight_shared_semaphore_release(&ground->semaphore) == 0);
    EXPECT(bight_shared_event_set(&ground->event) == 0);
    return 0;
}

static void *foreign(void *arg)
{
    EXPECT(bight_shared_new(&(struct bight_shared *){NULL}, 8) == BIGHT_ENORUNTIME);
    EXPECT(bight_shared_free(segment) == BIGHT_EPERM);
    EXPECT(bight_run(foreign_main, arg) == 0);
    return NULL;
}

static int tasks_of_another_runtime_cannot_wait(void *arg)
{
    pthread_t thread;

    (void)arg;
    open_ground();
    ck_ok(bight_shared_mutex_lock(&ground->mutex, -1));
    EXPECT(pthread_create(&thread, NULL, foreign, NULL) == 0);
    ck_ok(bight_shared_event_wait(&ground->event, -1));
    EXPECT(pthread_join(thread, NULL) == 0);
    ck_ok(bight_shared_mutex_unlock(&ground->mutex));
    ck_ok(bight_shared_free(segment));
    return 0;
}

static void call_back(struct bight_call *call)
{
    (void)call;
    EXPECT(bight_shared_event_wait(&ground->event, -1) == BIGHT_ENOTASK);
    EXPECT(bight_shared_semaphore_try_acquire(&ground->semaphore) == 0);
    EXPECT(bight_shared_event_set(&ground->event) == 0);
}

static int a_callback_cannot_wait_either(void *arg)
{
    struct bight_task *task;
    struct bight_call call;

    (void)arg;
    open_ground();
    bight_call_init(&call, call_back);
    ck_ok(bight_spawn(&task, await_event, NULL));
    while (!inside)
        ck_ok(bight_yield());
    ck_code(bight_shared_free(segment), BIGHT_EBUSY);
    ck_ok(bight_call_soon(&call));
    ck_ok(bight_join(task, NULL));
    ck_ok(bight_shared_free(segment));
    return 0;
}

/* A deadline that passes, in a scope around it and as an argument; what was waited for comes after
 * it, or at the same instant. */
static int take_late(void *arg)
{
    return bight_shared_semaphore_acquire(&ground->semaphore, *(int64_t *)arg);
}

static int a_wait_has_an_end(void *arg)
{
    uint64_t begun_ns = bight_now_ns();
    int64_t never = -1, late = 70;

    (void)arg;
    open_ground();
    ck_ok(bight_shared_semaphore_acquire(&ground->semaphore, -1));
    ck_ok(bight_shared_semaphore_acquire(&ground->semaphore, -1));
    ck_code(take_late(&late), BIGHT_ETIMEDOUT);
    ck_assert_uint_ge(bight_now_ns() - begun_ns, 70000000);
    ck_code(bight_timeout(50, take_late, &never), BIGHT_ETIMEDOUT);
    ck_code(bight_timeout(50, take_late, &late), BIGHT_ETIMEDOUT);
    ck_assert_uint_ge(bight_now_ns() - begun_ns, 170000000);
    ck_ok(bight_shared_semaphore_release(&ground->semaphore));
    ck_ok(bight_timeout(50, take_late, &late));
    ck_ok(bight_shared_free(segment));
    return 0;
}

/* The order of `kind` and the record's place is what workers of the same version rely on. */
static void the_records_have_their_sizes(void)
{
    ck_assert_uint_eq(sizeof(struct bight_shared_mutex), 64);
    ck_assert_uint_eq(sizeof(struct bight_shared_semaphore), 64);
    ck_assert_uint_eq(sizeof(struct bight_shared_event), 64);
    ck_assert_uint_eq(sizeof(struct bight_shared_barrier), 64);
    ck_assert_uint_eq(sizeof(struct bight_shared_queue), 128);
    ck_assert_uint_eq(sizeof(struct bight_shared_pipe), 128);
}

static const struct suite_case cases[] = {
    world_case(one_has_the_mutex, one_has_the_mutex),
    world_case(two_have_units, two_have_units),
    world_case(items_are_got_once, items_are_got_once),
    world_case(an_event_is_for_all, an_event_is_for_all),
    world_case(bytes_come_through, bytes_come_through),
    world_case(tasks_of_another_runtime_cannot_wait, tasks_of_another_runtime_cannot_wait),
    world_case(a_callback_cannot_wait_either, a_callback_cannot_wait_either),
    world_case(a_wait_has_an_end, a_wait_has_an_end),
    plain_case(the_records_have_their_sizes),
};

test_suite("shared_threads", cases);
