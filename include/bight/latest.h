/* A latest value: one place that is written again and again. Any number of tasks read it that want
 * the current value and its changes, not every value between. Each write has a number, its version;
 * a reader that remembers the version it has seen misses no change. Never allocates. */
#ifndef BIGHT_LATEST_H
#define BIGHT_LATEST_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* The caller's memory; it must not move, and has to outlive the calls that wait for it. */
struct bight_latest {
    /* Private. */
    void *value;
    size_t value_bytes;
    uint64_t version;
    bool closed;
    struct bight_link waiters;
};

/* One that begins with what `value` holds, as bight_latest_init makes it. One that is all zero has
 * no bytes and counts versions. */
#define BIGHT_LATEST_INIT(value, value_bytes)                                                      \
    {                                                                                              \
        (value), (value_bytes), 0, false, BIGHT__LIST_INIT                                         \
    }

/** Initialise `latest` with what `value` holds as version 0.
 *
 *  Ownership: keeps latest, and value of value_bytes, for as long as latest is used.
 */
BIGHT_API void bight_latest_init(struct bight_latest *latest, void *value, size_t value_bytes);

/** Copy a new value in and wake all that wait for one, in FIFO order.
 *
 *  @return 0, or BIGHT_ECLOSED.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_latest_set(struct bight_latest *latest, const void *value);

/** Copy the current value out; works after bight_latest_close too.
 *
 *  @return its version: 0, then one more with each bight_latest_set.
 *  Ownership: borrows value, which may be NULL.
 */
BIGHT_API uint64_t bight_latest_get(const struct bight_latest *latest, void *value);

/** Sleep until the version differs from `*version`, then copy the newest value out and write its
 *  version to `*version`. Versions between are skipped. UINT64_MAX is never a version: with it the
 *  call returns at once.
 *
 *  @return 0; BIGHT_ECLOSED when there is no other version and will be none; BIGHT_ECANCELED:
 *          `*version` and `value` are as before; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.  Allocates: no.
 *  Thread: the loop's.
 *  Ownership: keeps latest until it returns; borrows version, and value, which may be NULL.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_latest_wait(struct bight_latest *latest, uint64_t *version,
                                                 void *value);

/** Take no more values; the record stays readable. Calls that have seen the last value get
 *  BIGHT_ECLOSED.
 *
 *  @return 0; BIGHT_EPERM: tasks of another thread's runtime wait for it.
 */
BIGHT_API int bight_latest_close(struct bight_latest *latest);

BIGHT_END_DECLS

#endif
