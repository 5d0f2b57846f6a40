/* See ways.h: streams and descriptors. The streams are pairs in memory, except where the call does
 * something else with a socket; a shutdown that waits is of a kind of our own, for none here has
 * one. */
#include "tests/ways/ways.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/stream/stream.h"

static void pair_open(struct stage *stage, int first)
{
    const struct bight_stream_pair_options options = {.capacity = 1};

    ck_assert_int_eq(bight_stream_pair(&stage->ends[first], &stage->ends[first + 1], &options), 0);
}

/* With a chunk of memory at hand. */
static void streams_open(struct stage *stage)
{
    const void *data;

    pair_open(stage, 0);
    ck_assert_int_eq(bight_stream_write(stage->ends[0], "a", 1), 0);
    ck_assert_int_eq(bight_stream_peek(stage->ends[1], &data, 1), 1);
    ck_assert_int_eq(bight_stream_consume(stage->ends[1], 1), 0);
}

/* End the writer, so that reading does not sleep, and see how much is there. */
static void streams_end(struct stage *stage, int first, size_t left)
{
    char bytes[4];

    ck_assert_int_eq(bight_stream_end(stage->ends[first], 0), 0);
    ck_assert_int_eq(bight_stream_read(stage->ends[first + 1], bytes, sizeof(bytes)), (int)left);
    ck_assert_int_eq(bight_stream_end(stage->ends[first + 1], 0), 0);
}

/* Reading */

static void line_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_stream_write(stage->ends[0], "\n", 1), 0);
}

static int read_wait(struct seat *seat)
{
    char byte;

    seat->stage->no_memory = true;
    return (int)bight_stream_read(seat->stage->ends[1], &byte, 1);
}

static int read_exactly_wait(struct seat *seat)
{
    char byte;

    seat->stage->no_memory = true;
    return bight_stream_read_exactly(seat->stage->ends[1], &byte, 1);
}

static int read_until_wait(struct seat *seat)
{
    char bytes[4];

    seat->stage->no_memory = true;
    return (int)bight_stream_read_until(seat->stage->ends[1], bytes, sizeof(bytes), "\n", 1);
}

static int read_until_any_wait(struct seat *seat)
{
    const struct bight_slice either[] = {{"\r", 1}, {"\n", 1}};
    char bytes[4];

    seat->stage->no_memory = true;
    return (int)bight_stream_read_until_any(seat->stage->ends[1], bytes, sizeof(bytes), either, 2);
}

static int read_line_wait(struct seat *seat)
{
    char line[4];

    seat->stage->no_memory = true;
    return (int)bight_stream_read_line(seat->stage->ends[1], line, sizeof(line));
}

static int peek_wait(struct seat *seat)
{
    const void *data;

    seat->stage->no_memory = true;
    return (int)bight_stream_peek(seat->stage->ends[1], &data, 1);
}

static void peek_leave(struct seat *seat)
{
    ck_assert_int_eq(bight_stream_consume(seat->stage->ends[1], 1), 0);
}

static void read_close(struct stage *stage)
{
    streams_end(stage, 0, stage->given - stage->taken);
}

static int readable_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_readable(&cases[0], seat->stage->ends[1]);
    return ways_select(seat, cases, 0);
}

static void readable_leave(struct seat *seat)
{
    char byte;

    ck_assert_int_eq(bight_stream_try_read(seat->stage->ends[1], &byte, 1), 1);
}

/* Writing */

static void full_streams_open(struct stage *stage)
{
    streams_open(stage);
    ck_assert_int_eq(bight_stream_write(stage->ends[0], "a", 1), 0);
}

static int write_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_stream_write(seat->stage->ends[0], "c", 1);
}

static int writev_wait(struct seat *seat)
{
    const struct bight_slice slices[] = {{"", 0}, {"c", 1}};

    seat->stage->no_memory = true;
    return bight_stream_writev(seat->stage->ends[0], slices, 2);
}

static void write_wake(struct stage *stage)
{
    char byte;

    ck_assert_int_eq(bight_stream_read(stage->ends[1], &byte, 1), 1);
    ck_assert_int_eq(byte, 'a');
}

static void write_close(struct stage *stage)
{
    streams_end(stage, 0, 1 + stage->taken - stage->given);
}

/* A byte of a file, to a socket that takes no more: fds has the file and the peer. */

static size_t filled;

static void full_socket_open(struct stage *stage)
{
    static const char bytes[4096];
    int64_t count;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stage->fds), 0);
    ck_assert_int_eq(bight_stream_from_fd(&stage->ends[0], stage->fds[0]), 0);
    stage->fds[0] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(stage->fds[0], 0);
    for (filled = 0; (count = bight_stream_try_write(stage->ends[0], bytes, sizeof(bytes))) > 0;)
        filled += (size_t)count;
    ck_assert_int_eq(count, BIGHT_EAGAIN);
}

static int send_file_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_stream_send_file(seat->stage->ends[0], seat->stage->fds[0], 0, 1);
}

