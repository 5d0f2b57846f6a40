/* A stream's readability as a case of a select: data, the end, an error; nothing is taken. */
#include "tests/runtime/stream/ends.h"

static int choose(struct bight_stream *stream, int64_t timeout_ms)
{
    struct bight_case cases[2];
    int rc;

    bight_case_readable(&cases[0], stream);
    bight_case_sleep(&cases[1], timeout_ms);
    rc = bight_select(cases, 2, 0);
    return rc ? rc : cases[0].status;
}

static int64_t chooses(struct bight_stream *stream)
{
    return choose(stream, -1);
}

static int happens(void *arg)
{
    struct caller chooser;

    (void)arg;
    pair_open(NULL);
    ck_assert_int_eq(choose(right, 5), 1);
    caller_start(&chooser, chooses, right);
    feed(left, "data");
    caller_join(&chooser, 0);
    ck_ok((int)chooses(right)); /* it is there already, and stays */
    expect_rest(right, "data");
    ck_assert_int_eq(choose(right, 5), 1);
    caller_start(&chooser, chooses, right);
    ck_ok(bight_stream_end(left, 0));
    caller_join(&chooser, 0);
    ck_ok((int)chooses(right));
    ck_assert_int_eq(reads_byte(right), 0);
    ck_ok(bight_stream_end(right, 0));

    pair_open(NULL);
    caller_start(&chooser, chooses, right);
    bight_stream_abort(left);
    caller_join(&chooser, 0);
    ck_code((int)reads_byte(right), BIGHT_ECONNRESET);
    ck_ok(bight_stream_end(right, 0));
    return 0;
}

/* It happens when a read would not wait, and what is due later is later. */
static int delayed(void *arg)
{
    uint64_t begin = bight_now_ns();

    (void)arg;
    pair_open(&(struct bight_stream_pair_options){.delay_ms = 30});
    feed(left, "x");
    ck_assert_int_eq(choose(right, 20), 1);
    ck_ok(choose(right, 20));
    ck_assert_uint_eq(bight_now_ns() - begin, 30 * UINT64_C(1000000));
    pair_close();
    return 0;
}

static int sockets(void *arg)
{
    struct bight_stream *both[2];
    struct caller chooser;

    (void)arg;
    ends_both(both, ENDS_TCP);
    caller_start(&chooser, chooses, both[0]);
    feed(both[1], "data");
    caller_join(&chooser, 0);
    expect_rest(both[0], "data");
    caller_start(&chooser, chooses, both[0]);
    ck_ok(bight_stream_end(both[1], 0));
    caller_join(&chooser, 0);
    ck_assert_int_eq(reads_byte(both[0]), 0);
    ck_ok(bight_stream_end(both[0], 0));
    return 0;
}

static int one_reader(void *arg)
{
    struct caller reader, chooser;

    (void)arg;
    pair_open(NULL);
    caller_start(&reader, reads_byte, right);
    ck_code((int)chooses(right), BIGHT_EBUSY);
    feed(left, "a");
    caller_join(&reader, 1);

    caller_start(&chooser, chooses, right);
    ck_code((int)reads_byte(right), BIGHT_EBUSY);
    ck_code((int)chooses(right), BIGHT_EBUSY);
    feed(left, "b");
    caller_join(&chooser, 0);
    expect_rest(right, "b");
    pair_close();
    return 0;
}

static int ended(void *arg)
{
    struct caller chooser;

    (void)arg;
    pair_open(NULL);
    caller_start(&chooser, chooses, right);
    ck_ok(bight_stream_end(right, 0));
    caller_join(&chooser, BIGHT_ECLOSED);
    ck_ok(bight_stream_end(left, 0));
    pair_open(NULL);
    caller_start(&chooser, chooses, right);
    bight_stream_abort(right);
    caller_join(&chooser, BIGHT_ECLOSED);
    ck_ok(bight_stream_end(left, 0));
    return 0;
}

static int twice_the_same(void *arg)
{
    struct bight_case cases[2];

    (void)arg;
    pair_open(NULL);
    bight_case_readable(&cases[0], right);
    bight_case_readable(&cases[1], right);
    ck_code(bight_select(cases, 2, 0), BIGHT_EBUSY);
    feed(left, "x");
    expect_rest(right, "x"); /* neither of them is left behind */
    pair_close();
    return 0;
}

static int two_streams(void *arg)
{
    struct bight_case cases[3];
    struct bight_stream *other_left, *other_right;

    (void)arg;
    pair_open(NULL);
    ck_ok(bight_stream_pair(&other_left, &other_right, NULL));
    for (int i = 0; i < 4; i++) {
        feed(i % 2 ? left : other_left, "x");
        bight_case_readable(&cases[0], other_right);
        bight_case_readable(&cases[1], right);
        bight_case_sleep(&cases[2], -1);
        ck_assert_int_eq(bight_select(cases, 3, 0), i % 2);
        expect_rest(i % 2 ? right : other_right, "x");
    }
    bight_case_readable(&cases[0], NULL);
    ck_code(bight_select(cases, 1, 0), BIGHT_EINVAL);
    ck_ok(bight_stream_end(other_left, 0));
    ck_ok(bight_stream_end(other_right, 0));
    pair_close();
    return 0;
}

static int cancelled(void *arg)
{
    struct caller chooser;

    (void)arg;
    pair_open(NULL);
    caller_start(&chooser, chooses, right);
    bight_task_cancel(chooser.task);
    feed(left, "x");
    caller_join(&chooser, BIGHT_ECANCELED);
    expect_rest(right, "x");
    pair_close();
    return 0;
}

static const struct suite_case cases[] = {
    world_case(it_happens_with_data_the_end_and_an_error, happens),
    world_case(it_happens_when_a_read_would_not_wait, delayed),
    world_case(it_happens_for_sockets, sockets),
    world_case(the_case_is_a_reader_like_others, one_reader),
    world_case(an_end_makes_it_happen, ended),
    world_case(one_stream_has_one_case, twice_the_same),
    world_case(of_two_streams_the_ready_one_is_chosen, two_streams),
    world_case(cancelled_it_takes_nothing, cancelled),
};

test_suite("stream_select", cases);
