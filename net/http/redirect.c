/* Redirects: whether one may be followed, and which parts of the request go with it. */
#include "net/http/response.h"

#include <stdio.h>

#include <bight/scope.h>

static void change_method(struct http_plan *plan, int status)
{
    bool post = strcmp(plan->method, "POST") == 0;
    bool head = strcmp(plan->method, "HEAD") == 0;

    if ((status == 303 && !head) || ((status == 301 || status == 302) && post)) {
        plan->method = "GET";
        plan->became_get = true;
        plan->body = NULL;
        plan->body_bytes = 0;
    }
}

static int ask_hook(const struct http_call *call, const struct bight_http_hop *hop)
{
    const struct bight_http_request *request = call->request;
    struct bight_http_response *response = call->response;
    int rc;

    if (!request->on_redirect)
        return 0;
    rc = request->on_redirect(request->on_redirect_arg, hop);
    if (response->error.code)
        return response->error.code; /* the session was closed meanwhile */
    if ((rc == BIGHT_ECANCELED && bight_cancelled()) || (rc == BIGHT_EDRAIN && bight_draining()))
        return rc;
    return rc < 0 ? bight__http_fail(response, BIGHT_HTTP_FORBIDDEN, BIGHT_EFORBIDDEN,
                                     "the redirect was refused")
                  : 0;
}

/* Check whether the response may lead on to `next`, written as `text`. */
static int check(const struct http_call *call, const struct http_url *next, const char *text)
{
    struct bight_http_response *response = call->response;
    struct bight_http_hop hop = {
        .from = response->url.data,
        .to = text,
        .status = response->status,
        .number = response->redirects + 1,
        .crosses_origin = !bight__http_same_origin(&call->url, next),
    };

    if (call->url.https && !next->https)
        return bight__http_fail(response, BIGHT_HTTP_FORBIDDEN, BIGHT_EFORBIDDEN,
                                "redirected from https to http");
    if (response->redirects >= (unsigned)call->max_redirects)
        return bight__http_fail(response, BIGHT_HTTP_REDIRECTS, BIGHT_EREDIRECTS,
                                "too many redirects");
    return ask_hook(call, &hop);
}

/* Go on to `next`. */
static void turn(struct http_call *call, const struct http_url *next)
{
    struct http_plan *plan = &call->plan;

    if (!bight__http_same_origin(&call->url, next)) {
        plan->crossed = true;
        plan->lines[HTTP_LINES_REQUEST] = plan->lines[HTTP_LINES_SESSION] = NULL;
        plan->traced = false;
    }
    change_method(plan, call->response->status);
    call->url = *next;
    call->response->redirects++;
}

/* Parse where the redirect leads, into the empty `text` and `next`. */
static int parse_location(struct bight_http_response *response, struct http_buffer *text,
                          struct http_url *next)
{
    const struct bight_seams *seams = response->session->seams;
    const char *location = bight__http_headers_find(&response->headers, "Location");
    int rc = bight__http_url_join(seams, response->url.data, location, text);

    if (rc == 0)
        rc = bight__http_url_parse(seams, text, next);
    if (rc == BIGHT_EINVAL) {
        char why[128];
        snprintf(why, sizeof(why), "the redirect leads nowhere: %s", next->why);
        return bight__http_fail(response, BIGHT_HTTP_PROTOCOL, BIGHT_EPROTOCOL, why);
    }
    if (rc == BIGHT_ENOTSUP)
        return bight__http_fail(response, BIGHT_HTTP_FORBIDDEN, BIGHT_EFORBIDDEN,
                                "redirected to what is neither http nor https");
    return rc;
}

int bight__http_redirect(struct http_call *call)
{
    struct bight_http_response *response = call->response;
    struct http_buffer text = {0};
    struct http_url next = {0};
    int rc = parse_location(response, &text, &next);

    if (rc == 0)
        rc = check(call, &next, text.data);
    if (rc == 0)
        rc = bight__http_history_add(response, !bight__http_same_origin(&call->url, &next));
    if (rc) {
        bight__http_buffer_free(&text);
        return rc;
    }
    bight__http_buffer_free(&response->url);
    response->url = text;
    turn(call, &next);
    return 0;
}
