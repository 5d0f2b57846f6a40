/* See scenarios.h: calls made together, and what chooses among them. */
#include "tests/sweeps/scenarios.h"

#include <bight.h>
#include <check.h>

/* Counts itself while it runs, then ends with a code. */
struct call {
    int64_t sleep_ms;
    int code;
};

static int call_run(void *arg)
{
    const struct call *call = arg;
    int rc;

    scenario_balance++;
    rc = bight_sleep(call->sleep_ms);
    scenario_balance--;
    return rc ? rc : call->code;
}

/* The call ended with that code, or was cancelled by itself. */
static bool ended_as(const struct bight_gather *call, int code)
{
    return call->status == code || call->status == BIGHT_ECANCELED;
}

int scenario_gather(void *arg)
{
    struct call works[] = {{3, 1}, {0, 0}, {5, 2}};
    struct call fails[] = {{3, 1}, {1, BIGHT_EIO}, {3600000, 0}};
    struct bight_gather calls[3];
    int rc;

    (void)arg;
    for (int i = 0; i < 3; i++)
        calls[i] = (struct bight_gather){.fn = call_run, .arg = &works[i], .name = "works"};
    rc = bight_gather_all(calls, 3, 0);
    if (rc)
        return rc;
    for (int i = 0; i < 3; i++)
        EXPECT(ended_as(&calls[i], works[i].code));
    for (int i = 0; i < 3; i++)
        calls[i] = (struct bight_gather){.fn = call_run, .arg = &fails[i], .name = "fails"};
    rc = bight_gather_all(calls, 3, 0);
    if (rc != BIGHT_EIO)
        return rc;
    EXPECT(ended_as(&calls[1], BIGHT_EIO) && ended_as(&calls[2], BIGHT_ECANCELED));
    rc = bight_gather_all(calls, 2, BIGHT_GATHER_COLLECT);
    return rc > 0 ? 0 : rc;
}

int scenario_map(void *arg)
{
    struct call items[] = {{3, 0}, {0, 0}, {5, 0}, {1, 0}, {2, 0}};

    (void)arg;
    return bight_map(call_run, items, sizeof items[0], 5, 2, 0);
}

int scenario_race(void *arg)
{
    struct call runners[] = {{2, BIGHT_EIO}, {3600000, 0}, {5, 7}, {3600000, 0}};
    struct bight_gather calls[4];
    size_t winner;
    int rc;

    (void)arg;
    for (int i = 0; i < 4; i++)
        calls[i] = (struct bight_gather){.fn = call_run, .arg = &runners[i], .name = "races"};
    rc = bight_race(calls, 4, 3, &winner);
    if (rc != 1)
        return rc; /* nobody, when only the winner was cancelled */
    EXPECT(winner > 0 && calls[winner].status >= 0);
    return 0;
}

static int fails_at_first(void *arg)
{
    int *left = arg;
    int rc = bight_sleep(1);

    if (rc)
        return rc;
    return (*left)-- > 0 ? BIGHT_EIO : 0;
}

static int takes_tokens(void *arg)
{
    int rc = 0;

    for (int i = 0; i < 3 && !rc; i++)
        rc = bight_rate_limiter_acquire(arg, 1);
    return rc;
}

static int retries(void *left)
{
    const struct bight_retry_options policy = {.delay_ms = 5};

    return bight_retry_run(&policy, fails_at_first, left);
}

int scenario_retry(void *arg)
{
    struct bight_rate_limiter limiter;
    struct bight_gather calls[2];
    int left = 2;
    int rc = bight_timeout(60000, retries, &left);

    (void)arg;
    if (rc)
        return rc;
    /* Slow enough that nobody finds a token who was only kept from running for a while. */
    EXPECT(bight_rate_limiter_init(&limiter, 30, 1000, 2) == 0);
    for (int i = 0; i < 2; i++)
        calls[i] = (struct bight_gather){.fn = takes_tokens, .arg = &limiter};
    return bight_gather_all(calls, 2, 0);
}

static int produces(struct bight_generator *generator, void *arg)
{
    int rc = 0;

    (void)arg;
    scenario_balance++;
    for (int i = 0; i < 3 && !rc; i++) {
        rc = bight_sleep(i);
        if (rc == 0)
            rc = bight_generator_yield(generator, &i);
    }
    scenario_balance--;
    return rc;
}

