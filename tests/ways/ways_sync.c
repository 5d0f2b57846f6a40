/* See ways.h: what tasks synchronise with, beyond mutex and event. */
#include "tests/ways/ways.h"

#include <check.h>

#include "coro/base/list.h"

static struct bight_mutex mutex;
static struct bight_condition condition;
static size_t tokens;
static struct bight_semaphore semaphore;
static struct bight_limiter limiter;
static struct bight_borrower borrower; /* main's */
static struct bight_rwlock rwlock;
static struct bight_barrier barrier;
static struct bight_once once;
static struct bight_event once_ends;
static struct bight_task *runner;
static struct bight_wait_group wait_group;

/* Condition: what is given is a notification, and for the predicate a token. */

static void condition_open(struct stage *stage)
{
    (void)stage;
    tokens = 0;
    bight_mutex_init(&mutex);
    bight_condition_init(&condition, &mutex);
}

static int with_mutex(struct seat *seat, int (*wait)(void))
{
    int rc = bight_mutex_lock(&mutex);

    if (rc)
        return rc;
    seat->stage->no_memory = true;
    rc = wait();
    ck_assert_ptr_eq(bight_mutex_owner(&mutex), bight_self());
    ck_assert_int_eq(bight_mutex_unlock(&mutex), 0);
    return rc;
}

static int wait_once(void)
{
    return bight_condition_wait(&condition);
}

static int condition_wait(struct seat *seat)
{
    return with_mutex(seat, wait_once);
}

static bool has_token(void *arg)
{
    (void)arg;
    return tokens;
}

static int wait_token(void)
{
    int rc = bight_condition_wait_until(&condition, has_token, NULL);

    tokens -= rc == 0;
    return rc;
}

static int condition_wait_until(struct seat *seat)
{
    return with_mutex(seat, wait_token);
}

static void condition_wake(struct stage *stage)
{
    (void)stage;
    ck_assert_int_eq(bight_mutex_lock(&mutex), 0); /* who was cancelled may have it for now */
    tokens++;
    ck_assert_int_eq(bight_condition_notify(&condition, 1), 0);
    ck_assert_int_eq(bight_mutex_unlock(&mutex), 0);
}

static void condition_close(struct stage *stage)
{
    (void)stage;
    ck_assert_uint_eq(bight_condition_waiting(&condition), 0);
    ck_assert_ptr_null(bight_mutex_owner(&mutex));
}

static void token_close(struct stage *stage)
{
    condition_close(stage);
    ck_assert_uint_eq(tokens, stage->given - stage->taken);
}

/* Semaphore */

static void semaphore_open(struct stage *stage)
{
    (void)stage;
    ck_assert_int_eq(bight_semaphore_init(&semaphore, 0), 0);
}

static int semaphore_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_semaphore_acquire(&semaphore);
}

static void semaphore_wake(struct stage *stage)
{
    (void)stage;
    ck_assert_int_eq(bight_semaphore_release(&semaphore), 0);
}

static void semaphore_close(struct stage *stage)
{
    ck_assert_int_eq(bight_semaphore_value(&semaphore), (int)(stage->given - stage->taken));
    ck_assert_uint_eq(bight_semaphore_waiting(&semaphore), 0);
}

/* Limiter: main has the only unit. */

static void limiter_open(struct stage *stage)
{
    (void)stage;
    ck_assert_int_eq(bight_limiter_init(&limiter, 1), 0);
    bight_borrower_init(&borrower);
    ck_assert_int_eq(bight_limiter_try_acquire(&limiter, &borrower), 0);
}

static int limiter_wait(struct seat *seat)
{
    struct bight_borrower own;
    int rc;

    bight_borrower_init(&own);
    seat->stage->no_memory = true;
    rc = bight_limiter_acquire(&limiter, &own);
    ck_assert_ptr_eq(bight_borrower_limiter(&own), rc ? NULL : &limiter);
    if (rc == 0)
        ck_assert_int_eq(bight_limiter_release(&limiter, &own), 0);
    return rc;
}

static void limiter_wake(struct stage *stage)
{
    if (stage->given == 1)
        ck_assert_int_eq(bight_limiter_release(&limiter, &borrower), 0);
}

static void limiter_close(struct stage *stage)
{
    ck_assert_int_eq(bight_limiter_borrowed(&limiter), stage->given ? 0 : 1);
    ck_assert_uint_eq(bight_limiter_waiting(&limiter), 0);
}

/* Read-write lock: main has it for writing. */

