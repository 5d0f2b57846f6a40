/* Programs of others that talk to bight_http_serve: started in a folder of their own, with a
 * configuration and with listening sockets of ports that the kernel chose, so that nobody waits for
 * them to come up; and a client that asks them. */
#ifndef TESTS_NET_SERVER_PEER_H
#define TESTS_NET_SERVER_PEER_H

#include "tests/net/server/listened.h"

#include <sys/types.h>

#define PEER_NGINX "/usr/sbin/nginx"
#define PEER_HAPROXY "/usr/sbin/haproxy"
#define PEER_PYTHON "/usr/bin/python3"

#define PEER_PORTS 4

struct peer {
    pid_t pid;
    char folder[64];
    int fds[PEER_PORTS]; /* listen */
    uint16_t ports[PEER_PORTS];
    int count;
    struct bight_stream *out; /* what it prints; NULL for proxies */
};

/* The port of `listened`, where the server of the test is. */
unsigned peer_behind(void);

/* Make a folder and `count` listening sockets, which the program is to inherit. */
void peer_prepare(struct peer *peer, int count);
/* Start nginx, whose `http` block has these lines: "listen 127.0.0.1:PORT" of each port takes the
 * socket that was made. */
void peer_start_nginx(struct peer *peer, const char *lines);
/* Start haproxy with these lines behind its defaults; "bind fd@FD" takes a socket. */
void peer_start_haproxy(struct peer *peer, const char *lines);
/* End a proxy, and remove its folder. */
void peer_stop(struct peer *peer);

/* Start any program; argv[0] is a path. It ends by itself. */
void peer_start(struct peer *peer, const char *const *argv);
/* All that it printed, when it has ended with status 0. One buffer. */
const char *peer_finish(struct peer *peer);

/* A client of the port `which` of a proxy. */
struct bight_stream *peer_dial(const struct peer *peer, int which);
/* Ask over a connection of its own and hear all, as listened_hear has it. */
const char *peer_ask(const struct peer *peer, int which, const char *request);

/* Insist on text in `heard`. */
void peer_has(const char *heard, const char *part);

/* Run `scene` as a main task, in real time, with `handler` behind; nothing may be left open. The
 * server must end without a failure. */
void peer_play(int (*scene)(void), int (*handler)(struct bight_exchange *exchange, void *arg),
               const struct bight_http_serve_options *options);

#endif
