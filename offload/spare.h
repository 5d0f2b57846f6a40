/* Small blocks for outputs of jobs, which a runtime keeps when they are freed: most outputs are
 * small, and live shortly. Each is memory of bight__alloc, so it may as well be freed elsewhere. */
#ifndef BIGHT_OFFLOAD_SPARE_H
#define BIGHT_OFFLOAD_SPARE_H

#include "runtime/runtime.h"

#define SPARE_BYTES 64u

struct spare {
    struct spare *next;
};

struct spares {
    struct bight_plugin plugin;
    struct spare *first;
    unsigned count;
};

/* Those of the runtime; NULL without memory. */
struct spares *bight__spares_of(struct bight_runtime *runtime);

/* A block of SPARE_BYTES, or NULL. */
void *bight__spare_take(struct spares *spares, const struct bight_seams *seams);

/* On any thread. */
void bight__spare_give(void *block);

#endif
