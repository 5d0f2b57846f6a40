/* The resolver as the rest of net/ sees it: a resolution that can be ended from outside and says
 * how long its result is valid. resolve.h is its private part. */
#ifndef BIGHT_NET_RESOLVE_DOOR_H
#define BIGHT_NET_RESOLVE_DOOR_H

#include <bight/resolve.h>
#include <bight/waiter.h>

#include "coro/base/door.h"

/* A task that waits for a name. */
struct resolve_waiter {
    struct bight_waiter waiter;
    struct resolve_entry *entry;
    struct bight_resolved *result;
    char *name; /* of BIGHT_RESOLVE_NAME_BYTES, of an address; else NULL */
    uint64_t fresh_until_ns;
};

/* bight_resolve, with the time until which the result may be used again. With the caller's `waiter`
 * the wait can be ended from outside, by bight__resolve_interrupt. */
BIGHT_INTERNAL_API int bight__resolve(struct bight_resolver *resolver, const char *host,
                                      struct bight_resolved *result, struct resolve_waiter *waiter);
BIGHT_INTERNAL_API void bight__resolve_interrupt(struct resolve_waiter *waiter, int code);

/* The runtime's own resolver, made when it is first needed, which lives as long as the runtime. 0;
 * BIGHT_ENOMEM; BIGHT_ENORUNTIME. */
int bight__resolver_default(struct bight_resolver **out);

#endif
