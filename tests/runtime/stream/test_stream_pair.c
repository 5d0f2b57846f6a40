/* Streams in memory: what is written is read, in order and once, whatever the stream does to it. */
#include "tests/runtime/stream/ends.h"

#include <string.h>

#define MS_NS UINT64_C(1000000)

/* Read to the end. Returns the number of reads. */
static int read_all(struct bight_stream *stream, char *text)
{
    int reads = 0;

    for (size_t length = 0;; reads++) {
        int64_t count = bight_stream_read(stream, text + length, 32);
        if (count < 0)
            return (int)count;
        length += (size_t)count;
        text[length] = '\0';
        if (count == 0)
            return reads;
    }
}

static const char song[] = "The Owl and the Pussy-cat went to sea in a beautiful pea-green boat";

static int sing(void *stream)
{
    ck_ok(bight_stream_write(stream, song, strlen(song)));
    return bight_stream_shutdown(stream);
}

static int hear(struct bight_stream *from, struct bight_stream *singer)
{
    char heard[128] = "";
    struct bight_task *task;

    ck_ok(bight_spawn(&task, sing, singer));
    int reads = read_all(from, heard);
    ck_assert_str_eq(heard, song);
    ck_ok(bight_join(task, NULL));
    return reads;
}

static int both_ways(void *arg)
{
    pair_open(arg);
    int reads = hear(right, left);
    ck_assert_int_gt(hear(left, right), 0);
    pair_close();
    return reads;
}

static int run(int (*fn)(void *arg), struct bight_stream_pair_options options, uint64_t seed)
{
    const struct bight_test_options how = {.seed = seed};

    return bight_test_run(&how, fn, &options, NULL);
}

static void what_is_written_is_read(void)
{
    ck_assert_int_eq(run(both_ways, (struct bight_stream_pair_options){0}, 0), 3);
    ck_assert_int_eq(run(both_ways, (struct bight_stream_pair_options){.read_max = 1}, 0),
                     sizeof song - 1);
    ck_assert_int_eq(run(both_ways, (struct bight_stream_pair_options){.write_max = 30}, 0), 3);
    for (size_t capacity = 1; capacity < 20; capacity++)
        ck_assert_int_gt(
            run(both_ways, (struct bight_stream_pair_options){.capacity = capacity}, capacity), 3);
}

static void splits_follow_from_the_seed(void)
{
    const struct bight_stream_pair_options options = {.split = true, .capacity = 16};
    int different = 0, first = run(both_ways, options, 1);

    ck_assert_int_eq(run(both_ways, options, 1), first);
    for (uint64_t seed = 2; seed < 20; seed++)
        different += run(both_ways, options, seed) != first;
    ck_assert_int_gt(different, 0);
}

static int slow_ways(void *arg)
{
    uint64_t begin = bight_now_ns();
    char byte;

    pair_open(arg);
    ck_ok(bight_stream_write(left, "a", 1));
    ck_ok(bight_sleep(60));
    ck_ok(bight_stream_write(left, "b", 1));
    ck_assert_int_eq(bight_stream_read(right, &byte, 1), 1);
    ck_assert_uint_eq(bight_now_ns() - begin, 100 * MS_NS);
    ck_assert_int_eq(bight_stream_read(right, &byte, 1), 1);
    ck_assert_int_eq(byte, 'b');
    ck_assert_uint_eq(bight_now_ns() - begin, 160 * MS_NS);
    ck_ok(bight_stream_end(left, 0));
    ck_assert_int_eq(bight_stream_read(right, &byte, 1), 0);
    ck_assert_uint_eq(bight_now_ns() - begin, 260 * MS_NS);
    ck_ok(bight_stream_end(right, 0));
    return 0;
}

static void what_is_delayed_arrives_when_it_is_due(void)
{
    ck_assert_int_eq(run(slow_ways, (struct bight_stream_pair_options){.delay_ms = 100}, 0), 0);
    ck_assert_int_gt(
        run(both_ways, (struct bight_stream_pair_options){.delay_ms = 7, .write_max = 1}, 0), 0);
}

