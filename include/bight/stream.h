/* Byte streams: one interface over TCP and Unix sockets, pipes, terminals, TLS and pairs in memory.
 * <bight/tcp.h> and <bight/unix.h> make connections and <bight/listener.h> accepts them; here is
 * what one does with a stream, whatever it is.
 *
 *     while ((count = bight_stream_read(stream, buffer, sizeof(buffer))) > 0) {
 *         rc = bight_stream_write(stream, buffer, (size_t)count);
 *         if (rc)
 *             return rc;
 *     }
 *     return (int)count;
 *
 * Time limits come from the scope around a call (bight_timeout, bight_scope_begin). A read that was
 * cancelled has taken nothing: what came meanwhile stays in the stream for the next read. One task
 * at a time may read and one may write; both may be at it at the same time. A second one gets
 * BIGHT_EBUSY. A stream that is ended or aborted wakes the tasks that are inside of its calls with
 * BIGHT_ECLOSED; they must not touch it any more, not even for bight_stream_last_written.
 *
 * What all calls below can return: BIGHT_EINVAL for a NULL that they need; BIGHT_EPERM: the stream
 * is of another thread's runtime; BIGHT_ECLOSED: the stream is being ended; and those that suspend
 * BIGHT_ENOTASK. Their comments do not repeat it. */
#ifndef BIGHT_STREAM_H
#define BIGHT_STREAM_H

#include <bight/address.h>
#include <bight/base.h>
#include <bight/errors.h>
#include <bight/select.h>

BIGHT_BEGIN_DECLS

struct bight_stream;

/* Bytes somewhere in memory, borrowed. The layout is that of struct iovec. */
struct bight_slice {
    const void *data;
    size_t bytes;
};

/** Read what there is, up to `bytes`, sleeping until there is something.
 *
 *  @return how many bytes, at least 1; 0 at the end of the stream or for `bytes` 0; BIGHT_EBUSY:
 *          another task reads; BIGHT_ECONNRESET and other errors of the connection, now and from
 *          then on, after the bytes that came before; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_stream_read(struct bight_stream *stream, void *buffer,
                                                     size_t bytes);

/** bight_stream_read that does not wait.
 *
 *  @return as bight_stream_read; BIGHT_EAGAIN: there is nothing now.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_stream_try_read(struct bight_stream *stream, void *buffer,
                                                         size_t bytes);

/** Read exactly `bytes`. Unless it succeeds it takes nothing: what came is left in the stream, and
 *  the content of `buffer` is unspecified.
 *
 *  @return 0; BIGHT_EOF: the stream ended before, and what is left of it can be read; otherwise as
 *          bight_stream_read. BIGHT_ENOMEM from the next read on: there was no memory to put back
 *          what had come when the call failed.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: only when it fails, to put back what came.  Thread: the loop's.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_stream_read_exactly(struct bight_stream *stream, void *buffer,
                                                         size_t bytes);

/** Read up to and including the next `delimiter`. Unless it succeeds it takes nothing.
 *
 *  @return how many bytes, delimiter included; BIGHT_ETOOBIG: no delimiter ends within the first
 *          `bytes`; BIGHT_EOF: the stream ended before a delimiter, and what is left of it can be
 *          read; BIGHT_EINVAL for an empty delimiter; BIGHT_ENOMEM; otherwise as
 *          bight_stream_read.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: the stream's buffer, while there is something in it.  Thread: the loop's.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_stream_read_until(struct bight_stream *stream,
                                                           void *buffer, size_t bytes,
                                                           const void *delimiter,
                                                           size_t delimiter_bytes);

/** bight_stream_read_until for several delimiters: up to and including the one that ends first.
 *
 *  @return as bight_stream_read_until.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: the stream's buffer, while there is something in it.  Thread: the loop's.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_stream_read_until_any(struct bight_stream *stream,
                                                               void *buffer, size_t bytes,
                                                               const struct bight_slice *delimiters,
                                                               size_t count);

/** Read a line into `line`, of `line_bytes`, without its end (a line feed, or a carriage return and
 *  a line feed) and with a final NUL. What follows the last line feed of a stream is a line too.
 *
 *  @return its length; BIGHT_EOF: there is no further line; BIGHT_ETOOBIG: it has more than
 *          `line_bytes` - 1 bytes: what has come of it is dropped, the rest will be, and the next
 *          call reads the line behind it; BIGHT_ENOMEM; otherwise as bight_stream_read.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: the stream's buffer, while there is something in it.  Thread: the loop's.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_stream_read_line(struct bight_stream *stream, char *line,
                                                          size_t line_bytes);

/** Look at what comes next without taking it: sleep until the stream's buffer has at least `bytes`,
 *  which may be 0, and point *data at all that it has. With bight_stream_consume this reads without
 *  copying. The bytes stay where they are until the next call that reads from the stream or ends
 *  it.
 *
 *  @return how many there are; fewer than `bytes`, or 0, when the stream has ended; BIGHT_ENOMEM;
 *          otherwise as bight_stream_read.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: the stream's buffer, while there is something in it.  Thread: the loop's.
 *  Ownership: borrows stream; *data points into it.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_stream_peek(struct bight_stream *stream, const void **data,
                                                     size_t bytes);

/** Take `bytes` of what bight_stream_peek has shown.
 *
 *  @return 0; BIGHT_EINVAL: the buffer has fewer; BIGHT_EBUSY: another task reads.
 */
