/* Requests as tasks make them: defaults and checks, the call on the task's stack, and the report at
 * its end. The way of one request from here: call.c and redirect.c (hops), limits.c, names.c,
 * transfer.c (out), multi.c, receive.c (in), wait.c, response.c and read.c (the user's). */
#include "net/http/response.h"

#include <strings.h>

#include <bight/task.h>
#include <bight/waiter.h>

#include "coro/base/units.h"
#include "net/http/fields.h"
#include "net/http/multipart.h"
#include "net/http/transfer.h"

/* Fill in what the request says, or else what the session says. */
static void set_limits(struct http_call *call)
{
    struct bight_http_response *response = call->response;
    const struct bight_http_session_options *options = &response->session->options;
    const struct bight_http_request *request = call->request;

    call->max_redirects = request->max_redirects ? request->max_redirects : options->max_redirects;
    response->start_ns = bight_now_ns();
    response->deadline_ns =
        ns_after(response->start_ns,
                 request->total_timeout_ms ? request->total_timeout_ms : options->total_timeout_ms);
    response->idle_ms =
        request->idle_timeout_ms ? request->idle_timeout_ms : options->idle_timeout_ms;
    response->max_body_bytes =
        request->max_body_bytes ? request->max_body_bytes : options->max_body_bytes;
}

static int refuse(const struct http_call *call, const char *text)
{
    return bight__http_fail(call->response, BIGHT_HTTP_REQUEST, BIGHT_EINVAL, text);
}

/* What was sent of it cannot be sent again, so no redirect is followed. */
static int take_upload(struct http_call *call, struct bight_http_upload *upload)
{
    if (upload->used)
        return refuse(call, "the body was sent before");
    upload->used = true;
    call->plan.upload = upload;
    call->max_redirects = -1;
    return 0;
}

/* Written to the response, which may have to outlive the call as the body does. */
static int make_form(struct http_call *call)
{
    struct bight_http_response *response = call->response;
    const struct bight_seams *seams = response->session->seams;
    struct http_buffer *sent = &response->sent;
    int rc = bight__http_fields_append(seams, sent, call->request->form, HTTP_FIELDS_FORM);

    if (rc == 0)
        rc = http_buffer_append(seams, sent, "", 1);
    if (rc)
        return rc;
    call->plan.body = sent->data;
    call->plan.body_bytes = sent->bytes - 1;
    call->body_lines[0] = "Content-Type: application/x-www-form-urlencoded";
    call->plan.lines[HTTP_LINES_BODY] = call->body_lines;
    return 0;
}

static int take_source(struct http_call *call, const struct bight_http_source *source)
{
    struct bight_http_response *response = call->response;

    if (!source->read)
        return refuse(call, "the source has no function");
    response->feed = bight__alloc_zero(response->session->seams, sizeof(*response->feed));
    if (!response->feed)
        return BIGHT_ENOMEM;
    response->feed->source = *source;
    response->feed->response = response;
    bight_http_upload_init(&response->feed->upload, source->bytes);
    return take_upload(call, &response->feed->upload);
}

static bool has_type(const char *const *headers)
{
    static const char name[] = "Content-Type";

    for (; headers && *headers; headers++)
        if (strncasecmp(*headers, name, sizeof(name) - 1) == 0 &&
            strchr(":;", (*headers)[sizeof(name) - 1]))
            return true;
    return false;
}

static int take_parts(struct http_call *call)
{
    struct bight_http_response *response = call->response;
    struct bight_http_source source = {.read = bight__http_multipart_read};
    int rc;

    if (has_type(call->request->headers))
        return refuse(call, "the Content-Type of parts is not the caller's");
    rc = bight__http_multipart_new(&call->multipart, response->session->seams, call->request->parts,
                                   &source.bytes);
    if (response->error.code)
        return response->error.code; /* the session was closed meanwhile */
    if (rc)
        return rc == BIGHT_EINVAL ? refuse(call, "not a part") : rc;
    call->body_lines[0] = bight__http_multipart_type(call->multipart);
    call->plan.lines[HTTP_LINES_BODY] = call->body_lines;
    source.arg = call->multipart;
    return take_source(call, &source);
}

/* The line is where forms have their text. */
static int set_type(struct http_call *call, const char *type)
{
    struct bight_http_response *response = call->response;
    const struct bight_seams *seams = response->session->seams;
    static const char name[] = "Content-Type: ";
    int rc;

    if (!*type || !bight__http_valid_value(type))
        return refuse(call, "not a Content-Type");
    rc = http_buffer_append(seams, &response->sent, name, sizeof(name) - 1);
    if (rc == 0)
        rc = http_buffer_append(seams, &response->sent, type, strlen(type) + 1);
    call->body_lines[0] = response->sent.data;
    call->plan.lines[HTTP_LINES_BODY] = call->body_lines;
    return rc;
}