static void rwlock_open(struct stage *stage)
{
    (void)stage;
    bight_rwlock_init(&rwlock);
    ck_assert_int_eq(bight_rwlock_try_write_lock(&rwlock), 0);
}

static int read_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_rwlock_read_lock(&rwlock);
}

static int write_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_rwlock_write_lock(&rwlock);
}

static void rwlock_wake(struct stage *stage)
{
    if (stage->given == 1)
        ck_assert_int_eq(bight_rwlock_unlock(&rwlock), 0);
}

static void rwlock_leave(struct seat *seat)
{
    (void)seat;
    ck_assert_int_eq(bight_rwlock_unlock(&rwlock), 0);
}

static void rwlock_close(struct stage *stage)
{
    ck_assert_int_eq(bight_rwlock_try_write_lock(&rwlock), stage->given ? 0 : BIGHT_EDEADLK);
    ck_assert_int_eq(bight_rwlock_unlock(&rwlock), 0);
}

/* Barrier: never full, what is given is an end to it. */

static void barrier_open(struct stage *stage)
{
    (void)stage;
    ck_assert_int_eq(bight_barrier_init(&barrier, 3), 0);
}

static int barrier_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_barrier_wait(&barrier);
}

static void barrier_wake(struct stage *stage)
{
    (void)stage;
    bight_barrier_abort(&barrier);
}

static void barrier_close(struct stage *stage)
{
    (void)stage;
    bight_barrier_reset(&barrier);
    ck_assert_int_eq(bight_barrier_get_state(&barrier), BIGHT_BARRIER_FILLING);
    ck_assert_int_eq(bight_barrier_waiting(&barrier), 0);
}

/* Once: a child runs it, to an event. */

static int until_event(void *arg)
{
    return bight_event_wait(arg);
}

static int run_once(void *arg)
{
    return bight_once_run(arg, until_event, &once_ends);
}

static void once_open(struct stage *stage)
{
    (void)stage;
    bight_once_init(&once);
    bight_event_init(&once_ends);
    ck_assert_int_eq(bight_spawn(&runner, run_once, &once), 0);
    ck_assert_int_eq(bight_yield(), 0);
}

static int once_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_once_run(&once, until_event, &once_ends);
}

static void once_wake(struct stage *stage)
{
    (void)stage;
    bight_event_set(&once_ends);
}

static void once_close(struct stage *stage)
{
    once_wake(stage);
    ck_assert_int_eq(bight_join(runner, NULL), 0);
    ck_assert(bight_once_done(&once));
    ck_assert(link_empty(&once.waiters));
}

/* Wait group */

static void wait_group_open(struct stage *stage)
{
    (void)stage;
    bight_wait_group_init(&wait_group);
    ck_assert_int_eq(bight_wait_group_add(&wait_group, 1), 0);
}

static int wait_group_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_wait_group_wait(&wait_group);
}

static void wait_group_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_wait_group_finish(&wait_group), stage->given == 1 ? 0 : BIGHT_ERANGE);
}

static void wait_group_close(struct stage *stage)
{
    (void)stage;
    ck_assert_uint_eq(bight_wait_group_waiting(&wait_group), 0);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way sync_ways[] = {
    {"bight_condition_wait", 2, 0, true, WAY_HINT, condition_open, condition_wait, condition_wake,
     NULL, condition_close},
    {"bight_condition_wait_until", 2, 0, true, WAY_HINT, condition_open, condition_wait_until,
     condition_wake, NULL, token_close},
    {"bight_semaphore_acquire", 2, 0, true, 0, semaphore_open, semaphore_wait, semaphore_wake, NULL,
     semaphore_close},
    {"bight_limiter_acquire", 2, 0, true, 0, limiter_open, limiter_wait, limiter_wake, NULL,
     limiter_close},
    {"bight_rwlock_read_lock", 2, 0, true, 0, rwlock_open, read_wait, rwlock_wake, rwlock_leave,
     rwlock_close},
    {"bight_rwlock_write_lock", 2, 0, true, 0, rwlock_open, write_wait, rwlock_wake, rwlock_leave,
     rwlock_close},
    {"bight_barrier_wait", 2, BIGHT_EBROKEN, true, 0, barrier_open, barrier_wait, barrier_wake,
     NULL, barrier_close},
    {"bight_once_run", 2, 0, true, 0, once_open, once_wait, once_wake, NULL, once_close},
    {"bight_wait_group_wait", 2, 0, true, 0, wait_group_open, wait_group_wait, wait_group_wake,
     NULL, wait_group_close},
};

const struct way_table sync_way_table = {sync_ways, sizeof(sync_ways) / sizeof(sync_ways[0])};
