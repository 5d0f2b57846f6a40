/* Memory that the arena of inputs has used beyond KEPT_BYTES goes back to the system when it has
 * not been used for a while, a piece in each turn of the loop: what is used again at once would
 * have to be had from the system again, at many times the cost of a copy. See pool.h. */
#include "offload/pool/pool.h"

#include <sys/mman.h>

#define KEPT_BYTES ((uint64_t)16 << 20)
#define TRIM_MS 1000
#define TRIM_BYTES ((uint64_t)512 << 10)

void bight__trim_later(struct worker *worker, uint64_t used_bytes)
{
    /* Arenas are of so many bytes too. */
    used_bytes = (used_bytes + ARENA_UNIT - 1) / ARENA_UNIT * ARENA_UNIT;
    if (worker->used_bytes < used_bytes)
        worker->used_bytes = used_bytes;
    /* A clock that a test moves must not stop for this. */
    if (used_bytes > KEPT_BYTES && !pool_seams(worker->pool)->wait_ns)
        pool_arm(worker->pool, &worker->trim, TRIM_MS);
}

void bight__trim_timer(struct bight_timer *timer)
{
    struct worker *worker = container_of(timer, struct worker, trim);
    char *base = (char *)worker->channel;
    uint64_t bytes;

    if (worker->arena.pieces) {
        pool_arm(worker->pool, timer, TRIM_MS);
        return;
    }
    bytes =
        worker->used_bytes - KEPT_BYTES < TRIM_BYTES ? worker->used_bytes - KEPT_BYTES : TRIM_BYTES;
    worker->used_bytes -= bytes;
    (void)madvise(base + worker->input_arena + worker->used_bytes, bytes, MADV_REMOVE);
    if (worker->used_bytes > KEPT_BYTES)
        pool_arm(worker->pool, timer, 0);
}
