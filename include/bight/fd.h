/* Waiting for descriptors that other libraries own: libpq, hiredis, c-ares and the like are driven
 * from a task, which waits here between their non-blocking steps. What bight reads and writes
 * itself is a stream: <bight/stream.h>. */
#ifndef BIGHT_FD_H
#define BIGHT_FD_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/select.h>

BIGHT_BEGIN_DECLS

/* A read would not block: there are bytes, a connection to accept, the end, or an error. */
#define BIGHT_FD_READ 1u
/* A write would not block: there is room, a connect has ended, or an error. */
#define BIGHT_FD_WRITE 2u
/* There is something exceptional: out-of-band bytes of TCP, a changed pseudo-terminal. */
#define BIGHT_FD_PRIORITY 4u

/** Sleep until `fd` is ready for one of `events`, a mask of BIGHT_FD_*. Like poll(2) it reports
 *  errors and a peer that hung up as readiness for whatever was asked, and a regular file is always
 *  ready. Several tasks may wait for one descriptor. Readiness is a hint: another reader may be
 *  faster, so the descriptor should be non-blocking.
 *
 *  A wait belongs to the open file that `fd` is when the call begins, and ends when that file is
 *  ready. A library that closes the socket and opens another under the same number is no trouble
 *  between two waits; to close a descriptor that a task waits for is a mistake, whose wait may
 *  never end.
 *
 *  @return the mask of those of `events` that are ready, at least one; BIGHT_EINVAL for no events
 *          or unknown ones; BIGHT_EBADF: not an open descriptor; BIGHT_ENOMEM, ENOSPC: the system
 *          cannot watch more (fs.epoll.max_user_watches); BIGHT_EMFILE; BIGHT_ECANCELED;
 *          BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing is watched any more.
 *  Allocates: once per runtime, and when more descriptors are waited for at a time than before.
 *  Thread: the loop's.
 *  Ownership: keeps fd, which stays the caller's, until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_fd_wait(int fd, unsigned events);

/** Make `to` a case that happens when `fd` is ready for one of `events`; its status is what
 *  bight_fd_wait returns.
 *
 *  Ownership: keeps fd for as long as the case is used.
 */
BIGHT_API void bight_case_fd(struct bight_case *to, int fd, unsigned events);

BIGHT_END_DECLS

#endif
