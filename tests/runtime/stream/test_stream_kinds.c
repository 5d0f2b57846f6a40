/* Streams of descriptors: sockets, pipes, terminals. What can be one, how it ends, where a read
 * stops. */
#include "tests/runtime/stream/ends.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "tests/harness/support.h"

static const enum ends_kind kinds[] = {ENDS_UNIX, ENDS_TCP, ENDS_READING_PIPE, ENDS_WRITING_PIPE,
                                       ENDS_TERMINAL};

#define KINDS (int)(sizeof(kinds) / sizeof(kinds[0]))

/* `fd` is refused with `code`, and left as it was. */
static void is_refused(int fd, int code)
{
    struct bight_stream *stream = NULL;
    int flags = fcntl(fd, F_GETFL);

    ck_code(bight_stream_from_fd(&stream, fd), code);
    ck_assert_ptr_null(stream);
    ck_assert_int_eq(fcntl(fd, F_GETFL), flags);
    close(fd);
}

static int refusals(void *arg)
{
    struct sockaddr_in address;
    int listener = test_bound_socket(&address), closed;

    (void)arg;
    is_refused(-1, BIGHT_EBADF);
    closed = dup(0); /* the runtime has opened by now what it needs */
    close(closed);
    is_refused(closed, BIGHT_EBADF);
    is_refused(open("/proc/self/exe", O_RDONLY), BIGHT_ENOTSUP);
    is_refused(open("/", O_RDONLY), BIGHT_ENOTSUP);
    is_refused(open("/dev/null", O_RDWR), BIGHT_ENOTSUP);
    is_refused(socket(AF_INET, SOCK_DGRAM, 0), BIGHT_ENOTSUP);
    is_refused(socket(AF_UNIX, SOCK_SEQPACKET, 0), BIGHT_ENOTSUP);
    is_refused(socket(AF_INET, SOCK_STREAM, 0), BIGHT_EINVAL);
    is_refused(socket(AF_UNIX, SOCK_STREAM, 0), BIGHT_EINVAL);
    ck_assert_int_eq(listen(listener, 1), 0);
    is_refused(listener, BIGHT_EINVAL);
    return bight_stream_from_fd(NULL, 0);
}

static void what_is_no_stream_is_refused(void)
{
    struct bight_stream *stream;

    ck_code(bight_stream_from_fd(&stream, 0), BIGHT_ENORUNTIME);
    ck_code(world_run(refusals, NULL, NULL), BIGHT_EINVAL);
}

/* Others may share the open file: the mode is not theirs to lose. */
static int mode_is_set_back(void *arg)
{
    struct bight_stream *stream;
    int fds[2], shared, flags;

    (void)arg;
    for (int i = 0; i < KINDS; i++) {
        for (int before = 0; before <= O_NONBLOCK; before += O_NONBLOCK) {
            ends_descriptors(kinds[i], fds);
            shared = dup(fds[0]);
            flags = (fcntl(shared, F_GETFL) & ~O_NONBLOCK) | before;
            ck_assert_int_eq(fcntl(shared, F_SETFL, flags), 0);
            ck_ok(bight_stream_from_fd(&stream, fds[0]));
            ck_assert_int_eq(fcntl(shared, F_GETFL), flags | O_NONBLOCK);
            ck_ok(bight_stream_end(stream, 0));
            ck_assert_int_eq(fcntl(shared, F_GETFL), flags);
            close(shared);
            close(fds[1]);
        }
    }
    return 0;
}

/* Streams of one open file, such as those of standard input and output: it is as it was when the
 * last of them has ended, in whatever order. */
static int mode_of_several(void *arg)
{
    struct bight_stream *streams[3];
    int fds[2], shared;

    (void)arg;
    for (int first = 0; first < 3; first++) {
        ends_descriptors(ENDS_TERMINAL, fds);
        shared = dup(fds[0]);
        for (int i = 0; i < 3; i++)
            ck_ok(bight_stream_from_fd(&streams[i], i ? dup(shared) : fds[0]));
        for (int i = 0; i < 3; i++) {
            ck_assert_int_ne(fcntl(shared, F_GETFL) & O_NONBLOCK, 0);
            ck_ok(bight_stream_end(streams[(first + i) % 3], 0));
        }
        ck_assert_int_eq(fcntl(shared, F_GETFL) & O_NONBLOCK, 0);
        close(shared);
        close(fds[1]);
    }
    return 0;
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}

static bool is_pending(void)
{
    sigset_t pending;

    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
}

