/* Simulations of queues: no item is lost or doubled, each producer's come in its order, limits
 * hold. */
#include "tests/simulate/simulate.h"

#include <string.h>

#define ITEMS 6

/* What went in and came out. An item is a place in the table. */
struct market {
    struct bight_queue *queue;
    size_t capacity;
    int producers;        /* that may still put */
    int last[SIM_ACTORS]; /* per producer, the item taken last */
    unsigned char put[SIM_ACTORS][ITEMS];
    unsigned char got[SIM_ACTORS][ITEMS];
    bool in_order;
    size_t dropped;
};

struct item {
    struct market *market;
    int producer, number;
};

static struct item items[SIM_ACTORS][ITEMS];

static int compare(const void *a, const void *b)
{
    const struct item *left = a, *right = b;

    return left->number - right->number;
}

static void take(struct market *market, const struct item *item)
{
    insist(item->market == market);
    insist(market->put[item->producer][item->number]);
    insist(market->got[item->producer][item->number]++ == 0);
    if (market->in_order) {
        insist(item->number > market->last[item->producer]);
        market->last[item->producer] = item->number;
    }
}

static void drop(void *market, void *left)
{
    struct item *item = left;

    ((struct market *)market)->dropped++;
    take(market, item);
}

static int produce(struct market *market, int producer)
{
    int rc = 0;

    for (int i = 0; i < ITEMS && !rc; i++) {
        struct bight_scope scope;
        bool done;

        rc = sim_begin(&scope);
        if (rc)
            return rc;
        items[producer][i] = (struct item){market, producer, i};
        market->put[producer][i] = 1; /* it may be taken before this task runs again */
        rc = sim_end(&scope, bight_queue_put(market->queue, &items[producer][i]), &done);
        market->put[producer][i] = done;
        insist(done || !market->got[producer][i]);
        insist(market->capacity == 0 || bight_queue_length(market->queue) <= market->capacity);
        if (rc == 0)
            rc = sim_pause();
    }
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int get_some(struct market *market)
{
    struct bight_scope scope;
    void *taken[3];
    bool done;
    int got = 0, rc = sim_begin(&scope);

    if (rc)
        return rc;
    if (sim_chance(30)) {
        got = bight_queue_get_many(market->queue, taken, 3);
        rc = sim_end(&scope, got, &done);
    } else {
        rc = sim_end(&scope, bight_queue_get(market->queue, taken), &done);
        got = done;
    }
    for (int i = 0; i < got; i++) {
        take(market, taken[i]);
        insist(bight_queue_task_done(market->queue) == 0);
    }
    return rc < 0 ? rc : 0;
}

static int trade(struct sim_actor *actor)
{
    struct market *market = actor->shared;
    int rc = 0;

    if (actor->index % 2)
        return produce(market, actor->index);
    while (!rc) {
        rc = get_some(market);
        if (rc == 0)
            rc = sim_pause();
    }
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

/* Without producers consumers would wait for ever, and the other way round. */
static void leave_market(struct sim_actor *actor)
{
    struct market *market = actor->shared;

    if (actor->index % 2 && --market->producers == 0)
        bight_queue_close(market->queue);
    if (actor->index % 2 == 0 && actor->rc)
        bight_queue_abort(market->queue, drop, market);
}

static int run_market(const struct bight_queue_options *options)
{
    struct market market = {.capacity = options->capacity};
    int actors = 2 + 2 * (int)sim_below(3);
    int rc = bight_queue_new_with(&market.queue, options);

    if (rc)
        return rc;
    memset(market.last, -1, sizeof market.last);
    market.producers = actors / 2;
    market.in_order = options->kind == BIGHT_QUEUE_FIFO && actors == 2;
    rc = sim_crowd(&market, actors, trade, leave_market);
    bight_queue_abort(market.queue, drop, &market);
    for (int i = 0; i < SIM_ACTORS; i++)
        insist(memcmp(market.put[i], market.got[i], ITEMS) == 0);
    insist(bight_queue_free(market.queue) == 0);
    return sim_over(rc);
}

static int fifo(void *arg)
{
    (void)arg;
    return run_market(&(struct bight_queue_options){.capacity = 1 + sim_below(4)});
}

static int lifo(void *arg)
{
    (void)arg;
    return run_market(
        &(struct bight_queue_options){.capacity = 1 + sim_below(4), .kind = BIGHT_QUEUE_LIFO});
}

static int priority(void *arg)
{
    (void)arg;
    return run_market(&(struct bight_queue_options){
        .capacity = 1 + sim_below(4), .kind = BIGHT_QUEUE_PRIORITY, .compare = compare});
}

static int rendezvous(void *arg)
{
    (void)arg;
    return run_market(&(struct bight_queue_options){.capacity = 0});
}

static int unbounded(void *arg)
{
    (void)arg;
    return run_market(&(struct bight_queue_options){.capacity = BIGHT_QUEUE_UNBOUNDED});
}

/* Join: it returns when every item that was put is done, and not before. */

struct jobs {
    struct bight_queue *queue;
    int open;
};

static int do_jobs(struct jobs *jobs)
{
    void *item;
    int rc;

    while (!(rc = bight_queue_get(jobs->queue, &item))) {
        rc = sim_pause();
        jobs->open--;
        insist(bight_queue_task_done(jobs->queue) == 0);
        if (rc)
            return rc;
    }
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int give_jobs(struct jobs *jobs)
{
    int rc = 0;

    for (int i = 0; i < ITEMS && !rc; i++) {
        jobs->open++;
        rc = bight_queue_put(jobs->queue, jobs);
        jobs->open -= rc != 0;
    }
    if (rc == 0)
        rc = bight_queue_join(jobs->queue);
    insist(rc || jobs->open == 0);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int employ(struct sim_actor *actor)
{
    return actor->index ? do_jobs(actor->shared) : give_jobs(actor->shared);
}

static void lost_job(void *jobs, void *item)
{
    insist(item == jobs);
    ((struct jobs *)jobs)->open--;
}

static void dismiss(struct sim_actor *actor)
{
    struct jobs *jobs = actor->shared;

    if (actor->index == 0)
        bight_queue_close(jobs->queue);
    if (actor->index && actor->rc)
        bight_queue_abort(jobs->queue, lost_job, jobs);
}

static int queue_join(void *arg)
{
    struct jobs jobs = {.open = 0};
    int rc = bight_queue_new(&jobs.queue, 1 + sim_below(3));

    (void)arg;
    if (rc)
        return rc;
    rc = sim_crowd(&jobs, 2 + (int)sim_below(4), employ, dismiss);
    bight_queue_abort(jobs.queue, lost_job, &jobs);
    insist(jobs.open == 0);
    insist(bight_queue_free(jobs.queue) == 0);
    return sim_over(rc);
}

const struct sim_scenario sim_queues[] = {
    {"queue", fifo},
    {"lifo", lifo},
    {"priority", priority},
    {"rendezvous", rendezvous},
    {"unbounded", unbounded},
    {"queue-join", queue_join},
    {NULL, NULL},
};
