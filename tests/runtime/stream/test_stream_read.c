/* Reading from a stream: some, exactly, looking ahead. What a failed read got is read by the next
 * one. */
#include "tests/runtime/stream/ends.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

static int some(void *arg)
{
    char text[16];

    (void)arg;
    pair_open(NULL);
    feed(left, "line1");
    feed(left, "line2");
    ck_assert_int_eq(bight_stream_read(right, text, 0), 0);
    ck_assert_int_eq(bight_stream_read(right, NULL, 0), 0);
    ck_assert_int_eq(bight_stream_read(right, text, 5), 5);
    ck_assert_mem_eq(text, "line1", 5);
    ck_assert_int_eq(bight_stream_read(right, text, sizeof(text)), 5);
    ck_assert_mem_eq(text, "line2", 5);
    feed(left, "x");
    ck_ok(bight_stream_end(left, 0));
    ck_assert_int_eq(bight_stream_read(right, text, sizeof(text)), 1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(bight_stream_read(right, text, sizeof(text)), 0);
    ck_ok(bight_stream_end(right, 0));
    return 0;
}

static int at_once_or_not(void *arg)
{
    struct caller reader;
    char text[16];

    (void)arg;
    pair_open(NULL);
    ck_assert_int_eq(bight_stream_try_read(right, text, sizeof(text)), BIGHT_EAGAIN);
    ck_assert_int_eq(bight_stream_try_read(right, text, 0), 0);
    feed(left, "abc");
    ck_assert_int_eq(bight_stream_try_read(right, text, 2), 2);
    ck_assert_int_eq(bight_stream_try_read(right, text, 2), 1);
    caller_start(&reader, reads_byte, right);
    ck_assert_int_eq(bight_stream_try_read(right, text, 1), BIGHT_EBUSY);
    ck_assert_int_eq(bight_stream_consume(right, 0), BIGHT_EBUSY);
    feed(left, "d");
    caller_join(&reader, 1);
    feed(left, "last");
    ck_ok(bight_stream_shutdown(left));
    ck_assert_int_eq(bight_stream_try_read(right, text, sizeof(text)), 4);
    ck_assert_int_eq(bight_stream_try_read(right, text, sizeof(text)), 0);
    pair_close();
    return 0;
}

static int one_reader(void *arg)
{
    int64_t (*const calls[])(struct bight_stream *) = {reads_byte, reads_exactly, reads_line,
                                                       peeks};
    struct caller reader, writer, second;

    (void)arg;
    pair_open(&(struct bight_stream_pair_options){.capacity = 1});
    feed(right, "f");
    caller_start(&reader, reads_byte, right);
    caller_start(&writer, writes_byte, right);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        caller_start(&second, calls[i], right);
        caller_join(&second, BIGHT_EBUSY);
    }
    feed(left, "x");
    caller_join(&reader, 1);
    expect_rest(left, "f");
    caller_join(&writer, 0);
    expect_rest(left, "w");
    pair_close();
    return 0;
}

static int exactly(void *arg)
{
    struct caller reader;
    char text[16] = "";

    (void)arg;
    pair_open(NULL);
    ck_ok(bight_stream_read_exactly(right, text, 0));
    ck_ok(bight_stream_read_exactly(right, NULL, 0));
    caller_start(&reader, reads_exactly, right);
    feed(left, "a");
    world_settle();
    feed(left, "bc");
    world_settle();
    feed(left, "def");
    caller_join(&reader, 0);
    ck_ok(bight_stream_read_exactly(right, text, 2));
    ck_assert_str_eq(text, "ef");
    feed(left, "some");
    ck_ok(bight_stream_shutdown(left));
    ck_code(bight_stream_read_exactly(right, text, 5), BIGHT_EOF);
    ck_code(bight_stream_read_exactly(right, text, 5), BIGHT_EOF);
    ck_assert_uint_eq(bight_stream_buffered(right), 4);
    ck_ok(bight_stream_read_exactly(right, text, 3));
    expect_rest(right, "e");
    ck_assert_uint_eq(bight_stream_buffered(right), 0);
    pair_close();
    return 0;
}

static int never(void *arg)
{
    char text[8];

    (void)arg;
    return bight_stream_read_exactly(right, text, sizeof(text));
}

/* What came for a call that failed comes before what comes later, also when it came in two parts:
 * from the buffer and behind it. */
