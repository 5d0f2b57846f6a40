/* stats: what bight_runtime_get_stats and bight_runtime_count_parked say. */
#include "net/monitor/answer.h"

#include <inttypes.h>

#include <bight/runtime.h>

#define KINDS 64

/* Counting the waits takes less for each task than showing one. */
#define COUNTED_PER_SHOWN 10

struct figure {
    const char *name;
    uint64_t value;
};

static int count_parked(const struct bight_answer *answer, size_t live, struct bight_parked *counts)
{
    if (live > answer->tasks_max * COUNTED_PER_SHOWN)
        return -1;
    return bight_runtime_count_parked(counts, KINDS);
}

/* Each figure by its name in struct bight_runtime_stats. */
static void add_figures(struct bight_answer *answer, const struct bight_runtime_stats *stats,
                        bool json)
{
    const struct figure figures[] = {
        {"live", stats->live},
        {"ready", stats->ready},
        {"parked", stats->parked},
        {"outside", stats->outside},
        {"spawned", stats->spawned},
        {"turns", stats->turns},
        {"slices", stats->slices},
        {"calls", stats->calls},
        {"posts", stats->posts},
        {"timers", stats->timers},
        {"stacks_used", stats->stacks_used},
        {"stacks_cached", stats->stacks_cached},
        {"measured_ns", stats->measured_ns},
        {"poll_ns", stats->poll_ns},
        {"turns_ns", stats->turns_ns},
        {"longest_turn_ns", stats->longest_turn_ns},
        {"longest_turn_id", stats->longest_turn_id},
        {"ready_longest", stats->ready_longest},
    };

    for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++)
        bight__reply_add(answer, json ? "\"%s\": %" PRIu64 ", " : "%-16s %" PRIu64 "\n",
                         figures[i].name, figures[i].value);
}

void bight__reply_stats(struct bight_answer *answer)
{
    struct bight_parked counts[KINDS];
    struct bight_runtime_stats stats = {0};
    int kinds;

    (void)bight_runtime_get_stats(&stats); /* a task runs, so there is a runtime */
    add_figures(answer, &stats, false);
    bight__reply_add(answer, "%-16s %s\n", "longest_turn", stats.longest_turn_name);
    kinds = count_parked(answer, stats.live, counts);
    for (int i = 0; i < kinds; i++)
        bight__reply_add(answer, "waits for %s: %zu\n", counts[i].name, counts[i].tasks);
}

void bight__reply_stats_json(struct bight_answer *answer)
{
    struct bight_parked counts[KINDS];
    struct bight_runtime_stats stats = {0};
    int kinds;

    (void)bight_runtime_get_stats(&stats); /* as above */
    bight__reply_add(answer, "{");
    add_figures(answer, &stats, true);
    bight__reply_add(answer,
                     "\"measuring\": %s, \"longest_turn\": ", stats.measuring ? "true" : "false");
    bight__reply_add_string(answer, stats.longest_turn_name);
    kinds = count_parked(answer, stats.live, counts);
    bight__reply_add(answer, ", \"waits\": %s", kinds < 0 ? "null" : "{");
    for (int i = 0; i < kinds; i++) {
        bight__reply_add(answer, "%s", i ? ", " : "");
        bight__reply_add_string(answer, counts[i].name);
        bight__reply_add(answer, ": %zu", counts[i].tasks);
    }
    bight__reply_add(answer, "%s", kinds < 0 ? "}" : "}}");
}
