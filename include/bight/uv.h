/* The seam to libuv, for programs that use it beside bight: attach to a host's loop, await one-shot
 * requests and close callbacks. One of the two public headers that include a foreign one. */
#ifndef BIGHT_UV_H
#define BIGHT_UV_H

#include <uv.h>

#include <bight/runtime.h>
#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/** Give this thread a runtime on the host's `loop`. Tasks then run inside the host's uv_run,
 *  between its other callbacks; while tasks live they keep the loop alive. The host still owns
 *  main, signals and the loop. bight_spawn may be called from the host's callbacks. After a failure
 *  the loop has to be run once before uv_loop_close, as after any uv_close.
 *
 *  @return 0; BIGHT_EALREADY when this thread has a runtime; BIGHT_ENOMEM, BIGHT_EMFILE and the
 *          like.
 *  Thread: the one that runs loop.
 *  Ownership: keeps loop until the runtime is detached; borrows options, NULL for the defaults;
 *  gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_attach(struct bight_runtime **out, uv_loop_t *loop,
                                            const struct bight_runtime_options *options);

/** End the runtime: cancel what still runs, join it, close every handle. Asynchronous: the work is
 *  done by the loop, then `done(arg)` is called (it may be NULL) and the runtime is gone. New tasks
 *  are refused from now on.
 *
 *  @return 0; BIGHT_EALREADY when called before; BIGHT_EINVAL for a runtime of bight_run.
 *  Thread: the loop's, outside of tasks or in one.
 *  Ownership: takes runtime; keeps arg until done was called.
 */
BIGHT_API int bight_detach(struct bight_runtime *runtime, void (*done)(void *arg), void *arg);

/** The loop of this thread's runtime, NULL without one.
 *
 *  Ownership: the loop stays the runtime's or the host's.
 */
BIGHT_API uv_loop_t *bight_uv_loop(void);

/* A one-shot libuv request that a task awaits. It may live on the stack: the wait does not return
 * before libuv has called back. Start the request in `u` with the matching callback below. */
struct bight_uv_req {
    union {
        uv_req_t req;
        uv_fs_t fs;
        uv_connect_t connect;
        uv_write_t write;
        uv_shutdown_t shutdown;
        uv_udp_send_t udp_send;
        uv_getaddrinfo_t getaddrinfo;
        uv_getnameinfo_t getnameinfo;
        uv_random_t random;
        uv_work_t work;
    } u;
    /* Called once when the wait is cancelled and uv_cancel cannot help: must make libuv call back
     * soon, for example by closing the handle of a connect. NULL: the wait lasts until the request
     * is over. */
    void (*cancel)(struct bight_uv_req *req);
    /* Private. */
    struct bight_waiter waiter;
    int status;
    bool cancelled;
};

/** Initialise `req` for one request of the calling task, before the uv_* call that starts it; sets
 *  req->cancel to NULL. When that uv_* call fails there is nothing to undo and nothing to await.
 *
 *  @return 0; BIGHT_ECANCELED in a cancelled scope: do not start it; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was begun.
 *  Allocates: no.  Thread: the loop's.  Ownership: keeps req until bight_uv_await returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_uv_req_init(struct bight_uv_req *req);

/** Sleep until the started request has called back. A cancellation calls uv_cancel or, where that
 *  cannot help, req->cancel, and then still waits for the callback.
 *
 *  @return the status of the callback (for fs: req->u.fs.result); where a cancellation ended the
 *          request, BIGHT_ECANCELED; BIGHT_ECLOSED when libuv reports it as cancelled and no scope
 *          was cancelled: somebody closed its handle or called uv_cancel.
 *  Suspends: yes.  Cancellable: no, unless uv_cancel or req->cancel ends the request.
 *  On cancel: BIGHT_ECANCELED, or the result when it was too late.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows req; uv_fs_req_cleanup and the like stay the caller's.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_uv_await(struct bight_uv_req *req);

/** The callback for a request of type uv_fs_t; the others follow. Pass them to the call that starts
 *  the request: uv_fs_open(loop, &r.u.fs, path, flags, mode, bight_uv_on_fs) and so on. They only
 *  unpark.
 *
 *  Thread: the loop's, called by libuv.
 */
BIGHT_API void bight_uv_on_fs(uv_fs_t *req);
/** See bight_uv_on_fs.
 *  Thread: the loop's, called by libuv.
 */
BIGHT_API void bight_uv_on_connect(uv_connect_t *req, int status);
/** See bight_uv_on_fs.
 *  Thread: the loop's, called by libuv.
 */
BIGHT_API void bight_uv_on_write(uv_write_t *req, int status);
/** See bight_uv_on_fs.
 *  Thread: the loop's, called by libuv.
 */
BIGHT_API void bight_uv_on_shutdown(uv_shutdown_t *req, int status);
/** See bight_uv_on_fs.
 *  Thread: the loop's, called by libuv.
 */
BIGHT_API void bight_uv_on_udp_send(uv_udp_send_t *req, int status);
/** See bight_uv_on_fs. The list stays in req->u.getaddrinfo.addrinfo, the caller's to free.
 *  Thread: the loop's, called by libuv.
 */
BIGHT_API void bight_uv_on_getaddrinfo(uv_getaddrinfo_t *req, int status, struct addrinfo *list);
/** See bight_uv_on_fs. Host and service stay in req->u.getnameinfo.
 *  Thread: the loop's, called by libuv.
 */
BIGHT_API void bight_uv_on_getnameinfo(uv_getnameinfo_t *req, int status, const char *host,
                                       const char *service);
/** See bight_uv_on_fs.
 *  Thread: the loop's, called by libuv.
 */
BIGHT_API void bight_uv_on_random(uv_random_t *req, int status, void *buf, size_t bytes);
/** See bight_uv_on_fs.
 *  Thread: the loop's, called by libuv.
 */
BIGHT_API void bight_uv_on_work(uv_work_t *req, int status);

/** Close `handle` and sleep until libuv has let go of its memory. Meanwhile bight uses the handle's
 *  data field; afterwards it has its old value.
 *
 *  @return 0; BIGHT_EALREADY when it is closing; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: no.  On cancel: goes on, the handle is closed.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows handle; afterwards its memory is the caller's again.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_uv_close(uv_handle_t *handle);

BIGHT_END_DECLS

#endif
