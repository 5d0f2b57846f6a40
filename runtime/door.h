/* The runtime as the other libraries of bight see it: how they find it, and how what they open is
 * closed when it ends. The private part is runtime/runtime.h. */
#ifndef BIGHT_RUNTIME_DOOR_H
#define BIGHT_RUNTIME_DOOR_H

#include <bight/uv.h>
#include <bight/waiter.h>

#include "coro/base/door.h"

struct bight_runtime;
struct bight_seams;

/* Something that lives as long as the runtime and belongs to another layer: the offload request
 * cache, a session. The runtime keeps it in a list and calls `end` once, when the last task has
 * ended. `end` may close handles (see bight__handle_opened); it frees the record, or what the
 * record is part of. */
struct bight_plugin {
    struct bight_link link;
    const void *key; /* its kind, for bight__plugin_get */
    void (*end)(struct bight_plugin *plugin);
};

/* Get the calling thread's runtime, to add a plugin to it: 0; BIGHT_ENORUNTIME; BIGHT_ECLOSED when
 * the runtime is ending and would not call `end` any more. */
BIGHT_INTERNAL_API int bight__runtime_get(struct bight_runtime **out);
BIGHT_INTERNAL_API const struct bight_seams *
bight__runtime_seams(const struct bight_runtime *runtime);
BIGHT_INTERNAL_API uv_loop_t *bight__runtime_loop(const struct bight_runtime *runtime);

/* Call `fn` on the loop's stack, outside of tasks, as libraries want it that take more stack than a
 * task may have. The calling task goes on as soon as `fn` has returned; no other runs before. */
BIGHT_INTERNAL_API void bight__runtime_errand(struct bight_runtime *runtime, void (*fn)(void *arg),
                                              void *arg);

BIGHT_INTERNAL_API void bight__plugin_add(struct bight_runtime *runtime,
                                          struct bight_plugin *plugin);

/* Count libuv handles that bight has opened on the loop. A runtime ends only after
 * bight__handle_closed was called as often as bight__handle_opened; the last call may free it. */
BIGHT_INTERNAL_API void bight__handle_opened(struct bight_runtime *runtime);
BIGHT_INTERNAL_API void bight__handle_closed(struct bight_runtime *runtime);

/* For BIGHT_CHECK_OPEN, without which these do nothing: what a program opens and has to end is
 * noted, with its place, when it is given to the program, and forgotten when that ends it. Of what
 * is left for the runtime to end, `left` tells first, in a few words, and forgets it. */
BIGHT_INTERNAL_API void bight__opened_note(const struct bight_runtime *runtime, const void *object);
BIGHT_INTERNAL_API void bight__opened_forget(const struct bight_runtime *runtime,
                                             const void *object);
BIGHT_INTERNAL_API void bight__opened_left(struct bight_runtime *runtime, const void *object,
                                           const char *text);

#endif