static int no_signal(void *arg)
{
    const enum ends_kind writing[] = {ENDS_UNIX, ENDS_TCP, ENDS_WRITING_PIPE};
    struct ends ends;
    sigset_t pipe_signal;
    int rc;

    (void)arg;
    signal(SIGPIPE, on_signal);
    for (int i = 0; i < 3; i++) {
        ends_open(&ends, writing[i]);
        close(ends.peer);
        ends.peer = -1;
        while ((rc = (int)writes_byte(ends.stream)) == 0)
            ck_ok(bight_sleep(1));
        ck_assert(rc == BIGHT_EPIPE || rc == BIGHT_ECONNRESET);
        ck_assert(!is_pending());
        ends_close(&ends);
    }
    ck_assert_int_eq(signals, 0);

    /* One that the program has blocked, and that came before, stays. */
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe_signal, NULL);
    raise(SIGPIPE);
    ends_open(&ends, ENDS_WRITING_PIPE);
    close(ends.peer);
    ends.peer = -1;
    ck_code((int)writes_byte(ends.stream), BIGHT_EPIPE);
    ck_assert(is_pending());
    sigprocmask(SIG_UNBLOCK, &pipe_signal, NULL);
    ck_assert_int_eq(signals, 1);
    ends_close(&ends);
    return 0;
}

/* Bytes and the end come together, in reads of every size: none of them waits for more. */
static int last_words(void *arg)
{
    const enum ends_kind reading[] = {ENDS_UNIX, ENDS_TCP, ENDS_READING_PIPE};
    struct caller reader;
    struct ends ends;
    char bytes[8];

    (void)arg;
    for (int i = 0; i < 3; i++) {
        for (size_t size = 1; size <= sizeof(bytes); size++) {
            ends_open(&ends, reading[i]);
            ends_say(ends.peer, "last");
            close(ends.peer);
            ends.peer = -1;
            for (size_t left_over = 4; left_over;) {
                int64_t count = bight_stream_read(ends.stream, bytes, size);

                ck_assert_int_eq(count, (int64_t)(size < left_over ? size : left_over));
                left_over -= (size_t)count;
            }
            ck_assert_int_eq(bight_stream_read(ends.stream, bytes, size), 0);
            ck_assert_int_eq(bight_stream_read(ends.stream, bytes, size), 0);
            ends_close(&ends);
        }
        ends_open(&ends, reading[i]);
        caller_start(&reader, reads_line, ends.stream);
        ends_say(ends.peer, "half");
        ck_ok(bight_sleep(2));
        ends_say(ends.peer, "last");
        close(ends.peer);
        ends.peer = -1;
        caller_join(&reader, 8);
        caller_start(&reader, reads_line, ends.stream);
        caller_join(&reader, BIGHT_EOF);
        ends_close(&ends);
    }
    return 0;
}

/* The two sides of a terminal, of which each can be a stream. */
static int terminals(void *arg)
{
    struct bight_stream *both[2];
    struct caller reader;
    char bytes[8];

    (void)arg;
    ends_both(both, ENDS_TERMINAL);
    for (int i = 0; i < 2; i++) {
        feed(both[i], "1");
        ck_ok(bight_stream_read_exactly(both[1 - i], bytes, 1));
        feed(both[i], "2345");
        ck_ok(bight_stream_read_exactly(both[1 - i], bytes, 4));
        ck_assert_mem_eq(bytes, "2345", 4);
        ck_code(bight_stream_shutdown(both[i]), BIGHT_ENOTSUP);
    }
    for (int i = 0; i < 2; i++) {
        caller_start(&reader, reads_byte, both[1 - i]);
        ck_ok(bight_stream_end(both[i], 0));
        caller_join(&reader, 0);
        ck_assert_int_eq(reads_byte(both[1 - i]), 0);
        ck_ok(bight_stream_end(both[1 - i], 0));
        ends_both(both, ENDS_TERMINAL);
    }
    ck_ok(bight_stream_end(both[0], -1));
    ck_ok(bight_stream_end(both[1], -1));
    return 0;
}

/* With line editing, as a user has it: a read gives one line though more have come, and a control-D
 * is an end that the terminal tells once. */
static int edited_lines(void *arg)
{
    struct bight_case readable;
    struct termios mode;
    struct ends ends;
    char bytes[64];

    (void)arg;
    ends_open(&ends, ENDS_TERMINAL);
    ck_assert_int_eq(tcgetattr(ends.peer, &mode), 0);
    mode.c_lflag |= ICANON;
    ck_assert_int_eq(tcsetattr(ends.peer, TCSANOW, &mode), 0);
    ends_say(ends.peer, "one\ntwo\nthree\n\4");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(bight_stream_read(ends.stream, bytes, sizeof(bytes)), i < 2 ? 4 : 6);
    ck_assert_mem_eq(bytes, "three\n", 6);
    bight_case_readable(&readable, ends.stream);
    ck_code(bight_select(&readable, 1, 0), 0);
    ck_ok(readable.status);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(bight_stream_read(ends.stream, bytes, sizeof(bytes)), 0);
    ends_close(&ends);
    return 0;
}

