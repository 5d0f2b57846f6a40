/* Scenarios of <bight/testing.h>: a sequencer, settling. See scenarios.h. */
#include "tests/sweeps/scenarios.h"

#include <bight.h>
#include <check.h>

static int takes_second(void *sequencer)
{
    scenario_balance--;
    int rc = bight_test_sequencer_enter(sequencer, 1);
    if (rc == 0)
        EXPECT(bight_test_sequencer_leave(sequencer) == 0);
    return rc == BIGHT_EBROKEN ? 0 : rc;
}

static int sequencer_body(struct bight_group *group, void *sequencer)
{
    int rc = scenario_spawn(group, NULL, "takes second", takes_second, sequencer);

    if (rc == 0)
        rc = bight_test_settle(0);
    if (rc == 0)
        rc = bight_test_sequencer_enter(sequencer, 0);
    if (rc)
        return rc == BIGHT_EBROKEN ? 0 : rc;
    return bight_test_sequencer_leave(sequencer);
}

int scenario_sequencer(void *arg)
{
    struct bight_test_sequencer sequencer;

    (void)arg;
    bight_test_sequencer_init(&sequencer);
    return bight_group_run(sequencer_body, &sequencer);
}
