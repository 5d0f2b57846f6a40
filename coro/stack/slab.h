/* Slabs: address space for many stacks of one size in one mapping, so that a million stacks take
 * some dozens of mappings. Owns reservation, guards, and which stacks of a slab are cold: never
 * used, or given back with all pages. What must survive a stack's pages is kept here. Used by
 * stack.c only. */
#ifndef BIGHT_CORO_STACK_SLAB_H
#define BIGHT_CORO_STACK_SLAB_H

#include "coro/stack/stack.h"

#include <sys/uio.h>

/* What is remembered about a stack whose record is gone with its page. */
struct bight_slot {
    union {
        uint32_t next;        /* for a cold stack: index + 1 of the next, 0: none */
        uint32_t valgrind_id; /* for a stack with a record */
    };
    uint32_t uses;
#ifdef BIGHT_TSAN
    void *fiber; /* created at the first use, destroyed with the slab */
#endif
};

struct bight_slab {
    struct bight_slab *next;      /* all of the class */
    struct bight_slab *next_open; /* those with a cold stack; only while `open` */
    struct bight_stack_class *class;
    char *base;
    size_t stride;
    uint32_t count;
    uint32_t fresh;   /* stacks from here on were never used, */
    uint32_t guarded; /* and from here on they have no guard yet */
    uint32_t cold;    /* index + 1 of the first stack given back, 0: none */
    uint32_t out;     /* in use or warm */
    uint32_t color;   /* of the first stack; the others follow in turn */
    bool open;
    struct bight_slot slots[];
};

/* Take a cold stack of the class: *index of slab *out, guarded. Reserves a new slab if there is
 * none. BIGHT_ENOMEM: nothing changed, except that a reserved slab may stay. */
int bight__slab_take(struct bight_stackpool *pool, struct bight_stack_class *class,
                     struct bight_slab **out, uint32_t *index);

/* Give stack `index` back with all its pages. */
void bight__slab_give(const struct bight_stackpool *pool, struct bight_slab *slab, uint32_t index);

/* The same for several: begin with none, add them, and end. The batch is full when add says so. */
#define BIGHT_SLAB_BATCH 64

struct bight_slab_batch {
    size_t count;
    struct iovec ranges[BIGHT_SLAB_BATCH];
};

bool bight__slab_batch_add(struct bight_slab_batch *batch, struct bight_slab *slab, uint32_t index);
void bight__slab_batch_give(struct bight_stackpool *pool, struct bight_slab_batch *batch);

/* Take a slab from the class that has more than `least` stacks, none of them in use or warm. NULL:
 * there is none. */
struct bight_slab *bight__slab_take_idle(struct bight_stack_class *class, uint32_t least);
/* Unmap the last `count` stacks of such a slab, or as many as are left. True: it is gone. */
bool bight__slab_shrink(struct bight_slab *slab, size_t count);

/* Unmap all slabs of the class. */
void bight__slab_free_all(struct bight_stack_class *class);

/* The lowest address of stack `index`, where its guard begins. */
static inline char *bight__slab_guard(const struct bight_slab *slab, uint32_t index)
{
    return slab->base + slab->stride * index;
}

#endif
