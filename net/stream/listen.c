/* The life of listeners, and those of TCP. The listening socket is registered with the runtime's
 * epoll from the beginning to the close. */
#include "net/stream/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bight/tcp.h>

#include "runtime/address.h"
#include "runtime/stream/descriptor.h"

static const struct bight_listen_options default_options;

static void listener_close(struct bight_listener *listener)
{
    if (listener->fd < 0)
        return;
    bight__socket_file_remove(&listener->file); /* while the socket keeps its number from others */
    bight__source_remove(listener->streams, &listener->source, listener->fd);
    close(listener->fd);
    listener->fd = -1;
    listener->ready = false;
    bight__wake_all(&listener->waiters, BIGHT_ECLOSED);
    if (listener->served)
        bight_event_set(listener->served);
}

static void listener_end(struct bight_listener *listener)
{
    listener_close(listener);
    bight__guest_remove(&listener->guest, listener->streams);
    listener->ended = true;
    if (!listener->calls)
        bight__free(listener);
}

/* The runtime ends and nobody has ended it; no task is left. */
static void on_runtime_end(struct stream_guest *guest)
{
    listener_end(container_of(guest, struct bight_listener, guest));
}

int bight__listener_new(struct bight_listener **out, struct streams *streams, int fd, int family)
{
    struct bight_listener *listener =
        bight__alloc_zero(&streams->poller.runtime->sched.seams, sizeof(*listener));
    int rc;

    if (!listener)
        return BIGHT_ENOMEM;
    listener->streams = streams;
    listener->source.ready = bight__listener_on_ready;
    link_init(&listener->waiters);
    listener->fd = fd;
    listener->family = family;
    listener->ready = true;
    rc = bight__source_add(streams, &listener->source, fd);
    if (rc) {
        bight__free(listener);
        return rc;
    }
    listener->guest = (struct stream_guest){.kind = "a listener", .end = on_runtime_end};
    bight__guest_add(&listener->guest, streams);
    *out = listener;
    return 0;
}

/* An accepted socket inherits that there is to be no delay. */
static int set_options(const struct bight_seams *seams, int fd, int family,
                       const struct bight_listen_options *options)
{
    int rc = bight__socket_set(seams, fd, SOL_SOCKET, SO_REUSEADDR, 1);

    if (rc == 0 && options->reuse_port)
        rc = bight__socket_set(seams, fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (rc == 0 && family == AF_INET6)
        rc = bight__socket_set(seams, fd, IPPROTO_IPV6, IPV6_V6ONLY, options->ipv6_only);
    return rc ? rc : bight__socket_set(seams, fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

/* A socket that listens at `address`, or a negative code. */
static int listen_at(const struct bight_seams *seams, const struct bight_address *address,
                     const struct bight_listen_options *options)
{
    struct sockaddr_storage name;
    unsigned bytes = bight__address_to_sockaddr(address, &name);
    int fd = bight__socket_new(seams, name.ss_family);
    int rc;

    if (fd < 0)
        return fd;
    rc = set_options(seams, fd, name.ss_family, options);
    if (rc == 0)
        rc = bight__socket_bind(seams, fd, &name, bytes);
    if (rc == 0)
        rc = bight__socket_listen(seams, fd, options);
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

/* Every address of the machine, which may be one without IPv6. */
static int listen_at_all(const struct bight_seams *seams, struct bight_address *address,
                         const struct bight_listen_options *options)
{
    int fd;

    address->family = 6;
    fd = listen_at(seams, address, options);
    if ((fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL) || options->ipv6_only)
        return fd;
    address->family = 4;
    return listen_at(seams, address, options);
}

int bight_tcp_listen(struct bight_listener **out, const char *host, uint16_t port,
                     const struct bight_listen_options *options)
{
    struct bight_address address = {0};
    const struct bight_seams *seams;
    struct streams *streams;
    int fd, rc;

    if (!options)
        options = &default_options;
    if (!out || !bight__listen_options_valid(options) ||
        (host && bight_address_parse(host, &address)))
        return BIGHT_EINVAL;
    rc = bight__streams_get(&streams);
    if (rc)
        return rc;
    address.port = port;
    seams = &streams->poller.runtime->sched.seams;
    fd = host ? listen_at(seams, &address, options) : listen_at_all(seams, &address, options);
    if (fd < 0)
        return fd;
    rc = bight__listener_new(out, streams, fd, address.family == 4 ? AF_INET : AF_INET6);
    if (rc)
        close(fd);
    return rc;
}

static int get_int(int fd, int option, int *value)
{
    socklen_t bytes = sizeof(*value);

    return getsockopt(fd, SOL_SOCKET, option, value, &bytes) ? -errno : 0;
}

/* The family of `fd`, which has to be what a listener can be of; or a negative code. */
static int family_of(int fd)
{
    int type = 0, listens = 0, family = 0;
    int rc = get_int(fd, SO_TYPE, &type);

    if (rc == 0)
        rc = get_int(fd, SO_ACCEPTCONN, &listens);
    if (rc == 0)
        rc = get_int(fd, SO_DOMAIN, &family);
    if (rc)
        return rc == BIGHT_EBADF ? rc : BIGHT_EINVAL;
    if (type != SOCK_STREAM || !listens)
        return BIGHT_EINVAL;
    return family == AF_INET || family == AF_INET6 || family == AF_UNIX ? family : BIGHT_EINVAL;
}

int bight_listener_from_fd(struct bight_listener **out, int fd)
{
    const struct bight_seams *seams;
    struct streams *streams;
    bool was_blocking;
    int family, rc;

    if (!out)
        return BIGHT_EINVAL;
    rc = bight__streams_get(&streams);
    if (rc)
        return rc;
    family = family_of(fd);
    if (family < 0)
        return family;
    seams = &streams->poller.runtime->sched.seams;
    rc = family == AF_UNIX ? 0 : bight__socket_set(seams, fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (rc == 0)
        rc = bight__set_nonblocking(seams, fd, &was_blocking);
    if (rc)
        return rc;
    rc = bight__listener_new(out, streams, fd, family);
    if (rc && was_blocking)
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return rc;
}

int bight_listener_close(struct bight_listener *listener)
{
    if (!listener)
        return BIGHT_EINVAL;
    if (bight__listener_is_foreign(listener))
        return BIGHT_EPERM;
    if (listener->fd < 0)
        return BIGHT_EALREADY;
    listener_close(listener);
    return 0;
}

int bight_listener_end(struct bight_listener *listener)
{
    if (!listener)
        return 0;
    if (bight__listener_is_foreign(listener))
        return BIGHT_EPERM;
    if (listener->served)
        return BIGHT_EBUSY;
    listener_end(listener);
    return 0;
}

int bight_listener_address(const struct bight_listener *listener, struct bight_address *address)
{
    struct sockaddr_storage name;
    socklen_t bytes = sizeof(name);

    if (!listener || !address)
        return BIGHT_EINVAL;
    if (listener->family == AF_UNIX)
        return BIGHT_ENOTSUP;
    if (listener->fd < 0)
        return BIGHT_ECLOSED;
    if (getsockname(listener->fd, (struct sockaddr *)&name, &bytes))
        return -errno;
    return bight__address_from_sockaddr((const struct sockaddr *)&name, address);
}

int bight_listener_fd(const struct bight_listener *listener)
{
    if (!listener)
        return BIGHT_EINVAL;
    return listener->fd < 0 ? BIGHT_ECLOSED : listener->fd;
}
