/* See scenarios.h: calls made together, and what chooses among them. */
#include "tests/scenarios.h"

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
    rc = bight_gather(calls, 3, 0);
    if (rc)
        return rc;
    for (int i = 0; i < 3; i++)
        EXPECT(ended_as(&calls[i], works[i].code));
    for (int i = 0; i < 3; i++)
        calls[i] = (struct bight_gather){.fn = call_run, .arg = &fails[i], .name = "fails"};
    rc = bight_gather(calls, 3, 0);
    if (rc != BIGHT_EIO)
        return rc;
    EXPECT(ended_as(&calls[1], BIGHT_EIO) && ended_as(&calls[2], BIGHT_ECANCELED));
    rc = bight_gather(calls, 2, BIGHT_GATHER_COLLECT);
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
