/* Exact counts of what this process holds, so that a test can assert that nothing was left behind.
 * Knows nothing of bight. */
#ifndef TESTS_HARNESS_SUPPORT_H
#define TESTS_HARNESS_SUPPORT_H

#include <check.h>
#include <netinet/in.h>
#include <sys/types.h>

/* File descriptors of this process that are open now. */
int test_open_fds(void);

/* Mappings of this process, without malloc's heap, which in a forked child grows by mappings. */
int test_maps(void);

/* Resident memory of this process in KiB. */
long test_resident_kib(void);

/* A TCP socket bound to a free port of loopback, not listening; its address. */
int test_bound_socket(struct sockaddr_in *address);

/* waitpid(2), read(2), accept(2) and a blocking connect(2) that no signal ends: see
 * scripts/signal-storm. */
pid_t test_waitpid(pid_t pid, int *status, int options);
ssize_t test_read(int fd, void *buffer, size_t bytes);
/* Up to the end, or until there are so many; stdio's calls end with the first signal. */
size_t test_read_all(int fd, void *buffer, size_t bytes);
int test_accept(int fd);
int test_connect(int fd, const struct sockaddr *address, socklen_t bytes);

/* In a process that `parent` forked: end by `signal` when the parent ends, or at once if it has. */
void test_die_with(pid_t parent, int signal);

#endif
