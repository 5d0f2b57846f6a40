/* Ways of waiting in an exchange of the HTTP server: the handler of a request sleeps while a seat
 * makes the call, and afterwards shows what has become of the answer. The client is main. */
#ifndef TESTS_WAYS_EXCHANGE_H
#define TESTS_WAYS_EXCHANGE_H

#include <bight/server.h>

#include "tests/ways/ways.h"

/* What a call leaves that was cancelled while the client took nothing, and before a byte went out:
 * that it was cancelled before it began must leave nothing at all. */
enum exchange_left {
    LEFT_NOTHING, /* it can be made again */
    LEFT_REFUSED, /* the handler's failure is still answered */
    LEFT_RESET,   /* the connection is only good to be reset */
};

/* A call that answers, by its name. */
struct exchange_call {
    const char *name;
    const char *request;
    /* Called by main before, may be NULL. */
    void (*prepare)(struct stage *stage);
    int (*make)(struct stage *stage);
    enum exchange_left left;
    /* All that the client then gets, but for the header Date; NULL: whatever has the status 200. */
    const char *wanted;
};

/* Defined by the program; ends with one without a name. */
extern const struct exchange_call exchange_calls[];

/* Have stage->exchange of a request that main has sent. The handler sleeps until exchange_end, then
 * calls `finish` and returns what that returned. `capacity`: of the pair. */
void exchange_begin(struct stage *stage, const char *request, size_t capacity,
                    int (*finish)(struct stage *stage));
/* Let the handler go on, hear what the client gets, end the client's half; what serving has
 * returned. */
int exchange_end(struct stage *stage, const char **heard);

/* The parts of ways for an exchange_call. To a client that has taken nothing, or to one that can
 * be sent some bytes, but not all. */
void full_exchange_open(struct stage *stage);
void narrow_exchange_open(struct stage *stage);
int exchange_wait(struct seat *seat);
/* The same of a call that takes memory. */
int exchange_wait_with_memory(struct seat *seat);
void exchange_wake(struct stage *stage);
void full_exchange_close(struct stage *stage);
void narrow_exchange_close(struct stage *stage);

#endif
