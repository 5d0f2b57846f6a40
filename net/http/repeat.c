/* Whether a request may go out a second time. When a kept connection ends before a byte of the
 * answer, libcurl sends the request again, up to five times and with any method, although the peer
 * may have done what it was asked for. It calls us before each time. */
#include "net/http/transfer.h"

#include <string.h>

#include "net/http/response.h"

/* How often libcurl may send something in one transfer. Credentials take three rounds; but when the
 * caller's own header "Expect" is answered with 417, libcurl would go on for ever. */
#define ROUNDS 8

bool bight__http_may_repeat(const struct http_call *call)
{
    static const char *const safe[] = {"GET", "HEAD", "OPTIONS", "TRACE"};

    if (call->request->idempotent)
        return true;
    for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++)
        if (strcmp(call->plan.method, safe[i]) == 0)
            return true;
    return false;
}

static curl_off_t bytes_sent(const struct http_transfer *transfer)
{
    long bytes = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &bytes);
    return bytes;
}

bool bight__http_is_unanswered(const struct http_transfer *transfer)
{
    return transfer->sent && transfer->response->hop.header_bytes == transfer->heard_bytes &&
           bytes_sent(transfer) > transfer->sent_bytes;
}

/* Of a body that is sent as it is written, nothing is left to send again. */
static bool may_repeat(const struct http_transfer *transfer)
{
    return transfer->may_repeat && !(transfer->upload && transfer->upload->taken);
}

bool bight__http_is_lost(const struct http_transfer *transfer)
{
    return !may_repeat(transfer) && bight__http_is_unanswered(transfer);
}

/* Nothing came of the request and libcurl is about to send it again. Only once, and not over
 * another kept connection, which is likely to be as dead: the call then begins the hop anew. */
static int send_again(struct http_transfer *transfer)
{
    if (!may_repeat(transfer))
        transfer->code = BIGHT_EUNKNOWNOUTCOME;
    else if (transfer->repeated)
        transfer->code = BIGHT_EPROTOCOL;
    else if (!transfer->opened)
        transfer->code = HTTP_SEND_AGAIN;
    transfer->repeated = true;
    return transfer->code ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* An upload that waits for its first bytes when its connection ends: libcurl 8.14 would send it
 * again and thinks that it has to rewind it. */
bool bight__http_left_to_us(struct http_transfer *transfer, CURLcode result)
{
    if (result != CURLE_SEND_FAIL_REWIND || transfer->code || !transfer->upload ||
        transfer->opened || transfer->repeated || !may_repeat(transfer) ||
        !bight__http_is_unanswered(transfer))
        return false;
    transfer->repeated = true;
    return true;
}

/* The moment that libcurl tells of, by its own clock. */
static uint64_t moment_ns(const struct http_transfer *transfer, CURLINFO info)
{
    const struct http_hop *hop = &transfer->response->hop;
    curl_off_t at_us = 0;
    uint64_t at_ns;

    if (curl_easy_getinfo(transfer->easy, info, &at_us) || at_us <= 0)
        return 0;
    at_ns = hop->resolved_ns + (uint64_t)at_us * 1000;
    return at_ns < hop->sent_ns ? at_ns : hop->sent_ns;
}

/* For the one who asks where the response came from, and when. */
static void note_connection(const struct http_transfer *transfer, const char *to, int to_port)
{
    struct http_hop *hop = &transfer->response->hop;
    size_t bytes = to ? strlen(to) : 0;

    hop->sent_ns = bight_now_ns();
    if (transfer->opened) {
        hop->connected_ns = moment_ns(transfer, CURLINFO_CONNECT_TIME_T);
        hop->secured_ns = moment_ns(transfer, CURLINFO_APPCONNECT_TIME_T);
    }
    if (bytes >= sizeof(hop->remote))
        bytes = 0;
    memcpy(hop->remote, bytes ? to : "", bytes);
    hop->remote[bytes] = '\0';
    hop->remote_port = (uint16_t)to_port;
}

/* libcurl's callback (CURLOPT_PREREQFUNCTION): the request goes out on a connection now. */
int bight__http_on_send(void *arg, char *to, char *from, int to_port, int from_port)
{
    struct http_transfer *transfer = arg;

    (void)from;
    transfer->local_port = from_port;
    note_connection(transfer, to, to_port);
    http_held_end(transfer);
    if (transfer->pipewait) {
        /* When libcurl sends it again, nobody would see to it that the wait has an end. */
        transfer->pipewait = false;
        curl_easy_setopt(transfer->easy, CURLOPT_PIPEWAIT, 0L);
    }
    if (transfer->sent >= ROUNDS) {
        transfer->code = BIGHT_EPROTOCOL;
        return CURL_PREREQFUNC_ABORT;
    }
    if (transfer->sent) {
        if (bight__http_is_unanswered(transfer) && send_again(transfer) != CURL_PREREQFUNC_OK)
            return CURL_PREREQFUNC_ABORT;
        transfer->sent_bytes = bytes_sent(transfer);
    } else if (transfer->afresh) {
        /* What libcurl sends after an answer may have to go over the same connection. */
        transfer->afresh = false;
        curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 0L);
    }
    transfer->heard_bytes = transfer->response->hop.header_bytes;
    transfer->opened = false;
    transfer->sent++;
    return CURL_PREREQFUNC_OK;
}
