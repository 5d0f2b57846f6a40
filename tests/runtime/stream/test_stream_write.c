/* Writing to a stream: all of it, in pieces, what goes now, a file; and what is left of the stream
 * when a write was cut short. */
#include "tests/runtime/stream/ends.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct bight_stream_pair_options narrow = {.capacity = 4};

static int64_t writes_ten(struct bight_stream *stream)
{
    return bight_stream_write(stream, "0123456789", 10);
}

static int all_of_it(void *arg)
{
    struct caller writer;

    (void)arg;
    pair_open(&narrow);
    ck_ok(bight_stream_write(left, NULL, 0));
    caller_start(&writer, writes_ten, left);
    expect_rest(right, "0123");
    world_settle();
    expect_rest(right, "4567");
    caller_join(&writer, 0);
    ck_assert_uint_eq(bight_stream_last_written(left), 10);
    expect_rest(right, "89");
    ck_ok(bight_stream_write(left, "", 0));
    ck_assert_uint_eq(bight_stream_last_written(left), 0);
    pair_close();
    return 0;
}

/* More slices than one attempt looks at, some of them empty. */
#define PIECES 50

static int64_t writes_pieces(struct bight_stream *stream)
{
    struct bight_slice slices[PIECES];

    for (int i = 0; i < PIECES; i++)
        slices[i] = (struct bight_slice){"abcdefg", (size_t)i % 4};
    return bight_stream_writev(stream, slices, PIECES);
}

static void check_pieces(struct bight_stream *stream)
{
    char bytes[4];

    for (size_t i = 0; i < PIECES; i++) {
        ck_ok(bight_stream_read_exactly(stream, bytes, i % 4));
        ck_assert_mem_eq(bytes, "abcdefg", i % 4);
    }
    expect_rest(stream, "");
}

static int pieces(void *arg)
{
    const struct bight_slice nothing[] = {{"", 0}, {NULL, 0}}, invalid[] = {{"a", 1}, {NULL, 1}};
    struct bight_stream *both[2];
    struct caller writer;

    (void)arg;
    pair_open(&narrow);
    ck_ok(bight_stream_writev(left, NULL, 0));
    ck_ok(bight_stream_writev(left, nothing, 2));
    ck_code(bight_stream_writev(left, invalid, 2), BIGHT_EINVAL);
    caller_start(&writer, writes_pieces, left);
    check_pieces(right);
    caller_join(&writer, 0);
    pair_close();
    ends_both(both, ENDS_UNIX);
    ck_ok((int)writes_pieces(both[0]));
    check_pieces(both[1]);
    ck_ok(bight_stream_end(both[0], 0));
    ck_ok(bight_stream_end(both[1], 0));
    return 0;
}

static int what_goes_now(void *arg)
{
    struct caller writer;

    (void)arg;
    pair_open(&narrow);
    ck_assert_int_eq(bight_stream_try_write(left, "", 0), 0);
    ck_assert_int_eq(bight_stream_try_write(left, "abcdef", 6), 4);
    ck_assert_uint_eq(bight_stream_last_written(left), 4);
    ck_assert_int_eq(bight_stream_try_write(left, "ef", 2), BIGHT_EAGAIN);
    ck_assert_uint_eq(bight_stream_last_written(left), 0);
    caller_start(&writer, writes_byte, left);
    ck_assert_int_eq(bight_stream_try_write(left, "ef", 2), BIGHT_EBUSY);
    ck_code((int)writes_ten(left), BIGHT_EBUSY);
    ck_code((int)writes_pieces(left), BIGHT_EBUSY);
    ck_code(bight_stream_shutdown(left), BIGHT_EBUSY);
    ck_code(bight_stream_send_file(left, 0, 0, 1), BIGHT_EBUSY);
    expect_rest(right, "abcd");
    caller_join(&writer, 0);
    expect_rest(right, "w");
    ck_assert_int_eq(bight_stream_try_write(left, "ef", 2), 2); /* nothing is broken */
    pair_close();
    return 0;
}

static int broken(void *arg)
{
    struct caller writer;

    (void)arg;
    pair_open(&narrow);
    caller_start(&writer, writes_ten, left);
    bight_task_cancel(writer.task);
    caller_join(&writer, BIGHT_ECANCELED);
    ck_assert_uint_eq(bight_stream_last_written(left), 4);
    ck_code((int)writes_byte(left), BIGHT_EBROKEN);
    ck_assert_uint_eq(bight_stream_last_written(left), 0);
    ck_assert_int_eq(bight_stream_try_write(left, "x", 1), BIGHT_EBROKEN);
    ck_code((int)writes_pieces(left), BIGHT_EBROKEN);
    ck_code(bight_stream_send_file(left, 0, 0, 1), BIGHT_EBROKEN);
    ck_assert_int_eq(bight_stream_copy(right, left), BIGHT_EBROKEN);
    ck_code(bight_stream_shutdown(left), BIGHT_EBROKEN);
    expect_rest(right, "0123");
    feed(right, "back");
    expect_rest(left, "back"); /* the other half is as good as before */
    pair_close();
    return 0;
}

