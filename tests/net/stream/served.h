/* What the suites of net/stream/serve.c share: a bight_serve in a task of its own, handlers, and
 * clients that are plain sockets. */
#ifndef TESTS_NET_STREAM_SERVED_H
#define TESTS_NET_STREAM_SERVED_H

#include "tests/net/stream/wire.h"

/* Zero is a server that has not begun, with the default options. */
struct server {
    struct bight_serve_options options; /* `callback_arg` is the server */
    struct bight_listener *listener;
    int (*handler)(struct bight_stream *stream, void *arg);
    struct bight_task *task;
    /* What the handlers count. */
    size_t begun, ended;
    /* What the callbacks were told. */
    size_t failures, remaining;
    int last_code;
    char last_peer[64];
};

/* The call, for a task. `arg` is the server, here and below. */
int server_main(void *arg);
/* Begin it in a task; with a listener of 127.0.0.1, unless the server has one. */
void server_begin(struct server *server, int (*handler)(struct bight_stream *stream, void *arg));
/* The same, with clients whose handlers have begun. */
void server_begin_with_clients(struct server *server,
                               int (*handler)(struct bight_stream *stream, void *arg), int *fds,
                               size_t count);
/* The same, with one client, which is returned. */
int server_begin_with_client(struct server *server,
                             int (*handler)(struct bight_stream *stream, void *arg));
/* A client. */
int server_dial(const struct server *server);

/* Wait for the call, end the listener, and give what the call returned. */
int server_join(struct server *server);
/* The same, with the listener closed before. */
int server_close(struct server *server);

/* Wait until the count has that value. */
void server_wait(const size_t *count, size_t value);

/* Handlers: one that sends back what comes, one that sleeps until it is cancelled. */
int server_echo(struct bight_stream *stream, void *arg);
int server_hold(struct bight_stream *stream, void *arg);

/* For the options: notes what it is told. */
void server_on_failure(void *arg, const struct bight_stream *stream, int code);

/* The next that a client sees is the end, or a reset. Closes it. */
void server_expect_end(int fd);
void server_expect_reset(int fd);

#endif
