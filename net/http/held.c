/* Requests to an origin of which nobody knows yet whether it speaks HTTP/2: one of them connects,
 * and libcurl holds the others back to send them over the same connection. It does so without an
 * end, also when the peer never says a word. After a while they connect themselves. */
#include "net/http/transfer.h"

/* By then a TLS handshake is over, almost anywhere. */
#define HELD_MS 300

/* Take it out and put it in again, not to wait. */
static void let_go(struct http_transfer *transfer)
{
    http_held_end(transfer);
    curl_multi_remove_handle(transfer->session->multi, transfer->easy);
    transfer->pipewait = false;
    curl_easy_setopt(transfer->easy, CURLOPT_PIPEWAIT, 0L);
    if (bight__http_multi_add(transfer)) {
        transfer->code = BIGHT_ENOMEM;
        bight__http_transfer_done(transfer, CURLE_FAILED_INIT);
    }
}

static void on_held(uv_timer_t *timer)
{
    struct bight_http_session *session = timer->data;
    uint64_t now_ms = uv_now(session->loop);

    while (!link_empty(&session->held)) {
        struct http_transfer *transfer =
            container_of(session->held.next, struct http_transfer, held);
        if (now_ms < transfer->held_ms + HELD_MS) {
            uv_timer_start(timer, on_held, transfer->held_ms + HELD_MS - now_ms, 0);
            return;
        }
        let_go(transfer);
    }
}

void bight__http_held_begin(struct http_transfer *transfer)
{
    struct bight_http_session *session = transfer->session;

    transfer->held_ms = uv_now(session->loop);
    link_append(&session->held, &transfer->held);
    if (!uv_is_active((uv_handle_t *)&session->held_timer))
        uv_timer_start(&session->held_timer, on_held, HELD_MS, 0);
}
