/* Reading up to a delimiter, to one of several, to the end of a line. */
#include "tests/runtime/stream/scans.h"

static int one_delimiter(void *arg)
{
    (void)arg;
    pair_open(NULL);
    for (int i = 0; i < 2; i++) {
        feed(left, "lineAAA");
        is_read(until("AAA", 64), "lineAAA");
    }
    feed(left, "AAAlineAAAxxx");
    is_read(until("AAA", 64), "AAA");
    is_read(until("AAA", 64), "lineAAA");
    ck_assert_uint_eq(bight_stream_buffered(right), 3);
    feed(left, "\n");
    is_read(until("\n", 64), "xxx\n");
    pair_close();
    return 0;
}

static int64_t reads_until_end(struct bight_stream *stream)
{
    return bight_stream_read_until(stream, text, sizeof(text), "<end>", 5);
}

/* In all ways to cut it in two, and byte by byte. */
static int delimiter_in_pieces(void *arg)
{
    static const char whole[] = "<<e<en<<end>";
    struct caller reader;

    (void)arg;
    for (size_t cut = 1; cut < sizeof(whole) - 1; cut++) {
        pair_open(NULL);
        caller_start(&reader, reads_until_end, right);
        ck_ok(bight_stream_write(left, whole, cut));
        world_settle();
        feed(left, whole + cut);
        caller_join(&reader, (int)sizeof(whole) - 1);
        ck_assert_mem_eq(text, whole, sizeof(whole) - 1);
        pair_close();
    }
    pair_open(&(struct bight_stream_pair_options){.read_max = 1});
    feed(left, whole);
    feed(left, "more");
    is_read(reads_until_end(right), whole);
    expect_rest(right, "more");
    pair_close();
    return 0;
}

static int too_far(void *arg)
{
    (void)arg;
    pair_open(NULL);
    feed(left, "some dataAA");
    ck_assert_int_eq(until("AAA", 11), BIGHT_ETOOBIG); /* whatever comes ends behind it */
    ck_assert_uint_eq(bight_stream_buffered(right), 11);
    feed(left, "A");
    ck_assert_int_eq(until("AAA", 3), BIGHT_ETOOBIG);
    ck_assert_int_eq(until("AAA", 0), BIGHT_ETOOBIG);
    is_read(until("AAA", 12), "some dataAAA");
    feed(left, "some dataA");
    ck_assert_int_eq(until_either("A", "ome dataA", 3), BIGHT_ETOOBIG);
    expect_rest(right, "some dataA");
    pair_close();
    return 0;
}

static int ends_before(void *arg)
{
    (void)arg;
    pair_open(NULL);
    feed(left, "some dataAA");
    ck_ok(bight_stream_shutdown(left));
    ck_assert_int_eq(until("AAA", 64), BIGHT_EOF);
    ck_assert_int_eq(until("AAA", 64), BIGHT_EOF);
    expect_rest(right, "some dataAA");
    ck_assert_int_eq(until("AAA", 64), BIGHT_EOF);
    pair_close();
    return 0;
}

static int several(void *arg)
{
    struct caller reader;

    (void)arg;
    pair_open(NULL);
    feed(left, "line 1\nline 2\rABCDEFG");
    is_read(until_either("\r", "\n", 64), "line 1\n");
    is_read(until_either("\r", "\n", 64), "line 2\r");
    is_read(until_either("DEF", "BCDE", 64), "ABCDE"); /* it ends first, though it is longer */
    expect_rest(right, "FG");
    feed(left, "data");
    caller_start(&reader, reads_until_end, right);
    bight_task_cancel(reader.task);
    caller_join(&reader, BIGHT_ECANCELED);
    feed(left, "ZAaaa");
    is_read(until_either("long sep", "A", 64), "dataZA");
    expect_rest(right, "aaa");
    pair_close();
    return 0;
}

