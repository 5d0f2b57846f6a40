/* Sockets: what libcurl wants of them and what libuv watches for.
 *
 * A socket that we opened for libcurl keeps one poll handle until libcurl closes it, armed with
 * what it was armed with last: between two requests on a kept connection nothing changes, and so
 * nothing is asked of epoll. An idle connection on which something comes is given up (idle.c). */
#include "net/http/watch.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coro/base/list.h"
#include "coro/base/seams.h"
#include "net/http/response.h"
#include "runtime/address.h"

/* A transfer that is paused mostly goes on as soon as its task has had its turn. To take the socket
 * from epoll and put it back costs more than to hear of it in vain so often. */
#define PAUSE_GRACE 32

static void on_poll(uv_poll_t *poll, int status, int events);

static struct http_watch *watch_of(const struct bight_http_session *session, curl_socket_t fd)
{
    return (size_t)fd < session->watch_count ? session->watches[fd] : NULL;
}

static int watches_reach(struct bight_http_session *session, curl_socket_t fd)
{
    size_t count = session->watch_count ? session->watch_count : 64;
    struct http_watch **watches;

    if ((size_t)fd < session->watch_count)
        return 0;
    while (count <= (size_t)fd)
        count *= 2;
    watches = bight__alloc_zero(session->seams, count * sizeof(*watches));
    if (!watches)
        return BIGHT_ENOMEM;
    if (session->watch_count)
        memcpy(watches, session->watches, session->watch_count * sizeof(*watches));
    bight__free(session->watches);
    session->watches = watches;
    session->watch_count = count;
    return 0;
}

static struct http_watch *watch_new(struct bight_http_session *session, curl_socket_t fd,
                                    bool foreign, int *code)
{
    struct http_watch *watch;

    *code = BIGHT_ENOMEM;
    if (watches_reach(session, fd))
        return NULL;
    watch = bight__alloc_zero(session->seams, sizeof(*watch));
    if (!watch)
        return NULL;
    *code = uv_poll_init_socket(session->loop, &watch->poll, fd);
    if (*code) {
        bight__free(watch);
        return NULL;
    }
    uv_unref((uv_handle_t *)&watch->poll); /* tasks keep the loop alive, sockets do not */
    link_init(&watch->attempt);
    watch->session = session;
    watch->fd = fd;
    watch->foreign = foreign;
    session->watches[fd] = watch;
    session->stats.sockets += !foreign;
    session->handles++;
    bight__handle_opened(session->runtime);
    return watch;
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct http_watch *watch = container_of(handle, struct http_watch, poll);
    struct bight_http_session *session = watch->session;

    bight__free(watch);
    bight__http_handle_closed(session);
}

