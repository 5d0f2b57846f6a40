/* Bodies that come from a source. A task of the call's own reads it and writes it to the upload, so
 * that there is one way out; the call awaits that task, which wakes it when it ends. */
#include "net/http/response.h"

#include <bight/file.h>
#include <bight/group.h>
#include <bight/stream.h>
#include <bight/task.h>

#include "net/http/transfer.h"

#define PIECE_BYTES (64u << 10)

/* The request fails with the code. */
static void fail(const struct http_feed *feed, int code, const char *text)
{
    struct bight_http_response *response = feed->response;
    enum bight_http_failure kind =
        code == BIGHT_ECANCELED ? BIGHT_HTTP_CANCELLED : BIGHT_HTTP_SYSTEM;

    bight__http_fail(response, kind, code, text);
    if (response->transfer)
        bight__http_transfer_abort(response->transfer);
}

/* How much of the next piece is asked for; 0: all was. */
static size_t wanted(const struct http_feed *feed)
{
    const struct bight_http_upload *upload = &feed->upload;
    uint64_t left = (uint64_t)upload->bytes - upload->taken;

    return upload->bytes < 0 || left > PIECE_BYTES ? PIECE_BYTES : (size_t)left;
}

/* Write the next piece: more than 0; 0 at the end; a code, and why. */
static int write_piece(struct http_feed *feed, char *buffer, const char **why)
{
    size_t bytes = wanted(feed);
    int64_t got = bytes ? feed->source.read(feed->source.arg, buffer, bytes) : 0;
    int rc;

    if (got < 0) {
        *why = "the source of the body failed";
        return (int)got;
    }
    if ((uint64_t)got > bytes) {
        *why = "the source of the body gave more than was asked for";
        return BIGHT_EINVAL;
    }
    if (got == 0 && bytes && feed->upload.bytes >= 0) {
        *why = "the source of the body ended before its length";
        return BIGHT_EOF;
    }
    if (got == 0)
        return bight_http_upload_close(&feed->upload);
    rc = bight_http_upload_write(&feed->upload, buffer, (size_t)got);
    return rc ? rc : 1;
}

static int write_all(struct http_feed *feed, const char **why)
{
    char *buffer;
    int rc = bight_http_upload_write(&feed->upload, NULL, 0); /* until it is wanted */

    if (rc)
        return rc;
    buffer = bight__alloc(feed->response->session->seams, PIECE_BYTES);
    if (!buffer)
        return BIGHT_ENOMEM;
    do
        rc = write_piece(feed, buffer, why);
    while (rc > 0);
    bight__free(buffer);
    return rc;
}

/* Whatever comes of it, the call says. */
static int feed_main(void *arg)
{
    struct http_feed *feed = arg;
    const char *why = NULL;
    int rc;

    feed->task = bight_self();
    rc = write_all(feed, &why);
    feed->task = NULL;
    feed->running = false;
    if (rc && feed->wanted && !feed->upload.over)
        fail(feed, rc, why ? why : bight_strerror(rc));
    bight__http_wake(feed->response);
    return 0;
}

int bight__http_feed_run(struct http_call *call, const char *url)
{
    struct http_feed *feed = call->response->feed;
    struct bight_group group;
    int rc = bight_group_begin(&group, 0);

    if (rc)
        return rc;
    rc = bight_group_spawn(NULL, &group, NULL, feed_main, feed);
    if (rc == 0) {
        feed->running = feed->wanted = true;
        rc = bight__http_call_run(call, url);
        feed->wanted = false;
        bight_scope_cancel(&group.scope);
    }
    rc = bight_group_end(&group, rc);
    feed->running = false; /* even if it was cancelled before its first step */
    return rc;
}

static int64_t read_file(void *arg, void *buffer, size_t bytes)
{
    return bight_file_read(arg, buffer, bytes);
}

void bight_http_source_from_file(struct bight_http_source *source, struct bight_file *file,
                                 int64_t bytes)
{
    if (source)
        *source = (struct bight_http_source){read_file, file, bytes};
}

static int64_t read_stream(void *arg, void *buffer, size_t bytes)
{
    return bight_stream_read(arg, buffer, bytes);
}

void bight_http_source_from_stream(struct bight_http_source *source, struct bight_stream *stream,
                                   int64_t bytes)
{
    if (source)
        *source = (struct bight_http_source){read_stream, stream, bytes};
}
