/* The bridge from our epolls to the loop: libuv watches the epoll's descriptor, and what is ready
 * in it is taken and told in the poll phase, before the check phase runs tasks. */
#include "runtime/stream/poller.h"

#include <errno.h>
#include <unistd.h>

static void on_poll(uv_poll_t *watch, int status, int events)
{
    struct poller *poller = container_of(watch, struct poller, watch);

    (void)status;
    (void)events;
    poller->events(poller, epoll_wait(poller->epoll, poller->taken, POLLER_EVENTS, 0));
}

static void on_closed(uv_handle_t *handle)
{
    struct poller *poller = container_of(handle, struct poller, watch);
    struct bight_runtime *runtime = poller->runtime;

    poller->closed(poller);
    bight__handle_closed(runtime);
}

static int watch_init(struct poller *poller)
{
    const struct bight_seams *seams = &poller->runtime->sched.seams;

    if (bight__call_fails(seams, "uv_poll_init"))
        return -errno;
    return uv_poll_init(poller->runtime->loop, &poller->watch, poller->epoll);
}

int bight__poller_open(struct poller *poller, struct bight_runtime *runtime,
                       void (*events)(struct poller *poller, int count))
{
    int rc;

    poller->runtime = runtime;
    poller->events = events;
    poller->epoll = bight__call_fails(&runtime->sched.seams, "epoll_create1")
                        ? -1
                        : epoll_create1(EPOLL_CLOEXEC);
    if (poller->epoll < 0)
        return -errno;
    rc = watch_init(poller);
    if (rc) {
        close(poller->epoll);
        return rc;
    }
    bight__handle_opened(runtime);
    (void)uv_poll_start(&poller->watch, UV_READABLE, on_poll); /* cannot fail: it is not closing */
    uv_unref((uv_handle_t *)&poller->watch); /* tasks keep the loop alive, not this */
    return 0;
}

void bight__poller_close(struct poller *poller, void (*closed)(struct poller *poller))
{
    poller->closed = closed;
    uv_poll_stop(&poller->watch);
    close(poller->epoll);
    uv_close((uv_handle_t *)&poller->watch, on_closed);
}

int bight__poller_control(const struct poller *poller, int operation, int fd, uint32_t events,
                          uint64_t token)
{
    struct epoll_event event = {.events = events, .data.u64 = token};

    if (operation != EPOLL_CTL_DEL && bight__call_fails(&poller->runtime->sched.seams, "epoll_ctl"))
        return -errno;
    return epoll_ctl(poller->epoll, operation, fd, &event) ? -errno : 0;
}
