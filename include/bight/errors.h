/* Error codes. Functions return 0 or a count on success and one of these negative codes on failure.
 * The first part equals libuv's UV_E* (on POSIX: -errno), so codes of the system pass through
 * unchanged; the second part is bight's own range. Both lists are X-macros: names, values and texts
 * come from one place.
 *
 * Arguments are looked at first: a NULL that a call needs, whether object, function or
 * out-parameter, is BIGHT_EINVAL before anything else is (is there a task, is it cancelled), from a
 * call that returns an int. Otherwise it does nothing, or gives false, 0 or NULL; a state is the
 * one that nothing comes of. NULL options are the defaults. Where NULL has a meaning of its own the
 * comment of the call says so. The calls of <bight/waiter.h>, which are hot, do not look. */
#ifndef BIGHT_ERRORS_H
#define BIGHT_ERRORS_H

#include <errno.h>

#include <bight/base.h>

/* X(name, value, text): the codes that bight itself returns out of the system's range. Any other
 * negative errno may be passed through from a system call. */
#define BIGHT_ERRORS_SYSTEM(X)                                                                     \
    X(EACCES, -EACCES, "permission denied")                                                        \
    X(EADDRINUSE, -EADDRINUSE, "address already in use")                                           \
    X(EAGAIN, -EAGAIN, "would have to wait")                                                       \
    X(EALREADY, -EALREADY, "already waited for or already begun")                                  \
    X(EBADF, -EBADF, "bad file descriptor")                                                        \
    X(EBUSY, -EBUSY, "resource busy")                                                              \
    X(ECANCELED, -ECANCELED, "a scope around the call was cancelled")                              \
    X(ECONNREFUSED, -ECONNREFUSED, "connection refused")                                           \
    X(ECONNRESET, -ECONNRESET, "connection reset by peer")                                         \
    X(EDEADLK, -EDEADLK, "waiting would never end")                                                \
    X(EEXIST, -EEXIST, "already exists")                                                           \
    X(EFBIG, -EFBIG, "file too large")                                                             \
    X(EINTR, -EINTR, "interrupted by a signal")                                                    \
    X(EINVAL, -EINVAL, "invalid argument")                                                         \
    X(EIO, -EIO, "input/output error")                                                             \
    X(EMFILE, -EMFILE, "too many open files")                                                      \
    X(EMSGSIZE, -EMSGSIZE, "message too large")                                                    \
    X(ENOENT, -ENOENT, "no such file or directory")                                                \
    X(ENOMEM, -ENOMEM, "out of memory")                                                            \
    X(ENOSYS, -ENOSYS, "not supported by this system")                                             \
    X(ENOTRECOVERABLE, -ENOTRECOVERABLE, "what a dead owner left was not mended")                  \
    X(ENOTSUP, -ENOTSUP, "operation not supported")                                                \
    X(EOF, -4095, "end of the stream")                                                             \
    X(EOWNERDEAD, -EOWNERDEAD, "the owner died")                                                   \
    X(EPERM, -EPERM, "not the owner")                                                              \
    X(EPIPE, -EPIPE, "the other side closed")                                                      \
    X(ERANGE, -ERANGE, "out of range")                                                             \
    X(ESRCH, -ESRCH, "no such process")                                                            \
    X(ETIMEDOUT, -ETIMEDOUT, "the deadline passed")

/* X(name, value, text): bight's own codes, -5000 and below; libuv's own end at -4096. */
#define BIGHT_ERRORS_OWN(X)                                                                        \
    X(ENOTASK, -5001, "suspending call outside of a task")                                         \
    X(ECLOSED, -5002, "closed")                                                                    \
    X(ESCOPE, -5003, "a scope or group was left open or ended out of order")                       \
    X(ESTALLED, -5004, "every task waits for another: nothing can ever run")                       \
    X(ENORUNTIME, -5005, "no runtime on this thread")                                              \
    X(EBROKEN, -5006, "broken: somebody who had to come or to finish did not")                     \
    X(ENOTREADY, -5007, "the task ended before it said that it was ready")                         \
    X(EDRAIN, -5008, "a scope around the call, which may be stopped, drains")                      \
    X(EUNKNOWNJOB, -5010, "the worker does not know the job")                                      \
    X(EFULL, -5011, "the executor's queue is full")                                                \
    X(EJOBFAILED, -5012, "the job failed")                                                         \
    X(EWORKERDIED, -5013, "the worker process died while it ran the job")                          \
    X(EUNKNOWNOUTCOME, -5014, "it may or may not have happened")                                   \
    X(ENOTPREPARED, -5015, "threads exist: call bight_workers_prepare first in main")              \
    X(EINITFAILED, -5016, "the initialiser of a worker failed")                                    \
    X(ERESOLVE, -5020, "name not resolved")                                                        \
    X(ECONNECT, -5021, "connection not established")                                               \
    X(ETLS, -5022, "TLS failure")                                                                  \
    X(EPROTOCOL, -5023, "the peer broke the protocol")                                             \
    X(ETOOBIG, -5024, "more bytes than allowed")                                                   \
    X(EREDIRECTS, -5025, "too many redirects")                                                     \
    X(EFORBIDDEN, -5026, "refused by policy")

BIGHT_BEGIN_DECLS

/* The enum has both lists: BIGHT_EACCES, ..., BIGHT_EFORBIDDEN. */
enum bight_error {
#define BIGHT__ERROR_ENUM(name, value, text) BIGHT_##name = (value),
    BIGHT_ERRORS_SYSTEM(BIGHT__ERROR_ENUM) BIGHT_ERRORS_OWN(BIGHT__ERROR_ENUM)
#undef BIGHT__ERROR_ENUM
};

/** The name of `code`: its constant without the prefix, such as "ECANCELED"; "OK" for 0.
 *
 *  @return a static string; "EUNKNOWN" for any other code that neither list nor the system has.
 *  Thread: any.  Ownership: the string is static.
 */
BIGHT_API const char *bight_error_name(int code);

/** A short text for `code`, in English, without a final period.
 *
 *  @return a static string; for a code outside of both lists the system's name for it.
 *  Thread: any.  Ownership: the string is static.
 */
BIGHT_API const char *bight_strerror(int code);

/** Whether `code` tells the task to stop: BIGHT_ECANCELED or BIGHT_EDRAIN. Who waits hands such a
 *  code on, and does not try again or report it as a failure.
 *
 *  Thread: any.  Ownership: none.
 */
static inline bool bight_is_stop(int code)
{
    return code == BIGHT_ECANCELED || code == BIGHT_EDRAIN;
}

BIGHT_END_DECLS

#endif
