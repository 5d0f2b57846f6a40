/* The signals of <bight/signal.h>, one libuv handle each. A handle is a heap object because libuv
 * keeps it until its close callback. The runtime keeps a list of the open ones in a plugin and
 * closes what is left when it ends. */
#include "coro/core/source.h"
#include "runtime/runtime.h"

#include <bight/signal.h>

#include <limits.h>
#include <stdio.h>

struct bight_signal {
    uv_signal_t handle;
    struct bight_runtime *runtime;
    struct bight_link link; /* in the runtime's list of open ones */
    int signum;
    int arrived; /* those not yet given to a wait; at most INT_MAX */
    struct bight_waiter *waiter;
};

/* What the runtime has open. */
struct signals {
    struct bight_plugin plugin;
    struct bight_link open;
};

struct signal_wait {
    struct bight_waiter waiter;
    struct bight_signal *signal;
};

static void signals_end(struct bight_plugin *plugin)
{
    struct signals *signals = container_of(plugin, struct signals, plugin);

    while (!link_empty(&signals->open))
        bight_signal_end(container_of(signals->open.next, struct bight_signal, link));
    bight__free(signals);
}

static int signals_begin(struct bight_plugin *plugin, struct bight_runtime *runtime)
{
    (void)runtime;
    link_init(&container_of(plugin, struct signals, plugin)->open);
    return 0;
}

static const struct bight_plugin_kind signals_kind = {
    .bytes = sizeof(struct signals),
    .begin = signals_begin,
    .end = signals_end,
};

static void on_closed(uv_handle_t *handle)
{
    struct bight_signal *signal = container_of(handle, struct bight_signal, handle);
    struct bight_runtime *runtime = signal->runtime;

    bight__free(signal);
    bight__handle_closed(runtime);
}

/* A waiter takes all signals that have arrived; if the waiter is going away, they stay counted. */
static void on_signal(uv_signal_t *handle, int signum)
{
    struct bight_signal *signal = container_of(handle, struct bight_signal, handle);
    struct bight_waiter *waiter = signal->waiter;

    (void)signum;
    if (signal->arrived < INT_MAX)
        signal->arrived++;
    if (!waiter)
        return;
    signal->waiter = NULL;
    if (bight_unpark(waiter, signal->arrived))
        signal->arrived = 0;
}

int bight_signal_open(struct bight_signal **out, int signum)
{
    struct bight_runtime *runtime = bight__runtime();

    if (!out)
        return BIGHT_EINVAL;
    if (!runtime)
        return BIGHT_ENORUNTIME;
    if (bight__runtime_is_over(runtime))
        return BIGHT_ECLOSED;
    int rc;
    struct bight_plugin *plugin = bight__plugin_get(runtime, &signals_kind, &rc);
    if (!plugin)
        return rc;
    struct signals *signals = container_of(plugin, struct signals, plugin);
    struct bight_signal *signal = bight__alloc_zero(&runtime->sched.seams, sizeof *signal);
    if (!signal)
        return BIGHT_ENOMEM;
    const struct bight_seams *seams = &runtime->sched.seams;
    rc = bight__call_fails(seams, "uv_signal_init")
             ? -errno
             : uv_signal_init(runtime->loop, &signal->handle);
    if (rc) {
        bight__free(signal);
        return rc;
    }
    bight__handle_opened(runtime);
    signal->runtime = runtime;
    signal->signum = signum;
    link_init(&signal->link);
    rc = bight__call_fails(seams, "uv_signal_start")
             ? -errno
             : uv_signal_start(&signal->handle, on_signal, signum);
    if (rc) {
        uv_close((uv_handle_t *)&signal->handle, on_closed);
        return rc;
    }
    uv_unref((uv_handle_t *)&signal->handle); /* tasks keep the loop alive, not this */
    link_append(&signals->open, &signal->link);
    *out = signal;
    return 0;
}

static int wait_abort(struct bight_waiter *waiter)
{
    container_of(waiter, struct signal_wait, waiter)->signal->waiter = NULL;
    return 0;
}

static void wait_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct signal_wait *wait = container_of(waiter, const struct signal_wait, waiter);

    snprintf(text, text_bytes, "%d", wait->signal->signum);
}

static const struct bight_waiter_ops wait_ops = {
    .name = "signal",
    .abort = wait_abort,
    .describe = wait_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};

int bight_signal_wait(struct bight_signal *signal)
{
    struct signal_wait wait = {.signal = signal};
    int rc;

    if (!signal)
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc)
        return rc;
    if (signal->waiter)
        return BIGHT_EALREADY;
    if (signal->arrived) {
        int arrived = signal->arrived;
        signal->arrived = 0;
        return arrived;
    }
    bight__waiter_begin(&wait.waiter, &wait_ops);
    signal->waiter = &wait.waiter;
    return bight_park(&wait.waiter);
}

void bight_signal_end(struct bight_signal *signal)
{
    if (!signal)
        return;
    if (signal->waiter)
        bight_unpark(signal->waiter, BIGHT_ECLOSED);
    signal->waiter = NULL;
    link_remove(&signal->link);
    uv_close((uv_handle_t *)&signal->handle, on_closed);
}
