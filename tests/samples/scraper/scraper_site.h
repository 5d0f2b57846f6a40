/* A web site made by a test, in a process of its own: what a path answers is a row of a table, or
 * made by a function. Every connection has a thread, so that pages may be slow or never come. */
#ifndef TESTS_SAMPLES_SCRAPER_SCRAPER_SITE_H
#define TESTS_SAMPLES_SCRAPER_SCRAPER_SITE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SITE_REQUESTS_MAX 8192
#define SITE_PATH_BYTES 128

struct site_reply {
    /* The whole head without the empty line, such as "200 OK\r\nContent-Type: text/html"; a
     * Content-Length is added unless `raw`. NULL: the request is never answered; "": there is none,
     * the connection ends after the body. */
    const char *head;
    const char *body;
    size_t body_bytes;
    /* The head says all, the connection ends after the body. */
    bool raw;
    /* The body is repeated until the peer has enough. */
    bool endless;
    /* Between two of those. */
    unsigned pause_ms;
    unsigned delay_ms;
    /* The body is to be freed. */
    bool owned;
};

#define OK_HTML "200 OK\r\nContent-Type: text/html"
#define OK_TYPE(type) "200 OK\r\nContent-Type: " type

/* A plain reply. */
void site_reply(struct site_reply *reply, const char *head, const char *body, size_t size);

/* Fill in the reply to GET `path`; `hits` counts the requests for it, this one included. Runs on
 * any thread of the site's process. */
typedef void site_handler(const char *path, int port, int hits, struct site_reply *reply);

struct site_log {
    atomic_int count;
    struct {
        /* The path is written; until then it is not to be read. */
        atomic_bool ready;
        char path[SITE_PATH_BYTES];
    } requests[SITE_REQUESTS_MAX];
};

struct site {
    int port;
    pid_t pid;
    /* What was asked for, shared with the site's process. */
    struct site_log *log;
};

void site_start(struct site *site, site_handler *handler);
void site_stop(struct site *site);

/* How many requests for `path` there were. */
int site_hits(const struct site *site, const char *path);

/* A socket bound to a port of the loopback: `listening`, it lets clients connect and never answers;
 * not, it refuses them. Returns the descriptor. */
int site_socket(int *port, bool listening);

#endif
