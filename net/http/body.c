/* The body's bytes as they come: libcurl's callback for them. They are decoded if need be, counted,
 * and kept, or written to where the task waits for them. Where there is no room the transfer
 * pauses, and libcurl hands the same bytes over again: of those that were decoded already it is
 * remembered how many they were. So nothing coded is ever kept here. */
#include "net/http/transfer.h"

#include <string.h>

#include "net/http/coding.h"
#include "net/http/response.h"

/* How much of a redirect's body is read to keep its connection; beyond that the connection is given
 * up instead. */
#define REDIRECT_BODY_BYTES 65536

/* Room for a decoded body is made in steps of no more than this, and as its first guess no more
 * than that. */
#define DECODED_STEP_BYTES 65536
#define DECODED_GUESS_BYTES (8u << 20)

/* There is no room for now. Not an error code. */
#define FULL 1

static size_t refuse(struct http_transfer *transfer, int code)
{
    transfer->code = code;
    return 0;
}

static size_t hold_off(struct http_transfer *transfer)
{
    transfer->paused = transfer->paused_once = true;
    return CURL_WRITEFUNC_PAUSE;
}

/* How much of the next bytes may go straight to the task that waits for them. In order: what is in
 * the buffer comes first. */
static size_t reader_room(const struct bight_http_response *response)
{
    const struct http_reader *reader = response->reader;

    if (!reader || response->body.bytes > response->body_taken)
        return 0;
    return reader->bytes - reader->filled;
}

/* How much more of a streamed body may wait in the buffer. */
static size_t buffer_room(const struct bight_http_response *response)
{
    size_t held = response->body.bytes - response->body_taken;
    size_t limit = response->session->options.buffer_bytes;

    return held < limit ? limit - held : 0;
}

/* Room for `bytes` behind what is kept until a task asks for it. */
static int reserve(struct bight_http_response *response, size_t bytes)
{
    struct http_buffer *body = &response->body;

    if (response->body_taken) {
        memmove(body->data, body->data + response->body_taken, body->bytes - response->body_taken);
        body->bytes -= response->body_taken;
        response->body_taken = 0;
    }
    return http_buffer_reserve(response->session->seams, body, bytes);
}

/* How much of the body is still to come, at most. */
static uint64_t body_left(const struct bight_http_response *response)
{
    const struct http_hop *hop = &response->hop;

    if (hop->chunked || hop->content_length < hop->body_bytes)
        return UINT64_MAX;
    return hop->content_length - hop->body_bytes;
}

/* Room for `count` bytes of a streamed body, and if they are the first for what was read together
 * with them. */
static int reserve_streamed(struct http_transfer *transfer, size_t count)
{
    struct bight_http_response *response = transfer->response;
    uint64_t left = body_left(response);
    size_t more = transfer->read_bytes;

    if (left == UINT64_MAX || response->body.bytes > response->body_taken)
        more = count; /* there may be no more for hours; or there is room already */
    else if (left < more)
        more = (size_t)left;
    return reserve(response, more > count ? more : count);
}

static int stream(struct http_transfer *transfer, const char *bytes, size_t count)
{
    struct bight_http_response *response = transfer->response;
    struct http_reader *reader = response->reader;
    size_t direct = reader_room(response);
    int rc;

    if (direct > count)
        direct = count;
    if (count > direct) {
        rc = reserve_streamed(transfer, count - direct);
        if (rc)
            return rc;
        memcpy(response->body.data + response->body.bytes, bytes + direct, count - direct);
        response->body.bytes += count - direct;
    }
    if (direct) {
        memcpy(reader->buffer + reader->filled, bytes, direct);
        reader->filled += direct;
    }
    bight__http_wake(response);
    return 0;
}

static int collect(struct bight_http_response *response, const char *bytes, size_t count)
{
    struct http_buffer *body = &response->body;
    int rc = http_buffer_reserve(response->session->seams, body, count + 1); /* a NUL comes last */

    if (rc)
        return rc;
    memcpy(body->data + body->bytes, bytes, count);
    body->bytes += count;
    return 0;
}

/* Whether `bytes` more of a streamed body fit. What libcurl has read already of a paused transfer
 * is all taken: it is in memory anyway, and libcurl copies what is left of it whenever a part is
 * refused. */
