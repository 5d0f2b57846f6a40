/* The public calls of <bight/workers.h>: opening, closing and looking at a pool. See pool.h. */
#include "offload/pool/pool.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "offload/cpus.h"
#include "offload/spare.h"

#define QUEUE_DEFAULT 1024u
#define AHEAD_DEFAULT 16u
#define PAYLOAD_DEFAULT ((size_t)64 << 20)
#define PAYLOAD_LEAST ((size_t)4 << 10)
#define PAYLOAD_MOST ((size_t)1 << 30)
/* For a row of outputs of up to CHANNEL_LARGE_BYTES, and a larger one that could not be sent. */
#define OUTPUT_ARENA_BYTES ((uint64_t)4 << 20)
#define ATTEMPTS_DEFAULT 3u
#define GRACE_DEFAULT_MS 1000
#define IDLE_DEFAULT_MS 10000
#define SPIN_MOST_US 1000000u
/* How often an idle worker looks for a job before it sleeps: some tens of microseconds, about what
 * waking it would cost. 0 is used where spinning would take the processor from somebody else. */
#define SPINS 2000u

/* The pools of a runtime, which are freed at its end. */
struct pools {
    struct bight_plugin plugin;
    struct bight_link list;
};

static void hurry(struct bight_executor *executor, enum bight_executor_ending how);
static void end(struct bight_executor *executor);

static void get_stats(const struct bight_executor *executor, struct bight_executor_stats *stats)
{
    const struct pool *pool = pool_of(executor);

    stats->ready = pool->ready;
    stats->workers = pool->options.workers;
    stats->started = pool->started;
    stats->died = pool->died;
    stats->zygotes_died = pool->zygotes_died;
    stats->zygote_pid = pool->zygote_pid;
}

static const struct bight__executor_ops pool_ops = {
    .kind = "workers",
    .begin = bight__pool_begin,
    .withdraw = bight__pool_withdraw,
    .describe = bight__pool_describe,
    .wait = &bight__pool_wait,
    .hurry = hurry,
    .end = end,
    .get_stats = get_stats,
};

struct pool *bight__pool_of(const struct bight_executor *executor)
{
    return executor && executor->ops == &pool_ops ? pool_of(executor) : NULL;
}

void bight__pool_free(struct pool *pool)
{
    bight__opened_forget(pool->runtime, pool);
    bight__fleet_abandon(pool);
    (void)bight_hook_remove(&pool->looker);
    bight__shares_free(pool);
    if (pool->process)
        pool->free_process(pool);
    link_remove(&pool->link);
    bight__registry_free(&pool->registry);
    bight__free((void *)(uintptr_t)pool->options.init_input);
    bight__free(pool);
}

/* The runtime ends with pools open. Its tasks have ended, so nobody waits for a job. */
static void end_pools(struct bight_plugin *plugin)
{
    struct pools *pools = container_of(plugin, struct pools, plugin);

    while (!link_empty(&pools->list)) {
        struct pool *pool = container_of(pools->list.next, struct pool, link);

        bight__opened_left(pool->runtime, pool,
                           pool->process ? "a job's process" : "an executor: workers");
        bight__pool_free(pool);
    }
    bight__free(pools);
}

static int begin_pools(struct bight_plugin *plugin, struct bight_runtime *runtime)
{
    (void)runtime;
    link_init(&container_of(plugin, struct pools, plugin)->list);
    return 0;
}

static const struct bight_plugin_kind pools_kind = {
    .bytes = sizeof(struct pools),
    .begin = begin_pools,
    .end = end_pools,
};

