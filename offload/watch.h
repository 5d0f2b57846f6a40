/* A descriptor that the loop watches for reading. The uv handle lives on the heap until libuv has
 * closed it, so that the owner may drop the watch, and close the descriptor, at any time. */
#ifndef BIGHT_OFFLOAD_WATCH_H
#define BIGHT_OFFLOAD_WATCH_H

#include "runtime/runtime.h"

struct watch;

/* Call `ready(arg)` whenever `fd` can be read, has ended or failed. The handle does not keep the
 * loop alive. 0 or an error; takes fd on success. */
int bight__watch_new(struct watch **out, struct bight_runtime *runtime, int fd,
                     void (*ready)(void *arg), void *arg);

int bight__watch_fd(const struct watch *watch);

/* Close the descriptor; `ready` is not called any more. NULL is allowed. */
void bight__watch_close(struct watch *watch);

#endif
