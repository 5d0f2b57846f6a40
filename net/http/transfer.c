/* One hop on the wire: its begin, its end, and its pauses. handle.c has the easy handles, prepare.c
 * what they are told of the request. */
#include "net/http/transfer.h"

#include "coro/base/list.h"
#include "net/http/limits.h"
#include "net/http/response.h"

/* Bodies from which on the next transfer with that origin reads in larger pieces. A streamed body
 * is then read in pieces that fit where the last one's reader wanted it, for what does not is
 * copied once more; and in no larger ones than stay in the processor's cache, together with where
 * they are copied to, until they are. */
#define LARGE_BODY_BYTES (256u << 10)
#define STREAMED_READ_MOST (128u << 10)

int bight__http_transfer_start(struct http_call *call, struct http_origin *origin,
                               const struct bight_resolved *resolved, uint64_t fresh_until_ns)
{
    struct bight_http_response *response = call->response;
    struct bight_http_session *session = response->session;
    struct http_transfer *transfer;
    int rc = bight__http_handle_take(session, &transfer);

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
    rc = bight__http_prepare(transfer, call, resolved);
    if (rc == 0)
        rc = bight__http_multi_add(transfer);
    if (rc) {
        transfer->tainted = true; /* half set */
        bight__http_handle_give(transfer);
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

/* What the next transfer with its origin is to know. */
static void learn(const struct http_transfer *transfer)
{
    const struct bight_http_response *response = transfer->response;
    struct http_origin *origin = transfer->origin;
    size_t bytes = response->read_bytes;

    origin->large = response->hop.body_bytes >= LARGE_BODY_BYTES;
    if (!bytes)
        return;
    bytes = bytes > HTTP_SMALL_READ_BYTES ? bytes : HTTP_SMALL_READ_BYTES;
    origin->streamed_bytes = bytes < STREAMED_READ_MOST ? (unsigned)bytes : STREAMED_READ_MOST;
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
    bight__http_handle_give(transfer);
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
    if (transfer->code == HTTP_SEND_AGAIN || bight__http_left_to_us(transfer, result)) {
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