static int half_closed(void *arg)
{
    char text[64] = "";

    pair_open(arg);
    ck_ok(bight_stream_write(left, "ping", 4));
    ck_ok(bight_stream_shutdown(left));
    ck_code(bight_stream_shutdown(left), BIGHT_EALREADY);
    ck_code(bight_stream_write(left, "x", 1), BIGHT_ECLOSED);
    ck_assert_int_eq(read_all(right, text), 1);
    ck_assert_str_eq(text, "ping");
    ck_ok(bight_stream_write(right, "pong", 4));
    ck_ok(bight_stream_end(right, 0));
    ck_assert_int_eq(read_all(left, text), 1);
    ck_assert_str_eq(text, "pong");
    ck_ok(bight_stream_end(left, 0));
    ck_ok(bight_stream_end(NULL, 0));
    bight_stream_abort(NULL);
    return 0;
}

static void the_other_half_goes_on(void)
{
    ck_assert_int_eq(run(half_closed, (struct bight_stream_pair_options){0}, 0), 0);
}

static int wait_to_read(void *stream)
{
    char byte;

    return (int)bight_stream_read(stream, &byte, 1);
}

static int wait_to_write(void *stream)
{
    return bight_stream_write(stream, "w", 1);
}

static void expect_end(struct bight_task *task, int code)
{
    int status;

    ck_ok(bight_join(task, &status));
    ck_assert_int_eq(status, code);
}

static int close_in_use(void *arg)
{
    struct bight_task *reader, *writer, *other_writer;

    pair_open(arg);
    ck_ok(bight_stream_write(left, "a", 1));
    ck_ok(bight_stream_write(right, "a", 1));
    ck_assert_int_eq(wait_to_read(left), 1);
    ck_ok(bight_spawn(&reader, wait_to_read, left));
    ck_ok(bight_spawn(&writer, wait_to_write, left));
    ck_ok(bight_test_settle(0));
    ck_code(wait_to_read(left), BIGHT_EBUSY);
    ck_code(wait_to_write(left), BIGHT_EBUSY);
    ck_ok(bight_stream_end(left, 0));
    expect_end(reader, BIGHT_ECLOSED);
    expect_end(writer, BIGHT_ECLOSED);
    ck_code(wait_to_write(right), BIGHT_EPIPE);
    ck_ok(bight_stream_end(right, 0));

    pair_open(arg);
    ck_ok(bight_stream_write(right, "a", 1));
    ck_ok(bight_spawn(&other_writer, wait_to_write, right));
    ck_ok(bight_test_settle(0));
    ck_ok(bight_stream_end(left, 0));
    expect_end(other_writer, BIGHT_EPIPE);
    ck_ok(bight_stream_end(right, 0));
    return 0;
}

static void closing_wakes_whoever_uses_it(void)
{
    ck_assert_int_eq(run(close_in_use, (struct bight_stream_pair_options){.capacity = 1}, 0), 0);
}

static int reset_midway(void *arg)
{
    char text[64];

    pair_open(arg);
    ck_assert_int_eq(bight_stream_try_write(left, song, 20), 10);
    ck_code(bight_stream_write(left, song, 1), BIGHT_ECONNRESET);
    ck_assert_int_eq(bight_stream_read(right, text, sizeof text), 10);
    ck_code((int)bight_stream_read(right, text, sizeof text), BIGHT_ECONNRESET);
    pair_close();
    pair_open(arg);
    ck_code(bight_stream_write(left, song, 20), BIGHT_ECONNRESET);
    ck_assert_uint_eq(bight_stream_last_written(left), 10);
    pair_close();
    return 0;
}

static void a_reset_comes_after_so_many_bytes(void)
{
    ck_assert_int_eq(run(reset_midway, (struct bight_stream_pair_options){.reset_after = 10}, 0),
                     0);
}

