/* Select: try each case, then wait for all in one park. Nothing runs between the call and the park:
 * a source that was there at the call is there when it is tried, and a case that could not happen
 * when it was tried cannot have happened when it is armed, unless another attempt saw to it, as
 * with the two ends of a stream in memory: such a case looks again when it is armed. The park
 * resolves exactly one waiter and lets the others go. Cases: cases.c. */
#include "coro/core/source.h"

#include <bight/select.h>

#include <limits.h>

/* Whether a select can wait for such cases. */
static bool is_sound(const struct bight_case_ops *ops)
{
    return ops && ops->attempt && ops->arm && ops->wait && ops->wait->abort &&
           !(ops->wait->flags & BIGHT_WAITER_MAY_REFUSE);
}

/* *itself: whether one of them is the end of `self`. Cases beside each other are often of one
 * kind. */
static bool cases_sound(const struct bight_case *cases, size_t count, unsigned flags,
                        const struct bight_task *self, bool *itself)
{
    const struct bight_case_ops *sound = NULL;
    bool found = false;

    if (!cases || count == 0 || count > INT_MAX ||
        flags & ~(BIGHT_SELECT_ORDERED | BIGHT_SELECT_TRY))
        return false;
    for (const struct bight_case *at = cases; at != cases + count; at++) {
        if (at->ops != sound || !sound) {
            if (!is_sound(at->ops))
                return false;
            sound = at->ops;
        }
        found |= at->source == self;
    }
    *itself = found;
    return true;
}

/* The case after `at`, around the end. */
static inline struct bight_case *case_after(struct bight_case *cases, size_t count,
                                            struct bight_case *at)
{
    return at + 1 == cases + count ? cases : at + 1;
}

static struct bight_case *attempt_all(struct bight_case *cases, size_t count, size_t start)
{
    struct bight_case *at = &cases[start];

    do {
        if (at->ops->attempt(at))
            return at;
        at = case_after(cases, count, at);
    } while (at != &cases[start]);
    return NULL;
}

/* Join the waiters in one park; nothing is armed yet. They may share it: their cases are sound. */
static void link_all(struct bight_case *cases, size_t count, struct bight_task *self)
{
    struct bight_waiter *before = &cases[count - 1].waiter;

    for (struct bight_case *at = cases; at != cases + count; at++) {
        bight__waiter_begin_of(&at->waiter, at->ops->wait, self);
        at->waiter.also = before;
        before = &at->waiter;
    }
}

/* Arm one after the other, until one has happened. The order is that of the attempts, so the same
 * lot decides who waits longer for a turn at a source. */
static int arm_all(struct bight_case *cases, size_t count, size_t start)
{
    struct bight_case *at = &cases[start];

    do {
        int rc;

        if (!at->waiter.task)
            return 0;
        rc = at->ops->arm(at);
        if (rc && bight_waiter_drop(&at->waiter) == 0)
            return rc;
        at = case_after(cases, count, at);
    } while (at != &cases[start]);
    return 0;
}

static struct bight_case *winner_of(struct bight_case *cases, size_t count)
{
    for (struct bight_case *at = cases; at != cases + count; at++) {
        if (at->waiter.won)
            return at;
    }
    return NULL;
}

static int wait_all(struct bight_case *cases, size_t count, size_t start, struct bight_task *self)
{
    struct bight_case *chosen;
    int rc;

    link_all(cases, count, self);
    rc = arm_all(cases, count, start);
    if (rc)
        return rc;
    rc = bight_park(&cases[0].waiter);
    chosen = winner_of(cases, count);
    if (!chosen)
        return rc;
    chosen->status = chosen->waiter.result;
    if (chosen->ops->settle)
        chosen->ops->settle(chosen);
    return (int)(chosen - cases);
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
    chosen = attempt_all(cases, count, start);
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
