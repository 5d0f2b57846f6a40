/* net/stream/pass.c: descriptors over Unix sockets, counted exactly. */
#include "tests/net/stream/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "runtime/stream/stream.h"

static void pair(struct bight_stream *both[2])
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ck_ok(bight_stream_from_fd(&both[0], fds[0]));
    ck_ok(bight_stream_from_fd(&both[1], fds[1]));
}

static void pair_end(struct bight_stream *both[2])
{
    ck_ok(bight_stream_end(both[0], 0));
    ck_ok(bight_stream_end(both[1], 0));
}

static bool are_same(int left, int right)
{
    struct stat a, b;

    ck_assert_int_eq(fstat(left, &a), 0);
    ck_assert_int_eq(fstat(right, &b), 0);
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int one(void *arg)
{
    struct bight_stream *both[2];
    int ends[2], got = -1, before;
    size_t count = 7;
    char bytes[8];

    (void)arg;
    pair(both);
    ck_assert_int_eq(pipe2(ends, 0), 0);
    before = test_open_fds();
    ck_ok(bight_unix_write_descriptors(both[0], "here", 4, &ends[1], 1));
    ck_assert_uint_eq(bight_stream_last_written(both[0]), 4);
    ck_assert_int_eq(bight_unix_read_descriptors(both[1], bytes, 8, &got, 1, &count), 4);
    ck_assert_mem_eq(bytes, "here", 4);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(test_open_fds(), before + 1);
    ck_assert_int_ne(got, ends[1]);
    ck_assert(are_same(got, ends[1]));
    ck_assert_int_ne(fcntl(got, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq(fcntl(ends[1], F_GETFD) & FD_CLOEXEC, 0); /* the sender's is as it was */
    close(ends[1]);
    ck_assert_int_eq(write(got, "through", 7), 7);
    ck_assert_int_eq(read(ends[0], bytes, 8), 7);
    close(got);
    ck_assert_int_eq(read(ends[0], bytes, 8), 0);
    close(ends[0]);
    pair_end(both);
    return 0;
}

static int most(void *arg)
{
    int fds[BIGHT_UNIX_DESCRIPTORS + 1], got[BIGHT_UNIX_DESCRIPTORS], before;
    struct bight_stream *both[2];
    size_t count;
    char byte;

    (void)arg;
    pair(both);
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        fds[i] = 0;
    before = test_open_fds();
    ck_code(bight_unix_write_descriptors(both[0], "x", 1, fds, BIGHT_UNIX_DESCRIPTORS + 1),
            BIGHT_EINVAL);
    ck_code(bight_unix_write_descriptors(both[0], "x", 0, fds, 1), BIGHT_EINVAL);
    ck_code(bight_unix_write_descriptors(both[0], "x", 1, fds, 0), BIGHT_EINVAL);
    ck_ok(bight_unix_write_descriptors(both[0], "x", 1, fds, BIGHT_UNIX_DESCRIPTORS));
    ck_assert_int_eq(
        bight_unix_read_descriptors(both[1], &byte, 1, got, BIGHT_UNIX_DESCRIPTORS, &count), 1);
    ck_assert_uint_eq(count, BIGHT_UNIX_DESCRIPTORS);
    ck_assert_int_eq(test_open_fds(), before + BIGHT_UNIX_DESCRIPTORS);
    for (size_t i = 0; i < count; i++) {
        ck_assert(are_same(got[i], 0));
        close(got[i]);
    }
    pair_end(both);
    return 0;
}

/* Bytes of one write may come by several reads; descriptors come with the first. */
static int among_bytes(void *arg)
{
    struct bight_stream *both[2];
    int ends[2], got[4];
    size_t count;
    char bytes[16];

    (void)arg;
    pair(both);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_ok(bight_unix_write_descriptors(both[0], "first", 5, ends, 2));
    ck_ok(bight_unix_write_descriptors(both[0], "second", 6, ends, 1));
    ck_ok(bight_stream_write(both[0], "plain", 5));
    ck_assert_int_eq(bight_unix_read_descriptors(both[1], bytes, 2, got, 4, &count), 2);
    ck_assert_uint_eq(count, 2);
    close(got[0]);
    close(got[1]);
    ck_assert_int_eq(bight_unix_read_descriptors(both[1], bytes, 3, got, 4, &count), 3);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(bight_unix_read_descriptors(both[1], bytes, 16, got, 4, &count), 6);
    ck_assert_mem_eq(bytes, "second", 6);
    ck_assert_uint_eq(count, 1);
    close(got[0]);
    ck_assert_int_eq(bight_unix_read_descriptors(both[1], bytes, 16, NULL, 0, &count), 5);
    ck_assert_mem_eq(bytes, "plain", 5);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(bight_unix_read_descriptors(both[1], NULL, 0, NULL, 0, &count), 0);
    ck_ok(bight_stream_shutdown(both[0]));
    ck_assert_int_eq(bight_unix_read_descriptors(both[1], bytes, 16, got, 4, &count), 0);
    close(ends[0]);
    close(ends[1]);
    pair_end(both);
    return 0;
}

/* A read that did not ask leaves none open, and what was read ahead is read first. */
static int not_asked_for(void *arg)
{
    struct bight_stream *both[2];
    int ends[2], got, before;
    const void *data;
    size_t count;
    char bytes[16];

    (void)arg;
    pair(both);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    before = test_open_fds();
    ck_ok(bight_unix_write_descriptors(both[0], "first", 5, ends, 2));
    ck_assert_int_eq(bight_stream_read(both[1], bytes, 16), 5);
    ck_assert_int_eq(test_open_fds(), before);
    ck_ok(bight_unix_write_descriptors(both[0], "second", 6, ends, 2));
    ck_assert_int_ge(bight_stream_peek(both[1], &data, 1), 1);
    ck_assert_int_eq(test_open_fds(), before);
    ck_ok(bight_unix_write_descriptors(both[0], "third", 5, ends, 1));
    ck_assert_int_eq(bight_unix_read_descriptors(both[1], bytes, 16, &got, 1, &count), 6);
    ck_assert_mem_eq(bytes, "second", 6);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(bight_unix_read_descriptors(both[1], bytes, 16, &got, 1, &count), 5);
    ck_assert_uint_eq(count, 1);
    close(got);
    ck_ok(bight_unix_write_descriptors(both[0], "never", 5, ends, 2)); /* read by nobody */
    close(ends[0]);
    close(ends[1]);
    pair_end(both);
    ck_assert_int_eq(test_open_fds(), before - 4);
    return 0;
}

static int too_many(void *arg)
{
    struct bight_stream *both[2];
    int ends[2], got[2], before;
    size_t count = 7;
    char bytes[16];

    (void)arg;
    pair(both);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    before = test_open_fds();
    ck_ok(bight_unix_write_descriptors(both[0], "first", 5, ends, 2));
    ck_assert_int_eq(bight_unix_read_descriptors(both[1], bytes, 16, got, 1, &count),
                     BIGHT_ETOOBIG);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(test_open_fds(), before);
    ck_assert_int_eq(bight_unix_read_descriptors(both[1], bytes, 16, got, 2, &count), 5);
    ck_assert_mem_eq(bytes, "first", 5);
    ck_assert_uint_eq(count, 0);
    close(ends[0]);
    close(ends[1]);
    pair_end(both);
    return 0;
}

static int none_to_be_had(void *arg)
{
    struct bight_stream *both[2];
    struct rlimit limit;
    int ends[2], got[3], before;
    size_t count = 7;
    char bytes[16];

    (void)arg;
    pair(both);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    before = test_open_fds();
    for (int free_ones = 0; free_ones < 2; free_ones++) {
        ck_ok(bight_unix_write_descriptors(both[0], "first", 5, ends, 2));
        limit = wire_few_descriptors(free_ones);
        ck_assert_int_eq(bight_unix_read_descriptors(both[1], bytes, 16, got, 3, &count),
                         BIGHT_EMFILE);
        wire_descriptors_back(limit);
        ck_assert_uint_eq(count, 0);
        ck_assert_int_eq(test_open_fds(), before);
        ck_assert_int_eq(bight_unix_read_descriptors(both[1], bytes, 16, got, 3, &count), 5);
        ck_assert_mem_eq(bytes, "first", 5);
        ck_assert_uint_eq(count, 0);
    }
    close(ends[0]);
    close(ends[1]);
    pair_end(both);
    return 0;
}

/* Descriptors that cannot go say nothing about the connection. */
static int not_open(void *arg)
{
    struct bight_stream *both[2];
    char bytes[16];
    int fd = dup(0);

    (void)arg;
    pair(both);
    close(fd);
    ck_code(bight_unix_write_descriptors(both[0], "first", 5, &fd, 1), BIGHT_EBADF);
    ck_assert_uint_eq(bight_stream_last_written(both[0]), 0);
    ck_ok(bight_stream_write(both[0], "after", 5));
    ck_assert_int_eq(bight_stream_read(both[1], bytes, 16), 5);
    pair_end(both);
    return 0;
}

static int other_kinds(void *arg)
{
    struct bight_stream *both[2];
    size_t count;
    char byte;
    int fd = 0;

    (void)arg;
    ck_ok(bight_stream_pair(&both[0], &both[1], NULL));
    ck_code(bight_unix_write_descriptors(both[0], "x", 1, &fd, 1), BIGHT_ENOTSUP);
    ck_assert_int_eq(bight_unix_read_descriptors(both[1], &byte, 1, &fd, 1, &count), BIGHT_ENOTSUP);
    pair_end(both);
    return 0;
}

/* The peer is gone: that breaks the stream, as with any write. */
static int gone(void *arg)
{
    struct bight_stream *both[2];
    size_t count;
    char byte;
    int fd = 0;

    (void)arg;
    pair(both);
    ck_ok(bight_stream_end(both[1], 0));
    ck_code(bight_unix_write_descriptors(both[0], "x", 1, &fd, 1), BIGHT_EPIPE);
    ck_code(bight_unix_write_descriptors(both[0], "x", 1, &fd, 1), BIGHT_EPIPE);
    ck_assert_int_eq(bight_unix_read_descriptors(both[0], &byte, 1, &fd, 1, &count), 0);
    return bight_stream_end(both[0], 0);
}

/* More than fits: the write waits, and the descriptor came once. */

#define LONG_BYTES (1 << 20)

static int writes_long(void *stream)
{
    static char bytes[LONG_BYTES];
    int fd = 0;

    return bight_unix_write_descriptors(stream, bytes, sizeof(bytes), &fd, 1);
}

static int waits_for_room(void *arg)
{
    static char bytes[LONG_BYTES];
    struct bight_stream *both[2];
    struct bight_task *task;
    size_t all = 0, came = 0;
    int status, got[4];

    (void)arg;
    pair(both);
    ck_ok(bight_spawn(&task, writes_long, both[0]));
    while (!both[0]->out.waiter)
        ck_ok(bight_yield());
    while (all < LONG_BYTES) {
        size_t count;
        int64_t some = bight_unix_read_descriptors(both[1], bytes, sizeof(bytes), got, 4, &count);

        ck_assert_int_gt(some, 0);
        all += (size_t)some;
        came += count;
    }
    ck_ok(bight_join(task, &status));
    ck_ok(status);
    ck_assert_uint_eq(came, 1);
    close(got[0]);
    ck_assert_uint_eq(all, LONG_BYTES);
    pair_end(both);
    return 0;
}

static int reads_one(void *stream)
{
    size_t count;
    char byte;
    int fd;

    return (int)bight_unix_read_descriptors(stream, &byte, 1, &fd, 1, &count);
}

static int cancelled(void *arg)
{
    struct bight_stream *both[2];
    struct bight_task *task;
    int status, fd = 0, got;
    size_t count;
    char byte;

    (void)arg;
    pair(both);
    ck_ok(bight_spawn(&task, reads_one, both[1]));
    while (!both[1]->in.waiter)
        ck_ok(bight_yield());
    ck_assert_int_eq(reads_one(both[1]), BIGHT_EBUSY);
    ck_ok(bight_unix_write_descriptors(both[0], "x", 1, &fd, 1));
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_eq(bight_unix_read_descriptors(both[1], &byte, 1, &got, 1, &count), 1);
    ck_assert_uint_eq(count, 1); /* it waited for the next reader */
    close(got);
    pair_end(both);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_descriptor_is_passed_and_is_the_same_file, one),
    world_case(as_many_are_passed_as_the_system_allows, most),
    world_case(descriptors_come_with_the_first_byte_of_their_write, among_bytes),
    world_case(a_read_that_did_not_ask_leaves_none_open, not_asked_for),
    world_case(more_than_there_is_room_for_are_closed, too_many),
    world_case(more_than_the_process_may_open_are_closed, none_to_be_had),
    world_case(a_descriptor_that_is_not_open_breaks_nothing, not_open),
    world_case(other_streams_pass_none, other_kinds),
    world_case(a_peer_that_is_gone_breaks_the_stream, gone),
    world_case(a_write_waits_for_room_and_passes_once, waits_for_room),
    world_case(a_cancelled_read_takes_no_descriptor, cancelled),
};

test_suite("pass", cases);
