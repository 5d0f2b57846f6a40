/* What the programs of this folder that are C and C++ share: the command line, the clock and what
 * the rows of memory and echo need. All programs here, in any language, are called so:
 *
 *     PROGRAM             prints the rows it has, a line each
 *     PROGRAM ROW COUNT   does about so many operations of that row and prints what one of them
 *                         took: ns of the process's CPU time, or bytes
 *
 * In the row of echo the program starts the load, which is what PEER_LOAD names. */
#ifndef BIGHT_BENCH_PEER_H
#define BIGHT_BENCH_PEER_H

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ECHO_CONNECTIONS 64
#define ECHO_BYTES 64
#define ECHO_BUFFER_BYTES 32768
#define QUEUE_PLACES 128

struct peer_row {
    const char *name;
    /* What one of `count` operations took. */
    double (*run)(uint64_t count);
};

static inline uint64_t peer_cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static inline double peer_ns_each(uint64_t begin_ns, uint64_t operations)
{
    return (double)(peer_cpu_ns() - begin_ns) / (double)operations;
}

/* End the program unless that went well. */
static inline void peer_check(int well, const char *what)
{
    if (well)
        return;
    perror(what);
    exit(1);
}

static inline uint64_t peer_batches(uint64_t count, uint64_t batch)
{
    return count < batch ? 1 : count / batch;
}

/* The same numbers for all; 1 to 100 for the sleeps of a row. */
static inline uint64_t peer_random(void)
{
    static uint64_t state = UINT64_C(88172645463325252);

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static inline uint64_t peer_resident_bytes(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    peer_check(file && fscanf(file, "%*u %llu", &pages) == 1, "/proc/self/statm");
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static inline int peer_listen(uint16_t *port)
{
    struct sockaddr_in name;
    socklen_t bytes = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer_check(fd >= 0 && !bind(fd, (const struct sockaddr *)&name, bytes), "bind");
    peer_check(!listen(fd, 4096), "listen");
    peer_check(!getsockname(fd, (struct sockaddr *)&name, &bytes), "getsockname");
    *port = ntohs(name.sin_port);
    return fd;
}

/* Start what connects to that port, sends `count` messages in all and closes. */
static inline pid_t peer_load_start(uint16_t port, uint64_t count)
{
    const char *load = getenv("PEER_LOAD");
    char words[2][24];
    pid_t pid;

    if (!load) {
        fprintf(stderr, "PEER_LOAD does not name the load (build/release/bench/peer_load)\n");
        exit(1);
    }
    snprintf(words[0], sizeof words[0], "%u", port);
    snprintf(words[1], sizeof words[1], "%" PRIu64, count);
    pid = fork();
    if (pid == 0) {
        execl(load, load, words[0], words[1], (char *)NULL);
        _exit(127);
    }
    peer_check(pid > 0, "fork");
    return pid;
}

static inline void peer_load_end(pid_t pid)
{
    int status = -1;

    peer_check(waitpid(pid, &status, 0) == pid && status == 0, "load");
}

static inline int peer_main(int argc, char **argv, const struct peer_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (argc < 2) {
            printf("%s\n", rows[i].name);
        } else if (argc == 3 && !strcmp(rows[i].name, argv[1])) {
            printf("%.6g\n", rows[i].run(strtoull(argv[2], NULL, 10)));
            return 0;
        }
    }
    if (argc >= 2)
        fprintf(stderr, "usage: %s [ROW COUNT]; without arguments: the rows\n", argv[0]);
    return argc < 2 ? 0 : 2;
}

#endif
