/* One hop on the wire: an easy handle from the pool, the options that differ from its last use, and
 * its end. Options common to all requests are set once per handle, because each setopt costs, and
 * curl_easy_reset costs all of them. */
#include "net/http/transfer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "coro/base/list.h"
#include "net/http/limits.h"
#include "net/http/response.h"

/* Bodies from which on the next transfer with that origin reads in larger pieces, and these. A
 * streamed body is read in pieces that fit where the last one's reader wanted it, for what does not
 * is copied once more; and in no larger ones than stay in the processor's cache, together with
 * where they are copied to, until they are. */
#define LARGE_BODY_BYTES (256u << 10)
#define LARGE_READ_BYTES (512u << 10)
#define STREAMED_READ_BYTES (64u << 10)
#define STREAMED_READ_MOST (128u << 10)
#define SMALL_READ_BYTES (16u << 10)
#define POOLED_HANDLES 256

/* The list of the session's own headers; NULL for none. */
static struct curl_slist *own_headers(struct http_transfer *transfer)
{
    return transfer->accept.data ? &transfer->accept : NULL;
}

/* The options of every request. They are all known to libcurl 7.88 and are given what they take, so
 * only want of memory can make them fail: `rc` collects that. */
static CURLcode set_common(struct http_transfer *transfer)
{
    const struct bight_http_session_options *options = &transfer->session->options;
    CURL *easy = transfer->easy;
    CURLcode rc = CURLE_OK;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, bight__http_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, bight__http_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, bight__http_on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, bight__http_on_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, bight__http_on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->session);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)HTTP_LIBCURL_CACHE_SECONDS);
    /* 0 would be libcurl's own 300 s: none is a very long time. */
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     options->connect_timeout_ms < 0 ? 0x7fffffffL
                                                     : (long)options->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* url.c has settled it */
    rc |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    /* The environment's proxy would see names and addresses that the filter never saw. */
    rc |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    rc |= curl_easy_setopt(easy, CURLOPT_USERAGENT, options->user_agent);
    /* body.c does that. */
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    rc |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, own_headers(transfer));
    return rc;
}

static int run_hook(const struct bight_curl_hook *hook, CURL *easy)
{
    int rc = hook ? hook->prepare(hook->arg, easy) : 0;

    return rc > 0 ? BIGHT_EINVAL : rc;
}

static int transfer_new(struct bight_http_session *session, struct http_transfer **out)
{
    struct http_transfer *transfer = bight__alloc_zero(session->seams, sizeof(*transfer));
    int rc = BIGHT_ENOMEM;

    if (!transfer)
        return BIGHT_ENOMEM;
    transfer->session = session;
    transfer->accept.data = session->accept_line;
    transfer->read_bytes = SMALL_READ_BYTES;
    link_init(&transfer->attempts);
    link_init(&transfer->attention);
    link_init(&transfer->held);
    transfer->easy = curl_easy_init();
    if (!transfer->easy)
        goto fail;
    if (set_common(transfer))
        goto fail;
    rc = run_hook(session->options.curl, transfer->easy);
    if (rc)
        goto fail;
    *out = transfer;
    return 0;
fail:
    bight__http_transfer_destroy(transfer);
    return rc;
}

void bight__http_transfer_destroy(struct http_transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    bight__free(transfer->headers);
    bight__free(transfer->addresses_text);
    bight__free(transfer);
}

static int pool_take(struct bight_http_session *session, struct http_transfer **out)
{
    struct http_transfer *transfer = session->pool;

    if (!transfer)
        return transfer_new(session, out);
    session->pool = transfer->next;
    session->pooled--;
    *out = transfer;
    return 0;
}

/* Undo what the next user of the handle may not find, and keep it if it is worth keeping. */
static void pool_give(struct http_transfer *transfer)
{
    struct bight_http_session *session = transfer->session;

    transfer->response = NULL;
    transfer->origin = NULL;
    bight__http_body_forget(transfer);
    if (transfer->headers) {
        curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, own_headers(transfer));
        bight__free(transfer->headers);
        transfer->headers = NULL;
    }
    /* libcurl gives up at the sixth second try, counted over the handle's whole life. Before 8.1 a
     * handle that had a response keeps a pointer into freed memory, and the next response can make
     * libcurl use it. */
    if (transfer->tainted || transfer->sent > 1 || transfer->spoiled || session->spoils_handles ||
        session->closing || session->pooled >= POOLED_HANDLES) {
        bight__http_transfer_destroy(transfer);
        return;
    }
    transfer->next = session->pool;
    session->pool = transfer;
    session->pooled++;
}

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

