/* The way into a runtime from other threads: post a function to be called on the loop's thread, or have
 * one run as a task there and wait for what it comes to. The mailbox is counted by reference and
 * outlives its runtime; then it answers BIGHT_ECLOSED. */
#ifndef BIGHT_MAILBOX_H
#define BIGHT_MAILBOX_H

#include <bight/call.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_mailbox;

/** A reference to this runtime's mailbox, to be carried to another thread. While somebody holds one,
 *  the runtime is not taken for deadlocked.
 *
 *  @return 0; BIGHT_ENORUNTIME.
 *  Ownership: gives *out, to be released with bight_mailbox_unref.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_mailbox_get(struct bight_mailbox **out);

/** One more reference.
 *
 *  @return mailbox.
 *  Thread: any.  Ownership: gives a reference.
 */
BIGHT_API struct bight_mailbox *bight_mailbox_ref(struct bight_mailbox *mailbox);

/** Release a reference; also when the runtime has ended.
 *
 *  Thread: any.  Ownership: takes the reference; NULL is allowed.
 */
BIGHT_API void bight_mailbox_unref(struct bight_mailbox *mailbox);

/** Have `fn(arg)` called on the loop's thread, outside of tasks, in the order of the posts and of the calls
 *  that the loop's thread queues with bight_call_soon. It must not suspend; it usually unparks a waiter, sets
 *  an event or spawns a task. The call may come after the last task has ended, so arg must not lie on a
 *  task's stack that does not wait for it.
 *
 *  @return 0: fn will be called, also when the runtime is about to end; BIGHT_ECLOSED: the runtime
 *          has ended, fn is not called; BIGHT_EINVAL without fn; BIGHT_ENOMEM.
 *  Thread: any.  Ownership: keeps arg until fn was called.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_post_call(struct bight_mailbox *mailbox, void (*fn)(void *arg),
                                               void *arg);

/* A post whose memory the caller provides, so that it cannot fail for want of it. */
struct bight_post {
    void (*fn)(struct bight_post *post);
    /* Private. */
    struct bight_post *next;
    struct bight_call call;
};

/** bight_post_call without an allocation: calls `post->fn(post)`. The record may be reused from within
 *  fn.
 *
 *  @return 0; BIGHT_ECLOSED; BIGHT_EINVAL without fn.
 *  Thread: any.  Ownership: keeps post until fn was called.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_post_record(struct bight_mailbox *mailbox,
                                                 struct bight_post *post);

/** Run `fn(arg)` as a task of the mailbox's runtime, and block this thread until it has ended. What it
 *  returned goes to `status`, never into the return of this call; it is BIGHT_ECANCELED when the
 *  runtime's main ended first: the task was cancelled then, or never ran. A task does not block its
 *  thread: in one, and to wait no longer than so long, use bight_thread_submit.
 *
 *  @return 0; BIGHT_ECLOSED: the runtime has ended; BIGHT_EDEADLK on a thread that has a runtime, this
 *          one or another, since that would stand still; BIGHT_ENOMEM.
 *  Suspends: no, it blocks the thread.  Thread: any that has no runtime.  Ownership: status may be
 *  NULL.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_thread_run(struct bight_mailbox *mailbox, int (*fn)(void *arg),
                                                void *arg, int *status);

/** Have `fn(arg)` called on the loop's thread, outside of tasks, as bight_post_call does, and block this
 *  thread until it has returned. It must not suspend.
 *
 *  @return as bight_thread_run; what fn returned is in *result.
 *  Suspends: no, it blocks the thread.  Thread: any that has no runtime.  Ownership: result may be
 *  NULL.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_thread_call(struct bight_mailbox *mailbox,
                                                 int (*fn)(void *arg), void *arg, int *result);

BIGHT_END_DECLS

#endif