static int abort_at_once(void *arg)
{
    char text[64];

    pair_open(arg);
    ck_ok(bight_stream_write(left, song, 10));
    ck_assert_int_eq(bight_stream_read(right, text, 3), 3);
    bight_stream_abort(left);
    ck_code((int)bight_stream_read(right, text, sizeof text), BIGHT_ECONNRESET);
    ck_code((int)bight_stream_read(right, text, sizeof text), BIGHT_ECONNRESET);
    ck_code(bight_stream_write(right, "x", 1), BIGHT_ECONNRESET);
    bight_stream_abort(right);
    return 0;
}

static int abort_that_arrives(void *arg)
{
    uint64_t begin = bight_now_ns();
    struct bight_task *reader;
    char text[64];

    pair_open(arg);
    ck_ok(bight_stream_write(left, song, 10));
    ck_ok(bight_sleep(60));
    bight_stream_abort(left);
    ck_ok(bight_stream_write(right, "x", 1)); /* it does not know yet */
    ck_assert_int_eq(bight_stream_read(right, text, sizeof text), 10);
    ck_assert_uint_eq(bight_now_ns() - begin, 100 * MS_NS);
    ck_code((int)bight_stream_read(right, text, sizeof text), BIGHT_ECONNRESET);
    ck_assert_uint_eq(bight_now_ns() - begin, 160 * MS_NS);
    ck_code(bight_stream_write(right, "x", 1), BIGHT_ECONNRESET);
    ck_ok(bight_stream_end(right, 0));

    pair_open(arg);
    ck_ok(bight_spawn(&reader, wait_to_read, right));
    ck_ok(bight_sleep(1000));
    bight_stream_abort(right);
    expect_end(reader, BIGHT_ECLOSED);
    ck_code(wait_to_read(left), BIGHT_ECONNRESET);
    ck_assert_uint_eq(bight_now_ns() - begin, 1260 * MS_NS);
    ck_ok(bight_stream_end(left, 0));
    return 0;
}

static void an_abort_destroys_what_was_not_read(void)
{
    ck_assert_int_eq(run(abort_at_once, (struct bight_stream_pair_options){0}, 0), 0);
    ck_assert_int_eq(
        run(abort_that_arrives, (struct bight_stream_pair_options){.delay_ms = 100}, 0), 0);
}

static int leave_writer(void *arg)
{
    uint64_t begin = bight_now_ns();
    struct bight_task *writer;

    pair_open(arg);
    ck_ok(bight_stream_end(left, 0));
    ck_ok(bight_stream_write(right, "a", 1)); /* it does not know yet */
    ck_ok(bight_stream_write(right, "b", 1)); /* room for one byte is enough: nobody keeps them */
    ck_ok(bight_sleep(100));
    ck_code(bight_stream_write(right, "c", 1), BIGHT_EPIPE);
    ck_code(bight_stream_write(right, "", 0), BIGHT_EPIPE); /* and so it stays */
    ck_ok(bight_stream_end(right, 0));

    pair_open(arg);
    ck_ok(bight_stream_write(right, "a", 1));
    ck_ok(bight_spawn(&writer, wait_to_write, right));
    ck_ok(bight_sleep(10));
    ck_ok(bight_stream_end(left, 0));
    expect_end(writer, BIGHT_EPIPE);
    ck_assert_uint_eq(bight_now_ns() - begin, 210 * MS_NS);
    ck_ok(bight_stream_end(right, 0));
    return 0;
}

static void a_writer_notices_late_that_nobody_reads(void)
{
    ck_assert_int_eq(
        run(leave_writer, (struct bight_stream_pair_options){.delay_ms = 100, .capacity = 1}, 0),
        0);
}

static int send_pieces(void *arg)
{
    const struct bight_slice slices[] = {{"The Owl", 7}, {"", 0}, {" and the Pussy-cat", 18}};
    struct bight_stream_stats stats;
    char text[64], kind[8];

    pair_open(arg);
    ck_ok(bight_stream_writev(left, slices, 3));
    ck_assert_uint_eq(bight_stream_last_written(left), 25);
    ck_assert_int_eq(bight_stream_read(right, text, sizeof text), 25);
    ck_assert_mem_eq(text, song, 25);
    ck_ok(bight_stream_get_stats(left, &stats));
    ck_assert_uint_eq(stats.bytes_written, 25);
    ck_assert_uint_eq(stats.bytes_read, 0);
    ck_ok(bight_stream_get_stats(right, &stats));
    ck_assert_uint_eq(stats.bytes_read, 25);
    ck_assert_uint_eq(stats.buffered, 0);
    ck_assert_str_eq(bight_stream_describe(left, kind, sizeof kind), "memory");
    ck_assert_str_eq(bight_stream_describe(left, kind, 4), "mem");
    pair_close();
    return 0;
}

