/* Locks: one of asyncio is one of three things here: a mutex, or one of two kinds of
 * semaphore with one unit. The cases hold for all of them. */
#include "tests/conformance/conf.h"

enum kind { MUTEX, SEMAPHORE, BOUNDED, KINDS };

struct lock {
    enum kind kind;
    struct bight_mutex mutex;
    struct bight_semaphore semaphore;
};

static void lock_init(struct lock *lock, enum kind kind)
{
    lock->kind = kind;
    bight_mutex_init(&lock->mutex);
    if (kind == BOUNDED)
        ck_ok(bight_semaphore_init_bounded(&lock->semaphore, 1, 1));
    else
        ck_ok(bight_semaphore_init(&lock->semaphore, 1));
}

static int lock_take(struct lock *lock)
{
    return lock->kind == MUTEX ? bight_mutex_lock(&lock->mutex)
                               : bight_semaphore_acquire(&lock->semaphore);
}

static void lock_release(struct lock *lock)
{
    ck_ok(lock->kind == MUTEX ? bight_mutex_unlock(&lock->mutex)
                              : bight_semaphore_release(&lock->semaphore));
}

static bool lock_is_held(const struct lock *lock)
{
    return lock->kind == MUTEX ? bight_mutex_owner(&lock->mutex) != NULL
                               : bight_semaphore_value(&lock->semaphore) == 0;
}

static size_t lock_waiting(const struct lock *lock)
{
    return lock->kind == MUTEX ? bight_mutex_waiting(&lock->mutex)
                               : bight_semaphore_waiting(&lock->semaphore);
}

/* Run `body` as main once for each kind of lock. */
static int for_each_kind(int (*body)(enum kind kind))
{
    for (int kind = 0; kind < KINDS; kind++)
        ck_ok(body(kind));
    return 0;
}

/* Takes the lock, notes its number, and releases once it is told to. */
struct holder {
    struct lock *lock;
    struct conf_notes *notes;
    const char *number;
    struct bight_event let_go;
    struct bight_task *task;
};

static int holder(void *arg)
{
    struct holder *holder = arg;
    int rc = lock_take(holder->lock);

    if (rc)
        return rc;
    conf_note(holder->notes, holder->number);
    ck_ok(bight_event_wait(&holder->let_go));
    lock_release(holder->lock);
    return 0;
}

static void start_holder(struct holder *of, struct lock *lock, struct conf_notes *notes,
                         const char *number)
{
    of->lock = lock;
    of->notes = notes;
    of->number = number;
    bight_event_init(&of->let_go);
    ck_ok(bight_spawn(&of->task, holder, of));
}

static int in_order(enum kind kind)
{
    struct conf_notes notes = {0};
    struct holder holders[3];
    struct lock lock;

    lock_init(&lock, kind);
    ck_ok(lock_take(&lock));
    start_holder(&holders[0], &lock, &notes, "1");
    start_holder(&holders[1], &lock, &notes, "2");
    ck_ok(bight_yield());
    ck_assert_str_eq(notes.text, "");
    lock_release(&lock);
    ck_ok(bight_yield());
    ck_assert_str_eq(notes.text, " 1");
    ck_ok(bight_yield());
    ck_assert_str_eq(notes.text, " 1");
    bight_event_set(&holders[0].let_go);
    start_holder(&holders[2], &lock, &notes, "3"); /* asks before the second has run */
    ck_ok(bight_yield());
    ck_ok(bight_yield());
    ck_assert_str_eq(notes.text, " 1 2");
    ck_assert_uint_eq(lock_waiting(&lock), 1);
    bight_event_set(&holders[1].let_go);
    ck_ok(bight_yield());
    ck_ok(bight_yield());
    ck_assert_str_eq(notes.text, " 1 2 3");
    bight_event_set(&holders[2].let_go);
    for (int i = 0; i < 3; i++)
        conf_join(holders[i].task, 0);
    ck_assert(!lock_is_held(&lock));
    return 0;
}

static int newcomer_in_the_same_moment(void *arg)
{
    (void)arg;
    return for_each_kind(in_order);
}

static int cancelled_while_released(enum kind kind)
{
    struct conf_notes notes = {0};
    struct holder a, b, c;
    struct lock lock;

    lock_init(&lock, kind);
    start_holder(&a, &lock, &notes, "a");
    start_holder(&b, &lock, &notes, "b");
    start_holder(&c, &lock, &notes, "c");
    ck_ok(bight_yield());
    ck_assert_uint_eq(lock_waiting(&lock), 2);
    bight_event_set(&b.let_go);
    bight_event_set(&c.let_go);

    bight_event_set(&a.let_go);
    bight_task_cancel(b.task);
    ck_assert_uint_eq(lock_waiting(&lock), 1); /* b has no place any more */
    ck_ok(bight_yield());
    ck_assert(bight_task_done(a.task) && bight_task_done(b.task));
    ck_assert(!bight_task_done(c.task));
    /* It is never free in between: it was handed to c, who has not run. */
    ck_assert_uint_eq(lock_waiting(&lock), 0);
    ck_assert(lock_is_held(&lock));
    conf_join(c.task, 0);
    conf_join(a.task, 0);
    conf_join(b.task, BIGHT_ECANCELED);
    ck_assert_str_eq(notes.text, " a c");
    ck_assert(!lock_is_held(&lock));
    return 0;
}

