/* Taking connections. A task that asks while one may be there takes it itself. For those who sleep,
 * the loop takes it when the kernel tells of it, and gives it to the first of them: a wake-up is a
 * connection, and can be lost neither to a faster task nor to a cancellation. */
#include "net/stream/listener.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/address.h"

/* A wait for a connection. It lies in a task's frame, or in a case from its waiter on. */
struct accept_wait {
    struct bight_waiter waiter; /* linked into the listener's list */
    void **to;                  /* where the stream goes */
    const struct bight_listener *listener;
};

_Static_assert(sizeof(struct accept_wait) <=
                   sizeof(struct bight_case) - offsetof(struct bight_case, waiter),
               "a case has room for a wait");

/* Whether accept(2) tells of a connection that broke before it was taken, and not of the socket
 * that listens. */
static bool connection_broke(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EPROTO:
        return true;
    default:
        return false;
    }
}

/* The system wants a descriptor before it looks for a connection, and fails for want of one though
 * there is none to be accepted. */
static bool connection_waits(const struct bight_listener *listener)
{
    struct pollfd asked = {.fd = listener->fd, .events = POLLIN};

    return poll(&asked, 1, 0) != 0;
}

/* The next connection that is there, or a negative code. */
static int accept_socket(const struct bight_listener *listener, struct sockaddr_storage *name)
{
    const struct bight_seams *seams = bight__listener_seams(listener);
    socklen_t bytes;
    int fd;

    do {
        bytes = sizeof(*name);
        fd = bight__call_fails(seams, "accept4") ? -1
                                                 : accept4(listener->fd, (struct sockaddr *)name,
                                                           &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && connection_broke(errno));
    if (fd >= 0)
        return fd;
    fd = -errno;
    return fd == BIGHT_EAGAIN || connection_waits(listener) ? fd : BIGHT_EAGAIN;
}

/* One attempt, which does not wait. BIGHT_EAGAIN: there is none, and the kernel will tell of the
 * next one; after any other failure it may not. */
static int take(struct bight_stream **out, struct bight_listener *listener)
{
    struct sockaddr_storage name = {0};
    struct bight_address peer = {0};
    int fd, rc;

    if (!listener->ready)
        return BIGHT_EAGAIN;
    fd = accept_socket(listener, &name);
    if (fd < 0) {
        listener->ready = fd != BIGHT_EAGAIN;
        return fd;
    }
    (void)bight__address_from_sockaddr((const struct sockaddr *)&name, &peer);
    rc = bight__socket_stream(out, listener->streams, fd, listener->family, &peer);
    if (rc) {
        bight__socket_close_resets(fd); /* the peer is not to believe that it was served */
        close(fd);
    }
    return rc;
}

/* A failure goes to all who wait: nobody can say when the next attempt is worth it. */
void bight__listener_on_ready(struct poll_source *source, uint32_t events)
{
    struct bight_listener *listener = container_of(source, struct bight_listener, source);
    int rc = 0;

    (void)events;
    listener->ready = true;
    while (rc == 0 && !link_empty(&listener->waiters)) {
        struct bight_stream *stream;

        rc = take(&stream, listener);
        if (rc == 0) {
            struct accept_wait *wait =
                container_of(link_take(&listener->waiters), struct accept_wait, waiter.link);

            *wait->to = stream;
            bight_unpark(&wait->waiter, 0);
        } else if (rc != BIGHT_EAGAIN) {
            bight__wake_all(&listener->waiters, rc);
        }
    }
}

static void wait_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct accept_wait *wait = container_of(waiter, const struct accept_wait, waiter);
    char address_text[BIGHT_ADDRESS_TEXT_BYTES];
    struct bight_address address;

    if (bight_listener_address(wait->listener, &address) == 0)
        snprintf(text, text_bytes, "%s", bight_address_text(&address, address_text));
    else
        snprintf(text, text_bytes, "unix %d", wait->listener->fd);
}

static const struct bight_waiter_ops accept_ops = {
    .name = "connection",
    .abort = bight__unlink_abort,
    .describe = wait_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static void leave(struct bight_listener *listener)
{
    if (--listener->calls == 0 && listener->ended)
        bight__free(listener);
}

/* The opening of a call that may suspend: inside until it leaves, also while the checkpoint lets a
 * task run that ends the listener. Not inside if it fails. */
__attribute__((always_inline)) static inline int enter(struct bight_listener *listener)
{
    struct bight_task *self;
    int rc;

    if (!bight_self())
        return BIGHT_ENOTASK;
    if (bight__listener_is_foreign(listener))
        return BIGHT_EPERM;
    listener->calls++;
    rc = bight__checkpoint(&self);
    if (rc == 0 && listener->fd < 0)
        rc = BIGHT_ECLOSED;
    if (rc)
        leave(listener);
    return rc;
}

int bight_listener_accept(struct bight_stream **out, struct bight_listener *listener)
{
    struct bight_stream *stream;
    struct accept_wait wait;
    void *given;
    int rc;

    if (!out || !listener)
        return BIGHT_EINVAL;
    rc = enter(listener);
    if (rc)
        return rc;
    rc = take(&stream, listener);
    if (rc == BIGHT_EAGAIN) {
        wait.to = &given;
        wait.listener = listener;
        bight__waiter_begin(&wait.waiter, &accept_ops);
        link_append(&listener->waiters, &wait.waiter.link);
        rc = bight_park(&wait.waiter);
        if (rc == 0)
            stream = given;
    }
    leave(listener);
    if (rc == 0)
        *out = stream;
    return rc;
}

int bight_listener_try_accept(struct bight_stream **out, struct bight_listener *listener)
{
    if (!out || !listener)
        return BIGHT_EINVAL;
    if (bight__listener_is_foreign(listener))
        return BIGHT_EPERM;
    return listener->fd < 0 ? BIGHT_ECLOSED : take(out, listener);
}

/* The case */

static bool case_attempt(struct bight_case *chosen)
{
    struct bight_stream *stream;
    int rc = bight_listener_try_accept(&stream, chosen->source);

    if (rc == BIGHT_EAGAIN)
        return false;
    chosen->status = rc;
    chosen->value = rc ? NULL : stream;
    return true;
}

static int case_arm(struct bight_case *chosen)
{
    struct accept_wait *wait = container_of(&chosen->waiter, struct accept_wait, waiter);
    struct bight_listener *listener = chosen->source;

    wait->to = &chosen->value;
    wait->listener = listener;
    link_append(&listener->waiters, &wait->waiter.link);
    return 0;
}

static const struct bight_waiter_ops case_wait = {
    .name = "select: connection",
    .abort = bight__unlink_abort,
    .describe = wait_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};
static const struct bight_case_ops case_ops = {&case_wait, case_attempt, case_arm, NULL};

void bight_case_accept(struct bight_case *to, struct bight_listener *listener)
{
    if (!to)
        return;
    /* Without a listener it is invalid: it has no ops, and the select says so. */
    bight_case_custom(to, listener ? &case_ops : NULL, listener);
}
