/* What bight's server is compared with: what the system alone takes to read a request and to write
 * an answer. Nothing is parsed, and the answer stands ready. */
#include "bench/bench.h"
#include "bench/server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bight/errors.h>

#define EVENTS 256
#define REQUEST_BYTES 4096

/* The headers that bight sends, in another order, and net/http too: 107 bytes of a hello. nginx has
 * two more, "Server: nginx/VERSION" and "Connection: keep-alive", and of a file also Last-Modified,
 * ETag and Accept-Ranges. */
#define HEADERS                                                                                    \
    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
#define TEXT(literal) literal, sizeof literal - 1

/* By descriptor, of which the benches use fewer. */
#define DESCRIPTORS 65536

struct connection {
    int fd;
    int file; /* -1: none is being sent */
    off_t offset;
};

struct server {
    const struct serving_job *job;
    int epoll;
    uint64_t answered;
    struct connection *connections;
    /* Answer what came. */
    void (*answer)(struct server *server, struct connection *connection);
};

static void watch(const struct server *server, struct connection *connection, int operation,
                  uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = connection->fd};

    bench_check(epoll_ctl(server->epoll, operation, connection->fd, &event) ? -errno : 0,
                "epoll_ctl");
}

static void take(const struct server *server)
{
    int fd = accept4(server->job->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct connection *connection;
    const int on = 1;

    if (fd < 0)
        return;
    bench_check(fd < DESCRIPTORS ? 0 : BIGHT_EMFILE, "descriptors");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection = &server->connections[fd];
    *connection = (struct connection){.fd = fd, .file = -1};
    watch(server, connection, EPOLL_CTL_ADD, EPOLLIN);
}

static void drop(struct connection *connection)
{
    if (connection->file >= 0)
        close(connection->file);
    close(connection->fd);
}

/* Less than all is never taken of so few bytes: one answer at a time is on its way. */
static void hello(struct server *server, struct connection *connection)
{
    static const char answer[] = HEADERS "Content-Length: 6\r\n\r\nhello\n";

    (void)send(connection->fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    server->answered++;
}

/* A failure is the connection's, which says so itself. */
static void send_file(struct server *server, struct connection *connection)
{
    ssize_t sent;

    do {
        sent = sendfile(connection->fd, connection->file, &connection->offset,
                        SERVER_FILE_BYTES - (size_t)connection->offset);
    } while (sent > 0 && connection->offset < SERVER_FILE_BYTES);
    if (sent < 0 && errno == EAGAIN) {
        watch(server, connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
        return;
    }
    close(connection->file);
    connection->file = -1;
    server->answered++;
}

static void file(struct server *server, struct connection *connection)
{
    static const char headers[] = HEADERS "Content-Length: 65536\r\n\r\n";
    struct stat stat = {.st_size = 0};

    connection->file = open(SERVER_FILE, O_RDONLY | O_CLOEXEC);
    connection->offset = 0;
    bench_check(connection->file < 0 || fstat(connection->file, &stat) ? -errno : 0, SERVER_FILE);
    bench_check(stat.st_size == SERVER_FILE_BYTES ? 0 : BIGHT_EIO, SERVER_FILE);
    (void)send(connection->fd, headers, sizeof headers - 1, MSG_NOSIGNAL | MSG_MORE);
    send_file(server, connection);
}

static void go_on(struct server *server, struct connection *connection)
{
    send_file(server, connection);
    if (connection->file < 0)
        watch(server, connection, EPOLL_CTL_MOD, EPOLLIN);
}

static void serve(struct server *server, struct connection *connection, uint32_t events)
{
    char request[REQUEST_BYTES];
    ssize_t count;

    if (connection->file >= 0 && !(events & (EPOLLERR | EPOLLHUP))) {
        go_on(server, connection);
        return;
    }
    count = recv(connection->fd, request, sizeof request, 0);
    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0)
        drop(connection);
    else
        server->answer(server, connection);
}

static void run(struct server *server)
{
    struct epoll_event events[EVENTS], first = {.events = EPOLLIN};
    int listener = server->job->listener;
    const struct serving_job *job = server->job;

    signal(SIGPIPE, SIG_IGN); /* sendfile has no MSG_NOSIGNAL */
    server->connections = calloc(DESCRIPTORS, sizeof *server->connections);
    bench_check(server->connections ? 0 : BIGHT_ENOMEM, "memory");
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    first.data.fd = listener;
    bench_check(epoll_ctl(server->epoll, EPOLL_CTL_ADD, listener, &first) ? -errno : 0,
                "epoll_ctl");
    while (!job->requests || server->answered < job->requests) {
        int count = epoll_wait(server->epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                take(server);
            else
                serve(server, &server->connections[events[i].data.fd], events[i].events);
        }
    }
    close(server->epoll);
    free(server->connections);
}

void server_epoll(const struct serving_job *job)
{
    struct server server = {.job = job, .answer = hello};

    run(&server);
}

void server_epoll_file(const struct serving_job *job)
{
    struct server server = {.job = job, .answer = file};

    run(&server);
}
