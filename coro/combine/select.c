/* Select: try each case, then wait for all in one park. Nothing runs between the call and the park:
 * a source that was there at the call is there when it is tried, and a case that could not happen
 * when it was tried cannot have happened when it is armed, unless another attempt saw to it, as
 * with the two ends of a stream in memory: such a case looks again when it is armed. The park
 * resolves exactly one waiter and lets the others go. Cases: cases.c. */
#include "coro/core/source.h"

#include <bight/select.h>

#include <limits.h>

/* *itself: whether one of them is the end of `self`. A case without ops is invalid: see cases.c. */
static inline bool cases_sound(const struct bight_case *cases, size_t count, unsigned flags,
                               const struct bight_task *self, bool *itself)
{
    bool found = false;

    if (!cases || count == 0 || count > INT_MAX ||
        flags & ~(BIGHT_SELECT_ORDERED | BIGHT_SELECT_TRY))
        return false;
    for (const struct bight_case *at = cases; at != cases + count; at++) {
        if (unlikely(!at->ops))
            return false;
        if (unlikely(at->source == self))
            found = true;
    }
    *itself = found;
    return true;
}

static inline struct bight_case *attempt_from(struct bight_case *at, const struct bight_case *end)
{
    for (; at != end; at++) {
        if (at->ops->attempt(at))
            return at;
    }
    return NULL;
}

/* Have the case share the park of `first`, and arm it. */
static inline int arm(struct bight_case *at, struct bight_waiter *first, struct bight_task *self,
                      size_t *outside)
{
    const struct bight_case_ops *ops = at->ops;

    bight__waiter_begin_of(&at->waiter, ops->wait, self);
    at->waiter.also = first->also;
    first->also = &at->waiter;
    *outside += ops->wait->flags & BIGHT_WAITER_OUTSIDE;
    return ops->arm(at);
}

/* Arm them until one has happened. *outside: how many of them wait for the outside. */
static inline int arm_from(struct bight_case *at, const struct bight_case *end,
                           struct bight_waiter *first, struct bight_task *self, size_t *outside)
{
    for (; at != end; at++) {
        int rc = arm(at, first, self, outside);

        if (unlikely(rc) && bight_waiter_drop(&at->waiter) == 0)
            return rc;
        if (unlikely(!first->task))
            break;
    }
    return 0;
}

static int chosen_of(struct bight_case *cases, struct bight_waiter *winner)
{
    struct bight_case *chosen = bight_case_of(winner);

    chosen->status = winner->result;
    if (chosen->ops->settle)
        chosen->ops->settle(chosen);
    return (int)(chosen - cases);
}

/* Arm one after the other and sleep. The order is that of the attempts, so the same lot decides who
 * waits longer for a turn at a source. A function of its own, for its registers. */
static __attribute__((noinline)) int wait_all(struct bight_case *cases, size_t count, size_t start,
                                              struct bight_task *self)
{
    struct bight_waiter *first = &cases[start].waiter;
    size_t outside = 0;
    int rc = arm_from(&cases[start], cases + count, first, self, &outside);

    if (likely(!rc && first->task))
        rc = arm_from(cases, &cases[start], first, self, &outside);
    if (unlikely(rc))
        return rc;
    if (likely(first->task))
        rc = bight__park_begun(self, &cases[0].waiter, outside);
    first = bight__ring_winner(first);
    return likely(first) ? chosen_of(cases, first) : rc;
}

/* One of so many, by a multiplication: a remainder costs 20 to 40 steps of the processor. */
static size_t draw(struct bight_sched *sched, size_t count)
{
    return (size_t)((bight__random(sched) >> 32) * (uint64_t)count >> 32);
}

/* The index of the case that happened, or a negative code. */
static int choose(struct bight_case *cases, size_t count, unsigned flags, struct bight_task *self)
{
    struct bight_case *chosen;
    size_t start = 0;

    if (count > 1 && !(flags & BIGHT_SELECT_ORDERED))
        start = draw(self->sched, count);
    chosen = attempt_from(&cases[start], cases + count);
    if (!chosen)
        chosen = attempt_from(cases, &cases[start]);
    if (chosen)
        return (int)(chosen - cases);
    return flags & BIGHT_SELECT_TRY ? BIGHT_EAGAIN : wait_all(cases, count, start, self);
}

int bight_select(struct bight_case *cases, size_t count, unsigned flags)
{
    struct bight_task *self = bight__self();
    bool itself;
    int rc;

    if (unlikely(!cases_sound(cases, count, flags, self, &itself)))
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (unlikely(rc))
        return rc;
    rc = itself ? BIGHT_EDEADLK : choose(cases, count, flags, self);
    bight__breathe(self);
    return rc;
}
