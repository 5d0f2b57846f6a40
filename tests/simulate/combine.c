/* Simulations of what combines tasks: gather, map, race, wait, as-completed, select, rate
 * limits. */
#include "tests/simulate/simulate.h"

#define CALLS 6

/* Gather: the first failure is the result, and all have ended. */

struct called {
    int *running;
    int *ended; /* how many have */
    int code;
    int place; /* in which order it ended, from 1 */
    int rc;
};

static int called_once(void *arg)
{
    struct called *called = arg;

    ++*called->running;
    int rc = sim_pause();
    if (rc == 0)
        rc = sim_pause();
    --*called->running;
    called->place = ++*called->ended;
    called->rc = rc ? rc : called->code;
    return called->rc;
}

static int gather(void *arg)
{
    struct called called[CALLS];
    struct bight_gather calls[CALLS];
    int running = 0, ended = 0, failed = 0;
    bool collects = sim_chance(50);
    const struct called *first = NULL;

    (void)arg;
    for (int i = 0; i < CALLS; i++) {
        called[i] = (struct called){&running, &ended, sim_chance(20) ? BIGHT_EIO - i : 0, 0, 0};
        calls[i] = (struct bight_gather){.fn = called_once, .arg = &called[i]};
    }
    int rc = bight_gather_all(calls, CALLS, collects ? BIGHT_GATHER_COLLECT : 0);
    insist(running == 0);
    for (int i = 0; i < CALLS; i++) {
        insist(!calls[i].started || calls[i].status == called[i].rc);
        if (!calls[i].started || called[i].rc >= 0 || called[i].rc == BIGHT_ECANCELED)
            continue;
        failed++;
        if (!first || called[i].place < first->place)
            first = &called[i];
    }
    if (rc == BIGHT_ECANCELED || rc == BIGHT_ENOMEM)
        return sim_over(rc);
    insist(collects ? rc >= failed : rc == (first ? first->rc : 0));
    return sim_over(0);
}

/* Map: never more at a time than the limit, every item once. */

struct mapped {
    int *running;
    int limit;
    int times;
};

static int map_one(void *item)
{
    struct mapped *mapped = item;

    insist(++*mapped->running <= mapped->limit);
    mapped->times++;
    int rc = sim_pause();
    --*mapped->running;
    return rc;
}

static int map(void *arg)
{
    struct mapped items[10];
    int running = 0, limit = 1 + (int)sim_below(4);

    (void)arg;
    for (int i = 0; i < 10; i++)
        items[i] = (struct mapped){&running, limit, 0};
    int rc = bight_map(map_one, items, sizeof items[0], 10, (size_t)limit, 0);
    insist(running == 0);
    for (int i = 0; i < 10; i++)
        insist(items[i].times <= 1);
    return sim_over(rc);
}

/* Race: one winner, and the others have given way. */

static int race(void *arg)
{
    struct called called[CALLS];
    struct bight_gather calls[CALLS];
    int running = 0, ended = 0;
    size_t winner = CALLS;

    (void)arg;
    for (int i = 0; i < CALLS; i++) {
        called[i] = (struct called){&running, &ended, sim_chance(50) ? BIGHT_EIO : 0, 0, 1};
        calls[i] = (struct bight_gather){.fn = called_once, .arg = &called[i]};
    }
    int rc = bight_race(calls, CALLS, sim_chance(50) ? (int64_t)sim_below(3) : -1, &winner);
    insist(running == 0);
    if (rc < 0)
        return sim_over(rc);
    insist(rc == 1 ? winner < CALLS && called[winner].rc == 0 : winner == CALLS);
    for (size_t i = 0; i < CALLS; i++)
        insist(rc == 1 || !calls[i].started || called[i].rc < 0);
    return sim_over(0);
}

/* Wait and as-completed: as many as asked for, each once, in the order of their ends. */

