/* The bridge of <bight/uv.h> from one-shot libuv requests and close callbacks to direct style. The
 * callbacks note the status and unpark; what the wait returns is decided here, on the task's side.
 * Owns no memory: requests live in their callers' frames, which a wait never leaves early. */
#include "coro/core/source.h"
#include "runtime/runtime.h"

#include <stdio.h>

/* The callbacks get a pointer into `u` and go from it to the request around it. */
_Static_assert(offsetof(struct bight_uv_req, u) == 0, "u is the first member");

static struct bight_uv_req *req_of(void *uv)
{
    return uv;
}

/* The abort never succeeds: libuv has the request until it calls back. When uv_cancel fails, the
 * work has begun, and only the user's hook can help. */
static int req_abort(struct bight_waiter *waiter)
{
    struct bight_uv_req *req = container_of(waiter, struct bight_uv_req, waiter);

    req->cancelled = true;
    switch (req->u.req.type) {
    case UV_FS:
    case UV_GETADDRINFO:
    case UV_GETNAMEINFO:
    case UV_RANDOM:
    case UV_WORK:
        if (uv_cancel(&req->u.req) == 0)
            return BIGHT_EBUSY;
        break;
    default:
        break;
    }
    if (req->cancel)
        req->cancel(req);
    return BIGHT_EBUSY;
}

static void req_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct bight_uv_req *req = container_of(waiter, const struct bight_uv_req, waiter);
    const char *name = uv_req_type_name(req->u.req.type);

    snprintf(text, text_bytes, "%s", name ? name : "not started");
}

static const struct bight_waiter_ops req_ops = {
    .name = "uv request",
    .abort = req_abort,
    .describe = req_describe,
    .flags = BIGHT_WAITER_OUTSIDE | BIGHT_WAITER_MAY_REFUSE,
};

int bight_uv_req_init(struct bight_uv_req *req)
{
    int rc;

    if (!req)
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc)
        return rc;
    req->u.req.type = UV_UNKNOWN_REQ;
    req->cancel = NULL;
    req->cancelled = false;
    req->status = 0;
    return bight_waiter_init(&req->waiter, &req_ops);
}

/* A request that libuv reports as cancelled was cancelled by our scope, or by somebody who closed
 * its handle or called uv_cancel. Only the first is BIGHT_ECANCELED. */
static int64_t settle(const struct bight_uv_req *req, int64_t status)
{
    if (status != UV_ECANCELED && status != UV_EAI_CANCELED)
        return status;
    return req->cancelled ? bight__stop_code(bight_self()) : BIGHT_ECLOSED;
}

int64_t bight_uv_await(struct bight_uv_req *req)
{
    int rc;

    if (!req || !req->waiter.ops) /* a record that is all zero */
        return BIGHT_EINVAL;
    rc = bight_park(&req->waiter);
    if (rc)
        return rc;
    return settle(req, req->u.req.type == UV_FS ? (int64_t)req->u.fs.result : req->status);
}

static void finish(void *uv, int status)
{
    struct bight_uv_req *req = req_of(uv);

    if (!req)
        return;
    req->status = status;
    bight_unpark(&req->waiter, 0);
}

void bight_uv_on_fs(uv_fs_t *req)
{
    finish(req, 0); /* bight_uv_await takes the result from the request: it may not fit an int */
}

void bight_uv_on_connect(uv_connect_t *req, int status)
{
    finish(req, status);
}

void bight_uv_on_write(uv_write_t *req, int status)
{
    finish(req, status);
}

void bight_uv_on_shutdown(uv_shutdown_t *req, int status)
{
    finish(req, status);
}

void bight_uv_on_udp_send(uv_udp_send_t *req, int status)
{
    finish(req, status);
}

void bight_uv_on_getaddrinfo(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    (void)list; /* stays in req->addrinfo */
    finish(req, status);
}

void bight_uv_on_getnameinfo(uv_getnameinfo_t *req, int status, const char *host,
                             const char *service)
{
    (void)host;
    (void)service;
    finish(req, status);
}

void bight_uv_on_random(uv_random_t *req, int status, void *buf, size_t bytes)
{
    (void)buf;
    (void)bytes;
    finish(req, status);
}

void bight_uv_on_work(uv_work_t *req, int status)
{
    finish(req, status);
}

static const struct bight_waiter_ops close_ops = {
    .name = "uv close",
    .flags = BIGHT_WAITER_OUTSIDE,
};

static void on_close(uv_handle_t *handle)
{
    bight_unpark(handle->data, 0);
}

int bight_uv_close(uv_handle_t *handle)
{
    struct bight_waiter waiter;

    if (!handle)
        return BIGHT_EINVAL;
    if (uv_is_closing(handle))
        return BIGHT_EALREADY;
    int rc = bight_waiter_init(&waiter, &close_ops);
    if (rc)
        return rc;
    void *data = handle->data;
    handle->data = &waiter;
    uv_close(handle, on_close);
    rc = bight_park(&waiter);
    handle->data = data;
    return rc;
}
