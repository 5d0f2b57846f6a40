/* Listening to signals in a program that may fork. Inside runtime/, net/ and offload/. */
#ifndef RUNTIME_FORKED_H
#define RUNTIME_FORKED_H

#include "coro/base/list.h"

#include <stdbool.h>
#include <uv.h>

/* A handle for signals. `link` is in none before the first start. */
struct bight_signal_handle {
    uv_signal_t handle;
    struct bight_link link;
};

/* From now on a child of fork() has no runtime and listens to nothing. To be called before there is
 * a runtime, and after libuv has made its first loop. 0 or BIGHT_ENOMEM. Thread: any. */
int bight__forked_watch(void);

/* uv_signal_start, or uv_signal_start_oneshot. Thread: the loop's, as of the next. */
int bight__signal_handle_start(struct bight_signal_handle *handle, uv_signal_cb fn, int signum,
                               bool once);
/* uv_signal_stop; before uv_close, and where nothing was started. */
void bight__signal_handle_stop(struct bight_signal_handle *handle);

#endif
