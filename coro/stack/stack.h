/* Stacks for tasks. Owns the reservation of address space, guards, the warm cache, and giving pages
 * back; trim.c has the cache follow what is needed. A stack's own record, and with it the task's
 * control block, sits in the stack's top page: a parked task costs one resident page. Does not know
 * tasks: it keeps `head_bytes` free at the top for whoever embeds struct bight_stack as first
 * member.
 *
 *   low addresses                                                              high addresses
 *   | guard (64 KiB or more) | lo ... usable, grows down ... frames | head (record, task) | color |
 *
 * Heads are shifted by a color so that those of neighbouring stacks fall into different cache
 * sets. Each lies such that a cache line begins within the record, at the context: what a switch
 * touches there and at the beginning of the owner's part is one line. */
#ifndef BIGHT_CORO_STACK_STACK_H
#define BIGHT_CORO_STACK_STACK_H

#include "coro/stack/context.h"
#include "coro/base/seams.h"

struct bight_slab;
struct bight_stackpool;

struct bight_stack {
    /* Private to stack.c, and touched only as the stack is taken and put back: beside the first
     * frames, which are touched then too. */
    struct bight_stack *next;
    struct bight_slab *slab;
    uint32_t index;
    uint32_t uses; /* how often it was taken, including this time */
    /* The context of the code that runs on the stack. It begins a cache line. */
    struct bight_context context;
    /* Lowest usable address; the guard is below. Frames grow down from the record itself. */
    char *lo;
    /* Lowest stack pointer seen at a switch since the stack was taken; kept by the scheduler. */
    char *low_water;
};

/* Of a cache line on nearly all processors; where it is not, more lines are touched. */
#define BIGHT_STACK_LINE 64

/* The default size of a stack, and the least that the smallest and the largest class have. */
#define BIGHT_STACK_DEFAULT ((size_t)256 << 10)
#define BIGHT_STACK_MIN ((size_t)16 << 10)
#define BIGHT_STACK_MAX ((size_t)1 << 30)

struct bight_stackpool_config {
    size_t stack_bytes; /* of the default class; 0: BIGHT_STACK_DEFAULT */
    size_t guard_bytes; /* at least; 0: 64 KiB */
    size_t head_bytes;  /* sizeof the record's owner */
    size_t cache_max;   /* warm stacks kept, of all classes together */
    /* If it is set, cache_max is no limit. Called when more are about to be warm: from then on all
     * are kept, and the owner calls bight__stackpool_trim until that says it is not needed. */
    void (*crowded)(struct bight_stackpool *pool);
};

/* How guards are made: each pool finds out once, with its first guard. */
enum bight_guard { BIGHT_GUARD_UNKNOWN, BIGHT_GUARD_INSTALL, BIGHT_GUARD_MPROTECT };

/* Stacks of one size. The first class has the configured size, the others powers of two from
 * BIGHT_STACK_MIN to BIGHT_STACK_MAX. The sizes are few, so that stacks find a second user and
 * neighbours in a slab; one mapping for each would cost two system calls per task. */
struct bight_stack_class {
    struct bight_stack *cache;   /* warm stacks, last in first out */
    struct bight_stack *reserve; /* warm ones below them, which trim.c has set apart */
    struct bight_slab *open;     /* slabs with a stack that is cold and free */
    struct bight_slab *slabs;    /* all */
    size_t bytes;                /* from the guard to the end: the size asked for, and the head */
    size_t guard_bytes;
    uint32_t grow;  /* stacks in the next slab */
    uint32_t color; /* of its first one */
};

#define BIGHT_STACK_CLASSES 18

struct bight_stackpool {
    size_t cached; /* in caches and reserves */
    size_t used;
    size_t limit;             /* of cached stacks, at present */
    size_t reserved;          /* in reserves */
    size_t portion;           /* how many go at a time; 0: none are going */
    struct bight_slab *going; /* is being unmapped; NULL: none is */
    struct bight_stackpool_config config;
    const struct bight_seams *seams;
    enum bight_guard guard;
    /* The kernel takes no advice for several ranges in one call. */
    bool advice_apart;
    /* Whether the last BIGHT_ENOMEM was for the number of mappings, vm.max_map_count. */
    bool map_limit;
    /* Called with each stack that goes back cold, if it is set: all do where no more than 0 are
     * cached, and so all are fresh when they are taken. Stacks then do not rest. */
    void (*leaves)(struct bight_stackpool *pool, const struct bight_stack *stack);
    uint32_t colors; /* places, a line apart, at which the head may end */
    size_t page_bytes;
    struct bight_stack_class classes[BIGHT_STACK_CLASSES];
};

