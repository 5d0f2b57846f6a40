/* See ways.h: what <bight/testing.h> and harness/stream.h have. Settling is not here, for what
 * wakes it is that nothing else happens; test_testing_idle.c plays its scenes. */
#include "tests/ways/ways.h"

#include "tests/harness/stream.h"

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

static void streams_open(struct stage *stage)
{
    const struct test_stream_options options = {.capacity = 1};

    ck_assert_int_eq(test_stream_pair(&stage->ends[0], &stage->ends[1], &options), 0);
}

static void full_streams_open(struct stage *stage)
{
    streams_open(stage);
    ck_assert_int_eq(test_stream_write(stage->ends[0], "a", 1), 1);
}

static int read_wait(struct seat *seat)
{
    char byte;

    seat->stage->no_memory = true;
    return test_stream_read(seat->stage->ends[1], &byte, 1);
}

static void read_wake(struct stage *stage)
{
    ck_assert_int_eq(test_stream_write(stage->ends[0], "b", 1), 1);
}

static int write_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return test_stream_write(seat->stage->ends[0], "c", 1);
}

static void write_wake(struct stage *stage)
{
    char byte;

    ck_assert_int_eq(test_stream_read(stage->ends[1], &byte, 1), 1);
    ck_assert_int_eq(byte, 'a');
}

/* Shut down, so that reading does not sleep: what was given and not taken is there still. */
static void streams_close(struct stage *stage)
{
    bool writes = stage->way->wake == write_wake;
    size_t left = writes ? 1 + stage->taken - stage->given : stage->given - stage->taken;
    char bytes[2];

    test_stream_close(stage->ends[0]);
    ck_assert_int_eq(test_stream_read(stage->ends[1], bytes, sizeof bytes), (int)left);
    test_stream_close(stage->ends[1]);
}

/* call, seats, woken, lets_go, by_itself, open, wait, wake, leave, close */
static const struct way testing_ways[] = {
    {"bight_test_sequencer_enter", 1, 0, true, false, sequencer_open, enter_wait, enter_wake, NULL,
     sequencer_close},
    {"test_stream_read", 1, 1, true, false, streams_open, read_wait, read_wake, NULL,
     streams_close},
    {"test_stream_write", 1, 1, true, false, full_streams_open, write_wait, write_wake, NULL,
     streams_close},
};

const struct way_table testing_way_table = {testing_ways,
                                            sizeof(testing_ways) / sizeof(testing_ways[0])};
