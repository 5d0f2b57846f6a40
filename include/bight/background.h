/* Background groups: for tasks that nobody waits for, such as the connections of a server. A group
 * of group.h is open in a frame and waits for its tasks there; this one is an object that may lie
 * in any struct and be spawned into from anywhere. Its tasks are still owned: ending it cancels and
 * joins them, the end of the runtime does too, and their failures reach a handler. */
#ifndef BIGHT_BACKGROUND_H
#define BIGHT_BACKGROUND_H

#include <bight/group.h>

BIGHT_BEGIN_DECLS

struct bight_background;

/** Make a background group. `on_failure(arg, failure)` is called for each task that fails, on the
 *  loop's thread, possibly inside that task; it must not suspend. NULL: failures go to the
 *  runtime's report handler. A failure cancels no other task. The group takes one task of its own,
 *  named "background".
 *
 *  @return 0; BIGHT_ENOMEM; BIGHT_ENORUNTIME; BIGHT_ECLOSED when the runtime is ending.
 *  Ownership: keeps arg until the group has ended; gives *out, to be ended with
 *  bight_background_end; one that is left is freed with the runtime, which has ended its tasks.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_background_new(struct bight_background **out,
                     void (*on_failure)(void *arg, const struct bight_failure *failure), void *arg);

/** Queue `fn(arg)` as a task of the group; without a handle it is freed at its end. `options` and
 *  `out` may be NULL.
 *
 *  @return 0; BIGHT_ENOMEM; BIGHT_EINVAL; BIGHT_ECLOSED: the group or the runtime is ending;
 *          BIGHT_EPERM: it is another thread's.
 *  Ownership: keeps arg until the task ends; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_background_spawn(struct bight_task **out,
                                                      struct bight_background *background,
                                                      const struct bight_spawn_options *options,
                                                      int (*fn)(void *arg), void *arg);

/** How many tasks of the group have not ended. */
BIGHT_API size_t bight_background_live(const struct bight_background *background);

/** Sleep until no task of the group is left, and keep it open.
 *
 *  @return 0; BIGHT_ECANCELED; BIGHT_EDEADLK: the caller is a task of the group, or was started by
 *          one; BIGHT_EPERM: it is another thread's; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, the tasks go on.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps background until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_background_drain(struct bight_background *background);

/** Cancel the group's tasks, wait for all of them, and free the group.
 *
 *  @return 0; BIGHT_EDEADLK: the caller is a task of the group, or was started by one: nothing was
 *          done; BIGHT_EALREADY: another task is ending it; BIGHT_EPERM: it is another thread's;
 *          BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: no.  On cancel: goes on until the group has ended.  Allocates: no.
 *  Thread: the loop's.  Ownership: takes background on success; NULL does nothing.
 */
BIGHT_API int bight_background_end(struct bight_background *background);

BIGHT_END_DECLS

#endif
