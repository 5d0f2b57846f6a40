/* See ways.h: what <bight/testing.h> has. Settling is not here, for what wakes it is that nothing
 * else happens; test_testing_idle.c plays its scenes. */
#include "tests/ways/ways.h"

#include <check.h>

static void sequencer_open(struct stage *stage)
{
    bight_test_sequencer_init(&stage->sequencer);
}

static int enter_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_test_sequencer_enter(&seat->stage->sequencer, 1);
}

static void enter_wake(struct stage *stage)
{
    int rc = bight_test_sequencer_enter(&stage->sequencer, 0);

    if (rc == 0)
        ck_assert_int_eq(bight_test_sequencer_leave(&stage->sequencer), 0);
    else
        ck_assert(rc == BIGHT_EBROKEN || rc == BIGHT_EALREADY);
}

static void sequencer_close(struct stage *stage)
{
    ck_assert(link_empty(&stage->sequencer.waiting));
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way testing_ways[] = {
    {"bight_test_sequencer_enter", 1, 0, true, 0, sequencer_open, enter_wait, enter_wake, NULL,
     sequencer_close},
};

const struct way_table testing_way_table = {testing_ways,
                                            sizeof(testing_ways) / sizeof(testing_ways[0])};
