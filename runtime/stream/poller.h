/* Readiness from the kernel: an epoll of our own, whose descriptor libuv watches with one handle. A
 * stream is registered once, edge-triggered, for its whole life, so that waiting makes no system
 * call; a registration that the system refuses is an error of the call, where libuv would abort;
 * and closing is synchronous. docs/design.md has the measurement against uv_poll_t. */
#ifndef BIGHT_RUNTIME_STREAM_POLLER_H
#define BIGHT_RUNTIME_STREAM_POLLER_H

#include <sys/epoll.h>

#include "runtime/runtime.h"

/* Taken at a time. What is left comes with the loop's next turn. */
#define POLLER_EVENTS 256

struct poller {
    uv_poll_t watch;
    int epoll;
    struct bight_runtime *runtime;
    /* `taken` has so many events, each with the token that it was registered with. Wakes tasks and
     * runs none. */
    void (*events)(struct poller *poller, int count);
    void (*closed)(struct poller *poller);
    struct epoll_event taken[POLLER_EVENTS];
};

/* Nothing is left to close when it fails. */
int bight__poller_open(struct poller *poller, struct bight_runtime *runtime,
                       void (*events)(struct poller *poller, int count));
/* `closed` is called once libuv has let go; it may free what the poller is part of. */
void bight__poller_close(struct poller *poller, void (*closed)(struct poller *poller));

/* epoll_ctl, with the seam; `operation` is EPOLL_CTL_*. 0 or a negative code. */
int bight__poller_control(const struct poller *poller, int operation, int fd, uint32_t events,
                          uint64_t token);

/* Something registered for as long as it has its descriptor: a stream or a listener. */
struct poll_source {
    /* Called from the loop's stack, and runs no task. */
    void (*ready)(struct poll_source *source, uint32_t events);
    uint32_t place; /* in the table of struct streams */
};

#endif
