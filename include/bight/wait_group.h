/* Wait group: a count of things under way, and tasks that wait until it is zero. For things that
 * are not tasks of one group: a group waits for those itself. Using one never allocates. Not for
 * threads. */
#ifndef BIGHT_WAIT_GROUP_H
#define BIGHT_WAIT_GROUP_H

#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* All fields are private. */
struct bight_wait_group {
    int64_t count;
    struct bight_link waiters;
};

/* A wait group whose count is zero, as bight_wait_group_init makes it. So is one that is all
 * zero. */
#define BIGHT_WAIT_GROUP_INIT                                                                      \
    {                                                                                              \
        0, BIGHT__LIST_INIT                                                                        \
    }

/** Make a wait group whose count is zero. There is nothing to destroy.
 *
 *  Thread: any.
 */
BIGHT_API void bight_wait_group_init(struct bight_wait_group *group);

/** Add `count`, which may be negative. At zero all that wait now are woken; the count may rise
 *  again afterwards. Add before anything can call bight_wait_group_finish.
 *
 *  @return 0; BIGHT_ERANGE: the count would be negative, or too large; nothing changes.
 */
BIGHT_API int bight_wait_group_add(struct bight_wait_group *group, int64_t count);

/** Say that one thing is over: add -1.
 *
 *  @return 0; BIGHT_ERANGE: the count is zero.
 */
BIGHT_API int bight_wait_group_finish(struct bight_wait_group *group);

/** Sleep until the count is zero; return at once when it is.
 *
 *  @return 0; BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps group until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_wait_group_wait(struct bight_wait_group *group);

/** The count. */
BIGHT_API int64_t bight_wait_group_count(const struct bight_wait_group *group);

/** How many tasks sleep until the count is zero. Counts them, one by one. */
BIGHT_API size_t bight_wait_group_waiting(const struct bight_wait_group *group);

BIGHT_END_DECLS

#endif
