/* What the servers of this folder share: a listener whose port is printed, and SIGINT, which closes
 * it, so that bight_serve drains and returns. */
#ifndef SAMPLES_NET_SERVE_H
#define SAMPLES_NET_SERVE_H

#include <stdint.h>

struct bight_stream;

/* Serve on `port` of the loopback address, 0 for any, until SIGINT or SIGTERM comes. Returns what
 * bight_serve did, or why it could not begin. */
int serve_until_signal(uint16_t port, int (*handler)(struct bight_stream *stream, void *arg),
                       void *arg);

/* A port number, or -1. */
int parse_port(const char *text);

#endif
