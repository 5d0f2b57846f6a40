/* Read-write lock: readers together, writers alone, one queue for both. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <stdio.h>
#include <string.h>

#define MANY 6

struct shared {
    struct bight_rwlock lock;
    struct bight_mutex mutex;
    struct bight_event go; /* those inside leave */
    struct bight_task *tasks[MANY];
    const char *kinds; /* of those who have not begun: r, w */
    char order[16];    /* of those who went in */
    int code;
};

static int enters(void *arg)
{
    struct shared *shared = arg;
    char kind = *shared->kinds++;
    size_t inside;
    int rc = kind == 'r' ? bight_rwlock_read_lock(&shared->lock)
                         : bight_rwlock_write_lock(&shared->lock);

    if (rc)
        return rc;
    inside = strlen(shared->order);
    snprintf(shared->order + inside, sizeof shared->order - inside, "%c", kind);
    rc = bight_event_wait(&shared->go);
    ck_ok(bight_rwlock_unlock(&shared->lock));
    return rc;
}

/* One task per letter of `kinds`, in that order. */
static void start(struct shared *shared, const char *kinds)
{
    memset(shared, 0, sizeof(*shared));
    shared->kinds = kinds;
    bight_rwlock_init(&shared->lock);
    bight_mutex_init(&shared->mutex);
    bight_event_init(&shared->go);
    for (size_t i = 0; kinds[i]; i++)
        ck_ok(bight_spawn(&shared->tasks[i], enters, shared));
    world_settle();
}

/* Those who are inside leave, and the next go in. */
static void next(struct shared *shared)
{
    bight_event_set(&shared->go);
    bight_event_clear(&shared->go);
    world_settle();
}

static void finish(struct shared *shared)
{
    bight_event_set(&shared->go);
    for (int i = 0; i < MANY && shared->tasks[i]; i++)
        ck_ok(bight_join(shared->tasks[i], NULL));
    ck_assert_ptr_null(bight_rwlock_writer(&shared->lock));
    ck_assert_uint_eq(bight_rwlock_readers(&shared->lock), 0);
    ck_assert_uint_eq(bight_rwlock_waiting(&shared->lock), 0);
    ck_ok(bight_rwlock_try_write_lock(&shared->lock));
    ck_ok(bight_rwlock_unlock(&shared->lock));
}

static int in_order(void *arg)
{
    struct shared shared;

    (void)arg;
    start(&shared, "rrwrrw");
    ck_assert_str_eq(shared.order, "rr");
    ck_assert_uint_eq(bight_rwlock_readers(&shared.lock), 2);
    ck_assert_uint_eq(bight_rwlock_waiting(&shared.lock), 4);
    ck_code(bight_rwlock_try_read_lock(&shared.lock), BIGHT_EBUSY); /* a writer is ahead */
    next(&shared);
    ck_assert_str_eq(shared.order, "rrw");
    ck_assert_ptr_eq(bight_rwlock_writer(&shared.lock), shared.tasks[2]);
    ck_assert_uint_eq(bight_rwlock_readers(&shared.lock), 0);
    ck_code(bight_rwlock_try_write_lock(&shared.lock), BIGHT_EBUSY);
    ck_code(bight_rwlock_unlock(&shared.lock), BIGHT_EPERM);
    next(&shared);
    ck_assert_str_eq(shared.order, "rrwrr");
    next(&shared);
    ck_assert_str_eq(shared.order, "rrwrrw");
    finish(&shared);
    return 0;
}

static int handed_over(void *arg)
{
    struct shared shared;

    (void)arg;
    start(&shared, "");
    ck_ok(bight_rwlock_write_lock(&shared.lock));
    shared.kinds = "rw";
    ck_ok(bight_spawn(&shared.tasks[0], enters, &shared));
    ck_ok(bight_spawn(&shared.tasks[1], enters, &shared));
    world_settle();
    ck_ok(bight_rwlock_unlock(&shared.lock));
    ck_assert_uint_eq(bight_rwlock_readers(&shared.lock), 1); /* before it ran */
    ck_code(bight_rwlock_try_read_lock(&shared.lock), BIGHT_EBUSY);
    bight_task_cancel(shared.tasks[0]); /* it has the lock */
    world_settle();
    ck_assert_str_eq(shared.order, "rw");
    finish(&shared);
    return 0;
}

