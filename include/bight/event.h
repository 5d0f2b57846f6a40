/* Event: a flag that any number of tasks of one runtime wait for. Using one never allocates. For
 * threads and several runtimes there is thread_event.h; for something that happens once and has a
 * value, future.h. */
#ifndef BIGHT_EVENT_H
#define BIGHT_EVENT_H

#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* All fields are private. */
struct bight_event {
    bool set;
    struct bight_link waiters;
};

/* An event that is not set, as bight_event_init makes it. So is one that is all zero. */
#define BIGHT_EVENT_INIT                                                                           \
    {                                                                                              \
        false, BIGHT__LIST_INIT                                                                    \
    }

/** Make an event that is not set.
 *
 *  Thread: any.
 */
BIGHT_API void bight_event_init(struct bight_event *event);

/** Set the event and wake all that wait now; it stays set until it is cleared.
 *
 *  @return 0; BIGHT_EPERM: tasks of another thread's runtime wait for it.
 */
BIGHT_API int bight_event_set(struct bight_event *event);

/** Clear the event. Tasks that were woken stay woken. */
BIGHT_API void bight_event_clear(struct bight_event *event);

/** Whether the event is set. */
BIGHT_API bool bight_event_is_set(const struct bight_event *event);

/** How many tasks sleep until the event is set. Counts them, one by one. */
BIGHT_API size_t bight_event_waiting(const struct bight_event *event);

/** Sleep until the event is set; return at once when it is.
 *
 *  @return 0; BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps event until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_event_wait(struct bight_event *event);

BIGHT_END_DECLS

#endif
