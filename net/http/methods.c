/* The calls named after a method: bight_http_fetch with the method filled in. */
#include <bight/http.h>

#include <string.h>

#include "net/http/transfer.h"

/* One copy, not one inlined in each of the six. */
static __attribute__((noinline)) int fetch(struct bight_http_response **out,
                                           struct bight_http_session *session, const char *url,
                                           const struct bight_http_request *request,
                                           const char *method)
{
    struct bight_http_request filled = {0};

    if (request)
        filled = *request;
    if (filled.method && strcmp(filled.method, method) != 0) {
        if (filled.error)
            *filled.error = (struct bight_http_error){BIGHT_HTTP_REQUEST, BIGHT_EINVAL, 0, 0,
                                                      "the request has another method"};
        return BIGHT_EINVAL;
    }
    filled.method = method;
    return bight_http_fetch(out, session, url, &filled);
}

int bight_http_get(struct bight_http_response **out, struct bight_http_session *session,
                   const char *url, const struct bight_http_request *request)
{
    return fetch(out, session, url, request, "GET");
}

int bight_http_head(struct bight_http_response **out, struct bight_http_session *session,
                    const char *url, const struct bight_http_request *request)
{
    return fetch(out, session, url, request, "HEAD");
}

int bight_http_post(struct bight_http_response **out, struct bight_http_session *session,
                    const char *url, const struct bight_http_request *request)
{
    return fetch(out, session, url, request, "POST");
}

int bight_http_put(struct bight_http_response **out, struct bight_http_session *session,
                   const char *url, const struct bight_http_request *request)
{
    return fetch(out, session, url, request, "PUT");
}

int bight_http_patch(struct bight_http_response **out, struct bight_http_session *session,
                     const char *url, const struct bight_http_request *request)
{
    return fetch(out, session, url, request, "PATCH");
}

int bight_http_delete(struct bight_http_response **out, struct bight_http_session *session,
                      const char *url, const struct bight_http_request *request)
{
    return fetch(out, session, url, request, "DELETE");
}
