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

/* What few responses have. */
static void free_extras(struct bight_http_response *response)
{
    bight__http_buffer_free(&response->sent);
    bight__http_buffer_free(&response->history);
    bight__http_buffer_free(&response->text);
    bight__http_buffer_free(&response->trailers.text);
    bight__free(response->feed);
}

/* Make it like new, except for the buffers. */
static void clear(struct bight_http_response *response)
{
    struct http_buffer url = response->url, body = response->body;
    struct http_buffer headers = response->headers.text;
    struct bight_http_session *session = response->session;

    free_extras(response);
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
    free_extras(response);
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

/* Likewise. They may still be coming before the end, and what was taken apart takes no more. */
static struct http_headers *trailers_of(const struct bight_http_response *response)
{
    if (response->hop.phase != HTTP_COMPLETE || !response->trailers.text.bytes)
        return NULL;
    return &((struct bight_http_response *)response)->trailers;
}

const char *bight_http_response_trailer(const struct bight_http_response *response,
                                        const char *name)
{
    struct http_headers *trailers = response && name ? trailers_of(response) : NULL;

    return trailers ? bight__http_headers_find(trailers, name) : NULL;
}

int bight_http_response_trailer_at(const struct bight_http_response *response, size_t index,
                                   const char **name, const char **value)
{
    struct http_headers *trailers;

    if (!response || !name || !value)
        return BIGHT_EINVAL;
    trailers = trailers_of(response);
    return trailers ? bight__http_headers_at(trailers, index, name, value) : BIGHT_ENOENT;
}

int bight_http_response_remote(const struct bight_http_response *response,
                               struct bight_address *address)
{
    if (!response || !address)
        return BIGHT_EINVAL;
    if (bight_address_parse(response->hop.remote, address))
        return BIGHT_ENOENT;
    address->port = response->hop.remote_port;
    return 0;
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
    timing->resolved_ms = since_start(response, response->hop.resolved_ns);
    timing->connected_ms = since_start(response, response->hop.connected_ns);
    timing->secured_ms = since_start(response, response->hop.secured_ns);
    timing->sent_ms = since_start(response, response->hop.sent_ns);
    timing->first_byte_ms = since_start(response, response->hop.first_byte_ns);
}

const struct bight_http_error *bight_http_response_error(const struct bight_http_response *response)
{
    if (!response)
        return NULL;
    return &response->error;
}
