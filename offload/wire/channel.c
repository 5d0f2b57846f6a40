/* See channel.h: wakes the other side of a channel. */
#include "offload/wire/channel.h"

#include <errno.h>
#include <sys/socket.h>

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