/* A read stops at an urgent byte and at descriptors that come along, though more is behind them. */

static void say_with_descriptor(int fd, const char *text, int passed)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {(void *)(uintptr_t)text, strlen(text)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &passed, sizeof(int));
    ck_assert_int_eq(sendmsg(fd, &message, 0), (ssize_t)part.iov_len);
}

static int stops_within(void *arg)
{
    struct ends ends;
    char bytes[16];

    (void)arg;
    for (int waits = 0; waits < 2; waits++) {
        ends_open(&ends, ENDS_TCP);
        ends_say(ends.peer, "ab");
        ck_assert_int_eq(send(ends.peer, "!", 1, MSG_OOB), 1);
        ends_say(ends.peer, "cd");
        ck_ok(bight_sleep(10 * waits)); /* the kernel has told of it before the first read */
        ck_ok(bight_stream_read_exactly(ends.stream, bytes, 4));
        ck_assert_mem_eq(bytes, "abcd", 4);
        ends_close(&ends);

        ends_open(&ends, ENDS_UNIX);
        ends_say(ends.peer, "a");
        say_with_descriptor(ends.peer, "b", 0);
        say_with_descriptor(ends.peer, "c", 0);
        ends_say(ends.peer, "d");
        ck_ok(bight_sleep(10 * waits));
        ck_ok(bight_stream_read_exactly(ends.stream, bytes, 4));
        ck_assert_mem_eq(bytes, "abcd", 4);
        ends_close(&ends);
    }
    return 0;
}

/* Both directions at once, more than the system buffers. */

#define MANY 300000

static int sends_many(void *stream)
{
    char bytes[1000];

    memset(bytes, 'm', sizeof(bytes));
    for (int i = 0; i < MANY / 1000; i++)
        ck_ok(bight_stream_write(stream, bytes, sizeof(bytes)));
    return 0;
}

static int both_directions(void *arg)
{
    static char bytes[MANY];
    struct bight_stream *both[2];
    struct bight_task *senders[2];

    (void)arg;
    for (int kind = ENDS_UNIX; kind <= ENDS_TCP; kind++) {
        ends_both(both, (enum ends_kind)kind);
        for (int i = 0; i < 2; i++)
            ck_ok(bight_spawn(&senders[i], sends_many, both[i]));
        for (int i = 0; i < 2; i++) {
            ck_ok(bight_stream_read_exactly(both[i], bytes, MANY));
            ck_assert_int_eq(bytes[MANY - 1], 'm');
        }
        for (int i = 0; i < 2; i++) {
            ck_ok(bight_join(senders[i], NULL));
            ck_ok(bight_stream_end(both[i], 0));
        }
    }
    return 0;
}

/* A read of such a pipe stops at the end of a packet, and its reading end does not say that it is
 * one. */
static int packets(void *arg)
{
    struct bight_stream *stream;
    char text[32];
    int fds[2];

    (void)arg;
    ck_assert_int_eq(pipe2(fds, O_DIRECT), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(write(fds[1], "one", 3), 3);
    ck_ok(bight_stream_from_fd(&stream, fds[0]));
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(bight_stream_read(stream, text, sizeof(text)), 3);
    ck_assert_int_eq(bight_stream_try_read(stream, text, sizeof(text)), BIGHT_EAGAIN);
    ck_ok(bight_stream_end(stream, 0));
    close(fds[1]);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(what_is_no_stream_is_refused),
    world_case(the_mode_of_a_shared_file_is_set_back, mode_is_set_back),
    world_case(the_mode_is_set_back_by_the_last_of_several, mode_of_several),
    world_case(no_signal_reaches_the_program, no_signal),
    world_case(last_bytes_are_followed_by_the_end, last_words),
    world_case(both_sides_of_a_terminal_talk_and_end, terminals),
    world_case(a_terminal_gives_line_by_line, edited_lines),
    world_case(what_is_behind_a_mark_within_is_read_too, stops_within),
    world_case(both_directions_go_at_once, both_directions),
    world_case(a_pipe_of_packets_gives_them_all, packets),
};

test_suite("stream_kinds", cases);
