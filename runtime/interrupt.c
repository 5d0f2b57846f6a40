/* bight_runtime_options.interrupt_signal: one libuv handle that lives as long as the runtime and
 * listens while a main runs. It listens once, so a second signal does what it would do without
 * bight, even when the loop is too busy to see the first. */
#include "runtime/runtime.h"
#include "coro/core/scope.h"

int bight__interrupt_open(struct bight_runtime *runtime)
{
    if (!runtime->sched.options.interrupt_signal)
        return 0;
    if (!runtime->owns_loop)
        return BIGHT_EINVAL; /* signals belong to the host */
    int rc = bight__call_fails(&runtime->sched.seams, "uv_signal_init")
                 ? -errno
                 : uv_signal_init(runtime->loop, &runtime->interrupt.handle);
    if (rc)
        return rc;
    runtime->interrupt.handle.data = runtime;
    uv_unref((uv_handle_t *)&runtime->interrupt.handle);
    bight__handle_opened(runtime);
    return 0;
}

/* A main that was being cancelled already stays cancelled and does not count as interrupted. */
static void on_interrupt(uv_signal_t *handle, int signum)
{
    struct bight_runtime *runtime = handle->data;

    (void)signum;
    if (runtime->sched.main_done || runtime->main->base.effective)
        return;
    runtime->interrupted = true;
    runtime->main->base.kind |= SCOPE_INTERRUPTED; /* for bight_cancel_get_cause */
    bight_task_cancel(runtime->main);
}

int bight__interrupt_begin(struct bight_runtime *runtime)
{
    int signum = runtime->sched.options.interrupt_signal;

    runtime->interrupted = false;
    if (!signum)
        return 0;
    if (bight__call_fails(&runtime->sched.seams, "uv_signal_start_oneshot"))
        return -errno;
    return bight__signal_handle_start(&runtime->interrupt, on_interrupt, signum, true);
}

void bight__interrupt_end(struct bight_runtime *runtime)
{
    if (runtime->sched.options.interrupt_signal)
        bight__signal_handle_stop(&runtime->interrupt);
}

bool bight__interrupt_listens(const struct bight_runtime *runtime)
{
    return runtime->sched.options.interrupt_signal &&
           uv_is_active((const uv_handle_t *)&runtime->interrupt.handle);
}

int bight__interrupt_outcome(const struct bight_runtime *runtime, int status)
{
    return runtime->interrupted && status == BIGHT_ECANCELED ? BIGHT_EINTR : status;
}

static void on_closed(uv_handle_t *handle)
{
    bight__handle_closed(handle->data);
}

void bight__interrupt_close(struct bight_runtime *runtime)
{
    if (runtime->sched.options.interrupt_signal)
        uv_close((uv_handle_t *)&runtime->interrupt.handle, on_closed);
}
