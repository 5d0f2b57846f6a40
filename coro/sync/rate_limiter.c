/* Rate limiter: a token bucket in whole numbers. Only the first waiter has its timer armed: by the
 * time it is served, the time of the next one is known. */
#include "coro/core/source.h"

#include <bight/rate_limiter.h>

#include <stdio.h>

struct rate_wait {
    struct bight_waiter waiter;
    struct bight_timer timer;
    struct bight_rate_limiter *limiter;
    uint64_t cost;
};

/* A record that is all zero has no rate. */
static bool is_sound(const struct bight_rate_limiter *limiter)
{
    return limiter && limiter->amount;
}

static struct rate_wait *wait_of(struct bight_link *link)
{
    return container_of(link, struct rate_wait, waiter.link);
}

/* The first waiter is served in the ns after the one in which its last share came. What came
 * beyond in that ns is kept for the next one, else a small bucket would lose a little each time. */
static void refill(struct bight_rate_limiter *limiter, uint64_t now_ns)
{
    uint64_t missing = limiter->level < limiter->capacity ? limiter->capacity - limiter->level : 0;
    uint64_t elapsed_ns = now_ns - limiter->filled_ns;
    uint64_t most_ns = missing / limiter->amount;

    if (!link_empty(&limiter->waiters) && missing % limiter->amount)
        most_ns++;
    if (elapsed_ns > most_ns)
        limiter->level = limiter->capacity;
    else
        limiter->level += elapsed_ns * limiter->amount;
    limiter->filled_ns = now_ns;
}

/* Serve waiters in order while there is enough, and arm the timer of the next. */
static void serve(struct bight_rate_limiter *limiter)
{
    struct bight_sched *sched = bight__sched;
    uint64_t now_ns = sched->driver->now_ns(sched);

    refill(limiter, now_ns);
    while (!link_empty(&limiter->waiters)) {
        struct rate_wait *first = wait_of(limiter->waiters.next);
        uint64_t cost = first->cost;

        if (limiter->level < cost) {
            uint64_t missing = cost - limiter->level;

            sched->driver->arm(sched, &first->timer,
                               now_ns + missing / limiter->amount + !!(missing % limiter->amount));
            return;
        }
        link_remove(&first->waiter.link);
        if (bight_unpark(&first->waiter, 0))
            limiter->level -= cost;
    }
    if (limiter->level > limiter->capacity)
        limiter->level = limiter->capacity;
}

static void first_is_due(struct bight_timer *timer)
{
    serve(container_of(timer, struct rate_wait, timer)->limiter);
}

static int rate_abort(struct bight_waiter *waiter)
{
    struct rate_wait *wait = container_of(waiter, struct rate_wait, waiter);
    struct bight_sched *sched = bight__sched;
    bool was_first = wait->limiter->waiters.next == &waiter->link;

    link_remove(&waiter->link);
    if (!link_empty(&wait->timer.link))
        sched->driver->disarm(sched, &wait->timer);
    if (was_first)
        serve(wait->limiter);
    return 0;
}

static void rate_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct rate_wait *wait = container_of(waiter, struct rate_wait, waiter);

    snprintf(text, text_bytes, "%llu tokens",
             (unsigned long long)(wait->cost / wait->limiter->period_ns));
}

static const struct bight_waiter_ops rate_ops = {
    .name = "rate limiter",
    .abort = rate_abort,
    .describe = rate_describe,
};

int bight_rate_limiter_init(struct bight_rate_limiter *limiter, uint32_t amount, uint32_t period_ms,
                            uint32_t burst)
{
    if (!limiter || amount == 0 || period_ms == 0 || burst == 0)
        return BIGHT_EINVAL;
    limiter->amount = amount;
    limiter->period_ns = (uint64_t)period_ms * NS_PER_MS;
    if (burst > UINT64_MAX / 2 / limiter->period_ns)
        return BIGHT_ERANGE;
    limiter->capacity = burst * limiter->period_ns;
    limiter->level = limiter->capacity;
    limiter->filled_ns = 0;
    link_init(&limiter->waiters);
    return 0;
}

/* Take the tokens now, or say BIGHT_EAGAIN. */
static int take(struct bight_rate_limiter *limiter, uint32_t tokens)
{
    struct bight_sched *sched = bight__sched;

    if (tokens > limiter->capacity / limiter->period_ns)
        return BIGHT_ERANGE;
    if (!link_empty(&limiter->waiters))
        return bight__waiters_are_foreign(&limiter->waiters) ? BIGHT_EPERM : BIGHT_EAGAIN;
    refill(limiter, sched->driver->now_ns(sched));
    if (limiter->level < tokens * limiter->period_ns)
        return BIGHT_EAGAIN;
    limiter->level -= tokens * limiter->period_ns;
    return 0;
}

int bight_rate_limiter_acquire(struct bight_rate_limiter *limiter, uint32_t tokens)
{
    struct rate_wait wait = {.limiter = limiter, .timer.fire = first_is_due};
    struct bight_task *self;
    int rc;

    if (unlikely(!is_sound(limiter)))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    rc = take(limiter, tokens);
    if (rc != BIGHT_EAGAIN)
        return rc;
    bight__waiter_begin(&wait.waiter, &rate_ops);
    wait.cost = tokens * limiter->period_ns;
    link_init(&wait.timer.link);
    link_append(&limiter->waiters, &wait.waiter.link);
    if (limiter->waiters.next == &wait.waiter.link)
        serve(limiter);
    return bight_park(&wait.waiter);
}

int bight_rate_limiter_try_acquire(struct bight_rate_limiter *limiter, uint32_t tokens)
{
    if (!is_sound(limiter))
        return BIGHT_EINVAL;
    return bight__sched ? take(limiter, tokens) : BIGHT_ENORUNTIME;
}

uint32_t bight_rate_limiter_available(struct bight_rate_limiter *limiter)
{
    struct bight_sched *sched = bight__sched;

    if (!sched || !is_sound(limiter))
        return 0;
    refill(limiter, sched->driver->now_ns(sched));
    return (uint32_t)(limiter->level / limiter->period_ns);
}