static void watch_free(struct http_watch *watch)
{
    watch->session->watches[watch->fd] = NULL;
    watch->session->stats.sockets -= !watch->foreign;
    watch->session->spent -= watch->spent;
    if (watch->transfer)
        bight__http_multi_attend(
            watch->transfer); /* it goes on with its next address, if there is one */
    link_remove(&watch->attempt);
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

/* Make libuv watch for what libcurl wants, unless it does already. Watching for reading too many is
 * harmless, it fires once; watching for writing would fire for ever. */
static void watch_update(struct http_watch *watch)
{
    unsigned missing = watch->want & ~(unsigned)watch->have;
    unsigned too_many = watch->have & ~(unsigned)watch->want & UV_WRITABLE;

    if (!missing && !too_many)
        return;
    watch->have = watch->want;
    uv_poll_start(&watch->poll, watch->want, on_poll);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct http_watch *watch = container_of(poll, struct http_watch, poll);
    struct bight_http_session *session = watch->session;
    curl_socket_t fd = watch->fd;
    int action = 0;

    if (status < 0) {
        /* libuv has stopped the handle; a plain POLLERR comes as UV_EBADF. libcurl is to find out
         * by reading, as it does without us: of an error alone it makes a failed transfer, where a
         * kept connection that the peer has reset only wants a new one. */
        watch->have = 0;
        action = CURL_CSELECT_ERR | CURL_CSELECT_IN | CURL_CSELECT_OUT;
    }
    if (!watch->want) {
        if (watch->grace && status == 0)
            watch->grace--;
        else
            bight__http_idle_event(watch);
        return;
    }
    if (status == 0 && !(events & watch->want)) {
        watch->have = watch->want;
        uv_poll_start(poll, watch->want, on_poll);
        return;
    }
    action |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    action |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    bight__http_multi_act(session, fd, action);
    /* After an error the handle is stopped; if libcurl still wants the socket, go on. */
    if (status < 0 && watch_of(session, fd) == watch)
        watch_update(watch);
}

void bight__http_watches_forget(struct http_transfer *transfer)
{
    struct bight_link *link;

    while ((link = link_take(&transfer->attempts)))
        container_of(link, struct http_watch, attempt)->transfer = NULL;
}

/* The socket of one that has paused, if libcurl wants nothing of it; else NULL. libcurl does not
 * mention it again when the end of the body had come before the pause. What comes after that is
 * unasked. */
static struct http_watch *paused_watch(const struct http_transfer *transfer)
{
    const struct bight_http_session *session = transfer->session;

    if (!transfer->paused_once)
        return NULL;
    for (size_t i = 0; i < session->watch_count; i++) {
        struct http_watch *watch = session->watches[i];
        if (watch && watch->connected && watch->port == transfer->local_port)
            return watch->want ? NULL : watch;
    }
    return NULL;
}

bool bight__http_watch_has_more(const struct http_transfer *transfer)
{
    const struct http_watch *watch = paused_watch(transfer);
    char byte;

    return watch && !watch->streams && recv(watch->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

void bight__http_watch_settle(const struct http_transfer *transfer)
{
    struct http_watch *watch = paused_watch(transfer);

    if (!watch)
        return;
    watch->grace = 0;
    bight__http_idle_event(watch);
}

void bight__http_watch_arm(struct http_watch *watch, int events)
{
    watch->have = (uint8_t)events;
    uv_poll_start(&watch->poll, events, on_poll);
}

static int port_of(curl_socket_t fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } name = {.any.sa_family = AF_UNSPEC};
    socklen_t bytes = sizeof(name);

    getsockname(fd, &name.any, &bytes);
    return ntohs(name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port);
}

static void watch_connected(struct http_watch *watch)
{
    watch->connected = true;
    watch->port = port_of(watch->fd);
    watch->transfer = NULL;
    link_remove(&watch->attempt);
}

/* Whether others may share the connection that `transfer` leaves. The status line says so, where
 * one has come. Where the request had no answer, one of HTTP/1 is closed with it. */
static bool is_shared(const struct http_transfer *transfer)
{
    int version = transfer->response->version;

    return version ? version >= 20 : bight__http_is_unanswered(transfer);
}

/* libcurl wants nothing of the socket for now. From 7.86 to 8.1 it closes one that never got
 * connected without telling anybody, so only a socket that is seen to be connected is trusted to
 * come back. */
static void watch_idle(struct http_watch *watch, const struct http_transfer *transfer)
{
    struct sockaddr_storage peer;
    socklen_t bytes = sizeof(peer);

    watch->want = 0;
    if (!watch->connected && !watch->foreign &&
        getpeername(watch->fd, (struct sockaddr *)&peer, &bytes) == 0)
        watch_connected(watch);
    if (!watch->connected) {
        watch_free(watch);
        return;
    }
    if (transfer && is_shared(transfer))
        watch->streams = true;
    if (!(watch->have & UV_READABLE))
        bight__http_watch_arm(watch, UV_READABLE);
}

/* NULL for handles that libcurl has for itself, and for ours that is no transfer (idle.c). */
static struct http_transfer *transfer_of(CURL *easy)
{
    char *private = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    return (struct http_transfer *)(void *)private;
}

/* A descriptor that libcurl made itself cannot be watched, which its transfer has to end for. */
static void watch_failed(struct bight_http_session *session, struct http_transfer *transfer,
                         int code)
{
    if (!transfer)
        return;
    transfer->code = code;
    bight__http_multi_attend(transfer);
    bight__http_multi_soon(session); /* a task's call may have led here */
}

/* libcurl's callback: watch `fd` for `what`. It must not fail, since libcurl then gives up the
 * whole multi handle; a foreign descriptor that cannot be watched costs its transfer alone. */
int bight__http_on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
    struct bight_http_session *session = arg;
    struct http_watch *watch = watch_of(session, fd);
    struct http_transfer *transfer = transfer_of(easy);

    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            watch->grace = transfer && transfer->paused ? PAUSE_GRACE : 0;
            watch_idle(watch, transfer);
        }
        return 0;
    }
    if (!watch) {
        int code;
        watch = watch_new(session, fd, true, &code);
        if (!watch) {
            watch_failed(session, transfer, code);
            return 0;
        }
        if (transfer)
            http_held_end(transfer); /* libcurl looks up a proxy's name for it */
    }
    /* While it connects, a socket is only waited for to become writable. */
    if ((what & CURL_POLL_IN) && watch->transfer)
        watch_connected(watch);
    watch->want = (uint8_t)((what & CURL_POLL_IN ? UV_READABLE : 0) |
                            (what & CURL_POLL_OUT ? UV_WRITABLE : 0));
    watch_update(watch);
    return 0;
}

