/* Stacks for tasks. Owns the reservation of address space, guards, the warm cache, and giving pages
 * back. A stack's own record, and with it the task's control block, sits in the stack's top page: a
 * parked task costs one resident page. Does not know tasks: it keeps `head_bytes` free at the top
 * for whoever embeds struct bight_stack as first member.
 *
 *   low addresses                                                              high addresses
 *   | guard (64 KiB or more) | lo ... usable, grows down ... frames | head (record, task) | color |
 *
 * Heads are shifted by a color so that those of neighbouring stacks fall into different cache sets. */
#ifndef BIGHT_CORO_STACK_H
#define BIGHT_CORO_STACK_H

#include "coro/context.h"
#include "coro/seams.h"

struct bight_slab;
struct bight_stackpool;

struct bight_stack {
    /* The context of the code that runs on the stack. */
    struct bight_context context;
    /* Lowest usable address; the guard is below. Frames grow down from the record itself. */
    char *lo;
    /* Lowest stack pointer seen at a switch since the stack was taken; kept by the scheduler. */
    char *low_water;
    /* Private to stack.c from here. */
    struct bight_stack *next;
    struct bight_slab *slab;
    uint32_t index;
    uint32_t uses;
};

struct bight_stackpool_config {
    size_t stack_bytes; /* of the default class */
    size_t guard_bytes; /* 0: 64 KiB */
    size_t head_bytes;  /* sizeof the record's owner */
    size_t cache_max;   /* warm stacks kept */
};

/* How guards are made: found out once per pool. */
enum bight_guard { BIGHT_GUARD_INSTALL, BIGHT_GUARD_MPROTECT };

struct bight_stackpool {
    struct bight_stack *cache; /* warm stacks of the default class, last in first out */
    size_t cached;
    size_t used;
    struct bight_stackpool_config config;
    const struct bight_seams *seams;
    enum bight_guard guard;
    struct bight_slab *slabs;
    struct bight_slab *open; /* slab with stacks never used or given back */
    uint32_t next_color;
};

/* 0, or BIGHT_EINVAL for sizes that cannot be. Takes no address space yet. */
int bight__stackpool_init(struct bight_stackpool *pool, const struct bight_stackpool_config *config,
                          const struct bight_seams *seams);

/* Unmap everything; no stack may be in use. */
void bight__stackpool_destroy(struct bight_stackpool *pool);

/* A stack of at least `bytes` usable (0: the default), its record initialised, or BIGHT_ENOMEM. The
 * default class is the fast path: pop of the warm cache. */
int bight__stack_get(struct bight_stackpool *pool, size_t bytes, struct bight_stack **out);

/* Whether bight__stack_put would only push it to the warm cache: then a task that ends may put its own
 * stack while it still runs on it, and must switch away at once. */
bool bight__stack_put_is_cheap(const struct bight_stackpool *pool, const struct bight_stack *stack);

/* Take the stack back: into the warm cache, or give its pages back to the system. */
void bight__stack_put(struct bight_stackpool *pool, struct bight_stack *stack);

/* Usable bytes between lo and the record. */
size_t bight__stack_bytes(const struct bight_stack *stack);

/* Whether `address` lies on the stack or in its guard. */
bool bight__stack_contains(const struct bight_stack *stack, const void *address);

#endif
