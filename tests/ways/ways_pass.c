/* See ways.h: descriptors over a Unix socket. */
#include "tests/ways/ways.h"

#include <check.h>
#include <sys/socket.h>
#include <unistd.h>

/* A stream, and the plain socket at its other end. */
static void pass_open(struct stage *stage)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, stage->fds),
                     0);
    ck_assert_int_eq(bight_stream_from_fd(&stage->ends[0], stage->fds[1]), 0);
}

static void pass_close(struct stage *stage)
{
    ck_assert_int_eq(bight_stream_end(stage->ends[0], 0), 0);
    close(stage->fds[0]);
}

/* Reading: what is given is a byte with a descriptor. */

static int read_wait(struct seat *seat)
{
    size_t count;
    char byte;
    int fd;

    seat->stage->no_memory = true;
    int64_t rc = bight_unix_read_descriptors(seat->stage->ends[0], &byte, 1, &fd, 1, &count);
    if (rc == 1) {
        ck_assert_uint_eq(count, 1);
        close(fd);
    }
    return (int)rc;
}

static void read_wake(struct stage *stage)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = ""};
    struct iovec part = {"b", 1};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int)); /* descriptor 0 */
    ck_assert_int_eq(sendmsg(stage->fds[0], &message, 0), 1);
}

static void read_close(struct stage *stage)
{
    int fd;

    for (size_t left = stage->given - stage->taken; left > 0; left--) {
        size_t count;
        char byte;

        ck_assert_int_eq(bight_unix_read_descriptors(stage->ends[0], &byte, 1, &fd, 1, &count), 1);
        ck_assert_uint_eq(count, 1);
        close(fd);
    }
    pass_close(stage);
}

/* Writing: what is given is room. */

static size_t filled;

static void write_open(struct stage *stage)
{
    static char bytes[65536];
    int64_t count;

    pass_open(stage);
    for (filled = 0; (count = bight_stream_try_write(stage->ends[0], bytes, sizeof(bytes))) > 0;)
        filled += (size_t)count;
    ck_assert_int_eq(count, BIGHT_EAGAIN);
}

static int write_wait(struct seat *seat)
{
    int fd = 0;

    seat->stage->no_memory = true;
    return bight_unix_write_descriptors(seat->stage->ends[0], "b", 1, &fd, 1);
}

static void write_wake(struct stage *stage)
{
    static char bytes[65536];

    while (filled > 0) {
        ssize_t count = recv(stage->fds[0], bytes, sizeof(bytes), 0);

        ck_assert_int_gt(count, 0);
        filled -= (size_t)count;
    }
}

/* Nothing went out but what was said to have gone out. */
static void write_close(struct stage *stage)
{
    char bytes[4];

    write_wake(stage);
    ck_assert_int_eq(recv(stage->fds[0], bytes, sizeof(bytes), 0), stage->taken ? 1 : -1);
    pass_close(stage);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way pass_ways[] = {
    {"bight_unix_read_descriptors", 1, 1, true, 0, pass_open, read_wait, read_wake, NULL,
     read_close},
    {"bight_unix_write_descriptors", 1, 0, true, 0, write_open, write_wait, write_wake, NULL,
     write_close},
};

const struct way_table pass_way_table = {pass_ways, sizeof(pass_ways) / sizeof(pass_ways[0])};
