/* Streams in memory: what is written is read, in order and once, whatever the stream does to it. */
#include "tests/harness/stream.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <string.h>

#define MS_NS UINT64_C(1000000)

static struct test_stream *left, *right;

static void open_pair(const struct test_stream_options *options)
{
    ck_ok(test_stream_pair(&left, &right, options));
}

static void close_pair(void)
{
    test_stream_close(left);
    test_stream_close(right);
}

static int write_all(struct test_stream *stream, const char *text, size_t bytes)
{
    while (bytes) {
        int rc = test_stream_write(stream, text, bytes);
        if (rc < 0)
            return rc;
        text += rc;
        bytes -= (size_t)rc;
    }
    return 0;
}

/* Read to the end. Returns the number of reads. */
static int read_all(struct test_stream *stream, char *text)
{
    int reads = 0;

    for (size_t length = 0;; reads++) {
        int rc = test_stream_read(stream, text + length, 32);
        if (rc < 0)
            return rc;
        length += (size_t)rc;
        text[length] = '\0';
        if (rc == 0)
            return reads;
    }
}

static const char song[] = "The Owl and the Pussy-cat went to sea in a beautiful pea-green boat";

static int sing(void *stream)
{
    ck_ok(write_all(stream, song, strlen(song)));
    return test_stream_shutdown(stream);
}

static int hear(struct test_stream *from, struct test_stream *singer)
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
    open_pair(arg);
    int reads = hear(right, left);
    ck_assert_int_gt(hear(left, right), 0);
    close_pair();
    return reads;
}

static int run(int (*fn)(void *arg), struct test_stream_options options, uint64_t seed)
{
    const struct bight_test_options how = {.seed = seed};

    return bight_test_run(&how, fn, &options, NULL);
}

static void what_is_written_is_read(void)
{
    ck_assert_int_eq(run(both_ways, (struct test_stream_options){0}, 0), 3);
    ck_assert_int_eq(run(both_ways, (struct test_stream_options){.read_max = 1}, 0),
                     sizeof song - 1);
    ck_assert_int_eq(run(both_ways, (struct test_stream_options){.write_max = 30}, 0), 3);
    for (size_t capacity = 1; capacity < 20; capacity++)
        ck_assert_int_gt(
            run(both_ways, (struct test_stream_options){.capacity = capacity}, capacity), 3);
}

static void splits_follow_from_the_seed(void)
{
    const struct test_stream_options options = {.split = true, .capacity = 16};
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

    open_pair(arg);
    ck_assert_int_eq(test_stream_write(left, "a", 1), 1);
    ck_ok(bight_sleep(60));
    ck_assert_int_eq(test_stream_write(left, "b", 1), 1);
    ck_assert_int_eq(test_stream_read(right, &byte, 1), 1);
    ck_assert_uint_eq(bight_now_ns() - begin, 100 * MS_NS);
    ck_assert_int_eq(test_stream_read(right, &byte, 1), 1);
    ck_assert_int_eq(byte, 'b');
    ck_assert_uint_eq(bight_now_ns() - begin, 160 * MS_NS);
    test_stream_close(left);
    ck_assert_int_eq(test_stream_read(right, &byte, 1), 0);
    ck_assert_uint_eq(bight_now_ns() - begin, 260 * MS_NS);
    test_stream_close(right);
    return 0;
}

static void what_is_delayed_arrives_when_it_is_due(void)
{
    ck_assert_int_eq(run(slow_ways, (struct test_stream_options){.delay_ms = 100}, 0), 0);
    ck_assert_int_gt(run(both_ways, (struct test_stream_options){.delay_ms = 7, .write_max = 1}, 0),
                     0);
}

