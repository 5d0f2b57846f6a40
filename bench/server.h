/* The HTTP servers of bench_server, their processes, and the load that is put on them. */
#ifndef BIGHT_BENCH_SERVER_H
#define BIGHT_BENCH_SERVER_H

#include "bench/nginx.h"
#include "bench/serving.h"

/* What all of them are asked for, and the file that the second is, in the folder they run in. Its
 * length is SERVER_FILE_BYTES. */
#define SERVER_HELLO "/hello"
#define SERVER_FILE "file"
#define SERVER_FILE_BYTES 65536

/* The servers, each in a process of its own that is this program again: until job->requests were
 * answered, or for ever if that is 0. The two of bight answer each request by a handler, that of
 * the file opens it as nginx does; the others are the floor. */
void server_bight(const struct serving_job *job);
void server_bight_file(const struct serving_job *job);
void server_epoll(const struct serving_job *job);
void server_epoll_file(const struct serving_job *job);

/* A server that runs until it is stopped. */
struct server_process {
    pid_t pid;    /* whose time and memory count */
    pid_t parent; /* of nginx: the process that was started; 0: pid itself */
    uint16_t port;
    struct nginx nginx;
};

/* Start "nginx", "go", or one of our own by the name that this program's command line has for it,
 * in `folder`; NULL: where this process is. It has answered a hello when this returns, and ends
 * with this process at the latest. */
void server_start(struct server_process *process, const char *name, const char *folder);
void server_stop(struct server_process *process);
/* CPU time that it has taken, all threads, as soon as it is idle. */
uint64_t server_cpu_ns(const struct server_process *process);

/* Connections that wait for nothing else between two requests. */
struct server_load {
    uint16_t port;
    unsigned connections;
    int *fds;
    char *buffer;
};

void server_load_open(struct server_load *load, uint16_t port, unsigned connections);
/* So many requests for `path`, over all connections in turn. */
void server_load_put(struct server_load *load, const char *path, uint64_t requests);
void server_load_close(struct server_load *load);
/* All three; for `put`. */
void server_put(const struct serving *serving, uint16_t port, uint64_t requests);

/* Let wrk ask for `path` for so many seconds. Returns how many requests were answered. */
uint64_t server_wrk(uint16_t port, const char *path, unsigned connections, uint64_t seconds);

#endif
