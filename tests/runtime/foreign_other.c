/* See foreign_other.h. */
#include "tests/runtime/foreign_other.h"

#include <signal.h>

#include "tests/harness/world.h"

struct foreign_other other;

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

static int waits_count(void *arg)
{
    (void)arg;
    return bight_wait_group_wait(&other.count);
}

static int waits_limiter(void *arg)
{
    (void)arg;
    return bight_limiter_acquire(&other.limiter, &other.borrowers[1]);
}

static int waits_rate(void *arg)
{
    (void)arg;
    return bight_rate_limiter_acquire(&other.rate, 1);
}

static int waits_barrier(void *arg)
{
    int place = bight_barrier_wait(&other.barrier);

    (void)arg;
    return place < 0 ? place : 0;
}

static int waits_to_write(void *arg)
{
    int rc = bight_rwlock_write_lock(&other.read);

    (void)arg;
    return rc ? rc : bight_rwlock_unlock(&other.read);
}

static int waits_latest(void *arg)
{
    uint64_t version = 0;

    (void)arg;
    return bight_latest_wait(&other.latest, &version, NULL);
}

static int waits_broadcast(void *arg)
{
    int value;

    (void)arg;
    return bight_broadcast_receive(&other.subscriber, &value, NULL);
}

static int joins_queue(void *arg)
{
    (void)arg;
    return bight_queue_join(other.joined);
}

static int sends(void *arg)
{
    return bight_channel_send(&other.sender, arg);
}

static int waits_next(void *arg)
{
    struct bight_wait_item *next;

    (void)arg;
    return bight_as_completed_next(&other.completed, &next);
}

static int waits_signal(void *arg)
{
    int arrived = bight_signal_wait(other.signal);

    (void)arg;
    return arrived == BIGHT_ECLOSED ? 0 : BIGHT_EIO;
}

static int (*const waiters[])(void *arg) = {
    waits_event, waits_semaphore, waits_future,  gets,           puts_two,     runs_once,
    waits_count, waits_limiter,   waits_barrier, waits_to_write, waits_latest, waits_broadcast,
    joins_queue, sends,           waits_next,    waits_signal,
};

#define WAITERS (sizeof waiters / sizeof waiters[0])

static void spawn_waiters(void)
{
    for (size_t i = 0; i < WAITERS; i++)
        ck_ok(bight_group_spawn(NULL, &other.group, NULL, waiters[i], &other));
}

static void note_done(struct bight_future_callback *callback)
{
    callback->future = NULL;
}

static void open_sources(void)
{
    static const struct bight_broadcast_options options = {.capacity = 1,
                                                           .value_bytes = sizeof(int)};

    bight_wait_group_init(&other.count);
    ck_ok(bight_wait_group_add(&other.count, 1));
    ck_ok(bight_limiter_init(&other.limiter, 1));
    for (int i = 0; i < 2; i++)
        bight_borrower_init(&other.borrowers[i]);
    ck_ok(bight_limiter_try_acquire(&other.limiter, &other.borrowers[0]));
    ck_ok(bight_rate_limiter_init(&other.rate, 1, 3600000, 1));
    ck_ok(bight_rate_limiter_try_acquire(&other.rate, 1));
    ck_ok(bight_spawn(&other.limited, waits_rate, NULL));
    ck_ok(bight_barrier_init(&other.barrier, 2));
    bight_rwlock_init(&other.read);
    ck_ok(bight_rwlock_read_lock(&other.read));
    bight_latest_init(&other.latest, NULL, 0);
    ck_ok(bight_broadcast_new(&other.broadcast, &options));
    ck_ok(bight_broadcast_subscribe(other.broadcast, &other.subscriber));
    ck_ok(bight_queue_new(&other.joined, 1));
    ck_ok(bight_queue_put(other.joined, &other));
    ck_ok(bight_channel_open(&other.sender, &other.receiver, NULL));
    bight_future_init(&other.item_future);
    other.item = (struct bight_wait_item){.future = &other.item_future};
    ck_ok(bight_as_completed_begin(&other.completed, &other.item, 1));
    bight_future_init(&other.called_future);
    ck_ok(bight_future_add_callback(&other.called_future, &other.callback, note_done));
    ck_ok(bight_signal_open(&other.signal, SIGUSR2));
}

static void close_sources(void)
{
    void *item;
    int value = 1;

    ck_assert(bight_task_cancel(other.limited));
    ck_ok(bight_join(other.limited, NULL));
    ck_ok(bight_wait_group_finish(&other.count));
    ck_ok(bight_limiter_release(&other.limiter, &other.borrowers[0]));
    ck_assert_int_ge(bight_barrier_wait(&other.barrier), 0);
    ck_ok(bight_rwlock_unlock(&other.read));
    ck_ok(bight_latest_set(&other.latest, NULL));
    ck_ok(bight_broadcast_try_publish(other.broadcast, &value));
    ck_ok(bight_broadcast_unsubscribe(&other.subscriber));
    ck_ok(bight_broadcast_close(other.broadcast));
    ck_ok(bight_broadcast_free(other.broadcast));
    ck_ok(bight_queue_try_get(other.joined, &item));
    ck_ok(bight_queue_task_done(other.joined));
    ck_ok(bight_channel_receive(&other.receiver, &item));
    ck_ok(bight_sender_end(&other.sender));
    ck_ok(bight_receiver_end(&other.receiver));
    ck_ok(bight_future_set(&other.item_future, NULL));
    ck_ok(bight_yield());
    ck_ok(bight_as_completed_end(&other.completed));
    ck_ok(bight_future_set(&other.called_future, NULL));
    ck_ok(bight_yield());
    ck_assert_ptr_null(other.callback.future);
    ck_ok(bight_signal_end(other.signal));
}

static void settle_waiters(void)
{
    void *item;

    ck_ok(bight_event_set(&other.event));
    ck_ok(bight_event_set(&other.gate));
    ck_ok(bight_semaphore_release(&other.semaphore));
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
    open_sources();
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
    ck_assert_uint_eq(other.group.live, WAITERS);
    settle_waiters();
    close_sources();
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
    ck_ok(bight_queue_free(other.joined));
    return 0;
}

void *foreign_thread(void *arg)
{
    *(int *)arg = bight_run(other_main, NULL);
    return NULL;
}
