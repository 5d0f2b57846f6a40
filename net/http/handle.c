/* Easy handles: made, pooled, and freed. Options common to all requests are set once per handle,
 * because each setopt costs, and curl_easy_reset costs all of them. */
#include "net/http/transfer.h"

#include "coro/base/list.h"
#include "net/http/limits.h"

#define POOLED_HANDLES 256

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
    rc |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http_own_headers(transfer));
    return rc;
}

static int handle_new(struct bight_http_session *session, struct http_transfer **out)
{
    struct http_transfer *transfer = bight__alloc_zero(session->seams, sizeof(*transfer));
    int rc = BIGHT_ENOMEM;

    if (!transfer)
        return BIGHT_ENOMEM;
    transfer->session = session;
    transfer->accept.data = session->accept_line;
    transfer->read_bytes = HTTP_SMALL_READ_BYTES;
    link_init(&transfer->attempts);
    link_init(&transfer->attention);
    link_init(&transfer->held);
    transfer->easy = curl_easy_init();
    if (!transfer->easy)
        goto fail;
    if (set_common(transfer))
        goto fail;
    rc = http_run_hook(session->options.curl, transfer->easy);
    if (rc)
        goto fail;
    *out = transfer;
    return 0;
fail:
    bight__http_handle_destroy(transfer);
    return rc;
}

void bight__http_handle_destroy(struct http_transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    bight__free(transfer->headers);
    bight__free(transfer->addresses_text);
    bight__free(transfer);
}

int bight__http_handle_take(struct bight_http_session *session, struct http_transfer **out)
{
    struct http_transfer *transfer = session->pool;

    if (!transfer)
        return handle_new(session, out);
    session->pool = transfer->next;
    session->pooled--;
    *out = transfer;
    return 0;
}

void bight__http_handle_give(struct http_transfer *transfer)
{
    struct bight_http_session *session = transfer->session;

    transfer->response = NULL;
    transfer->origin = NULL;
    bight__http_body_forget(transfer);
    if (transfer->headers) {
        curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, http_own_headers(transfer));
        bight__free(transfer->headers);
        transfer->headers = NULL;
    }
    /* libcurl gives up at the sixth second try, counted over the handle's whole life. Before 8.1 a
     * handle that had a response keeps a pointer into freed memory, and the next response can make
     * libcurl use it. */
    if (transfer->tainted || transfer->sent > 1 || transfer->spoiled || session->spoils_handles ||
        session->closing || session->pooled >= POOLED_HANDLES) {
        bight__http_handle_destroy(transfer);
        return;
    }
    transfer->next = session->pool;
    session->pool = transfer;
    session->pooled++;
}
