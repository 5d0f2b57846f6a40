/* Streams of descriptors: what can be asked and set, of which kind. */
#include "tests/runtime/stream/ends.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/stream/stream.h"

static const enum ends_kind kinds[] = {ENDS_UNIX, ENDS_READING_PIPE, ENDS_WRITING_PIPE,
                                       ENDS_TERMINAL};

#define KINDS (int)(sizeof(kinds) / sizeof(kinds[0]))

static int port_of(int fd)
{
    struct sockaddr_in name = {0};
    socklen_t bytes = sizeof(name);

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &bytes), 0);
    return ntohs(name.sin_port);
}

static int option_of(int fd, int level, int name)
{
    int value;
    socklen_t bytes = sizeof(value);

    ck_assert_int_eq(getsockopt(fd, level, name, &value, &bytes), 0);
    return value;
}

static int tcp(void *arg)
{
    struct bight_stream_credentials credentials;
    struct bight_address address;
    struct ends ends;
    char text[64], expected[64];
    int fd, peer_port;

    (void)arg;
    ends_open(&ends, ENDS_TCP);
    fd = bight_stream_fd(ends.stream);
    peer_port = port_of(ends.peer);
    ck_ok(bight_stream_local_address(ends.stream, &address));
    ck_assert_int_eq(address.port, port_of(fd));
    close(ends.peer);
    ends.peer = -1;
    ck_ok(bight_stream_peer_address(ends.stream, &address));
    ck_assert_int_eq(address.port, peer_port);
    snprintf(expected, sizeof(expected), "tcp 127.0.0.1:%d", peer_port);
    ck_assert_str_eq(bight_stream_describe(ends.stream, text, sizeof(text)), expected);
    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    ck_ok(bight_stream_set_nagle(ends.stream, true));
    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_ok(bight_stream_set_keepalive(ends.stream, 33, 11, 7));
    ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 33);
    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 11);
    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT), 7);
    ck_ok(bight_stream_set_keepalive(ends.stream, -1, 0, 0));
    ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    ck_code(bight_stream_set_keepalive(ends.stream, 0, -1, 0), BIGHT_EINVAL);
    ck_code(bight_stream_peer_credentials(ends.stream, &credentials), BIGHT_ENOTSUP);
    ends_close(&ends);
    return 0;
}

static int others(void *arg)
{
    struct bight_stream_credentials credentials;
    struct bight_address address;
    struct ends ends;
    char text[64];

    (void)arg;
    ends_open(&ends, ENDS_UNIX);
    ck_ok(bight_stream_peer_credentials(ends.stream, &credentials));
    ck_assert_int_eq(credentials.pid, getpid());
    ck_assert_uint_eq(credentials.uid, getuid());
    ck_assert_uint_eq(credentials.gid, getgid());
    ends_close(&ends);
    for (int i = 0; i < KINDS; i++) {
        ends_open(&ends, kinds[i]);
        ck_assert_int_ge(bight_stream_fd(ends.stream), 0);
        ck_code(bight_stream_local_address(ends.stream, &address), BIGHT_ENOTSUP);
        ck_code(bight_stream_peer_address(ends.stream, &address), BIGHT_ENOTSUP);
        ck_code(bight_stream_set_nagle(ends.stream, true), BIGHT_ENOTSUP);
        ck_code(bight_stream_set_keepalive(ends.stream, 1, 1, 1), BIGHT_ENOTSUP);
        ck_assert_ptr_eq(bight_stream_describe(ends.stream, text, sizeof(text)), text);
        ck_assert_ptr_null(bight_stream_describe(ends.stream, text, 0));
        ck_assert(strncmp(text,
                          kinds[i] == ENDS_UNIX       ? "unix"
                          : kinds[i] == ENDS_TERMINAL ? "terminal"
                                                      : "pipe",
                          4) == 0);
        ends_close(&ends);
    }
    return 0;
}

/* Of a family that is neither TCP's nor Unix's; the system rarely has a way to connect one to
 * itself, so that the family of this one is only said. */
static int other_family(void *arg)
{
    struct bight_stream_credentials credentials;
    struct bight_address address;
    struct bight_stream *stream;
    struct streams *streams;
    char text[32], expected[32];
    int fds[2];

    (void)arg;
    ck_ok(bight__streams_get(&streams));
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    ck_ok(bight__socket_stream(&stream, streams, fds[0], AF_VSOCK, NULL));
    snprintf(expected, sizeof(expected), "socket %d", fds[0]);
    ck_assert_str_eq(bight_stream_describe(stream, text, sizeof(text)), expected);
    ck_assert_int_eq(write(fds[1], "hello", 5), 5);
    ck_assert_int_eq(bight_stream_read(stream, text, sizeof(text)), 5);
    ck_ok(bight_stream_write(stream, text, 5));
    ck_assert_int_eq(read(fds[1], text, sizeof(text)), 5);
    ck_code(bight_stream_peer_address(stream, &address), BIGHT_ENOTSUP);
    ck_code(bight_stream_local_address(stream, &address), BIGHT_ENOTSUP);
    ck_code(bight_stream_peer_credentials(stream, &credentials), BIGHT_ENOTSUP);
    ck_code(bight_stream_set_nagle(stream, false), BIGHT_ENOTSUP);
    ck_ok(bight_stream_shutdown(stream));
    ck_assert_int_eq(read(fds[1], text, sizeof(text)), 0);
    ck_ok(bight_stream_end(stream, 0));
    close(fds[1]);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(tcp_has_addresses_and_options, tcp),
    world_case(others_have_less, others),
    world_case(sockets_of_other_families_are_streams_too, other_family),
};

test_suite("stream_asked", cases);
