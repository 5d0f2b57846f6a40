/* Streams: reading some, exactly, up to a separator, by lines. Bytes are fed through a pair in
 * memory, and a stored error is a reset by the peer. */
#include "tests/conformance/conf.h"
#include "tests/runtime/stream/scans.h"

static int64_t some(size_t bytes)
{
    return bight_stream_read(right, text, bytes);
}

/* A line of up to `limit` bytes, without its end. */
static int64_t line_within(size_t limit)
{
    return line(limit + 1);
}

static void open_fed(const char *bytes)
{
    pair_open(NULL);
    feed(left, bytes);
}

static const char three_lines[] = "line1\nline2\nline3\n";

static int read_02(void *arg)
{
    const void *data;

    (void)arg;
    open_fed(three_lines);
    ck_assert_int_eq(bight_stream_peek(right, &data, 18), 18);
    ck_assert_mem_eq(data, three_lines, 18);
    ck_assert_uint_eq(bight_stream_buffered(right), 18);
    pair_close();
    return 0;
}

static int read_03(void *arg)
{
    (void)arg;
    open_fed(three_lines);
    ck_assert_int_eq(some(0), 0);
    expect_rest(right, three_lines);
    pair_close();
    return 0;
}

static int read_05(void *arg)
{
    (void)arg;
    open_fed("line1");
    feed(left, "line2");
    is_read(some(5), "line1");
    expect_rest(right, "line2");
    pair_close();
    return 0;
}

static int64_t reads_1024(struct bight_stream *stream)
{
    char bytes[1024];

    return bight_stream_read(stream, bytes, sizeof(bytes));
}

static int read_06(void *arg)
{
    struct caller reader;

    (void)arg;
    pair_open(NULL);
    caller_start(&reader, reads_1024, right);
    ck_ok(bight_stream_shutdown(left));
    caller_join(&reader, 0);
    pair_close();
    return 0;
}

/* The limit is an argument of the call that searches. */
static int read_10(void *arg)
{
    (void)arg;
    open_fed("chunk");
    ck_assert_int_eq(until("k", 3), BIGHT_ETOOBIG);
    is_read(some(5), "chunk");
    feed(left, "chunk");
    ck_assert_int_eq(until("k", 3), BIGHT_ETOOBIG);
    ck_ok(bight_stream_read_exactly(right, text, 5));
    ck_assert_str_eq(text, "chunk");
    pair_close();
    return 0;
}

static int read_12(void *arg)
{
    (void)arg;
    open_fed("li");
    feed(left, "ne1\nline2\n");
    ck_assert_int_eq(line_within(3), BIGHT_ETOOBIG);
    expect_rest(right, "line2\n");
    pair_close();
    return 0;
}

static int read_13(void *arg)
{
    (void)arg;
    open_fed("li");
    feed(left, "ne1");
    feed(left, "li");
    ck_assert_int_eq(line_within(3), BIGHT_ETOOBIG);
    ck_assert_uint_eq(bight_stream_buffered(right), 0);
    expect_rest(right, "");
    pair_close();
    return 0;
}

static int read_15(void *arg)
{
    (void)arg;
    open_fed("1234567\n");
    is_read(line_within(7), "1234567");
    expect_rest(right, "");
    feed(left, "12345678\n");
    ck_assert_int_eq(line_within(7), BIGHT_ETOOBIG);
    expect_rest(right, "");
    feed(left, "12345678");
    ck_assert_int_eq(line_within(7), BIGHT_ETOOBIG);
    expect_rest(right, "");
    pair_close();
    return 0;
}

static int read_16(void *arg)
{
    struct bight_test_passes before, after;

    (void)arg;
    open_fed("line1\nli");
    feed(left, "ne2\nline3\n");
    ck_ok(bight_test_get_passes(&before));
    is_read(line_within(60), "line1");
    ck_ok(bight_test_get_passes(&after));
    ck_assert_uint_eq(after.turns, before.turns); /* nobody else ran */
    expect_rest(right, "line2\nline3\n");
    pair_close();
    return 0;
}

static int read_19(void *arg)
{
    (void)arg;
    open_fed("line\n");
    is_read(line_within(60), "line");
    bight_stream_abort(left);
    ck_assert_int_eq(line_within(60), BIGHT_ECONNRESET);
    ck_assert_uint_eq(bight_stream_buffered(right), 0);
    return bight_stream_end(right, 0);
}

