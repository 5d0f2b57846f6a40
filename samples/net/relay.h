/* What the proxies of this folder share: a connection that is passed on to a host. */
#ifndef SAMPLES_NET_RELAY_H
#define SAMPLES_NET_RELAY_H

#include <stdint.h>

struct bight_stream;

struct relay_host {
    const char *name;
    uint16_t port;
};

/* Connect to the host and copy both ways until both ends have been seen. */
int relay(struct bight_stream *client, const struct relay_host *host);

#endif
