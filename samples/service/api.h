/* What can be asked of the service: its routes. README.md has them as a table. */
#ifndef SAMPLES_SERVICE_API_H
#define SAMPLES_SERVICE_API_H

#include <bight/executor.h>
#include <bight/router.h>

#include "samples/service/store.h"

/* What the handlers work with. */
struct service {
    struct store *store;
    struct bight_executor *workers;
    int64_t deadline_ms;
    /* A signal has come. */
    bool draining;
    /* Requests that reached the router; those of them that are answered, by the first digit of the
     * status, and those of which the handler failed. The server has refused the others. */
    uint64_t begun;
    uint64_t answered[10];
    uint64_t failed;
    uint64_t refused;
};

/* Make a router with all of it, for bight_router_free. Returns as bight_router_add. */
BIGHT_MUST_CHECK int api_new(struct bight_router **out, struct service *service);

/* GET /healthz, GET /metrics. */
BIGHT_MUST_CHECK int health(struct bight_exchange *exchange, void *service);
BIGHT_MUST_CHECK int metrics(struct bight_exchange *exchange, void *service);

#endif
