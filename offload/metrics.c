/* The figures of executors, for bight_metrics_write: one family after the other, of all executors
 * that a program has made and not begun to end. */
#include "runtime/metrics.h"

#include <inttypes.h>

#include "offload/executor.h"
#include "runtime/runtime.h"

struct family {
    const char *name, *type, *help;
    uint64_t (*of)(const struct bight_executor_stats *stats);
};

static uint64_t ready(const struct bight_executor_stats *stats)
{
    return stats->ready;
}

static uint64_t workers(const struct bight_executor_stats *stats)
{
    return stats->workers;
}

static uint64_t jobs(const struct bight_executor_stats *stats)
{
    return stats->jobs;
}

static uint64_t ended(const struct bight_executor_stats *stats)
{
    return stats->ended;
}

static uint64_t started(const struct bight_executor_stats *stats)
{
    return stats->started;
}

static uint64_t died(const struct bight_executor_stats *stats)
{
    return stats->died;
}

static const struct family families[] = {
    {"bight_executor_workers_ready", "gauge", "Workers that take jobs.", ready},
    {"bight_executor_workers_most", "gauge", "How many workers there may be.", workers},
    {"bight_executor_jobs", "gauge", "Jobs taken that have not ended.", jobs},
    {"bight_executor_jobs_ended", "counter", "Jobs that have ended, in any way.", ended},
    {"bight_executor_workers_started", "counter", "Workers started.", started},
    {"bight_executor_workers_died", "counter", "Worker processes that ended untold.", died},
};

static void tell_family(struct bight_link *executors, const struct bight_metrics *metrics,
                        const struct family *family)
{
    bight__metrics_family(metrics, family->name, family->type, NULL, family->help);
    for (struct bight_link *at = executors->next; at != executors; at = at->next) {
        const struct bight_executor *executor = container_of(at, struct bight_executor, shown);
        struct bight_executor_stats stats = {0};

        (void)bight_executor_get_stats(executor, &stats); /* there is one */
        bight__metrics_add(metrics, "%s%s{executor=\"%" PRIu64 "\",kind=\"%s\"} %" PRIu64 "\n",
                           family->name, *family->type == 'c' ? "_total" : "", executor->number,
                           executor->ops->kind, family->of(&stats));
    }
}

static void tell_executors(struct bight_runtime *runtime, const struct bight_metrics *metrics)
{
    if (link_empty(&runtime->executors))
        return;
    for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
        tell_family(&runtime->executors, metrics, &families[i]);
}

void bight__executor_show(struct bight_executor *executor)
{
    struct bight_runtime *runtime = bight__runtime();

    if (!runtime->tell_executors) {
        link_init(&runtime->executors);
        runtime->tell_executors = tell_executors;
    }
    executor->number = ++runtime->executors_shown;
    link_append(&runtime->executors, &executor->shown);
}