static int cancel_race(void *arg)
{
    (void)arg;
    return for_each_kind(cancelled_while_released);
}

static int cancelled_and_unlocked(void *arg)
{
    struct conf_notes notes = {0};
    struct holder holders[3];
    struct lock lock;

    (void)arg;
    lock_init(&lock, MUTEX);
    ck_ok(lock_take(&lock));
    for (int i = 0; i < 3; i++)
        start_holder(&holders[i], &lock, &notes, (const char *[]){"1", "2", "3"}[i]);
    ck_ok(bight_yield());
    bight_task_cancel(holders[0].task);
    lock_release(&lock);
    conf_join(holders[0].task, BIGHT_ECANCELED);
    ck_ok(bight_yield());
    ck_assert_str_eq(notes.text, " 2");
    ck_assert_ptr_eq(bight_mutex_owner(&lock.mutex), holders[1].task);
    ck_assert_uint_eq(lock_waiting(&lock), 1);
    bight_task_cancel(holders[2].task);
    ck_ok(bight_yield());
    ck_assert(bight_task_done(holders[2].task));
    conf_join(holders[2].task, BIGHT_ECANCELED);
    bight_event_set(&holders[1].let_go);
    conf_join(holders[1].task, 0);
    ck_assert_str_eq(notes.text, " 2");
    return 0;
}

/* With a semaphore it is a callback that releases, and who has a unit may end. */
struct counted {
    struct lock lock;
    int calls;
    int successes;
    struct bight_task *tasks[3];
    struct bight_call call;
};

static int takes_counted(void *arg)
{
    struct counted *counted = arg;
    int rc;

    counted->calls++;
    rc = lock_take(&counted->lock);
    if (rc == 0)
        counted->successes++;
    return rc;
}

static void cancels_and_releases(struct bight_call *call)
{
    struct counted *counted = (struct counted *)((char *)call - offsetof(struct counted, call));

    bight_task_cancel(counted->tasks[0]);
    lock_release(&counted->lock);
}

static int cancelled_and_released(enum kind kind)
{
    struct counted counted = {0};

    lock_init(&counted.lock, kind);
    ck_ok(lock_take(&counted.lock));
    for (int i = 0; i < 3; i++)
        ck_ok(bight_spawn(&counted.tasks[i], takes_counted, &counted));
    ck_ok(bight_yield());
    bight_call_init(&counted.call, cancels_and_releases);
    ck_ok(bight_call_soon(&counted.call));
    conf_join(counted.tasks[0], BIGHT_ECANCELED);
    ck_ok(bight_yield());
    ck_assert_int_eq(counted.calls, 3);
    ck_assert_int_eq(counted.successes, 1);
    ck_assert(bight_task_done(counted.tasks[1]));
    ck_assert(!bight_task_done(counted.tasks[2]));
    bight_task_cancel(counted.tasks[2]);
    ck_ok(bight_yield());
    ck_assert(bight_task_done(counted.tasks[2]));
    conf_join(counted.tasks[1], 0);
    conf_join(counted.tasks[2], BIGHT_ECANCELED);
    ck_assert_int_eq(counted.successes, 1);
    return 0;
}

static int cancel_release_race(void *arg)
{
    ck_ok(cancelled_and_unlocked(arg));
    ck_ok(cancelled_and_released(SEMAPHORE));
    return cancelled_and_released(BOUNDED);
}

static int held_in_between(enum kind kind)
{
    struct lock lock;

    lock_init(&lock, kind);
    ck_assert(!lock_is_held(&lock));
    ck_ok(lock_take(&lock));
    ck_assert(lock_is_held(&lock));
    ck_ok(bight_sleep(10));
    ck_assert(lock_is_held(&lock));
    lock_release(&lock);
    ck_assert(!lock_is_held(&lock));
    return 0;
}

static int held(void *arg)
{
    struct bight_condition condition;
    struct bight_mutex mutex;

    (void)arg;
    ck_ok(for_each_kind(held_in_between));
    ck_assert_int_eq(conf_now_ms(), 30);
    bight_mutex_init(&mutex);
    bight_condition_init(&condition, &mutex);
    ck_code(bight_condition_notify(&condition, 1), BIGHT_EPERM);
    ck_ok(bight_mutex_lock(&mutex));
    ck_ok(bight_sleep(10));
    ck_assert_ptr_eq(bight_mutex_owner(&mutex), bight_self());
    ck_ok(bight_condition_notify(&condition, 1));
    ck_ok(bight_mutex_unlock(&mutex));
    ck_assert_ptr_null(bight_mutex_owner(&mutex));
    ck_code(bight_condition_notify(&condition, 1), BIGHT_EPERM);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(lock_02_waiters_get_the_lock_in_the_order_of_asking, newcomer_in_the_same_moment),
    conf_case(lock_04_a_release_while_the_first_waiter_is_cancelled_goes_to_the_next, cancel_race),
    conf_case(lock_05_cancelling_a_waiter_and_releasing_wakes_exactly_one_other,
              cancel_release_race),
    conf_case(lock_08_a_lock_is_held_exactly_from_lock_to_unlock, held),
};

test_suite("sync, locks", cases);
