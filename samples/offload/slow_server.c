/* See slow_server.h. */
#include "samples/offload/slow_server.h"

#include <bight/errors.h>
#include <bight/group.h>
#include <bight/listener.h>
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/tcp.h>
#include <bight/thread_event.h>
#include <bight/time.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* For a client: nobody can cancel a thread that blocks, so its calls end by themselves. */
#define PATIENCE_S 10

struct slow_server {
    pthread_t thread;
    struct bight_listener *listener;
    struct bight_thread_event *ready, *stop;
    uint16_t port;
    int rc; /* of its start; to be read once it is ready */
};

/* --- the server's thread ---------------------------------------------------------------------- */

static int answer(struct bight_stream *stream, const char *line)
{
    char text[SLOW_LINE_BYTES + 8], *path;
    int length, rc = bight_sleep(strtol(line, &path, 10));

    if (rc)
        return rc;
    path += *path == ' ';
    if (strcmp(path, "/broken") == 0)
        return BIGHT_EOF;
    length = snprintf(text, sizeof text, "%s: 200\n", path);
    return bight_stream_write(stream, text, (size_t)length);
}

static int handle(struct bight_stream *stream, void *arg)
{
    char line[SLOW_LINE_BYTES];
    int rc = 0;

    (void)arg;
    while (rc == 0 && bight_stream_read_line(stream, line, sizeof line) >= 0)
        rc = answer(stream, line);
    return 0; /* the client sees an end, and asks no further */
}

static int serve(void *arg)
{
    struct slow_server *server = arg;

    return bight_serve(server->listener, handle, NULL, NULL);
}

static int serve_until_stopped(struct bight_group *group, void *arg)
{
    struct slow_server *server = arg;
    int rc = bight_group_spawn(NULL, group, NULL, serve, server);

    server->rc = rc;
    bight_thread_event_set(server->ready);
    if (rc == 0)
        rc = bight_thread_event_wait(server->stop, -1);
    bight_listener_close(server->listener); /* bight_serve returns when the clients have gone */
    return rc;
}

static int listen_and_serve(void *arg)
{
    struct slow_server *server = arg;
    struct bight_address address;
    int rc = bight_tcp_listen(&server->listener, "127.0.0.1", 0, NULL);

    if (rc)
        return rc;
    rc = bight_listener_address(server->listener, &address);
    if (rc == 0) {
        server->port = address.port;
        rc = bight_group_run(serve_until_stopped, server);
    }
    bight_listener_end(server->listener);
    return rc;
}

static void *server_thread(void *arg)
{
    struct slow_server *server = arg;
    int rc = bight_run(listen_and_serve, server);

    if (rc < 0 && !bight_thread_event_is_set(server->ready)) {
        server->rc = rc;
        bight_thread_event_set(server->ready);
    }
    return NULL;
}

/* --- who starts it ---------------------------------------------------------------------------- */

static void free_server(struct slow_server *server)
{
    bight_thread_event_unref(server->ready);
    bight_thread_event_unref(server->stop);
    free(server);
}

static int start_thread(struct slow_server *server)
{
    int rc = bight_thread_event_new(&server->ready);

    if (rc == 0)
        rc = bight_thread_event_new(&server->stop);
    return rc ? rc : -pthread_create(&server->thread, NULL, server_thread, server);
}

int slow_server_start(struct slow_server **out, uint16_t *port)
{
    struct slow_server *server = calloc(1, sizeof *server);
    int rc = server ? start_thread(server) : BIGHT_ENOMEM;

    if (rc) {
        if (server)
            free_server(server);
        return rc;
    }
    rc = bight_thread_event_wait(server->ready, -1);
    if (rc == 0)
        rc = server->rc;
    if (rc) {
        slow_server_stop(server);
        return rc;
    }
    *port = server->port;
    *out = server;
    return 0;
}

void slow_server_stop(struct slow_server *server)
{
    bight_thread_event_set(server->stop);
    pthread_join(server->thread, NULL);
    free_server(server);
}

/* --- a blocking client ------------------------------------------------------------------------ */

int slow_connect(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    rc = -errno;
    close(fd);
    return rc;
}

/* Until the line feed: the server sends nothing that was not asked for. */
static int read_line(int socket, char line[SLOW_LINE_BYTES])
{
    size_t length = 0;

    while (length < SLOW_LINE_BYTES) {
        ssize_t count = recv(socket, line + length, SLOW_LINE_BYTES - length, 0);

        if (count < 0)
            return errno == EAGAIN ? BIGHT_ETIMEDOUT : -errno;
        if (count == 0)
            return BIGHT_EOF;
        length += (size_t)count;
        if (line[length - 1] == '\n') {
            line[length - 1] = '\0';
            return 0;
        }
    }
    return BIGHT_ETOOBIG;
}

/* Its length, or BIGHT_ETOOBIG. */
static int write_request(char request[SLOW_LINE_BYTES], int64_t latency_ms, const char *path)
{
    int length = snprintf(request, SLOW_LINE_BYTES, "%lld %s\n", (long long)latency_ms, path);

    return length < SLOW_LINE_BYTES ? length : BIGHT_ETOOBIG;
}

int slow_ask(int socket, int64_t latency_ms, const char *path, char answer[SLOW_LINE_BYTES])
{
    char request[SLOW_LINE_BYTES];
    int length = write_request(request, latency_ms, path);

    if (length < 0)
        return length;
    if (send(socket, request, (size_t)length, MSG_NOSIGNAL) != length)
        return errno ? -errno : BIGHT_EIO;
    return read_line(socket, answer);
}

int slow_fetch_blocking(uint16_t port, int64_t latency_ms, const char *path,
                        char answer[SLOW_LINE_BYTES])
{
    int socket = slow_connect(port), rc;

    if (socket < 0)
        return socket;
    rc = slow_ask(socket, latency_ms, path, answer);
    close(socket);
    return rc;
}

/* --- a client that is a task ------------------------------------------------------------------ */

static int converse(uint16_t port, const char *request, size_t bytes, char answer[SLOW_LINE_BYTES])
{
    struct bight_stream *stream;
    int rc = bight_tcp_connect(&stream, "127.0.0.1", port, NULL, NULL);

    if (rc)
        return rc;
    rc = bight_stream_write(stream, request, bytes);
    if (rc == 0) {
        int64_t count = bight_stream_read_line(stream, answer, SLOW_LINE_BYTES);

        rc = count < 0 ? (int)count : 0;
    }
    (void)bight_stream_end(stream, 0); /* all is said */
    return rc;
}

int slow_fetch(uint16_t port, int64_t latency_ms, const char *path, char answer[SLOW_LINE_BYTES])
{
    char request[SLOW_LINE_BYTES];
    struct bight_scope limit;
    int length = write_request(request, latency_ms, path), rc;

    if (length < 0)
        return length;
    rc = bight_scope_begin(&limit, PATIENCE_S * 1000, 0);
    if (rc)
        return rc;
    rc = converse(port, request, (size_t)length, answer);
    return bight_scope_end(&limit, rc);
}
