/* The way into a runtime from other threads: post a function to be called on the loop's thread, or
 * run one as a task there and wait for its result. The mailbox is counted by reference and outlives
 * its runtime; calls then return BIGHT_ECLOSED. */
#ifndef BIGHT_MAILBOX_H
#define BIGHT_MAILBOX_H

#include <bight/call.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_mailbox;

/** Get a reference to this runtime's mailbox, for another thread. While somebody holds one, the
 *  runtime is not taken for deadlocked.
 *
 *  @return 0; BIGHT_ENORUNTIME.
 *  Ownership: gives *out, to be released with bight_mailbox_unref.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_mailbox_get(struct bight_mailbox **out);

/** Take one more reference.
 *
 *  @return mailbox.
 *  Thread: any.  Ownership: gives a reference.
 */
BIGHT_API struct bight_mailbox *bight_mailbox_ref(struct bight_mailbox *mailbox);

/** Release a reference; works after the runtime's end too.
 *
 *  Thread: any.  Ownership: takes the reference; NULL does nothing.
 */
BIGHT_API void bight_mailbox_unref(struct bight_mailbox *mailbox);

/** Have `fn(arg)` called on the loop's thread, outside of tasks, in the order of the posts and of
 *  the calls that the loop's thread queues with bight_call_soon. fn must not suspend; it usually
 *  unparks a waiter, sets an event or spawns a task. The call may come after the last task has
 *  ended, so arg must not lie on the stack of a task that does not wait for the call.
 *
 *  @return 0: fn will be called, also when the runtime is about to end; BIGHT_ECLOSED: the runtime
 *          has ended, fn is not called; BIGHT_EINVAL without fn; BIGHT_ENOMEM.
 *  Thread: any.  Ownership: keeps arg until fn was called.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_post_call(struct bight_mailbox *mailbox, void (*fn)(void *arg),
                                               void *arg);

/* A post in the caller's memory, so that it cannot fail for want of memory. */
struct bight_post {
    /* Called on the loop's thread, outside of tasks; must not suspend. It finds what is around its
     * record with bight_container_of. */
    void (*fn)(struct bight_post *post);
    /* Private. */
    struct bight_post *next;
    struct bight_call call;
};

/** bight_post_call without an allocation: calls `post->fn(post)`. The record may be reused from
 *  within fn.
 *
 *  @return 0; BIGHT_ECLOSED; BIGHT_EINVAL without fn.
 *  Thread: any.  Ownership: keeps post until fn was called.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_post_record(struct bight_mailbox *mailbox,
                                                 struct bight_post *post);

/** Run `fn(arg)` as a task of the mailbox's runtime, and block this thread until it has ended.
 *  `status` gets what fn returned, or BIGHT_ECANCELED when the runtime's main ended first: the task
 *  was then cancelled, or never ran. In a task, which must not block its thread, or to wait for a
 *  limited time, use bight_thread_submit.
 *
 *  @return 0; BIGHT_ECLOSED: the runtime has ended; BIGHT_EDEADLK on a thread that has a runtime,
 *          this one or another, which would be blocked; BIGHT_ENOMEM.
 *  Suspends: no, it blocks the thread.  Thread: any that has no runtime.
 *  Ownership: status may be NULL.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_thread_run(struct bight_mailbox *mailbox, int (*fn)(void *arg),
                                                void *arg, int *status);

/** Have `fn(arg)` called on the loop's thread, outside of tasks, as bight_post_call does, and block
 *  this thread until it has returned. fn must not suspend.
 *
 *  @return as bight_thread_run; what fn returned is in *result.
 *  Suspends: no, it blocks the thread.  Thread: any that has no runtime.
 *  Ownership: result may be NULL.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_thread_call(struct bight_mailbox *mailbox,
                                                 int (*fn)(void *arg), void *arg, int *result);

BIGHT_END_DECLS

#endif
