/* A latest value: one place that is written again and again, and read by any number of tasks that want
 * to know what is current and when that changes, not every value between. Each write has a number, its
 * version; a reader that remembers the version it has seen misses no change. Never allocates. */
#ifndef BIGHT_LATEST_H
#define BIGHT_LATEST_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* Lives where you put it; it stays at its place, and outlives the calls that wait for it. */
struct bight_latest {
    /* Private. */
    void *value;
    size_t value_bytes;
    uint64_t version;
    bool closed;
    struct bight_link waiters;
};

/** Begin with what `value` holds as version 0, which nobody waits for.
 *
 *  Ownership: keeps latest and value, of value_bytes, for as long as it is used.
 */
BIGHT_API void bight_latest_init(struct bight_latest *latest, void *value, size_t value_bytes);

/** Copy a new value in and wake all who wait for one, in order.
 *
 *  @return 0, or BIGHT_ECLOSED.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_latest_set(struct bight_latest *latest, const void *value);

/** Copy the current value out; also when closed.
 *
 *  @return its version: 0, then one more with each bight_latest_set.
 *  Ownership: borrows value, may be NULL.
 */
BIGHT_API uint64_t bight_latest_get(const struct bight_latest *latest, void *value);

/** Sleep until the version is another than `*version`, then copy the newest value out and write its
 *  version to `*version`. Versions between are passed over. UINT64_MAX is no version: with it the call
 *  returns at once.
 *
 *  @return 0; BIGHT_ECLOSED when there is no other and will be none; BIGHT_ECANCELED: `*version` and
 *          `value` are as before; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps latest until it returns; borrows version, and value, which may be NULL.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_latest_wait(struct bight_latest *latest, uint64_t *version,
                                                 void *value);

/** Set no more: those who have seen the last value are told BIGHT_ECLOSED. */
BIGHT_API void bight_latest_close(struct bight_latest *latest);

BIGHT_END_DECLS

#endif