static void pieces_go_in_one_step(void)
{
    ck_assert_int_eq(run(send_pieces, (struct bight_stream_pair_options){0}, 0), 0);
}

/* Bytes whose marks do not fit, so that some arrive a little later. */
static int many_marks(void *arg)
{
    char byte;

    pair_open(arg);
    for (int i = 0; i < 100; i++) {
        ck_ok(bight_stream_write(left, &song[i % 50], 1));
        ck_ok(bight_sleep(1));
    }
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(bight_stream_read(right, &byte, 1), 1);
        ck_assert_int_eq(byte, song[i % 50]);
    }
    ck_code((int)bight_stream_try_read(right, &byte, 1), BIGHT_EAGAIN);
    pair_close();
    return 0;
}

static void more_is_on_its_way_than_there_are_marks(void)
{
    ck_assert_int_eq(run(many_marks, (struct bight_stream_pair_options){.delay_ms = 200}, 0), 0);
}

/* Both are left open: they go with the runtime, whatever is on its way. */
static int forget(void *arg)
{
    struct bight_stream *other_left, *other_right;

    pair_open(arg);
    ck_ok(bight_stream_pair(&other_left, &other_right, arg));
    ck_ok(bight_stream_write(left, song, 10));
    ck_ok(bight_stream_write(other_left, song, 10));
    ck_ok(bight_stream_end(other_left, 0));
    return 0;
}

static void those_that_are_left_open_go_with_the_runtime(void)
{
    ck_assert_int_eq(run(forget, (struct bight_stream_pair_options){.delay_ms = 100}, 0), 0);
    ck_assert_int_eq(run(forget, (struct bight_stream_pair_options){0}, 0), 0);
}

static int misuse(void *arg)
{
    struct bight_stream_pair_options options = {.delay_ms = -1};
    char byte;

    (void)arg;
    ck_code(bight_stream_pair(&left, &right, &options), BIGHT_EINVAL);
    options = (struct bight_stream_pair_options){.capacity = SIZE_MAX};
    ck_code(bight_stream_pair(&left, &right, &options), BIGHT_EINVAL);
    pair_open(NULL);
    ck_assert_int_eq(bight_stream_read(left, &byte, 0), 0);
    ck_ok(bight_stream_write(left, &byte, 0));
    ck_code((int)bight_stream_try_read(right, &byte, 1), BIGHT_EAGAIN);
    ck_code(bight_stream_fd(left), BIGHT_ENOTSUP);
    pair_close();
    return 0;
}

static void misuse_is_an_error(void)
{
    ck_assert_int_eq(bight_stream_pair(&left, &right, NULL), BIGHT_ENORUNTIME);
    ck_assert_int_eq(run(misuse, (struct bight_stream_pair_options){0}, 0), 0);
}

static const struct suite_case cases[] = {
    plain_case(what_is_written_is_read),
    plain_case(splits_follow_from_the_seed),
    plain_case(what_is_delayed_arrives_when_it_is_due),
    plain_case(the_other_half_goes_on),
    plain_case(closing_wakes_whoever_uses_it),
    plain_case(a_reset_comes_after_so_many_bytes),
    plain_case(an_abort_destroys_what_was_not_read),
    plain_case(a_writer_notices_late_that_nobody_reads),
    plain_case(pieces_go_in_one_step),
    plain_case(more_is_on_its_way_than_there_are_marks),
    plain_case(those_that_are_left_open_go_with_the_runtime),
    plain_case(misuse_is_an_error),
};

test_suite("stream_pair", cases);