/* Copies of the header lines and their list in one block, so that the caller's may go away. */
static int set_headers(struct http_transfer *transfer, const struct http_plan *plan)
{
    const char *const *lines = plan->headers;
    struct curl_slist *last = own_headers(transfer);
    size_t count = 0, bytes = 0;
    char *text;

    if (!lines)
        return 0;
    for (size_t i = 0; lines[i]; i++) {
        if (plan->became_get && is_about_body(lines[i]))
            continue;
        bytes += strlen(lines[i]) + 1;
        count++;
    }
    if (!count)
        return 0;
    transfer->headers =
        bight__alloc(transfer->session->seams, count * sizeof(*transfer->headers) + bytes);
    if (!transfer->headers)
        return BIGHT_ENOMEM;
    text = (char *)(transfer->headers + count);
    for (size_t i = 0; i < count && *lines; lines++) {
        if (plan->became_get && is_about_body(*lines))
            continue;
        size_t length = strlen(*lines) + 1;
        if (is_about_coding(*lines))
            last = NULL;
        memcpy(text, *lines, length);
        transfer->headers[i].data = text;
        transfer->headers[i].next = &transfer->headers[i + 1];
        text += length;
        i++;
    }
    transfer->headers[count - 1].next = last;
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
    /* The caller's have been dropped. */
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, own_headers(transfer));
    transfer->tainted = true; /* what the session's hook has set is gone too */
}

static unsigned read_bytes_for(const struct bight_http_response *response,
                               const struct http_origin *origin)
{
    if (response->collect)
        return origin->large ? LARGE_READ_BYTES : SMALL_READ_BYTES;
    return origin->large && origin->streamed_bytes ? origin->streamed_bytes : STREAMED_READ_BYTES;
}

/* What the next transfer with its origin is to know. */
static void learn(const struct http_transfer *transfer)
{
    const struct bight_http_response *response = transfer->response;
    struct http_origin *origin = transfer->origin;
    size_t bytes = response->read_bytes;

    origin->large = response->hop.body_bytes >= LARGE_BODY_BYTES;
    if (!bytes)
        return;
    bytes = bytes > SMALL_READ_BYTES ? bytes : SMALL_READ_BYTES;
    origin->streamed_bytes = bytes < STREAMED_READ_MOST ? (unsigned)bytes : STREAMED_READ_MOST;
}

static int set_request(struct http_transfer *transfer, const struct http_call *call,
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
        rc = run_hook(call->request->curl, easy);
    }
    if (rc == 0 && plan->crossed && (call->request->curl || transfer->session->options.curl))
        forget_credentials(transfer);
    return rc;
}

int bight__http_transfer_start(struct http_call *call, struct http_origin *origin,
                               const struct bight_resolved *resolved, uint64_t fresh_until_ns)
{
    struct bight_http_response *response = call->response;
    struct bight_http_session *session = response->session;
    struct http_transfer *transfer;
    int rc = pool_take(session, &transfer);

    if (rc)
        return rc;
    transfer->response = response;
    transfer->origin = origin;
    transfer->fed_until_ns = fresh_until_ns;
    transfer->may_repeat = bight__http_may_repeat(call);
    transfer->repeated = transfer->afresh = call->afresh;
    transfer->opened = false;
    transfer->sent = 0;
    transfer->local_port = 0;
    transfer->sent_bytes = 0;
    transfer->heard_bytes = 0;
    transfer->paused = transfer->paused_once = false;
    transfer->filtered = transfer->allowed = false;
    transfer->code = 0;
    transfer->socket_code = 0;
    transfer->error[0] = '\0';
    rc = set_request(transfer, call, resolved);
    if (rc == 0)
        rc = bight__http_multi_add(transfer);
    if (rc) {
        transfer->tainted = true; /* half set */
        pool_give(transfer);
        return rc;
    }
    if (transfer->pipewait)
        bight__http_held_begin(transfer);
    if (call->plan.upload)
        bight__http_upload_begin(call->plan.upload, transfer);
    response->transfer = transfer;
    response->hop.head = transfer->method == HTTP_HEAD;
    session->stats.transfers += !call->afresh;
    return 0;
}

