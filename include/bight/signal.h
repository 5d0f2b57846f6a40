/* Unix signals as something to wait for. From open to close the signal's default action is
 * suspended; what arrives between two waits is counted, not lost. */
#ifndef BIGHT_SIGNAL_H
#define BIGHT_SIGNAL_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_signal;

/** Begin to catch `signum` (SIGINT, SIGTERM, ...).
 *
 *  @return 0; BIGHT_EINVAL for a signal that cannot be caught; BIGHT_ENOMEM; BIGHT_ENORUNTIME.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.
 *  Ownership: gives *out, to be closed before the runtime ends.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_signal_open(struct bight_signal **out, int signum);

/** Sleep until the signal arrives, or return at once when it did since the last wait.
 *
 *  @return how many times libuv saw it since the last wait, at least 1; BIGHT_ECANCELED;
 *          BIGHT_EALREADY: another task waits on it; BIGHT_ECLOSED: it was closed meanwhile;
 *          BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, arrivals stay counted.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps signal until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_signal_wait(struct bight_signal *signal);

/** Stop catching; a task that waits on it is told BIGHT_ECLOSED.
 *
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: takes signal; NULL is allowed.
 */
BIGHT_API void bight_signal_close(struct bight_signal *signal);

BIGHT_END_DECLS

#endif
