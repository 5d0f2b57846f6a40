/* See watch.h. */
#include "offload/watch.h"

#include <unistd.h>

struct watch {
    uv_poll_t poll;
    struct bight_runtime *runtime;
    int fd;
    void (*ready)(void *arg);
    void *arg;
};

static void on_closed(uv_handle_t *handle)
{
    struct watch *watch = container_of((uv_poll_t *)handle, struct watch, poll);
    struct bight_runtime *runtime = watch->runtime;

    bight__free(watch);
    bight__handle_closed(runtime);
}

/* Called for errors too: libuv has stopped the handle then, and reading tells what happened. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = container_of(poll, struct watch, poll);

    (void)status;
    (void)events;
    watch->ready(watch->arg);
}

int bight__watch_new(struct watch **out, struct bight_runtime *runtime, int fd,
                     void (*ready)(void *arg), void *arg)
{
    struct watch *watch = bight__alloc(&runtime->sched.seams, sizeof(*watch));
    int rc;

    if (!watch)
        return BIGHT_ENOMEM;
    *watch = (struct watch){.runtime = runtime, .fd = fd, .ready = ready, .arg = arg};
    rc = uv_poll_init(runtime->loop, &watch->poll, fd);
    if (rc) {
        bight__free(watch);
        return rc;
    }
    bight__handle_opened(runtime);
    uv_unref((uv_handle_t *)&watch->poll);
    rc = uv_poll_start(&watch->poll, UV_READABLE, on_poll);
    if (rc) {
        uv_close((uv_handle_t *)&watch->poll, on_closed);
        return rc;
    }
    *out = watch;
    return 0;
}

int bight__watch_fd(const struct watch *watch)
{
    return watch->fd;
}

void bight__watch_close(struct watch *watch)
{
    if (!watch)
        return;
    uv_close((uv_handle_t *)&watch->poll, on_closed);
    close(watch->fd); /* allowed at once: uv_close has taken it out of the poll set */
}