static int misuse(void *arg)
{
    const struct bight_slice empty = {"", 0}, none = {NULL, 1};

    (void)arg;
    pair_open(NULL);
    feed(left, "x");
    ck_assert_int_eq(until("", 64), BIGHT_EINVAL);
    ck_assert_int_eq(bight_stream_read_until_any(right, text, 64, &empty, 1), BIGHT_EINVAL);
    ck_assert_int_eq(bight_stream_read_until_any(right, text, 64, &none, 1), BIGHT_EINVAL);
    ck_assert_int_eq(bight_stream_read_until_any(right, text, 64, &empty, 0), BIGHT_EINVAL);
    ck_assert_int_eq(line(0), BIGHT_EINVAL);
    expect_rest(right, "x");
    pair_close();
    return 0;
}

static int lines(void *arg)
{
    (void)arg;
    pair_open(NULL);
    feed(left, "line1\nline2\r\n\n\r\nli\rne\r\r\nlast");
    ck_ok(bight_stream_shutdown(left));
    is_read(line(64), "line1");
    is_read(line(64), "line2");
    is_read(line(64), "");
    is_read(line(64), "");
    is_read(line(64), "li\rne\r");
    is_read(line(64), "last");
    ck_assert_int_eq(line(64), BIGHT_EOF);
    ck_assert_int_eq(line(64), BIGHT_EOF);
    pair_close();
    return 0;
}

static int cut_lines(void *arg)
{
    (void)arg;
    pair_open(&(struct bight_stream_pair_options){.read_max = 1});
    feed(left, "one\r\ntwo\n");
    ck_ok(bight_stream_write(left, "a\0b\n", 4));
    feed(left, "\r");
    ck_ok(bight_stream_shutdown(left));
    is_read(line(64), "one");
    is_read(line(64), "two");
    ck_assert_int_eq(line(64), 3);
    ck_assert_mem_eq(text, "a\0b", 4);
    is_read(line(64), "\r");
    ck_assert_int_eq(line(64), BIGHT_EOF);
    pair_close();
    return 0;
}

static int64_t reads_short_line(struct bight_stream *stream)
{
    return bight_stream_read_line(stream, text, 8);
}

/* Seven bytes fit. */
static int long_lines(void *arg)
{
    struct caller reader;

    (void)arg;
    pair_open(NULL);
    feed(left, "1234567\n1234567\r\n12345678\n12345678\r\nnext\n");
    is_read(line(8), "1234567");
    is_read(line(8), "1234567");
    ck_assert_int_eq(line(8), BIGHT_ETOOBIG);
    ck_assert_int_eq(line(8), BIGHT_ETOOBIG);
    is_read(line(8), "next");
    feed(left, "\n\r\nx\n");
    is_read(line(1), "");
    is_read(line(1), "");
    ck_assert_int_eq(line(1), BIGHT_ETOOBIG);

    /* It is known before its end has come; what comes later of it is dropped. */
    feed(left, "12345678");
    ck_assert_int_eq(line(8), BIGHT_ETOOBIG);
    ck_assert_uint_eq(bight_stream_buffered(right), 0);
    caller_start(&reader, reads_short_line, right);
    feed(left, "9");
    world_settle();
    feed(left, "10\nnext");
    world_settle();
    feed(left, "\r");
    world_settle();
    feed(left, "\n");
    caller_join(&reader, 4);
    ck_assert_str_eq(text, "next");

    feed(left, "123456789");
    ck_assert_int_eq(line(8), BIGHT_ETOOBIG);
    ck_ok(bight_stream_shutdown(left));
    ck_assert_int_eq(line(8), BIGHT_EOF);
    pair_close();
    return 0;
}

