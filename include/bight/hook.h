/* Hooks: functions that the loop calls at two points of its turn, for what has to be done often and
 * is cheap: feed a watchdog, collect what another library has queued, measure. The record is the
 * caller's memory. */
#ifndef BIGHT_HOOK_H
#define BIGHT_HOOK_H

#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

struct bight_hook {
    /* Called on the loop's thread, outside of tasks; must not suspend. It may spawn and wake tasks,
     * and add and remove hooks, also itself; a hook that it adds is called the next time. It finds
     * what is around its record with bight_container_of. */
    void (*fn)(struct bight_hook *hook);
    /* Private. */
    struct bight_link link;
};

/* A hook that is not added, as bight_hook_init makes it. One that is all zero has no fn: that has
 * to be set before it can be added. */
#define BIGHT_HOOK_INIT(fn)                                                                        \
    {                                                                                              \
        (fn), BIGHT__LIST_INIT                                                                     \
    }

/** Initialise `hook`, once, before its first use. It is not added anywhere then.
 *
 *  Thread: any.
 */
BIGHT_API void bight_hook_init(struct bight_hook *hook, void (*fn)(struct bight_hook *hook));

/** Have `hook` called each time before a slice: a run of ready tasks and calls, which is over when
 *  nothing is ready or libuv is entered again. Hooks are called in the order in which they were
 *  added.
 *
 *  @return 0; BIGHT_EALREADY when it is added somewhere; BIGHT_EINVAL without fn; BIGHT_ENORUNTIME.
 *  Ownership: keeps hook until it is removed or the runtime has ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_hook_add_turn(struct bight_hook *hook);

/** Have `hook` called each time when nothing is ready and the loop is about to wait. What it makes
 *  ready runs at once. A runtime that has such a hook can still be found deadlocked. Hooks are
 *  called in the order in which they were added.
 *
 *  @return as bight_hook_add_turn.
 *  Ownership: keeps hook until it is removed or the runtime has ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_hook_add_idle(struct bight_hook *hook);

/** Do not call `hook` any more. A hook of a runtime that has ended has been removed.
 *
 *  @return whether it was added.
 *  Ownership: returns hook to the caller.
 */
BIGHT_API bool bight_hook_remove(struct bight_hook *hook);

BIGHT_END_DECLS

#endif
