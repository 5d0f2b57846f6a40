/* Unix signals as something to wait for. From open to end the signal's default action is suspended;
 * what arrives between two waits is counted, not lost. Only of what arrives between two turns of
 * the loop libuv may lose some: on Linux it keeps 4,096, however many are open for a number. A
 * child of fork() catches none of them: they have their default action there. */
#ifndef BIGHT_SIGNAL_H
#define BIGHT_SIGNAL_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/select.h>

BIGHT_BEGIN_DECLS

struct bight_signal;

/** Begin to catch `signum` (SIGINT, SIGTERM, ...). Several may be open for one signal, also in
 *  several runtimes: each sees every arrival. One that came before, but that the loop has not yet
 *  delivered to those that were open for the number, is delivered to the new one too.
 *
 *  @return 0; BIGHT_EINVAL for a signal that cannot be caught; BIGHT_ENOMEM; BIGHT_EMFILE;
 *          BIGHT_ENORUNTIME; BIGHT_ECLOSED when the runtime's last task has ended.
 *  Ownership: gives *out, to be ended with bight_signal_end. The runtime ends what is still open
 *  when its last task has ended; the pointer is invalid then.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_signal_open(struct bight_signal **out, int signum);

/** Sleep until the signal arrives; return at once if it has arrived since the last wait.
 *
 *  @return how many times libuv saw it since the last wait, at least 1; BIGHT_ECANCELED;
 *          BIGHT_EALREADY: another task waits on it; BIGHT_ECLOSED: it was ended meanwhile;
 *          BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, arrivals stay counted.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps signal until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_signal_wait(struct bight_signal *signal);

/** Make `to` a case that happens when the signal arrives, or has since the last wait; its status is
 *  what bight_signal_wait returns.
 *
 *  Ownership: keeps signal for as long as the case is used; a select that waits for one that is
 *  ended is told BIGHT_ECLOSED.
 */
BIGHT_API void bight_case_signal(struct bight_case *to, struct bight_signal *signal);

/** Stop catching; a task that waits on it gets BIGHT_ECLOSED.
 *
 *  @return 0; BIGHT_EPERM: it was opened in another thread's runtime.
 *  Ownership: takes signal; NULL does nothing.
 */
BIGHT_API int bight_signal_end(struct bight_signal *signal);

BIGHT_END_DECLS

#endif
