/* The scenarios of what tasks synchronise with, beyond mutex and event. See scenarios.h. */
#include "tests/sweeps/scenarios.h"

#include <bight.h>
#include <check.h>

/* Condition: a buffer of one place between two tasks. */

struct buffer {
    struct bight_mutex mutex;
    struct bight_condition changed;
    bool full;
    bool closed; /* one side has gone */
};

static bool may_fill(void *arg)
{
    const struct buffer *buffer = arg;

    return !buffer->full || buffer->closed;
}

static bool may_empty(void *arg)
{
    const struct buffer *buffer = arg;

    return buffer->full || buffer->closed;
}

static int lock_buffer(struct buffer *buffer)
{
    int rc = bight_mutex_lock(&buffer->mutex);

    scenario_balance += rc == 0;
    return rc;
}

static void unlock_buffer(struct buffer *buffer)
{
    EXPECT(bight_condition_notify_all(&buffer->changed) == 0);
    EXPECT(bight_mutex_unlock(&buffer->mutex) == 0);
    scenario_balance--;
}

static int move(struct buffer *buffer, bool fill)
{
    int rc = lock_buffer(buffer);

    if (rc)
        return rc;
    rc = bight_condition_wait_until(&buffer->changed, fill ? may_fill : may_empty, buffer);
    EXPECT(bight_mutex_owner(&buffer->mutex) == bight_self());
    if (rc == 0 && buffer->full != fill)
        buffer->full = fill;
    else if (rc == 0)
        rc = BIGHT_ECLOSED;
    unlock_buffer(buffer);
    return rc;
}

static void leave_buffer(void *arg)
{
    struct buffer *buffer = arg;

    /* Shielded, in a handler of the task's end. */
    EXPECT(lock_buffer(buffer) == 0);
    buffer->closed = true;
    unlock_buffer(buffer);
}