BIGHT_API int bight_stream_consume(struct bight_stream *stream, size_t bytes);

/** How many bytes have come and are in the stream's buffer; 0 for NULL. */
BIGHT_API size_t bight_stream_buffered(const struct bight_stream *stream);

/** Write all of `data`, sleeping while the peer does not take it. When it fails after some of it
 *  went out (bight_stream_last_written), the stream is broken for writing: each later write returns
 *  the error, or BIGHT_EBROKEN after a cancellation, since the peer would see a hole.
 *
 *  @return 0; BIGHT_EPIPE, BIGHT_ECONNRESET: the peer is gone; BIGHT_EBUSY: another task writes;
 *          BIGHT_ECLOSED after bight_stream_shutdown; BIGHT_EBROKEN: an earlier write was cut
 *          short; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; bight_stream_last_written says how much went out.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_stream_write(struct bight_stream *stream, const void *data,
                                                  size_t bytes);

/** bight_stream_write of `count` slices, one behind the other, in as few system calls as possible.
 *
 *  @return as bight_stream_write.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; bight_stream_last_written says how much went out.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_stream_writev(struct bight_stream *stream,
                                                   const struct bight_slice *slices, size_t count);

/** Write as much of `data` as the peer takes now. Nothing is broken when that is not all.
 *
 *  @return how many bytes, at least 1, or 0 for `bytes` 0; BIGHT_EAGAIN: none now; otherwise as
 *          bight_stream_write.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_stream_try_write(struct bight_stream *stream,
                                                          const void *data, size_t bytes);

/** How many bytes of the last write, of whatever form, went out; 0 for NULL. */
BIGHT_API size_t bight_stream_last_written(const struct bight_stream *stream);

