/* The clients of the soak of connections: a crowd for a server that sends back what comes, in a
 * process of its own, over plain sockets. Some do nothing once they were served; the others talk,
 * close one half, reset, send drop by drop or read late, and make room for the next one. */
#ifndef TESTS_SOAK_LOAD_H
#define TESTS_SOAK_LOAD_H

#include <stdint.h>

struct load_order {
    uint32_t idle;   /* connections that are served once, and closed when the others are over */
    uint32_t active; /* at a time */
    uint32_t ms;     /* for so long active ones follow on another */
    uint32_t late;   /* not 0: all active ones read late, and hold the server up */
};

/* What became of an order, when all of its connections are closed. */
struct load_report {
    uint64_t connections;
    uint64_t bytes; /* that came back */
    uint64_t resets;
    uint64_t halves; /* closed in one half first */
    uint64_t slow;
};

/* Carry out the orders that are read from `control` and answer each with its report, until the
 * end. Ends the process with a message when the server does not do what it should. */
void load_serve(int control, uint16_t port);

#endif
