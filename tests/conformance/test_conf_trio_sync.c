/* Locks: who owns one, who gets it next, and turns that are kept; the capacity limiter. */
#include "tests/conformance/conf.h"

static int fails_to_take(void *arg)
{
    struct bight_mutex *mutex = arg;

    ck_code(bight_mutex_try_lock(mutex), BIGHT_EBUSY);
    ck_code(bight_mutex_unlock(mutex), BIGHT_EPERM);
    return 0;
}

static int mutex_owner(void *arg)
{
    struct bight_mutex mutex;
    struct bight_task *other;

    (void)arg;
    bight_mutex_init(&mutex);
    ck_ok(bight_mutex_lock(&mutex));
    ck_code(bight_mutex_lock(&mutex), BIGHT_EDEADLK);
    ck_code(bight_mutex_try_lock(&mutex), BIGHT_EDEADLK);
    ck_ok(bight_spawn(&other, fails_to_take, &mutex));
    conf_join(other, 0);
    ck_assert_ptr_eq(bight_mutex_owner(&mutex), bight_self());
    ck_ok(bight_mutex_unlock(&mutex));
    ck_code(bight_mutex_unlock(&mutex), BIGHT_EPERM);
    return 0;
}

static int holds_for_ever(void *arg)
{
    int rc = bight_mutex_lock(arg);

    if (rc)
        return rc;
    rc = bight_sleep(-1);
    ck_ok(bight_mutex_unlock(arg));
    return rc;
}

static int mutex_statistics(void *arg)
{
    struct bight_task *holder, *waiter;
    struct bight_mutex mutex;

    (void)arg;
    bight_mutex_init(&mutex);
    ck_ok(bight_spawn(&holder, holds_for_ever, &mutex));
    ck_ok(bight_spawn(&waiter, holds_for_ever, &mutex));
    world_settle();
    ck_assert_ptr_eq(bight_mutex_owner(&mutex), holder);
    ck_assert_uint_eq(bight_mutex_waiting(&mutex), 1);
    bight_task_cancel(holder);
    bight_task_cancel(waiter);
    conf_join(holder, BIGHT_ECANCELED);
    conf_join(waiter, BIGHT_ECANCELED);
    ck_assert_ptr_null(bight_mutex_owner(&mutex));
    ck_assert_uint_eq(bight_mutex_waiting(&mutex), 0);
    return 0;
}

static int locks_and_unlocks(void *arg)
{
    ck_ok(bight_mutex_lock(arg));
    return bight_mutex_unlock(arg);
}

static int mutex_handover(void *arg)
{
    struct bight_mutex mutex;
    struct bight_task *child;

    (void)arg;
    bight_mutex_init(&mutex);
    ck_ok(bight_mutex_lock(&mutex));
    ck_ok(bight_spawn(&child, locks_and_unlocks, &mutex));
    world_settle();
    ck_ok(bight_mutex_unlock(&mutex));
    ck_assert_ptr_eq(bight_mutex_owner(&mutex), child);
    ck_code(bight_mutex_try_lock(&mutex), BIGHT_EBUSY);
    ck_assert(!bight_task_done(child));
    conf_join(child, 0);
    return 0;
}

/* Everything that can be a lock for one: its state, and how the task's own borrower takes and
 * returns it. */
struct lock {
    int (*take)(struct lock *lock, struct bight_borrower *borrower);
    int (*give)(struct lock *lock, struct bight_borrower *borrower);
    struct bight_mutex mutex;
    struct bight_semaphore semaphore;
    struct bight_limiter limiter;
    struct bight_rwlock rwlock;
    struct bight_sender sender;
    struct bight_receiver receiver;
};

static int take_mutex(struct lock *lock, struct bight_borrower *borrower)
{
    (void)borrower;
    return bight_mutex_lock(&lock->mutex);
}

static int give_mutex(struct lock *lock, struct bight_borrower *borrower)
{
    (void)borrower;
    return bight_mutex_unlock(&lock->mutex);
}

static int take_semaphore(struct lock *lock, struct bight_borrower *borrower)
{
    (void)borrower;
    return bight_semaphore_acquire(&lock->semaphore);
}

static int give_semaphore(struct lock *lock, struct bight_borrower *borrower)
{
    (void)borrower;
    return bight_semaphore_release(&lock->semaphore);
}

static int take_limiter(struct lock *lock, struct bight_borrower *borrower)
{
    return bight_limiter_acquire(&lock->limiter, borrower);
}

static int give_limiter(struct lock *lock, struct bight_borrower *borrower)
{
    return bight_limiter_release(&lock->limiter, borrower);
}

static int take_rwlock(struct lock *lock, struct bight_borrower *borrower)
{
    (void)borrower;
    return bight_rwlock_write_lock(&lock->rwlock);
}

