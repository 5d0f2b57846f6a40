/* A call that moves much in many small steps, none of which has to wait, lets others run meanwhile:
 * a peer that is always ready must not hold the loop. */
#include "tests/runtime/stream/ends.h"

#include <string.h>

#define BYTES 5000
/* The most operations between two turns of the others, with room to spare. */
#define STEPS 256

static char bytes[BYTES];
static int turns;

static int counts(void *arg)
{
    (void)arg;
    while (bight_yield() == 0)
        turns++;
    return 0;
}

/* Make the call beside a task that counts its turns. */
static void beside(void (*call)(void))
{
    struct bight_task *counter;

    ck_ok(bight_spawn(&counter, counts, NULL));
    turns = 0;
    call();
    ck_assert_int_ge(turns, BYTES / STEPS);
    ck_assert_int_eq(bight_task_cancel(counter), 1);
    ck_ok(bight_join(counter, NULL));
}

static void writes_all(void)
{
    ck_ok(bight_stream_write(left, bytes, BYTES));
}

static void writes_slices(void)
{
    const struct bight_slice slices[] = {{bytes, BYTES / 2}, {bytes, BYTES / 2}};

    ck_ok(bight_stream_writev(left, slices, 2));
}

static void reads_exactly_all(void)
{
    ck_ok(bight_stream_read_exactly(right, bytes, BYTES));
}

static void reads_until_the_end(void)
{
    ck_assert_int_eq(bight_stream_read_until(right, bytes, BYTES, "\n", 1), BYTES);
}

static void reads_long_line(void)
{
    ck_assert_int_eq(bight_stream_read_line(right, bytes, BYTES), BYTES - 1);
}

static void skips_long_line(void)
{
    ck_code((int)bight_stream_read_line(right, bytes, 16), BIGHT_ETOOBIG);
    ck_assert_int_eq(bight_stream_read_line(right, bytes, 16), 4);
    ck_assert_str_eq(bytes, "next");
}

static void peeks_all(void)
{
    const void *data;

    ck_assert_int_eq(bight_stream_peek(right, &data, BYTES), BYTES);
}

static int writing(void *arg)
{
    static const struct bight_stream_pair_options small = {.write_max = 1};
    void (*const calls[])(void) = {writes_all, writes_slices};

    (void)arg;
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        pair_open(&small);
        beside(calls[i]);
        pair_close();
    }
    return 0;
}

static int reading(void *arg)
{
    static const struct bight_stream_pair_options small = {.read_max = 1};
    void (*const calls[])(void) = {reads_exactly_all, reads_until_the_end, reads_long_line,
                                   skips_long_line, peeks_all};

    (void)arg;
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        pair_open(&small);
        memset(bytes, 'x', BYTES);
        bytes[BYTES - 1] = '\n';
        ck_ok(bight_stream_write(left, bytes, BYTES));
        feed(left, "next\n");
        beside(calls[i]);
        pair_close();
    }
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_write_in_many_steps_lets_others_run, writing),
    world_case(a_read_in_many_steps_lets_others_run, reading),
};

test_suite("stream_turns", cases);
