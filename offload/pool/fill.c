/* Large inputs are copied into rings a piece at a time, so that the loop turns meanwhile. Until its
 * input is complete a slot is FREE to the worker, and neither it nor those behind it are counted as
 * posted. See pool.h and channel.h. */
#include "offload/pool/pool.h"

#include <string.h>

#include "offload/wire/sum.h"

/* A turn copies FILL_BYTES, and ends sooner where that takes long: memory that is touched for the
 * first time costs many times the copy. */
#define FILL_TURN_NS ((uint64_t)250000)
#define FILL_STRIDE SUM_BYTES

void bight__wake_if_asleep(struct worker *worker, uint32_t what)
{
    _Atomic uint32_t *sleeping = &worker->channel->sleeping;

    /* The slot's state is written before `sleeping` is read. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(sleeping, memory_order_relaxed) != what ||
        atomic_exchange(sleeping, 0) != what)
        return;
    /* A failure means that the worker is gone; the watch and the zygote will report it. */
    if (worker->watch)
        (void)bight__channel_wake(bight__watch_fd(worker->watch));
}

static struct seat *seat_at(struct worker *worker, uint64_t position)
{
    return &worker->seats[position % CHANNEL_SLOTS];
}

static void set_state(struct worker *worker, uint64_t position, uint32_t state)
{
    atomic_store_explicit(&worker_slot(worker, position)->state, state, memory_order_release);
}

void bight__fill_tell(struct worker *worker)
{
    atomic_store_explicit(&worker->channel->posted, worker->posted, memory_order_release);
    bight__wake_if_asleep(worker, SLEEPS_FOR_JOB);
    limit_watch(worker);
}

/* Count the slots up to the first that is not complete. */
static void count(struct worker *worker)
{
    while (worker->posted < worker->head && !seat_at(worker, worker->posted)->missing)
        worker->posted++;
    if (worker->posted < worker->head)
        return;
    link_remove(&worker->filling);
    bight__rank(worker);
}

static void publish(struct worker *worker)
{
    count(worker);
    bight__fill_tell(worker);
}

void bight__fill_begin(struct worker *worker)
{
    struct pool *pool = worker->pool;

    if (link_empty(&worker->filling))
        link_append(&pool->filling, &worker->filling);
    if (link_empty(&pool->filler.link))
        pool_arm(pool, &pool->filler, 0);
}

void bight__fill_revoke(struct worker *worker, uint64_t position)
{
    seat_at(worker, position)->missing = 0;
    set_state(worker, position, SLOT_REVOKED);
    if (worker->posted == position)
        publish(worker);
}

/* Copy a piece of the first input that is not complete. */
static void fill(struct worker *worker)
{
    struct seat *seat = seat_at(worker, worker->posted);
    const struct bight_execution *record = record_of(seat->execution);
    unsigned char *arena = (unsigned char *)worker->channel + worker->input_arena;
    unsigned char *input = arena + seat->arena_at + seat->define_bytes;
    uint64_t until_ns = bight_now_ns() + FILL_TURN_NS;
    size_t left = FILL_BYTES;
    bool sums = worker->pool->options.checksums;

    do {
        size_t at = record->input_bytes - seat->missing;
        size_t bytes = seat->missing < FILL_STRIDE ? seat->missing : FILL_STRIDE;

        memcpy(input + at, (const char *)record->input + at, bytes);
        if (sums)
            seat->sum = bight__sum_on(seat->sum, (const char *)record->input + at, bytes);
        seat->missing -= (uint32_t)bytes;
        left -= bytes;
    } while (seat->missing && left && bight_now_ns() < until_ns);
    if (seat->missing)
        return;
    worker_slot(worker, worker->posted)->sum = seat->sum;
    set_state(worker, worker->posted, SLOT_READY);
    publish(worker);
    if (link_empty(&worker->filling))
        return;
    link_remove(&worker->filling); /* the others first */
    link_append(&worker->pool->filling, &worker->filling);
}

void bight__fill_timer(struct bight_timer *timer)
{
    struct pool *pool = container_of(timer, struct pool, filler);

    if (!link_empty(&pool->filling))
        fill(container_of(pool->filling.next, struct worker, filling));
    if (!link_empty(&pool->filling))
        pool_arm(pool, timer, 0);
}
