/* The runtime's record of files: those that are open, and how much of libuv's pool turns may take.
 * libuv calls abort() when a thread of its pool cannot start, so the first use tries it first. */
#include "runtime/file/file.h"

#include <unistd.h>

static int files_begin(struct bight_plugin *plugin, struct bight_runtime *runtime)
{
    struct files *files = container_of(plugin, struct files, plugin);
    size_t threads = bight__pool_threads();

    files->runtime = runtime;
    files->turns_most = threads > 1 ? threads / 2 : 1;
    link_init(&files->open);
    link_init(&files->iterations);
    link_init(&files->waiting);
    return bight__probe_threads(&runtime->sched.seams);
}

/* No task is left, so nobody is inside of a file, and no request is under way. */
static void files_end(struct bight_plugin *plugin)
{
    struct files *files = container_of(plugin, struct files, plugin);
    struct bight_link *link;

    while ((link = link_take(&files->open))) {
        struct bight_file *file = container_of(link, struct bight_file, link);

        bight__opened_left(files->runtime, file, "a file");
        close(file->fd);
        bight__free(file);
    }
    while ((link = link_take(&files->iterations))) {
        bight__opened_left(files->runtime, link, "an iteration of a directory");
        bight__directory_free(link);
    }
    bight__free(files);
}

static const struct bight_plugin_kind files_kind = {
    .bytes = sizeof(struct files),
    .begin = files_begin,
    .end = files_end,
};

int bight__files_get(struct files **out)
{
    struct bight_runtime *runtime;
    struct bight_plugin *plugin;
    int rc = bight__runtime_get(&runtime);

    if (rc)
        return rc;
    plugin = bight__plugin_get(runtime, &files_kind, &rc);
    if (!plugin)
        return rc;
    *out = container_of(plugin, struct files, plugin);
    return 0;
}
