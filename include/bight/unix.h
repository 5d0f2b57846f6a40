/* Unix sockets: connections within the machine, by a path. What is done with one is in
 * <bight/stream.h>, how it is accepted in <bight/listener.h>. */
#ifndef BIGHT_UNIX_H
#define BIGHT_UNIX_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/listener.h>
#include <bight/stream.h>

BIGHT_BEGIN_DECLS

/** Connect to the socket at `path`. A path that begins with '@' is a name in Linux's abstract
 *  namespace, without a file. While the listener's backlog is full the call waits for room.
 *
 *  @return 0; BIGHT_ENOENT; BIGHT_ECONNREFUSED: nobody listens; BIGHT_EACCES; BIGHT_EINVAL: an
 *          empty path; ENAMETOOLONG: it has more than 107 bytes; BIGHT_EMFILE; BIGHT_ENOMEM;
 *          BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing is left open.
 *  Allocates: the stream.  Thread: the loop's.  Ownership: borrows path; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_unix_connect(struct bight_stream **out, const char *path);

/** Listen at `path`, where a socket file is made; with '@' in front without a file. The file of a
 *  listener that is gone is replaced, and only such a file. The end of the listener removes its
 *  file, unless another one is at the path by then.
 *
 *  @return 0; BIGHT_EADDRINUSE: somebody listens there, or the path is something else than a
 *          socket; BIGHT_EACCES; BIGHT_ENOENT: no such directory; BIGHT_EINVAL: an empty path;
 *          ENAMETOOLONG: it has more than 107 bytes; BIGHT_ENOMEM; BIGHT_EMFILE; BIGHT_ENORUNTIME;
 *          BIGHT_ECLOSED when the runtime's last task has ended.
 *  Ownership: borrows options, NULL for the defaults, and path; gives *out, to be ended with
 *  bight_listener_end.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_unix_listen(struct bight_listener **out, const char *path,
                                                 const struct bight_listen_options *options);

BIGHT_END_DECLS

#endif
