/* Responses: what they hold, how they are read and freed. They are pooled with their small buffers. */
#include <string.h>

#include "net/http/http.h"

/* What a pooled response may keep of memory, and how many are kept. */
#define POOLED_BYTES 16384
#define POOLED_RESPONSES 256

struct bight_http_response *bight__http_response_new(struct bight_http_session *session)
{
    struct bight_link *link = link_take(&session->responses);
    struct bight_http_response *response;

    if (link) {
        response = container_of(link, struct bight_http_response, link);
        session->response_count--;
    } else {
        response = bight__alloc_zero(http_seams(session), sizeof *response);
        if (!response)
            return NULL;
        response->session = session;
    }
    link_append(&session->live, &response->link);
    return response;
}

/* As new, but for the buffers. */
static void clear(struct bight_http_response *response)
{
    struct http_buffer url = response->url, body = response->body;
    struct http_buffer headers = response->headers.text;
    struct bight_http_session *session = response->session;

    if (body.capacity > POOLED_BYTES)
        bight__http_buffer_free(&body);
    if (headers.capacity > POOLED_BYTES)
        bight__http_buffer_free(&headers);
    if (url.capacity > POOLED_BYTES)
        bight__http_buffer_free(&url);
    url.bytes = headers.bytes = body.bytes = 0;
    memset(response, 0, offsetof(struct bight_http_response, error.text));
    response->url = url;
    response->headers.text = headers;
    response->body = body;
    response->session = session;
    response->error.text[0] = '\0';
}

void bight__http_response_destroy(struct bight_http_response *response)
{
    bight__http_buffer_free(&response->url);
    bight__http_buffer_free(&response->headers.text);
    bight__http_buffer_free(&response->body);
    bight__free(response);
}

void bight_http_response_free(struct bight_http_response *response)
{
    struct bight_http_session *session;

    if (!response)
        return;
    if (response->transfer)
        bight__http_transfer_abort(response->transfer);
    session = response->session;
    link_remove(&response->link);
    if (!session || session->closing || session->response_count >= POOLED_RESPONSES) {
        bight__http_response_destroy(response);
        return;
    }
    clear(response);
    session->response_count++;
    link_append(&session->responses, &response->link);
}

void bight__http_wake(struct bight_http_response *response)
{
    struct bight_waiter *waiter = response->waiter;

    if (!waiter)
        return;
    response->waiter = NULL;
    bight_unpark(waiter, 0);
}

/* Up to `bytes` of what has arrived already. */
static size_t take(struct bight_http_response *response, char *buffer, size_t bytes)
{
    struct http_buffer *body = &response->body;
    const struct http_transfer *transfer = response->transfer;
    size_t held = body->bytes - response->body_taken;

    if (bytes > held)
        bytes = held;
    if (!bytes)
        return 0;
    memcpy(buffer, body->data + response->body_taken, bytes);
    response->body_taken += bytes;
    if (response->body_taken == body->bytes)
        response->body_taken = body->bytes = 0;
    if (transfer && transfer->paused && held - bytes <= transfer->session->options.buffer_bytes / 2)
        bight__http_transfer_resume(response->transfer);
    return bytes;
}

static int64_t read_some(struct bight_http_response *response, char *buffer, size_t bytes)
{
    for (;;) {
        size_t filled = take(response, buffer, bytes);
        if (filled)
            return (int64_t)filled;
        if (!response->transfer)
            return response->error.code; /* 0 at the end of the body */
        if (response->transfer->paused) {
            bight__http_transfer_resume(response->transfer);
            continue;
        }
        response->reader = buffer;
        response->reader_bytes = bytes;
        response->reader_filled = 0;
        int rc = bight__http_wait(response);
        filled = response->reader_filled;
        response->reader_bytes = response->reader_filled = 0;
        if (response->error.code && response->transfer)
            bight__http_transfer_abort(response->transfer); /* out of time */
        if (filled)
            return (int64_t)filled;
        if (rc < 0)
            return rc;
    }
}

int64_t bight_http_read(struct bight_http_response *response, void *buffer, size_t bytes)
{
    struct bight_http_session *session;
    int64_t rc;

    if (!response || (!buffer && bytes))
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc < 0)
        return rc;
    if (response->reading)
        return BIGHT_EBUSY;
    if (response->collect || bytes == 0)
        return 0;
    session = response->session; /* not before the checkpoint, which may let somebody close it */
    if (!session)
        return read_some(response, buffer, bytes);
    response->reading = true;
    bight__http_call_begin(session);
    rc = read_some(response, buffer, bytes);
    bight__http_call_end(response, session);
    response->reading = false;
    return rc;
}

int bight_http_response_status(const struct bight_http_response *response)
{
    if (!response)
        return BIGHT_EINVAL;
    return response->status;
}

int bight_http_response_version(const struct bight_http_response *response)
{
    if (!response)
        return BIGHT_EINVAL;
    return response->version;
}

/* Taking the headers apart at the first question changes nothing that can be seen. */
static struct http_headers *headers_of(const struct bight_http_response *response)
{
    return &((struct bight_http_response *)response)->headers;
}

const char *bight_http_response_header(const struct bight_http_response *response, const char *name)
{
    if (!response || !name)
        return NULL;
    return bight__http_headers_find(headers_of(response), name);
}

int bight_http_response_header_at(const struct bight_http_response *response, size_t index,
                                  const char **name, const char **value)
{
    if (!response || !name || !value)
        return BIGHT_EINVAL;
    return bight__http_headers_at(headers_of(response), index, name, value);
}

const char *bight_http_response_body(const struct bight_http_response *response, size_t *bytes)
{
    bool have = response && response->collect && response->body.bytes;

    if (bytes)
        *bytes = have ? response->body.bytes : 0;
    return have ? response->body.data : response ? "" : NULL;
}

const char *bight_http_response_url(const struct bight_http_response *response)
{
    if (!response)
        return NULL;
    return response->url.data;
}

static double since_start(const struct bight_http_response *response, uint64_t at_ns)
{
    return at_ns ? (double)(at_ns - response->start_ns) / 1e6 : -1;
}

void bight_http_response_timing(const struct bight_http_response *response,
                                struct bight_http_timing *timing)
{
    if (!response || !timing)
        return;
    timing->started_ms = since_start(response, response->started_ns);
    timing->headers_ms = since_start(response, response->headers_done ? response->headers_ns : 0);
    timing->done_ms = since_start(response, response->done ? response->done_ns : 0);
    timing->hops = response->hops;
    timing->body_bytes = response->received;
}

const struct bight_http_error *bight_http_response_error(const struct bight_http_response *response)
{
    if (!response)
        return NULL;
    return &response->error;
}
