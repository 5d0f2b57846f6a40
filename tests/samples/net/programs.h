/* Servers of samples/net as programs: started like a user would start them, and ended by a
 * signal. */
#ifndef TESTS_SAMPLES_NET_PROGRAMS_H
#define TESTS_SAMPLES_NET_PROGRAMS_H

#include <stdint.h>
#include <sys/types.h>

struct server {
    pid_t pid;
    uint16_t port;
};

/* Start it and wait until it says where it listens. */
struct server server_start(const char *const *argv);
/* It ends by the signal, as a service does, with status 0. */
void server_stop(const struct server *server, int signum);
/* Its resident memory in KiB. */
long server_resident_kib(const struct server *server);

#endif
