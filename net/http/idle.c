/* Connections that are kept for the next request. One of HTTP/1 on which anything comes is of no
 * use any more: the peer has closed it, or what came would be taken for the next answer. libcurl
 * looks whether it was closed when it is about to use it, but not whether there are bytes. So such
 * a connection is shut down at once, which libcurl takes for closed; and soon afterwards libcurl is
 * made to look, so that the descriptor is not kept until the next request. */
#include "net/http/watch.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "coro/base/list.h"
#include "net/http/response.h"

/* libcurl looks for closed connections when a request begins, a second after the last time at the
 * earliest. */
#define SWEEP_MS 1050

static curl_socket_t refuse_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    (void)arg;
    (void)purpose;
    (void)to;
    return CURL_SOCKET_BAD;
}

/* Begin a request that opens no connection: libcurl closes first those that are closed. What fails
 * here is tried again with the next one. */
static void sweep(struct bight_http_session *session)
{
    CURL *easy = curl_easy_init();

    if (!easy)
        return;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, refuse_socket);
    if (curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1/") == CURLE_OK &&
        curl_multi_add_handle(session->multi, easy) == CURLM_OK) {
        bight__http_multi_act(session, CURL_SOCKET_TIMEOUT, 0);
        curl_multi_remove_handle(session->multi, easy);
    }
    curl_easy_cleanup(easy);
}

static void on_sweep(uv_timer_t *timer)
{
    struct bight_http_session *session = timer->data;

    for (size_t i = 0; i < session->watch_count; i++) {
        struct http_watch *watch = session->watches[i];
        if (watch && !watch->want && !watch->have && watch->connected)
            bight__http_idle_event(watch);
    }
    if (!session->spent)
        return;
    sweep(session);
    if (session->spent)
        uv_timer_start(timer, on_sweep, SWEEP_MS, 0);
}

static void sweep_soon(struct bight_http_session *session)
{
    if (!uv_is_active((uv_handle_t *)&session->sweep_timer))
        uv_timer_start(&session->sweep_timer, on_sweep, SWEEP_MS, 0);
}

/* A peer that talks may go on: it is cut off by a reset, after which nothing can come any more. An
 * error is taken off the socket, since libcurl takes only its end for the connection's. */
static void give_up(struct http_watch *watch)
{
    static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    int error;
    socklen_t bytes = sizeof(error);
    char byte;

    if (recv(watch->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
        (void)connect(watch->fd, &nobody, sizeof(nobody));
    shutdown(watch->fd, SHUT_RDWR);
    getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
    watch->spent = true;
    watch->session->spent++;
    sweep_soon(watch->session);
}

/* libcurl wants nothing of a socket either while all that use it are paused. It does not say which
 * do; the port does. */
static bool is_used(const struct http_watch *watch)
{
    const struct bight_link *live = &watch->session->live;

    for (const struct bight_link *link = live->next; link != live; link = link->next) {
        const struct http_transfer *transfer =
            container_of(link, struct bight_http_response, link)->transfer;
        if (transfer && transfer->sent && transfer->local_port == watch->port)
            return true;
    }
    return false;
}

/* The peer has ended its side, or reset the connection; what it said before may still lie there. */
static bool has_ended(const struct http_watch *watch)
{
    struct pollfd one = {.fd = watch->fd, .events = POLLRDHUP};

    return poll(&one, 1, 0) > 0;
}

static void disarm(struct http_watch *watch)
{
    if (watch->have)
        uv_poll_stop(&watch->poll);
    watch->have = 0;
}

void bight__http_idle_event(struct http_watch *watch)
{
    char byte;
    ssize_t got;

    if (watch->spent || watch->foreign)
        return;
    if (is_used(watch)) {
        disarm(watch);
        sweep_soon(watch->session); /* look again */
        return;
    }
    got = recv(watch->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        if (watch->have != UV_READABLE)
            bight__http_watch_arm(watch, UV_READABLE);
    } else if (got > 0 && watch->streams && !has_ended(watch)) {
        bight__http_watch_arm(watch, UV_DISCONNECT); /* frames, which libcurl will read */
    } else {
        disarm(watch);
        give_up(watch);
    }
}

static bool is_idle(const struct http_watch *watch)
{
    return watch && !watch->want && watch->have && watch->connected && !watch->foreign;
}

void bight__http_idle_look(struct bight_http_session *session)
{
    struct pollfd some[64];
    size_t next = 0;
    nfds_t count;

    do {
        for (count = 0; next < session->watch_count && count < sizeof(some) / sizeof(some[0]);
             next++)
            if (is_idle(session->watches[next]))
                some[count++] = (struct pollfd){.fd = (int)next, .events = POLLIN};
        if (count == 0 || poll(some, count, 0) <= 0)
            continue;
        for (nfds_t i = 0; i < count; i++) {
            struct http_watch *watch = session->watches[some[i].fd];
            if (some[i].revents && !is_used(watch))
                bight__http_idle_event(watch);
        }
    } while (next < session->watch_count);
}