static int filter(const struct http_transfer *transfer, const struct curl_sockaddr *to)
{
    const struct bight_http_session_options *options = &transfer->session->options;
    struct bight_address address;
    int rc;

    if (!options->filter)
        return 0;
    rc = bight__address_from_sockaddr(&to->addr, &address);
    return rc ? rc : options->filter(options->filter_arg, &address);
}

/* Watch a socket that was opened for `transfer`. */
static int watch_opened(struct http_transfer *transfer, curl_socket_t fd)
{
    struct bight_http_session *session = transfer->session;
    struct http_watch *stale = watch_of(session, fd);
    struct http_watch *watch;
    uint8_t want = 0;
    int code;

    /* A socket of that number was closed behind our back (see watch_idle). If it was so in the
     * midst of one action, libcurl thinks that it has told us what it wants of the number. */
    if (stale) {
        want = stale->want;
        watch_free(stale);
    }
    watch = watch_new(session, fd, false, &code);
    if (!watch)
        return code;
    watch->transfer = transfer;
    link_append(&transfer->attempts, &watch->attempt);
    watch->want = want;
    watch_update(watch);
    return 0;
}

static curl_socket_t open_socket(struct http_transfer *transfer, const struct curl_sockaddr *to)
{
    curl_socket_t fd;

    if (bight__http_is_lost(transfer)) {
        transfer->code = BIGHT_EUNKNOWNOUTCOME;
        return CURL_SOCKET_BAD;
    }
    if (filter(transfer, to) < 0) {
        transfer->filtered = true;
        return CURL_SOCKET_BAD;
    }
    transfer->allowed = transfer->opened = true;
    fd = socket(to->family, to->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->protocol);
    if (fd < 0) {
        /* No IPv6 here: the other addresses will do. */
        if (errno != EAFNOSUPPORT)
            transfer->socket_code = -errno;
        return CURL_SOCKET_BAD;
    }
    transfer->socket_code = watch_opened(transfer, fd);
    if (transfer->socket_code == 0)
        return fd;
    close(fd);
    return CURL_SOCKET_BAD;
}

/* libcurl's callback (CURLOPT_OPENSOCKETFUNCTION): the one place through which every connection of
 * the session goes. */
curl_socket_t bight__http_on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct http_transfer *transfer = arg;
    curl_socket_t fd = open_socket(transfer, to);

    (void)purpose;
    http_held_end(transfer);
    if (fd == CURL_SOCKET_BAD)
        bight__http_multi_attend(transfer);
    else
        transfer->session->stats.connects++;
    return fd;
}

/* libcurl's callback (CURLOPT_CLOSESOCKETFUNCTION). Connections outlive easy handles, so its
 * argument is the session. */
int bight__http_on_close(void *arg, curl_socket_t fd)
{
    struct bight_http_session *session = arg;
    struct http_watch *watch = watch_of(session, fd);

    if (watch)
        watch_free(watch); /* before the number can be given to another socket */
    return close(fd);
}

void bight__http_watches_free(struct bight_http_session *session)
{
    for (size_t i = 0; i < session->watch_count; i++)
        if (session->watches[i])
            watch_free(session->watches[i]);
    bight__free(session->watches);
    session->watches = NULL;
    session->watch_count = 0;
}
