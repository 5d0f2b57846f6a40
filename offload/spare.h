/* Small blocks for outputs of jobs, which a runtime keeps when they are freed: most outputs are
 * small, and live shortly. Each is memory of bight__alloc, so it may as well be freed elsewhere. */
#ifndef BIGHT_OFFLOAD_SPARE_H
#define BIGHT_OFFLOAD_SPARE_H

#include "runtime/runtime.h"

#define SPARE_BYTES 64u
#define SPARES_MAX 1024u
/* What AddressSanitizer watches is not kept: nobody would see that a block is used when it has been
 * freed. */
#ifdef BIGHT_ASAN
#define SPARES_ARE_KEPT false
#else
#define SPARES_ARE_KEPT true
#endif

struct spare {
    struct spare *next;
};

struct spares {
    struct bight_plugin plugin;
    struct bight_runtime *runtime; /* which points here until its end */
    struct spare *first;
    unsigned count;
};

/* Those of the runtime; NULL without memory. */
struct spares *bight__spares_of(struct bight_runtime *runtime);

/* A block of SPARE_BYTES, or NULL. */
static inline void *spare_take(struct spares *spares, const struct bight_seams *seams)
{
    struct spare *block = spares->first;

    if (unlikely(!block || seams->fail_alloc)) /* a test wants to be asked each time */
        return bight__alloc(seams, SPARE_BYTES);
    spares->first = block->next;
    spares->count--;
    return block;
}

/* On any thread. */
static inline void spare_give(void *block)
{
    const struct bight_runtime *runtime = bight__runtime();
    struct spares *spares = runtime ? runtime->spares : NULL;

    if (!SPARES_ARE_KEPT || unlikely(!spares || spares->count >= SPARES_MAX)) {
        bight__free(block);
        return;
    }
    *(struct spare *)block = (struct spare){spares->first};
    spares->first = block;
    spares->count++;
}

#endif
