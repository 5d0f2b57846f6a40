/* Exact counts of what this process holds, so that a test can assert that nothing was left behind.
 * Knows nothing of bight. */
#ifndef TESTS_HARNESS_SUPPORT_H
#define TESTS_HARNESS_SUPPORT_H

#include <check.h>
#include <netinet/in.h>

/* File descriptors of this process that are open now. */
int test_open_fds(void);

/* Mappings of this process, without malloc's heap, which in a forked child grows by mappings. */
int test_maps(void);

/* Resident memory of this process in KiB. */
long test_resident_kib(void);

/* A TCP socket bound to a free port of loopback, not listening; its address. */
int test_bound_socket(struct sockaddr_in *address);

#endif
