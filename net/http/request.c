/* Requests as tasks run them: one hop after the other, each with its slot, its name, its transfer.
 * Everything a task has to wait for goes through bight__http_wait, slots and names excepted. */
#include <stdio.h>
#include <string.h>

#include <bight/scope.h>
#include <bight/time.h>
#include <bight/waiter.h>

#include "net/http/http.h"

#define NS_PER_MS UINT64_C(1000000)

struct response_waiter {
    struct bight_waiter waiter;
    struct bight_http_response *response;
};

static int abort_wait(struct bight_waiter *waiter)
{
    struct bight_http_response *response =
        container_of(waiter, struct response_waiter, waiter)->response;

    response->waiter = NULL;
    response->reader_bytes = response->reader_filled; /* its buffer is about to go */
    return 0;
}

static void describe_wait(const struct bight_waiter *waiter, char *text, size_t bytes)
{
    snprintf(text, bytes, "%s",
             container_of(waiter, struct response_waiter, waiter)->response->url.data);
}

static const struct bight_waiter_ops wait_ops = {
    .name = "http",
    .abort = abort_wait,
    .describe = describe_wait,
    .flags = BIGHT_WAITER_OUTSIDE,
};

/* What is left of the request's time, in ms; negative: there is no end. */
static int64_t total_left(const struct bight_http_response *response)
{
    uint64_t now_ns;

    if (response->deadline_ns == UINT64_MAX)
        return -1;
    now_ns = bight_now_ns();
    return response->deadline_ns <= now_ns
               ? 0
               : (int64_t)((response->deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static int64_t sooner(int64_t a_ms, int64_t b_ms)
{
    if (a_ms < 0)
        return b_ms;
    return b_ms < 0 || a_ms < b_ms ? a_ms : b_ms;
}

static int out_of_time(struct bight_http_response *response, const char *what)
{
    return bight__http_fail(response, BIGHT_HTTP_TIMEOUT, BIGHT_ETIMEDOUT, what);
}

static int park_for(struct bight_http_response *response, int64_t limit_ms)
{
    struct response_waiter self = {.response = response};
    struct bight_scope scope;
    int rc = bight_waiter_init(&self.waiter, &wait_ops);

    if (rc < 0)
        return rc;
    if (limit_ms >= 0 && (rc = bight_scope_begin(&scope, limit_ms, 0)) < 0)
        return rc;
    response->waiter = &self.waiter;
    rc = bight_park(&self.waiter);
    return limit_ms < 0 ? rc : bight_scope_end(&scope, rc);
}

/* Whether there is what the task waits for. It may come when the timer has let go of the wait and the
 * task has not run yet: nobody is woken then. */
static bool has_come(const struct bight_http_response *response)
{
    if (response->caller)
        return !response->collect && response->headers_done && !response->hop;
    return response->body.bytes > response->body_taken;
}

/* How long it may stay quiet yet; 0: no longer. The timer is not moved at each byte, it looks when it
 * fires whether any came. */
static int64_t idle_left(const struct bight_http_response *response, uint64_t begun_ms,
                         uint64_t now_ms)
{
    uint64_t since_ms = response->active_ms > begun_ms ? response->active_ms : begun_ms;
    uint64_t quiet_ms = now_ms - since_ms;

    return quiet_ms < (uint64_t)response->idle_ms ? response->idle_ms - (int64_t)quiet_ms : 0;
}

static bool may_send(const struct http_transfer *transfer)
{
    return transfer->method == HTTP_OTHER || transfer->tainted;
}

/* Whether a part of the request's body went out since the last look. */
static bool has_sent(struct bight_http_response *response)
{
    curl_off_t before = response->sent;

    curl_easy_getinfo(response->transfer->easy, CURLINFO_SIZE_UPLOAD_T, &response->sent);
    return response->sent != before;
}

/* Until when at most to wait before looking again; 0: it was quiet for too long. Of what is sent
 * libcurl knows how much and not when, so where something may be it is asked more often. */
static int64_t idle_limit(struct bight_http_response *response, uint64_t *begun_ms)
{
    uint64_t now_ms = uv_now(response->session->runtime->loop);
    int64_t quarter_ms = response->idle_ms / 4 + 1;
    int64_t left_ms;

    if (response->idle_ms < 0)
        return -1;
    if (!may_send(response->transfer))
        return idle_left(response, *begun_ms, now_ms);
    if (has_sent(response))
        *begun_ms = now_ms;
    left_ms = idle_left(response, *begun_ms, now_ms);
    return left_ms < quarter_ms ? left_ms : quarter_ms;
}

int bight__http_wait(struct bight_http_response *response)
{
    uint64_t begun_ms = uv_now(response->session->runtime->loop);

    while (response->transfer) {
        int64_t total_ms = total_left(response);
        int64_t idle_ms = idle_limit(response, &begun_ms);
        if (idle_ms == 0)
            return out_of_time(response, "nothing came from the peer or went to it for too long");
        if (total_ms == 0)
            return out_of_time(response, "the request took too long");
        int rc = park_for(response, sooner(total_ms, idle_ms));
        if (rc != BIGHT_ETIMEDOUT)
            return rc;
        if (has_come(response))
            return 0;
    }
    return 0;
}

/* A slot under both limits. */
static int get_slot(struct bight_http_response *response, struct http_origin *origin)
{
    struct bight_http_session *session = response->session;
    struct bight_scope scope;
    int rc;

    if (bight__http_slot_try(session, origin))
        return 0;
    rc = bight_scope_begin(&scope, total_left(response), 0);
    if (rc < 0)
        return rc;
    rc = bight_scope_end(&scope, bight__http_slot_wait(session, response, origin));
    return rc == BIGHT_ETIMEDOUT ? out_of_time(response, "the limits left no room in time") : rc;
}

/* Make sure of the addresses: 0 when libcurl has them, 1 when it has to be given `resolved`. */
static int get_addresses(struct bight_http_response *response, struct http_origin *origin,
                         struct bight_resolved *resolved, uint64_t *fresh_until_ns)
{
    struct bight_http_session *session = response->session;
    struct resolve_waiter waiter;
    struct bight_scope scope;
    int rc;

    if (origin->literal || bight__http_origin_fed(session, origin))
        return 0;
    rc = bight_scope_begin(&scope,
                           sooner(total_left(response), session->options.resolve_timeout_ms), 0);
    if (rc < 0)
        return rc;
    response->resolving = &waiter;
    rc = bight__resolve(session->resolver, origin->host, resolved, &waiter);
    response->resolving = NULL;
    rc = bight_scope_end(&scope, rc);
    if (rc == BIGHT_ETIMEDOUT)
        return out_of_time(response, "the name was not resolved in time");
    if (rc == BIGHT_ERESOLVE) {
        struct bight_http_error *error = &response->error;
        bight__http_fail(response, BIGHT_HTTP_RESOLVE, rc, "");
        snprintf(error->text, sizeof error->text, "%.*s: %s", 100, origin->host, resolved->text);
        return rc;
    }
    if (rc < 0)
        return rc;
    *fresh_until_ns = waiter.fresh_until_ns;
    return 1;
}

static void begin_hop(struct bight_http_response *response)
{
    response->headers_done = false;
    response->in_block = false;
    response->hop = false;
    response->done = false;
    bight__http_headers_clear(&response->headers);
    response->header_bytes = 0;
    response->body.bytes = 0;
    response->received = 0;
    response->sent = 0;
}

/* Put the hop on the wire. A session that was closed meanwhile has left its mark in `error`. */
static int start_hop(struct bight_http_response *response, const struct http_plan *plan,
                     const struct http_url *url)
{
    struct bight_http_session *session = response->session;
    struct bight_resolved resolved;
    uint64_t fresh_until_ns = 0;
    struct http_origin *origin;
    int rc = bight__http_origin_get(session, url, &origin);

    if (rc < 0)
        return rc;
    rc = get_slot(response, origin);
    if (rc < 0)
        goto put;
    if (!response->started_ns)
        response->started_ns = bight_now_ns();
    rc = response->error.code;
    if (rc == 0)
        rc = get_addresses(response, origin, &resolved, &fresh_until_ns);
    if (response->error.code)
        rc = response->error.code;
    if (rc >= 0)
        rc = bight__http_transfer_start(response, plan, url, origin, rc ? &resolved : NULL);
    if (rc == 0) {
        response->transfer->fed_until_ns = fresh_until_ns;
        return 0;
    }
    bight__http_slot_give(session, origin);
put:
    bight__http_origin_put(session, origin);
    return rc;
}

/* One hop: until the headers of a final response to be streamed, otherwise until its end. */
static int run_hop(struct bight_http_response *response, const struct http_plan *plan,
                   const struct http_url *url)
{
    int rc;

    begin_hop(response);
    rc = start_hop(response, plan, url);
    if (rc < 0)
        return rc;
    while (response->transfer && (response->collect || !response->headers_done || response->hop)) {
        rc = bight__http_wait(response);
        if (rc < 0 && response->transfer) {
            bight__http_transfer_abort(response->transfer);
            return rc;
        }
    }
    if (response->error.code && !response->headers_done)
        return response->error.code;
    return response->collect || response->hop ? response->error.code : 0;
}

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

/* May the response lead on to `text`? */
static int check_hop(struct bight_http_response *response, struct http_plan *plan,
                     const struct http_url *from, const struct http_url *to, const char *text)
{
    const struct bight_http_request *request = plan->request;
    struct bight_http_hop hop = {
        .from = response->url.data,
        .to = text,
        .status = response->status,
        .number = response->hops + 1,
        .crosses_origin = !bight__http_same_origin(from, to),
    };

    if (from->https && !to->https)
        return bight__http_fail(response, BIGHT_HTTP_FORBIDDEN, BIGHT_EFORBIDDEN,
                                "redirected from https to http");
    if (response->hops >= (unsigned)plan->max_redirects)
        return bight__http_fail(response, BIGHT_HTTP_REDIRECTS, BIGHT_EREDIRECTS,
                                "too many redirects");
    if (request->on_redirect) {
        int rc = request->on_redirect(request->on_redirect_arg, &hop);
        if (response->error.code)
            return response->error.code;
        if (rc == BIGHT_ECANCELED && bight_cancelled())
            return rc;
        if (rc < 0)
            return bight__http_fail(response, BIGHT_HTTP_FORBIDDEN, BIGHT_EFORBIDDEN,
                                    "the redirect was refused");
    }
    if (hop.crosses_origin) {
        plan->crossed = true;
        plan->headers = NULL;
    }
    change_method(plan, response->status);
    return 0;
}

/* Where the redirect leads, into the empty `text` and `next`. */
static int parse_location(struct bight_http_response *response, struct http_buffer *text,
                          struct http_url *next)
{
    const struct bight_seams *seams = http_seams(response->session);
    const char *location = bight__http_headers_find(&response->headers, "Location");
    int rc = bight__http_url_join(seams, response->url.data, location, text);

    if (rc == 0)
        rc = bight__http_url_parse(seams, text, next);
    if (rc == BIGHT_EINVAL)
        return bight__http_fail(response, BIGHT_HTTP_PROTOCOL, BIGHT_EPROTOCOL,
                                "the redirect leads nowhere");
    if (rc == BIGHT_ENOTSUP)
        return bight__http_fail(response, BIGHT_HTTP_FORBIDDEN, BIGHT_EFORBIDDEN,
                                "redirected to what is neither http nor https");
    return rc;
}

/* Take the redirect: response->url and `url` become the next hop's. */
static int follow(struct bight_http_response *response, struct http_plan *plan,
                  struct http_url *url)
{
    struct http_buffer text = {0};
    struct http_url next;
    int rc = parse_location(response, &text, &next);

    if (rc == 0)
        rc = check_hop(response, plan, url, &next, text.data);
    if (rc < 0) {
        bight__http_buffer_free(&text);
        return rc;
    }
    bight__http_buffer_free(&response->url);
    response->url = text;
    *url = next;
    response->hops++;
    return 0;
}

static int run(struct bight_http_response *response, struct http_plan *plan, const char *text)
{
    const struct bight_seams *seams = http_seams(response->session);
    struct http_url url;
    int rc;

    response->url.bytes = 0;
    rc = bight__http_buffer_append(seams, &response->url, text, strlen(text) + 1);
    if (rc == 0)
        rc = bight__http_url_parse(seams, &response->url, &url);
    if (rc == BIGHT_EINVAL || rc == BIGHT_ENOTSUP)
        return bight__http_fail(response, BIGHT_HTTP_REQUEST, BIGHT_EINVAL,
                                "not an http or https URL");
    while (rc == 0) {
        rc = run_hop(response, plan, &url);
        if (rc < 0 || !response->hop)
            break;
        rc = follow(response, plan, &url);
    }
    return rc;
}

static uint64_t deadline_after(uint64_t now_ns, int64_t timeout_ms)
{
    if (timeout_ms < 0 || (uint64_t)timeout_ms >= (UINT64_MAX - now_ns) / NS_PER_MS)
        return UINT64_MAX;
    return now_ns + (uint64_t)timeout_ms * NS_PER_MS;
}

static int make_plan(struct bight_http_response *response, const struct bight_http_request *request,
                     struct http_plan *plan)
{
    const struct bight_http_session_options *options = &response->session->options;
    int64_t total_ms =
        request->total_timeout_ms ? request->total_timeout_ms : options->total_timeout_ms;

    *plan = (struct http_plan){
        .method = request->method ? request->method : "GET",
        .headers = request->headers,
        .body = request->body,
        .body_bytes = request->body_bytes,
        .max_redirects = request->max_redirects ? request->max_redirects : options->max_redirects,
        .request = request,
    };
    response->follow = plan->max_redirects >= 0;
    response->start_ns = bight_now_ns();
    response->deadline_ns = deadline_after(response->start_ns, total_ms);
    response->idle_ms =
        request->idle_timeout_ms ? request->idle_timeout_ms : options->idle_timeout_ms;
    response->max_body_bytes =
        request->max_body_bytes ? request->max_body_bytes : options->max_body_bytes;
    if (request->method && !bight__http_valid_token(request->method, strlen(request->method)))
        return bight__http_fail(response, BIGHT_HTTP_REQUEST, BIGHT_EINVAL, "not a method");
    if (plan->body && strcmp(plan->method, "HEAD") == 0)
        return bight__http_fail(response, BIGHT_HTTP_REQUEST, BIGHT_EINVAL, "a HEAD has no body");
    if (bight__http_check_headers(plan->headers) < 0)
        return bight__http_fail(response, BIGHT_HTTP_REQUEST, BIGHT_EINVAL, "not a header");
    return 0;
}

/* What the call returns is what its error says, also when it was closed and cancelled in one turn. */
static void record(struct bight_http_response *response, int rc)
{
    if (response->error.code != rc)
        response->error.kind = BIGHT_HTTP_OK;
    bight__http_fail(response, bight__http_kind(rc), rc, bight_strerror(rc));
}

static int request_all(struct bight_http_response **out, struct bight_http_session *session,
                       const char *url, const struct bight_http_request *request, bool collect)
{
    static const struct bight_http_request defaults;
    struct bight_http_response *response;
    struct http_plan plan;
    int rc = out && session && url ? bight_checkpoint() : BIGHT_EINVAL;

    if (!request)
        request = &defaults;
    if (rc == 0 && session->closing)
        rc = BIGHT_ECLOSED;
    response = rc == 0 ? bight__http_response_new(session) : NULL;
    if (!response) {
        rc = rc ? rc : BIGHT_ENOMEM;
        if (request->error)
            *request->error = (struct bight_http_error){bight__http_kind(rc), rc, 0, 0, ""};
        return rc;
    }
    response->collect = collect;
    response->caller = bight_self();
    bight__http_call_begin(session);
    rc = make_plan(response, request, &plan);
    if (rc == 0)
        rc = run(response, &plan, url);
    if (rc < 0)
        record(response, rc);
    if (request->error)
        *request->error = rc < 0 ? response->error : (struct bight_http_error){0};
    response->caller = NULL;
    if (rc == 0 && collect && response->body.bytes)
        response->body.data[response->body.bytes] = '\0';
    bight__http_call_end(response, session);
    if (rc < 0)
        bight_http_response_free(response);
    else
        *out = response;
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