static bool has_room(const struct http_transfer *transfer, size_t bytes)
{
    const struct bight_http_response *response = transfer->response;

    return transfer->resuming || transfer->paused ||
           bytes <= reader_room(response) + buffer_room(response);
}

/* libcurl reads until the socket is empty, and keeps what is not taken. It is to stop while the
 * next it may read at once still has its place: in the reader's buffer, where that is large
 * enough, or else in ours. Of a transfer that is paused in one direction only it would read once
 * more (7.88), so it is paused in both, unless it may have something to send: the peer may want
 * all of that before it goes on, and nobody may read yet. */
static int pause_in_time(struct http_transfer *transfer)
{
    const struct bight_http_response *response = transfer->response;
    const struct http_reader *reader = response->reader;
    size_t half = response->session->options.buffer_bytes / 2;
    size_t room = reader_room(response), wanted = transfer->read_bytes;

    if (!reader || reader->bytes < wanted) {
        room += buffer_room(response);
        wanted = wanted < half ? wanted : half;
    }
    if (room >= wanted || room >= body_left(response) || transfer->paused || transfer->resuming)
        return 0;
    transfer->paused = transfer->paused_once = true;
    return curl_easy_pause(transfer->easy, http_may_send(transfer) ? CURLPAUSE_RECV : CURLPAUSE_ALL)
               ? BIGHT_ENOMEM
               : 0;
}

static size_t take_plain(struct http_transfer *transfer, const char *bytes, size_t count)
{
    struct bight_http_response *response = transfer->response;
    int rc;

    if (count > response->max_body_bytes - response->hop.body_bytes)
        return refuse(transfer, BIGHT_ETOOBIG);
    if (!response->collect && !has_room(transfer, count))
        return hold_off(transfer);
    rc = response->collect ? collect(response, bytes, count) : stream(transfer, bytes, count);
    if (rc)
        return refuse(transfer, rc);
    response->hop.body_bytes += count;
    rc = response->collect ? 0 : pause_in_time(transfer);
    return rc ? refuse(transfer, rc) : count;
}

/* Where the next decoded bytes of a collected body go, behind those that are there, with one left
 * for the NUL. `bytes` are about to be decoded; text becomes four times as long. */
static int collected_place(struct bight_http_response *response, size_t bytes,
                           struct http_coding_io *io)
{
    struct http_buffer *body = &response->body;
    size_t wanted = bytes < DECODED_STEP_BYTES / 4 ? 4 * bytes + 64 : DECODED_STEP_BYTES;
    int rc = 0;

    if (body->capacity - body->bytes < 2)
        rc = http_buffer_reserve(response->session->seams, body, wanted);
    if (rc)
        return rc;
    io->out = (uint8_t *)body->data + body->bytes;
    io->out_bytes = body->capacity - body->bytes - 1;
    return 0;
}

/* The same of a streamed one; FULL when there is no place. */
static int streamed_place(struct bight_http_response *response, struct http_coding_io *io)
{
    struct http_buffer *body = &response->body;
    struct http_reader *reader = response->reader;
    int rc;

    io->out_bytes = reader_room(response);
    if (io->out_bytes) {
        io->out = (uint8_t *)reader->buffer + reader->filled;
        return 0;
    }
    io->out_bytes = buffer_room(response);
    if (!io->out_bytes)
        return FULL;
    if (io->out_bytes > DECODED_STEP_BYTES)
        io->out_bytes = DECODED_STEP_BYTES;
    rc = reserve(response, io->out_bytes);
    io->out = (uint8_t *)body->data + body->bytes;
    return rc;
}

/* So many bytes were written to the place. */
static void place_filled(struct bight_http_response *response, size_t bytes)
{
    struct http_reader *reader = response->reader;

    response->hop.body_bytes += bytes;
    if (response->collect) {
        response->body.bytes += bytes;
        return;
    }
    if (reader_room(response))
        reader->filled += bytes;
    else
        response->body.bytes += bytes;
    if (bytes)
        bight__http_wake(response);
}

