/* See spare.h. */
#include "offload/spare.h"

#include "coro/core/source.h"

/* What AddressSanitizer watches is not kept: nobody would see that a block is used when it has been
 * freed. */
#ifdef BIGHT_ASAN
#define IS_KEPT false
#else
#define IS_KEPT true
#endif
#define SPARES_MAX 1024u

static int begin_spares(struct bight_plugin *plugin, struct bight_runtime *runtime)
{
    (void)plugin;
    (void)runtime;
    return 0;
}

static void end_spares(struct bight_plugin *plugin)
{
    struct spares *spares = container_of(plugin, struct spares, plugin);

    for (struct spare *block = spares->first, *next; block; block = next) {
        next = block->next;
        bight__free(block);
    }
    bight__free(spares);
}

static const struct bight_plugin_kind spares_kind = {
    .bytes = sizeof(struct spares), .begin = begin_spares, .end = end_spares};

struct spares *bight__spares_of(struct bight_runtime *runtime)
{
    int rc;
    struct bight_plugin *plugin = bight__plugin_get(runtime, &spares_kind, &rc);

    return plugin ? container_of(plugin, struct spares, plugin) : NULL;
}

void *bight__spare_take(struct spares *spares, const struct bight_seams *seams)
{
    struct spare *block = spares->first;

    if (!block || seams->fail_alloc) /* a test wants to be asked each time */
        return bight__alloc(seams, SPARE_BYTES);
    spares->first = block->next;
    spares->count--;
    return block;
}

void bight__spare_give(void *block)
{
    const struct bight_runtime *runtime = bight__runtime();
    struct bight_plugin *plugin = runtime ? bight__plugin_find(runtime, &spares_kind) : NULL;
    struct spares *spares = plugin ? container_of(plugin, struct spares, plugin) : NULL;

    if (!IS_KEPT || !spares || spares->count >= SPARES_MAX) {
        bight__free(block);
        return;
    }
    *(struct spare *)block = (struct spare){spares->first};
    spares->first = block;
    spares->count++;
}
