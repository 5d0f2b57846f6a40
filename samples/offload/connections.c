/* A connection for each thread: the lesson of `threading.local()`.
 *
 * To notice: in Python the first call on a thread makes its connection, and nobody closes it. Here
 * the executor says when a thread begins and ends: `init` opens, `teardown` closes, and between
 * them each call on that thread finds the connection by bight_threads_local. So a connection is
 * used by one call at a time without a lock, and there are as many as there are threads, however
 * many requests wait. A thread whose `init` fails takes no calls. */
#include "samples/offload/lesson.h"
#include "samples/offload/slow_server.h"

#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/threads.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 3
#define REQUESTS 12

struct where {
    uint16_t port;
    atomic_uint opened, closed;
};

struct connection {
    int socket;
    struct where *where;
};

static int open_connection(void *arg, void **local) /* on a thread, as is all up to `request` */
{
    struct where *where = arg;
    struct connection *connection = malloc(sizeof *connection);

    if (!connection)
        return BIGHT_ENOMEM;
    connection->where = where;
    connection->socket = slow_connect(where->port);
    if (connection->socket < 0) {
        int rc = connection->socket;

        free(connection);
        return rc;
    }
    atomic_fetch_add(&where->opened, 1);
    *local = connection;
    return 0;
}

static void close_connection(void *local)
{
    struct connection *connection = local;

    close(connection->socket);
    atomic_fetch_add(&connection->where->closed, 1);
    free(connection);
}

struct request {
    struct bight_executor *threads;
    char path[16];
    char answer[SLOW_LINE_BYTES];
};

static int ask(void *arg)
{
    struct request *request = arg;
    const struct connection *connection = bight_threads_local();

    return slow_ask(connection->socket, 20, request->path, request->answer);
}

static int process_request(void *arg) /* a task */
{
    struct request *request = arg;

    return bight_threads_call(request->threads, ask, request);
}

static int process_requests(struct bight_executor *threads)
{
    struct request requests[REQUESTS];
    int right = 0, rc;

    for (int i = 0; i < REQUESTS; i++) {
        requests[i].threads = threads;
        (void)snprintf(requests[i].path, sizeof requests[i].path, "/%d", i);
    }
    rc = bight_map(process_request, requests, sizeof requests[0], REQUESTS, REQUESTS, 0);
    if (rc)
        return rc;
    for (int i = 0; i < REQUESTS; i++) {
        size_t length = strlen(requests[i].path);

        right += strncmp(requests[i].answer, requests[i].path, length) == 0 &&
                 strcmp(requests[i].answer + length, ": 200") == 0;
    }
    printf("%d requests, %d answers\n", REQUESTS, right);
    return 0;
}

/* All threads start at once, to show as many connections on a slow day too; without threads_least
 * they come when calls wait, and go when they have none. */
static int use_connections(struct where *where)
{
    struct bight_threads_options options = {
        .threads_most = THREADS,
        .threads_least = THREADS,
        .init = open_connection,
        .init_arg = where,
        .teardown = close_connection,
        .name = "client",
    };
    struct bight_executor *threads;
    int ended, rc = bight_threads_new(&threads, &options);

    if (rc)
        return rc;
    rc = process_requests(threads);
    ended = bight_executor_end(threads);
    if (rc == 0 && ended == 0)
        printf("%d threads, %u connections, %u closed\n", THREADS, atomic_load(&where->opened),
               atomic_load(&where->closed));
    return rc ? rc : ended;
}

static int lesson(void *arg)
{
    struct where where = {.port = 0};
    struct slow_server *server;
    int rc = slow_server_start(&server, &where.port);

    (void)arg;
    if (rc)
        return rc;
    rc = use_connections(&where);
    slow_server_stop(server);
    return rc;
}

int main(void)
{
    return lesson_status("connections", bight_run(lesson, NULL));
}
