/* Select: try each case, then wait for all in one park. Nothing runs between the call and the park:
 * a source that was there at the call is there when it is tried, and a case that could not happen
 * when it was tried cannot have happened when it is armed, unless another attempt saw to it, as
 * with the two ends of a stream in memory: such a case looks again when it is armed. The park
 * resolves exactly one waiter and lets the others go. Cases: cases.c. */
#include "coro/core/source.h"

#include <bight/select.h>

#include <limits.h>

static bool cases_sound(const struct bight_case *cases, size_t count, unsigned flags)
{
    if (!cases || count == 0 || count > INT_MAX ||
        flags & ~(BIGHT_SELECT_ORDERED | BIGHT_SELECT_TRY))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct bight_case_ops *ops = cases[i].ops;

        if (!ops || !ops->attempt || !ops->arm || !ops->wait || !ops->wait->abort ||
            ops->wait->flags & BIGHT_WAITER_MAY_REFUSE)
            return false;
    }
    return true;
}

static bool waits_for_itself(const struct bight_case *cases, size_t count,
                             const struct bight_task *self)
{
    for (size_t i = 0; i < count; i++) {
        if (cases[i].source == self)
            return true;
    }
    return false;
}

/* The case `steps` after `start`, around the end. */
static struct bight_case *case_at(struct bight_case *cases, size_t count, size_t start,
                                  size_t steps)
{
    size_t left = count - start;

    return &cases[steps < left ? start + steps : steps - left];
}

static struct bight_case *attempt_all(struct bight_case *cases, size_t count, size_t start)
{
    for (size_t i = 0; i < count; i++) {
        struct bight_case *at = case_at(cases, count, start, i);

        if (at->ops->attempt(at))
            return at;
    }
    return NULL;
}

/* Join the waiters in one park; nothing is armed yet. */
static int link_all(struct bight_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bight__waiter_begin(&cases[i].waiter, cases[i].ops->wait);
        int rc = i ? bight_waiter_also(&cases[i].waiter, &cases[0].waiter) : 0;
        if (rc)
            return rc;
    }
    return 0;
}

/* Arm one after the other, until one has happened. The order is that of the attempts, so the same
 * lot decides who waits longer for a turn at a source. */
static int arm_all(struct bight_case *cases, size_t count, size_t start)
{
    for (size_t i = 0; i < count; i++) {
        struct bight_case *at = case_at(cases, count, start, i);
        int rc;

        if (!bight_waiter_pending(&at->waiter))
            return 0;
        rc = at->ops->arm(at);
        if (rc && bight_waiter_drop(&at->waiter) == 0)
            return rc;
    }
    return 0;
}

static struct bight_case *winner_of(struct bight_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bight_waiter_won(&cases[i].waiter))
            return &cases[i];
    }
    return NULL;
}

static int wait_all(struct bight_case *cases, size_t count, size_t start)
{
    struct bight_case *chosen;
    int rc = link_all(cases, count);

    if (rc == 0)
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

/* The index of the case that happened, or a negative code. */
static int choose(struct bight_case *cases, size_t count, unsigned flags,
                  const struct bight_task *self)
{
    struct bight_case *chosen;
    size_t start = 0;

    if (waits_for_itself(cases, count, self))
        return BIGHT_EDEADLK;
    if (count > 1 && !(flags & BIGHT_SELECT_ORDERED))
        start = bight__random_below(self->sched, count);
    chosen = attempt_all(cases, count, start);
    if (chosen)
        return (int)(chosen - cases);
    return flags & BIGHT_SELECT_TRY ? BIGHT_EAGAIN : wait_all(cases, count, start);
}

int bight_select(struct bight_case *cases, size_t count, unsigned flags)
{
    struct bight_task *self;
    int rc;

    if (!cases_sound(cases, count, flags))
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (unlikely(rc))
        return rc;
    rc = choose(cases, count, flags, self);
    bight__breathe(self);
    return rc;
}
