/* What an easy handle is told of one request: the options that differ from its last use. */
#include "net/http/transfer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <bight/trace_context.h>

#include "coro/base/list.h"
#include "net/http/limits.h"
#include "net/http/response.h"

/* How much is read at a time of a body that was large the last time, and of a streamed one. */
#define LARGE_READ_BYTES (512u << 10)
#define STREAMED_READ_BYTES (64u << 10)

/* Headers that a request without a body may not have. */
static bool is_about_body(const char *line)
{
    return strncasecmp(line, "Content-", 8) == 0 ||
           strncasecmp(line, "Transfer-Encoding", 17) == 0 || strncasecmp(line, "Expect", 6) == 0;
}

/* The caller says what may come, or wants a part, which could not be decoded by itself. */
static bool is_about_coding(const char *line)
{
    return strncasecmp(line, "Accept-Encoding:", 16) == 0 ||
           strncasecmp(line, "Accept-Encoding;", 16) == 0 || strncasecmp(line, "Range:", 6) == 0;
}

/* The lines of the task's trace context. */
struct trace_lines {
    char parent[sizeof("traceparent: ") + BIGHT_TRACEPARENT_BYTES];
    char state[sizeof("tracestate: ") + BIGHT_TRACESTATE_BYTES];
    const char *lines[3]; /* up to a NULL */
};

static bool is_about_trace(const char *line)
{
    return strncasecmp(line, "traceparent:", 12) == 0 || strncasecmp(line, "traceparent;", 12) == 0;
}

static void get_trace(struct trace_lines *trace, const struct http_plan *plan)
{
    struct bight_trace_context context;
    char text[BIGHT_TRACEPARENT_BYTES];

    trace->lines[0] = trace->lines[1] = trace->lines[2] = NULL;
    for (int i = 0; i < HTTP_LINE_LISTS; i++)
        for (const char *const *line = plan->lines[i]; line && *line; line++)
            if (is_about_trace(*line))
                return;
    if (!plan->traced || bight_trace_context_get(&context) ||
        bight_trace_context_format(&context, text, sizeof(text)))
        return;
    snprintf(trace->parent, sizeof(trace->parent), "traceparent: %s", text);
    trace->lines[0] = trace->parent;
    if (!*bight_trace_context_state())
        return;
    snprintf(trace->state, sizeof(trace->state), "tracestate: %s", bight_trace_context_state());
    trace->lines[1] = trace->state;
}

/* Of a list of lines, those that are sent. */
struct line_walk {
    const struct http_plan *plan;
    size_t count, bytes;
    struct curl_slist *list; /* NULL: they are only counted */
    char *text;
    bool own_coding;
};

/* Whether `line` is of the name of one of `lines`. */
static bool has_name(const char *const *lines, const char *line)
{
    size_t bytes = strcspn(line, ":;");

    for (; lines && *lines; lines++)
        if (strcspn(*lines, ":;") == bytes && strncasecmp(*lines, line, bytes) == 0)
            return true;
    return false;
}

/* `rank`: of the list. */
static bool is_left_out(const struct http_plan *plan, int rank, const char *line)
{
    for (int i = 0; i < rank; i++)
        if (has_name(plan->lines[i], line))
            return true;
    return plan->became_get && is_about_body(line);
}

static void walk_list(struct line_walk *walk, const char *const *lines, int rank)
{
    for (; lines && *lines; lines++) {
        size_t length = strlen(*lines) + 1;

        if (is_left_out(walk->plan, rank, *lines))
            continue;
        walk->own_coding |= is_about_coding(*lines);
        if (walk->list) {
            memcpy(walk->text + walk->bytes, *lines, length);
            walk->list[walk->count].data = walk->text + walk->bytes;
            walk->list[walk->count].next = &walk->list[walk->count + 1];
        }
        walk->bytes += length;
        walk->count++;
    }
}

static void walk_lines(struct line_walk *walk, const struct trace_lines *trace)
{
    for (int i = 0; i < HTTP_LINE_LISTS; i++)
        walk_list(walk, walk->plan->lines[i], i);
    walk_list(walk, trace->lines, 0);
}

static bool has_lines(const struct http_plan *plan)
{
    for (int i = 0; i < HTTP_LINE_LISTS; i++)
        if (plan->lines[i] && *plan->lines[i])
            return true;
    return plan->traced;
}

/* Copies of the header lines and their list in one block, so that the caller's may go away. */
static int set_headers(struct http_transfer *transfer, const struct http_plan *plan)
{
    struct line_walk sizes = {.plan = plan}, copies = {.plan = plan};
    struct trace_lines trace;

    if (!has_lines(plan))
        return 0;
    get_trace(&trace, plan);
    walk_lines(&sizes, &trace);
    if (!sizes.count)
        return 0;
    transfer->headers = bight__alloc(transfer->session->seams,
                                     sizes.count * sizeof(*transfer->headers) + sizes.bytes);
    if (!transfer->headers)
        return BIGHT_ENOMEM;
    copies.list = transfer->headers;
    copies.text = (char *)(transfer->headers + sizes.count);
    walk_lines(&copies, &trace);
    transfer->headers[sizes.count - 1].next = copies.own_coding ? NULL : http_own_headers(transfer);
    return curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) ? BIGHT_ENOMEM
                                                                                   : 0;
}

/* The body comes by a callback. Such a handle is not used again: there would be more to take back
 * than a request without one saves. */
