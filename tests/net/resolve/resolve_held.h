/* Lookups that a test holds in its hand, and calls of the resolver that wait for them: what the
 * suites of the resolver share. Each is a program of its own, so the state is too. */
#ifndef TESTS_NET_RESOLVE_RESOLVE_HELD_H
#define TESTS_NET_RESOLVE_RESOLVE_HELD_H

#include <bight.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include "net/resolve/resolve.h"
#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"

/* A lookup ends when the test lets it: one post of `go` each. */
static sem_t go, begun;
static atomic_int lookups, running, most_running;

static inline void prepare(void)
{
    sem_init(&go, 0, 0);
    sem_init(&begun, 0, 0);
}

static inline int held_lookup(void *arg, const char *host, struct bight_address *addresses,
                              size_t *count)
{
    int now = atomic_fetch_add(&running, 1) + 1;
    int most = atomic_load(&most_running);

    (void)arg;
    while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now))
        ;
    atomic_fetch_add(&lookups, 1);
    sem_post(&begun);
    sem_wait(&go);
    atomic_fetch_sub(&running, 1);
    if (!strncmp(host, "bad", 3))
        return strstr(host, "now") ? EAI_AGAIN : EAI_NONAME;
    *count = 2;
    addresses[0] = (struct bight_address){.family = 4, .bytes = {192, 0, 2, 1}};
    addresses[1] = (struct bight_address){.family = 6, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 7}};
    return 0;
}

static struct bight_resolver *resolver;

static inline int make(const struct bight_resolver_options *options)
{
    int rc = bight_resolver_new(&resolver, options);

    EXPECT(rc == 0);
    bight__resolver_set_lookup(resolver, held_lookup, NULL);
    return 0;
}

struct call {
    const char *host;
    struct bight_task *task;
    struct bight_resolved result;
    int rc;
};

static inline int call_main(void *arg)
{
    struct call *call = arg;

    call->rc = bight_resolve(resolver, call->host, &call->result);
    return 0;
}

static inline void start(struct call *call, const char *host)
{
    *call = (struct call){.host = host, .rc = 1};
    EXPECT(bight_spawn(&call->task, call_main, call) == 0);
    EXPECT(bight_yield() == 0);
}

static inline int finish(struct call *call)
{
    EXPECT(bight_join(call->task, NULL) == 0);
    return call->rc;
}

/* Threads end after the lookups they were in; the test's process must be able to count on it. */
static inline void close_quietly(void)
{
    struct bight_resolver_stats stats;

    bight_resolver_get_stats(resolver, &stats);
    for (unsigned i = 0; i < stats.busy; i++)
        sem_post(&go);
    bight_resolver_free(resolver);
}

#define IN_TASK(name)                                                                              \
    static int name##_main(void *arg);                                                             \
    static void name(void)                                                                         \
    {                                                                                              \
        ck_assert_int_eq(bight_run(name##_main, NULL), 0);                                         \
    }                                                                                              \
    static int name##_main(__attribute__((unused)) void *arg)

#endif
