/* What a worker is to make of itself, in its channel: see child/settings.h. Read pool.h first. */
#include "offload/pool/pool.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>

#define NICE_MOST 39
#define NICENESS_MOST 19

bool bight__settings_valid(const struct bight_workers_options *options)
{
    if (options->nice < 0 || options->nice > NICE_MOST ||
        (options->limit_count && !options->limits))
        return false;
    for (size_t i = 0; i < options->limit_count; i++) {
        const struct bight_workers_limit *limit = &options->limits[i];

        if (limit->resource < 0 || limit->resource >= RLIM_NLIMITS ||
            (limit->hard && limit->hard < limit->soft))
            return false;
    }
    return true;
}

void bight__settings_keep(struct pool *pool)
{
    for (size_t i = 0; i < pool->options.limit_count; i++) {
        const struct bight_workers_limit *limit = &pool->options.limits[i];

        pool->settings.limits |= 1u << limit->resource;
        pool->settings.limit[limit->resource].soft = limit->soft;
        pool->settings.limit[limit->resource].hard = limit->hard ? limit->hard : limit->soft;
    }
    pool->options.limits = NULL;
    pool->settings.memory_max_bytes = pool->options.memory_max_bytes;
    pool->settings.memory_from = pool->options.init ? 1 : 0;
    pool->settings.sums = pool->options.checksums;
    pool->settings.spin_us = pool->options.spin_us;
    pool->settings.slots = 1;
    while (pool->settings.slots < pool->options.ahead)
        pool->settings.slots *= 2;
}

/* The first place that no other worker has, which is not on its way out. */
static unsigned free_place(const struct pool *pool)
{
    unsigned char taken[WORKERS_MAX] = {0};
    unsigned place = 0;

    for (const struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next) {
        const struct worker *worker = container_of(at, const struct worker, link);

        if (worker->phase == WORKER_STARTING || (worker->phase == WORKER_READY && !worker->going))
            taken[worker->place] = 1;
    }
    while (place < WORKERS_MAX - 1 && taken[place])
        place++;
    return place;
}

/* The CPU of that place, counted from 1; 0: it cannot be told. */
static unsigned cpu_at(unsigned place)
{
    cpu_set_t set;
    unsigned count, cpu = 0;

    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return 0;
    count = (unsigned)CPU_COUNT(&set);
    for (place %= count;; cpu++) {
        if (CPU_ISSET(cpu, &set) && place-- == 0)
            return cpu + 1;
    }
}

static int niceness(void)
{
    int own;

    errno = 0;
    own = getpriority(PRIO_PROCESS, 0); /* of the calling thread; -1 may be one */
    return errno ? 0 : own;
}

void bight__settings_write(struct worker *worker, struct channel_settings *settings)
{
    struct pool *pool = worker->pool;

    *settings = pool->settings;
    if (pool->options.nice) {
        settings->niceness = niceness() + pool->options.nice;
        settings->nicer = 1;
        if (settings->niceness > NICENESS_MOST)
            settings->niceness = NICENESS_MOST;
    }
    if (pool->options.pin) {
        worker->place = free_place(pool);
        settings->cpu = cpu_at(worker->place);
    }
}
