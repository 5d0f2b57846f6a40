/* The public calls about an executor of threads as a whole: making and ending it, counts. Read
 * threads.h first. */
#include "offload/threads/threads.h"

#include <stdio.h>

#include "offload/cpus.h"

#define THREADS_MOST 1024u
#define THREADS_DEFAULT 32u
/* How many threads are taken to be blocked. */
#define BLOCKED_DEFAULT 4u
#define QUEUE_DEFAULT 1024u
#define IDLE_DEFAULT_MS 10000
/* How often an idle thread looks for a call before it sleeps: some tens of microseconds, about what
 * waking it would cost. 0 is used where spinning would take the only processor from the loop. */
#define SPINS 1000u

static struct threads *of_base(const struct bight_executor *executor)
{
    return container_of((struct bight_executor *)(uintptr_t)executor, struct threads, base);
}

static const struct bight_waiter_ops end_ops = {
    .name = "end of threads", .abort = NULL, .flags = BIGHT_WAITER_OUTSIDE};

bool bight__threads_settled(struct threads *threads)
{
    bool gone;

    if (threads->base.jobs)
        return false;
    if (!threads->dismissed)
        return true;
    pthread_mutex_lock(&threads->lock);
    gone = threads->alive == 0;
    pthread_mutex_unlock(&threads->lock);
    return gone && atomic_load(&threads->state) != LOOP_CALLED; /* who has gone has posted */
}

/* It cannot fail: the caller is a task, and cancellation does not end the wait. */
static void await(struct threads *threads)
{
    struct bight_waiter waiter;

    if (bight__threads_settled(threads))
        return;
    (void)!bight_waiter_init(&waiter, &end_ops);
    threads->ender = &waiter;
    bight__threads_look(threads);
    (void)!bight_park(&waiter);
}

void bight__threads_free(struct threads *threads)
{
    bight__threads_look_away(threads);
    bight__threads_free_spare(threads);
    bight__reports_drop(threads);
    pthread_cond_destroy(&threads->reported);
    pthread_attr_destroy(&threads->attr);
    pthread_cond_destroy(&threads->gone);
    pthread_mutex_destroy(&threads->lock);
    bight__free(threads);
}

static void hurry(struct bight_executor *executor, enum bight_executor_ending how)
{
    struct threads *threads = of_base(executor);

    if (how != BIGHT_EXECUTOR_DRAIN)
        bight__threads_refuse(threads, BIGHT_ECLOSED, 0);
    if (how == BIGHT_EXECUTOR_KILL)
        bight__crew_cancel(threads);
}

static void end(struct bight_executor *executor)
{
    struct threads *threads = of_base(executor);

    await(threads);
    threads->dismissed = true;
    bight__crew_dismiss(threads);
    await(threads);
    bight__crew_join(threads);
    link_remove(&threads->plugin.link);
    bight__opened_forget(threads->runtime, threads);
    bight__threads_free(threads);
}

/* The runtime ends with the executor open. No task is left, so nobody waits for a call. What was
 * begun without waiting may still run. */
static void end_with_runtime(struct bight_plugin *plugin)
{
    struct threads *threads = container_of(plugin, struct threads, plugin);

    bight__opened_left(threads->runtime, threads, "an executor: threads");
    threads->base.closing = true;
    bight__threads_forget(threads);
    bight__crew_dismiss(threads);
    bight__crew_join(threads);
    bight__threads_harvest(threads);
    bight__threads_look_away(threads);
    if (atomic_load(&threads->state) == LOOP_CALLED)
        threads->orphan = true; /* the post comes before the mailbox is gone */
    else
        bight__threads_free(threads);
}

static void get_stats(const struct bight_executor *executor, struct bight_executor_stats *stats)
{
    struct threads *threads = of_base(executor);

    pthread_mutex_lock(&threads->lock);
    stats->ready = threads->ready;
    stats->started = threads->started;
    pthread_mutex_unlock(&threads->lock);
    stats->workers = threads->options.threads_most;
}

