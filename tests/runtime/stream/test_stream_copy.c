/* Copying from one stream to another: all of it, whatever ends it, and nothing is lost. */
#include "tests/runtime/stream/ends.h"

#include <string.h>

/* The copy goes from `right`, which `left` feeds, to `out`, which `sink` reads. */
static struct bight_stream *out, *sink;

static void four_open(size_t capacity)
{
    const struct bight_stream_pair_options options = {.capacity = capacity};

    pair_open(&options);
    ck_ok(bight_stream_pair(&out, &sink, &options));
}

static void four_close(void)
{
    pair_close();
    ck_ok(bight_stream_end(out, 0));
    ck_ok(bight_stream_end(sink, 0));
}

static int64_t copies(struct bight_stream *from)
{
    return bight_stream_copy(from, out);
}

static int to_the_end(void *arg)
{
    struct bight_stream_stats stats;
    struct caller copier;
    const void *data;

    (void)arg;
    four_open(0);
    feed(left, "one");
    ck_assert_int_eq(bight_stream_peek(right, &data, 1), 3); /* what is in the buffer goes too */
    caller_start(&copier, copies, right);
    expect_rest(sink, "one");
    feed(left, "two");
    world_settle();
    expect_rest(sink, "two");
    ck_ok(bight_stream_shutdown(left));
    caller_join(&copier, 6);
    ck_ok(bight_stream_get_stats(out, &stats));
    ck_assert_uint_eq(stats.bytes_written, 6);
    ck_ok(bight_stream_write(out, "!", 1)); /* it is not shut down */
    expect_rest(sink, "!");
    ck_assert_int_eq(copies(right), 0);
    four_close();
    return 0;
}

/* The sink is slow: no more is taken than goes out. */
static int at_the_sinks_pace(void *arg)
{
    struct caller copier;

    (void)arg;
    four_open(4);
    feed(left, "0123");
    caller_start(&copier, copies, right);
    feed(left, "4567");
    world_settle();
    ck_assert_int_eq(bight_stream_try_write(left, "89", 2), 2);
    expect_rest(sink, "0123");
    world_settle();
    expect_rest(sink, "4567");
    ck_ok(bight_stream_end(left, 0));
    caller_join(&copier, 10);
    expect_rest(sink, "89");
    ck_ok(bight_stream_end(right, 0));
    ck_ok(bight_stream_end(out, 0));
    ck_ok(bight_stream_end(sink, 0));
    return 0;
}

static int cancelled(void *arg)
{
    struct caller copier;

    (void)arg;
    four_open(4);
    caller_start(&copier, copies, right);
    feed(left, "0123");
    world_settle();
    feed(left, "45");
    world_settle();
    bight_task_cancel(copier.task);
    caller_join(&copier, BIGHT_ECANCELED);
    expect_rest(sink, "0123");
    expect_rest(right, "45");
    ck_ok(bight_stream_write(out, "ok", 2)); /* what went out was whole */
    expect_rest(sink, "ok");
    four_close();
    return 0;
}

static int failing(void *arg)
{
    struct caller copier;

    (void)arg;
    four_open(4);
    feed(left, "0123");
    caller_start(&copier, copies, right);
    feed(left, "45");
    world_settle();
    ck_ok(bight_stream_end(sink, 0));
    caller_join(&copier, BIGHT_EPIPE);
    expect_rest(right, "45"); /* what could not be written is left */
    pair_close();
    ck_ok(bight_stream_end(out, 0));

    four_open(4);
    caller_start(&copier, copies, right);
    bight_stream_abort(left);
    caller_join(&copier, BIGHT_ECONNRESET);
    ck_ok(bight_stream_end(right, 0));
    ck_ok(bight_stream_end(out, 0));
    ck_ok(bight_stream_end(sink, 0));
    return 0;
}

/* It is inside of both: each of them ends it, whichever it waits for. */
static int either_is_ended(void *arg)
{
    struct caller copier;

    (void)arg;
    for (int which = 0; which < 4; which++) {
        four_open(4);
        if (which & 1)
            feed(left, "0123");
        caller_start(&copier, copies, right);
        if (which & 1)
            feed(left, "4567");
        world_settle();
        ck_assert_int_eq(copies(right), BIGHT_EBUSY);
        ck_code((int)writes_byte(out), BIGHT_EBUSY);
        if (which & 2) {
            ck_ok(bight_stream_end(right, 0));
            caller_join(&copier, BIGHT_ECLOSED);
            ck_ok(bight_stream_end(out, 0));
        } else {
            bight_stream_abort(out);
            caller_join(&copier, BIGHT_ECLOSED);
            ck_ok(bight_stream_end(right, 0));
        }
        ck_ok(bight_stream_end(left, 0));
        ck_ok(bight_stream_end(sink, 0));
    }
    return 0;
}

static int to_itself(void *arg)
{
    struct caller copier;

    (void)arg;
    pair_open(NULL);
    out = right;
    caller_start(&copier, copies, right);
    feed(left, "echo");
    world_settle();
    expect_rest(left, "echo");
    ck_ok(bight_stream_shutdown(left));
    caller_join(&copier, 4);
    pair_close();
    return 0;
}

#define MANY 200000

static int feeds_many(void *stream)
{
    char bytes[1000];

    for (int i = 0; i < MANY / 1000; i++) {
        memset(bytes, i, sizeof(bytes));
        ck_ok(bight_stream_write(stream, bytes, sizeof(bytes)));
    }
    return bight_stream_shutdown(stream);
}

static int through_sockets(void *arg)
{
    struct bight_stream *first[2], *second[2];
    struct bight_task *feeder;
    struct caller copier;
    char bytes[1000], expected[1000];

    (void)arg;
    ends_both(first, ENDS_TCP);
    ends_both(second, ENDS_UNIX);
    out = second[0];
    ck_ok(bight_spawn(&feeder, feeds_many, first[0]));
    caller_start(&copier, copies, first[1]);
    for (int i = 0; i < MANY / 1000; i++) {
        memset(expected, i, sizeof(expected));
        ck_ok(bight_stream_read_exactly(second[1], bytes, sizeof(bytes)));
        ck_assert_mem_eq(bytes, expected, sizeof(bytes));
    }
    caller_join(&copier, MANY);
    ck_ok(bight_join(feeder, NULL));
    for (int i = 0; i < 2; i++) {
        ck_ok(bight_stream_end(first[i], 0));
        ck_ok(bight_stream_end(second[i], 0));
    }
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_copy_goes_on_to_the_end, to_the_end),
    world_case(a_copy_waits_for_the_slower_side, at_the_sinks_pace),
    world_case(a_cancelled_copy_breaks_and_loses_nothing, cancelled),
    world_case(a_failing_side_fails_the_copy, failing),
    world_case(each_of_the_two_ends_the_copy, either_is_ended),
    world_case(a_stream_may_be_copied_to_itself, to_itself),
    world_case(a_copy_goes_through_sockets, through_sockets),
};

test_suite("stream_copy", cases);
