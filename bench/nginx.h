/* An nginx of our own for the benches of HTTP: one worker on a free loopback port, serving files of
 * a temporary folder, and /hello, which is a line of text from its configuration. */
#ifndef BIGHT_BENCH_NGINX_H
#define BIGHT_BENCH_NGINX_H

#include <stddef.h>
#include <sys/types.h>

struct nginx {
    pid_t pid;
    int port;
    char folder[64];
};

/* Start it on CPU `cpu`, with a file of `bytes[i]` bytes for each of names[i] up to a NULL. It
 * takes requests as soon as this returns, and ends with this process at the latest. */
void nginx_start(struct nginx *nginx, int cpu, const char *const *names, const size_t *bytes);
/* One more file: text of made-up words, which the server says is in gzip, and it is. */
void nginx_add_text(const struct nginx *nginx, const char *name, size_t bytes);
void nginx_stop(struct nginx *nginx);

#endif