static int nothing_is_lost(void *arg)
{
    struct caller reader;

    (void)arg;
    pair_open(NULL);
    feed(left, "12");
    ck_code(bight_timeout(10, never, NULL), BIGHT_ETIMEDOUT);
    ck_assert_uint_eq(bight_stream_buffered(right), 2);
    feed(left, "34");
    ck_code(bight_timeout(10, never, NULL), BIGHT_ETIMEDOUT);
    ck_assert_uint_eq(bight_stream_buffered(right), 4);
    feed(left, "5");
    caller_start(&reader, reads_exactly, right);
    caller_join(&reader, 0);
    expect_rest(right, "5");

    caller_start(&reader, reads_byte, right);
    bight_task_cancel(reader.task);
    feed(left, "6");
    caller_join(&reader, BIGHT_ECANCELED);
    expect_rest(right, "6");
    pair_close();
    return 0;
}

static int look_ahead(void *arg)
{
    const void *data;
    struct caller reader;

    (void)arg;
    pair_open(NULL);
    ck_assert_int_eq(bight_stream_peek(right, &data, 0), 0);
    ck_assert_ptr_nonnull(data);
    feed(left, "one");
    ck_assert_int_eq(bight_stream_peek(right, &data, 1), 3);
    ck_assert_mem_eq(data, "one", 3);
    ck_assert_int_eq(bight_stream_peek(right, &data, 0), 3);
    feed(left, "two");
    ck_assert_int_eq(bight_stream_peek(right, &data, 3), 3);
    ck_assert_int_eq(bight_stream_peek(right, &data, 4), 6);
    ck_assert_mem_eq(data, "onetwo", 6);
    ck_code(bight_stream_consume(right, 7), BIGHT_EINVAL);
    ck_ok(bight_stream_consume(right, 2));
    ck_ok(bight_stream_consume(right, 0));
    ck_assert_uint_eq(bight_stream_buffered(right), 4);
    ck_assert_int_eq(bight_stream_peek(right, &data, 0), 4);
    ck_assert_mem_eq(data, "etwo", 4);
    ck_ok(bight_stream_consume(right, 4));
    caller_start(&reader, peeks, right);
    feed(left, "end");
    caller_join(&reader, 3);
    ck_ok(bight_stream_shutdown(left));
    ck_assert_int_eq(bight_stream_peek(right, &data, 100), 3);
    ck_ok(bight_stream_consume(right, 3));
    ck_assert_int_eq(bight_stream_peek(right, &data, 100), 0);
    pair_close();
    return 0;
}

#define MANY 100000

static unsigned char byte_at(size_t at)
{
    return (unsigned char)(at * 7 + at / 251);
}

static int send_many(void *stream)
{
    unsigned char bytes[999];

    for (size_t at = 0; at < MANY;) {
        size_t count = MANY - at < sizeof(bytes) ? MANY - at : sizeof(bytes);

        for (size_t i = 0; i < count; i++)
            bytes[i] = byte_at(at + i);
        ck_ok(bight_stream_write(stream, bytes, count));
        at += count;
    }
    return bight_stream_shutdown(stream);
}

/* By all ways of reading, in turn. */
static size_t read_a_part(struct bight_stream *stream, size_t at, unsigned char *bytes)
{
    size_t wanted = 1 + at % 40000;
    const void *data;
    int64_t count;

    if (at % 3 == 0) {
        count = bight_stream_read(stream, bytes, wanted);
    } else if (at % 3 == 1) {
        count = bight_stream_peek(stream, &data, wanted);
        if (count > 0) {
            memcpy(bytes, data, (size_t)count);
            ck_ok(bight_stream_consume(stream, (size_t)count));
        }
    } else {
        count = bight_stream_read_exactly(stream, bytes, wanted);
        if (count == BIGHT_EOF)
            count = bight_stream_read(stream, bytes, MANY);
        else
            count = (int64_t)wanted;
    }
    ck_assert_int_ge(count, 0);
    return (size_t)count;
}

static void many_bytes_from(struct bight_stream *writer, struct bight_stream *reader)
{
    static unsigned char bytes[MANY];
    struct bight_stream_stats stats;
    struct bight_task *task;
    size_t at = 0;

    ck_ok(bight_spawn(&task, send_many, writer));
    for (size_t count; (count = read_a_part(reader, at, bytes)); at += count) {
        for (size_t i = 0; i < count; i++)
            ck_assert(bytes[i] == byte_at(at + i));
    }
    ck_assert_uint_eq(at, MANY);
    ck_ok(bight_join(task, NULL));
    ck_ok(bight_stream_get_stats(reader, &stats));
    ck_assert_uint_eq(stats.bytes_read, MANY);
    ck_ok(bight_stream_get_stats(writer, &stats));
    ck_assert_uint_eq(stats.bytes_written, MANY);
}

