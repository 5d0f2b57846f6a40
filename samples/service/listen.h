/* Where the service listens: at an address of its own, or on a socket that it was handed. */
#ifndef SAMPLES_SERVICE_LISTEN_H
#define SAMPLES_SERVICE_LISTEN_H

#include <bight/listener.h>

/* Call it first: the socket that a service manager has handed to this process, by the protocol of
 * systemd's sd_listen_fds(3), and no process after it. -1: there is none. */
int listen_inherited(void);

/* Listen on `inherited`, which it then takes, or if that is -1 at host and port. Returns as
 * bight_tcp_listen. Gives *out. */
BIGHT_MUST_CHECK int listen_begin(struct bight_listener **out, int inherited, const char *host,
                                  uint16_t port);

#endif
