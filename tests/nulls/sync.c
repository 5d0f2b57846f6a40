/* Rows of coro/sync. */
#include "tests/nulls/rows.h"

static void events(void)
{
    does_nothing(bight_event_init, NULL);
    says_einval(bight_event_set, NULL);
    does_nothing(bight_event_clear, NULL);
    is_false(bight_event_is_set, NULL);
    is_zero(bight_event_waiting, NULL);
    says_einval(bight_event_wait, NULL);
}

static void semaphores(void)
{
    says_einval(bight_semaphore_init, NULL, 1);
    says_einval(bight_semaphore_init_bounded, NULL, 1, 1);
    says_einval(bight_semaphore_acquire, NULL);
    says_einval(bight_semaphore_try_acquire, NULL);
    says_einval(bight_semaphore_release, NULL);
    is_zero(bight_semaphore_value, NULL);
    is_zero(bight_semaphore_waiting, NULL);
}

static void conditions(void)
{
    does_nothing(bight_condition_init, NULL, NULL);
    says_einval(bight_condition_wait, NULL);
    says_einval(bight_condition_wait_until, NULL, (void *)some_fn, NULL);
    says_einval(bight_condition_wait_until, (void *)some, NULL, NULL);
    says_einval(bight_condition_notify, NULL, 1);
    says_einval(bight_condition_notify_all, NULL);
    is_zero(bight_condition_waiting, NULL);
}

static void rwlocks(void)
{
    does_nothing(bight_rwlock_init, NULL);
    says_einval(bight_rwlock_read_lock, NULL);
    says_einval(bight_rwlock_write_lock, NULL);
    says_einval(bight_rwlock_try_read_lock, NULL);
    says_einval(bight_rwlock_try_write_lock, NULL);
    says_einval(bight_rwlock_unlock, NULL);
    is_null(bight_rwlock_writer, NULL);
    is_zero(bight_rwlock_readers, NULL);
    is_zero(bight_rwlock_waiting, NULL);
}

static void barriers(void)
{
    says_einval(bight_barrier_init, NULL, 2);
    says_einval(bight_barrier_wait, NULL);
    says_einval(bight_barrier_abort, NULL);
    says_einval(bight_barrier_reset, NULL);
    gives(BIGHT_BARRIER_BROKEN, bight_barrier_get_state, NULL);
    says_einval(bight_barrier_parties, NULL);
    says_einval(bight_barrier_waiting, NULL);
}

static void onces(void)
{
    does_nothing(bight_once_init, NULL);
    says_einval(bight_once_run, NULL, some_fn, NULL);
    says_einval(bight_once_run, (void *)some, NULL, NULL);
    is_false(bight_once_done, NULL);
}

static void wait_groups(void)
{
    does_nothing(bight_wait_group_init, NULL);
    says_einval(bight_wait_group_add, NULL, 1);
    says_einval(bight_wait_group_finish, NULL);
    says_einval(bight_wait_group_wait, NULL);
    is_zero(bight_wait_group_count, NULL);
    is_zero(bight_wait_group_waiting, NULL);
}

static void limiters(void)
{
    says_einval(bight_limiter_init, NULL, 1);
    does_nothing(bight_borrower_init, NULL);
    says_einval(bight_limiter_acquire, NULL, (void *)some);
    says_einval(bight_limiter_acquire, (void *)some, NULL);
    says_einval(bight_limiter_try_acquire, NULL, (void *)some);
    says_einval(bight_limiter_try_acquire, (void *)some, NULL);
    says_einval(bight_limiter_release, NULL, (void *)some);
    says_einval(bight_limiter_release, (void *)some, NULL);
    says_einval(bight_limiter_set_total, NULL, 1);
    is_zero(bight_limiter_total, NULL);
    is_zero(bight_limiter_borrowed, NULL);
    is_zero(bight_limiter_waiting, NULL);
    is_null(bight_borrower_limiter, NULL);
    says_einval(bight_rate_limiter_init, NULL, 1, 1, 1);
    says_einval(bight_rate_limiter_acquire, NULL, 1);
    says_einval(bight_rate_limiter_try_acquire, NULL, 1);
    is_zero(bight_rate_limiter_available, NULL);
}

void walk_sync(void)
{
    events();
    semaphores();
    conditions();
    rwlocks();
    barriers();
    onces();
    wait_groups();
    limiters();
}
