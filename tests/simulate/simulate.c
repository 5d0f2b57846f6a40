/* See simulate.h. */
#include "tests/simulate/simulate.h"

#include <stdio.h>
#include <string.h>

unsigned sim_below(unsigned limit)
{
    return (unsigned)(bight_test_random() % limit);
}

bool sim_chance(unsigned percent)
{
    return sim_below(100) < percent;
}

int sim_pause(void)
{
    switch (sim_below(4)) {
    case 0:
        return bight_sleep(sim_below(5));
    case 1:
        return bight_yield();
    default:
        return 0;
    }
}

void sim_insist(bool condition, const char *file, int line, const char *text)
{
    const char *slash = strrchr(file, '/');
    char what[160];

    if (condition)
        return;
    snprintf(what, sizeof what, "%s:%d: %s", slash ? slash + 1 : file, line, text);
    (void)bight_test_fail(what);
}

int sim_begin(struct bight_scope *scope)
{
    return bight_scope_begin(scope, sim_chance(50) ? (int64_t)sim_below(20) : -1, 0);
}

int sim_end(struct bight_scope *scope, int rc, bool *done)
{
    *done = rc >= 0;
    rc = bight_scope_end(scope, rc);
    return rc == BIGHT_ETIMEDOUT ? 0 : rc;
}

struct crowd {
    struct sim_actor *actors;
    int count;
    bool begun;
};

static int act(void *arg)
{
    struct sim_actor *actor = arg;
    actor->rc = actor->fn(actor);
    if (actor->leave)
        actor->leave(actor);
    return actor->rc;
}

static void never_acts(void *arg)
{
    struct sim_actor *actor = arg;

    actor->rc = BIGHT_ECANCELED;
    if (actor->leave)
        actor->leave(actor);
}

static int crowd_body(struct bight_group *group, void *arg)
{
    static const struct bight_spawn_options options = {.name = "actor", .drop = never_acts};
    struct crowd *crowd = arg;
    int rc = 0;

    crowd->begun = true;

    for (int i = 0; i < crowd->count; i++) {
        if (rc == 0)
            rc = bight_group_spawn(NULL, group, &options, act, &crowd->actors[i]);
        if (rc)
            never_acts(&crowd->actors[i]);
    }
    return rc;
}

int sim_crowd(void *shared, int count, int (*fn)(struct sim_actor *actor),
              void (*leave)(struct sim_actor *actor))
{
    struct sim_actor actors[SIM_ACTORS];
    struct crowd crowd = {.actors = actors, .count = count};

    for (int i = 0; i < count; i++)
        actors[i] = (struct sim_actor){shared, i, count, fn, leave, 0};
    int rc = bight_group_run(crowd_body, &crowd);
    for (int i = 0; i < count && !crowd.begun; i++)
        never_acts(&actors[i]);
    return rc;
}

int sim_over(int rc)
{
    struct bight_runtime_stats stats;

    insist(bight_runtime_get_stats(&stats) == 0);
    insist(stats.live == 1);
    insist(stats.timers == 0);
    return rc;
}