static void socket_drain(struct stage *stage)
{
    static char bytes[4096];
    ssize_t count;

    while ((count = recv(stage->fds[1], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
        filled -= (size_t)count;
}

static void full_socket_close(struct stage *stage)
{
    filled += stage->taken;
    ck_assert_int_eq(bight_stream_end(stage->ends[0], 0), 0);
    socket_drain(stage);
    ck_assert_uint_eq(filled, 0);
    close(stage->fds[0]);
    close(stage->fds[1]);
}

/* Copying takes memory when there is something. */

static void copy_open(struct stage *stage)
{
    pair_open(stage, 0);
    pair_open(stage, 2);
}

static int copy_wait(struct seat *seat)
{
    return (int)bight_stream_copy(seat->stage->ends[1], seat->stage->ends[2]);
}

static void copy_wake(struct stage *stage)
{
    if (stage->given > 1)
        return;
    ck_assert_int_eq(bight_stream_write(stage->ends[0], "b", 1), 0);
    ck_assert_int_eq(bight_stream_shutdown(stage->ends[0]), 0);
}

static void copy_close(struct stage *stage)
{
    streams_end(stage, 0, stage->given - stage->taken);
    streams_end(stage, 2, stage->taken);
}

/* A shutdown that the peer has to let through. */

static struct {
    struct bight_stream stream;
    bool over;
} late;

static int late_shutdown(struct bight_stream *stream)
{
    if (late.over)
        return 0;
    stream->out.ready = false;
    return BIGHT_EAGAIN;
}

static void late_close(struct bight_stream *stream, bool reset)
{
    (void)stream;
    ck_assert(!reset);
}

static void late_describe(const struct bight_stream *stream, char *text, size_t text_bytes)
{
    (void)stream;
    (void)strncpy(text, "late", text_bytes);
}

static const struct stream_ops late_ops = {
    .inside = true,
    .shutdown = late_shutdown,
    .close = late_close,
    .describe = late_describe,
};

static void late_open(struct stage *stage)
{
    struct streams *streams;

    ck_assert_int_eq(bight__streams_get(&streams), 0);
    memset(&late, 0, sizeof(late));
    bight__stream_open(&late.stream, streams, &late_ops);
    stage->ends[0] = &late.stream;
}

static int shutdown_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_stream_shutdown(seat->stage->ends[0]);
}

static void shutdown_wake(struct stage *stage)
{
    late.over = true;
    bight__stream_ready(stage->ends[0], &stage->ends[0]->out);
}

static void shutdown_close(struct stage *stage)
{
    ck_assert_int_eq(bight_stream_end(stage->ends[0], 0), 0);
}

/* The end waits for the task inside, which leaves. */

static int reads(void *stream)
{
    char byte;

    return (int)bight_stream_read(stream, &byte, 1);
}

static void end_open(struct stage *stage)
{
    pair_open(stage, 0);
    ck_assert_int_eq(bight_spawn(&stage->child, reads, stage->ends[1]), 0);
    while (!stage->ends[1]->in.waiter)
        ck_assert_int_eq(bight_yield(), 0);
}

static int end_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_stream_end(seat->stage->ends[1], -1);
}

static void nothing(struct stage *stage)
{
    (void)stage;
}

static void end_close(struct stage *stage)
{
    int status;

    ck_assert_int_eq(bight_join(stage->child, &status), 0);
    ck_assert_int_eq(status, BIGHT_ECLOSED);
    ck_assert_int_eq(bight_stream_end(stage->ends[0], 0), 0);
}

/* Descriptors: a wait takes nothing, so all are woken. */

static void fds_open(struct stage *stage)
{
    ck_assert_int_eq(pipe2(stage->fds, O_CLOEXEC), 0);
    ck_assert_int_eq(bight_fd_wait(stage->fds[1], BIGHT_FD_WRITE), BIGHT_FD_WRITE);
}

static int fd_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_fd_wait(seat->stage->fds[0], BIGHT_FD_READ);
}

static void fd_wake(struct stage *stage)
{
    ck_assert_int_eq(write(stage->fds[1], "b", 1), 1);
}

static void fds_close(struct stage *stage)
{
    close(stage->fds[0]);
    close(stage->fds[1]);
}

static int case_fd_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_fd(&cases[0], seat->stage->fds[0], BIGHT_FD_READ);
    return ways_select(seat, cases, BIGHT_FD_READ);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way stream_ways[] = {
    {"bight_stream_read", 1, 1, true, 0, streams_open, read_wait, line_wake, NULL, read_close},
    {"bight_stream_read_exactly", 1, 0, true, 0, streams_open, read_exactly_wait, line_wake, NULL,
     read_close},
    {"bight_stream_read_until", 1, 1, true, 0, streams_open, read_until_wait, line_wake, NULL,
     read_close},
    {"bight_stream_read_until_any", 1, 1, true, 0, streams_open, read_until_any_wait, line_wake,
     NULL, read_close},
    {"bight_stream_read_line", 1, 0, true, 0, streams_open, read_line_wait, line_wake, NULL,
     read_close},
    {"bight_stream_peek", 1, 1, true, 0, streams_open, peek_wait, line_wake, peek_leave,
     read_close},
    {"bight_stream_write", 1, 0, true, 0, full_streams_open, write_wait, write_wake, NULL,
     write_close},
    {"bight_stream_writev", 1, 0, true, 0, full_streams_open, writev_wait, write_wake, NULL,
     write_close},
    {"bight_stream_send_file", 1, 0, true, 0, full_socket_open, send_file_wait, socket_drain, NULL,
     full_socket_close},
    {"bight_stream_copy", 1, 1, true, WAY_HINT, copy_open, copy_wait, copy_wake, NULL, copy_close},
    {"bight_stream_shutdown", 1, 0, true, 0, late_open, shutdown_wait, shutdown_wake, NULL,
     shutdown_close},
    {"bight_stream_end", 1, 0, false, WAY_BY_ITSELF, end_open, end_wait, nothing, NULL, end_close},
    {"bight_fd_wait", 2, BIGHT_FD_READ, true, 0, fds_open, fd_wait, fd_wake, NULL, fds_close},
    {"bight_select", 1, 0, true, 0, streams_open, readable_wait, line_wake, readable_leave,
     read_close},
    {"bight_select", 2, 0, true, 0, fds_open, case_fd_wait, fd_wake, NULL, fds_close},
};

const struct way_table stream_way_table = {stream_ways,
                                           sizeof(stream_ways) / sizeof(stream_ways[0])};
