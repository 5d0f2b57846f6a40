/* Streams: sockets by hand, and what is sent over them. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/conformance/conf.h"
#include "tests/runtime/stream/ends.h"

static int serves_status(void *arg)
{
    struct bight_stream *stream;
    char request[64];
    int fd;

    ck_code(bight_fd_wait(*(int *)arg, BIGHT_FD_READ), BIGHT_FD_READ);
    fd = accept4(*(int *)arg, NULL, NULL, SOCK_CLOEXEC);
    ck_ok(bight_stream_from_fd(&stream, fd));
    while (bight_stream_read_line(stream, request, sizeof(request)) > 0)
        continue;
    feed(stream, "HTTP/1.0 200 OK\r\n\r\n");
    return bight_stream_end(stream, 1000);
}

/* A socket that does not block, on its way to `address`: connected, or waited for. */
static int connect_by_hand(int fd, const struct sockaddr_in *address)
{
    int error = 0;
    socklen_t bytes = sizeof(error);
    int rc = connect(fd, (const struct sockaddr *)address, sizeof(*address)) ? -errno : 0;

    if (rc != -EINPROGRESS)
        return rc;
    rc = bight_fd_wait(fd, BIGHT_FD_WRITE);
    if (rc < 0)
        return rc;
    ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes), 0);
    return -error;
}

static int sock_02(void *arg)
{
    static const char request[] = "GET / HTTP/1.0\r\nHost: here\r\n\r\n";
    struct sockaddr_in address;
    struct bight_task *server;
    int listener = test_bound_socket(&address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void)arg;
    ck_assert_int_eq(listen(listener, 4), 0);
    ck_ok(bight_spawn(&server, serves_status, &listener));
    ck_ok(connect_by_hand(fd, &address));
    ck_code(bight_fd_wait(fd, BIGHT_FD_WRITE), BIGHT_FD_WRITE);
    ends_say(fd, request);
    ck_code(bight_fd_wait(fd, BIGHT_FD_READ), BIGHT_FD_READ);
    ck_assert_int_eq(strncmp(ends_hear(fd), "HTTP/1.0 200 OK", 15), 0);
    close(fd);
    conf_join(server, 0);
    close(listener);
    return 0;
}

static int sock_03(void *arg)
{
    struct caller first, second;
    struct bight_stream *both[2];

    (void)arg;
    ends_both(both, ENDS_TCP);
    caller_start(&first, reads_line, both[0]);
    bight_task_cancel(first.task);
    feed(both[1], "answer\n");
    caller_join(&first, BIGHT_ECANCELED);
    caller_start(&second, reads_line, both[0]);
    caller_join(&second, 6);
    ck_ok(bight_stream_end(both[0], 0));
    ck_ok(bight_stream_end(both[1], 0));
    return 0;
}

static int64_t writes_hello(struct bight_stream *stream)
{
    return bight_stream_write(stream, "hello", 5);
}

static int64_t writes_world(struct bight_stream *stream)
{
    int rc = bight_stream_write(stream, "world", 5);

    return rc ? rc : bight_stream_shutdown(stream);
}

static int sock_04(void *arg)
{
    static const char filler[4096];
    struct bight_stream *both[2];
    struct caller first, second;
    char last[6] = "";
    char bytes[4096];
    int64_t count;

    (void)arg;
    ends_both(both, ENDS_UNIX);
    while (bight_stream_try_write(both[0], filler, sizeof(filler)) > 0)
        continue;
    caller_start(&first, writes_hello, both[0]);
    bight_task_cancel(first.task);
    caller_join(&first, BIGHT_ECANCELED);
    caller_start(&second, writes_world, both[0]);
    while ((count = bight_stream_read(both[1], bytes, sizeof(bytes))) > 0) {
        for (int64_t i = 0; i < count; i++) {
            memmove(last, last + 1, 4);
            last[4] = bytes[i];
        }
    }
    ck_assert_int_eq(count, 0);
    ck_assert_str_eq(last, "world");
    caller_join(&second, 0);
    ck_ok(bight_stream_end(both[0], 0));
    ck_ok(bight_stream_end(both[1], 0));
    return 0;
}

struct attempt {
    struct sockaddr_in address;
    int fd;
};

static int attempts(void *arg)
{
    const struct attempt *attempt = arg;
    int rc = connect_by_hand(attempt->fd, &attempt->address);

    return rc == BIGHT_ECONNREFUSED ? bight_fd_wait(attempt->fd, BIGHT_FD_PRIORITY) : rc;
}

