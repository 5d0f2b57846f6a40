/* See spare.h. */
#include "offload/spare.h"

#include "coro/core/source.h"

static int begin_spares(struct bight_plugin *plugin, struct bight_runtime *runtime)
{
    struct spares *spares = container_of(plugin, struct spares, plugin);

    spares->runtime = runtime;
    runtime->spares = spares;
    return 0;
}

static void end_spares(struct bight_plugin *plugin)
{
    struct spares *spares = container_of(plugin, struct spares, plugin);

    spares->runtime->spares = NULL;
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