static int take_body(struct http_call *call)
{
    const struct bight_http_request *request = call->request;
    int bodies = (request->body != NULL) + (request->upload != NULL) + (request->form != NULL) +
                 (request->source != NULL) + (request->parts != NULL);
    int rc;

    if (bodies && strcmp(call->plan.method, "HEAD") == 0)
        return refuse(call, "a HEAD has no body");
    if (bodies > 1)
        return refuse(call, "there are two bodies");
    if (request->content_type && (!bodies || request->form || request->parts))
        return refuse(call, "the Content-Type is not the caller's");
    if (request->content_type && (rc = set_type(call, request->content_type)))
        return rc;
    if (request->form)
        return make_form(call);
    if (request->source)
        return take_source(call, request->source);
    if (request->parts)
        return take_parts(call);
    return request->upload ? take_upload(call, request->upload) : 0;
}

static int prepare(struct http_call *call)
{
    const struct bight_http_request *request = call->request;

    set_limits(call);
    call->plan = (struct http_plan){
        .method = request->method ? request->method : "GET",
        .lines = {[HTTP_LINES_REQUEST] = request->headers,
                  [HTTP_LINES_SESSION] = call->response->session->options.headers},
        .body = request->body,
        .body_bytes = request->body_bytes,
        .traced = request->trace_context ? request->trace_context > 0
                                         : call->response->session->options.trace_context,
    };
    if (request->method && !bight__http_valid_token(request->method, strlen(request->method)))
        return refuse(call, "not a method");
    if (bight__http_check_headers(request->headers))
        return refuse(call, "not a header");
    return take_body(call);
}

/* Make the error say what the call returns, even if it was closed and cancelled in one turn. */
static void record(struct bight_http_response *response, int rc)
{
    if (response->error.code != rc)
        response->error.kind = BIGHT_HTTP_OK;
    bight__http_fail(response, bight__http_kind(rc), rc, bight_strerror(rc));
}

/* Run the call from its first step to its last. */
static int run(struct http_call *call, const char *url)
{
    struct bight_http_response *response = call->response;
    struct bight_http_session *session = response->session;
    int rc;

    response->call = call;
    rc = prepare(call);
    if (rc == 0)
        rc = response->feed ? bight__http_feed_run(call, url) : bight__http_call_run(call, url);
    bight__http_multipart_free(call->multipart);
    if (rc)
        record(response, rc);
    if (rc && call->plan.upload)
        bight__http_upload_end(call->plan.upload, false);
    if (call->request->error)
        *call->request->error = rc ? response->error : (struct bight_http_error){0};
    response->call = NULL;
    if (rc == 0 && response->collect && response->body.bytes)
        response->body.data[response->body.bytes] = '\0';
    bight__http_call_end(response, session);
    return rc;
}

/* Inside of the session from here on, also while the checkpoint lets a task run that ends it. Not
 * inside if it fails. */
static int enter(struct bight_http_session *session)
{
    int rc;

    if (http_is_foreign(session)) {
        rc = bight_checkpoint();
        return rc ? rc : BIGHT_EPERM;
    }
    http_call_begin(session);
    rc = bight_checkpoint();
    if (rc == 0 && session->closing)
        rc = BIGHT_ECLOSED;
    if (rc)
        bight__http_call_leave(session);
    return rc;
}

static int request_all(struct bight_http_response **out, struct bight_http_session *session,
                       const char *url, const struct bight_http_request *request, bool collect)
{
    static const struct bight_http_request defaults;
    struct http_call call;
    int rc = out && session && url ? enter(session) : BIGHT_EINVAL;

    if (!request)
        request = &defaults;
    call = (struct http_call){.request = request, .task = bight_self()};
    if (rc == 0 && !(call.response = bight__http_response_new(session))) {
        bight__http_call_leave(session);
        rc = BIGHT_ENOMEM;
    }
    if (rc) {
        if (request->error)
            *request->error = (struct bight_http_error){.kind = bight__http_kind(rc), .code = rc};
        return rc;
    }
    call.response->collect = collect;
    rc = run(&call, url);
    if (rc)
        bight_http_response_free(call.response);
    else
        *out = call.response;
    return rc;
}

int bight_http_fetch(struct bight_http_response **out, struct bight_http_session *session,
                     const char *url, const struct bight_http_request *request)
{
    return request_all(out, session, url, request, true);
}

int bight_http_open(struct bight_http_response **out, struct bight_http_session *session,
                    const char *url, const struct bight_http_request *request)
{
    return request_all(out, session, url, request, false);
}
