/* Names to addresses and back, and names of services to ports. getaddrinfo runs on a few threads of
 * the resolver's own; equal lookups are merged, results are kept for a while, and a task that waits
 * can be cancelled at once, whatever getaddrinfo does. Literals, numbers and fresh results need no
 * thread. */
#ifndef BIGHT_RESOLVE_H
#define BIGHT_RESOLVE_H

#include <bight/address.h>
#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_resolver;

/* How many addresses of one name are kept; the rest is dropped. */
#define BIGHT_RESOLVE_ADDRESSES 16

/* What a lookup found. About 500 bytes, meant for the stack. */
struct bight_resolved {
    /* In the order in which they should be tried (RFC 6724, as getaddrinfo sorts them). */
    struct bight_address addresses[BIGHT_RESOLVE_ADDRESSES];
    size_t count;
    /* The code of getaddrinfo (EAI_NONAME, ...) behind a BIGHT_ERESOLVE, otherwise 0; and its
     * static text. */
    int gai_code;
    const char *text;
    /* No thread was asked: a literal, or a result that was still fresh. */
    bool cached;
};

/* Zero is the default for every field. */
struct bight_resolver_options {
    /* The most threads, and so the most lookups at a time, those included that nobody waits for any
     * more; default 4. Threads are started on demand and end when they are idle. */
    unsigned max_threads;
    /* How long a result is used; default 60,000; negative: never, though lookups that run at the
     * same time are still merged. */
    int64_t ttl_ms;
    /* The same for "no such name"; default 5,000. Other failures are not kept. */
    int64_t failure_ttl_ms;
    /* The most names kept; the one unused for longest is dropped first. Default 1,024. */
    unsigned max_entries;
};

/** Make a resolver of this thread's runtime. It starts no thread yet. A session of the HTTP client
 *  makes its own unless it is given one.
 *
 *  @return 0; BIGHT_ENOMEM; BIGHT_ENORUNTIME.
 *  Ownership: borrows options, NULL for the defaults; gives *out, to be freed with
 *  bight_resolver_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_resolver_new(struct bight_resolver **out,
                                                  const struct bight_resolver_options *options);

/** Look up `host`: a name (in its ASCII form), an IPv4 or an IPv6 literal with or without brackets.
 *  `localhost` and what is under it are the loopback even where the system does not know them.
 *  A lookup that nobody waits for any more goes on in its thread, and its result is kept.
 *
 *  @return 0; BIGHT_ERESOLVE: result->gai_code and text say why; BIGHT_EINVAL: not a host name;
 *          BIGHT_EAGAIN: no thread can be started; BIGHT_ENOMEM; BIGHT_ECANCELED; BIGHT_ECLOSED:
 *          the resolver was freed meanwhile; BIGHT_EPERM: it is another thread's; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED at once, `result` is unspecified.
 *  Allocates: an entry for a name that is not known yet.
 *  Thread: the loop's.  Ownership: borrows all; result is filled on success and on BIGHT_ERESOLVE.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_resolve(struct bight_resolver *resolver, const char *host,
                                             struct bight_resolved *result);

/** The resolver that the runtime has for those who are given none, made when it is first needed.
 *
 *  @return 0; BIGHT_ENOMEM; BIGHT_ENORUNTIME.
 *  Ownership: *out stays the runtime's, and lives as long as that: do not free it.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_resolver_default(struct bight_resolver **out);

/* What is wanted of a lookup. Zero is the default for every field. */
struct bight_resolve_options {
    /* Only addresses of this family, 4 or 6; default: both, in their order. What is kept has both,
     * so a lookup for one family serves those for the other. */
    uint8_t family;
    /* A service, by its name ("https") or number ("443"), whose port the addresses get; default:
     * port 0. A name is looked up as by bight_resolve_service. */
    const char *service;
    /* The service is one of UDP; default: of TCP. */
    bool udp;
    /* Ask the system, whatever is kept; its answer is kept then. A lookup that is on its way is
     * joined all the same. */
    bool fresh;
};

