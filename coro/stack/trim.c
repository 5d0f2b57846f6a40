/* When warm stacks go back to the system. Those that were warm at one tick are set apart as the
 * reserve, from which a stack is taken only where the cache has none; what is still there at the
 * next tick was not needed in between, and goes, and with it slabs that have nothing else. So what
 * stays warm follows the most stacks that were in use at once lately, without anybody's counting.
 *
 * It goes in portions, a step each: giving back ten thousand stacks takes some ten milliseconds.
 * Owns no clock; coro/core/trim.c calls. Read stack.h and slab.h first. */
#include "coro/stack/slab.h"

#define STEP_NS UINT64_C(1000000)

/* A portion is one batch, or several, so that all is done in so many steps. */
#define STEPS_MOST 128

/* Slabs of fewer stacks stay, as they would be made again soon. */
#define SLAB_KEPT 64

void bight__stackpool_keep_none(struct bight_stackpool *pool,
                                void (*leaves)(struct bight_stackpool *pool,
                                               const struct bight_stack *stack))
{
    pool->config.cache_max = 0;
    pool->config.crowded = NULL;
    pool->limit = 0;
    pool->leaves = leaves;
}

void bight__stackpool_keep_all(struct bight_stackpool *pool)
{
    if (!pool->config.crowded)
        return;
    pool->config.crowded = NULL;
    pool->limit = SIZE_MAX;
}

static struct bight_stack *reserve_take(struct bight_stackpool *pool)
{
    struct bight_stack_class *class = pool->classes;
    struct bight_stack *stack;

    while (!class->reserve)
        class ++;
    stack = class->reserve;
    class->reserve = stack->next;
    pool->reserved--;
    pool->cached--;
    return stack;
}

static void reserve_give(struct bight_stackpool *pool)
{
    struct bight_slab_batch batch = {.count = 0};

    if (!pool->portion)
        pool->portion = BIGHT_SLAB_BATCH * (1 + pool->reserved / (BIGHT_SLAB_BATCH * STEPS_MOST));
    for (size_t left = pool->portion; left && pool->reserved; left--) {
        struct bight_stack *stack = reserve_take(pool);
        struct bight_slab *slab = stack->slab;
        const uint32_t index = stack->index;

        bight__stack_record_fini(stack);
        if (bight__slab_batch_add(&batch, slab, index))
            bight__slab_batch_give(pool, &batch);
    }
    bight__slab_batch_give(pool, &batch);
}

/* Unmap a part of a slab that nobody uses. False: there is no such slab. */
static bool slab_go(struct bight_stackpool *pool)
{
    for (int i = 0; i < BIGHT_STACK_CLASSES && !pool->going; i++)
        pool->going = bight__slab_take_idle(&pool->classes[i], SLAB_KEPT);
    if (!pool->going)
        return false;
    if (bight__slab_shrink(pool->going, pool->portion ? pool->portion : BIGHT_SLAB_BATCH))
        pool->going = NULL;
    return true;
}

static void reserve_fill(struct bight_stackpool *pool)
{
    for (int i = 0; i < BIGHT_STACK_CLASSES; i++) {
        pool->classes[i].reserve = pool->classes[i].cache;
        pool->classes[i].cache = NULL;
    }
    pool->reserved = pool->cached;
}

uint64_t bight__stackpool_trim(struct bight_stackpool *pool)
{
    if (pool->reserved) {
        reserve_give(pool);
        return STEP_NS;
    }
    if (slab_go(pool))
        return STEP_NS;
    pool->portion = 0;
    if (pool->cached <= pool->config.cache_max) {
        pool->limit = pool->config.cache_max;
        return 0;
    }
    reserve_fill(pool);
    return BIGHT_STACK_TRIM_NS;
}