static int not_broken(void *arg)
{
    struct caller writer;

    (void)arg;
    pair_open(&narrow);
    feed(left, "full");
    caller_start(&writer, writes_ten, left);
    bight_task_cancel(writer.task);
    caller_join(&writer, BIGHT_ECANCELED);
    ck_assert_uint_eq(bight_stream_last_written(left), 0);
    expect_rest(right, "full");

    /* Cancelled before it begins: the count is that of this write, not of the one before. */
    feed(left, "abc");
    bight_task_cancel(bight_self());
    ck_code((int)writes_ten(left), BIGHT_ECANCELED);
    ck_assert_uint_eq(bight_stream_last_written(left), 0);
    ck_assert_int_eq(bight_stream_try_write(left, "d", 1), 1);
    expect_rest(right, "abcd");
    pair_close();
    return BIGHT_ECANCELED;
}

static int peer_gone(void *arg)
{
    const enum ends_kind kinds[] = {ENDS_UNIX, ENDS_TCP, ENDS_WRITING_PIPE};
    struct ends ends;
    int64_t rc;

    (void)arg;
    pair_open(NULL);
    ck_ok(bight_stream_end(right, 0));
    ck_code((int)writes_byte(left), BIGHT_EPIPE);
    ck_code((int)writes_byte(left), BIGHT_EPIPE);
    ck_ok(bight_stream_end(left, 0));
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        ends_open(&ends, kinds[i]);
        close(ends.peer);
        ends.peer = -1;
        /* TCP is told by the answer to what it sends. */
        for (int tries = 0; (rc = writes_byte(ends.stream)) == 0; tries++) {
            ck_assert_int_lt(tries, 1000);
            ck_ok(bight_sleep(1));
        }
        ck_assert(rc == BIGHT_EPIPE || rc == BIGHT_ECONNRESET);
        ck_assert_int_eq(writes_byte(ends.stream), rc); /* and so it stays */
        ends_close(&ends);
    }
    return 0;
}

static int half_ended(void *arg)
{
    (void)arg;
    pair_open(NULL);
    feed(left, "all");
    ck_ok(bight_stream_shutdown(left));
    ck_code(bight_stream_shutdown(left), BIGHT_EALREADY);
    ck_code((int)writes_byte(left), BIGHT_ECLOSED);
    ck_assert_int_eq(bight_stream_try_write(left, "x", 1), BIGHT_ECLOSED);
    feed(right, "answer");
    expect_rest(left, "answer");
    expect_rest(right, "all");
    ck_assert_int_eq(reads_byte(right), 0);
    pair_close();
    return 0;
}

/* Files */

#define FILE_BYTES 300000

static unsigned char content[FILE_BYTES];

static int open_file(void)
{
    int file = memfd_create("content", MFD_CLOEXEC);

    for (size_t i = 0; i < FILE_BYTES; i++)
        content[i] = (unsigned char)(i * 7 + i / 1000);
    ck_assert_int_eq(write(file, content, FILE_BYTES), FILE_BYTES);
    ck_assert_int_eq(lseek(file, 5, SEEK_SET), 5);
    return file;
}

struct sink {
    struct bight_stream *stream;
    unsigned char *bytes;
    size_t count;
};

static int hears_all(void *arg)
{
    struct sink *sink = arg;
    int64_t count;

    while ((count = bight_stream_read(sink->stream, sink->bytes + sink->count,
                                      FILE_BYTES + 1 - sink->count)) > 0)
        sink->count += (size_t)count;
    return (int)count;
}

/* Send the file whole, and then parts of it, and end the writing half by closing. */
static void send_parts(struct bight_stream *from, struct bight_stream *to, int file, int64_t offset,
                       int64_t bytes, int code)
{
    size_t expected =
        bytes < 0 || offset + bytes > FILE_BYTES ? FILE_BYTES - (size_t)offset : (size_t)bytes;
    struct sink sink = {.stream = to, .bytes = malloc(FILE_BYTES + 1)};
    struct bight_task *task;

    ck_ok(bight_spawn(&task, hears_all, &sink));
    ck_code(bight_stream_send_file(from, file, offset, bytes), code);
    ck_assert_uint_eq(bight_stream_last_written(from), expected);
    ck_ok(bight_stream_end(from, 0));
    ck_ok(bight_join(task, NULL));
    ck_assert_uint_eq(sink.count, expected);
    ck_assert_mem_eq(sink.bytes, content + offset, expected);
    ck_assert_int_eq(lseek(file, 0, SEEK_CUR), 5);
    ck_ok(bight_stream_end(to, 0));
    free(sink.bytes);
}