/* 0, or BIGHT_EINVAL for impossible sizes. Takes no address space yet. */
int bight__stackpool_init(struct bight_stackpool *pool, const struct bight_stackpool_config *config,
                          const struct bight_seams *seams);

/* Unmap everything; no stack may be in use. Until then slabs of address space stay, even empty
 * ones, unless they are trimmed; a stack that is neither in use nor cached has no resident page. */
void bight__stackpool_destroy(struct bight_stackpool *pool);

/* trim.c: keep no stack warm, and tell `leaves` of each that goes. */
void bight__stackpool_keep_none(struct bight_stackpool *pool,
                                void (*leaves)(struct bight_stackpool *pool,
                                               const struct bight_stack *stack));

/* trim.c: keep all that are put back from now on, because the pool is about to be destroyed, unless
 * its limit is fixed. */
void bight__stackpool_keep_all(struct bight_stackpool *pool);

/* From tick to tick: how long after `crowded` bight__stackpool_trim is to be called first. A warm
 * stack that was not needed between two ticks goes after the second. */
#define BIGHT_STACK_TRIM_NS UINT64_C(1000000000)

/* trim.c: take the next step in giving warm stacks back that were not needed lately. Returns after
 * how many ns to call it again; 0: not before `crowded` is called. */
uint64_t bight__stackpool_trim(struct bight_stackpool *pool);

/* For trim.c: keep what is needed of a record whose page is about to go. */
void bight__stack_record_fini(struct bight_stack *stack);

/* The slow path of bight__stack_get. */
int bight__stack_get_slow(struct bight_stackpool *pool, size_t bytes, struct bight_stack **out);

/* How much stays resident below a cached stack's record; at every how many uses it is trimmed. */
#define BIGHT__WARM_BYTES ((size_t)16 << 10)
#define BIGHT__TRIM_USES 256

#ifdef BIGHT_ASAN
#define BIGHT__STACKS_ARE_ANNOTATED true
#else
#define BIGHT__STACKS_ARE_ANNOTATED false
#endif

/* Take the stack that was put into the warm cache last; the default class has one. Not for
 * AddressSanitizer, which has to be told. */
static inline struct bight_stack *bight__stack_pop(struct bight_stackpool *pool)
{
    struct bight_stack *stack = pool->classes[0].cache;

    pool->classes[0].cache = stack->next;
    pool->cached--;
    pool->used++;
    stack->uses++;
    stack->low_water = (char *)stack;
    return stack;
}

/* A stack of at least `bytes` usable (0: the default), its record initialised but for
 * context.sp. The fast path is a pop of the warm cache. BIGHT_ENOMEM, see map_limit;
 * BIGHT_EINVAL: more than BIGHT_STACK_MAX. */
static inline int bight__stack_get(struct bight_stackpool *pool, size_t bytes,
                                   struct bight_stack **out)
{
    if (BIGHT__STACKS_ARE_ANNOTATED || bytes || !pool->classes[0].cache)
        return bight__stack_get_slow(pool, bytes, out);
    *out = bight__stack_pop(pool);
    return 0;
}

/* Whether bight__stack_put would only push it to the warm cache: then a task that ends may put
 * its own stack while it still runs on it, and must switch away at once. */
static inline bool bight__stack_put_is_cheap(const struct bight_stackpool *pool,
                                             const struct bight_stack *stack)
{
    return pool->cached < pool->limit &&
           stack->low_water >= (const char *)stack - BIGHT__WARM_BYTES &&
           stack->uses % BIGHT__TRIM_USES != 0;
}

/* Take the stack back into the warm cache, or give its pages back to the system.
 *
 * What a task used deeply would stay resident in a cached stack for ever. So when low_water is
 * further down than 16 KiB, all below that goes back to the system. A stack used deeply between
 * two switches does not show in low_water; for those every 256th reuse of a stack gives back the
 * same. */
void bight__stack_put(struct bight_stackpool *pool, struct bight_stack *stack);

/* Give the memory below `frame` on a stack that is in use back to the system: nothing is in it. */
void bight__stack_rest(const struct bight_stackpool *pool, struct bight_stack *stack,
                       const char *frame);

/* How far down the fresh stack was written to, in bytes: to the lowest one that is not 0. */
size_t bight__stack_deepest(const struct bight_stackpool *pool, const struct bight_stack *stack);

/* Usable bytes between lo and the record. */
size_t bight__stack_bytes(const struct bight_stack *stack);

/* Whether `address` lies on the stack or in its guard. */
bool bight__stack_contains(const struct bight_stack *stack, const void *address);

#endif