/* Decode until there is nothing left, or no room: FULL. */
static int decode(struct http_transfer *transfer, struct http_coding_io *io)
{
    struct bight_http_response *response = transfer->response;

    for (;;) {
        uint64_t left = response->max_body_bytes - response->hop.body_bytes;
        uint8_t beyond;
        int rc = 0;
        if (!left) {
            io->out = &beyond; /* would there be more? */
            io->out_bytes = 1;
        } else {
            rc = response->collect ? collected_place(response, io->in_bytes, io)
                                   : streamed_place(response, io);
            if (io->out_bytes > left)
                io->out_bytes = (size_t)left;
        }
        if (rc)
            return rc;
        size_t room = io->out_bytes;
        rc = bight__http_decoder_step(transfer->decoder, io);
        if (!left)
            return rc == 0 && !io->out_bytes ? BIGHT_ETOOBIG : rc;
        place_filled(response, room - io->out_bytes);
        if (rc || io->out_bytes)
            return rc;
    }
}

/* Room for what a body that is said to be so long will be decoded to, more or less. */
static int guess_room(struct bight_http_response *response)
{
    uint64_t length = response->hop.content_length;
    uint64_t guess = length < DECODED_GUESS_BYTES / 4 ? 4 * length : DECODED_GUESS_BYTES;

    if (!response->collect || length == UINT64_MAX)
        return 0;
    if (guess > response->max_body_bytes)
        guess = response->max_body_bytes;
    return http_buffer_reserve(response->session->seams, &response->body, (size_t)guess + 1);
}

/* The first byte of a body with a Content-Encoding has come: is there something to undo? A part of
 * a coded body can no more be decoded than it is known where it would begin. */
static int begin_decoding(struct http_transfer *transfer)
{
    struct bight_http_response *response = transfer->response;
    const struct bight_http_session *session = transfer->session;
    struct http_codings codings = {.count = 0};
    int rc = 0;

    if (session->accept_line && response->status != 206)
        rc = bight__http_codings_parse(&response->headers, &codings);
    if (rc == BIGHT_EPROTOCOL)
        return bight__http_fail(response, BIGHT_HTTP_PROTOCOL, BIGHT_EPROTOCOL,
                                "the body has too many content codings");
    response->hop.encoded = codings.count > 0;
    if (rc || !codings.count)
        return rc;
    rc = guess_room(response);
    if (rc)
        return rc;
    return bight__http_decoder_new(session->seams, &codings, response->max_body_bytes,
                                   &transfer->decoder);
}

static size_t take_coded(struct http_transfer *transfer, const char *bytes, size_t count)
{
    struct bight_http_response *response = transfer->response;
    size_t before = transfer->decoded;
    struct http_coding_io io;
    int rc;

    if (before > count) {
        transfer->decoded -= count;
        return count;
    }
    io = (struct http_coding_io){.in = (const uint8_t *)bytes + before, .in_bytes = count - before};
    rc = decode(transfer, &io);
    transfer->decoded = 0;
    if (rc == FULL) {
        transfer->decoded = count - io.in_bytes;
        return hold_off(transfer);
    }
    if (rc == BIGHT_EPROTOCOL)
        bight__http_fail(response, BIGHT_HTTP_PROTOCOL, BIGHT_EPROTOCOL,
                         "the body is not in the content coding that its header says");
    return rc ? refuse(transfer, rc) : count;
}

size_t bight__http_on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct http_transfer *transfer = arg;
    struct bight_http_response *response = transfer->response;
    struct http_hop *hop = &response->hop;
    int rc;

    count *= size;
    hop->active_ms = uv_now(transfer->session->loop);
    if (hop->phase < HTTP_REDIRECT && (rc = bight__http_settle(response)))
        return refuse(transfer, rc);
    if (hop->phase == HTTP_REDIRECT) {
        hop->body_bytes += count;
        return hop->body_bytes > REDIRECT_BODY_BYTES ? refuse(transfer, HTTP_CUT_SHORT) : count;
    }
    if (hop->encoded && !transfer->decoder && (rc = begin_decoding(transfer)))
        return refuse(transfer, rc);
    return hop->encoded ? take_coded(transfer, bytes, count) : take_plain(transfer, bytes, count);
}

int bight__http_body_end(struct http_transfer *transfer)
{
    if (!transfer->decoder || bight__http_decoder_is_whole(transfer->decoder))
        return 0;
    return bight__http_fail(transfer->response, BIGHT_HTTP_PROTOCOL, BIGHT_EPROTOCOL,
                            "the body ends before its content coding does");
}

void bight__http_body_forget(struct http_transfer *transfer)
{
    bight__http_decoder_free(transfer->decoder);
    transfer->decoder = NULL;
    transfer->decoded = 0;
}