/** Write `bytes` of the regular file `file` from `offset` on, or with `bytes` negative what it has
 *  from there. A plain socket takes them from the kernel (sendfile); other streams by a buffer. The
 *  thread waits for the disk where the file is not cached. The file's own position stays.
 *
 *  @return 0; BIGHT_EOF: the file has fewer, of which all went out, and the stream is as good as
 *          before; errors of the file, which leave it so too if nothing went out; otherwise as
 *          bight_stream_write.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; bight_stream_last_written says how much went out.
 *  Allocates: a buffer, unless the stream is a plain socket and the file one that the kernel sends.
 *  Thread: the loop's.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_stream_send_file(struct bight_stream *stream, int file,
                                                      int64_t offset, int64_t bytes);

/** Write all that `from` has to `to` until it ends. `to` is not shut down. When it fails, what was
 *  read and could not be written is left in `from`.
 *
 *  @return how many bytes were copied; an error of either stream, as bight_stream_read and
 *          bight_stream_write have them.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; all that was taken from `from` was written.
 *  Allocates: the buffer of `from`.  Thread: the loop's.  Ownership: borrows both.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_stream_copy(struct bight_stream *from,
                                                     struct bight_stream *to);

/** End the writing half: the peer reads what was written and then the end. Reading goes on.
 *
 *  @return 0; BIGHT_EALREADY: it was shut down before; BIGHT_EBUSY: another task writes;
 *          BIGHT_ENOTSUP: the stream has no halves (a terminal, the reading end of a pipe); the
 *          error that broke it for writing; BIGHT_ECANCELED.
 *  Suspends: yes, with TLS while the peer takes nothing.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, the peer may or may not see the end.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows stream.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_stream_shutdown(struct bight_stream *stream);

/** End the stream: wake the tasks inside of its calls with BIGHT_ECLOSED, wait until those have
 *  returned, close, and free. What was written goes out to the peer as far as its system takes it;
 *  what was not read is lost.
 *
 *  A socket with received bytes that nobody read would reset the connection, and the reset can
 *  overtake what was written last (RFC 1122 4.2.2.13). So while the peer has more to say, the
 *  stream says that its own half is over and drops what comes, for at most `timeout_ms`. TLS says
 *  goodbye in the same time. 0 closes at once, a negative time waits for the peer's end.
 *
 *  @return 0; BIGHT_EALREADY: another task is ending it; BIGHT_EBUSY: a stream goes through this
 *          one, as TLS does, and has to be ended first; BIGHT_ENOTASK: tasks are inside, and there
 *          is none that could wait for them.
 *  Suspends: yes, while a task is inside, or for the peer.  Cancellable: no.
 *  On cancel: goes on, without waiting for the peer any longer.  Allocates: no.
 *  Thread: the loop's.  Ownership: takes stream on success; NULL does nothing.
 */
BIGHT_API int bight_stream_end(struct bight_stream *stream, int64_t timeout_ms);

/** Close at once and free: a connection is reset, so that the peer sees that it did not end
 *  properly. Tasks inside of its calls get BIGHT_ECLOSED. A bight_stream_end that is under way
 *  waits for the peer no longer, and frees it. A stream that goes through this one, as TLS does, is
 *  aborted with it.
 *
 *  Ownership: takes stream; NULL does nothing.
 */
BIGHT_API void bight_stream_abort(struct bight_stream *stream);

/** Make a stream of `fd`, a connected socket, a pipe or a terminal. It is made non-blocking; where
 *  that is visible to others who share the open file (a terminal, what was inherited), the mode is
 *  set back at the end.
 *
 *  @return 0; BIGHT_EBADF; BIGHT_ENOTSUP: neither of these (a regular file, a datagram socket);
 *          BIGHT_EINVAL: a socket that is not connected; BIGHT_ENOMEM; ENOSPC; BIGHT_EMFILE;
 *          BIGHT_ENORUNTIME; BIGHT_ECLOSED when the runtime's last task has ended.
 *  Ownership: takes fd on success; gives *out, to be ended with bight_stream_end or
 *  bight_stream_abort. The runtime aborts what is left when its last task has ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_stream_from_fd(struct bight_stream **out, int fd);

/* For each direction of a pair. Zero is the default for every field. What goes on in a pair follows
 * from the clock and the seed of a test run. */
struct bight_stream_pair_options {
    /* How many bytes may be written and not yet read; default 64 KiB. */
    size_t capacity;
    /* From the write, or the end, until the other side can notice it; default 0. */
    int64_t delay_ms;
    /* The most bytes that one step moves; default: all there are. */
    size_t read_max;
    size_t write_max;
    /* Each step moves a random number of bytes, down to one. */
    bool split;
    /* The connection is reset after this many bytes. 0: never. */
    uint64_t reset_after;
};

