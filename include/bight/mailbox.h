/* The way into a runtime from other threads: post a function to be called on the loop's thread. The
 * mailbox is counted by reference and outlives its runtime; then it answers BIGHT_ECLOSED. */
#ifndef BIGHT_MAILBOX_H
#define BIGHT_MAILBOX_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_mailbox;

/** A reference to this runtime's mailbox, to be carried to another thread. While somebody holds one,
 *  the runtime is not taken for deadlocked.
 *
 *  @return 0; BIGHT_ENORUNTIME.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.
 *  Ownership: gives *out, to be released with bight_mailbox_unref.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_mailbox_get(struct bight_mailbox **out);

/** One more reference.
 *
 *  @return mailbox.
 *  Suspends: no.  Cancellable: no.  Thread: any.  Ownership: gives a reference.
 */
BIGHT_API struct bight_mailbox *bight_mailbox_ref(struct bight_mailbox *mailbox);

/** Release a reference; also when the runtime has ended.
 *
 *  Suspends: no.  Cancellable: no.  Thread: any.  Ownership: takes the reference; NULL is allowed.
 */
BIGHT_API void bight_mailbox_unref(struct bight_mailbox *mailbox);

/** Have `fn(arg)` called on the loop's thread, outside of tasks, in the order of the posts. It must
 *  not suspend; it usually unparks a waiter, sets an event or spawns a task. The call may come after
 *  the last task has ended, so arg must not lie on a task's stack that does not wait for it.
 *
 *  @return 0: fn will be called, also when the runtime is about to end; BIGHT_ECLOSED: the runtime
 *          has ended, fn is not called; BIGHT_ENOMEM.
 *  Suspends: no.  Cancellable: no.  Thread: any.  Ownership: keeps arg until fn was called.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_post(struct bight_mailbox *mailbox, void (*fn)(void *arg),
                                          void *arg);

/* A post whose memory the caller provides, so that it cannot fail for want of it. */
struct bight_post {
    void (*fn)(struct bight_post *post);
    /* Private. */
    struct bight_post *next;
};

/** bight_post without an allocation: calls `post->fn(post)`. The record may be reused from within
 *  fn.
 *
 *  @return 0; BIGHT_ECLOSED.
 *  Suspends: no.  Cancellable: no.  Thread: any.  Ownership: keeps post until fn was called.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_post_record(struct bight_mailbox *mailbox,
                                                 struct bight_post *post);

BIGHT_END_DECLS

#endif
