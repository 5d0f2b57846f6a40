/* The signals of <bight/signal.h>. A runtime has one libuv handle per number, its watcher, which
 * tells all that are open for the number: libuv writes each arrival into a pipe once per handle,
 * and a pipe that is full loses it. A watcher is a heap object because libuv keeps it until its
 * close callback. The runtime keeps a list of the watchers in a plugin and ends what is open when
 * it ends. */
#include "coro/core/source.h"
#include "runtime/runtime.h"

#include <bight/signal.h>

#include <limits.h>
#include <stdio.h>

/* Listens from the first open of its number to the last end. */
struct watcher {
    struct bight_signal_handle heard;
    struct bight_runtime *runtime;
    struct bight_link link;    /* in the runtime's list; in none while it closes */
    struct bight_link signals; /* those that are open, in the order in which they were opened */
    int signum;
};

struct bight_signal {
    struct watcher *watcher;
    struct bight_link link; /* in the watcher's list */
    int arrived;            /* those not yet given to a wait; at most INT_MAX */
    struct bight_waiter *waiter;
};

/* What the runtime has open: no watcher in here is without a signal. */
struct signals {
    struct bight_plugin plugin;
    struct bight_link watchers;
};

struct signal_wait {
    struct bight_waiter waiter;
    struct bight_signal *signal;
};

static void on_closed(uv_handle_t *handle)
{
    struct watcher *watcher = container_of(handle, struct watcher, heard.handle);
    struct bight_runtime *runtime = watcher->runtime;

    bight__free(watcher);
    bight__handle_closed(runtime);
}

/* Stop listening now, which restores the signal's disposition if nobody else in the process
 * listens; the memory goes later. */
static void watcher_close(struct watcher *watcher)
{
    link_remove(&watcher->link);
    bight__signal_handle_stop(&watcher->heard);
    uv_close((uv_handle_t *)&watcher->heard.handle, on_closed);
}

static void end(struct bight_signal *signal)
{
    if (signal->waiter)
        bight_unpark(signal->waiter, BIGHT_ECLOSED);
    link_cut(&signal->link);
    bight__opened_forget(signal->watcher->runtime, signal);
    if (link_empty(&signal->watcher->signals))
        watcher_close(signal->watcher);
    bight__free(signal);
}

static void signals_end(struct bight_plugin *plugin)
{
    struct signals *signals = container_of(plugin, struct signals, plugin);
    struct bight_signal *signal;
    char text[32];

    while (!link_empty(&signals->watchers)) {
        struct watcher *watcher = container_of(signals->watchers.next, struct watcher, link);

        signal = container_of(watcher->signals.next, struct bight_signal, link);
        snprintf(text, sizeof(text), "a signal: %d", watcher->signum);
        bight__opened_left(watcher->runtime, signal, text);
        end(signal);
    }
    bight__free(signals);
}

static int signals_begin(struct bight_plugin *plugin, struct bight_runtime *runtime)
{
    (void)runtime;
    link_init(&container_of(plugin, struct signals, plugin)->watchers);
    return 0;
}

static const struct bight_plugin_kind signals_kind = {
    .bytes = sizeof(struct signals),
    .begin = signals_begin,
    .end = signals_end,
};

/* A waiter takes all that have arrived; if the waiter is going away, they stay counted. */
static void arrive(struct bight_signal *signal)
{
    struct bight_waiter *waiter = signal->waiter;

    if (signal->arrived < INT_MAX)
        signal->arrived++;
    if (!waiter)
        return;
    signal->waiter = NULL;
    if (bight_unpark(waiter, signal->arrived))
        signal->arrived = 0;
}

/* Nothing of the program runs in here, so the list stays as it is. */
static void on_signal(uv_signal_t *handle, int signum)
{
    const struct watcher *watcher = container_of(handle, struct watcher, heard.handle);

    (void)signum;
    for (struct bight_link *link = watcher->signals.next; link != &watcher->signals;
         link = link->next)
        arrive(container_of(link, struct bight_signal, link));
}

static int watcher_new(struct watcher **out, struct bight_runtime *runtime, int signum)
{
    const struct bight_seams *seams = &runtime->sched.seams;
    struct watcher *watcher = bight__alloc_zero(seams, sizeof *watcher);
    int rc;

    if (!watcher)
        return BIGHT_ENOMEM;
    rc = bight__call_fails(seams, "uv_signal_init")
             ? -errno
             : uv_signal_init(runtime->loop, &watcher->heard.handle);
    if (rc) {
        bight__free(watcher);
        return rc;
    }
    bight__handle_opened(runtime);
    watcher->runtime = runtime;
    watcher->signum = signum;
    link_init(&watcher->link);
    link_init(&watcher->signals);
    rc = bight__call_fails(seams, "uv_signal_start")
             ? -errno
             : bight__signal_handle_start(&watcher->heard, on_signal, signum, false);
    if (rc) {
        watcher_close(watcher);
        return rc;
    }
    uv_unref((uv_handle_t *)&watcher->heard.handle); /* tasks keep the loop alive, not this */
    *out = watcher;
    return 0;
}

