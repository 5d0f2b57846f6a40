/* Hooks: functions that the loop calls at two points of its turn, for what has to be done often and
 * cheaply beside the tasks: feed a watchdog, collect what another library has queued, measure. The record
 * is the caller's memory. */
#ifndef BIGHT_HOOK_H
#define BIGHT_HOOK_H

#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

struct bight_hook {
    /* What is called, on the loop's thread and outside of tasks; it must not suspend. It may spawn and
     * wake tasks, and add and remove hooks, also itself; one that it adds is called the next time. */
    void (*fn)(struct bight_hook *hook);
    /* Private. */
    struct bight_link link;
};

/** Prepare `hook`, which is not added anywhere afterwards. Once, before its first use.
 *
 *  Thread: any.
 */
BIGHT_API void bight_hook_init(struct bight_hook *hook, void (*fn)(struct bight_hook *hook));

/** Have `hook` called each time before ready tasks and calls are run: a slice, which is over when
 *  nothing is ready or libuv is to have its say again. In order of adding.
 *
 *  @return 0; BIGHT_EALREADY when it is added somewhere; BIGHT_EINVAL without fn; BIGHT_ENORUNTIME.
 *  Ownership: keeps hook until it is removed or the runtime has ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_hook_add_turn(struct bight_hook *hook);

/** Have `hook` called each time when nothing is ready and the loop is about to wait. What it makes ready
 *  runs at once. A hook does not keep a runtime from being taken for deadlocked. In order of adding.
 *
 *  @return as bight_hook_add_turn.
 *  Ownership: keeps hook until it is removed or the runtime has ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_hook_add_idle(struct bight_hook *hook);

/** Do not call `hook` any more. One of a runtime that has ended is removed already.
 *
 *  @return whether it was added.
 *  Ownership: returns hook to the caller.
 */
BIGHT_API bool bight_hook_remove(struct bight_hook *hook);

BIGHT_END_DECLS

#endif
