/* Select: wait for the first of several things, of which exactly one happens. A case says what is
 * waited for: the end of a task, an item, room for one, an event, a future, a time, or a source of
 * the program's own. The array is the caller's and holds all that is needed, so nothing is
 * allocated; arming n cases takes n steps.
 *
 *     struct bight_case cases[2];
 *
 *     bight_case_get(&cases[0], queue);
 *     bight_case_sleep(&cases[1], 1000);
 *     index = bight_select(cases, 2, 0);
 *     if (index == 0 && cases[0].status == 0)
 *         use(cases[0].value); */
#ifndef BIGHT_SELECT_H
#define BIGHT_SELECT_H

#include <bight/call.h>
#include <bight/future.h>
#include <bight/queue.h>
#include <bight/event.h>
#include <bight/task.h>
#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* Of several cases that can happen now the first is chosen; without the flag any of them is. */
#define BIGHT_SELECT_ORDERED 1u
/* Do not wait. */
#define BIGHT_SELECT_TRY 2u

struct bight_case;

/* What bight_select does with a case; one static constant per kind of source. */
struct bight_case_ops {
    /* The waiter's operations: see bight_waiter_init. `abort` is required, and must let go at once,
     * also of a waiter that was never armed. */
    const struct bight_waiter_ops *wait;
    /* Try to let it happen now: fill in `status` and `value` and return true, or return false when
     * nothing has happened. */
    bool (*attempt)(struct bight_case *chosen);
    /* Called after `attempt` returned false, and nothing has run since: have `waiter` unparked when
     * it happens. Returns 0, or a code that ends the select. May be called for every case of a
     * select before any happens; must not make another case of the same select happen. */
    int (*arm)(struct bight_case *chosen);
    /* It happened, and the waiter's result is in `status`: fill in the rest. May be NULL. */
    void (*settle)(struct bight_case *chosen);
};

/* One thing to wait for. Initialise it in place with a bight_case_* call; a copied case is invalid.
 * One select at a time may use it, any number of times. */
struct bight_case {
    /* The result of the chosen case: 0 or a code of its source, such as BIGHT_ECLOSED; for the end
     * of a task its status. */
    int status;
    /* For the end of a task: as bight_task_was_cancelled. */
    bool cancelled;
    /* The item of a get, the value of a future; of a put, the item to put. */
    void *value;
    /* The source that the case waits for. */
    void *source;
    /* Private to the kind from here. */
    const struct bight_case_ops *ops;
    int64_t time; /* duration_ms, or deadline_ns */
    struct bight_waiter waiter;
    /* What the kind keeps beside its waiter, from there on. */
    union {
        void *words[6];
        uint64_t number;
    } record;
};

/** Wait until one of the cases happens, and let exactly that one happen: the others leave no trace.
 *  If some can happen now, one of them is chosen without sleeping: at random or, with
 *  BIGHT_SELECT_ORDERED, the first. With BIGHT_SELECT_TRY the call does not sleep.
 *
 *  A closed queue happens: its code is the case's status. A put and a get of one rendezvous queue
 *  in the same select do not meet.
 *
 *  @return the index of the case that happened; BIGHT_EAGAIN: none can, with BIGHT_SELECT_TRY;
 *          BIGHT_ECANCELED: none has; BIGHT_EINVAL for no cases, an unknown flag or a source that
 *          cannot let go at once; BIGHT_EDEADLK for the end of the calling task; the code of a
 *          custom source that could not be armed; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, no case has happened.
 *  Allocates: no.  Thread: the loop's.  Ownership: keeps cases and their sources until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_select(struct bight_case *cases, size_t count, unsigned flags);

/** Make `to` a case of the end of `task`, with its status. The handle stays valid and has to be
 *  joined.
 *
 *  Ownership: keeps task for as long as the case is used.
 */
BIGHT_API void bight_case_join(struct bight_case *to, struct bight_task *task);

/** Make `to` a case of an item from `queue`, which goes to `value`; status as bight_queue_get.
 *
 *  Ownership: keeps queue for as long as the case is used; gives value.
 */
BIGHT_API void bight_case_get(struct bight_case *to, struct bight_queue *queue);

/** Make `to` a case of room in `queue`, where `item` is put; status as bight_queue_put.
 *
 *  Ownership: keeps queue for as long as the case is used; takes item when it is chosen with status
 *  0.
 */
BIGHT_API void bight_case_put(struct bight_case *to, struct bight_queue *queue, void *item);

/** Make `to` a case that happens when `event` is set.
 *
 *  Ownership: keeps event for as long as the case is used.
 */
BIGHT_API void bight_case_event(struct bight_case *to, struct bight_event *event);

/** Make `to` a case that happens when `future` is done, with its status and value.
 *
 *  Ownership: keeps future for as long as the case is used.
 */
BIGHT_API void bight_case_future(struct bight_case *to, struct bight_future *future);

/** Make `to` a case that happens `duration_ms` after the call of bight_select; negative for never,
 *  0 for at once.
 */
BIGHT_API void bight_case_sleep(struct bight_case *to, int64_t duration_ms);

/** Make `to` a case that happens at `deadline_ns` of bight_now_ns; BIGHT_NO_DEADLINE for never. */
BIGHT_API void bight_case_deadline(struct bight_case *to, uint64_t deadline_ns);

/** Make `to` a case of a source of the program's own. Its ops find the source in the case, and the
 *  case of a waiter by bight_case_of; a struct around the case is found with bight_container_of.
 *
 *  Ownership: keeps ops for ever, and source for as long as the case is used.
 */
BIGHT_API void bight_case_custom(struct bight_case *to, const struct bight_case_ops *ops,
                                 void *source);

/** The case that contains `waiter`.
 *
 *  Thread: any.
 */
static inline struct bight_case *bight_case_of(struct bight_waiter *waiter)
{
    return bight_container_of(waiter, struct bight_case, waiter);
}

BIGHT_END_DECLS

#endif
