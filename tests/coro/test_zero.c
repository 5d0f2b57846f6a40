/* Records that a user places: one that is all zero, and one made by its initialiser, is as good as
 * one made by its init function. Those that need an argument are in test_zero_refused.c. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <string.h>

/* Both must pass `works`: what it needs to know of the record is the same. */
#define both(type, initialiser, works)                                                             \
    do {                                                                                           \
        type zeroed, made = initialiser;                                                           \
                                                                                                   \
        memset(&zeroed, 0, sizeof(zeroed));                                                        \
        works(&zeroed);                                                                            \
        works(&made);                                                                              \
    } while (0)

/* Spawn `fn(record)`, have it wait, and have `go(record)` end the wait with 0. */
static void waits_and_goes_on(int (*fn)(void *arg), void *record, void (*go)(void *record))
{
    struct bight_task *tasks[2];
    int status;

    for (int i = 0; i < 2; i++)
        ck_ok(bight_spawn(&tasks[i], fn, record));
    world_settle();
    bight_task_cancel(tasks[0]);
    ck_ok(bight_join(tasks[0], &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert(!bight_task_done(tasks[1]));
    go(record);
    ck_ok(bight_join(tasks[1], &status));
    ck_ok(status);
}

static int locks(void *mutex)
{
    int rc = bight_mutex_lock(mutex);

    return rc ? rc : bight_mutex_unlock(mutex);
}

static void unlock(void *mutex)
{
    ck_assert_uint_eq(bight_mutex_waiting(mutex), 1);
    ck_ok(bight_mutex_unlock(mutex));
}

static void mutex_works(struct bight_mutex *mutex)
{
    ck_assert_ptr_null(bight_mutex_owner(mutex));
    ck_assert_uint_eq(bight_mutex_waiting(mutex), 0);
    ck_code(bight_mutex_unlock(mutex), BIGHT_EPERM);
    ck_ok(bight_mutex_try_lock(mutex));
    ck_ok(bight_mutex_unlock(mutex)); /* nobody has waited: the list was never used */
    ck_ok(bight_mutex_lock(mutex));
    waits_and_goes_on(locks, mutex, unlock);
}

static int awaits_event(void *event)
{
    return bight_event_wait(event);
}

static void set_event(void *event)
{
    bight_event_set(event);
}

static int selects_event(void *event)
{
    struct bight_case chosen;

    bight_case_event(&chosen, event);
    return bight_select(&chosen, 1, 0);
}

static void event_works(struct bight_event *event)
{
    ck_assert(!bight_event_is_set(event));
    ck_assert_uint_eq(bight_event_waiting(event), 0);
    bight_event_set(event);
    bight_event_clear(event);
    waits_and_goes_on(awaits_event, event, set_event);
}

static void event_can_be_selected(struct bight_event *event)
{
    waits_and_goes_on(selects_event, event, set_event);
}

static int acquires(void *semaphore)
{
    return bight_semaphore_acquire(semaphore);
}

static void release(void *semaphore)
{
    ck_assert_uint_eq(bight_semaphore_waiting(semaphore), 1);
    ck_ok(bight_semaphore_release(semaphore));
}

static void semaphore_works(struct bight_semaphore *semaphore)
{
    ck_assert_int_eq(bight_semaphore_value(semaphore), 0);
    ck_assert_uint_eq(bight_semaphore_waiting(semaphore), 0);
    ck_code(bight_semaphore_try_acquire(semaphore), BIGHT_EAGAIN);
    ck_ok(bight_semaphore_release(semaphore));
    ck_ok(bight_semaphore_acquire(semaphore));
    waits_and_goes_on(acquires, semaphore, release);
}

static int writes(void *lock)
{
    int rc = bight_rwlock_write_lock(lock);

    return rc ? rc : bight_rwlock_unlock(lock);
}

static void unlock_rwlock(void *lock)
{
    ck_assert_uint_eq(bight_rwlock_waiting(lock), 1);
    ck_ok(bight_rwlock_unlock(lock));
}

/* Ends with the lock held: others must not wait for it for ever. */
static int takes_it_along(void *lock)
{
    return bight_rwlock_write_lock(lock);
}

static void rwlock_works(struct bight_rwlock *lock)
{
    ck_assert_ptr_null(bight_rwlock_writer(lock));
    ck_assert_uint_eq(bight_rwlock_readers(lock), 0);
    ck_assert_uint_eq(bight_rwlock_waiting(lock), 0);
    ck_code(bight_rwlock_unlock(lock), BIGHT_EPERM);
    ck_ok(bight_rwlock_try_write_lock(lock));
    ck_ok(bight_rwlock_unlock(lock));
    ck_ok(bight_rwlock_try_read_lock(lock));
    waits_and_goes_on(writes, lock, unlock_rwlock);
}

static void abandoned_rwlock_goes_on(struct bight_rwlock *lock)
{
    struct bight_task *task;

    ck_ok(bight_spawn(&task, takes_it_along, lock));
    ck_ok(bight_yield());
    ck_ok(bight_rwlock_read_lock(lock));
    ck_assert_uint_eq(bight_rwlock_readers(lock), 1);
    ck_ok(bight_rwlock_unlock(lock));
    ck_ok(bight_join(task, NULL));
}

static int runs_once(void *once)
{
    return bight_once_run(once, world_return, &(int){0});
}

static void once_works(struct bight_once *once)
{
    int five = 5;

    ck_assert(!bight_once_done(once));
    ck_assert_int_eq(bight_once_run(once, world_return, &five), 5);
    ck_assert(bight_once_done(once));
    ck_assert_int_eq(runs_once(once), 5);
}

static int awaits_group(void *group)
{
    return bight_wait_group_wait(group);
}

static void finish(void *group)
{
    ck_assert_uint_eq(bight_wait_group_waiting(group), 1);
    ck_ok(bight_wait_group_finish(group));
}

static void wait_group_works(struct bight_wait_group *group)
{
    ck_assert_int_eq(bight_wait_group_count(group), 0);
    ck_assert_uint_eq(bight_wait_group_waiting(group), 0);
    ck_ok(bight_wait_group_wait(group));
    ck_code(bight_wait_group_finish(group), BIGHT_ERANGE);
    ck_ok(bight_wait_group_add(group, 1));
    waits_and_goes_on(awaits_group, group, finish);
}

static int borrows(void *limiter)
{
    struct bight_borrower borrower = BIGHT_BORROWER_INIT;
    int rc = bight_limiter_acquire(limiter, &borrower);

    return rc ? rc : bight_limiter_release(limiter, &borrower);
}

static void raise_total(void *limiter)
{
    ck_assert_uint_eq(bight_limiter_waiting(limiter), 1);
    ck_ok(bight_limiter_set_total(limiter, 1));
}

static void limiter_works(struct bight_limiter *limiter)
{
    struct bight_borrower borrower;

    memset(&borrower, 0, sizeof(borrower));
    ck_assert_int_eq(bight_limiter_total(limiter), 0);
    ck_assert_int_eq(bight_limiter_borrowed(limiter), 0);
    ck_assert_uint_eq(bight_limiter_waiting(limiter), 0);
    ck_assert_ptr_null(bight_borrower_limiter(&borrower));
    ck_code(bight_limiter_release(limiter, &borrower), BIGHT_EPERM);
    ck_code(bight_limiter_try_acquire(limiter, &borrower), BIGHT_EAGAIN);
    waits_and_goes_on(borrows, limiter, raise_total);
}

static int awaits_future(void *future)
{
    void *value;
    int status, rc = bight_future_wait(future, &status, &value);

    return rc ? rc : status || value != future;
}

static int selects_future(void *future)
{
    struct bight_case chosen;
    int rc;

    bight_case_future(&chosen, future);
    rc = bight_select(&chosen, 1, 0);
    return rc ? rc : chosen.value != future;
}

static void set_future(void *future)
{
    ck_ok(bight_future_set(future, future));
}

static int called_back;

static void on_future(struct bight_future_callback *callback)
{
    (void)callback;
    called_back++;
}

static void future_works(struct bight_future *future)
{
    struct bight_future_callback callback;
    struct bight_future copy = BIGHT_FUTURE_INIT;
    int status;

    memset(&callback, 0, sizeof(callback));
    called_back = 0;
    ck_assert(!bight_future_done(future));
    ck_code(bight_future_get(future, &status, NULL), BIGHT_EAGAIN);
    ck_code(bight_future_copy(&copy, future), BIGHT_EAGAIN);
    ck_assert(!bight_future_remove_callback(&callback));
    ck_ok(bight_future_add_callback(future, &callback, on_future));
    waits_and_goes_on(awaits_future, future, set_future);
    ck_assert_int_eq(called_back, 1);
    ck_ok(bight_future_copy(&copy, future));
    ck_assert(bight_future_done(&copy));
}

static void future_can_be_selected(struct bight_future *future)
{
    waits_and_goes_on(selects_future, future, set_future);
}

static void future_can_fail_at_once(struct bight_future *future)
{
    int status;

    ck_ok(bight_future_cancel(future));
    ck_ok(bight_future_get(future, &status, NULL));
    ck_code(status, BIGHT_ECANCELED);
}

static int calls_made;

static void on_call(struct bight_call *call)
{
    (void)call;
    calls_made++;
}

static void call_works(struct bight_call *call)
{
    calls_made = 0;
    call->fn = on_call;
    ck_assert(!bight_call_pending(call));
    ck_assert(!bight_call_cancel(call));
    ck_assert_uint_eq(bight_call_when_ns(call), 0);
    ck_ok(bight_call_later(call, 5));
    ck_code(bight_call_soon(call), BIGHT_EALREADY);
    ck_ok(bight_sleep(10));
    ck_assert_int_eq(calls_made, 1);
    ck_ok(bight_call_soon(call));
    ck_ok(bight_yield());
    ck_assert_int_eq(calls_made, 2);
}

static void call_can_come_soon(struct bight_call *call)
{
    calls_made = 0;
    call->fn = on_call;
    ck_ok(bight_call_soon(call));
    ck_assert(bight_call_cancel(call));
    ck_ok(bight_call_later(call, 5)); /* its timer is set up by now */
    ck_ok(bight_sleep(10));
    ck_assert_int_eq(calls_made, 1);
}

static int hooked;

static void on_hook(struct bight_hook *hook)
{
    (void)hook;
    hooked++;
}

static void hook_works(struct bight_hook *hook)
{
    hooked = 0;
    hook->fn = on_hook;
    ck_assert(!bight_hook_remove(hook));
    ck_ok(bight_hook_add_idle(hook));
    ck_code(bight_hook_add_turn(hook), BIGHT_EALREADY);
    ck_ok(bight_sleep(1));
    ck_assert(bight_hook_remove(hook));
    ck_assert_int_gt(hooked, 0);
}

static int awaits_latest(void *latest)
{
    uint64_t version = 1;

    return bight_latest_wait(latest, &version, NULL);
}

static void set_latest(void *latest)
{
    ck_ok(bight_latest_set(latest, NULL));
}

static void latest_works(struct bight_latest *latest)
{
    ck_assert_uint_eq(bight_latest_get(latest, NULL), 0);
    ck_ok(bight_latest_set(latest, NULL));
    ck_assert_uint_eq(bight_latest_get(latest, NULL), 1);
    waits_and_goes_on(awaits_latest, latest, set_latest);
    bight_latest_close(latest);
    ck_code(bight_latest_set(latest, NULL), BIGHT_ECLOSED);
}

static int records(void *arg)
{
    (void)arg;
    both(struct bight_mutex, BIGHT_MUTEX_INIT, mutex_works);
    both(struct bight_event, BIGHT_EVENT_INIT, event_works);
    both(struct bight_event, BIGHT_EVENT_INIT, event_can_be_selected);
    both(struct bight_semaphore, BIGHT_SEMAPHORE_INIT(0), semaphore_works);
    both(struct bight_rwlock, BIGHT_RWLOCK_INIT, rwlock_works);
    both(struct bight_once, BIGHT_ONCE_INIT, once_works);
    both(struct bight_wait_group, BIGHT_WAIT_GROUP_INIT, wait_group_works);
    both(struct bight_limiter, BIGHT_LIMITER_INIT(0), limiter_works);
    both(struct bight_future, BIGHT_FUTURE_INIT, future_works);
    both(struct bight_future, BIGHT_FUTURE_INIT, future_can_be_selected);
    both(struct bight_future, BIGHT_FUTURE_INIT, future_can_fail_at_once);
    both(struct bight_call, BIGHT_CALL_INIT(on_call), call_works);
    both(struct bight_call, BIGHT_CALL_INIT(on_call), call_can_come_soon);
    both(struct bight_hook, BIGHT_HOOK_INIT(on_hook), hook_works);
    both(struct bight_latest, BIGHT_LATEST_INIT(NULL, 0), latest_works);
    return 0;
}

static int abandons(void *arg)
{
    (void)arg;
    both(struct bight_rwlock, BIGHT_RWLOCK_INIT, abandoned_rwlock_goes_on);
    return 0;
}

static void rwlock_of_a_task_that_ended_is_given_on(void)
{
    struct world_reports reports;

    ck_ok(world_run(abandons, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_MUTEX_HELD], 2);
}

static int awaits_notice(void *condition)
{
    struct bight_mutex *mutex = ((struct bight_condition *)condition)->mutex;
    int rc = bight_mutex_lock(mutex);

    if (rc)
        return rc;
    rc = bight_condition_wait(condition);
    (void)bight_mutex_unlock(mutex);
    return rc;
}

static void notify(void *condition)
{
    struct bight_mutex *mutex = ((struct bight_condition *)condition)->mutex;

    ck_ok(bight_mutex_lock(mutex));
    ck_ok(bight_condition_notify_all(condition));
    ck_ok(bight_mutex_unlock(mutex));
}

static int meets(void *barrier)
{
    int rc = bight_barrier_wait(barrier);

    return rc < 0 ? rc : 0;
}

static void barrier_works(struct bight_barrier *barrier)
{
    struct bight_task *task;
    int status;

    ck_ok(bight_spawn(&task, meets, barrier));
    world_settle();
    ck_assert_int_eq(bight_barrier_parties(barrier), 2);
    ck_assert_int_eq(bight_barrier_waiting(barrier), 1);
    ck_assert_int_eq(bight_barrier_wait(barrier), 1);
    ck_ok(bight_join(task, &status));
    ck_ok(status);
}

/* With an argument of their own. */
static int initialised(void *arg)
{
    struct bight_mutex mutex = BIGHT_MUTEX_INIT;
    struct bight_condition condition = BIGHT_CONDITION_INIT(&mutex);
    struct bight_barrier barrier = BIGHT_BARRIER_INIT(2);
    struct bight_semaphore semaphore = BIGHT_SEMAPHORE_INIT(2);
    struct bight_limiter limiter = BIGHT_LIMITER_INIT(BIGHT_LIMITER_UNLIMITED);
    int current = 3, read = 0;
    struct bight_latest latest = BIGHT_LATEST_INIT(&current, sizeof(current));

    (void)arg;
    waits_and_goes_on(awaits_notice, &condition, notify);
    barrier_works(&barrier);
    ck_assert_int_eq(bight_semaphore_value(&semaphore), 2);
    ck_ok(borrows(&limiter));
    ck_assert_uint_eq(bight_latest_get(&latest, &read), 0);
    ck_assert_int_eq(read, 3);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(records_of_zeros_are_as_good_as_initialised_ones, records),
    plain_case(rwlock_of_a_task_that_ended_is_given_on),
    world_case(initialisers_take_their_arguments, initialised),
};

test_suite("zero", cases);
