/* A flag that tasks of several runtimes and plain threads wait for at once. The event of one
 * runtime's tasks is in <bight/event.h>, and faster. Counted by reference: each thread that has it
 * holds one until its last call has returned. */
#ifndef BIGHT_THREAD_EVENT_H
#define BIGHT_THREAD_EVENT_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_thread_event;

/** Make an event that is not set.
 *
 *  @return 0; BIGHT_ENOMEM.
 *  Thread: any.  Ownership: gives *out, to be released with bight_thread_event_unref.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_thread_event_new(struct bight_thread_event **out);

/** Take one more reference.
 *
 *  @return event.
 *  Thread: any.  Ownership: gives a reference.
 */
BIGHT_API struct bight_thread_event *bight_thread_event_ref(struct bight_thread_event *event);

/** Release a reference; the last one frees the event.
 *
 *  Thread: any.  Ownership: takes the reference; NULL does nothing.
 */
BIGHT_API void bight_thread_event_unref(struct bight_thread_event *event);

/** Set the flag and wake all that wait now; they return 0 even if it is cleared before they run.
 *
 *  Thread: any.
 */
BIGHT_API void bight_thread_event_set(struct bight_thread_event *event);

/** Clear the flag: later waits sleep again.
 *
 *  Thread: any.
 */
BIGHT_API void bight_thread_event_clear(struct bight_thread_event *event);

/** Whether the flag is set at the moment of the call.
 *
 *  Thread: any.
 */
BIGHT_API bool bight_thread_event_is_set(struct bight_thread_event *event);

/** Wait until the flag is set, for at most `timeout_ms` (negative: without a limit, 0: not at all):
 *  a task sleeps, a thread without a runtime blocks.
 *
 *  @return 0; BIGHT_ETIMEDOUT; BIGHT_ECANCELED; BIGHT_ENOTASK outside of tasks on a thread that has
 *          a runtime, which must not block.
 *  Suspends: yes.  Cancellable: yes, until the wake is on its way.
 *  On cancel: BIGHT_ECANCELED.  Allocates: no.
 *  Thread: any.  Ownership: borrows event.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_thread_event_wait(struct bight_thread_event *event,
                                                       int64_t timeout_ms);

BIGHT_END_DECLS

#endif