/** bight_resolve with options.
 *
 *  @return as bight_resolve; BIGHT_ERESOLVE also when there is no address of that family, and no
 *          such service (EAI_SERVICE); BIGHT_EINVAL: an unknown family, or not a service.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED at once, `result` is unspecified.
 *  Allocates: an entry for a name that is not known yet.
 *  Thread: the loop's.  Ownership: borrows all, options may be NULL for the defaults; result is
 *  filled on success and on BIGHT_ERESOLVE.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_resolve_with(struct bight_resolver *resolver, const char *host,
                                                  const struct bight_resolve_options *options,
                                                  struct bight_resolved *result);

/** bight_resolve_with that does not wait: literals, and what is kept. With `fresh`, literals only.
 *
 *  @return as bight_resolve_with; BIGHT_EAGAIN: a thread would have to be asked.
 *  Ownership: borrows all, options may be NULL for the defaults; result is filled on success and on
 *  BIGHT_ERESOLVE.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_try_resolve(struct bight_resolver *resolver, const char *host,
                                                 const struct bight_resolve_options *options,
                                                 struct bight_resolved *result);

/** The port of a service of TCP, or with `udp` of UDP, by its name (/etc/services) or number.
 *  Numbers are not looked up.
 *
 *  @return 0; BIGHT_ERESOLVE: there is no such service; BIGHT_EINVAL: neither a name nor a port;
 *          otherwise as bight_resolve.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED at once.
 *  Allocates: an entry for a name that is not known yet.
 *  Thread: the loop's.  Ownership: borrows all; port is set on success.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_resolve_service(struct bight_resolver *resolver,
                                                     const char *service, bool udp, uint16_t *port);

/* Room for a name, with its final NUL. */
#define BIGHT_RESOLVE_NAME_BYTES 256

/* The name of an address. */
struct bight_resolved_name {
    /* As whoever has the address chose it: it proves nothing, and may be any text. */
    char name[BIGHT_RESOLVE_NAME_BYTES];
    /* As of struct bight_resolved. */
    int gai_code;
    const char *text;
    bool cached;
};

/** Look up the name of `address`, whose port does not count. Its numbers as text, without a lookup,
 *  are what bight_address_text gives.
 *
 *  @return 0; BIGHT_ERESOLVE: it has none, or result->gai_code and text say why; BIGHT_EINVAL: not
 *          an address; otherwise as bight_resolve.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED at once, `result` is unspecified.
 *  Allocates: an entry for an address that is not known yet.
 *  Thread: the loop's.  Ownership: borrows all; result is filled on success and on BIGHT_ERESOLVE.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_resolve_name(struct bight_resolver *resolver,
                                                  const struct bight_address *address,
                                                  struct bight_resolved_name *result);

/** Forget all that is kept. Lookups on their way are for those who wait already: their results are
 *  not kept, and later calls do not join them.
 */
BIGHT_API void bight_resolver_flush(struct bight_resolver *resolver);

/** Forget what is kept of one host, as bight_resolver_flush.
 *
 *  @return 0; BIGHT_ENOENT: nothing was; BIGHT_EINVAL: not a host name; BIGHT_EPERM: the resolver
 *          is another thread's.
 */
BIGHT_API int bight_resolver_forget(struct bight_resolver *resolver, const char *host);

/** Free the resolver: lookups that tasks wait for fail with BIGHT_ECLOSED, idle threads end. A
 *  thread inside getaddrinfo ends on its own afterwards; what it needs lives until then.
 *
 *  Ownership: takes resolver; NULL does nothing.
 */
BIGHT_API void bight_resolver_free(struct bight_resolver *resolver);

struct bight_resolver_stats {
    /* Threads that exist; those of them inside a lookup. */
    unsigned threads;
    unsigned busy;
    /* Lookups that wait for a thread. */
    size_t queued;
    /* Names kept, those being looked up included. */
    size_t entries;
    /* Since the start: lookups given to threads; calls answered without one; calls that joined a
     * lookup already under way. */
    uint64_t lookups;
    uint64_t hits;
    uint64_t merged;
};

/** Counts of the resolver. */
BIGHT_API void bight_resolver_get_stats(struct bight_resolver *resolver,
                                        struct bight_resolver_stats *stats);

BIGHT_END_DECLS

#endif