static int many_bytes(void *arg)
{
    const enum ends_kind kinds[] = {ENDS_UNIX, ENDS_TCP};
    struct bight_stream *both[2];

    (void)arg;
    pair_open(&(struct bight_stream_pair_options){.split = true, .capacity = 30000});
    many_bytes_from(left, right);
    pair_close();
    for (size_t i = 0; i < 2; i++) {
        ends_both(both, kinds[i]);
        many_bytes_from(both[0], both[1]);
        ck_ok(bight_stream_end(both[0], 0));
        ck_ok(bight_stream_end(both[1], 0));
    }
    return 0;
}

static void reset_by(int fd)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
    close(fd);
}

/* The system tells a reset once, and then the end. */
static int error_stays(void *arg)
{
    struct ends ends;
    const void *data;
    char text[16];

    (void)arg;
    ends_open(&ends, ENDS_TCP);
    ends_say(ends.peer, "last");
    ck_assert_int_eq(bight_stream_peek(ends.stream, &data, 4), 4);
    reset_by(ends.peer);
    ends.peer = -1;
    ck_assert_int_eq(bight_stream_peek(ends.stream, &data, 5), BIGHT_ECONNRESET);
    ck_code(bight_stream_read_exactly(ends.stream, text, 5), BIGHT_ECONNRESET);
    ck_assert_int_eq(bight_stream_read(ends.stream, text, sizeof(text)), 4);
    ck_assert_mem_eq(text, "last", 4);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(bight_stream_read(ends.stream, text, sizeof(text)), BIGHT_ECONNRESET);
    ck_assert_int_eq(bight_stream_try_read(ends.stream, text, 1), BIGHT_ECONNRESET);
    ck_assert_int_eq(bight_stream_peek(ends.stream, &data, 0), 0); /* nothing is asked for */
    ends_close(&ends);
    return 0;
}

/* The system tells a reset once, also when a write is told. */
static int error_of_writer(void *arg)
{
    struct ends ends;
    char text[16];

    (void)arg;
    ends_open(&ends, ENDS_TCP);
    ends_say(ends.peer, "last");
    reset_by(ends.peer);
    ends.peer = -1;
    ck_ok(bight_sleep(10));
    ck_code((int)writes_byte(ends.stream), BIGHT_ECONNRESET);
    ck_assert_int_eq(bight_stream_read(ends.stream, text, sizeof(text)), 4);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(bight_stream_read(ends.stream, text, sizeof(text)), BIGHT_ECONNRESET);
    ends_close(&ends);
    return 0;
}

static int wakes_with_error(void *arg)
{
    struct caller reader;
    struct ends ends;

    (void)arg;
    ends_open(&ends, ENDS_TCP);
    caller_start(&reader, reads_line, ends.stream);
    reset_by(ends.peer);
    ends.peer = -1;
    caller_join(&reader, BIGHT_ECONNRESET);
    ends_close(&ends);
    return 0;
}

static int touch_anothers(void *arg)
{
    char byte;

    ck_assert_int_eq(bight_stream_read(arg, &byte, 1), BIGHT_EPERM);
    ck_assert_int_eq(bight_stream_try_read(arg, &byte, 1), BIGHT_EPERM);
    ck_code(bight_stream_write(arg, "x", 1), BIGHT_EPERM);
    ck_assert_int_eq(bight_stream_try_write(arg, "x", 1), BIGHT_EPERM);
    ck_code(bight_stream_consume(arg, 0), BIGHT_EPERM);
    ck_code(bight_stream_end(arg, 0), BIGHT_EPERM);
    bight_stream_abort(arg);
    return 0;
}

static void in_another_thread(void *stream)
{
    char byte;

    ck_assert_int_eq(bight_stream_read(stream, &byte, 1), BIGHT_ENOTASK);
    ck_ok(bight_run(touch_anothers, stream));
}

static int of_another_thread(void *arg)
{
    uv_thread_t thread;

    (void)arg;
    pair_open(NULL);
    ck_assert_int_eq(uv_thread_create(&thread, in_another_thread, left), 0);
    uv_thread_join(&thread);
    feed(left, "unharmed");
    expect_rest(right, "unharmed");
    pair_close();
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_read_takes_no_more_than_it_is_asked_for, some),
    world_case(a_try_takes_what_there_is, at_once_or_not),
    world_case(one_reads_while_one_writes_and_no_second, one_reader),
    world_case(an_exact_read_takes_all_or_nothing, exactly),
    world_case(what_came_for_a_read_that_failed_is_read_first, nothing_is_lost),
    world_case(looking_ahead_takes_nothing, look_ahead),
    world_case(every_byte_comes_once_by_whatever_call, many_bytes),
    world_case(an_error_comes_after_the_bytes_and_stays, error_stays),
    world_case(an_error_that_a_write_was_told_is_the_reads_too, error_of_writer),
    world_case(an_error_wakes_the_reader, wakes_with_error),
    world_case(a_stream_of_another_thread_is_refused, of_another_thread),
};

test_suite("stream_read", cases);
