/* The load of bench_server: wrk, and one of our own over blocking sockets for what has to be so
 * many requests exactly. Both send the same request. */
#include "bench/bench.h"
#include "bench/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <bight/errors.h>

#define LOAD_CPU 1
#define BUFFER_BYTES (SERVER_FILE_BYTES + 4096)
#define PATIENCE_S 10

/* A connection is closed by a reset: otherwise its port would be taken for a minute, and tens of
 * thousands of them are used. */
static int dial(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const struct linger reset = {.l_onoff = 1};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    bench_check(fd < 0 ? -errno : 0, "socket");
    bench_check(connect(fd, (const struct sockaddr *)&to, sizeof to) ? -errno : 0, "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    return fd;
}

void server_load_open(struct server_load *load, uint16_t port, unsigned connections)
{
    *load = (struct server_load){.port = port, .connections = connections};
    load->fds = calloc(connections, sizeof *load->fds);
    load->buffer = malloc(BUFFER_BYTES + 1);
    bench_check(load->fds && load->buffer ? 0 : BIGHT_ENOMEM, "memory");
    for (unsigned i = 0; i < connections; i++)
        load->fds[i] = dial(port);
}

/* The length of an answer, headers and body, of which `text` is the beginning; 0: not all headers
 * are there. */
static size_t answer_bytes(const char *text)
{
    static const char name[] = "\r\nContent-Length: ";
    const char *body = strstr(text, "\r\n\r\n"), *length = strstr(text, name);

    if (!body)
        return 0;
    bench_check(!strncmp(text, "HTTP/1.1 200 ", 13) ? 0 : BIGHT_EPROTOCOL, "status");
    bench_check(length && length < body ? 0 : BIGHT_EPROTOCOL, "Content-Length");
    return (size_t)(body + 4 - text) + strtoul(length + sizeof name - 1, NULL, 10);
}

static void hear(const struct server_load *load, int fd)
{
    size_t came = 0, wanted = 0;

    do {
        ssize_t count = recv(fd, load->buffer + came, BUFFER_BYTES - came, 0);

        bench_check(count < 0 ? -errno : count ? 0 : BIGHT_EOF, "the server does not answer");
        came += (size_t)count;
        load->buffer[came] = '\0';
        if (!wanted)
            wanted = answer_bytes(load->buffer);
        bench_check(wanted <= BUFFER_BYTES ? 0 : BIGHT_ETOOBIG, "answer");
    } while (!wanted || came < wanted);
    bench_check(came == wanted ? 0 : BIGHT_EPROTOCOL, "answer");
}

void server_load_put(struct server_load *load, const char *path, uint64_t requests)
{
    char request[128];
    size_t bytes = (size_t)snprintf(
        request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", path, load->port);

    while (requests > 0) {
        unsigned count = requests < load->connections ? (unsigned)requests : load->connections;

        for (unsigned i = 0; i < count; i++)
            bench_check(send(load->fds[i], request, bytes, MSG_NOSIGNAL) < 0 ? -errno : 0, "send");
        for (unsigned i = 0; i < count; i++)
            hear(load, load->fds[i]);
        requests -= count;
    }
}

void server_load_close(struct server_load *load)
{
    for (unsigned i = 0; i < load->connections; i++)
        close(load->fds[i]);
    free(load->fds);
    free(load->buffer);
}

void server_put(const struct serving *serving, uint16_t port, uint64_t requests)
{
    struct server_load load;

    server_load_open(&load, port, serving->connections);
    server_load_put(&load, SERVER_HELLO, requests);
    server_load_close(&load);
}

uint64_t server_wrk(uint16_t port, const char *path, unsigned connections, uint64_t seconds)
{
    char url[64], over[24], during[24];
    const char *const arguments[] = {"-t1", over, during, url, NULL};
    struct bench_again again = {.program = "wrk", .arguments = arguments, .cpu = LOAD_CPU};
    char *report, *line;
    uint64_t requests;

    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    snprintf(over, sizeof over, "-c%u", connections);
    snprintf(during, sizeof during, "-d%llus", (unsigned long long)seconds);
    report = bench_again(&again);
    line = strstr(report, " requests in ");
    if (!line || strstr(report, "Socket errors") || strstr(report, "Non-2xx")) {
        fputs(report, stderr);
        bench_fail(BIGHT_EPROTOCOL, "wrk");
    }
    while (line > report && line[-1] != '\n')
        line--;
    requests = strtoull(line, NULL, 10);
    free(report);
    return requests;
}