static int fill_in(struct bight_workers_options *options)
{
    if (options->workers == 0)
        options->workers = bight__cpu_count() < WORKERS_MAX ? bight__cpu_count() : WORKERS_MAX;
    if (options->queue_max == 0)
        options->queue_max = QUEUE_DEFAULT;
    if (options->payload_max_bytes == 0)
        options->payload_max_bytes = PAYLOAD_DEFAULT;
    if (options->ahead == 0)
        options->ahead = AHEAD_DEFAULT;
    if (options->attempts_max == 0)
        options->attempts_max = ATTEMPTS_DEFAULT;
    if (options->grace_ms == 0)
        options->grace_ms = GRACE_DEFAULT_MS;
    if (options->idle_ms == 0 && options->workers_least == 0)
        options->workers_least = options->workers;
    if (options->idle_ms == 0)
        options->idle_ms = IDLE_DEFAULT_MS;
    if (options->workers > WORKERS_MAX || options->queue_max > SIZE_MAX - WORKERS_MAX ||
        options->payload_max_bytes < PAYLOAD_LEAST || options->payload_max_bytes > PAYLOAD_MOST ||
        options->ahead > CHANNEL_SLOTS || options->grace_ms < 0 || options->start_ms < 0 ||
        options->init_input_bytes > options->payload_max_bytes ||
        (!options->init_input && options->init_input_bytes > 0) ||
        (unsigned)options->cancel > BIGHT_EXECUTOR_CANCEL_INTERRUPT ||
        options->workers_least > options->workers || options->spin_us > SPIN_MOST_US ||
        !bight__settings_valid(options))
        return BIGHT_EINVAL;
    return 0;
}

/* Copy the initialiser's input, which the options only point to, and register the initialiser. */
static int keep_init(struct pool *pool)
{
    const void *input = pool->options.init_input;
    size_t bytes = pool->options.init_input_bytes;
    void *copy = NULL;

    pool->options.init_input = NULL;
    if (!pool->options.init)
        return 0;
    if (bytes) {
        copy = bight__alloc(pool_seams(pool), bytes);
        if (!copy)
            return BIGHT_ENOMEM;
        memcpy(copy, input, bytes);
        pool->options.init_input = copy;
    }
    pool->init_number = bight__registry_find(&pool->registry, pool->options.init);
    return pool->init_number < 0 ? (int)pool->init_number : 0;
}

static uint64_t in_units(uint64_t bytes)
{
    return (bytes + ARENA_UNIT - 1) / ARENA_UNIT * ARENA_UNIT;
}

static int make_pool(struct pool **out, const struct bight_workers_options *options)
{
    struct bight_runtime *runtime = bight__runtime();
    int rc, why;
    struct bight_plugin *pools = bight__plugin_get(runtime, &pools_kind, &why);
    struct spares *spares = pools ? bight__spares_of(runtime) : NULL;
    struct pool *pool = spares ? bight__alloc_zero(&runtime->sched.seams, sizeof(*pool)) : NULL;

    if (!pool)
        return BIGHT_ENOMEM; /* `why` can be nothing else */
    bight__executor_init(&pool->base, &pool_ops, runtime, options->workers + options->queue_max);
    pool->runtime = runtime;
    pool->spares = spares;
    pool->options = *options;
    pool->arena_bytes = in_units(options->payload_max_bytes + CHANNEL_DEFINE_MAX);
    pool->output_arena_bytes = options->payload_max_bytes < OUTPUT_ARENA_BYTES
                                   ? in_units(options->payload_max_bytes)
                                   : OUTPUT_ARENA_BYTES;
    pool->spins = options->workers < bight__cpu_count() ? SPINS : 0;
    pool->least = options->workers_least;
    pool->elastic = pool->least < options->workers;
    pool->watches = pool->elastic || options->start_ms;
    pool->turns_over = pool->elastic || options->jobs_max || options->memory_max_bytes;
    bight__settings_keep(pool);
    pool->registry.seams = &runtime->sched.seams;
    bight_hook_init(&pool->looker, bight__fleet_looker);
    pool->timer.fire = bight__fleet_timer;
    pool->patience.fire = bight__pool_patience_over;
    link_init(&pool->timer.link);
    pool->hearing.fire = bight__fleet_hearing;
    link_init(&pool->patience.link);
    link_init(&pool->hearing.link);
    pool->filler.fire = bight__fill_timer;
    link_init(&pool->filler.link);
    pool->idling.fire = bight__turnover_idle;
    link_init(&pool->idling.link);
    link_init(&pool->workers);
    link_init(&pool->queue);
    link_init(&pool->filling);
    link_init(&pool->untold);
    for (unsigned i = 0; i < RANKS; i++)
        link_init(&pool->ranks[i]);
    bight__shares_init(&pool->shares);
    link_append(&container_of(pools, struct pools, plugin)->list, &pool->link);
    rc = keep_init(pool);
    if (!rc && options->spin_us)
        rc = bight_hook_add_idle(&pool->looker);
    if (rc)
        bight__pool_free(pool);
    else
        *out = pool;
    return rc;
}

