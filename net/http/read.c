/* Reading a streamed body: first what has arrived already, then what comes, which goes straight
 * into the reader's buffer when nothing is ahead of it. */
#include "net/http/response.h"

#include "net/http/transfer.h"

/* What libcurl had kept of a paused transfer may have made the buffer larger than this: then it is
 * not kept when it is empty. */
#define LARGE_BUFFER_BYTES (1u << 20)

/* Let a paused transfer go on, and give what it had kept straight to the reader. Returns how much
 * that was. */
static size_t resume(struct bight_http_response *response, struct http_reader *reader, char *buffer,
                     size_t bytes)
{
    size_t filled;

    *reader = (struct http_reader){.buffer = buffer, .bytes = bytes};
    bight__http_transfer_resume(response->transfer);
    filled = reader->filled;
    reader->bytes = reader->filled = 0;
    return filled;
}

/* Take up to `bytes` of what has arrived already. */
static size_t take(struct bight_http_response *response, struct http_reader *reader, char *buffer,
                   size_t bytes)
{
    struct http_buffer *body = &response->body;
    const struct http_transfer *transfer = response->transfer;
    size_t held = body->bytes - response->body_taken;
    size_t taken = bytes < held ? bytes : held;

    if (taken) {
        memcpy(buffer, body->data + response->body_taken, taken);
        response->body_taken += taken;
    }
    if (response->body_taken == body->bytes) {
        response->body_taken = body->bytes = 0;
        if (body->capacity > LARGE_BUFFER_BYTES)
            bight__http_buffer_free(body);
    }
    if (!transfer || !transfer->paused || (taken && bytes >= transfer->read_bytes))
        return taken; /* the next read has the whole buffer for what comes */
    if (held - taken <= transfer->session->options.buffer_bytes / 2)
        taken += resume(response, reader, buffer + taken, bytes - taken);
    return taken;
}

/* Wait until something comes. Of a transfer that has just been resumed libcurl reads at once what
 * has come meanwhile: in the loop's next turn, when all that wait have had theirs, nothing of its
 * buffer and of the reader's would be in the processor's caches any more. */
static int await(struct bight_http_response *response, bool resumed)
{
    if (resumed && http_time_left(response) != 0) {
        bight__http_multi_now(response->session);
        if (response->reader && response->reader->filled)
            return 0;
    }
    return bight__http_wait(response);
}

static int64_t read_some(struct bight_http_response *response, struct http_reader *reader,
                         char *buffer, size_t bytes)
{
    for (;;) {
        bool paused = response->transfer && response->transfer->paused;
        size_t filled = take(response, reader, buffer, bytes);
        if (filled)
            return (int64_t)filled;
        if (!response->transfer)
            return response->error.code; /* 0 at the end of the body */
        if (response->transfer->paused || response->body.bytes)
            continue;
        *reader = (struct http_reader){.buffer = buffer, .bytes = bytes};
        int rc = await(response, paused);
        filled = reader->filled;
        reader->bytes = reader->filled = 0;
        if (response->error.code && response->transfer)
            bight__http_transfer_abort(response->transfer); /* out of time */
        if (filled)
            return (int64_t)filled;
        if (rc)
            return rc;
    }
}

int64_t bight_http_read(struct bight_http_response *response, void *buffer, size_t bytes)
{
    struct http_reader reader = {0};
    struct bight_http_session *session;
    int64_t rc;

    if (!response || (!buffer && bytes))
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc)
        return rc;
    session = response->session; /* read it after the checkpoint: somebody may close it there */
    if (session && http_is_foreign(session))
        return BIGHT_EPERM;
    if (response->reader)
        return BIGHT_EBUSY;
    if (response->collect || bytes == 0)
        return 0;
    if (!session)
        return read_some(response, &reader, buffer, bytes);
    if (bytes > response->read_bytes)
        response->read_bytes = bytes;
    response->reader = &reader;
    http_call_begin(session);
    rc = read_some(response, &reader, buffer, bytes);
    bight__http_call_end(response, session);
    response->reader = NULL;
    return rc;
}
