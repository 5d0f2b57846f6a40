/* A call in progress: one hop after the other, each with its slot, its names, its transfer, and
 * then what comes of it. Public entry: request.c. */
#include "net/http/response.h"

#include "net/http/limits.h"
#include "net/http/transfer.h"

/* Forget the previous hop. */
static void begin_hop(struct http_call *call)
{
    struct bight_http_response *response = call->response;

    response->hop = (struct http_hop){
        .follow = call->max_redirects >= 0,
        .content_length = UINT64_MAX,
    };
    http_headers_clear(&response->headers);
    response->body.bytes = 0;
    response->status = response->version = 0;
    response->headers_ns = response->done_ns = 0;
}

/* libcurl fails late with what is larger, and says that there is no memory. What it adds itself,
 * and hooks, has to find room in the rest of 1 MiB. */
#define HEAD_BYTES ((1u << 20) - (16u << 10))

static int check_size(const struct http_call *call)
{
    const struct bight_http_session *session = call->response->session;
    size_t bytes = call->response->url.bytes + strlen(call->plan.method);

    bytes += session->options.user_agent ? strlen(session->options.user_agent) : 0;
    bytes += session->accept_line ? strlen(session->accept_line) : 0;
    for (int i = 0; i < HTTP_LINE_LISTS; i++)
        for (const char *const *line = call->plan.lines[i]; line && *line; line++)
            bytes += strlen(*line) + sizeof("\r");
    return bytes <= HEAD_BYTES ? 0
                               : bight__http_fail(call->response, BIGHT_HTTP_TOO_BIG, BIGHT_ETOOBIG,
                                                  "URL and headers are longer than 1 MiB");
}

/* Put the hop on the wire. If the session was closed meanwhile, `error` says so. */
static int start_hop(struct http_call *call)
{
    struct bight_http_response *response = call->response;
    struct bight_resolved resolved;
    uint64_t fresh_until_ns = 0;
    struct http_origin *origin;
    int rc = check_size(call);

    if (rc == 0)
        rc = bight__http_slot_take(call, &origin);
    if (rc)
        return rc;
    if (!response->started_ns)
        response->started_ns = bight_now_ns();
    rc = response->error.code;
    if (rc == 0)
        rc = bight__http_names_get(call, origin, &resolved, &fresh_until_ns);
    if (response->error.code)
        rc = response->error.code;
    response->hop.resolved_ns = bight_now_ns();
    if (rc >= 0)
        rc = bight__http_transfer_start(call, origin, rc ? &resolved : NULL, fresh_until_ns);
    if (rc)
        bight__http_slot_give(response->session, origin);
    return rc;
}

/* Try one hop: until the headers of a final response to be streamed, otherwise until its end. */
static int try_hop(struct http_call *call)
{
    struct bight_http_response *response = call->response;
    int rc;

    begin_hop(call);
    rc = start_hop(call);
    if (rc)
        return rc;
    while (response->transfer &&
           (response->collect || response->hop.phase < HTTP_BODY || http_is_fed(response))) {
        rc = bight__http_wait(response);
        if (rc && response->transfer) {
            bight__http_transfer_abort(response->transfer);
            return rc;
        }
    }
    if (response->hop.again)
        return 0;
    /* After the headers of a streamed response, its reader gets the failure. */
    return response->collect || response->hop.phase < HTTP_BODY || response->feed
               ? response->error.code
               : 0;
}

/* One hop, begun once more where nothing came of it. */
static int run_hop(struct http_call *call)
{
    int rc = try_hop(call);

    if (rc == 0 && call->response->hop.again) {
        call->afresh = true;
        rc = try_hop(call);
        call->afresh = false;
    }
    return rc;
}

int bight__http_call_run(struct http_call *call, const char *url)
{
    struct bight_http_response *response = call->response;
    int rc = bight__http_target(call, url);

    while (rc == 0) {
        rc = run_hop(call);
        if (rc || response->hop.phase != HTTP_REDIRECT)
            break;
        rc = bight__http_redirect(call);
    }
    return rc;
}