static int writer_cancelled(void *arg)
{
    struct shared shared;

    (void)arg;
    start(&shared, "rwrrw");
    bight_task_cancel(shared.tasks[1]);
    ck_assert_uint_eq(bight_rwlock_readers(&shared.lock), 3);
    world_settle();
    ck_assert_str_eq(shared.order, "rrr");
    bight_task_cancel(shared.tasks[4]);
    ck_assert_uint_eq(bight_rwlock_waiting(&shared.lock), 0);
    ck_ok(bight_rwlock_try_read_lock(&shared.lock));
    ck_ok(bight_rwlock_unlock(&shared.lock));
    finish(&shared);
    return 0;
}

static int mutex_then_read(void *arg)
{
    struct shared *shared = arg;

    ck_ok(bight_mutex_lock(&shared->mutex));
    shared->code = bight_rwlock_read_lock(&shared->lock);
    ck_ok(bight_mutex_unlock(&shared->mutex));
    if (shared->code == 0)
        ck_ok(bight_rwlock_unlock(&shared->lock));
    return 0;
}

static int circles(void *arg)
{
    struct shared shared;

    (void)arg;
    start(&shared, "");
    ck_ok(bight_rwlock_write_lock(&shared.lock));
    ck_code(bight_rwlock_write_lock(&shared.lock), BIGHT_EDEADLK);
    ck_code(bight_rwlock_read_lock(&shared.lock), BIGHT_EDEADLK);
    ck_code(bight_rwlock_try_read_lock(&shared.lock), BIGHT_EDEADLK);
    ck_ok(bight_spawn(&shared.tasks[0], mutex_then_read, &shared));
    world_settle();
    ck_code(bight_mutex_lock(&shared.mutex), BIGHT_EDEADLK);
    ck_ok(bight_rwlock_unlock(&shared.lock));
    finish(&shared);
    return 0;
}

static void rwlock_circle_through_the_writer_is_refused(void)
{
    struct bight_rwlock lock;

    bight_rwlock_init(&lock);
    ck_code(bight_rwlock_read_lock(&lock), BIGHT_ENOTASK);
    ck_code(bight_rwlock_try_write_lock(&lock), BIGHT_ENOTASK);
    ck_code(bight_rwlock_unlock(&lock), BIGHT_ENOTASK);
    ck_ok(world_run(circles, NULL, NULL));
}

static int keeps_it(void *arg)
{
    ck_ok(bight_rwlock_write_lock(arg));
    return bight_yield();
}

static int writer_ends(void *arg)
{
    struct bight_task *writer;
    struct shared shared;

    (void)arg;
    start(&shared, "");
    ck_ok(bight_spawn(&writer, keeps_it, &shared.lock));
    ck_ok(bight_yield());
    shared.kinds = "rr";
    ck_ok(bight_spawn(&shared.tasks[0], enters, &shared));
    ck_ok(bight_spawn(&shared.tasks[1], enters, &shared));
    ck_ok(bight_join(writer, NULL));
    world_settle();
    ck_assert_str_eq(shared.order, "rr");
    finish(&shared);
    return 0;
}

static void rwlock_of_a_writer_that_ended_goes_to_the_next(void)
{
    struct world_reports reports;

    ck_ok(world_run(writer_ends, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_MUTEX_HELD], 1);
}

static const struct suite_case cases[] = {
    world_case(rwlock_lets_in_readers_together_and_writers_alone_in_order, in_order),
    world_case(rwlock_is_handed_over_before_the_next_one_runs, handed_over),
    world_case(rwlock_writer_that_gives_up_makes_way_for_the_readers_behind, writer_cancelled),
    plain_case(rwlock_circle_through_the_writer_is_refused),
    plain_case(rwlock_of_a_writer_that_ended_goes_to_the_next),
};

test_suite("rwlock", cases);
