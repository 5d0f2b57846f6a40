/* Attributes, version, and how to read the comments of all headers. Every public header includes
 * this one and nothing of libuv or libcurl. C11 and C++; needs only the freestanding headers.
 *
 * The comment of a call is text, what it returns, and then trailers, in this order:
 *
 *     Suspends: whether other tasks may run before it returns.
 *     Cancellable: whether a cancellation of the calling task ends it early.
 *     On cancel: what it returns then, and what has happened.
 *     Allocates: what it allocates.
 *     Thread: where it may be called.
 *     Ownership: what becomes of the memory that it is given, and of what it gives.
 *
 * A call that suspends has all of them. Any other call has those that differ from the default:
 *
 *     Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows its arguments.
 *
 * The loop's thread is the one that has the runtime. What belongs to the runtime of another thread
 * is refused with BIGHT_EPERM by calls that can see it: a task, an open group or scope, what a task
 * holds, and what tasks wait for. It is then as it was.
 *
 * A call *borrows* an argument until it returns, *keeps* it until what is said there, or *takes*
 * it, and frees it; what it *gives* is the caller's to free.
 *
 * Three verbs say how something is over. `_close`: it takes no more, the object stays and is freed
 * by another call, or is the caller's memory. `_end`: what is inside is waited for or told, and
 * then the object is gone. `_free`: it is gone now. */
#ifndef BIGHT_BASE_H
#define BIGHT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIGHT_VERSION_MAJOR 0
#define BIGHT_VERSION_MINOR 2
#define BIGHT_VERSION_PATCH 0

#ifdef __cplusplus
#define BIGHT_BEGIN_DECLS extern "C" {
#define BIGHT_END_DECLS }
#else
#define BIGHT_BEGIN_DECLS
#define BIGHT_END_DECLS
#endif

/* Exported from the shared library; everything else is hidden. */
#define BIGHT_API __attribute__((visibility("default")))

/* The result says whether the call did its work: the compiler warns when it is dropped. A cast to
 * void does not silence gcc (it does clang). Where the result does not matter, test it and do
 * nothing, which both accept, in C and C++:
 *
 *     if (bight_sleep(10)) {
 *         // cancelled: the caller will see that in its next call
 *     }
 *
 * or keep it: `int rc = bight_sleep(10);` and, if nothing reads it, `(void)rc;`. */
#define BIGHT_MUST_CHECK __attribute__((warn_unused_result))

/* The record of type `type` whose member `member` is at `pointer`, which is evaluated once. A
 * callback that is given its own record (of bight_call, bight_post, bight_hook,
 * bight_task_callback, bight_future_callback, or a waiter in its abort) reaches what is around it
 * in this way:
 *
 *     struct connection {
 *         struct bight_call timeout;
 *         ...
 *     };
 *
 *     static void on_timeout(struct bight_call *call)
 *     {
 *         struct connection *connection = bight_container_of(call, struct connection, timeout);
 *         ...
 *     }
 *
 * `pointer` must not be const. In C++ the type has to be of standard layout, as for offsetof. */
#ifdef __cplusplus
#define bight_container_of(pointer, type, member)                                                  \
    (reinterpret_cast<type *>(reinterpret_cast<char *>(pointer) - offsetof(type, member)))
#else
#define bight_container_of(pointer, type, member)                                                  \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
#endif

#endif