static int read_20(void *arg)
{
    char expected[] = "line1";
    int count = 0;

    (void)arg;
    open_fed("line1\nline2\nline3");
    ck_ok(bight_stream_shutdown(left));
    for (int64_t length; (length = line_within(60)) != BIGHT_EOF; count++) {
        ck_assert_int_eq(length, 5);
        ck_assert_str_eq(text, expected);
        expected[4]++;
    }
    ck_assert_int_eq(count, 3);
    pair_close();
    return 0;
}

static int read_23(void *arg)
{
    const char *const fed[] = {"lineAAA", "lineAAA", "lineAAAxxx"};

    (void)arg;
    pair_open(NULL);
    for (int i = 0; i < 3; i++) {
        feed(left, fed[i]);
        is_read(until("AAA", 60), "lineAAA");
    }
    expect_rest(right, "xxx");
    pair_close();
    return 0;
}

static int read_27(void *arg)
{
    (void)arg;
    open_fed("line 1\nline 2\r");
    is_read(until_either("\r", "\n", sizeof(text)), "line 1\n");
    is_read(until_either("\r", "\n", sizeof(text)), "line 2\r");
    feed(left, "ABCDEFG");
    is_read(until_either("DEF", "BCDE", sizeof(text)), "ABCDE");
    expect_rest(right, "FG");
    pair_close();
    return 0;
}

static int64_t until_a_or_long_sep(struct bight_stream *stream)
{
    (void)stream;
    return until_either("A", "long sep", sizeof(text));
}

static int read_29(void *arg)
{
    struct caller reader;

    (void)arg;
    memset(text, 0, sizeof(text));
    open_fed("data");
    caller_start(&reader, until_a_or_long_sep, right);
    feed(left, "Z");
    world_settle();
    feed(left, "Aaaa");
    caller_join(&reader, 6);
    ck_assert_str_eq(text, "dataZA");
    expect_rest(right, "aaa");
    pair_close();
    return 0;
}

/* A size_t is never less than zero. */
static int read_30(void *arg)
{
    (void)arg;
    open_fed(three_lines);
    ck_ok(bight_stream_read_exactly(right, text, 0));
    expect_rest(right, three_lines);
    pair_close();
    return 0;
}

static int read_34(void *arg)
{
    (void)arg;
    pair_open(NULL);
    ck_assert_int_eq(bight_stream_try_read(right, text, 1), BIGHT_EAGAIN);
    bight_stream_abort(left);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(bight_stream_try_read(right, text, 1), BIGHT_ECONNRESET);
    return bight_stream_end(right, 0);
}

static int resets(void *stream)
{
    bight_stream_abort(stream);
    return 0;
}

static int read_35(void *arg)
{
    struct caller reader;
    struct bight_task *other;

    (void)arg;
    pair_open(NULL);
    caller_start(&reader, reads_line, right);
    ck_ok(bight_spawn(&other, resets, left));
    conf_join(other, 0);
    caller_join(&reader, BIGHT_ECONNRESET);
    return bight_stream_end(right, 0);
}

static const struct suite_case cases[] = {
    conf_case(read_02_fed_bytes_wait_in_the_buffer, read_02),
    conf_case(read_03_reading_zero_bytes_takes_nothing, read_03),
    conf_case(read_05_a_read_takes_no_more_than_asked_for, read_05),
    conf_case(read_06_a_reader_is_woken_by_the_end, read_06),
    conf_case(read_10_the_limit_of_a_search_does_not_bind_other_reads, read_10),
    conf_case(read_12_a_line_that_is_too_long_goes_up_to_its_end, read_12),
    conf_case(read_13_a_line_that_is_too_long_and_has_no_end_goes, read_13),
    conf_case(read_15_the_limit_of_a_line_does_not_count_its_end, read_15),
    conf_case(read_16_a_line_that_is_complete_is_read_without_waiting, read_16),
    conf_case(read_19_an_error_is_what_reading_a_line_returns, read_19),
    conf_case(read_20_lines_up_to_the_end, read_20),
    conf_case(read_23_a_separator_of_several_bytes, read_23),
    conf_case(read_27_of_several_separators_the_earliest_end_wins, read_27),
    conf_case(read_29_separators_of_different_length_with_little_data, read_29),
    conf_case(read_30_exact_reads_of_zero_or_less, read_30),
    conf_case(read_34_the_error_can_be_asked_for, read_34),
    conf_case(read_35_an_error_wakes_a_waiting_reader, read_35),
};

test_suite("conf_streams", cases);