/** Make two streams in memory: what is written to one is read from the other. A program's protocol
 *  is tested on them in virtual time (<bight/testing.h>), with delays, splits and resets.
 *
 *  @return 0; BIGHT_EINVAL for a negative delay or a capacity above 1 GiB; BIGHT_ENOMEM;
 *          BIGHT_ENORUNTIME; BIGHT_ECLOSED when the runtime's last task has ended.
 *  Ownership: borrows options, NULL for the defaults; gives both.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_stream_pair(struct bight_stream **left,
                                                 struct bight_stream **right,
                                                 const struct bight_stream_pair_options *options);

/** Make `to` a case that happens when a read from `stream` would not wait: there are bytes, or its
 *  end, or an error, which the read then returns. The case is the one reader of its stream; its
 *  status is 0, BIGHT_ECLOSED, or BIGHT_EBUSY: a task reads. Readiness is a hint: without memory to
 *  look, the case happens and the read may wait. The stream may be ended at any time: a select that
 *  waits for it is told so.
 *
 *  Ownership: keeps stream for as long as the case is used.
 */
BIGHT_API void bight_case_readable(struct bight_case *to, struct bight_stream *stream);

struct bight_stream_stats {
    /* Bytes that came in and went out since the stream was made. */
    uint64_t bytes_read;
    uint64_t bytes_written;
    /* Bytes in the stream's buffer. */
    size_t buffered;
};

/** The counts of `stream`.
 *
 *  @return 0; BIGHT_EINVAL for NULL.
 *  Ownership: borrows all.
 */
BIGHT_API int bight_stream_get_stats(const struct bight_stream *stream,
                                     struct bight_stream_stats *stats);

/** The descriptor of a socket, pipe or terminal, for getsockopt and setsockopt and the like. It
 *  stays the stream's: do not read, write or close it.
 *
 *  @return it; BIGHT_ENOTSUP: the stream has none.
 */
BIGHT_API int bight_stream_fd(const struct bight_stream *stream);

/** The address of this side of a TCP connection.
 *
 *  @return 0; BIGHT_ENOTSUP: the stream has no IP address.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_stream_local_address(const struct bight_stream *stream,
                                                          struct bight_address *address);

/** The address of the other side of a TCP connection, also when the peer is gone.
 *
 *  @return 0; BIGHT_ENOTSUP: the stream has no IP address.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_stream_peer_address(const struct bight_stream *stream,
                                                         struct bight_address *address);

/** Write what kind of stream it is and who is at its other side, as dumps and reports have it:
 *  "tcp 192.0.2.1:4711", "unix", "pipe", "memory".
 *
 *  @return text; NULL for no stream or no room.
 *  Ownership: borrows all; text has room for text_bytes and is cut off there.
 */
BIGHT_API char *bight_stream_describe(const struct bight_stream *stream, char *text,
                                      size_t text_bytes);

/* Who is at the other side of a Unix socket, as the system saw it when the connection was made. */
struct bight_stream_credentials {
    int64_t pid;
    uint32_t uid;
    uint32_t gid;
};

/** The process at the other side of a Unix socket. Its pid may be another's by now.
 *
 *  @return 0; BIGHT_ENOTSUP: not a Unix socket.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_stream_peer_credentials(const struct bight_stream *stream,
                              struct bight_stream_credentials *credentials);

/** Let TCP collect small writes (Nagle's algorithm). bight has turned it off.
 *
 *  @return 0; BIGHT_ENOTSUP: not TCP.
 */
BIGHT_API int bight_stream_set_nagle(struct bight_stream *stream, bool on);

/** Have TCP notice a peer that is gone without a word: probe it after `idle_s` seconds of silence,
 *  every `interval_s`, and give the connection up after `count` probes without an answer; reads
 *  then return BIGHT_ETIMEDOUT. 0 leaves a value at the system's; `idle_s` negative turns it off.
 *
 *  @return 0; BIGHT_ENOTSUP: not TCP; BIGHT_EINVAL.
 */
BIGHT_API int bight_stream_set_keepalive(struct bight_stream *stream, int idle_s, int interval_s,
                                         int count);

BIGHT_END_DECLS

#endif
