/* See held.h. */
#include "tests/offload/threads/held.h"

#include <check.h>

#include "tests/harness/expect.h"

atomic_int held_order;

int held_stand(void *arg)
{
    struct held *held = arg;

    held->number = atomic_fetch_add(&held_order, 1);
    atomic_fetch_add(&held->runs, 1);
    sem_post(&held->entered);
    while (sem_wait(&held->gate))
        ;
    return 17;
}

int held_pass(void *arg)
{
    struct held *held = arg;

    held->number = atomic_fetch_add(&held_order, 1);
    return atomic_fetch_add(&held->runs, 1) + 1;
}

struct bight_executor *held_threads(unsigned most)
{
    struct bight_threads_options options = {.threads_most = most};
    struct bight_executor *executor;

    ck_assert_int_eq(bight_threads_new(&executor, &options), 0);
    return executor;
}

static void destroy(void *arg)
{
    atomic_fetch_add(&((struct held *)arg)->destroyed, 1);
}

static int body(void *arg)
{
    struct held *held = arg;

    EXPECT(!bight_scope_begin(&held->scope, held->timeout_ms, 0));
    held->rc = held->owned ? bight_threads_call_owned(held->executor, held->fn, held, destroy)
                           : bight_threads_call(held->executor, held->fn, held);
    held->ended = true;
    held->settled = bight_scope_end(&held->scope, held->rc);
    return 0;
}

void held_start_as(struct held *held, struct bight_executor *executor, int (*fn)(void *arg))
{
    held->executor = executor;
    held->fn = fn;
    sem_init(&held->entered, 0, 0);
    sem_init(&held->gate, 0, 0);
    ck_assert_int_eq(bight_spawn(&held->task, body, held), 0);
    ck_assert_int_eq(bight_yield(), 0);
}

void held_start(struct held *held, struct bight_executor *executor, int (*fn)(void *arg))
{
    *held = (struct held){.timeout_ms = -1};
    held_start_as(held, executor, fn);
}

static struct {
    struct bight_hook hook;
    int turns;
} counter;

static void count_turn(struct bight_hook *hook)
{
    (void)hook;
    counter.turns++;
}

void held_turn(void)
{
    bight_hook_init(&counter.hook, count_turn);
    counter.turns = 0;
    EXPECT(!bight_hook_add_turn(&counter.hook));
    while (counter.turns < 2)
        EXPECT(!bight_yield());
    EXPECT(bight_hook_remove(&counter.hook));
}

void held_start_standing(struct held *held, struct bight_executor *executor)
{
    held_start(held, executor, held_stand);
    held_turn(); /* it is handed out */
    while (sem_wait(&held->entered))
        ;
}

void held_open(struct held *held)
{
    sem_post(&held->gate);
}

void held_join(struct held *held)
{
    ck_assert_int_eq(bight_join(held->task, NULL), 0);
    sem_destroy(&held->entered);
    sem_destroy(&held->gate);
}
