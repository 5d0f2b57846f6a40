/* Race: alternatives with staggered starts. They are tasks of a collecting group, because the
 * failure of one is no reason to give up the others; the success of one cancels the group. */
#include "coro/combine/gather.h"
#include "coro/core/timed.h"

struct race {
    struct bight_group group;
    struct bight_gather *calls;
    size_t count;
    size_t winner;             /* equal to `count` while there is none */
    size_t latest;             /* the one started last */
    struct bight__timed *next; /* the body waits to start the next one */
};

static const struct bight_waiter_ops next_ops = {
    .name = "start of the next alternative",
    .abort = bight__timed_abort,
};

static int alternative(void *arg)
{
    struct bight_gather *call = arg;
    struct race *race = container_of(bight__group_of(bight_self()), struct race, group);
    size_t index = (size_t)(call - race->calls);
    int status = bight__gather_run(call);

    if (status < 0) {
        if (index == race->latest && race->next)
            bight__timed_unpark(race->next, 0);
    } else if (race->winner == race->count) {
        race->winner = index;
        bight__scope_cancel(&race->group.scope);
    }
    return status;
}

/* Wait until the latest alternative has failed, or has had its time. */
static int await_turn(struct race *race, int64_t stagger_ms)
{
    struct bight__timed timed;
    int rc;

    bight__timed_init(&timed, &next_ops);
    bight__timed_arm(&timed, bight__deadline_after(bight__sched, stagger_ms));
    race->next = &timed;
    rc = bight_park(&timed.waiter);
    race->next = NULL;
    return rc == BIGHT_ETIMEDOUT ? 0 : rc;
}

static int start_all(struct race *race, int64_t stagger_ms, const void *site)
{
    int rc = 0;

    for (size_t i = 0; i < race->count && rc == 0; i++) {
        if (i)
            rc = await_turn(race, stagger_ms);
        if (rc)
            break;
        race->latest = i;
        rc = bight__gather_spawn(&race->group, &race->calls[i], alternative, site);
    }
    return rc;
}

static int race_outcome(const struct race *race, const struct bight_task *self, int rc)
{
    if (race->winner < race->count)
        return 1;
    if (rc < 0 && rc != BIGHT_ECANCELED)
        return rc;
    return bight__gather_cancelled(&race->group, self, rc) ? BIGHT_ECANCELED : 0;
}

int bight_race(struct bight_gather *calls, size_t count, int64_t stagger_ms, size_t *winner)
{
    struct race race = {.calls = calls, .count = count, .winner = count};
    bool sound = bight__gather_reset(calls, count);
    struct bight_task *self;
    int rc;

    if (winner)
        *winner = count;
    if (!sound)
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    rc = bight_group_begin(&race.group, BIGHT_GROUP_COLLECT);
    if (rc)
        return rc;
    rc = start_all(&race, stagger_ms, __builtin_return_address(0));
    /* The records have the failures and the losers' codes. */
    (void)!bight_group_end(&race.group, rc);
    if (winner)
        *winner = race.winner;
    return race_outcome(&race, self, rc);
}
