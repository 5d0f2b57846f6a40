/* Which worker gets the next job: those that can take one are in lists by how many they have, so
 * that the first of the first list is the one, however many workers there are. Up to RANKS_EXACT
 * jobs each number has a list of its own; above, a doubling has two: jobs are posted in rows. See
 * pool.h. */
#include "offload/pool/pool.h"

#define RANKS_EXACT 4u
/* Behind an input that is still being copied a job would wait for that too. */
#define RANKS_OF_FILLING (RANKS / 2)

static unsigned rank_of_load(uint32_t load)
{
    unsigned doublings;

    if (load < RANKS_EXACT)
        return load;
    doublings = 31 - (unsigned)__builtin_clz(load);
    return 2 * doublings + (load >> (doublings - 1) & 1);
}

/* The fewest jobs of a rank. */
static uint32_t load_of_rank(unsigned rank)
{
    return rank < RANKS_EXACT ? rank : (2 + rank % 2) << (rank / 2 - 1);
}

_Static_assert(CHANNEL_SLOTS <= 256 && RANKS == 32, "rank_of_load(255) is below RANKS_OF_FILLING");

static uint32_t room_of(const struct worker *worker)
{
    uint64_t room = worker->pool->options.ahead - (worker->head - worker->tail);
    uint64_t most = worker->pool->options.jobs_max, had = worker->served + worker->load;

    if (unlikely(worker->going))
        return 0;
    if (most && most - had < room)
        room = had < most ? most - had : 0;
    return (uint32_t)room;
}

static bool can_take(const struct worker *worker)
{
    return worker->phase == WORKER_READY && room_of(worker);
}

static void leave(struct worker *worker)
{
    struct bight_link *list = &worker->pool->ranks[worker->rank - 1];

    link_remove(&worker->ranked);
    if (link_empty(list))
        worker->pool->ranks_used &= ~(1u << (worker->rank - 1));
    worker->rank = 0;
}

/* The last that came goes first: of those without a job the others can end for want of one. */
static void enter(struct worker *worker, unsigned rank)
{
    struct pool *pool = worker->pool;

    link_prepend(&pool->ranks[rank], &worker->ranked);
    pool->ranks_used |= 1u << rank;
    worker->rank = rank + 1;
}

void bight__rank(struct worker *worker)
{
    bool takes = can_take(worker);
    unsigned rank = rank_of_load(worker->load);

    if (!link_empty(&worker->filling))
        rank += RANKS_OF_FILLING;
    if (worker->rank == (takes ? rank + 1 : 0))
        return;
    if (worker->rank)
        leave(worker);
    if (takes)
        enter(worker, rank);
}

uint32_t bight__rank_run(const struct worker *worker)
{
    const struct pool *pool = worker->pool;
    uint32_t others = pool->ranks_used & ~(1u << (worker->rank - 1));
    unsigned next = others ? (unsigned)__builtin_ctz(others) : RANKS_OF_FILLING;
    uint32_t room = room_of(worker), run;

    if (worker->load == 0 || worker->rank > RANKS_OF_FILLING)
        return 1;
    if (worker->ranked.next != worker->ranked.prev)
        next = worker->rank - 1; /* another one has as many */
    if (next >= RANKS_OF_FILLING)
        return room;
    run = load_of_rank(next + 1) - worker->load;
    return run < room ? run : room;
}
