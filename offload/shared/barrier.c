/* The barrier: one word with how many have come to this round, the number of the round, and that of
 * the reset. The last to come begins the next round by the same exchange by which it comes, so that
 * there is no moment at which a process that is killed leaves others waiting for a round that is
 * complete. Nobody waits for those who have been slow to leave the round before, as
 * <bight/barrier.h> does: they may have been killed. */
#include "offload/shared/base.h"

/* The fields of the word: 20 bits, 1, 27 and 16. */
#define COME UINT64_C(0xfffff)
#define BROKEN (UINT64_C(1) << 20)
#define ROUND (UINT64_C(1) << 21)
#define ROUNDS (UINT64_C(0x7ffffff) << 21)
#define RESET (UINT64_C(1) << 48)
#define PARTIES_MAX 1000000

struct barrier_call {
    struct shared_call call;
    const struct bight_shared_barrier *barrier;
    uint64_t state; /* when the caller had come */
};

static struct bight_shared *segment_of(const struct bight_shared_barrier *barrier)
{
    return bight__shared_of(&barrier->base, sizeof(*barrier), SHARED_BARRIER);
}

static const struct bight_waiter_ops barrier_ops = {
    .name = "shared barrier", .abort = bight__shared_abort, .flags = BIGHT_WAITER_OUTSIDE};

static bool same_round(uint64_t a, uint64_t b)
{
    return ((a ^ b) & ~COME) == 0;
}

/* The round that the caller came to is over. */
static int outcome(uint64_t came, uint64_t state)
{
    return (state & BROKEN) || (state / RESET) != (came / RESET) ? BIGHT_EBROKEN
                                                                 : (int)(came & COME) - 1;
}

static int attempt(struct shared_call *call)
{
    const struct barrier_call *wait = container_of(call, struct barrier_call, call);
    uint64_t state = shared_load(wait->barrier->state);

    return same_round(state, wait->state) ? BIGHT_EAGAIN : outcome(wait->state, state);
}

/* Come. *state is then what it has become; true: the round is complete, and *index is the caller's
 * in it. */
static bool come(struct bight_shared_barrier *barrier, uint64_t *state, int *index)
{
    uint64_t before = shared_load(barrier->state), after;
    bool last;

    do {
        if (before & BROKEN) {
            *state = before;
            return false;
        }
        last = (before & COME) + 1 >= shared_load(barrier->parties);
        after = last ? (before & ~(COME | ROUNDS)) | ((before + ROUND) & ROUNDS) : before + 1;
    } while (!shared_swap(barrier->state, &before, after));
    *state = after;
    *index = (int)(before & COME);
    return last;
}

/* The caller does not wait any more, because of `rc`. If its round is complete, it was counted. */
static int go(struct bight_shared_barrier *barrier, uint64_t came, int rc)
{
    uint64_t state = shared_load(barrier->state);

    do {
        if (!same_round(state, came))
            return outcome(came, state) < 0 ? rc : outcome(came, state);
    } while (!shared_swap(barrier->state, &state, (state & COME) ? state - 1 : state));
    return rc;
}

int bight_shared_barrier_init(struct bight_shared_barrier *barrier, int parties)
{
    int rc;

    if (!barrier || parties < 1 || parties > PARTIES_MAX)
        return BIGHT_EINVAL;
    rc = bight__shared_enter(&barrier->base, sizeof(*barrier), SHARED_BARRIER);
    if (rc)
        return rc;
    barrier->parties = (uint32_t)parties;
    shared_store(barrier->base.kind, SHARED_BARRIER);
    return 0;
}

int bight_shared_barrier_wait(struct bight_shared_barrier *barrier, int64_t timeout_ms)
{
    struct barrier_call wait = {.barrier = barrier};
    int rc, index;

    if (!barrier)
        return BIGHT_EINVAL;
    rc = bight__shared_begin();
    if (rc)
        return rc;
    wait.call = (struct shared_call){segment_of(barrier), &barrier->base, &barrier_ops, attempt};
    if (!wait.call.segment)
        return BIGHT_EINVAL;
    if (come(barrier, &wait.state, &index)) {
        bight__shared_changed(wait.call.segment, &barrier->base);
        return index;
    }
    if (wait.state & BROKEN)
        return BIGHT_EBROKEN;
    rc = bight__shared_call(&wait.call, timeout_ms);
    return rc >= 0 || rc == BIGHT_EBROKEN ? rc : go(barrier, wait.state, rc);
}

/* Change the round's state so that those who wait see it. */
static int end_round(struct bight_shared_barrier *barrier, bool broken)
{
    struct bight_shared *segment = barrier ? segment_of(barrier) : NULL;
    uint64_t state;

    if (!segment)
        return BIGHT_EINVAL;
    state = shared_load(barrier->state);
    while (!shared_swap(barrier->state, &state,
                        broken ? (state & ~COME) | BROKEN : ((state & ~(COME | BROKEN)) + RESET)))
        ;
    bight__shared_changed(segment, &barrier->base);
    return 0;
}

int bight_shared_barrier_abort(struct bight_shared_barrier *barrier)
{
    return end_round(barrier, true);
}

int bight_shared_barrier_reset(struct bight_shared_barrier *barrier)
{
    return end_round(barrier, false);
}

int bight_shared_barrier_waiting(const struct bight_shared_barrier *barrier)
{
    uint64_t state;

    if (!barrier || !segment_of(barrier))
        return BIGHT_EINVAL;
    state = shared_load(barrier->state);
    return state & BROKEN ? BIGHT_EBROKEN : (int)(state & COME);
}