static void two_of(int kind, struct bight_stream *both[2])
{
    struct bight_stream *reader;

    if (kind < 0) {
        ck_ok(bight_stream_pair(&both[0], &both[1], NULL));
        return;
    }
    ends_both(both, (enum ends_kind)kind);
    if (kind != ENDS_READING_PIPE)
        return;
    reader = both[0];
    both[0] = both[1];
    both[1] = reader;
}

static int file_parts(void *arg)
{
    const int kinds[] = {-1, ENDS_UNIX, ENDS_TCP, ENDS_READING_PIPE};
    struct bight_stream *both[2];
    int file = open_file();

    (void)arg;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        two_of(kinds[i], both);
        send_parts(both[0], both[1], file, 0, -1, 0);
        two_of(kinds[i], both);
        send_parts(both[0], both[1], file, 1000, FILE_BYTES / 2, 0);
        two_of(kinds[i], both);
        send_parts(both[0], both[1], file, 0, 0, 0);
        two_of(kinds[i], both);
        send_parts(both[0], both[1], file, FILE_BYTES, -1, 0);
        two_of(kinds[i], both);
        send_parts(both[0], both[1], file, 1000, FILE_BYTES, BIGHT_EOF);
    }
    close(file);
    return 0;
}

/* sendfile(2) refuses it. */
static int file_of_proc(void *arg)
{
    struct bight_stream *both[2];
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    char text[6];

    (void)arg;
    ck_assert_int_ge(file, 0);
    ends_both(both, ENDS_UNIX);
    ck_ok(bight_stream_send_file(both[0], file, 0, 5));
    ck_ok(bight_stream_read_exactly(both[1], text, 5));
    ck_assert_mem_eq(text, "Name:", 5);
    ck_ok(bight_stream_end(both[0], 0));
    ck_ok(bight_stream_end(both[1], 0));
    close(file);
    return 0;
}

/* An error of the file says nothing about the connection. */
static int file_errors(void *arg)
{
    const int kinds[] = {-1, ENDS_UNIX, ENDS_READING_PIPE};
    int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct bight_stream *both[2];

    (void)arg;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        two_of(kinds[i], both);
        ck_code(bight_stream_send_file(both[0], -1, 0, 1), BIGHT_EBADF);
        ck_assert_int_lt(bight_stream_send_file(both[0], folder, 0, 1), 0);
        ck_code(bight_stream_send_file(both[0], folder, -1, 1), BIGHT_EINVAL);
        ck_ok((int)writes_byte(both[0]));
        ck_assert_int_eq(reads_byte(both[1]), 1);
        ck_ok(bight_stream_end(both[0], 0));
        ck_ok(bight_stream_end(both[1], 0));
    }
    close(folder);
    return 0;
}

static int64_t sends_file(struct bight_stream *stream)
{
    int file = open_file();
    int rc = bight_stream_send_file(stream, file, 0, -1);

    close(file);
    return rc;
}

static int file_cut_short(void *arg)
{
    struct bight_stream *both[2];
    struct caller writer;
    int size = 4096;

    (void)arg;
    pair_open(&narrow);
    caller_start(&writer, sends_file, left);
    bight_task_cancel(writer.task);
    caller_join(&writer, BIGHT_ECANCELED);
    ck_assert_uint_eq(bight_stream_last_written(left), 4);
    ck_code((int)writes_byte(left), BIGHT_EBROKEN);
    pair_close();
    ends_both(both, ENDS_UNIX);
    ck_assert_int_eq(
        setsockopt(bight_stream_fd(both[0]), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
    caller_start(&writer, sends_file, both[0]);
    bight_task_cancel(writer.task);
    caller_join(&writer, BIGHT_ECANCELED);
    ck_assert_uint_gt(bight_stream_last_written(both[0]), 0);
    ck_assert_uint_lt(bight_stream_last_written(both[0]), FILE_BYTES);
    ck_code((int)writes_byte(both[0]), BIGHT_EBROKEN);
    ck_ok(bight_stream_end(both[0], 0));
    ck_ok(bight_stream_end(both[1], 0));
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_write_writes_all, all_of_it),
    world_case(pieces_are_one_behind_the_other, pieces),
    world_case(a_try_writes_what_there_is_room_for, what_goes_now),
    world_case(a_write_cut_short_breaks_the_writing_half, broken),
    world_case(a_write_of_which_nothing_went_out_breaks_nothing, not_broken,
               .code = BIGHT_ECANCELED),
    world_case(a_peer_that_is_gone_is_an_error_that_stays, peer_gone),
    world_case(after_a_shutdown_only_writing_is_over, half_ended),
    world_case(files_go_out_by_every_kind, file_parts),
    world_case(a_file_that_the_kernel_cannot_send_goes_by_a_buffer, file_of_proc),
    world_case(an_error_of_the_file_breaks_nothing, file_errors),
    world_case(a_file_cut_short_breaks_the_writing_half, file_cut_short),
};

test_suite("stream_write", cases);
