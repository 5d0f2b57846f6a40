/* Time: monotonic, in ms for intervals and ns for readings. Nothing that waits for a time ends
 * early. */
#ifndef BIGHT_TIME_H
#define BIGHT_TIME_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

/** The runtime's clock in ns since an arbitrary point; virtual in tests.
 *
 *  Thread: any; without a runtime it is the system's clock.
 */
BIGHT_API uint64_t bight_now_ns(void);

/** Sleep for `duration_ms`; 0 lets the other ready tasks run once; negative sleeps until cancelled.
 *
 *  @return 0; BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.  Allocates: no.
 *  Thread: the loop's.  Ownership: none.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_sleep(int64_t duration_ms);

/** Sleep until `when_ns` of bight_now_ns; a time that has passed lets the other ready tasks run
 *  once; UINT64_MAX sleeps until cancelled.
 *
 *  @return 0; BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.  Allocates: no.
 *  Thread: the loop's.  Ownership: none.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_sleep_until(uint64_t when_ns);

BIGHT_END_DECLS

#endif