static int consume(struct bight_generator *generator)
{
    void *value;
    int rc = 0;
    int end;

    if (rc == 0)
        rc = bight_yield(); /* the producer sleeps before it is asked */
    for (int i = 0; i < 4 && !rc; i++) {
        rc = bight_generator_next(generator, &value);
        EXPECT(rc || *(int *)value == i);
    }
    end = bight_generator_end(generator);
    EXPECT(bight_generator_free(generator) == 0);
    return rc == BIGHT_ECLOSED ? end : rc;
}

static int generator_body(struct bight_group *group, void *arg)
{
    struct bight_generator *generator;
    int rc = bight_generator_new_in(&generator, group, NULL, produces, arg);

    return rc ? rc : consume(generator);
}

/* While it sleeps on its way to a value. */
static int close_early(void *arg)
{
    struct bight_generator *generator;
    int rc = bight_generator_new(&generator, produces, arg);
    void *value;

    if (rc)
        return rc;
    rc = bight_generator_next(generator, &value);
    int end = bight_generator_end(generator);
    EXPECT(bight_generator_free(generator) == 0);
    return rc && rc != BIGHT_ECLOSED ? rc : end;
}

int scenario_generator(void *arg)
{
    struct bight_generator *generator;
    int rc = bight_generator_new(&generator, produces, arg);

    if (rc)
        return rc;
    rc = consume(generator);
    if (rc == 0)
        rc = close_early(arg);
    return rc ? rc : bight_group_run(generator_body, arg);
}

static int wait_body(struct bight_group *group, void *arg)
{
    struct call *calls = arg;
    struct bight_as_completed completed;
    struct bight_wait_item items[2], *item;
    int rc = bight_group_spawn(&items[0].task, group, NULL, call_run, &calls[0]);

    if (rc)
        return rc;
    rc = bight_group_spawn(&items[1].task, group, NULL, call_run, &calls[1]);
    if (rc) {
        bight_task_detach(items[0].task);
        return rc;
    }
    rc = bight_wait(items, 2, BIGHT_WAIT_FIRST_COMPLETED, 1);
    if (rc >= 0)
        rc = bight_as_completed_begin(&completed, items, 2);
    if (rc == 0) {
        while (!(rc = bight_as_completed_next(&completed, &item)))
            EXPECT(item->done);
        bight_as_completed_end(&completed);
    }
    bight_task_detach(items[0].task);
    int last = bight_wait_for(items[1].task, 1, NULL);
    return rc == BIGHT_ECLOSED ? last : rc;
}

static int sleeps_too_long(void *arg)
{
    (void)arg;
    return bight_sleep(1000);
}

static int wait_in_vain(void *arg)
{
    struct bight_task *task;
    int rc = bight_spawn(&task, sleeps_too_long, arg);

    if (rc == 0)
        rc = bight_wait_for(task, 1, NULL);
    return rc == BIGHT_ETIMEDOUT ? 0 : rc;
}

int scenario_wait(void *arg)
{
    struct call calls[] = {{3, 0}, {2, 0}};
    int rc = bight_group_run(wait_body, calls);

    return rc ? rc : wait_in_vain(arg);
}

/* Both sides of a rendezvous, each with other things to do. */

static int selects_puts(void *arg)
{
    struct bight_case cases[2];
    int rc = 0;

    scenario_balance++;
    for (int i = 0; i < 3 && rc >= 0; i++) {
        bight_case_put(&cases[0], arg, NULL);
        bight_case_sleep(&cases[1], 3);
        rc = bight_select(cases, 2, 0);
        if (rc == 0 && cases[0].status)
            break; /* nobody takes any more */
    }
    bight_queue_close(arg);
    scenario_balance--;
    return rc < 0 ? rc : 0;
}

static void drop_putter(void *arg)
{
    bight_queue_close(arg);
}

static int select_body(struct bight_group *group, void *arg)
{
    const struct bight_spawn_options options = {.drop = drop_putter};
    struct bight_case cases[3];
    struct bight_future future;
    int rc = bight_group_spawn(NULL, group, &options, selects_puts, arg);

    if (rc)
        return rc;
    bight_future_init(&future);
    bight_case_get(&cases[0], arg);
    bight_case_future(&cases[1], &future);
    bight_case_sleep(&cases[2], 1000);
    do {
        rc = bight_select(cases, 3, 0);
    } while (rc == 0 && cases[0].status == 0);
    bight_queue_close(arg);
    return rc < 0 ? rc : 0;
}

int scenario_select(void *arg)
{
    struct bight_queue *queue;
    int rc = bight_queue_new(&queue, 0);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_group_run(select_body, queue);
    EXPECT(bight_queue_free(queue) == 0);
    return rc;
}
