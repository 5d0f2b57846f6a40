/* A bridge for a foreign callback API: wait until a file changes, by libuv's uv_fs_event_t.
 *
 * Hard: two lifetimes meet. The waiter is on the task's stack and nothing may point at it once the
 * wait is over, whichever way it ended: so the callback stops the watch before it unparks, and so
 * does the abort hook before it lets go. The handle is the library's until its close callback: so
 * the bridge closes it before its frame returns, with a call that waits even when cancelled. */
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/task.h>
#include <bight/uv.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct file_wait {
    struct bight_waiter waiter;
    uv_fs_event_t handle;
};

static int file_abort(struct bight_waiter *waiter)
{
    return uv_fs_event_stop(&bight_container_of(waiter, struct file_wait, waiter)->handle);
}

static const struct bight_waiter_ops file_ops = {
    .name = "change of a file",
    .abort = file_abort,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static void on_change(uv_fs_event_t *handle, const char *name, int events, int status)
{
    struct file_wait *wait = handle->data;

    (void)name;
    uv_fs_event_stop(handle);
    bight_unpark(&wait->waiter, status < 0 ? status : events);
}

/* The events of the next change, or a negative code. */
static int wait_change(void *path)
{
    struct file_wait wait;
    int rc = bight_checkpoint(); /* observe a cancellation before the first effect */
    int closed;

    if (rc == 0)
        rc = bight_waiter_init(&wait.waiter, &file_ops);
    if (rc == 0)
        rc = uv_fs_event_init(bight_uv_loop(), &wait.handle);
    if (rc)
        return rc;
    wait.handle.data = &wait;
    rc = uv_fs_event_start(&wait.handle, on_change, path, 0);
    if (rc == 0)
        rc = bight_park(&wait.waiter);
    closed = bight_uv_close((uv_handle_t *)&wait.handle);
    return closed ? closed : rc;
}

static int change(void *path)
{
    return truncate(path, 1) ? -errno : 0;
}

static int run(void *path)
{
    int events = bight_spawn(NULL, change, path); /* runs when this task waits */

    if (events == 0)
        events = bight_timeout(10000, wait_change, path);
    if (events != UV_CHANGE)
        return events < 0 ? events : BIGHT_EINVAL;
    return bight_timeout(5, wait_change, path);
}

int main(void)
{
    char path[] = "/tmp/bight-spot-XXXXXX";
    int fd = mkstemp(path);

    if (fd < 0)
        return 1;
    close(fd);
    int rc = bight_run(run, path);
    unlink(path);
    printf("foreign_callback: one change seen, then %s\n", bight_error_name(rc));
    return rc == BIGHT_ETIMEDOUT ? 0 : 1;
}
