/* See ends.h. */
#include "tests/runtime/stream/ends.h"

#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "tests/harness/support.h"

struct bight_stream *left, *right;

static void tcp_descriptors(int fds[2])
{
    struct sockaddr_in address;
    int listener = test_bound_socket(&address);

    ck_assert_int_eq(listen(listener, 1), 0);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(test_connect(fds[0], (struct sockaddr *)&address, sizeof(address)), 0);
    fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(fds[1], 0);
    close(listener);
}

/* Without echo and line editing, so that bytes go through as they are. */
static void terminal_descriptors(int fds[2])
{
    struct termios mode;

    ck_assert_int_eq(openpty(&fds[1], &fds[0], NULL, NULL, NULL), 0);
    ck_assert_int_eq(tcgetattr(fds[0], &mode), 0);
    cfmakeraw(&mode);
    ck_assert_int_eq(tcsetattr(fds[0], TCSANOW, &mode), 0);
}

void ends_descriptors(enum ends_kind kind, int fds[2])
{
    if (kind == ENDS_UNIX)
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    else if (kind == ENDS_TCP)
        tcp_descriptors(fds);
    else if (kind == ENDS_TERMINAL)
        terminal_descriptors(fds);
    else
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
}

void ends_open(struct ends *ends, enum ends_kind kind)
{
    int ours = kind == ENDS_WRITING_PIPE;
    int fds[2];

    ends_descriptors(kind, fds);
    ck_ok(bight_stream_from_fd(&ends->stream, fds[ours]));
    ends->peer = fds[1 - ours];
}

void ends_close(struct ends *ends)
{
    ck_ok(bight_stream_end(ends->stream, 0));
    if (ends->peer >= 0)
        close(ends->peer);
}

void ends_both(struct bight_stream *both[2], enum ends_kind kind)
{
    int fds[2];

    ends_descriptors(kind, fds);
    ck_ok(bight_stream_from_fd(&both[0], fds[0]));
    ck_ok(bight_stream_from_fd(&both[1], fds[1]));
}

void ends_say(int fd, const char *text)
{
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

const char *ends_hear(int fd)
{
    static char text[256];
    ssize_t count = read(fd, text, sizeof(text) - 1);

    ck_assert_int_ge(count, 0);
    text[count] = '\0';
    return text;
}

void pair_open(const struct bight_stream_pair_options *options)
{
    ck_ok(bight_stream_pair(&left, &right, options));
}

void pair_close(void)
{
    ck_ok(bight_stream_end(left, 0));
    ck_ok(bight_stream_end(right, 0));
}

void feed(struct bight_stream *stream, const char *text)
{
    ck_ok(bight_stream_write(stream, text, strlen(text)));
}

void expect_rest(struct bight_stream *stream, const char *text)
{
    char bytes[256];
    size_t length = 0;
    int64_t count;

    while ((count = bight_stream_try_read(stream, bytes + length, sizeof(bytes) - 1 - length)) > 0)
        length += (size_t)count;
    ck_assert(count == 0 || count == BIGHT_EAGAIN);
    bytes[length] = '\0';
    ck_assert_str_eq(bytes, text);
}

static int call(void *arg)
{
    struct caller *caller = arg;

    caller->result = caller->call(caller->stream);
    return 0;
}

void caller_start(struct caller *caller, int64_t (*fn)(struct bight_stream *stream),
                  struct bight_stream *stream)
{
    *caller = (struct caller){.call = fn, .stream = stream};
    ck_ok(bight_spawn(&caller->task, call, caller));
    world_settle();
}

void caller_join_at(struct caller *caller, int64_t code, const char *file, int line)
{
    ck_ok(bight_join(caller->task, NULL));
    world_code((int)caller->result, (int)code, "the call", file, line);
}

int64_t reads_byte(struct bight_stream *stream)
{
    char byte;

    return bight_stream_read(stream, &byte, 1);
}

int64_t reads_exactly(struct bight_stream *stream)
{
    char bytes[4];

    return bight_stream_read_exactly(stream, bytes, sizeof(bytes));
}

int64_t reads_line(struct bight_stream *stream)
{
    char line[32];

    return bight_stream_read_line(stream, line, sizeof(line));
}

int64_t peeks(struct bight_stream *stream)
{
    const void *data;

    return bight_stream_peek(stream, &data, 1);
}

int64_t writes_byte(struct bight_stream *stream)
{
    return bight_stream_write(stream, "w", 1);
}
