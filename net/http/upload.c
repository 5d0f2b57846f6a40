/* A body that is written while it is sent. libcurl asks for bytes when the socket takes some, and
 * gets them from where the writing task has them, which sleeps meanwhile: nothing is kept in
 * between. When there are none, the transfer pauses in this direction until the next write. */
#include "net/http/transfer.h"

#include <string.h>

#include <bight/task.h>
#include <bight/waiter.h>

#include "coro/base/list.h"
#include "net/http/response.h"

void bight_http_upload_init(struct bight_http_upload *upload, int64_t bytes)
{
    if (upload)
        *upload = (struct bight_http_upload){.bytes = bytes};
}

bool bight__http_upload_is_whole(const struct bight_http_upload *upload)
{
    return upload->bytes < 0 ? upload->closed && !upload->left
                             : upload->taken == (uint64_t)upload->bytes;
}

/* --- the writing task ------------------------------------------------------------------------- */

struct upload_waiter {
    struct bight_waiter waiter;
    struct bight_http_upload *upload;
    size_t bytes;
};

static int abort_write(struct bight_waiter *waiter)
{
    const struct upload_waiter *self = container_of(waiter, struct upload_waiter, waiter);
    struct bight_http_upload *upload = self->upload;

    /* The transfer fails where it would go on. */
    upload->broken = upload->left < self->bytes;
    upload->writer = NULL;
    upload->data = NULL;
    upload->left = 0;
    return 0;
}

static const struct bight_waiter_ops write_ops = {
    .name = "http upload",
    .abort = abort_write,
    .flags = BIGHT_WAITER_OUTSIDE,
};

/* The write is done, or will not be. */
static void wake(struct bight_http_upload *upload, int code)
{
    struct bight_waiter *writer = upload->writer;

    upload->writer = NULL;
    upload->data = NULL;
    upload->left = 0;
    if (writer)
        bight_unpark(writer, code);
}

/* Why nothing can be written, or 0. */
static int check(const struct bight_http_upload *upload, size_t bytes)
{
    const struct http_transfer *transfer = upload->transfer;

    if (transfer && http_is_foreign(transfer->session))
        return BIGHT_EPERM;
    if (upload->writer)
        return BIGHT_EBUSY;
    if (upload->broken)
        return BIGHT_EBROKEN;
    if (upload->over)
        return BIGHT_EPIPE;
    if (upload->closed)
        return BIGHT_ECLOSED;
    return upload->bytes >= 0 && bytes > (uint64_t)upload->bytes - upload->taken ? BIGHT_ETOOBIG
                                                                                 : 0;
}

int bight_http_upload_write(struct bight_http_upload *upload, const void *data, size_t bytes)
{
    struct upload_waiter self = {.upload = upload, .bytes = bytes};
    int rc;

    if (!upload || (!data && bytes))
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc == 0)
        rc = check(upload, bytes);
    if (rc == 0)
        rc = bight_waiter_init(&self.waiter, &write_ops);
    if (rc || (bytes == 0 && (upload->hungry || bight__http_upload_is_whole(upload))))
        return rc;
    upload->data = data;
    upload->left = bytes;
    upload->writer = &self.waiter;
    if (upload->hungry) {
        upload->hungry = false;
        (void)bight__http_transfer_feed(upload->transfer); /* if that fails, it has woken us */
    }
    return bight_park(&self.waiter);
}

int bight_http_upload_close(struct bight_http_upload *upload)
{
    if (!upload || upload->writer)
        return BIGHT_EINVAL;
    if (upload->broken)
        return BIGHT_EBROKEN;
    if (upload->bytes >= 0 && upload->taken < (uint64_t)upload->bytes && !upload->over)
        return BIGHT_EINVAL;
    upload->closed = true;
    if (upload->hungry) {
        upload->hungry = false;
        return bight__http_transfer_feed(upload->transfer);
    }
    return 0;
}

/* --- the transfer ----------------------------------------------------------------------------- */

void bight__http_upload_begin(struct bight_http_upload *upload, struct http_transfer *transfer)
{
    upload->transfer = transfer;
    transfer->upload = upload;
}

void bight__http_upload_end(struct bight_http_upload *upload, bool again)
{
    upload->transfer = NULL;
    upload->hungry = false;
    if (again)
        return; /* a task that waits goes on waiting */
    upload->over = true;
    wake(upload, BIGHT_EPIPE);
}

size_t bight__http_on_upload(char *to, size_t size, size_t count, void *arg)
{
    struct http_transfer *transfer = arg;
    struct bight_http_upload *upload = transfer->upload;
    size_t bytes = size * count;

    if (upload->broken) {
        transfer->code = BIGHT_EBROKEN;
        return CURL_READFUNC_ABORT;
    }
    if (bytes > upload->left)
        bytes = upload->left;
    if (bytes) {
        memcpy(to, upload->data, bytes);
        upload->data += bytes;
        upload->left -= bytes;
        upload->taken += bytes;
        if (!upload->left)
            wake(upload, 0);
        return bytes;
    }
    if (upload->closed)
        return 0;
    upload->hungry = true;
    wake(upload, 0); /* one that waits to be asked */
    return CURL_READFUNC_PAUSE;
}
