/* The runtime's own resolver, for callers that are given none. */
#include "net/resolve/door.h"

#include "coro/base/list.h"
#include "runtime/runtime.h"

struct default_resolver {
    struct bight_plugin plugin;
    struct bight_resolver *resolver;
};

static int resolver_begin(struct bight_plugin *plugin, struct bight_runtime *runtime)
{
    (void)runtime;
    return bight_resolver_new(&container_of(plugin, struct default_resolver, plugin)->resolver,
                              NULL);
}

static void resolver_end(struct bight_plugin *plugin)
{
    struct default_resolver *record = container_of(plugin, struct default_resolver, plugin);

    bight_resolver_free(record->resolver);
    bight__free(record);
}

static const struct bight_plugin_kind resolver_kind = {
    .bytes = sizeof(struct default_resolver),
    .begin = resolver_begin,
    .end = resolver_end,
};

int bight__resolver_default(struct bight_resolver **out)
{
    struct bight_runtime *runtime = bight__runtime();
    struct bight_plugin *plugin;
    int rc;

    if (!runtime)
        return BIGHT_ENORUNTIME;
    plugin = bight__plugin_get(runtime, &resolver_kind, &rc);
    if (!plugin)
        return rc;
    *out = container_of(plugin, struct default_resolver, plugin)->resolver;
    return 0;
}

int bight_resolver_default(struct bight_resolver **out)
{
    return out ? bight__resolver_default(out) : BIGHT_EINVAL;
}