static int set_upload(struct http_transfer *transfer, const struct http_plan *plan)
{
    CURL *easy = transfer->easy;

    transfer->method = HTTP_OTHER;
    transfer->spoiled = true;
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                     (curl_off_t)(plan->upload->bytes < 0 ? -1 : plan->upload->bytes));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, bight__http_on_upload);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, plan->method) ? BIGHT_ENOMEM : 0;
}

static int set_method(struct http_transfer *transfer, const struct http_plan *plan)
{
    CURL *easy = transfer->easy;
    CURLcode rc = CURLE_OK;
    bool get = strcmp(plan->method, "GET") == 0;
    bool head = strcmp(plan->method, "HEAD") == 0;

    if (get && !plan->body && !plan->upload && transfer->method == HTTP_GET)
        return 0;
    if (transfer->method != HTTP_GET) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
        curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        transfer->method = HTTP_GET;
    }
    if (plan->upload)
        return set_upload(transfer, plan);
    if (head && !plan->body) {
        transfer->method = HTTP_HEAD;
        return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) ? BIGHT_ENOMEM : 0;
    }
    if (get && !plan->body)
        return 0;
    transfer->method = HTTP_OTHER;
    bool post = strcmp(plan->method, "POST") == 0;
    if (plan->body || post) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)plan->body_bytes);
        rc |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, plan->body ? plan->body : "");
    }
    if (!post)
        rc |= curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, plan->method);
    return rc ? BIGHT_ENOMEM : 0;
}

/* Tell libcurl what the name is, in the form that does not last for ever. */
static int set_addresses(struct http_transfer *transfer, const struct bight_resolved *resolved)
{
    const struct http_origin *origin = transfer->origin;
    size_t room =
        strlen(origin->host) + 16 + resolved->count * (BIGHT_ADDRESS_TEXT_BYTES + sizeof("[],"));
    char text[BIGHT_ADDRESS_TEXT_BYTES];
    char *list = bight__alloc(transfer->session->seams, room);
    size_t used;

    if (!list)
        return BIGHT_ENOMEM;
    used = (size_t)snprintf(list, room, "+%s:%u:", origin->host, origin->port);
    for (size_t i = 0; i < resolved->count; i++) {
        struct bight_address address = resolved->addresses[i];
        address.scope_id = 0; /* refused in here */
        bight_address_text(&address, text);
        used += (size_t)snprintf(list + used, room - used, address.family == 6 ? "%s[%s]" : "%s%s",
                                 i ? "," : "", text);
    }
    bight__free(transfer->addresses_text);
    transfer->addresses_text = list;
    transfer->addresses = (struct curl_slist){.data = list};
    transfer->resolve_set = true;
    return curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, &transfer->addresses) ? BIGHT_ENOMEM
                                                                                   : 0;
}

/* What hooks have set for the origin that the request was made to, and another must not see. Taking
 * options back cannot fail. */
static void forget_credentials(struct http_transfer *transfer)
{
    CURL *easy = transfer->easy;

    curl_easy_setopt(easy, CURLOPT_USERPWD, NULL);
    curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, NULL);
    curl_easy_setopt(easy, CURLOPT_COOKIE, NULL);
    /* The caller's have been dropped; what says of which kind the body is goes with it. */
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
                     transfer->headers ? transfer->headers : http_own_headers(transfer));
    transfer->tainted = true; /* what the session's hook has set is gone too */
}

static unsigned read_bytes_for(const struct bight_http_response *response,
                               const struct http_origin *origin)
{
    if (response->collect)
        return origin->large ? LARGE_READ_BYTES : HTTP_SMALL_READ_BYTES;
    return origin->large && origin->streamed_bytes ? origin->streamed_bytes : STREAMED_READ_BYTES;
}

int bight__http_prepare(struct http_transfer *transfer, const struct http_call *call,
                        const struct bight_resolved *resolved)
{
    const struct bight_http_response *response = call->response;
    const struct http_plan *plan = &call->plan;
    const struct http_url *url = &call->url;
    const struct http_origin *origin = transfer->origin;
    CURL *easy = transfer->easy;
    const char *last = NULL;
    unsigned read_bytes;
    int rc;

    /* The same as last time, as when something is polled, need not be copied again. */
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &last);
    if ((!last || strcmp(last, response->url.data) != 0) &&
        curl_easy_setopt(easy, CURLOPT_URL, response->url.data))
        return BIGHT_ENOMEM;
    if (transfer->pipewait != url->https) {
        /* Waiting for a connection that others open pays only where it may turn out to be
         * HTTP/2. */
        transfer->pipewait = url->https;
        curl_easy_setopt(easy, CURLOPT_PIPEWAIT, (long)url->https);
    }
    read_bytes = read_bytes_for(response, origin);
    if (transfer->read_bytes != read_bytes) {
        transfer->read_bytes = read_bytes;
        curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)read_bytes);
    }
    if (resolved) {
        if ((rc = set_addresses(transfer, resolved)))
            return rc;
    } else if (transfer->resolve_set) {
        transfer->resolve_set = false;
        curl_easy_setopt(easy, CURLOPT_RESOLVE, NULL);
    }
    if (transfer->afresh) {
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        transfer->spoiled = true;
    }
    if ((rc = set_method(transfer, plan)) || (rc = set_headers(transfer, plan)))
        return rc;
    if (call->request->curl) {
        transfer->tainted = true;
        rc = http_run_hook(call->request->curl, easy);
    }
    if (rc == 0 && plan->crossed && (call->request->curl || transfer->session->options.curl))
        forget_credentials(transfer);
    return rc;
}
