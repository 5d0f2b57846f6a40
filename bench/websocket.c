/* WebSocket: CPU time of an echo server on one core per message, with the load on the other. The
 * baseline is the echo of bight over plain TCP, so that what is above 1 is what frames cost. */
#include "bench/bench.h"
#include "bench/echo_tasks.h"
#include "bench/run.h"
#include "bench/serving.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bight/errors.h>
#include <bight/websocket.h>

#define ROUNDS 9
#define MESSAGE_BYTES 64
#define ASK_BYTES (6 + MESSAGE_BYTES)    /* masked */
#define ANSWER_BYTES (2 + MESSAGE_BYTES) /* not masked */

/* The servers */

static int echo(struct bight_exchange *exchange, void *arg)
{
    struct echo_tasks *tasks = arg;
    struct bight_websocket_message message;
    struct bight_websocket *socket;
    int rc;

    bench_check(bight_websocket_accept(&socket, exchange, NULL), "accept");
    while ((rc = bight_websocket_receive(socket, &message)) == 0)
        bench_check(bight_websocket_send(socket, message.type, message.data, message.bytes),
                    "send");
    bench_check(bight_websocket_free(socket), "free");
    if (++tasks->closed == tasks->job->connections)
        bench_check(bight_listener_close(tasks->listener), "close");
    return rc == BIGHT_ECONNRESET ? 0 : rc;
}

static int serve_websocket(void *arg)
{
    struct echo_tasks *tasks = arg;

    echo_tasks_listen(tasks);
    bench_check(bight_http_serve(tasks->listener, echo, tasks, NULL), "serve");
    return bight_listener_end(tasks->listener);
}

static int serve_tcp(void *arg)
{
    struct echo_tasks *tasks = arg;

    echo_tasks_listen(tasks);
    bench_check(bight_serve(tasks->listener, echo_buffered, tasks, NULL), "serve");
    return bight_listener_end(tasks->listener);
}

/* The load, by blocking sockets */

static int dial(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    bench_check(fd, "socket");
    bench_check(connect(fd, (const struct sockaddr *)&to, sizeof to) ? -errno : 0, "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void ask(int fd, const void *data, size_t bytes)
{
    bench_check(send(fd, data, bytes, 0) == (ssize_t)bytes ? 0 : -EIO, "send");
}

static void hear(int fd, size_t bytes)
{
    char data[256];

    bench_check(recv(fd, data, bytes, MSG_WAITALL) == (ssize_t)bytes ? 0 : -EIO, "recv");
}

static void upgrade(int fd)
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    char answer[1024];
    ssize_t count;

    ask(fd, request, sizeof request - 1);
    count = recv(fd, answer, sizeof answer, 0);
    bench_check(count > 12 && memcmp(answer, "HTTP/1.1 101", 12) == 0 ? 0 : -EIO, "answer");
}

static void put(const struct serving *serving, uint16_t port, uint64_t requests, size_t ask_bytes,
                size_t answer_bytes)
{
    static const char frame[ASK_BYTES] = {(char)0x82, (char)(0x80 | MESSAGE_BYTES), 1, 2, 3, 4};
    int *all = calloc(serving->connections, sizeof(*all));

    bench_check(all ? 0 : BIGHT_ENOMEM, "memory");
    for (unsigned i = 0; i < serving->connections; i++) {
        all[i] = dial(port);
        if (ask_bytes != answer_bytes)
            upgrade(all[i]);
    }
    for (uint64_t done = 0; done < requests; done += serving->connections) {
        for (unsigned i = 0; i < serving->connections; i++)
            ask(all[i], frame, ask_bytes);
        for (unsigned i = 0; i < serving->connections; i++)
            hear(all[i], answer_bytes);
    }
    for (unsigned i = 0; i < serving->connections; i++)
        close(all[i]);
    free(all);
}

static void put_frames(const struct serving *serving, uint16_t port, uint64_t requests)
{
    put(serving, port, requests, ASK_BYTES, ANSWER_BYTES);
}

static void put_bytes(const struct serving *serving, uint16_t port, uint64_t requests)
{
    put(serving, port, requests, MESSAGE_BYTES, MESSAGE_BYTES);
}

/* The row */

static struct serving frames = {.connections = 64, .bytes = MESSAGE_BYTES, .put = put_frames};
static struct serving plain = {.connections = 64, .bytes = MESSAGE_BYTES, .put = put_bytes};

static double of_websocket(void *arg, uint64_t operations)
{
    (void)arg;
    return serving_measured(&frames, "websocket", operations);
}

static double of_tcp(void *arg, uint64_t operations)
{
    (void)arg;
    return serving_measured(&plain, "tcp", operations);
}

static const struct bench_row rows[] = {
    {"ws_echo_64", "CPU us per request", "bight over TCP", of_websocket, of_tcp, NULL, 60000,
     .samples = ROUNDS},
};

int main(int argc, char **argv)
{
    struct serving_job job;

    serving_raise_descriptors();
    if (serving_job_read(argc, argv, &job)) {
        struct echo_tasks tasks = {.job = &job};

        bench_run(strcmp(argv[1], "tcp") == 0 ? serve_tcp : serve_websocket, &tasks);
        serving_job_done();
        return 0;
    }
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
