/* See channel.h: what goes over a channel's socket. */
#include "offload/wire/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Space for one is space for two, because of the alignment of what follows. */
union output_buffer {
    char bytes[CMSG_SPACE(2 * sizeof(int))];
    struct cmsghdr align;
};

int bight__channel_wake(int fd)
{
    static const char byte = CHANNEL_WAKE;
    ssize_t sent;

    do
        sent = send(fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN)
        return -errno;
    return 0;
}

/* At most two descriptors. */
static int send_with(int fd, char byte, const int *fds, size_t count, int flags)
{
    union output_buffer buffer = {{0}};
    struct iovec io = {&byte, 1};
    struct msghdr header = {.msg_iov = &io,
                            .msg_iovlen = 1,
                            .msg_control = buffer.bytes,
                            .msg_controllen = CMSG_SPACE(count * sizeof(*fds))};
    struct cmsghdr *part = CMSG_FIRSTHDR(&header);
    ssize_t sent;

    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(count * sizeof(*fds));
    memcpy(CMSG_DATA(part), fds, count * sizeof(*fds));
    do
        sent = sendmsg(fd, &header, MSG_NOSIGNAL | flags);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

int bight__channel_send_output(int fd, int output)
{
    return send_with(fd, CHANNEL_OUTPUT, &output, 1, 0);
}

int bight__channel_send_input(int fd, int input)
{
    return send_with(fd, CHANNEL_INPUT, &input, 1, MSG_DONTWAIT);
}

int bight__channel_send_share(int fd, int number, const int fds[2])
{
    return send_with(fd, (char)(CHANNEL_SHARE + number), fds, 2, MSG_DONTWAIT);
}

int bight__channel_receive(int fd, struct channel_message *message)
{
    return bight__channel_receive_with(fd, message, MSG_DONTWAIT);
}

int bight__channel_receive_with(int fd, struct channel_message *message, int flags)
{
    union output_buffer buffer;
    struct iovec io = {message->bytes, sizeof(message->bytes)};
    struct msghdr header = {.msg_iov = &io,
                            .msg_iovlen = 1,
                            .msg_control = buffer.bytes,
                            .msg_controllen = sizeof(buffer.bytes)};
    struct cmsghdr *part;
    ssize_t got;

    do
        got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | flags);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got < 0 ? -errno : -EPIPE;
    message->count = (size_t)got;
    message->cut = (header.msg_flags & MSG_CTRUNC) != 0;
    message->fd_count = 0;
    part = CMSG_FIRSTHDR(&header);
    if (!part || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
        return 0;
    message->fd_count = (int)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(message->fds, CMSG_DATA(part), (size_t)message->fd_count * sizeof(int));
    return 0;
}
