/* Barrier: those inside are counted until they have left, so a reset or an abort still reaches the
 * ones that were woken and have not run. A task that comes meanwhile waits outside.
 *
 * When a round is over, as many of those outside as there are places are woken. Their places are
 * reserved (`entering`), but they are inside only once they run: a reset by the last one to leave
 * the old round does not concern them. */
#include "coro/core/source.h"

#include <bight/barrier.h>

#include <stdio.h>

struct barrier_wait {
    struct bight_waiter waiter;
    struct bight_barrier *barrier;
    int place;
};

/* A record that is all zero has no parties. */
static bool is_sound(const struct bight_barrier *barrier)
{
    return barrier && barrier->parties > 0;
}

/* Whether tasks of another thread's runtime wait. */
static bool is_foreign(const struct bight_barrier *barrier)
{
    return bight__waiters_are_foreign(&barrier->parked) ||
           bight__waiters_are_foreign(&barrier->outside);
}

static void admit(struct bight_barrier *barrier)
{
    struct bight_link *link;

    while (barrier->state == BIGHT_BARRIER_FILLING &&
           barrier->inside + barrier->entering < barrier->parties &&
           (link = list_take(&barrier->outside))) {
        if (bight_unpark(container_of(link, struct bight_waiter, link), 0))
            barrier->entering++;
    }
}

static int inside_abort(struct bight_waiter *waiter)
{
    struct bight_barrier *barrier = container_of(waiter, struct barrier_wait, waiter)->barrier;

    link_remove(&waiter->link);
    barrier->inside--;
    admit(barrier);
    return 0;
}

static void barrier_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct bight_barrier *barrier =
        container_of(waiter, struct barrier_wait, waiter)->barrier;

    snprintf(text, text_bytes, "%d of %d inside", barrier->inside, barrier->parties);
}

static const struct bight_waiter_ops inside_ops = {
    .name = "barrier",
    .abort = inside_abort,
    .describe = barrier_describe,
};

static const struct bight_waiter_ops outside_ops = {
    .name = "next round of a barrier",
    .abort = bight__unlink_abort,
    .describe = barrier_describe,
};

int bight_barrier_init(struct bight_barrier *barrier, int parties)
{
    if (!barrier || parties < 1)
        return BIGHT_EINVAL;
    barrier->state = BIGHT_BARRIER_FILLING;
    barrier->parties = parties;
    barrier->inside = 0;
    barrier->entering = 0;
    link_init(&barrier->parked);
    link_init(&barrier->outside);
    return 0;
}

/* One of those inside leaves. The last one makes room for the next round. */
static void leave(struct bight_barrier *barrier)
{
    if (--barrier->inside || barrier->state == BIGHT_BARRIER_BROKEN)
        return;
    barrier->state = BIGHT_BARRIER_FILLING;
    admit(barrier);
}

/* Wake all inside; they look at the state when they run. */
static void wake_parked(struct bight_barrier *barrier)
{
    struct bight_link *link;
    int place = 0;

    while ((link = list_take(&barrier->parked))) {
        struct barrier_wait *wait = container_of(link, struct barrier_wait, waiter.link);

        wait->place = place++;
        bight_unpark(&wait->waiter, 0);
    }
}

/* Wait outside until there is a place. */
static int enter(struct bight_barrier *barrier)
{
    struct barrier_wait wait = {.barrier = barrier};
    bool was_admitted = false;
    int rc;

    while (barrier->state != BIGHT_BARRIER_BROKEN) {
        if (barrier->state == BIGHT_BARRIER_FILLING &&
            barrier->inside + barrier->entering < barrier->parties)
            return 0;
        bight__waiter_begin(&wait.waiter, &outside_ops);
        /* All who were admitted together go ahead of the others again, and find places again. */
        if (was_admitted)
            list_prepend(&barrier->outside, &wait.waiter.link);
        else
            list_append(&barrier->outside, &wait.waiter.link);
        rc = bight_park(&wait.waiter);
        if (rc)
            return rc;
        barrier->entering--;
        was_admitted = true;
    }
    return BIGHT_EBROKEN;
}

static int complete(struct bight_barrier *barrier)
{
    barrier->state = BIGHT_BARRIER_DRAINING;
    wake_parked(barrier);
    leave(barrier);
    return barrier->parties - 1;
}

int bight_barrier_wait(struct bight_barrier *barrier)
{
    struct barrier_wait wait = {.barrier = barrier};
    struct bight_task *self;
    int rc;

    if (unlikely(!is_sound(barrier)))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (rc == 0)
        rc = is_foreign(barrier) ? BIGHT_EPERM : enter(barrier);
    if (rc)
        return rc;
    bight__waiter_begin(&wait.waiter, &inside_ops);
    if (++barrier->inside == barrier->parties)
        return complete(barrier);
    list_append(&barrier->parked, &wait.waiter.link);
    rc = bight_park(&wait.waiter);
    if (rc)
        return rc;
    rc = barrier->state == BIGHT_BARRIER_DRAINING ? wait.place : BIGHT_EBROKEN;
    leave(barrier);
    return rc;
}

int bight_barrier_abort(struct bight_barrier *barrier)
{
    if (!is_sound(barrier))
        return BIGHT_EINVAL;
    if (is_foreign(barrier))
        return BIGHT_EPERM;
    barrier->state = BIGHT_BARRIER_BROKEN;
    wake_parked(barrier);
    bight__wake_all(&barrier->outside, BIGHT_EBROKEN);
    return 0;
}

int bight_barrier_reset(struct bight_barrier *barrier)
{
    if (!is_sound(barrier))
        return BIGHT_EINVAL;
    if (is_foreign(barrier))
        return BIGHT_EPERM;
    barrier->state = barrier->inside ? BIGHT_BARRIER_RESETTING : BIGHT_BARRIER_FILLING;
    wake_parked(barrier);
    admit(barrier);
    return 0;
}

enum bight_barrier_state bight_barrier_get_state(const struct bight_barrier *barrier)
{
    return is_sound(barrier) ? barrier->state : BIGHT_BARRIER_BROKEN;
}

int bight_barrier_parties(const struct bight_barrier *barrier)
{
    if (!barrier)
        return BIGHT_EINVAL;
    return barrier->parties;
}

int bight_barrier_waiting(const struct bight_barrier *barrier)
{
    if (!barrier)
        return BIGHT_EINVAL;
    return barrier->state == BIGHT_BARRIER_FILLING ? barrier->inside : 0;
}