static int half_closed(void *arg)
{
    char text[64] = "";

    open_pair(arg);
    ck_ok(write_all(left, "ping", 4));
    ck_ok(test_stream_shutdown(left));
    ck_code(test_stream_shutdown(left), BIGHT_ECLOSED);
    ck_code(test_stream_write(left, "x", 1), BIGHT_ECLOSED);
    ck_assert_int_eq(read_all(right, text), 1);
    ck_assert_str_eq(text, "ping");
    ck_ok(write_all(right, "pong", 4));
    test_stream_close(right);
    ck_assert_int_eq(read_all(left, text), 1);
    ck_assert_str_eq(text, "pong");
    test_stream_close(left);
    test_stream_close(NULL);
    return 0;
}

static void the_other_half_goes_on(void)
{
    ck_assert_int_eq(run(half_closed, (struct test_stream_options){0}, 0), 0);
}

static int wait_to_read(void *stream)
{
    char byte;

    return test_stream_read(stream, &byte, 1);
}

static int wait_to_write(void *stream)
{
    return test_stream_write(stream, "w", 1);
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

    open_pair(arg);
    ck_ok(write_all(left, "a", 1));
    ck_ok(write_all(right, "a", 1));
    ck_assert_int_eq(wait_to_read(left), 1);
    ck_ok(bight_spawn(&reader, wait_to_read, left));
    ck_ok(bight_spawn(&writer, wait_to_write, left));
    ck_ok(bight_test_settle(0));
    ck_code(wait_to_read(left), BIGHT_EALREADY);
    ck_code(wait_to_write(left), BIGHT_EALREADY);
    test_stream_close(left);
    expect_end(reader, BIGHT_ECLOSED);
    expect_end(writer, BIGHT_ECLOSED);
    ck_code(wait_to_write(right), BIGHT_EPIPE);
    test_stream_close(right);

    open_pair(arg);
    ck_ok(write_all(right, "a", 1));
    ck_ok(bight_spawn(&other_writer, wait_to_write, right));
    ck_ok(bight_test_settle(0));
    test_stream_close(left);
    expect_end(other_writer, BIGHT_EPIPE);
    test_stream_close(right);
    return 0;
}

static void closing_wakes_whoever_uses_it(void)
{
    ck_assert_int_eq(run(close_in_use, (struct test_stream_options){.capacity = 1}, 0), 0);
}

static int reset_midway(void *arg)
{
    char text[64];

    open_pair(arg);
    ck_assert_int_eq(test_stream_write(left, song, 20), 10);
    ck_code(test_stream_write(left, song, 1), BIGHT_ECONNRESET);
    ck_assert_int_eq(test_stream_read(right, text, sizeof text), 10);
    ck_code(test_stream_read(right, text, sizeof text), BIGHT_ECONNRESET);
    close_pair();
    return 0;
}

static void a_reset_comes_after_so_many_bytes(void)
{
    ck_assert_int_eq(run(reset_midway, (struct test_stream_options){.reset_after = 10}, 0), 0);
}

static int misuse(void *arg)
{
    struct test_stream_options options = {.delay_ms = -1};
    char byte;

    (void)arg;
    ck_code(test_stream_pair(&left, &right, &options), BIGHT_EINVAL);
    options = (struct test_stream_options){.capacity = SIZE_MAX};
    ck_code(test_stream_pair(&left, &right, &options), BIGHT_EINVAL);
    open_pair(NULL);
    ck_code(test_stream_read(left, &byte, 0), BIGHT_EINVAL);
    ck_code(test_stream_write(left, &byte, 0), BIGHT_EINVAL);
    close_pair();
    return 0;
}

static void misuse_is_an_error(void)
{
    ck_assert_int_eq(test_stream_pair(&left, &right, NULL), BIGHT_ENORUNTIME);
    ck_assert_int_eq(run(misuse, (struct test_stream_options){0}, 0), 0);
}

static const struct suite_case cases[] = {
    plain_case(what_is_written_is_read),
    plain_case(splits_follow_from_the_seed),
    plain_case(what_is_delayed_arrives_when_it_is_due),
    plain_case(the_other_half_goes_on),
    plain_case(closing_wakes_whoever_uses_it),
    plain_case(a_reset_comes_after_so_many_bytes),
    plain_case(misuse_is_an_error),
};

test_suite("stream", cases);
