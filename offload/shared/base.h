/* How those who share a segment wait for each other. Everything that can be waited for begins with
 * an event count: a word that each change increments. Who waits reads it, tries, and sleeps for as
 * long as the word is what it was: a thread in the kernel (futex), a task in a park. So nobody who
 * is killed has anything that another needs: a waiter leaves nothing behind, and what a killed
 * changer did not tell the host tells, when it learns of the death (bight__shared_death).
 *
 *   base.c      the event count: waiting and waking
 *   segment.c   segments: memory, which of them this process has, deaths
 *   ring.c      the lock, the indices and the storage of queue and pipe
 *   mutex.c, semaphore.c, event.c, barrier.c, queue.c, pipe.c
 *
 * Nothing that is read in a segment is believed: see ring.c. All files run in the host and in
 * workers; only tasks of the runtime that made a segment, `runtime`, wait on it. */
#ifndef BIGHT_OFFLOAD_SHARED_BASE_H
#define BIGHT_OFFLOAD_SHARED_BASE_H

#include <bight/shared.h>

#include "coro/core/source.h"
#include "offload/shared/segment.h"

/* base->kind. No small numbers, so that what was not initialised is not taken for an object. */
enum shared_kind {
    SHARED_MUTEX = 0x6d757478,
    SHARED_SEMAPHORE = 0x73656d61,
    SHARED_EVENT = 0x65766e74,
    SHARED_BARRIER = 0x62617272,
    SHARED_QUEUE = 0x71756575,
    SHARED_PIPE = 0x70697065,
};

/* The word after `base` in a mutex, a queue and a pipe: 0, or a process's number in the upper half
 * and in the lower what tells its tasks and threads apart. These are a mutex's only. */
#define OWNER_DIED UINT64_C(1)          /* free, but in disorder */
#define OWNER_GONE UINT64_C(2)          /* and nobody can mend it any more */
#define OWNER_MENDS (UINT64_C(1) << 31) /* held, and still in disorder */

/* Fields that others change meanwhile. */
#define shared_load(field) __atomic_load_n(&(field), __ATOMIC_SEQ_CST)
#define shared_store(field, value) __atomic_store_n(&(field), value, __ATOMIC_SEQ_CST)
#define shared_swap(field, expected, value)                                                        \
    __atomic_compare_exchange_n(&(field), expected, value, false, __ATOMIC_SEQ_CST,                \
                                __ATOMIC_SEQ_CST)

/* Something that may have to wait. */
struct shared_call {
    struct bight_shared *segment; /* where it lies; filled in by bight__shared_call */
    struct bight__shared_base *base;
    const struct bight_waiter_ops *ops;
    /* Does it, without waiting. BIGHT_EAGAIN: it has to wait for a change. */
    int (*attempt)(struct shared_call *call);
};

/* The ops of a kind's waits: the name, and this hook. */
int bight__shared_abort(struct bight_waiter *waiter);

/* What opens a call that may wait: the checkpoint of a task, 0 on a plain thread. Inlined like the
 * checkpoint. */
__attribute__((always_inline)) static inline int bight__shared_begin(void)
{
    struct bight_task *self;

    return bight__sched ? bight__checkpoint(&self) : 0;
}

/* The segment of an object of `bytes` that is of this kind; NULL: there is none. */
struct bight_shared *bight__shared_of(const struct bight__shared_base *base, size_t bytes,
                                      enum shared_kind kind);

/* Attempt until the result is not BIGHT_EAGAIN. `timeout_ms` as in <bight/shared.h>. */
int bight__shared_call(struct shared_call *call, int64_t timeout_ms);

/* `base` has changed: wake all that wait for that. */
void bight__shared_changed(struct bight_shared *segment, struct bight__shared_base *base);

/* The same without the tasks. */
void bight__shared_stir(struct bight__shared_base *base);

/* Wake the tasks of `segment` that wait for what has changed; all of them, if `all`. On the loop's
 * thread. */
void bight__shared_wake_tasks(struct bight_shared *segment, bool all);

/* Who calls, as mutexes know owners; not 0, and below 2^30 in the lower half. */
uint64_t bight__shared_self(const struct bight_shared *segment);

#endif