static int side(struct buffer *buffer, bool fill)
{
    int rc = bight_defer(leave_buffer, buffer);

    for (int i = 0; i < 3 && !rc; i++)
        rc = move(buffer, fill);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int fills(void *arg)
{
    scenario_balance--;
    return side(arg, true);
}

static int empties(void *arg)
{
    scenario_balance--;
    return side(arg, false);
}

static int buffer_body(struct bight_group *group, void *arg)
{
    int rc = scenario_spawn(group, NULL, "fills", fills, arg);

    return rc ? rc : scenario_spawn(group, NULL, "empties", empties, arg);
}

int scenario_condition(void *arg)
{
    struct buffer buffer = {0};

    (void)arg;
    bight_mutex_init(&buffer.mutex);
    bight_condition_init(&buffer.changed, &buffer.mutex);
    return bight_group_run(buffer_body, &buffer);
}

/* Two units for four tasks. Each takes one under a limit of three. */

struct units {
    struct bight_semaphore semaphore;
    struct bight_limiter limiter;
};

static int takes_unit(void *arg)
{
    struct units *units = arg;
    struct bight_borrower borrower;
    int rc;

    scenario_balance--;
    bight_borrower_init(&borrower);
    rc = bight_limiter_acquire(&units->limiter, &borrower);
    if (rc)
        return rc;
    rc = bight_semaphore_acquire(&units->semaphore);
    if (rc == 0) {
        scenario_balance++;
        rc = bight_sleep(3);
        EXPECT(bight_semaphore_release(&units->semaphore) == 0);
        scenario_balance--;
    }
    EXPECT(bight_limiter_release(&units->limiter, &borrower) == 0);
    return rc;
}

static int units_body(struct bight_group *group, void *arg)
{
    int rc = 0;

    for (int i = 0; i < 4 && !rc; i++)
        rc = scenario_spawn(group, NULL, "takes a unit", takes_unit, arg);
    return rc;
}

int scenario_semaphore(void *arg)
{
    struct units units;
    int rc;

    (void)arg;
    EXPECT(bight_semaphore_init_bounded(&units.semaphore, 2, 2) == 0);
    EXPECT(bight_limiter_init(&units.limiter, 3) == 0);
    rc = bight_group_run(units_body, &units);
    EXPECT(bight_semaphore_value(&units.semaphore) == 2);
    EXPECT(bight_limiter_borrowed(&units.limiter) == 0);
    return rc;
}

/* Read-write lock: what is written is seen whole. */

struct record {
    struct bight_rwlock lock;
    int first, second;
};

static int reads(void *arg)
{
    struct record *record = arg;
    int rc, first;

    scenario_balance--;
    rc = bight_rwlock_read_lock(&record->lock);
    if (rc)
        return rc;
    first = record->first;
    rc = bight_sleep(2);
    EXPECT(record->second == first);
    EXPECT(bight_rwlock_unlock(&record->lock) == 0);
    return rc;
}

static int writes(void *arg)
{
    struct record *record = arg;
    int rc;

    scenario_balance--;
    rc = bight_rwlock_write_lock(&record->lock);
    if (rc)
        return rc;
    record->first++;
    rc = bight_sleep(2);
    record->second++;
    EXPECT(bight_rwlock_unlock(&record->lock) == 0);
    return rc;
}

static int record_body(struct bight_group *group, void *arg)
{
    int rc = 0;

    for (int i = 0; i < 6 && !rc; i++)
        rc = i % 3 == 1 ? scenario_spawn(group, NULL, "writes", writes, arg)
                        : scenario_spawn(group, NULL, "reads", reads, arg);
    return rc;
}

int scenario_rwlock(void *arg)
{
    struct record record = {0};
    int rc;

    (void)arg;
    bight_rwlock_init(&record.lock);
    rc = bight_group_run(record_body, &record);
    EXPECT(bight_rwlock_try_write_lock(&record.lock) == 0); /* nobody has kept it */
    EXPECT(bight_rwlock_unlock(&record.lock) == 0);
    return rc;
}

/* Barrier, once and wait group: three workers begin together, with something that one of them
 * makes, and report their end. One that gives up breaks the barrier for the others. */

struct start {
    struct bight_barrier barrier;
    struct bight_once once;
    struct bight_wait_group ended;
    bool made;
};

static int make(void *arg)
{
    struct start *start = arg;
    int rc = bight_sleep(5);

    if (rc)
        return rc;
    EXPECT(!start->made);
    start->made = true;
    return 0;
}

static int begins(struct start *start)
{
    int rc = 0;

    for (int i = 0; i < 2 && rc >= 0; i++)
        rc = bight_barrier_wait(&start->barrier);
    if (rc >= 0)
        rc = bight_once_run(&start->once, make, start);
    EXPECT(rc || start->made);
    return rc;
}

static void report_end(struct start *start, int rc)
{
    if (rc < 0)
        bight_barrier_abort(&start->barrier);
    EXPECT(bight_wait_group_finish(&start->ended) == 0);
}

static int works(void *arg)
{
    int rc = begins(arg);

    scenario_balance--;
    report_end(arg, rc);
    return rc == BIGHT_EBROKEN ? 0 : rc;
}

static void drop_worker(void *arg)
{
    scenario_balance--;
    report_end(arg, BIGHT_ECANCELED);
}

static int start_body(struct bight_group *group, void *arg)
{
    const struct bight_spawn_options options = {.name = "works", .drop = drop_worker};
    struct start *start = arg;
    int rc = 0;

    for (int i = 0; i < 3 && !rc; i++) {
        rc = bight_group_spawn(NULL, group, &options, works, start);
        if (rc)
            break;
        scenario_balance++;
        EXPECT(bight_wait_group_add(&start->ended, 1) == 0);
    }
    return rc ? rc : bight_wait_group_wait(&start->ended);
}

int scenario_start(void *arg)
{
    struct start start = {.made = false};
    int rc;

    (void)arg;
    EXPECT(bight_barrier_init(&start.barrier, 3) == 0);
    bight_once_init(&start.once);
    bight_wait_group_init(&start.ended);
    rc = bight_group_run(start_body, &start);
    EXPECT(bight_wait_group_count(&start.ended) == 0);
    EXPECT(bight_barrier_waiting(&start.barrier) == 0);
    return rc;
}
