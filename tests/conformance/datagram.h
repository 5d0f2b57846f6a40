/* For the conformance suites: an endpoint for datagrams in direct style, on libuv's UDP handle. */
#ifndef TESTS_CONFORMANCE_DATAGRAM_H
#define TESTS_CONFORMANCE_DATAGRAM_H

#include <bight/uv.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "tests/conformance/conf.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

struct datagram {
    char bytes[64];
    size_t count;
    union address from;
};

struct endpoint {
    uv_udp_t udp;
    char buffer[64];
    /* What has arrived and was not taken yet. */
    struct datagram pending[8];
    int first;
    int last;
    struct bight_waiter *receiver;
};

/* Make the handle; the socket comes with the first use. */
void endpoint_init(struct endpoint *endpoint);
/* The same around a socket that exists. 0 or the error; the handle is to be closed in any case. */
int endpoint_init_with(struct endpoint *endpoint, int fd);
/* Bind to a free port of `host`, 127.0.0.1 or ::1; 0 or the error. */
int endpoint_bind(struct endpoint *endpoint, const char *host);
/* Receive from now on. */
void endpoint_start(struct endpoint *endpoint);
void endpoint_address(const struct endpoint *endpoint, union address *address);
/* Send the text, to where the endpoint is connected when `to` is NULL. 0 or the error. */
int endpoint_send(struct endpoint *endpoint, const char *text, const union address *to);
/* Sleep until a datagram has come, and take it. */
int endpoint_receive(struct endpoint *endpoint, struct datagram *datagram);
/* Insist on the next one being that text. */
void endpoint_expect(struct endpoint *endpoint, const char *text);
void endpoint_close(struct endpoint *endpoint);

#endif
