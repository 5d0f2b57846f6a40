/* Late attach to a host's loop.
 *
 * Hard: the host's loop runs already, with timers of its own, when bight is attached from inside
 * one of its callbacks; tasks are spawned by callbacks, keep the loop alive while the host has
 * nothing else, detach leaves no handle behind, and it can all be done a second time. */
#include <bight/task.h>
#include <bight/time.h>
#include <bight/uv.h>

#include <stdio.h>

struct host {
    uv_loop_t loop;
    uv_timer_t timer;
    struct bight_runtime *runtime;
    int attached, finished, detached, code;
};

static int work(void *arg)
{
    struct host *host = arg;
    int rc = bight_sleep(2);

    host->finished += rc == 0;
    return rc;
}

static void on_detached(void *arg)
{
    struct host *host = arg;

    host->detached++;
}

/* The last task detaches: the runtime ends once it has returned. */
static int work_and_detach(void *arg)
{
    struct host *host = arg;
    int rc = work(host);

    return rc ? rc : bight_detach(host->runtime, on_detached, host);
}

static void on_timer(uv_timer_t *timer)
{
    struct host *host = timer->data;
    int rc = bight_attach(&host->runtime, &host->loop, NULL);

    if (rc == 0) {
        host->attached++;
        rc = bight_spawn(NULL, work, host);
    }
    if (rc == 0)
        rc = bight_spawn(NULL, work_and_detach, host);
    if (rc)
        host->code = rc;
}

static void count_handle(uv_handle_t *handle, void *arg)
{
    (void)handle;
    ++*(int *)arg;
}

int main(void)
{
    struct host host = {0};
    int handles = 0;
    int rc = uv_loop_init(&host.loop);

    if (rc)
        return 1;
    uv_timer_init(&host.loop, &host.timer);
    host.timer.data = &host;
    for (int round = 0; round < 2; round++) {
        /* One shot: while it is not armed, only bight's tasks keep the loop alive. */
        uv_timer_start(&host.timer, on_timer, 1, 0);
        uv_run(&host.loop, UV_RUN_DEFAULT);
    }
    uv_walk(&host.loop, count_handle, &handles); /* the host's timer is the only one */
    uv_close((uv_handle_t *)&host.timer, NULL);
    uv_run(&host.loop, UV_RUN_DEFAULT);
    rc = uv_loop_close(&host.loop);
    bool ok = rc == 0 && host.code == 0 && host.attached == 2 && host.finished == 4 &&
              host.detached == 2 && handles == 1;

    printf("late_attach: attached %d times, %d tasks finished, detached %d times, %d handle left\n",
           host.attached, host.finished, host.detached, handles);
    return ok ? 0 : 1;
}
