/* Scenarios of <bight/testing.h>: a sequencer, settling; and of harness/stream.h. See
 * scenarios.h. */
#include "tests/sweeps/scenarios.h"

#include <bight.h>
#include <check.h>

#include "tests/harness/stream.h"

/* Sends 3 bytes through a stream that holds one. */
static int sends(void *stream)
{
    int rc = 1;

    scenario_balance--;
    for (int i = 0; i < 3 && rc > 0; i++)
        rc = test_stream_write(stream, &"abc"[i], 1);
    test_stream_close(stream);
    return rc < 0 && rc != BIGHT_EPIPE ? rc : 0;
}

static void never_sends(void *stream)
{
    test_stream_close(stream);
    scenario_balance--;
}

static int stream_body(struct bight_group *group, void *arg)
{
    static const struct test_stream_options how = {.capacity = 1, .delay_ms = 1};
    static const struct bight_spawn_options options = {.name = "sends", .drop = never_sends};
    struct test_stream *here, *there;
    int rc = test_stream_pair(&here, &there, &how);
    char byte;

    (void)arg;
    if (rc)
        return rc;
    rc = bight_group_spawn(NULL, group, &options, sends, there);
    if (rc) {
        test_stream_close(there);
    } else {
        scenario_balance++;
        do {
            rc = test_stream_read(here, &byte, 1);
        } while (rc > 0);
    }
    test_stream_close(here);
    return rc;
}

int scenario_stream(void *arg)
{
    return bight_group_run(stream_body, arg);
}

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
