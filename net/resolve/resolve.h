/* The private part of the resolver. resolve.c answers tasks; cache.c keeps what was found;
 * threads.c runs getaddrinfo. Loop and threads share only struct resolver_threads (under its lock)
 * and the jobs that pass through it. */
#ifndef BIGHT_NET_RESOLVE_RESOLVE_H
#define BIGHT_NET_RESOLVE_RESOLVE_H

#include <pthread.h>
#include <stdatomic.h>

#include <bight/mailbox.h>
#include <bight/resolve.h>

#include "coro/base/hash.h"
#include "coro/core/sched.h"
#include "net/resolve/door.h"

#define RESOLVE_HOST_BYTES 256

/* What the threads run. Returns getaddrinfo's code, 0 for success. Tests put their own here. */
typedef int (*resolve_lookup)(void *arg, const char *host, struct bight_address *addresses,
                              size_t *count);

struct resolve_entry;

enum resolve_kind {
    RESOLVE_HOST,    /* addresses of a name */
    RESOLVE_SERVICE, /* its port, that of the first address */
    RESOLVE_ADDRESS, /* the name of the first address */
};

/* What is looked up. */
struct resolve_question {
    enum resolve_kind kind;
    bool fresh;      /* not from what is kept */
    const char *key; /* of the entry. A host's is its name; the others' cannot be names of hosts */
    const struct bight_address *address; /* of a RESOLVE_ADDRESS */
};

/* What was found. */
struct resolve_answer {
    int gai_code;
    size_t count;
    union {
        struct bight_address addresses[BIGHT_RESOLVE_ADDRESSES];
        char name[BIGHT_RESOLVE_NAME_BYTES];
    };
};

/* One lookup on its way. The loop makes it; a thread fills it and posts it back. Counted by
 * reference: one is the entry's, one belongs to the queue, then the thread, then the post. */
struct resolve_job {
    struct bight_post post; /* first: the posted function gets its address */
    struct bight_link link; /* in the queue */
    struct bight_mailbox *mailbox;
    atomic_uint refs;
    struct resolve_entry *entry; /* for the loop's thread; NULL when the resolver is gone */
    bool queued;                 /* under the lock: no thread has it yet */
    enum resolve_kind kind;
    struct resolve_answer answer;
    char host[]; /* the question's key */
};

/* The threads' side, counted by reference: it outlives the resolver while a thread is stuck. */
struct resolver_threads {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* Guarded by the lock. */
    struct bight_link queue;
    size_t queued;
    unsigned threads;
    unsigned idle;
    unsigned refs;
    bool closed;
    /* Fixed at the start. */
    unsigned max_threads;
    resolve_lookup lookup;
    void *lookup_arg;
};

/* A name: known (job is NULL), or being looked up for the waiters. A stale one is for its waiters
 * only, and is not found any more. */
struct resolve_entry {
    struct bight_resolver *resolver;
    struct hash_node place;
    struct bight_link recent; /* in the resolver's list of known names; least recent first */
    struct bight_link waiters;
    struct resolve_job *job;
    uint64_t fresh_until_ns;
    bool stale;
    struct resolve_answer answer;
    char host[]; /* the question's key */
};

struct bight_resolver {
    struct bight_sched *sched;
    struct resolver_threads *threads;
    struct hash_table table;
    size_t known; /* in the list `recent` */
    struct bight_link recent;
    uint64_t ttl_ns;
    uint64_t failure_ttl_ns;
    size_t max_entries;
    size_t calls; /* tasks that are inside and look at it again */
    bool closed;
    struct bight_resolver_stats stats;
};

/* resolve.c: the opening of a call that suspends, inside from there until it leaves. Not inside if
 * it fails. */
int bight__resolver_enter(struct bight_resolver *resolver);
void bight__resolver_leave(struct bight_resolver *resolver);
/* Copy a host name in lower case into RESOLVE_HOST_BYTES; BIGHT_EINVAL for what cannot be one. */
int bight__resolve_host_name(const char *host, char *copy);
/* Have the answer from what is kept, else from a thread. `result` and `name` of the waiter say
 * where it goes. With `tries` BIGHT_EAGAIN instead of asking a thread. */
int bight__resolve_ask(struct bight_resolver *resolver, const struct resolve_question *question,
                       bool tries, struct resolve_waiter *waiter);
/* The same for the addresses of `host`, which may be a literal. */
int bight__resolve_host(struct bight_resolver *resolver, const char *host, bool fresh, bool tries,
                        struct resolve_waiter *waiter);

/* Replace getaddrinfo for hosts, before the first lookup. */
void bight__resolver_set_lookup(struct bight_resolver *resolver, resolve_lookup lookup, void *arg);

/* cache.c */
int bight__resolve_cache_init(struct bight_resolver *resolver);
struct resolve_entry *bight__resolve_find(struct bight_resolver *resolver, const char *host,
                                          uint64_t now_ns);
/* A new entry without a job, or NULL for want of memory. */
struct resolve_entry *bight__resolve_add(struct bight_resolver *resolver, const char *host);
/* The lookup of `entry` has ended: keep what it found, or forget the entry. */
void bight__resolve_keep(struct resolve_entry *entry, uint64_t now_ns);
void bight__resolve_drop(struct resolve_entry *entry);
/* Forget the entry, which is found no more. */
void bight__resolve_forget(struct resolve_entry *entry);
void bight__resolve_cache_fini(struct bight_resolver *resolver);

/* threads.c */
struct resolver_threads *bight__resolver_threads_new(const struct bight_seams *seams,
                                                     unsigned max_threads);
/* Queue the job for a thread, which takes one more reference, and start a thread if need be. On
 * failure the job is not queued. */
int bight__resolver_threads_submit(struct resolver_threads *threads, struct resolve_job *job);
/* Withdraw the job if it is still queued, and say so; the queue's reference is then released. */
bool bight__resolver_threads_withdraw(struct resolver_threads *threads, struct resolve_job *job);
/* Release the resolver's reference. Queued jobs must have been withdrawn. */
void bight__resolver_threads_close(struct resolver_threads *threads);
void bight__resolve_job_unref(struct resolve_job *job);

#endif
