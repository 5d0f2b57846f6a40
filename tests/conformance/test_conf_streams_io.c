/* Streams: writing, pipes and terminals. */
#include <unistd.h>

#include "tests/conformance/conf.h"
#include "tests/runtime/stream/ends.h"

/* The peer closes at once; some write says so before long. */
static int write_02(void *arg)
{
    struct ends ends;
    int writes = 0, rc;

    (void)arg;
    ends_open(&ends, ENDS_TCP);
    close(ends.peer);
    ends.peer = -1;
    while ((rc = bight_stream_write(ends.stream, "data", 4)) == 0 && writes < 1000)
        writes++;
    ck_assert(rc == BIGHT_EPIPE || rc == BIGHT_ECONNRESET);
    ends_close(&ends);
    return 0;
}

static int write_05(void *arg)
{
    struct bight_stream *both[2];

    (void)arg;
    ends_both(both, ENDS_TCP);
    ck_ok(bight_stream_shutdown(both[0]));
    ck_code((int)writes_byte(both[0]), BIGHT_ECLOSED);
    ck_ok(bight_stream_end(both[0], 0));
    ck_ok(bight_stream_end(both[1], 0));
    return 0;
}

static int write_07(void *arg)
{
    struct bight_stream *both[2];

    (void)arg;
    ends_both(both, ENDS_TCP);
    bight_stream_abort(both[1]);
    ck_assert_int_eq(reads_byte(both[0]), BIGHT_ECONNRESET);
    return bight_stream_end(both[0], 0);
}

static int write_08(void *arg)
{
    const struct bight_slice pieces[] = {{"one", 3}, {"two", 3}, {"three", 5}};
    struct bight_test_result before, after;
    struct ends ends;

    (void)arg;
    ends_open(&ends, ENDS_TCP);
    ck_ok(bight_test_progress(&before));
    ck_ok(bight_stream_writev(ends.stream, pieces, 3));
    ck_ok(bight_test_progress(&after));
    ck_assert_uint_eq(after.calls, before.calls + 1);
    ck_assert_str_eq(ends_hear(ends.peer), "onetwothree");
    ends_close(&ends);
    return 0;
}

static void write_08_several_pieces_go_in_one_write(void)
{
    ck_ok(bight_test_run(NULL, write_08, NULL, NULL));
}

#define PIECES_BYTES 9216

static int sends_and_waits(void *arg)
{
    struct bight_stream *stream = arg;
    static const char bytes[PIECES_BYTES];

    ck_ok(bight_stream_write(stream, bytes, sizeof(bytes)));
    ck_assert_int_eq(reads_byte(stream), 1);
    return bight_stream_end(stream, 0);
}

static int write_11(void *arg)
{
    struct bight_stream *both[2];
    struct bight_task *server;
    char piece[100];
    size_t total = 0;

    (void)arg;
    ends_both(both, ENDS_TCP);
    ck_ok(bight_spawn(&server, sends_and_waits, both[0]));
    while (total < PIECES_BYTES) {
        int64_t count = bight_stream_read(both[1], piece, sizeof(piece));

        ck_assert(count > 0 && count <= (int)sizeof(piece));
        total += (size_t)count;
    }
    ck_assert_uint_eq(total, PIECES_BYTES);
    ck_ok((int)writes_byte(both[1]));
    ck_assert_int_eq(reads_byte(both[1]), 0);
    conf_join(server, 0);
    return bight_stream_end(both[1], 0);
}

/* Pipes and terminals */

static void hears_pipe(enum ends_kind kind)
{
    struct caller reader;
    struct ends ends;

    ends_open(&ends, kind);
    caller_start(&reader, reads_byte, ends.stream);
    ends_say(ends.peer, "1");
    caller_join(&reader, 1);
    caller_start(&reader, reads_exactly, ends.stream);
    ends_say(ends.peer, "2345");
    caller_join(&reader, 0);
    caller_start(&reader, reads_byte, ends.stream);
    close(ends.peer);
    ends.peer = -1;
    caller_join(&reader, 0);
    ends_close(&ends);
}

static int pipeio_01(void *arg)
{
    (void)arg;
    hears_pipe(ENDS_READING_PIPE);
    hears_pipe(ENDS_TERMINAL);
    return 0;
}