static int give_rwlock(struct lock *lock, struct bight_borrower *borrower)
{
    (void)borrower;
    return bight_rwlock_unlock(&lock->rwlock);
}

/* A channel with one place: whoever has filled it is inside. */
static int take_place(struct lock *lock, struct bight_borrower *borrower)
{
    (void)borrower;
    return bight_channel_send(&lock->sender, NULL);
}

static int give_place(struct lock *lock, struct bight_borrower *borrower)
{
    void *item;

    (void)borrower;
    return bight_channel_try_receive(&lock->receiver, &item);
}

/* A channel with one item: whoever has taken it is inside. */
static int take_item(struct lock *lock, struct bight_borrower *borrower)
{
    void *item;

    (void)borrower;
    return bight_channel_receive(&lock->receiver, &item);
}

static int give_item(struct lock *lock, struct bight_borrower *borrower)
{
    (void)borrower;
    return bight_channel_try_send(&lock->sender, NULL);
}

#define LOCK_KINDS 6

static void lock_open(struct lock *lock, int kind)
{
    static const struct lock kinds[LOCK_KINDS] = {
        {.take = take_mutex, .give = give_mutex},
        {.take = take_semaphore, .give = give_semaphore},
        {.take = take_limiter, .give = give_limiter},
        {.take = take_rwlock, .give = give_rwlock},
        {.take = take_place, .give = give_place},
        {.take = take_item, .give = give_item},
    };

    *lock = kinds[kind];
    bight_mutex_init(&lock->mutex);
    ck_ok(bight_semaphore_init(&lock->semaphore, 1));
    ck_ok(bight_limiter_init(&lock->limiter, 1));
    bight_rwlock_init(&lock->rwlock);
    ck_ok(bight_channel_open(&lock->sender, &lock->receiver,
                             &(struct bight_channel_options){.capacity = 1}));
    if (lock->take == take_item)
        ck_ok(bight_channel_try_send(&lock->sender, NULL));
}

static void lock_close(struct lock *lock)
{
    bight_sender_end(&lock->sender);
    bight_receiver_end(&lock->receiver);
}

struct worker {
    struct lock *lock;
    int number;
    int rounds;
    int yields; /* inside */
    int *inside;
    int *order; /* of the workers, round by round */
    int *done;
};

static int works(void *arg)
{
    const struct worker *worker = arg;
    struct bight_borrower borrower;

    bight_borrower_init(&borrower);
    for (int i = 0; i < worker->rounds; i++) {
        ck_ok(worker->lock->take(worker->lock, &borrower));
        ck_assert_int_eq(++*worker->inside, 1);
        for (int j = 0; j < worker->yields; j++)
            ck_ok(bight_yield());
        worker->order[(*worker->done)++] = worker->number;
        --*worker->inside;
        ck_ok(worker->lock->give(worker->lock, &borrower));
    }
    return 0;
}

/* Let `count` of them line up, and then in. */
static void work_in_turns(int kind, int count, int rounds, int yields)
{
    int inside = 0, done = 0, order[50];
    struct bight_borrower borrower;
    struct worker workers[5];
    struct bight_group group;
    struct lock lock;

    lock_open(&lock, kind);
    bight_borrower_init(&borrower);
    ck_ok(lock.take(&lock, &borrower));
    ck_ok(bight_group_begin(&group, 0));
    for (int i = 0; i < count; i++) {
        workers[i] = (struct worker){&lock, i, rounds, yields, &inside, order, &done};
        ck_ok(bight_group_spawn(NULL, &group, NULL, works, &workers[i]));
    }
    world_settle();
    ck_assert_int_eq(done, 0);
    ck_ok(lock.give(&lock, &borrower));
    ck_ok(bight_group_end(&group, 0));
    ck_assert_int_eq(done, count * rounds);
    for (int i = count; i < done; i++)
        ck_assert_int_eq(order[i], order[i - count]);
    lock_close(&lock);
}

static int all_kinds(void *arg)
{
    (void)arg;
    for (int kind = 0; kind < LOCK_KINDS; kind++) {
        work_in_turns(kind, 5, 10, 2);
        work_in_turns(kind, 3, 5, 0);
    }
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(tsync_02_only_the_owner_gives_a_mutex_back_and_never_takes_it_twice, mutex_owner),
    conf_case(tsync_03_a_mutex_tells_its_owner_and_its_waiters, mutex_statistics),
    conf_case(tsync_05_the_first_waiter_owns_a_mutex_before_it_runs, mutex_handover),
    /* Taking what is free does not switch, so with nothing inside one worker could be through
     * before the next has begun: they line up first. */
    conf_case(tsync_06_one_at_a_time_and_always_in_the_order_of_the_first_round, all_kinds),
};

test_suite("trio sync", cases);
