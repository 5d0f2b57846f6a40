/* Where a request goes and what each takes along from its session: the base of relative URLs, and
 * header lines, copied when the session is made. */
#include "net/http/response.h"

#include <stdio.h>

#include "net/http/fields.h"

/* The list and its strings in one block. */
static int copy_headers(struct bight_http_session *session, const char *const *headers)
{
    size_t count = 0, bytes = 0;
    const char **list;
    char *text;

    if (bight__http_check_headers(headers))
        return BIGHT_EINVAL;
    for (; headers && headers[count]; count++)
        bytes += strlen(headers[count]) + 1;
    if (!count)
        return 0;
    list = bight__alloc(session->seams, (count + 1) * sizeof(*list) + bytes);
    if (!list)
        return BIGHT_ENOMEM;
    text = (char *)(list + count + 1);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(headers[i]) + 1;

        list[i] = memcpy(text, headers[i], length);
        text += length;
    }
    list[count] = NULL;
    session->options.headers = list;
    return 0;
}

static int copy_base(struct bight_http_session *session, const char *base)
{
    struct http_url parts;
    int rc;

    if (!base)
        return 0;
    rc = http_buffer_append(session->seams, &session->base, base, strlen(base) + 1);
    if (rc == 0)
        rc = bight__http_url_parse(session->seams, &session->base, &parts);
    return rc == BIGHT_ENOTSUP ? BIGHT_EINVAL : rc;
}

int bight__http_defaults_init(struct bight_http_session *session,
                              const struct bight_http_session_options *options)
{
    int rc = copy_headers(session, options->headers);

    return rc ? rc : copy_base(session, options->base_url);
}

static int fail_url(struct bight_http_response *response, const char *why)
{
    char text[128];

    snprintf(text, sizeof(text), "not a URL: %s", why);
    return bight__http_fail(response, BIGHT_HTTP_REQUEST, BIGHT_EINVAL, text);
}

int bight__http_target(struct http_call *call, const char *url)
{
    struct bight_http_response *response = call->response;
    const struct bight_http_session *session = response->session;
    bool relative = session->base.bytes && !bight__http_url_is_absolute(url);
    int rc;

    /* What is joined gets encoded: it is to be as good before. */
    if (relative && bight__http_url_junk(url))
        return fail_url(response, bight__http_url_junk(url));
    response->url.bytes = 0;
    if (relative)
        rc = bight__http_url_join(session->seams, session->base.data, url, &response->url);
    else
        rc = http_buffer_append(session->seams, &response->url, url, strlen(url) + 1);
    if (rc == 0 && call->request->query)
        rc = bight__http_query_add(session->seams, &response->url, call->request->query);
    if (rc == 0)
        rc = bight__http_url_parse(session->seams, &response->url, &call->url);
    if (rc == BIGHT_EINVAL || rc == BIGHT_ENOTSUP)
        return fail_url(response, call->url.why);
    return rc;
}