/* The rest of a long line may be in the buffer already, by whatever call it came there. */
static int rest_in_buffer(void *arg)
{
    static const struct bight_stream_pair_options wide = {.capacity = 1 << 17};
    static char many[65536]; /* a chunk */
    const struct bight_slice parts[] = {{many, sizeof(many)}, {"\nnext\n", 6}};
    struct bight_case readable;

    (void)arg;
    pair_open(NULL);
    feed(left, "12345678");
    ck_assert_int_eq(line(8), BIGHT_ETOOBIG);
    feed(left, "9\nnext\n");
    bight_case_readable(&readable, right);
    ck_code(bight_select(&readable, 1, 0), 0);
    ck_assert_uint_eq(bight_stream_buffered(right), 7);
    is_read(line(8), "next");
    pair_close();

    pair_open(&wide);
    memset(many, 'x', sizeof(many));
    feed(left, "12345678");
    ck_assert_int_eq(line(8), BIGHT_ETOOBIG);
    ck_ok(bight_stream_writev(left, parts, 2));
    ck_assert_int_eq(peeks(right), sizeof(many)); /* it is full */
    is_read(line(8), "next");
    pair_close();
    return 0;
}

/* A carriage return in the last place may belong to the end or to the line. */
static int return_at_the_limit(void *arg)
{
    struct caller reader;

    (void)arg;
    pair_open(NULL);
    feed(left, "1234567\r");
    caller_start(&reader, reads_short_line, right);
    feed(left, "\n");
    caller_join(&reader, 7);
    ck_assert_str_eq(text, "1234567");
    feed(left, "1234567\r");
    caller_start(&reader, reads_short_line, right);
    feed(left, "8");
    caller_join(&reader, BIGHT_ETOOBIG);
    feed(left, "\n1234567\r");
    ck_ok(bight_stream_shutdown(left));
    ck_assert_int_eq(line(8), BIGHT_ETOOBIG);
    ck_assert_int_eq(line(8), BIGHT_EOF);
    pair_close();
    return 0;
}

static int cancelled_line(void *arg)
{
    struct caller reader;

    (void)arg;
    pair_open(NULL);
    caller_start(&reader, reads_line, right);
    feed(left, "half a ");
    world_settle();
    bight_task_cancel(reader.task);
    caller_join(&reader, BIGHT_ECANCELED);
    ck_assert_uint_eq(bight_stream_buffered(right), 7);
    feed(left, "line\n");
    is_read(line(64), "half a line");
    pair_close();
    return 0;
}

/* More than the buffer's first size, cut at places that move. */
static int large_lines(void *arg)
{
    static char sent[50001], got[50002];
    const struct bight_slice parts[] = {{sent, sizeof(sent)}, {"\n", 1}};

    (void)arg;
    memset(sent, 'x', sizeof(sent));
    pair_open(&(struct bight_stream_pair_options){.capacity = 1 << 20, .read_max = 4001});
    for (int i = 0; i < 3; i++)
        ck_ok(bight_stream_writev(left, parts, 2));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(bight_stream_read_line(right, got, sizeof(got)), (int)sizeof(sent));
        ck_assert_mem_eq(got, sent, sizeof(sent));
    }
    ck_assert_int_eq(bight_stream_read_until(right, got, sizeof(got), "x\n", 2),
                     (int)sizeof(sent) + 1);
    ck_assert_uint_eq(bight_stream_buffered(right), 0);
    pair_close();
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_delimiter_is_part_of_what_is_read, one_delimiter),
    world_case(a_delimiter_is_found_however_it_is_cut, delimiter_in_pieces),
    world_case(what_is_too_far_stays, too_far),
    world_case(what_has_no_delimiter_stays, ends_before),
    world_case(of_several_the_one_that_ends_first_counts, several),
    world_case(what_cannot_be_looked_for_is_refused, misuse),
    world_case(lines_end_in_two_ways, lines),
    world_case(lines_are_the_same_however_they_are_cut, cut_lines),
    world_case(a_line_that_is_too_long_is_skipped_whole, long_lines),
    world_case(the_rest_of_a_long_line_may_have_been_looked_at, rest_in_buffer),
    world_case(a_carriage_return_at_the_limit_waits_for_what_follows, return_at_the_limit),
    world_case(a_line_of_which_half_came_is_kept, cancelled_line),
    world_case(lines_may_be_larger_than_the_buffer, large_lines),
};

test_suite("stream_scan", cases);
