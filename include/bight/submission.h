/* Submissions: tasks that another thread starts in a runtime, through its mailbox, and that any
 * thread may wait for and cancel. For a thread that only waits, bight_thread_run in
 * <bight/mailbox.h> is shorter. */
#ifndef BIGHT_SUBMISSION_H
#define BIGHT_SUBMISSION_H

#include <bight/mailbox.h>
#include <bight/select.h>

BIGHT_BEGIN_DECLS

/* A task that was submitted to a runtime, seen from any thread. Counted by reference. */
struct bight_submission;

/** Run `fn(arg)` as a task of the mailbox's runtime, in its root group, and do not wait for it.
 *
 *  @return 0; BIGHT_ECLOSED: the runtime has ended; BIGHT_EINVAL without fn; BIGHT_ENOMEM.
 *  Thread: any.
 *  Ownership: keeps arg until the task has ended; gives *out, to be released with
 *  bight_submission_unref.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_thread_submit(struct bight_submission **out,
                                                   struct bight_mailbox *mailbox,
                                                   int (*fn)(void *arg), void *arg);

/** Take one more reference.
 *
 *  @return submission.
 *  Thread: any.  Ownership: gives a reference.
 */
BIGHT_API struct bight_submission *bight_submission_ref(struct bight_submission *submission);

/** Release a reference; the task goes on. When the task ends and nobody holds a reference, its
 *  failure is reported as that of a task without a handle.
 *
 *  Thread: any.  Ownership: takes the reference; NULL does nothing.
 */
BIGHT_API void bight_submission_unref(struct bight_submission *submission);

/** Wait until the submitted task has ended, for at most `timeout_ms` (negative: without a limit, 0:
 *  not at all). A task, of any runtime, sleeps; a thread without a runtime blocks. Several may
 *  wait, and wait again. `status` is that of bight_thread_run, or the code with which the task
 *  could not be spawned.
 *
 *  @return 0; BIGHT_ETIMEDOUT or BIGHT_ECANCELED: the task goes on; BIGHT_ENOTASK outside of tasks
 *          on a thread that has a runtime, which must not block.
 *  Suspends: yes.  Cancellable: yes, until the wake is on its way.
 *  On cancel: BIGHT_ECANCELED, the task goes on.  Allocates: no.
 *  Thread: any.  Ownership: borrows all; status may be NULL.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_submission_wait(struct bight_submission *submission,
                                                     int64_t timeout_ms, int *status);

/** Make `to` a case of the end of the submitted task, with its status, as bight_submission_wait
 *  gives it. The select may be in any runtime.
 *
 *  Ownership: keeps submission, of which the caller has a reference, for as long as the case is
 *  used.
 */
BIGHT_API void bight_case_submission(struct bight_case *to, struct bight_submission *submission);

/** Cancel the submitted task: one that the runtime has not begun never runs and ends now, with
 *  status BIGHT_ECANCELED; one that runs is cancelled soon, as by bight_task_cancel, and ends in
 *  its own time. A second call does nothing.
 *
 *  @return 0; BIGHT_EALREADY: it has ended.
 *  Thread: any.
 */
BIGHT_API int bight_submission_cancel(struct bight_submission *submission);

BIGHT_END_DECLS

#endif
