/* Sockets before they are streams or listeners. */
#include "net/stream/socket.h"

#include <errno.h>
#include <sys/socket.h>

#include <bight/listener.h>

#define DEFAULT_BACKLOG 4096

int bight__socket_new(const struct bight_seams *seams, int family)
{
    int fd = bight__call_fails(seams, "socket")
                 ? -1
                 : socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : fd;
}

int bight__socket_set(const struct bight_seams *seams, int fd, int level, int option, int value)
{
    if (bight__call_fails(seams, "setsockopt") ||
        setsockopt(fd, level, option, &value, sizeof(value)))
        return -errno;
    return 0;
}

int bight__socket_bind(const struct bight_seams *seams, int fd, const void *name, unsigned bytes)
{
    return bight__call_fails(seams, "bind") || bind(fd, name, bytes) ? -errno : 0;
}

int bight__socket_listen(const struct bight_seams *seams, int fd,
                         const struct bight_listen_options *options)
{
    int backlog = options->backlog ? options->backlog : DEFAULT_BACKLOG;

    return bight__call_fails(seams, "listen") || listen(fd, backlog) ? -errno : 0;
}

bool bight__listen_options_valid(const struct bight_listen_options *options)
{
    return options->backlog >= 0 && options->mode <= 07777;
}

void bight__socket_close_resets(int fd)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}
