/* Objects of another thread's runtime: refused wherever a pointer to that runtime is at hand, and
 * left as they were. The other thread stands still meanwhile. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"
#include "tests/runtime/foreign_other.h"

static int return_at_once(void *arg)
{
    (void)arg;
    return 0;
}

/* A case's way: `body` beside the other thread. */
static int with_a_body(int (*body)(void *arg), void *arg)
{
    pthread_t thread;
    int rc, other_rc;

    pthread_barrier_init(&other.stands, NULL, 2);
    pthread_barrier_init(&other.goes_on, NULL, 2);
    ck_assert_int_eq(pthread_create(&thread, NULL, foreign_thread, &other_rc), 0);
    pthread_barrier_wait(&other.stands);
    rc = world_run(body, arg, NULL);
    pthread_barrier_wait(&other.goes_on);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_ok(other_rc);
    return rc;
}

static int of_tasks(void *arg)
{
    struct bight_wait_item item = {.task = other.sleeper};
    struct bight_as_completed completed;
    struct bight_task_result result;
    struct bight_case end;

    (void)arg;
    ck_code(bight_join(other.sleeper, NULL), BIGHT_EPERM);
    ck_code(bight_join(other.ended, NULL), BIGHT_EPERM);
    ck_code(bight_join_result(other.ended, &result), BIGHT_EPERM);
    ck_code(bight_wait(&item, 1, BIGHT_WAIT_ALL_COMPLETED, 5), BIGHT_EPERM);
    ck_code(bight_wait_for(other.sleeper, 5, NULL), BIGHT_EPERM);
    ck_code(bight_as_completed_begin(&completed, &item, 1), BIGHT_EPERM);
    bight_case_join(&end, other.sleeper);
    ck_ok(bight_select(&end, 1, 0));
    ck_code(end.status, BIGHT_EPERM);
    ck_code(bight_task_detach(other.ended), BIGHT_EPERM);
    ck_assert(!bight_task_cancel(other.sleeper));
    return 0;
}

static void note_call(struct bight_task_callback *callback)
{
    (void)callback;
    ck_abort_msg("a callback of another runtime's task");
}

static int of_callbacks(void *arg)
{
    struct bight_task_callback callback;

    (void)arg;
    ck_code(bight_task_add_callback(other.sleeper, &callback, note_call), BIGHT_EPERM);
    return 0;
}

static int of_groups(void *arg)
{
    (void)arg;
    ck_code(bight_group_spawn(NULL, &other.group, NULL, return_at_once, NULL), BIGHT_EPERM);
    ck_code(bight_group_start(NULL, &other.group, NULL, return_at_once, NULL, NULL), BIGHT_EPERM);
    ck_code(bight_group_drain(&other.group), BIGHT_EPERM);
    ck_code(bight_group_end(&other.group, 0), BIGHT_ESCOPE);
    ck_code(bight_background_spawn(NULL, other.background, NULL, return_at_once, NULL),
            BIGHT_EPERM);
    ck_code(bight_background_drain(other.background), BIGHT_EPERM);
    ck_code(bight_background_end(other.background), BIGHT_EPERM);
    return 0;
}

static int of_scopes(void *arg)
{
    (void)arg;
    bight_scope_cancel(&other.scope);
    ck_code(bight_scope_set_timeout(&other.scope, 0), BIGHT_EPERM);
    ck_code(bight_scope_set_deadline(&other.scope, 0), BIGHT_EPERM);
    ck_code(bight_scope_set_shield(&other.scope, true), BIGHT_EPERM);
    ck_code(bight_scope_end(&other.scope, 0), BIGHT_ESCOPE);
    return 0;
}