static size_t refuse_all(char *bytes, size_t size, size_t count, void *arg)
{
    (void)bytes;
    (void)size;
    (void)count;
    (void)arg;
    return 0;
}

/* Before its end. What libcurl has kept of a paused transfer it forgets to free, and gives to the
 * handle's next user as part of its body, when others share the connection (7.88). So it is made to
 * hand it out to one who refuses it; and whatever else may be left, the handle is not used
 * again. */
static void discard(struct http_transfer *transfer)
{
    if (transfer->paused) {
        curl_easy_setopt(transfer->easy, CURLOPT_WRITEFUNCTION, refuse_all);
        curl_easy_setopt(transfer->easy, CURLOPT_HEADERFUNCTION, refuse_all);
        curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    }
    transfer->tainted = true;
}

/* Off the multi handle and back to the pool; gives the slot back. */
static void release(struct http_transfer *transfer)
{
    struct bight_http_session *session = transfer->session;
    struct http_origin *origin = transfer->origin;

    bight__http_multi_remove(transfer);
    if (transfer->upload)
        bight__http_upload_end(transfer->upload, transfer->response->hop.again);
    transfer->upload = NULL;
    transfer->response->transfer = NULL;
    bight__http_watch_settle(transfer);
    pool_give(transfer);
    bight__http_slot_give(session, origin);
}

void bight__http_transfer_done(struct http_transfer *transfer, CURLcode result)
{
    struct bight_http_response *response = transfer->response;
    struct http_hop *hop = &response->hop;

    if (result == CURLE_OK && hop->phase < HTTP_REDIRECT) {
        transfer->code = bight__http_settle(response);
        if (hop->phase < HTTP_REDIRECT || transfer->code)
            result = CURLE_WEIRD_SERVER_REPLY;
    }
    if (result == CURLE_OK && (transfer->code = bight__http_body_end(transfer)))
        result = CURLE_BAD_CONTENT_ENCODING;
    if (result == CURLE_OK && hop->phase == HTTP_BODY && !hop->encoded)
        learn(transfer);
    /* Now it is certain that libcurl has taken the addresses in: others need not bring them. */
    if (result == CURLE_OK && transfer->fed_until_ns)
        bight__http_names_fed(transfer->session, transfer->origin, transfer->fed_until_ns);
    if (transfer->code == HTTP_SEND_AGAIN) {
        hop->again = true;
    } else if (result != CURLE_OK && transfer->code != HTTP_CUT_SHORT) {
        bight__http_fail_curl(response, transfer, result);
    } else if (hop->phase == HTTP_BODY) {
        hop->phase = HTTP_COMPLETE;
        response->done_ns = bight_now_ns();
    }
    if (transfer->paused)
        discard(transfer);
    release(transfer);
    bight__http_wake(response);
}

void bight__http_transfer_abort(struct http_transfer *transfer)
{
    discard(transfer);
    release(transfer);
}

void bight__http_transfer_resume(struct http_transfer *transfer)
{
    struct bight_http_response *response = transfer->response;
    CURLcode result;

    transfer->paused = false;
    transfer->resuming = true;
    result = curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    transfer->resuming = false;
    if (result == CURLE_OK && !transfer->paused && bight__http_watch_has_more(transfer)) {
        /* Another request might get the connection before the end of this one is heard of. */
        curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
        transfer->spoiled = true;
    }
    if (result) {
        /* A callback of ours refused what libcurl had kept for it. */
        bight__http_fail_curl(response, transfer, result);
        discard(transfer);
        release(transfer);
    }
}

int bight__http_transfer_feed(struct http_transfer *transfer)
{
    /* What it does not mention goes on: the other direction stays as it is. */
    CURLcode result =
        curl_easy_pause(transfer->easy, transfer->paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);

    if (result == CURLE_OK || result == CURLE_BAD_FUNCTION_ARGUMENT)
        return 0; /* the latter: it has no connection just now, and will ask when it has */
    transfer->code = BIGHT_ENOMEM;
    bight__http_transfer_done(transfer, result);
    return BIGHT_ENOMEM;
}