static int await_all(struct bight_wait_item *items, const struct called *called)
{
    struct bight_as_completed completed;
    struct bight_wait_item *item;
    int last = 0, count = 0, rc = bight_wait(items, CALLS, BIGHT_WAIT_FIRST_COMPLETED, -1);

    if (rc < 0)
        return rc;
    insist(rc >= 1);
    rc = bight_as_completed_begin(&completed, items, CALLS);
    while (rc == 0 && (rc = bight_as_completed_next(&completed, &item)) == 0) {
        const struct called *one = &called[item - items];

        insist(item->done);
        insist(bight_task_done(item->task));
        if (count++ >= CALLS / 2 && one->place) /* those that had ended come in the array's order */
            last = one->place;
        rc = sim_chance(20) ? bight_yield() : 0;
    }
    bight_as_completed_end(&completed);
    insist(rc != BIGHT_ECLOSED || count == CALLS);
    (void)last;
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int wait_body(struct bight_group *group, void *arg)
{
    struct called *called = arg;
    struct bight_wait_item items[CALLS] = {{.task = NULL}};
    int rc = 0;

    for (int i = 0; i < CALLS && !rc; i++)
        rc = bight_group_spawn(&items[i].task, group, NULL, called_once, &called[i]);
    if (rc == 0)
        rc = await_all(items, called);
    for (int i = 0; i < CALLS && items[i].task; i++)
        (void)bight_task_detach(items[i].task);
    return rc;
}

static int wait(void *arg)
{
    struct called called[CALLS];
    int running = 0, ended = 0;

    (void)arg;
    for (int i = 0; i < CALLS; i++)
        called[i] = (struct called){&running, &ended, 0, 0, 0};
    int rc = bight_group_run(wait_body, called);
    insist(running == 0);
    return sim_over(rc);
}

/* Select: exactly one of the cases happens, so that what goes in on one side comes out on the
 * other. */

struct crossing {
    struct bight_queue *queues[2];
    int put, got;
    int putters;
};

static int put_either(struct crossing *crossing)
{
    struct bight_case cases[3];

    bight_case_put(&cases[0], crossing->queues[0], crossing);
    bight_case_put(&cases[1], crossing->queues[1], crossing);
    bight_case_sleep(&cases[2], sim_below(8));
    int rc = bight_select(cases, 3, sim_chance(50) ? BIGHT_SELECT_ORDERED : 0);
    if (rc < 0)
        return rc;
    crossing->put += rc < 2 && cases[rc].status == 0;
    return rc < 2 ? cases[rc].status : 0;
}

static int get_either(struct crossing *crossing)
{
    struct bight_case cases[3];

    bight_case_get(&cases[0], crossing->queues[0]);
    bight_case_get(&cases[1], crossing->queues[1]);
    bight_case_sleep(&cases[2], sim_below(8));
    int rc = bight_select(cases, 3, 0);
    if (rc < 0)
        return rc;
    if (rc == 2)
        return 0;
    crossing->got += cases[rc].status == 0;
    insist(cases[rc].status || cases[rc].value == crossing);
    return cases[rc].status;
}

static int cross(struct sim_actor *actor)
{
    int rc = 0;

    for (int i = 0; i < 6 && !rc; i++) {
        rc = actor->index % 2 ? put_either(actor->shared) : get_either(actor->shared);
        if (rc == 0)
            rc = sim_pause();
    }
    return rc;
}

static int select(void *arg)
{
    struct crossing crossing = {.put = 0};
    int rc = bight_queue_new(&crossing.queues[0], sim_below(3));

    (void)arg;
    if (rc)
        return rc;
    rc = bight_queue_new(&crossing.queues[1], sim_below(3));
    if (rc == 0) {
        rc = sim_crowd(&crossing, 2 + (int)sim_below(5), cross, NULL);
        int left =
            (int)(bight_queue_length(crossing.queues[0]) + bight_queue_length(crossing.queues[1]));
        insist(crossing.put == crossing.got + left);
        bight_queue_abort(crossing.queues[1], NULL, NULL);
        insist(bight_queue_free(crossing.queues[1]) == 0);
    }
    bight_queue_abort(crossing.queues[0], NULL, NULL);
    insist(bight_queue_free(crossing.queues[0]) == 0);
    return sim_over(rc);
}

/* Rate limiter: never more tokens out than time has brought, and the burst. */

struct toll {
    struct bight_rate_limiter limiter;
    uint64_t begin_ns, out, burst;
};

static int pay(struct sim_actor *actor)
{
    struct toll *toll = actor->shared;
    int rc = 0;

    for (int i = 0; i < 5 && !rc; i++) {
        struct bight_scope scope;
        uint32_t tokens = 1 + sim_below(2);
        bool done;

        rc = sim_begin(&scope);
        if (rc)
            return rc;
        rc = sim_end(&scope, bight_rate_limiter_acquire(&toll->limiter, tokens), &done);
        toll->out += done ? tokens : 0;
        insist(toll->out <= toll->burst + (bight_now_ns() - toll->begin_ns) / 2000000);
    }
    return rc;
}

static int rate(void *arg)
{
    struct toll toll = {.begin_ns = bight_now_ns(), .burst = 2 + sim_below(4)};

    (void)arg;
    insist(bight_rate_limiter_init(&toll.limiter, 5, 10, (uint32_t)toll.burst) == 0);
    return sim_over(sim_crowd(&toll, 1 + (int)sim_below(5), pay, NULL));
}

const struct sim_scenario sim_combine[] = {
    {"gather", gather}, {"map", map},   {"race", race}, {"wait", wait},
    {"select", select}, {"rate", rate}, {NULL, NULL},
};