static int pipeio_03(void *arg)
{
    struct bight_case closed;
    struct ends ends;

    (void)arg;
    ends_open(&ends, ENDS_UNIX);
    feed(ends.stream, "1");
    ck_assert_str_eq(ends_hear(ends.peer), "1");
    close(ends.peer);
    ends.peer = -1;
    bight_case_readable(&closed, ends.stream);
    ck_code(bight_select(&closed, 1, 0), 0);
    ck_assert_int_eq(reads_byte(ends.stream), 0);
    ends_close(&ends);
    return 0;
}

static int pipeio_04(void *arg)
{
    struct ends ends;
    char bytes[8] = "";

    (void)arg;
    ends_open(&ends, ENDS_TERMINAL);
    ends_say(ends.peer, "1");
    ck_ok(bight_stream_read_exactly(ends.stream, bytes, 1));
    ck_assert_str_eq(bytes, "1");
    feed(ends.stream, "a");
    ck_assert_str_eq(ends_hear(ends.peer), "a");
    ends_say(ends.peer, "2345");
    ck_ok(bight_stream_read_exactly(ends.stream, bytes, 4));
    ck_assert_str_eq(bytes, "2345");
    feed(ends.stream, "bcde");
    ck_assert_str_eq(ends_hear(ends.peer), "bcde");
    close(ends.peer);
    ends.peer = -1;
    ck_assert_int_eq(reads_byte(ends.stream), 0);
    ck_assert_int_lt((int)writes_byte(ends.stream), 0);
    ends_close(&ends);
    return 0;
}

static int64_t writes_data(struct bight_stream *stream)
{
    return bight_stream_write(stream, "data", 4);
}

/* The room that a writer of "data" finds is what a system call would take. */
static int pipeio_07(void *arg)
{
    const struct bight_stream_pair_options narrow = {.capacity = 7};
    struct caller writer;
    char bytes[8] = "";

    (void)arg;
    pair_open(&narrow);
    ck_ok((int)writes_data(left));
    expect_rest(right, "data");
    feed(left, "0123");
    caller_start(&writer, writes_data, left); /* takes 3 */
    ck_assert_uint_eq(bight_stream_last_written(left), 3);
    world_settle(); /* takes nothing */
    ck_assert_uint_eq(bight_stream_last_written(left), 3);
    ck_ok(bight_stream_read_exactly(right, bytes, 7));
    ck_assert_str_eq(bytes, "0123dat");
    caller_join(&writer, 0);
    expect_rest(right, "a");
    pair_close();
    return 0;
}

static int pipeio_08(void *arg)
{
    struct ends ends;

    (void)arg;
    ends_open(&ends, ENDS_WRITING_PIPE);
    close(ends.peer);
    ends.peer = -1;
    for (int i = 0; i < 8; i++)
        ck_code((int)writes_data(ends.stream), BIGHT_EPIPE);
    ends_close(&ends);
    return 0;
}

static int pipeio_10(void *arg)
{
    struct ends ends;
    char bytes[8];

    (void)arg;
    ends_open(&ends, ENDS_READING_PIPE);
    ck_assert_int_eq(bight_stream_try_read(ends.stream, bytes, sizeof(bytes)), BIGHT_EAGAIN);
    ends_say(ends.peer, "data");
    ck_assert_int_eq(bight_stream_read(ends.stream, bytes, sizeof(bytes)), 4);
    close(ends.peer);
    ends.peer = -1;
    ck_assert_int_eq(reads_byte(ends.stream), 0);
    ends_close(&ends);
    ends_open(&ends, ENDS_WRITING_PIPE); /* which cannot be read */
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(reads_byte(ends.stream), BIGHT_EBADF);
    ends_close(&ends);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(write_02_a_write_says_that_the_peer_is_gone, write_02),
    conf_case(write_05_writing_after_the_close_fails, write_05),
    conf_case(write_07_the_error_of_a_lost_connection_is_what_a_read_returns, write_07),
    plain_case(write_08_several_pieces_go_in_one_write),
    conf_case(write_11_a_reader_brings_its_own_buffer, write_11),
    conf_case(pipeio_01_reading_a_pipe_and_a_terminal, pipeio_01),
    conf_case(pipeio_03_the_readers_disappearance_is_noticed_without_a_write, pipeio_03),
    conf_case(pipeio_04_both_directions_of_a_terminal, pipeio_04),
    conf_case(pipeio_07_a_write_goes_on_when_there_is_room_again, pipeio_07),
    conf_case(pipeio_08_an_error_of_a_write_stays, pipeio_08),
    conf_case(pipeio_10_data_the_end_nothing_yet_and_an_error, pipeio_10),
};

test_suite("conf_streams_io", cases);
