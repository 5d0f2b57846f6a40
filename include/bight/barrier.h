/* Barrier: a fixed number of tasks, its parties, meet before any of them goes on, round after
 * round. Using one never allocates. Not for threads. */
#ifndef BIGHT_BARRIER_H
#define BIGHT_BARRIER_H

#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

enum bight_barrier_state {
    /* Waits for parties. */
    BIGHT_BARRIER_FILLING,
    /* All parties have come, and not all have gone on yet. */
    BIGHT_BARRIER_DRAINING,
    /* It was reset, and not all tasks that were inside have left yet. */
    BIGHT_BARRIER_RESETTING,
    /* It was aborted. */
    BIGHT_BARRIER_BROKEN,
};

/* All fields are private. */
struct bight_barrier {
    enum bight_barrier_state state;
    int parties;
    int inside;
    int entering;
    struct bight_link parked;  /* of those inside */
    struct bight_link outside; /* for a later round */
};

/* A barrier for `parties` tasks, at least 1, as bight_barrier_init makes it. One that is all zero
 * has no parties: a wait says BIGHT_EINVAL, and its state is BIGHT_BARRIER_BROKEN. */
#define BIGHT_BARRIER_INIT(parties)                                                                \
    {                                                                                              \
        BIGHT_BARRIER_FILLING, (parties), 0, 0, BIGHT__LIST_INIT, BIGHT__LIST_INIT                 \
    }

/** Make a barrier for `parties` tasks. There is nothing to destroy.
 *
 *  @return 0; BIGHT_EINVAL for fewer than one.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_barrier_init(struct bight_barrier *barrier, int parties);

/** Sleep until all parties have come. A task that comes before all parties of the last round have
 *  gone on waits for that first, and belongs to the next round. A cancelled task leaves and does
 *  not count; that does not break the barrier.
 *
 *  @return the caller's place among the parties of this round, 0 for the first to come to parties-1
 *          for the last, each once; BIGHT_EBROKEN: the barrier is broken, or was broken or reset
 *          before the caller had gone on; BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, the caller is not counted.
 *  Allocates: no.  Thread: the loop's.  Ownership: keeps barrier until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_barrier_wait(struct bight_barrier *barrier);

/** Break the barrier: all tasks that wait, and all that come later, get BIGHT_EBROKEN until it is
 *  reset.
 *
 *  @return 0; BIGHT_EPERM: tasks of another thread's runtime wait at it.
 */
BIGHT_API int bight_barrier_abort(struct bight_barrier *barrier);

/** Begin a new round: tasks inside get BIGHT_EBROKEN, and the next round begins when they have
 *  left. Mends a broken barrier.
 *
 *  @return 0; BIGHT_EPERM: tasks of another thread's runtime wait at it.
 */
BIGHT_API int bight_barrier_reset(struct bight_barrier *barrier);

/** The barrier's state. */
BIGHT_API enum bight_barrier_state bight_barrier_get_state(const struct bight_barrier *barrier);

/** The number of parties that the barrier was made for. */
BIGHT_API int bight_barrier_parties(const struct bight_barrier *barrier);

/** How many parties have come while it is filling; else 0. */
BIGHT_API int bight_barrier_waiting(const struct bight_barrier *barrier);

BIGHT_END_DECLS

#endif