static int of_locks(void *arg)
{
    (void)arg;
    ck_code(bight_mutex_lock(&other.mutex), BIGHT_EPERM);
    ck_code(bight_mutex_try_lock(&other.mutex), BIGHT_EPERM);
    ck_code(bight_mutex_unlock(&other.mutex), BIGHT_EPERM);
    ck_code(bight_rwlock_write_lock(&other.rwlock), BIGHT_EPERM);
    ck_code(bight_rwlock_read_lock(&other.rwlock), BIGHT_EPERM);
    ck_code(bight_once_run(&other.once, return_at_once, NULL), BIGHT_EPERM);
    ck_code(bight_rwlock_try_write_lock(&other.rwlock), BIGHT_EPERM);
    ck_code(bight_rwlock_try_read_lock(&other.rwlock), BIGHT_EPERM);
    ck_code(bight_rwlock_unlock(&other.rwlock), BIGHT_EPERM);
    ck_code(bight_rwlock_read_lock(&other.read), BIGHT_EPERM);
    ck_code(bight_rwlock_try_read_lock(&other.read), BIGHT_EPERM);
    ck_code(bight_rwlock_unlock(&other.read), BIGHT_EPERM);
    return 0;
}

static int of_sources(void *arg)
{
    struct bight_case set;
    void *item;

    (void)arg;
    ck_code(bight_event_wait(&other.event), BIGHT_EPERM);
    bight_case_event(&set, &other.event);
    ck_ok(bight_select(&set, 1, 0));
    ck_code(set.status, BIGHT_EPERM);
    ck_code(bight_semaphore_acquire(&other.semaphore), BIGHT_EPERM);
    ck_code(bight_future_wait(&other.future, NULL, NULL), BIGHT_EPERM);
    ck_code(bight_future_set(&other.future, NULL), BIGHT_EPERM);
    ck_code(bight_queue_get(other.getters, &item), BIGHT_EPERM);
    ck_code(bight_queue_put(other.getters, &other), BIGHT_EPERM);
    ck_code(bight_queue_try_put(other.getters, &other), BIGHT_EPERM);
    ck_code(bight_queue_put(other.putters, &other), BIGHT_EPERM);
    ck_code(bight_queue_get(other.putters, &item), BIGHT_EPERM);
    ck_code(bight_generator_next(other.generator, &item), BIGHT_EPERM);
    ck_code(bight_generator_end(other.generator), BIGHT_EPERM);
    return 0;
}

static void never_called(struct bight_future_callback *callback)
{
    (void)callback;
    ck_abort_msg("a callback of another runtime's future");
}

static int of_futures(void *arg)
{
    struct bight_wait_item item = {.future = &other.future};
    struct bight_future_callback callback;
    struct bight_as_completed completed;
    struct bight_case done;

    (void)arg;
    ck_code(bight_wait(&item, 1, BIGHT_WAIT_ALL_COMPLETED, 5), BIGHT_EPERM);
    ck_code(bight_as_completed_begin(&completed, &item, 1), BIGHT_EPERM);
    ck_code(bight_future_wait_for(&other.future, 0, NULL, NULL), BIGHT_EPERM);
    ck_code(bight_future_wait_for(&other.future, 5, NULL, NULL), BIGHT_EPERM);
    bight_case_future(&done, &other.future);
    ck_ok(bight_select(&done, 1, 0));
    ck_code(done.status, BIGHT_EPERM);
    ck_code(bight_future_add_callback(&other.future, &callback, never_called), BIGHT_EPERM);
    /* Whatever waits for it, an item or a callback. */
    ck_code(bight_future_wait(&other.item_future, NULL, NULL), BIGHT_EPERM);
    ck_code(bight_future_cancel(&other.item_future), BIGHT_EPERM);
    ck_code(bight_future_fail(&other.called_future, BIGHT_EIO), BIGHT_EPERM);
    ck_assert(!bight_future_remove_callback(&other.callback));
    return 0;
}