struct pool_wait {
    struct bight_waiter waiter;
    struct pool *pool;
};

static int abort_open(struct bight_waiter *waiter)
{
    container_of(waiter, struct pool_wait, waiter)->pool->awaited = NULL;
    return 0;
}

static const struct bight_waiter_ops open_ops = {
    .name = "start of workers", .abort = abort_open, .flags = BIGHT_WAITER_OUTSIDE};
static const struct bight_waiter_ops close_ops = {
    .name = "end of workers", .abort = NULL, .flags = BIGHT_WAITER_OUTSIDE};

static int await(struct pool *pool, const struct bight_waiter_ops *ops)
{
    struct pool_wait wait = {.pool = pool};
    int rc;

    if (bight__pool_settled(pool))
        return 0;
    rc = bight_waiter_init(&wait.waiter, ops);
    if (rc)
        return rc;
    pool->awaited = &wait.waiter;
    return bight_park(&wait.waiter);
}

static void hurry(struct bight_executor *executor, enum bight_executor_ending how)
{
    struct pool *pool = pool_of(executor);

    bight__fleet_hurry(pool);
    if (how != BIGHT_EXECUTOR_DRAIN)
        bight__pool_empty(pool);
    if (how == BIGHT_EXECUTOR_KILL)
        bight__fleet_kill(pool);
}

/* Neither wait can fail: the caller is a task, and cancellation does not end a close. */
static void close_pool(struct pool *pool)
{
    (void)await(pool, &close_ops);
    bight__fleet_dismiss(pool);
    (void)await(pool, &close_ops);
    bight__pool_free(pool);
}

void bight__pool_close(struct pool *pool)
{
    pool->base.closing = true;
    bight__fleet_hurry(pool);
    close_pool(pool);
}

static int await_least(struct pool *pool)
{
    int rc = 0;

    if (pool->least == 0)
        return bight__fleet_connect(pool);
    bight__fleet_fill(pool);
    do /* a worker may die again between the wake-up and here */
        rc = await(pool, &open_ops);
    while (!rc && !bight__pool_settled(pool));
    if (!rc && pool->ready < pool->least)
        rc = pool->failure;
    return rc;
}

int bight__pool_open(struct pool **out, const struct bight_workers_options *options,
                     const char *name)
{
    struct bight_workers_options filled = *options;
    struct pool *pool = NULL;
    int rc = bight_checkpoint();

    if (!rc)
        rc = fill_in(&filled);
    if (!rc)
        rc = make_pool(&pool, &filled);
    if (rc)
        return rc;
    if (name)
        snprintf(pool->settings.name, sizeof(pool->settings.name), "%.*s",
                 (int)sizeof(pool->settings.name) - 1, name);
    rc = await_least(pool);
    if (rc)
        bight__pool_close(pool);
    else
        *out = pool;
    return rc;
}

int bight_workers_new(struct bight_executor **out, const struct bight_workers_options *options)
{
    static const struct bight_workers_options defaults;
    struct pool *pool;
    int rc;

    if (!out)
        return BIGHT_EINVAL;
    rc = bight__pool_open(&pool, options ? options : &defaults, NULL);
    if (rc)
        return rc;
    bight__executor_show(&pool->base);
    bight__opened_note(pool->runtime, pool);
    *out = &pool->base;
    return 0;
}

static void end(struct bight_executor *executor)
{
    close_pool(pool_of(executor));
}

int bight_workers_pids(const struct bight_executor *executor, int *pids, size_t count)
{
    const struct pool *pool;
    int found = 0;

    pool = bight__pool_of(executor);
    if (!pool || (!pids && count))
        return BIGHT_EINVAL;
    for (const struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next) {
        const struct worker *worker = container_of(at, const struct worker, link);

        if (worker->phase != WORKER_READY || worker->going)
            continue;
        if ((size_t)found < count)
            pids[found] = worker->pid;
        found++;
    }
    return found;
}
