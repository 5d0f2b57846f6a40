/* See shares.h. Segments and pools know of each other by a record, `share`, that whichever ends
 * first frees. */
#include "offload/pool/pool.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

struct share {
    struct shared_holder holder; /* in the segment's list */
    struct pool *pool;
    struct bight_shared *segment;
    int number;
};

/* A worker whose zygote has ended: the kernel kills it, but nobody says when it has. */
struct mourned {
    struct bight_link link;
    struct pool *pool;
    struct watch *watch; /* of a pidfd */
    uint32_t member;
};

/* A worker that has received says so. What else may have kept the host from sending passes. */
#define AGAIN_MS 10

static void try_again(struct bight_timer *timer)
{
    bight__pool_pump(container_of(timer, struct pool, shares.again));
}

void bight__shares_init(struct shares *shares)
{
    link_init(&shares->mourned);
    link_init(&shares->again.link);
    shares->again.fire = try_again;
}

void bight__shares_enlist(struct worker *worker)
{
    static _Atomic uint32_t last = 1; /* that is the makers' own */

    do
        worker->shares.member = atomic_fetch_add(&last, 1) + 1;
    while (worker->shares.member < 2);
    worker->channel->member = worker->shares.member;
}

/* A worker that sleeps lets go of the segment, if that is freed. */
static void forget(struct worker *worker, unsigned word, uint64_t bit)
{
    if (worker->shares.sent[word] & bit)
        bight__wake_if_asleep(worker, SLEEPS_FOR_JOB);
    worker->shares.sent[word] &= ~bit;
}

static void leave(struct shared_holder *holder)
{
    struct share *share = container_of(holder, struct share, holder);
    struct pool *pool = share->pool;
    unsigned word = (unsigned)share->number / 64;
    uint64_t bit = UINT64_C(1) << share->number % 64;

    link_remove(&holder->link);
    pool->shares.by_number[share->number] = NULL;
    pool->shares.wanted[word] &= ~bit;
    for (struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next)
        forget(container_of(at, struct worker, link), word, bit);
    bight__free(share);
}

/* The process `member` is no more. */
static void announce(const struct pool *pool, uint32_t member)
{
    for (int i = 0; i < SHARES_MAX; i++) {
        const struct share *share = pool->shares.by_number[i];

        if (share)
            bight__shared_death(share->segment, member);
    }
}

static void stop_mourning(struct mourned *mourned)
{
    link_remove(&mourned->link);
    bight__watch_close(mourned->watch);
    bight__free(mourned);
}

void bight__shares_free(struct pool *pool)
{
    pool_disarm(pool, &pool->shares.again);
    /* They were killed. It is late to wait until they are seen to have ended, and what they held
     * must not stay held. */
    while (!link_empty(&pool->shares.mourned)) {
        struct mourned *mourned = container_of(pool->shares.mourned.next, struct mourned, link);

        announce(pool, mourned->member);
        stop_mourning(mourned);
    }
    for (int i = 0; i < SHARES_MAX; i++) {
        if (pool->shares.by_number[i])
            leave(&pool->shares.by_number[i]->holder);
    }
}

void bight__shares_try_again(struct pool *pool, int rc)
{
    if (rc != -EPIPE && rc != -ECONNRESET && link_empty(&pool->shares.again.link))
        pool_arm(pool, &pool->shares.again, AGAIN_MS);
}

static bool send_one(const struct worker *worker, const struct share *share)
{
    const int fds[2] = {share->segment->memory, share->segment->bell};
    int rc;

    if (!worker->watch)
        return false;
    rc = bight__channel_send_share(bight__watch_fd(worker->watch), share->number, fds);
    if (rc)
        bight__shares_try_again(worker->pool, rc);
    return rc == 0;
}

bool bight__shares_send(struct worker *worker)
{
    const struct shares *shares = &worker->pool->shares;

    for (unsigned i = 0; i < SHARES_WORDS; i++) {
        uint64_t missing;

        while ((missing = shares->wanted[i] & ~worker->shares.sent[i])) {
            unsigned bit = (unsigned)__builtin_ctzll(missing);

            if (!send_one(worker, shares->by_number[i * 64 + bit]))
                return false;
            worker->shares.sent[i] |= UINT64_C(1) << bit;
        }
    }
    return true;
}

static void has_ended(void *arg)
{
    struct mourned *mourned = arg;
    const struct pool *pool = mourned->pool;
    uint32_t member = mourned->member;

    stop_mourning(mourned);
    announce(pool, member);
}

/* Wait for the end of the process. False when that cannot be, or it has ended. */
static bool mourn(const struct worker *worker)
{
    struct pool *pool = worker->pool;
    struct mourned *mourned;
    int fd;

    if (worker->pid <= 0)
        return false;
    fd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
    if (fd < 0)
        return false;
    mourned = bight__alloc_zero(pool_seams(pool), sizeof(*mourned));
    if (!mourned || bight__watch_new(&mourned->watch, pool->runtime, fd, has_ended, mourned)) {
        close(fd);
        bight__free(mourned);
        return false;
    }
    mourned->pool = pool;
    mourned->member = worker->shares.member;
    link_append(&pool->shares.mourned, &mourned->link);
    return true;
}

void bight__shares_worker_ended(struct worker *worker, bool certain)
{
    const struct pool *pool = worker->pool;
    uint64_t any = 0;

    for (unsigned i = 0; i < SHARES_WORDS; i++)
        any |= pool->shares.wanted[i];
    if (any && (certain || !mourn(worker)))
        announce(pool, worker->shares.member);
}

static int free_number(const struct shares *shares)
{
    for (int i = 0; i < SHARES_MAX; i++) {
        if (!shares->by_number[i])
            return i;
    }
    return BIGHT_EFULL;
}

static int number_of(const struct pool *pool, const struct bight_shared *segment)
{
    for (int i = 0; i < SHARES_MAX; i++) {
        if (pool->shares.by_number[i] && pool->shares.by_number[i]->segment == segment)
            return i;
    }
    return -1;
}

static int add(struct pool *pool, struct bight_shared *segment)
{
    int number = free_number(&pool->shares);
    struct share *share;

    if (number < 0)
        return number;
    share = bight__alloc_zero(pool_seams(pool), sizeof(*share));
    if (!share)
        return BIGHT_ENOMEM;
    *share = (struct share){{.leave = leave}, pool, segment, number};
    link_append(&segment->holders, &share->holder.link);
    pool->shares.by_number[number] = share;
    pool->shares.wanted[number / 64] |= UINT64_C(1) << number % 64;
    for (struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next)
        (void)bight__shares_send(container_of(at, struct worker, link));
    return number;
}

int bight_workers_share(struct bight_executor *executor, struct bight_shared *segment)
{
    struct pool *pool = bight__pool_of(executor);
    int number;

    if (!pool || !segment)
        return BIGHT_EINVAL;
    if (pool->runtime != bight__runtime() || segment->runtime != pool->runtime)
        return BIGHT_EPERM;
    number = number_of(pool, segment);
    return number < 0 ? add(pool, segment) : number;
}
