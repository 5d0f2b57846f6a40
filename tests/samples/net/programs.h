/* Servers of samples/net as programs: started like a user would start them, and ended by a
 * signal. */
#ifndef TESTS_SAMPLES_NET_PROGRAMS_H
#define TESTS_SAMPLES_NET_PROGRAMS_H

#include <stdint.h>
#include <sys/types.h>

struct bight_stream;

struct server {
    pid_t pid;
    uint16_t port;
};

/* Start it and wait until it says where it listens. */
struct server server_start(const char *const *argv);
/* It ends by the signal, as a service does, with status 0. */
void server_stop(const struct server *server, int signum);
/* SIGTERM again and again until it has ended; server_stop, with 0, says how. */
void server_hurry(const struct server *server);
/* Its resident memory in KiB. */
long server_resident_kib(const struct server *server);

/* Start it, run `scene(&server)` as a main task, and end it. */
void server_play(const char *const *argv, int (*scene)(void *arg));

/* For scenes: a connection to it, what is said, and that nothing more comes, for the server has
 * ended it. */
struct bight_stream *server_dial(const struct server *server);
void scene_says(struct bight_stream *stream, const char *text);
void scene_is_over(struct bight_stream *stream);

#endif
