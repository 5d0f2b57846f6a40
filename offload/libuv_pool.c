/* bight_offload: calls on libuv's pool of threads. The request lives in the caller's frame, and
 * the wait does not end before libuv has called back. Each runtime has a gate: libuv's one queue
 * also serves the file operations and name lookups of the whole process, so one of its threads is
 * left to these whatever our calls do, and the calls beyond wait here. */
#include <bight/offload.h>

#include "runtime/runtime.h"

struct gate {
    struct bight_plugin plugin;
    uv_loop_t *loop;
    struct bight_link waiting;
    size_t admitted; /* requests that libuv has */
    size_t most;     /* it may have this many */
};

struct offload {
    struct bight_waiter waiter; /* its link is the place in gate->waiting */
    struct gate *gate;
    int (*fn)(void *arg);
    void *arg;
    int rc;
    bool admitted;
    uv_work_t work;
};

static void end_gate(struct bight_plugin *plugin)
{
    bight__free(container_of(plugin, struct gate, plugin));
}

/* The first call makes libuv start its threads, and libuv calls abort() when one cannot start: so
 * we try it first. */
static int begin_gate(struct bight_plugin *plugin, struct bight_runtime *runtime)
{
    struct gate *gate = container_of(plugin, struct gate, plugin);
    size_t threads = bight__pool_threads();

    gate->loop = runtime->loop;
    gate->most = threads > 1 ? threads - 1 : 1;
    link_init(&gate->waiting);
    return bight__probe_threads(&runtime->sched.seams);
}

static const struct bight_plugin_kind gate_kind = {
    .bytes = sizeof(struct gate),
    .begin = begin_gate,
    .end = end_gate,
};

/* Runs on a thread of the pool. */
static void run(uv_work_t *work)
{
    struct offload *offload = container_of(work, struct offload, work);

    offload->rc = offload->fn(offload->arg);
}

static void after(uv_work_t *work, int status);

static void admit(struct offload *offload)
{
    offload->admitted = true;
    offload->gate->admitted++;
    /* it fails only when there is no function to call */
    (void)uv_queue_work(offload->gate->loop, &offload->work, run, after);
}

static void after(uv_work_t *work, int status)
{
    struct offload *offload = container_of(work, struct offload, work);
    struct gate *gate = offload->gate;
    struct bight_link *next = link_take(&gate->waiting);

    if (status)
        offload->rc = status; /* UV_ECANCELED: it never ran */
    gate->admitted--;
    (void)bight_unpark(&offload->waiter, 0);
    if (next)
        admit(container_of(next, struct offload, waiter.link));
}

/* Withdraw a call that has not begun. libuv still calls back, and the task waits for that. */
static int abort_offload(struct bight_waiter *waiter)
{
    struct offload *offload = container_of(waiter, struct offload, waiter);

    if (!offload->admitted) {
        link_remove(&waiter->link);
        return 0;
    }
    (void)uv_cancel((uv_req_t *)&offload->work);
    return BIGHT_EBUSY;
}

static const struct bight_waiter_ops offload_ops = {
    .name = "offloaded call",
    .abort = abort_offload,
    .flags = BIGHT_WAITER_OUTSIDE | BIGHT_WAITER_MAY_REFUSE,
};

int bight_offload(int (*fn)(void *arg), void *arg)
{
    struct offload offload = {.fn = fn, .arg = arg};
    struct bight_plugin *plugin;
    int rc;

    if (!fn)
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc)
        return rc;
    plugin = bight__plugin_get(bight__runtime(), &gate_kind, &rc);
    if (!plugin)
        return rc;
    offload.gate = container_of(plugin, struct gate, plugin);
    rc = bight_waiter_init(&offload.waiter, &offload_ops);
    if (rc)
        return rc;
    if (offload.gate->admitted < offload.gate->most)
        admit(&offload);
    else
        link_append(&offload.gate->waiting, &offload.waiter.link);
    rc = bight_park(&offload.waiter);
    return rc ? rc : offload.rc;
}
