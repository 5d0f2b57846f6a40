/* Runtimes: made on a loop of their own or a host's, ended in three steps. `end` cancels what is
 * left once main has returned or the host detaches; when no task lives any more, `close` closes the
 * handles; when libuv has let go of the last one, `gone` frees the runtime. runner.c has the runs
 * on a loop of the runtime's own. */
#include "runtime/runtime.h"
#include "coro/core/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* libuv adds two entries and rounds up to a power of two. */
#define DEFAULT_WATCHERS 16382

static unsigned watchers_wanted(const struct bight_runtime_options *options,
                                const struct bight_seams *seams)
{
    struct rlimit limit;

    if (options && options->watchers)
        return options->watchers;
    if (bight__call_fails(seams, "getrlimit") || getrlimit(RLIMIT_NOFILE, &limit) ||
        limit.rlim_cur > DEFAULT_WATCHERS)
        return DEFAULT_WATCHERS;
    return (unsigned)limit.rlim_cur;
}

static void close_left_open(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* Close what the user left open on our loop, let requests end, and the loop with them. */
static void loop_destroy(uv_loop_t *loop)
{
    uv_walk(loop, close_left_open, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
}

/* libuv (1.44 to 1.51) takes for its own only what has a number above 2: where its loop has got one
 * of the others, its end aborts, and a stream that has does not close it. So where standard input,
 * output or error are closed, /dev/null takes their numbers, for good; without one, a descriptor
 * that can do nothing. */
static int fill_standard_fds(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int got;

        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        got = open("/dev/null", O_RDWR);
        if (got < 0)
            got = open("/", O_PATH);
        if (got < 0)
            return -errno;
        if (got > STDERR_FILENO)
            close(got); /* another thread has been faster */
    }
    return 0;
}

int bight__runtime_new(struct bight_runtime **out, uv_loop_t *loop,
                       const struct bight_runtime_options *options, const struct bight_seams *seams)
{
    struct bight_runtime *runtime;
    int rc;

    rc = bight__probe(seams);
    if (rc)
        return rc;
    runtime = bight__alloc_zero(seams, sizeof(*runtime));
    if (!runtime)
        return BIGHT_ENOMEM;
    runtime->loop = loop;
    runtime->running = loop;
    if (!loop) {
        rc = fill_standard_fds();
        if (rc)
            goto free_runtime;
        rc = bight__call_fails(seams, "uv_loop_init") ? -errno : uv_loop_init(&runtime->own_loop);
        if (rc)
            goto free_runtime;
        runtime->loop = &runtime->own_loop;
        runtime->owns_loop = true;
    }
    rc = bight__forked_watch();
    if (rc)
        goto close_loop;
    rc = bight__probe_watchers(runtime->loop, watchers_wanted(options, seams), seams);
    if (rc)
        goto close_loop;
    rc = bight__sched_init(&runtime->sched, &bight__runtime_driver, options, seams);
    if (rc)
        goto close_loop;
    link_init(&runtime->plugins);
    link_init(&runtime->turn_hooks);
    link_init(&runtime->idle_hooks);
    bight__wheel_init(&runtime->wheel, bight__runtime_driver.now_ns(&runtime->sched));
    rc = bight__overflow_watch(runtime);
    if (rc)
        goto fini_sched;
    rc = bight__opened_begin(runtime);
    if (rc)
        goto unwatch;
    rc = bight__sampler_open(runtime);
    if (rc)
        goto free_opened;
    rc = bight__interrupt_open(runtime);
    if (rc)
        goto close_sampler;
    rc = bight__mailbox_new(&runtime->mailbox, runtime);
    if (rc)
        goto close_sampler; /* the loop's end closes what the interrupt has opened */
    bight__drive_open(runtime);
    if (runtime->sched.options.measure)
        bight__runtime_measure(runtime, true);
    bight__sched = &runtime->sched;
    *out = runtime;
    return 0;

close_sampler:
    bight__sampler_close(runtime);
free_opened:
    bight__free(runtime->opened);
unwatch:
    bight__overflow_unwatch(runtime);
fini_sched:
    bight__sched_fini(&runtime->sched);
close_loop:
    if (runtime->owns_loop)
        loop_destroy(runtime->loop);
free_runtime:
    bight__free(runtime);
    return rc;
}

void bight__runtime_end(struct bight_runtime *runtime)
{
    runtime->ending = true;
    runtime->sched.closing = true;
    bight__interrupt_end(runtime);
    bight__opened_tasks(runtime);
    bight__scope_cancel(&runtime->sched.root.scope);
}

static void plugins_end(struct bight_runtime *runtime)
{
    struct bight_link *link;

    while ((link = link_take(&runtime->plugins))) {
        struct bight_plugin *plugin = container_of(link, struct bight_plugin, link);

        plugin->end(plugin);
    }
}

/* No task is left alive. Only the callbacks of closing handles run from here on. */
void bight__runtime_close(struct bight_runtime *runtime)
{
    runtime->closing = true; /* first: bight__mailbox_close runs what the calls below post */
    bight__calls_run_last(&runtime->sched);
    plugins_end(runtime);
    bight__mailbox_close(runtime->mailbox);
    plugins_end(runtime); /* the last posts may have begun something */
    bight__drive_close(runtime);
    bight__interrupt_close(runtime);
    bight__opened_end(runtime);
}

/* libuv has let go of every handle. */
static void runtime_gone(struct bight_runtime *runtime)
{
    void (*done)(void *arg) = runtime->on_detached;
    void *arg = runtime->on_detached_arg;

    bight__sampler_close(runtime);
    bight__overflow_unwatch(runtime);
    bight__calls_drop(&runtime->sched);
    bight__wheel_fini(&runtime->wheel);
    bight__hooks_fini(runtime);
    bight__sched_fini(&runtime->sched);
    if (bight__sched == &runtime->sched)
        bight__sched = NULL;
    if (runtime->owns_loop)
        return; /* close_down frees it when uv_run has returned */
    bight__free(runtime);
    if (done)
        done(arg);
}

void bight__runtime_free(struct bight_runtime *runtime)
{
    loop_destroy(runtime->loop);
    bight__free(runtime);
}

int bight__runtime_get(struct bight_runtime **out)
{
    struct bight_runtime *runtime = bight__runtime();

    if (!runtime)
        return BIGHT_ENORUNTIME;
    if (bight__runtime_is_over(runtime))
        return BIGHT_ECLOSED;
    *out = runtime;
    return 0;
}

const struct bight_seams *bight__runtime_seams(const struct bight_runtime *runtime)
{
    return &runtime->sched.seams;
}

uv_loop_t *bight__runtime_loop(const struct bight_runtime *runtime)
{
    return runtime->loop;
}

void bight__runtime_errand(struct bight_runtime *runtime, void (*fn)(void *arg), void *arg)
{
    bight__errand(&runtime->sched, fn, arg);
}

void bight__handle_opened(struct bight_runtime *runtime)
{
    runtime->handles++;
}

void bight__handle_closed(struct bight_runtime *runtime)
{
    if (--runtime->handles == 0 && runtime->closing)
        runtime_gone(runtime);
}

struct bight_plugin *bight__plugin_find(const struct bight_runtime *runtime,
                                        const struct bight_plugin_kind *kind)
{
    struct bight_link *link;

    for (link = runtime->plugins.next; link != &runtime->plugins; link = link->next) {
        struct bight_plugin *plugin = container_of(link, struct bight_plugin, link);

        if (plugin->key == kind)
            return plugin;
    }
    return NULL;
}

struct bight_plugin *bight__plugin_get(struct bight_runtime *runtime,
                                       const struct bight_plugin_kind *kind, int *rc)
{
    struct bight_plugin *plugin = bight__plugin_find(runtime, kind);

    if (likely(plugin != NULL))
        return plugin;
    plugin = bight__alloc_zero(&runtime->sched.seams, kind->bytes);
    *rc = plugin ? kind->begin(plugin, runtime) : BIGHT_ENOMEM;
    if (*rc) {
        bight__free(plugin);
        return NULL;
    }
    plugin->key = kind;
    plugin->end = kind->end;
    bight__plugin_add(runtime, plugin);
    return plugin;
}

void bight__plugin_add(struct bight_runtime *runtime, struct bight_plugin *plugin)
{
    link_append(&runtime->plugins, &plugin->link);
}

int bight_attach(struct bight_runtime **out, uv_loop_t *loop,
                 const struct bight_runtime_options *options)
{
    static const struct bight_seams no_seams;

    if (!out || !loop)
        return BIGHT_EINVAL;
    if (bight__sched)
        return BIGHT_EALREADY;
    return bight__runtime_new(out, loop, options, &no_seams);
}

int bight_detach(struct bight_runtime *runtime, void (*done)(void *arg), void *arg)
{
    if (!runtime || runtime->owns_loop)
        return BIGHT_EINVAL;
    if (runtime->ending)
        return BIGHT_EALREADY;
    runtime->on_detached = done;
    runtime->on_detached_arg = arg;
    bight__runtime_end(runtime);
    /* drive.c does the rest in the next prepare phase, because a task may be the one that detaches.
     * Make sure that this phase comes, and soon. */
    bight__drive_soon(runtime);
    return 0;
}

uv_loop_t *bight_uv_loop(void)
{
    struct bight_runtime *runtime = bight__runtime();

    return runtime ? runtime->loop : NULL;
}
