/* A blocking call now and then, moved off the loop's thread to libuv's pool of threads. For many
 * calls, or long ones, see <bight/threads.h>, which has threads of its own; for jobs that need
 * another process, <bight/workers.h>. */
#ifndef BIGHT_OFFLOAD_H
#define BIGHT_OFFLOAD_H

#include <bight/base.h>

BIGHT_BEGIN_DECLS

/** Call `fn(arg)` on a thread and sleep until it has returned. The call is never abandoned, so
 *  `arg` may be on the stack. fn runs outside of tasks: it must not call what suspends.
 *
 *  libuv has one pool for the whole process (UV_THREADPOOL_SIZE threads, 4 by default), which also
 *  does its file operations and name lookups. So that those never wait for calls of this function,
 *  each runtime has at most one call less in the pool than that has threads, but at least one; the
 *  others wait in FIFO order. A program with several runtimes makes the pool larger, or uses
 *  <bight/threads.h>.
 *
 *  @return what fn returned; BIGHT_ECANCELED: a scope around the call was cancelled before fn
 *          began, and fn was not called; BIGHT_EINVAL without fn; BIGHT_EAGAIN, BIGHT_ENOMEM: the
 *          threads cannot start; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes, until fn begins; then it is awaited.
 *  On cancel: BIGHT_ECANCELED and fn was not called, or fn's result when it was too late.
 *  Allocates: at the runtime's first call only.  Thread: the loop's.  Ownership: borrows arg.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_offload(int (*fn)(void *arg), void *arg);

BIGHT_END_DECLS

#endif
