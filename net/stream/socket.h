/* System calls on sockets that are not connected yet, with their seams. */
#ifndef BIGHT_NET_STREAM_SOCKET_H
#define BIGHT_NET_STREAM_SOCKET_H

#include <stdbool.h>

#include "coro/base/seams.h"

struct bight_listen_options;

/* A non-blocking stream socket, or a negative code. */
int bight__socket_new(const struct bight_seams *seams, int family);
int bight__socket_set(const struct bight_seams *seams, int fd, int level, int option, int value);
/* `name` is a struct sockaddr of any family. */
int bight__socket_bind(const struct bight_seams *seams, int fd, const void *name, unsigned bytes);
int bight__socket_listen(const struct bight_seams *seams, int fd,
                         const struct bight_listen_options *options);
/* Whether such options make sense. */
bool bight__listen_options_valid(const struct bight_listen_options *options);
/* Have the close of a TCP connection reset it. */
void bight__socket_close_resets(int fd);

#endif
