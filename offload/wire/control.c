/* See control.h. Both processes use it, so nothing here needs a loop. */
#include "offload/wire/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union fd_buffer {
    char bytes[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
    struct cmsghdr align;
};

int bight__control_send(int fd, const struct control_message *message, const int *fds, int count)
{
    union fd_buffer buffer = {{0}};
    struct iovec io = {(void *)(uintptr_t)message, sizeof(*message)};
    struct msghdr header = {.msg_iov = &io, .msg_iovlen = 1};
    ssize_t sent;

    if (count > 0) {
        size_t bytes = (size_t)count * sizeof(int);
        struct cmsghdr *part;

        header.msg_control = buffer.bytes;
        header.msg_controllen = CMSG_SPACE(bytes);
        part = CMSG_FIRSTHDR(&header);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(bytes);
        memcpy(CMSG_DATA(part), fds, bytes);
    }
    do
        sent = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

static void take_fds(struct msghdr *header, int fds[CONTROL_FDS_MAX])
{
    int taken = 0;

    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + sizeof(int) <= part->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
            if (taken < CONTROL_FDS_MAX)
                memcpy(&fds[taken++], CMSG_DATA(part) + at, sizeof(int));
        }
    }
}

int bight__control_receive(int fd, struct control_message *message, int fds[CONTROL_FDS_MAX])
{
    union fd_buffer buffer;
    struct iovec io = {message, sizeof(*message)};
    struct msghdr header = {.msg_iov = &io,
                            .msg_iovlen = 1,
                            .msg_control = buffer.bytes,
                            .msg_controllen = sizeof(buffer.bytes)};
    bool reset = false;
    ssize_t got;

    for (int i = 0; i < CONTROL_FDS_MAX; i++)
        fds[i] = -1;
    /* A peer that ended with something unread is told of first, before its own last messages. */
    do
        got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (got < 0 && (errno == EINTR || (errno == ECONNRESET && !reset && (reset = true))));
    if (got < 0)
        return -errno;
    take_fds(&header, fds);
    if (got == (ssize_t)sizeof(*message) && !(header.msg_flags & MSG_CTRUNC))
        return 1;
    for (int i = 0; i < CONTROL_FDS_MAX; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
    if (got == (ssize_t)sizeof(*message))
        return 1;
    return got == 0 ? 0 : -EPROTO;
}
