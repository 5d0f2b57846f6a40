/* The load of bench_echo: a closed loop over epoll. */
#include "bench/bench.h"
#include "bench/echo.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bight/errors.h>

#define EVENTS 256

struct connection {
    int fd;
    size_t sent;
    size_t came;
};

struct client {
    struct connection *connections;
    size_t bytes;
    uint64_t requests;
    char *data;
    int epoll;
    uint64_t begun;
    uint64_t done;
};

static void watch(const struct client *client, struct connection *connection, int operation,
                  uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};

    bench_check(-(epoll_ctl(client->epoll, operation, connection->fd, &event) != 0), "epoll_ctl");
}

static void send_some(const struct client *client, struct connection *connection)
{
    size_t bytes = client->bytes;

    while (connection->sent < bytes) {
        ssize_t sent = send(connection->fd, client->data + connection->sent,
                            bytes - connection->sent, MSG_NOSIGNAL);

        if (sent < 0 && errno == EAGAIN) {
            watch(client, connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return;
        }
        bench_check(sent < 0 ? -errno : 0, "send");
        connection->sent += (size_t)sent;
        if (connection->sent == bytes && connection->came)
            watch(client, connection, EPOLL_CTL_MOD, EPOLLIN);
    }
}

static void begin(struct client *client, struct connection *connection)
{
    if (client->begun == client->requests)
        return;
    client->begun++;
    connection->sent = 0;
    connection->came = 0;
    send_some(client, connection);
}

static void receive(struct client *client, struct connection *connection)
{
    ssize_t count = recv(connection->fd, client->data, client->bytes, 0);

    if (count < 0 && errno == EAGAIN)
        return;
    bench_check(count < 0 ? -errno : count ? 0 : BIGHT_EOF, "recv");
    connection->came += (size_t)count;
    if (connection->came < client->bytes)
        return;
    client->done++;
    begin(client, connection);
}

static void open_connection(const struct client *client, struct connection *connection,
                            uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int on = 1;

    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    bench_check(connection->fd, "socket");
    bench_check(connect(connection->fd, (const struct sockaddr *)&to, sizeof to) ? -errno : 0,
                "connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bench_check(fcntl(connection->fd, F_SETFL, O_NONBLOCK), "fcntl");
    watch(client, connection, EPOLL_CTL_ADD, EPOLLIN);
}

void echo_put(const struct serving *serving, uint16_t port, uint64_t requests)
{
    struct client client = {
        .bytes = serving->bytes, .requests = requests, .epoll = epoll_create1(0)};
    struct epoll_event events[EVENTS];

    client.connections = calloc(serving->connections, sizeof *client.connections);
    client.data = calloc(1, serving->bytes);
    bench_check(client.connections && client.data ? 0 : BIGHT_ENOMEM, "memory");
    for (unsigned i = 0; i < serving->connections; i++)
        open_connection(&client, &client.connections[i], port);
    for (unsigned i = 0; i < serving->connections; i++)
        begin(&client, &client.connections[i]);
    while (client.done < requests) {
        int count = epoll_wait(client.epoll, events, EVENTS, 10000);

        bench_check(count > 0 ? 0 : BIGHT_ETIMEDOUT, "the server does not answer");
        for (int i = 0; i < count; i++) {
            if (events[i].events & EPOLLOUT)
                send_some(&client, events[i].data.ptr);
            if (events[i].events & ~(uint32_t)EPOLLOUT)
                receive(&client, events[i].data.ptr);
        }
    }
    for (unsigned i = 0; i < serving->connections; i++)
        close(client.connections[i].fd);
    close(client.epoll);
    free(client.connections);
    free(client.data);
}
