/* The commands of the sample redis. */
#ifndef SAMPLES_NET_REDIS_H
#define SAMPLES_NET_REDIS_H

#include "samples/net/resp.h"
#include "samples/net/store.h"

/* A connection: one request at a time, and the answers to those of a batch. */
struct redis_session {
    struct store *store;
    struct resp_request request;
    struct resp_answers answers;
    bool over; /* nothing more is to be read */
};

/* Do what the request says, of at least one word, and add its answer. */
void redis_command(struct redis_session *session);

#endif
