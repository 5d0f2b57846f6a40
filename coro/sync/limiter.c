/* Capacity limiter: a semaphore whose units have borrowers and whose total changes. The limiter
 * does not point at those who have a unit; they point at it: so a record that was lost with its
 * frame costs a unit, and nothing else. */
#include "coro/core/source.h"

#include <bight/limiter.h>

struct limiter_wait {
    struct bight_waiter waiter;
    struct bight_borrower *borrower;
};

static int limiter_abort(struct bight_waiter *waiter)
{
    container_of(waiter, struct limiter_wait, waiter)->borrower->limiter = NULL;
    link_remove(&waiter->link);
    return 0;
}

static const struct bight_waiter_ops limiter_ops = {.name = "limiter", .abort = limiter_abort};

int bight_limiter_init(struct bight_limiter *limiter, int64_t total)
{
    if (!limiter || total < 0)
        return BIGHT_EINVAL;
    limiter->total = total;
    limiter->borrowed = 0;
    link_init(&limiter->waiters);
    return 0;
}

void bight_borrower_init(struct bight_borrower *borrower)
{
    if (!borrower)
        return;
    borrower->limiter = NULL;
    borrower->lent = false;
}

int bight_limiter_try_acquire(struct bight_limiter *limiter, struct bight_borrower *borrower)
{
    if (!limiter || !borrower)
        return BIGHT_EINVAL;
    if (borrower->limiter)
        return BIGHT_EALREADY;
    /* Nobody waits while a unit is free. */
    if (limiter->borrowed >= limiter->total)
        return bight__waiters_are_foreign(&limiter->waiters) ? BIGHT_EPERM : BIGHT_EAGAIN;
    limiter->borrowed++;
    borrower->limiter = limiter;
    borrower->lent = true;
    return 0;
}

int bight_limiter_acquire(struct bight_limiter *limiter, struct bight_borrower *borrower)
{
    struct limiter_wait wait = {.borrower = borrower};
    struct bight_task *self;
    int rc;

    if (unlikely(!limiter || !borrower))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    rc = bight_limiter_try_acquire(limiter, borrower);
    if (rc != BIGHT_EAGAIN)
        return rc;
    bight__waiter_begin(&wait.waiter, &limiter_ops);
    borrower->limiter = limiter;
    borrower->lent = false;
    list_append(&limiter->waiters, &wait.waiter.link);
    return bight_park(&wait.waiter);
}

static void lend(struct bight_limiter *limiter)
{
    struct bight_link *link;

    while (limiter->borrowed < limiter->total && (link = list_take(&limiter->waiters))) {
        struct limiter_wait *wait = container_of(link, struct limiter_wait, waiter.link);
        struct bight_borrower *borrower = wait->borrower;

        if (bight_unpark(&wait->waiter, 0)) {
            limiter->borrowed++;
            borrower->lent = true;
        }
    }
}

int bight_limiter_release(struct bight_limiter *limiter, struct bight_borrower *borrower)
{
    if (!limiter || !borrower)
        return BIGHT_EINVAL;
    if (borrower->limiter != limiter || !borrower->lent)
        return BIGHT_EPERM;
    if (bight__waiters_are_foreign(&limiter->waiters))
        return BIGHT_EPERM;
    bight_borrower_init(borrower);
    limiter->borrowed--;
    lend(limiter);
    return 0;
}

int bight_limiter_set_total(struct bight_limiter *limiter, int64_t total)
{
    if (!limiter || total < 0)
        return BIGHT_EINVAL;
    if (bight__waiters_are_foreign(&limiter->waiters))
        return BIGHT_EPERM;
    limiter->total = total;
    lend(limiter);
    return 0;
}

int64_t bight_limiter_total(const struct bight_limiter *limiter)
{
    return limiter ? limiter->total : 0;
}

int64_t bight_limiter_borrowed(const struct bight_limiter *limiter)
{
    return limiter ? limiter->borrowed : 0;
}

size_t bight_limiter_waiting(const struct bight_limiter *limiter)
{
    return limiter ? list_count(&limiter->waiters) : 0;
}

struct bight_limiter *bight_borrower_limiter(const struct bight_borrower *borrower)
{
    return borrower && borrower->lent ? borrower->limiter : NULL;
}
