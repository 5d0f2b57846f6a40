/* What proxies share: a connection that is passed on. */
#ifndef SAMPLES_COMMON_RELAY_H
#define SAMPLES_COMMON_RELAY_H

#include <stdint.h>

struct bight_stream;

/* Copy until both ends have been seen; if one copy fails, the other is cancelled. */
int relay_both_ways(struct bight_stream *one, struct bight_stream *other);

struct relay_host {
    const char *name;
    uint16_t port;
};

/* Connect to the host and relay both ways. */
int relay(struct bight_stream *client, const struct relay_host *host);

#endif
