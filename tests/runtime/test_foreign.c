/* Objects of another thread's runtime: refused wherever a pointer to that runtime is at hand, and
 * left as they were. The other thread stands still meanwhile. */
#include <bight.h>

#include <pthread.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

/* The other thread's. */
static struct {
    pthread_barrier_t stands, goes_on;
    struct bight_task *sleeper, *ended;
    struct bight_mutex mutex;
    struct bight_rwlock rwlock;
    struct bight_once once;
    struct bight_event event, gate;
    struct bight_semaphore semaphore;
    struct bight_future future;
    struct bight_queue *getters, *putters;
    struct bight_scope scope;
    struct bight_group group;
    struct bight_background *background;
    struct bight_generator *generator;
} other;

static int sleeps(void *arg)
{
    (void)arg;
    return bight_event_wait(&other.gate);
}

static int waits_event(void *arg)
{
    (void)arg;
    return bight_event_wait(&other.event);
}

static int waits_semaphore(void *arg)
{
    (void)arg;
    return bight_semaphore_acquire(&other.semaphore);
}

static int waits_future(void *arg)
{
    (void)arg;
    return bight_future_wait(&other.future, NULL, NULL);
}

static int gets(void *arg)
{
    void *item;

    (void)arg;
    return bight_queue_get(other.getters, &item);
}

static int puts_two(void *arg)
{
    int rc = bight_queue_put(other.putters, arg);

    return rc ? rc : bight_queue_put(other.putters, arg);
}

static int runs_once(void *arg)
{
    (void)arg;
    return bight_once_run(&other.once, sleeps, NULL);
}

static int generates(struct bight_generator *generator, void *arg)
{
    return bight_generator_yield(generator, arg);
}

static void spawn_waiters(void)
{
    static int (*const waiters[])(void *arg) = {waits_event, waits_semaphore, waits_future,
                                                gets,        puts_two,        runs_once};

    for (size_t i = 0; i < sizeof waiters / sizeof waiters[0]; i++)
        ck_ok(bight_group_spawn(NULL, &other.group, NULL, waiters[i], &other));
}

static void settle_waiters(void)
{
    void *item;

    bight_event_set(&other.event);
    bight_event_set(&other.gate);
    bight_semaphore_release(&other.semaphore);
    ck_ok(bight_future_set(&other.future, NULL));
    ck_ok(bight_queue_put(other.getters, &other));
    ck_ok(bight_queue_get(other.putters, &item));
}

static int return_at_once(void *arg)
{
    (void)arg;
    return 0;
}

static int other_main(void *arg)
{
    int status;

    (void)arg;
    bight_event_init(&other.event);
    bight_event_init(&other.gate);
    ck_ok(bight_semaphore_init(&other.semaphore, 0));
    bight_future_init(&other.future);
    bight_mutex_init(&other.mutex);
    bight_rwlock_init(&other.rwlock);
    bight_once_init(&other.once);
    ck_ok(bight_queue_new(&other.getters, 1));
    ck_ok(bight_queue_new(&other.putters, 1));
    ck_ok(bight_background_new(&other.background, NULL, NULL));
    ck_ok(bight_generator_new(&other.generator, generates, NULL));
    ck_ok(bight_mutex_lock(&other.mutex));
    ck_ok(bight_rwlock_write_lock(&other.rwlock));
    ck_ok(bight_spawn(&other.sleeper, sleeps, NULL));
    ck_ok(bight_spawn(&other.ended, return_at_once, NULL));
    ck_ok(bight_group_begin(&other.group, 0));
    spawn_waiters();
    ck_ok(bight_scope_begin(&other.scope, -1, 0));
    world_settle();

    pthread_barrier_wait(&other.stands);
    pthread_barrier_wait(&other.goes_on);

    /* Everything is as it was. */
    ck_ok(bight_scope_end(&other.scope, bight_yield()));
    ck_assert(!other.scope.cancelled && !bight_task_done(other.sleeper));
    ck_assert_uint_eq(other.group.live, 6);
    settle_waiters();
    ck_ok(bight_group_end(&other.group, 0));
    ck_ok(bight_join(other.sleeper, &status));
    ck_ok(status);
    ck_ok(bight_join(other.ended, NULL));
    ck_ok(bight_generator_end(other.generator));
    ck_ok(bight_generator_free(other.generator));
    ck_ok(bight_background_end(other.background));
    ck_ok(bight_rwlock_unlock(&other.rwlock));
    ck_ok(bight_mutex_unlock(&other.mutex));
    ck_ok(bight_queue_free(other.getters));
    ck_ok(bight_queue_free(other.putters));
    return 0;
}

static void *other_thread(void *arg)
{
    *(int *)arg = bight_run(other_main, NULL);
    return NULL;
}

/* A case's way: `body` beside the other thread. */
static int with_a_body(int (*body)(void *arg), void *arg)
{
    pthread_t thread;
    int rc, other_rc;

    pthread_barrier_init(&other.stands, NULL, 2);
    pthread_barrier_init(&other.goes_on, NULL, 2);
    ck_assert_int_eq(pthread_create(&thread, NULL, other_thread, &other_rc), 0);
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

static const struct suite_case cases[] = {
    body_case(tasks_of_another_runtime_are_refused, with_a_body, of_tasks),
    body_case(callbacks_of_their_ends_are_refused, with_a_body, of_callbacks),
    body_case(groups_of_another_runtime_are_refused, with_a_body, of_groups),
    body_case(scopes_of_another_runtime_are_refused, with_a_body, of_scopes),
    body_case(locks_of_another_runtime_are_refused, with_a_body, of_locks),
    body_case(sources_where_tasks_of_another_runtime_wait_are_refused, with_a_body, of_sources),
};

test_suite("foreign", cases);
