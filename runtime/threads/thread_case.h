/* The case of a select over something that any thread may give. It waits in a list under its
 * source's lock, beside the list of those that wait by thread_wait.h. Such a wait is handed what it
 * waits for and then has to be kept until that has arrived; a select has to be able to let go of a
 * case at any time. So who gives something tells the first case, by a notice that can be taken
 * back, and the case tries on its own loop's thread to take what was given. If somebody else was
 * faster it waits again, the first in line. A case that is let go of while it is told passes that
 * on to the next, so what can be had and a case that was not told of it are never left beside each
 * other. */
#ifndef BIGHT_RUNTIME_THREADS_THREAD_CASE_H
#define BIGHT_RUNTIME_THREADS_THREAD_CASE_H

#include <bight/select.h>

#include "runtime/runtime.h"

/* What a case keeps, from its waiter on. */
struct bight__thread_case {
    struct bight_waiter waiter; /* its link is the place in the source's list */
    struct bight_notice notice;
    struct bight_mailbox *mailbox; /* of the runtime that selects */
    bool told;                     /* it looks because of a notice */
};

/* Without a source it is invalid. `ops->arm` tries once more and ends with bight__thread_case_arm;
 * the abort hook of its waiter is bight__thread_case_abort. */
void bight__thread_case_make(struct bight_case *to, const struct bight_case_ops *ops, void *source);

/* With `lock` held, which is released: let the case happen with status `rc`, or, if that is
 * BIGHT_EAGAIN, wait in `list`. Returns 0. */
int bight__thread_case_arm(struct bight_case *of, int rc, struct bight_link *list,
                           uv_mutex_t *lock);

/* Let go of a case that waits in `list`, or not yet, or is told. Returns 0. */
int bight__thread_case_abort(struct bight_waiter *waiter, struct bight_link *list,
                             uv_mutex_t *lock);

/* Tell the first of `list`, which is not empty. */
void bight__thread_case_tell_first(struct bight_link *list);

/* With the source's lock held: there is one more to be had. */
static inline void bight__thread_case_tell(struct bight_link *list)
{
    if (unlikely(!link_empty(list)))
        bight__thread_case_tell_first(list);
}

/* The same for all of them. */
void bight__thread_case_tell_all(struct bight_link *list);

#endif
