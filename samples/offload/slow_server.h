/* A server that takes its time, in a thread with a runtime of its own, so that it answers whatever
 * the program does meanwhile: somebody else's service, as far as a lesson is concerned. A request
 * is a line, "MILLISECONDS PATH", the time that the answer takes; the answer is the line
 * "PATH: 200". For the path "/broken" the connection is closed instead. A connection takes one
 * request after the other. */
#ifndef SAMPLES_OFFLOAD_SLOW_SERVER_H
#define SAMPLES_OFFLOAD_SLOW_SERVER_H

#include <bight/base.h>

#include <stdint.h>

struct slow_server;

#define SLOW_LINE_BYTES 64

/* Start it on 127.0.0.1, at `*port`, which the system chooses. Suspends. Gives *out. */
BIGHT_MUST_CHECK int slow_server_start(struct slow_server **out, uint16_t *port);

/* Stop it and join its thread. Takes server. */
void slow_server_stop(struct slow_server *server);

/* The blocking side of a client, for threads and workers; a negative code is a failure. */
BIGHT_MUST_CHECK int slow_connect(uint16_t port); /* the socket */
BIGHT_MUST_CHECK int slow_ask(int socket, int64_t latency_ms, const char *path,
                              char answer[SLOW_LINE_BYTES]);

/* One request over a connection of its own: on a thread, which blocks, or in a task, which sleeps
 * and is cancellable. */
BIGHT_MUST_CHECK int slow_fetch_blocking(uint16_t port, int64_t latency_ms, const char *path,
                                         char answer[SLOW_LINE_BYTES]);
BIGHT_MUST_CHECK int slow_fetch(uint16_t port, int64_t latency_ms, const char *path,
                                char answer[SLOW_LINE_BYTES]);

#endif
