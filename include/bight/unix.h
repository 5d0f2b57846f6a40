/* Unix sockets: connections within the machine, by a path, and descriptors that go over them. What
 * else is done with one is in <bight/stream.h>, how it is accepted in <bight/listener.h>. */
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

/* The most descriptors that go with one write. */
#define BIGHT_UNIX_DESCRIPTORS 253

/** Write all of `data`, at least one byte, and pass `count` descriptors along with its first byte.
 *  The peer gets descriptors of its own of the same open files; the caller's stay open.
 *
 *  @return 0; BIGHT_ENOTSUP: not a Unix socket; BIGHT_EINVAL: no bytes, no descriptors or more than
 *          BIGHT_UNIX_DESCRIPTORS; BIGHT_EBADF: one is not open; ETOOMANYREFS: more are on their
 *          way than RLIMIT_NOFILE allows; otherwise as bight_stream_write.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the descriptors went if bight_stream_last_written is not 0.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_unix_write_descriptors(struct bight_stream *stream,
                                                            const void *data, size_t bytes,
                                                            const int *fds, size_t count);

/** Read what there is, up to `bytes`, sleeping until there is something, and take the descriptors
 *  that came along into `fds`, of which there is room for `room`. They are closed on exec. Those of
 *  different writes come by different reads.
 *
 *  Whatever else reads from the stream, read-ahead included (bight_stream_peek, lines,
 *  bight_case_readable), closes the descriptors that come along with its bytes.
 *
 *  @return how many bytes, as bight_stream_read, with *count descriptors; BIGHT_ETOOBIG: more
 *          descriptors than there is room for; BIGHT_EMFILE: more than the process may open. In
 *          both cases all that came were closed, and the bytes are left in the stream.
 *          BIGHT_ENOTSUP: not a Unix socket; otherwise as bight_stream_read.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: only when it fails, to put back what came.  Thread: the loop's.
 *  Ownership: borrows stream and the room; gives the descriptors.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_unix_read_descriptors(struct bight_stream *stream,
                                                               void *buffer, size_t bytes, int *fds,
                                                               size_t room, size_t *count);

BIGHT_END_DECLS

#endif