static int of_wakes(void *arg)
{
    struct bight_borrower borrower = {0};
    int value = 1;

    (void)arg;
    ck_code(bight_event_set(&other.event), BIGHT_EPERM);
    ck_assert(!bight_event_is_set(&other.event));
    ck_code(bight_semaphore_release(&other.semaphore), BIGHT_EPERM);
    ck_code(bight_semaphore_try_acquire(&other.semaphore), BIGHT_EPERM);
    ck_code(bight_wait_group_add(&other.count, 1), BIGHT_EPERM);
    ck_code(bight_wait_group_finish(&other.count), BIGHT_EPERM);
    ck_code(bight_limiter_try_acquire(&other.limiter, &borrower), BIGHT_EPERM);
    ck_code(bight_limiter_acquire(&other.limiter, &borrower), BIGHT_EPERM);
    ck_code(bight_limiter_release(&other.limiter, &other.borrowers[0]), BIGHT_EPERM);
    ck_code(bight_limiter_set_total(&other.limiter, 5), BIGHT_EPERM);
    ck_code(bight_rate_limiter_try_acquire(&other.rate, 1), BIGHT_EPERM);
    ck_code(bight_rate_limiter_acquire(&other.rate, 1), BIGHT_EPERM);
    ck_code(bight_barrier_wait(&other.barrier), BIGHT_EPERM);
    ck_code(bight_barrier_abort(&other.barrier), BIGHT_EPERM);
    ck_code(bight_barrier_reset(&other.barrier), BIGHT_EPERM);
    ck_code(bight_latest_set(&other.latest, NULL), BIGHT_EPERM);
    ck_code(bight_latest_close(&other.latest), BIGHT_EPERM);
    ck_code(bight_broadcast_publish(other.broadcast, &value), BIGHT_EPERM);
    ck_code(bight_broadcast_try_publish(other.broadcast, &value), BIGHT_EPERM);
    ck_code(bight_broadcast_close(other.broadcast), BIGHT_EPERM);
    ck_code(bight_broadcast_receive(&other.subscriber, &value, NULL), BIGHT_EPERM);
    ck_code(bight_broadcast_unsubscribe(&other.subscriber), BIGHT_EPERM);
    return 0;
}

static int of_ends(void *arg)
{
    struct bight_wait_item *next;
    void *item;

    (void)arg;
    ck_code(bight_queue_close(other.getters), BIGHT_EPERM);
    ck_code(bight_queue_close(other.putters), BIGHT_EPERM);
    ck_code(bight_queue_abort(other.putters, NULL, NULL), BIGHT_EPERM);
    ck_code(bight_queue_abort(other.joined, NULL, NULL), BIGHT_EPERM);
    ck_code(bight_queue_task_done(other.joined), BIGHT_EPERM);
    ck_code(bight_queue_join(other.joined), BIGHT_EPERM);
    ck_code(bight_channel_send(&other.sender, arg), BIGHT_EPERM);
    ck_code(bight_channel_receive(&other.receiver, &item), BIGHT_EPERM);
    ck_code(bight_sender_end(&other.sender), BIGHT_EPERM);
    ck_code(bight_receiver_end(&other.receiver), BIGHT_EPERM);
    ck_code(bight_as_completed_next(&other.completed, &next), BIGHT_EPERM);
    ck_code(bight_as_completed_end(&other.completed), BIGHT_EPERM);
    ck_code(bight_generator_yield(other.generator, NULL), BIGHT_EPERM);
    ck_code(bight_signal_wait(other.signal), BIGHT_EPERM);
    ck_code(bight_signal_end(other.signal), BIGHT_EPERM);
    return 0;
}

static const struct suite_case cases[] = {
    body_case(tasks_of_another_runtime_are_refused, with_a_body, of_tasks),
    body_case(callbacks_of_their_ends_are_refused, with_a_body, of_callbacks),
    body_case(groups_of_another_runtime_are_refused, with_a_body, of_groups),
    body_case(scopes_of_another_runtime_are_refused, with_a_body, of_scopes),
    body_case(locks_of_another_runtime_are_refused, with_a_body, of_locks),
    body_case(sources_where_tasks_of_another_runtime_wait_are_refused, with_a_body, of_sources),
    body_case(futures_of_another_runtime_are_refused, with_a_body, of_futures),
    body_case(tasks_of_another_runtime_are_not_woken, with_a_body, of_wakes),
    body_case(what_tasks_of_another_runtime_wait_on_is_not_ended, with_a_body, of_ends),
};

test_suite("foreign", cases);