static int sock_05(void *arg)
{
    struct attempt attempt;
    struct bight_task *first;
    int listener = test_bound_socket(&attempt.address);
    int rc;

    (void)arg;
    attempt.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_ok(bight_spawn(&first, attempts, &attempt));
    bight_task_cancel(first);
    conf_join(first, BIGHT_ECANCELED);
    ck_assert_int_eq(listen(listener, 4), 0);
    do {
        rc = connect_by_hand(attempt.fd, &attempt.address);
    } while (rc == BIGHT_ECONNREFUSED);
    ck_assert(rc == 0 || rc == -EISCONN);
    close(attempt.fd);
    close(listener);
    return 0;
}

#define HUGE_BYTES 1000000

static unsigned char huge[HUGE_BYTES], returned[HUGE_BYTES];

static int echoes(void *arg)
{
    struct bight_stream *stream = arg;

    ck_assert_int_eq(bight_stream_copy(stream, stream), HUGE_BYTES);
    return bight_stream_end(stream, 0);
}

static int sends_huge(void *arg)
{
    int rc = bight_stream_write(arg, huge, HUGE_BYTES);

    return rc ? rc : bight_stream_shutdown(arg);
}

static int sock_06(void *arg)
{
    struct bight_stream *both[2];
    struct bight_task *server, *sender;

    (void)arg;
    for (size_t i = 0; i < HUGE_BYTES; i++)
        huge[i] = (unsigned char)(i * 31 + i / 999);
    for (int kind = ENDS_UNIX; kind <= ENDS_TCP; kind++) {
        memset(returned, 0, sizeof(returned));
        ends_both(both, (enum ends_kind)kind);
        ck_ok(bight_spawn(&server, echoes, both[0]));
        ck_ok(bight_spawn(&sender, sends_huge, both[1]));
        ck_ok(bight_stream_read_exactly(both[1], returned, HUGE_BYTES));
        ck_assert_int_eq(reads_byte(both[1]), 0);
        ck_assert_mem_eq(returned, huge, HUGE_BYTES);
        conf_join(sender, 0);
        conf_join(server, 0);
        ck_ok(bight_stream_end(both[1], 0));
    }
    return 0;
}

#define DATAGRAM_BYTES 4096

static int bound_udp(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t bytes = sizeof(*address);

    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)address, bytes), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)address, &bytes), 0);
    return fd;
}

/* Wait for a datagram and take it. */
static ssize_t receive_from(int fd, void *buffer, size_t bytes, struct sockaddr_in *from)
{
    socklen_t from_bytes = sizeof(*from);

    ck_code(bight_fd_wait(fd, BIGHT_FD_READ), BIGHT_FD_READ);
    return recvfrom(fd, buffer, bytes, 0, (struct sockaddr *)from, &from_bytes);
}

static int echoes_datagram(void *arg)
{
    char bytes[DATAGRAM_BYTES];
    struct sockaddr_in from;
    int fd = *(int *)arg;

    ck_assert_int_eq(receive_from(fd, bytes, sizeof(bytes), &from), DATAGRAM_BYTES);
    ck_assert_int_eq(sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, sizeof(from)),
                     DATAGRAM_BYTES);
    return 0;
}

static int sock_07(void *arg)
{
    static char buffer[2 * DATAGRAM_BYTES];
    struct sockaddr_in server_address, address, from;
    int server_fd = bound_udp(&server_address), fd = bound_udp(&address);
    struct bight_task *server;

    (void)arg;
    for (size_t room = DATAGRAM_BYTES; room <= sizeof(buffer); room += DATAGRAM_BYTES) {
        ck_ok(bight_spawn(&server, echoes_datagram, &server_fd));
        ck_assert_int_eq(sendto(fd, huge, DATAGRAM_BYTES, 0, (struct sockaddr *)&server_address,
                                sizeof(server_address)),
                         DATAGRAM_BYTES);
        ck_assert_int_eq(receive_from(fd, buffer, room, &from), DATAGRAM_BYTES);
        ck_assert_mem_eq(buffer, huge, DATAGRAM_BYTES);
        ck_assert_uint_eq(from.sin_port, server_address.sin_port);
        ck_assert_uint_eq(from.sin_addr.s_addr, server_address.sin_addr.s_addr);
        conf_join(server, 0);
    }
    close(server_fd);
    close(fd);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(sock_02_a_request_by_hand, sock_02),
    conf_case(sock_03_a_cancelled_receive_steals_nothing_from_the_next, sock_03),
    conf_case(sock_04_a_cancelled_send_does_not_disturb_the_next, sock_04),
    conf_case(sock_05_a_cancelled_connect_does_not_disturb_a_later_one, sock_05),
    conf_case(sock_06_large_transfers_in_both_directions_at_once, sock_06),
    conf_case(sock_07_datagrams_by_hand, sock_07),
};

test_suite("conf_streams_sockets", cases);
