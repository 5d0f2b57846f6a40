#include "tests/conformance/conf_pool.h"

#include <stdio.h>
#include <stdlib.h>

void conf_pool_threads(unsigned threads)
{
    char text[12];

    snprintf(text, sizeof text, "%u", threads);
    setenv("UV_THREADPOOL_SIZE", text, 1);
}

static int stand_at_gate(void *arg)
{
    struct conf_pooled *pooled = arg;

    pooled->thread = pthread_self();
    pooled->runs++;
    sem_post(&pooled->begun);
    sem_wait(&pooled->gate);
    pooled->ended = true;
    return pooled->returns;
}

static int call(void *arg)
{
    return bight_offload(stand_at_gate, arg);
}

void conf_pooled_start(struct conf_pooled *pooled, int returns)
{
    *pooled = (struct conf_pooled){.returns = returns};
    sem_init(&pooled->begun, 0, 0);
    sem_init(&pooled->gate, 0, 0);
    ck_ok(bight_spawn(&pooled->task, call, pooled));
    ck_ok(bight_yield());
}

void conf_pooled_await(struct conf_pooled *pooled)
{
    sem_wait(&pooled->begun);
}

void conf_pooled_open(struct conf_pooled *pooled)
{
    sem_post(&pooled->gate);
}

static void await_end(struct bight_task *task)
{
    struct bight_wait_item item = {.task = task};

    ck_assert_int_eq(bight_wait(&item, 1, BIGHT_WAIT_ALL_COMPLETED, -1), 1);
}

void conf_pooled_done(struct conf_pooled *pooled, int returns)
{
    conf_pooled_start(pooled, returns);
    conf_pooled_open(pooled);
    await_end(pooled->task);
}

void conf_pooled_cancelled(struct conf_pooled *pooled)
{
    *pooled = (struct conf_pooled){.returns = 0};
    ck_ok(bight_spawn(&pooled->task, call, pooled));
    bight_task_cancel(pooled->task);
    await_end(pooled->task);
}
