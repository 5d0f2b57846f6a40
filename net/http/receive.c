/* What comes from the peer before the body: libcurl's callback for header lines. It stores, counts
 * and wakes the task. To refuse, it returns another number of bytes and sets transfer->code. */
#include "net/http/transfer.h"

#include <string.h>
#include <strings.h>

#include "net/http/response.h"

/* A body of at most this announced size gets its memory at once; others grow by doubling. */
#define BODY_AT_ONCE_BYTES (8u << 20)

static size_t refuse(struct http_transfer *transfer, int code)
{
    transfer->code = code;
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK", "HTTP/2 200", with a line feed. libcurl lets more pass, and more or less of it
 * in each version: other letters, a tab for the space, a fourth digit. */
static int parse_status(struct bight_http_response *response, const char *line, size_t bytes)
{
    const char *at = line + 5;

    if (bytes < sizeof("HTTP/2 200") || line[bytes - 1] != '\n' || memcmp(line, "HTTP/", 5) != 0 ||
        !is_digit(*at))
        return BIGHT_EPROTOCOL;
    response->version = (*at++ - '0') * 10;
    if (at[0] == '.' && is_digit(at[1])) {
        response->version += at[1] - '0';
        at += 2;
    }
    if (*at != ' ')
        return BIGHT_EPROTOCOL;
    while (*at == ' ')
        at++;
    if (!is_digit(at[0]) || !is_digit(at[1]) || !is_digit(at[2]) || !strchr(" \r\n", at[3]))
        return BIGHT_EPROTOCOL;
    response->status = (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
    return 0;
}

/* A new header block: of this hop's first response, or of the one behind a provisional one. */
static int begin_block(struct bight_http_response *response, const char *line, size_t bytes)
{
    response->hop.phase = HTTP_IN_BLOCK;
    response->hop.encoded = response->hop.chunked = response->hop.framing = false;
    response->hop.content_length = UINT64_MAX;
    http_headers_clear(&response->headers);
    return parse_status(response, line, bytes);
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Content-Length: one number, and the same one wherever there are more such lines. libcurl takes
 * the digits that it finds, and the last line's. */
static int note_length(struct http_hop *hop, const char *at)
{
    uint64_t length = 0;

    while (*at == ' ' || *at == '\t')
        at++;
    if (!is_digit(*at))
        return BIGHT_EPROTOCOL;
    for (; is_digit(*at); at++) {
        if (length > INT64_MAX / 10 - 1)
            return BIGHT_EPROTOCOL; /* more than can be counted */
        length = length * 10 + (uint64_t)(*at - '0');
    }
    while (*at == ' ' || *at == '\t' || *at == '\r')
        at++;
    if (*at != '\n' || (hop->content_length != UINT64_MAX && hop->content_length != length))
        return BIGHT_EPROTOCOL;
    hop->content_length = length;
    return 0;
}

/* What follows the name, NULL when the line is another header. That is the colon, or white space in
 * front of it, which makes it another header to libcurl and not to others. */
static const char *value_of(const char *line, size_t bytes, const char *name, size_t name_bytes)
{
    if (bytes <= name_bytes || strncasecmp(line, name, name_bytes) != 0)
        return NULL;
    line += name_bytes;
    return line[strspn(line, " \t")] == ':' ? line : NULL;
}

/* Note the headers that decide how the body is received. A line ends with a line feed, which bounds
 * all that is looked at. BIGHT_EPROTOCOL for what could be understood in two ways. */
static int note_header(struct bight_http_response *response, const char *line, size_t bytes)
{
    static const char length[] = "Content-Length", encoding[] = "Content-Encoding",
                      transfer[] = "Transfer-Encoding";
    struct http_hop *hop = &response->hop;
    bool continued = hop->framing;
    const char *value;

    hop->framing = false;
    if (*line == ' ' || *line == '\t')
        return continued || !response->headers.text.bytes ? BIGHT_EPROTOCOL : 0;
    /* Nearly all lines are told apart by two bytes. */
    if (bytes < 16 || line[bytes - 1] != '\n' || (line[7] != '-' && line[8] != '-'))
        return 0;
    if ((value = value_of(line, bytes, length, sizeof(length) - 1))) {
        hop->framing = true;
        return *value == ':' ? note_length(hop, value + 1) : BIGHT_EPROTOCOL;
    }
    if ((value = value_of(line, bytes, transfer, sizeof(transfer) - 1))) {
        hop->framing = hop->chunked = true;
        return *value == ':' ? 0 : BIGHT_EPROTOCOL;
    }
    if (value_of(line, bytes, encoding, sizeof(encoding) - 1))
        hop->encoded = true;
    return 0;
}

/* The announced length, if the body will be that long; else UINT64_MAX. */
static uint64_t plain_length(const struct bight_http_response *response)
{
    const struct http_hop *hop = &response->hop;

    if (hop->head || response->status == 204 || response->status == 304 || hop->encoded ||
        hop->chunked)
        return UINT64_MAX;
    return hop->content_length;
}

/* The response is final: refuse a body that will be too long, make room for one that will not. */
static int expect_body(struct bight_http_response *response)
{
    uint64_t length = plain_length(response);

    if (length == UINT64_MAX)
        return 0;
    if (length > response->max_body_bytes)
        return BIGHT_ETOOBIG;
    if (!response->collect || length > BODY_AT_ONCE_BYTES)
        return 0;
    return http_buffer_reserve(response->session->seams, &response->body, (size_t)length + 1);
}

/* This is the hop's response: decide whether it is a redirect to follow or the final one. */
static int settle(struct bight_http_response *response)
{
    struct http_hop *hop = &response->hop;
    int rc;

    response->headers_ns = bight_now_ns();
    if (hop->follow && is_redirect(response->status) &&
        bight__http_headers_find(&response->headers, "Location")) {
        hop->phase = HTTP_REDIRECT;
        return 0;
    }
    hop->phase = HTTP_BODY;
    rc = expect_body(response);
    if (rc == 0 && !response->collect)
        bight__http_wake(response);
    return rc;
}

/* Whether libcurl may answer the response itself, in the same transfer: with credentials that a
 * hook has set, without "Expect", or in the protocol that it asked for. */
static bool may_be_answered(int status)
{
    return status == 401 || status == 407 || status == 417 || status == 101;
}

/* The response has come before the request's body was sent. Where that has waited for leave
 * ("Expect"), libcurl does not send it any more and uses the connection again, on which the peer
 * still takes what comes for the body. Not for 401 and 407, which libcurl knows better, nor for
 * streams of HTTP/2, which end alone. */
static void close_in_the_middle(struct http_transfer *transfer)
{
    curl_off_t announced = 0, sent = 0;
    int status = transfer->response->status;

    if ((transfer->method != HTTP_OTHER && !transfer->tainted) || transfer->response->version >= 20)
        return;
    if (status < 200 || status == 401 || status == 407)
        return;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_UPLOAD_T, &announced);
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    if (announced > sent || (transfer->upload && !bight__http_upload_is_whole(transfer->upload))) {
        curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
        transfer->spoiled = true;
    }
}

/* A response that only informs, which says nothing of the request. */
static void inform(struct http_transfer *transfer)
{
    const struct bight_http_response *response = transfer->response;
    const struct bight_http_request *request = response->call ? response->call->request : NULL;

    transfer->heard_bytes = response->hop.header_bytes;
    if (request && request->on_informational)
        request->on_informational(request->on_informational_arg, response);
}

/* The empty line ends the header block. */
static int end_block(struct http_transfer *transfer)
{
    struct bight_http_response *response = transfer->response;
    int status = response->status;

    close_in_the_middle(transfer);
    if (may_be_answered(status))
        response->hop.phase = HTTP_UNSETTLED; /* until its body or its end comes */
    else if (status >= 200)
        return settle(response);
    else
        inform(transfer);
    if (response->hop.phase == HTTP_IN_BLOCK)
        response->hop.phase = HTTP_AWAITED;
    return 0;
}

int bight__http_settle(struct bight_http_response *response)
{
    return response->hop.phase == HTTP_UNSETTLED ? settle(response) : 0;
}

size_t bight__http_on_header(char *line, size_t size, size_t count, void *arg)
{
    struct http_transfer *transfer = arg;
    struct bight_http_session *session = transfer->session;
    struct bight_http_response *response = transfer->response;
    struct http_hop *hop = &response->hop;
    size_t bytes = size * count;
    int rc = 0;

    hop->active_ms = uv_now(session->loop);
    hop->header_bytes += bytes;
    if (hop->header_bytes > session->options.max_header_bytes)
        return refuse(transfer, BIGHT_ETOOBIG);
    if (!hop->first_byte_ns)
        hop->first_byte_ns = bight_now_ns();
    if (hop->phase == HTTP_BODY) {
        rc = http_headers_add(session->seams, &response->trailers, line, bytes);
        return rc ? refuse(transfer, rc) : bytes;
    }
    if (hop->phase > HTTP_UNSETTLED)
        return bytes; /* of a redirect */
    if (hop->phase == HTTP_UNSETTLED && memcmp(line, "HTTP/", bytes < 5 ? bytes : 5) != 0)
        return bytes; /* trailers too */
    if (hop->phase != HTTP_IN_BLOCK) {
        rc = begin_block(response, line, bytes);
    } else if (line[0] == '\n' || line[0] == '\r') {
        rc = end_block(transfer);
    } else {
        rc = note_header(response, line, bytes);
        if (rc == 0)
            rc = http_headers_add(session->seams, &response->headers, line, bytes);
    }
    return rc ? refuse(transfer, rc) : bytes;
}