static const struct bight__executor_ops threads_ops = {
    .kind = "threads",
    .begin = bight__threads_begin,
    .withdraw = bight__threads_withdraw_job,
    .describe = bight__threads_describe,
    .wait = &bight__threads_wait,
    .hurry = hurry,
    .end = end,
    .get_stats = get_stats,
};

int bight__threads_of(struct bight_executor *executor, struct threads **out)
{
    if (executor->ops != &threads_ops)
        return BIGHT_EINVAL;
    if (executor->runtime != bight__runtime())
        return BIGHT_EPERM;
    *out = of_base(executor);
    return 0;
}

static int fill_in(struct bight_threads_options *options)
{
    if (options->threads_most == 0) {
        options->threads_most = bight__cpu_count() + BLOCKED_DEFAULT;
        if (options->threads_most > THREADS_DEFAULT)
            options->threads_most = THREADS_DEFAULT;
        if (options->threads_most < options->threads_least)
            options->threads_most = options->threads_least;
    }
    if (options->queue_max == 0)
        options->queue_max = QUEUE_DEFAULT;
    if (options->idle_ms == 0)
        options->idle_ms = IDLE_DEFAULT_MS;
    if (!options->name || !options->name[0])
        options->name = "bight-thread";
    if (options->threads_most > THREADS_MOST || options->threads_least > options->threads_most)
        return BIGHT_EINVAL;
    if (options->queue_max > SIZE_MAX - THREADS_MOST)
        options->queue_max = SIZE_MAX - THREADS_MOST;
    return 0;
}

static int init_attr(struct threads *threads)
{
    int rc;

    pthread_attr_init(&threads->attr); /* it only fills memory, like the calls in make */
    if (!threads->options.stack_bytes)
        return 0;
    rc = pthread_attr_setstacksize(&threads->attr, threads->options.stack_bytes);
    if (rc)
        pthread_attr_destroy(&threads->attr);
    return -rc;
}

static int make(struct threads **out, struct bight_runtime *runtime,
                const struct bight_threads_options *options)
{
    struct threads *threads = bight__alloc_zero(&runtime->sched.seams, sizeof(*threads));
    int rc;

    if (!threads)
        return BIGHT_ENOMEM;
    bight__executor_init(&threads->base, &threads_ops, runtime,
                         options->threads_most + options->queue_max);
    threads->runtime = runtime;
    threads->options = *options;
    snprintf(threads->name, sizeof(threads->name), "%s", options->name);
    threads->options.name = NULL;
    threads->spins = bight__cpu_count() > 1 ? SPINS : 0;
    rc = init_attr(threads);
    if (rc) {
        bight__free(threads);
        return rc;
    }
    pthread_mutex_init(&threads->lock, NULL);
    pthread_cond_init(&threads->gone, NULL);
    pthread_cond_init(&threads->reported, NULL);
    link_init(&threads->sleepers);
    link_init(&threads->crew);
    link_init(&threads->reports);
    bight__threads_turn_init(threads);
    threads->plugin.end = end_with_runtime;
    *out = threads;
    return 0;
}

/* As many as are wanted from the beginning. Some are enough. */
static int start_least(struct threads *threads)
{
    int rc = 0;

    pthread_mutex_lock(&threads->lock);
    while (!rc && threads->count < threads->options.threads_least)
        rc = bight__crew_start(threads);
    if (threads->count)
        rc = 0;
    pthread_mutex_unlock(&threads->lock);
    return rc;
}

int bight_threads_new(struct bight_executor **out, const struct bight_threads_options *options)
{
    struct bight_threads_options filled = {0};
    struct bight_runtime *runtime;
    struct threads *threads;
    int rc;

    if (!out)
        return BIGHT_EINVAL;
    if (options)
        filled = *options;
    rc = fill_in(&filled);
    if (!rc)
        rc = bight__runtime_get(&runtime);
    if (!rc)
        rc = make(&threads, runtime, &filled);
    if (rc)
        return rc;
    rc = start_least(threads);
    if (rc) {
        bight__threads_free(threads);
        return rc;
    }
    bight__plugin_add(runtime, &threads->plugin);
    bight__opened_note(runtime, threads);
    bight__executor_show(&threads->base);
    *out = &threads->base;
    return 0;
}