/* The runtime's watcher of that number, made when there is none. */
static int watcher_get(struct watcher **out, struct bight_runtime *runtime, int signum)
{
    int rc;
    struct bight_plugin *plugin = bight__plugin_get(runtime, &signals_kind, &rc);

    if (!plugin)
        return rc;
    struct bight_link *watchers = &container_of(plugin, struct signals, plugin)->watchers;
    for (struct bight_link *link = watchers->next; link != watchers; link = link->next) {
        struct watcher *watcher = container_of(link, struct watcher, link);

        if (watcher->signum == signum) {
            *out = watcher;
            return 0;
        }
    }
    rc = watcher_new(out, runtime, signum);
    if (rc == 0)
        link_append(watchers, &(*out)->link);
    return rc;
}

int bight_signal_open(struct bight_signal **out, int signum)
{
    struct bight_runtime *runtime;
    int rc;

    if (!out)
        return BIGHT_EINVAL;
    rc = bight__runtime_get(&runtime);
    if (rc)
        return rc;
    struct bight_signal *signal = bight__alloc_zero(&runtime->sched.seams, sizeof *signal);
    if (!signal)
        return BIGHT_ENOMEM;
    rc = watcher_get(&signal->watcher, runtime, signum);
    if (rc) {
        bight__free(signal);
        return rc;
    }
    link_append(&signal->watcher->signals, &signal->link);
    bight__opened_note(runtime, signal);
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

    snprintf(text, text_bytes, "%d", wait->signal->watcher->signum);
}

static const struct bight_waiter_ops wait_ops = {
    .name = "signal",
    .abort = wait_abort,
    .describe = wait_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};

/* Those that have arrived, 0 for none, or why nobody may wait. */
static int take(struct bight_signal *signal)
{
    int arrived = signal->arrived;

    if (signal->watcher->runtime != bight__runtime())
        return BIGHT_EPERM;
    if (signal->waiter)
        return BIGHT_EALREADY;
    signal->arrived = 0;
    return arrived;
}

static int wait_or_take(struct bight_signal *signal)
{
    struct signal_wait wait = {.signal = signal};
    int rc = take(signal);

    if (rc)
        return rc;
    bight__waiter_begin(&wait.waiter, &wait_ops);
    signal->waiter = &wait.waiter;
    return bight_park(&wait.waiter);
}

int bight_signal_wait(struct bight_signal *signal)
{
    struct bight_task *self;
    int rc;

    if (!signal)
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (rc)
        return rc;
    rc = wait_or_take(signal);
    bight__breathe(self);
    return rc;
}

static int case_abort(struct bight_waiter *waiter)
{
    struct bight_signal *signal = bight_case_of(waiter)->source;

    if (signal->waiter == waiter)
        signal->waiter = NULL;
    return 0;
}

static void case_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct bight_case *of = bight_container_of(waiter, struct bight_case, waiter);
    const struct bight_signal *signal = of->source;

    snprintf(text, text_bytes, "%d", signal->watcher->signum);
}

static const struct bight_waiter_ops case_wait = {
    .name = "select: signal",
    .abort = case_abort,
    .describe = case_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static bool case_attempt(struct bight_case *chosen)
{
    chosen->status = take(chosen->source);
    return chosen->status != 0;
}

static int case_arm(struct bight_case *chosen)
{
    struct bight_signal *signal = chosen->source;

    if (signal->waiter)
        return BIGHT_EALREADY; /* it is in another case of the same select */
    signal->waiter = &chosen->waiter;
    return 0;
}

static const struct bight_case_ops case_ops = {&case_wait, case_attempt, case_arm, NULL};

void bight_case_signal(struct bight_case *to, struct bight_signal *signal)
{
    if (!to)
        return;
    /* Without a source it is invalid: it has no ops, and the select says so. */
    bight_case_custom(to, signal ? &case_ops : NULL, signal);
}

int bight_signal_end(struct bight_signal *signal)
{
    if (!signal)
        return 0;
    if (signal->watcher->runtime != bight__runtime())
        return BIGHT_EPERM;
    end(signal);
    return 0;
}
