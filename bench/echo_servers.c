/* What the echo server of bight is compared with: one on epoll alone, and one on libuv. */
#include "bench/bench.h"
#include "bench/echo.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bight/errors.h>
#include <uv.h>

#define BUFFER_BYTES 65536
#define EVENTS 256
#define DESCRIPTORS 65536

static void no_delay(int fd)
{
    const int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* epoll */

/* By its descriptor. */
static struct plain {
    int fd;
    char *left; /* what the peer has not taken, from `offset` on */
    size_t offset, bytes;
} plains[DESCRIPTORS];

static void plain_watch(int epoll, struct plain *plain, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = plain};

    bench_check(epoll_ctl(epoll, operation, plain->fd, &event) ? -errno : 0, "epoll_ctl");
}

static void plain_accept(int epoll, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct plain *plain;

    if (fd < 0)
        return;
    no_delay(fd);
    bench_check(fd < DESCRIPTORS ? 0 : BIGHT_EMFILE, "accept");
    plain = &plains[fd];
    plain->fd = fd;
    plain_watch(epoll, plain, EPOLL_CTL_ADD, EPOLLIN);
}

static void plain_go_on(int epoll, struct plain *plain)
{
    ssize_t sent =
        send(plain->fd, plain->left + plain->offset, plain->bytes - plain->offset, MSG_NOSIGNAL);

    plain->offset += sent > 0 ? (size_t)sent : 0;
    if (plain->offset < plain->bytes)
        return;
    free(plain->left);
    plain->left = NULL;
    plain_watch(epoll, plain, EPOLL_CTL_MOD, EPOLLIN);
}

static void plain_keep(int epoll, struct plain *plain, const char *data, size_t bytes)
{
    plain->left = malloc(bytes);
    bench_check(plain->left ? 0 : BIGHT_ENOMEM, "memory");
    memcpy(plain->left, data, bytes);
    plain->offset = 0;
    plain->bytes = bytes;
    plain_watch(epoll, plain, EPOLL_CTL_MOD, EPOLLOUT);
}

/* False: the peer has closed. */
static bool plain_serve(int epoll, struct plain *plain)
{
    static char buffer[BUFFER_BYTES];
    ssize_t count, sent;

    if (plain->left) {
        plain_go_on(epoll, plain);
        return true;
    }
    count = recv(plain->fd, buffer, sizeof buffer, 0);
    if (count < 0 && errno == EAGAIN)
        return true;
    if (count <= 0) {
        close(plain->fd);
        return false;
    }
    sent = send(plain->fd, buffer, (size_t)count, MSG_NOSIGNAL);
    sent = sent < 0 ? 0 : sent;
    if (sent < count)
        plain_keep(epoll, plain, buffer + sent, (size_t)(count - sent));
    return true;
}

void echo_epoll(const struct serving_job *job)
{
    struct epoll_event events[EVENTS], first = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    unsigned closed = 0;

    bench_check(epoll_ctl(epoll, EPOLL_CTL_ADD, job->listener, &first) ? -errno : 0, "epoll_ctl");
    while (closed < job->connections) {
        int count = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            if (!events[i].data.ptr)
                plain_accept(epoll, job->listener);
            else if (!plain_serve(epoll, events[i].data.ptr))
                closed++;
        }
    }
    close(epoll);
}

/* libuv */

struct reply {
    uv_write_t request;
    char data[];
};

struct uv_server {
    uv_tcp_t listener;
    const struct serving_job *job;
    unsigned closed;
};

static void uv_gone(uv_handle_t *handle)
{
    uv_loop_t *loop = handle->loop;
    struct uv_server *server = loop->data;

    free(handle);
    if (++server->closed == server->job->connections)
        uv_stop(loop);
}

static void uv_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char bytes[BUFFER_BYTES];

    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(bytes, sizeof bytes);
}

static void uv_written(uv_write_t *request, int status)
{
    (void)status;
    free(request); /* the first member of its reply */
}

static void uv_came(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    uv_buf_t data = uv_buf_init(buffer->base, (unsigned)(count > 0 ? count : 0));
    struct reply *reply;
    int written;

    if (count < 0)
        uv_close((uv_handle_t *)stream, uv_gone);
    if (count <= 0)
        return;
    written = uv_try_write(stream, &data, 1);
    written = written < 0 ? 0 : written;
    if (written == count)
        return;
    data.base += written;
    data.len -= (size_t)written;
    reply = malloc(sizeof *reply + data.len);
    bench_check(reply ? 0 : BIGHT_ENOMEM, "memory");
    memcpy(reply->data, data.base, data.len);
    data.base = reply->data;
    bench_check(uv_write(&reply->request, stream, &data, 1, uv_written), "uv_write");
}

static void uv_connected(uv_stream_t *listener, int status)
{
    uv_tcp_t *tcp = malloc(sizeof *tcp);

    bench_check(tcp ? status : BIGHT_ENOMEM, "accept");
    bench_check(uv_tcp_init(listener->loop, tcp), "uv_tcp_init");
    bench_check(uv_accept(listener, (uv_stream_t *)tcp), "uv_accept");
    uv_tcp_nodelay(tcp, 1);
    bench_check(uv_read_start((uv_stream_t *)tcp, uv_room, uv_came), "uv_read_start");
}

void echo_uv(const struct serving_job *job)
{
    struct uv_server server = {.job = job};
    uv_loop_t loop;

    bench_check(uv_loop_init(&loop), "uv_loop_init");
    loop.data = &server;
    bench_check(uv_tcp_init(&loop, &server.listener), "uv_tcp_init");
    bench_check(uv_tcp_open(&server.listener, job->listener), "uv_tcp_open");
    bench_check(uv_listen((uv_stream_t *)&server.listener, 4096, uv_connected), "uv_listen");
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&server.listener, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}
