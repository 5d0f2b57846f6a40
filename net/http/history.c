/* The redirects that led to a response: of each its status, whether it left the origin, and its
 * URL, one behind the other. */
#include "net/http/response.h"

struct record {
    int status;
    bool crosses_origin;
    char url[]; /* up to a NUL */
};

#define HEAD_BYTES offsetof(struct record, url)

int bight__http_history_add(struct bight_http_response *response, bool crosses_origin)
{
    const struct bight_seams *seams = response->session->seams;
    struct http_buffer *history = &response->history;
    size_t bytes = strlen(response->url.data) + 1;
    struct record head = {response->status, crosses_origin};
    int rc = http_buffer_reserve(seams, history, HEAD_BYTES + bytes);

    if (rc == 0)
        rc = http_buffer_append(seams, history, (const char *)&head, HEAD_BYTES);
    return rc ? rc : http_buffer_append(seams, history, response->url.data, bytes);
}

int bight_http_response_hop_at(const struct bight_http_response *response, size_t index,
                               struct bight_http_hop *hop)
{
    const char *at, *next;
    struct record head;

    if (!response || !hop)
        return BIGHT_EINVAL;
    if (index >= response->redirects)
        return BIGHT_ENOENT;
    at = response->history.data;
    for (size_t i = 0; i < index; i++)
        at += HEAD_BYTES + strlen(at + HEAD_BYTES) + 1;
    memcpy(&head, at, HEAD_BYTES); /* it is not aligned */
    next = at + HEAD_BYTES + strlen(at + HEAD_BYTES) + 1;
    *hop = (struct bight_http_hop){
        .from = at + HEAD_BYTES,
        .to = index + 1 < response->redirects ? next + HEAD_BYTES : response->url.data,
        .status = head.status,
        .number = (unsigned)index + 1,
        .crosses_origin = head.crosses_origin,
    };
    return 0;
}
