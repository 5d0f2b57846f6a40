/* What the benches of servers share: the server is this program again, on one core, with a listener
 * that it inherits; the load is a process on the other core. */
#ifndef BIGHT_BENCH_SERVING_H
#define BIGHT_BENCH_SERVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct serving {
    unsigned connections;
    bool one_each;                                  /* as many connections as requests */
    size_t bytes;                                   /* of a request; for `put` */
    const char *const *tool;                        /* what watches the server; NULL: nothing */
    double (*count)(const char *report, pid_t pid); /* what that counted */
    /* The load's process: so many requests to that port, over `connections` of them; then all are
     * closed. */
    void (*put)(const struct serving *serving, uint16_t port, uint64_t requests);
};

/* Run `server` under that load. Returns what it printed, which the caller frees. Its command line:
 * SERVER LISTENER CONNECTIONS REQUESTS [counted]. */
char *serving_run(const struct serving *serving, const char *server, uint64_t requests, pid_t *pid);

/* CPU us per request, or what is counted: the difference between a run of `requests` and one of a
 * third, so that start, connecting and end are no part of it. */
double serving_measured(const struct serving *serving, const char *server, uint64_t requests);

/* What `server` prints, by connection, when there were so many and each was served once. */
double serving_idle_bytes(const struct serving *serving, const char *server, uint64_t connections);

/* A listening socket for a server to inherit, which is non-blocking, and its port for the load. */
int serving_listen(uint16_t *port);

/* The server's side: take so many connections from `listener` and return what comes, until all of
 * them were closed. */
struct serving_job {
    int listener; /* non-blocking */
    unsigned connections;
    uint64_t requests; /* in all; for servers that end by themselves after so many */
    /* Called once each connection has been served once, all being idle then; NULL: nobody. */
    void (*all_idle)(void);
};
/* False: the command line is not that of a server. */
bool serving_job_read(int argc, char **argv, struct serving_job *job);
/* Print what serving_measured reads. */
void serving_job_done(void);

/* Resident memory of this process, and of another one. */
uint64_t serving_resident_bytes(void);
uint64_t serving_resident_bytes_of(pid_t pid);

/* As many descriptors as the system lets us have, here and in what is started. */
void serving_raise_descriptors(void);

#endif
