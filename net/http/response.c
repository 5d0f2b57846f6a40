/* Responses as the user holds them: made, asked, freed; pooled with their small buffers. */
#include "net/http/response.h"

#include "coro/base/list.h"
#include "net/http/transfer.h"

/* How much memory a pooled response may keep, and how many responses are kept. */
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
        response = bight__alloc_zero(session->seams, sizeof(*response));
        if (!response)
            return NULL;
        response->session = session;
    }
    link_append(&session->live, &response->link);
    return response;
}

/* Make it like new, except for the buffers. */
static void clear(struct bight_http_response *response)
{
    struct http_buffer url = response->url, body = response->body;
    struct http_buffer headers = response->headers.text;
    struct bight_http_session *session = response->session;

    bight__http_buffer_free(&response->sent);
    bight__free(response->feed);
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
    bight__http_buffer_free(&response->sent);
    bight__free(response->feed);
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

/* The first question takes the headers apart, which no caller can see; const is cast away. */
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
    timing->headers_ms = since_start(response, response->headers_ns);
    timing->done_ms = since_start(response, response->done_ns);
    timing->hops = response->redirects;
    timing->body_bytes = response->hop.body_bytes;
}

const struct bight_http_error *bight_http_response_error(const struct bight_http_response *response)
{
    if (!response)
        return NULL;
    return &response->error;
}
