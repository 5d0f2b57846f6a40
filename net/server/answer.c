/* Answers: whole ones, and those whose body follows piece by piece. The head goes out with the
 * first piece of the body, and what is short goes out in one write. */
#include "net/server/answer.h"

#include <stdio.h>
#include <string.h>

#include <bight/time.h>
#include <bight/waiter.h>

/* Slices of a body, and the head before them. */
#define BODY_SLICES 3
#define ALL_SLICES (1 + BODY_SLICES)

int bight__answer_failed(struct bight_exchange *exchange, int rc, bool moved)
{
    if (rc == BIGHT_EPIPE || rc == BIGHT_ECONNRESET)
        exchange->client_gone = true;
    if (moved || !bight_is_stop(rc))
        exchange->answer = ANSWER_BROKEN;
    return rc;
}

/* Wait until the client takes more, or until its time is over. */
static int wait_client(struct bight_exchange *exchange)
{
    struct bight_scope scope;
    uint64_t since_ns;
    int rc = bight__pace_enter(exchange->server, &exchange->outward, &scope, 0);

    if (rc)
        return rc;
    since_ns = bight_now_ns();
    rc = bight__stream_wait_writable(exchange->stream);
    return bight__pace_leave(&exchange->outward, &scope, since_ns, rc);
}

int bight__answer_go_on(struct bight_exchange *exchange, int64_t written)
{
    if (written == BIGHT_EAGAIN)
        return wait_client(exchange);
    if (written < 0)
        return (int)written;
    exchange->outward.bytes += (uint64_t)written;
    return 0;
}

int bight__answer_send(struct bight_exchange *exchange, const struct bight_slice *slices,
                       size_t count)
{
    struct bight_slice rest[ALL_SLICES];
    bool moved = false, waited = false;
    size_t first = 0;

    memcpy(rest, slices, count * sizeof(*slices));
    for (;;) {
        int64_t written = 0;
        int rc;

        while (first < count && rest[first].bytes == 0)
            first++;
        if (first == count)
            return 0;
        /* Not between a wake and the room that it told of. */
        rc = moved && !waited ? bight_checkpoint() : 0;
        if (rc == 0) {
            written = bight__stream_try_writev(exchange->stream, rest + first, count - first);
            moved = moved || written > 0;
            waited = written == BIGHT_EAGAIN;
            rc = bight__answer_go_on(exchange, written);
        }
        if (rc)
            return bight__answer_failed(exchange, rc, moved);
        for (size_t i = first; i < count && written > 0; i++) {
            size_t part = (uint64_t)written < rest[i].bytes ? (size_t)written : rest[i].bytes;

            rest[i].data = (const char *)rest[i].data + part;
            rest[i].bytes -= part;
            written -= (int64_t)part;
        }
    }
}

/* Copy `slices` behind what is at all[0], if there is room. */
static bool join(struct bight_exchange *exchange, struct bight_slice *head,
                 const struct bight_slice *slices, size_t count)
{
    char *begin = head->bytes ? (char *)(uintptr_t)head->data : exchange->out + PREFIX_BYTES;
    size_t room = exchange->out_capacity - (size_t)(begin - exchange->out) - head->bytes;
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        if (slices[i].bytes > room - bytes)
            return false;
        bytes += slices[i].bytes;
    }
    for (size_t i = 0; i < count; i++) {
        if (slices[i].bytes)
            memcpy(begin + head->bytes, slices[i].data, slices[i].bytes);
        head->bytes += slices[i].bytes;
    }
    head->data = begin;
    return true;
}

int bight__answer_put(struct bight_exchange *exchange, const struct bight_slice *body, size_t count)
{
    struct bight_slice all[ALL_SLICES] = {{NULL, 0}};
    int rc;

    if (exchange->answer != ANSWER_OPEN)
        all[0].data = bight__answer_head(exchange, &all[0].bytes);
    if (join(exchange, all, body, count))
        count = 0;
    for (size_t i = 0; i < count; i++)
        all[i + 1] = body[i];
    rc = bight__answer_send(exchange, all, count + 1);
    if (rc == 0 && exchange->answer == ANSWER_BEGUN)
        exchange->answer = ANSWER_OPEN;
    return rc;
}

void bight__answer_reset(struct bight_exchange *exchange)
{
    if (exchange->answer > ANSWER_BEGUN)
        return;
    exchange->answer = ANSWER_NONE;
    exchange->out_end = PREFIX_BYTES;
    exchange->has_date = false;
    exchange->answer_error = 0;
    exchange->compresses = false;
    exchange->has_length = false;
    bight__gzip_free(exchange->gzip);
    exchange->gzip = NULL;
    exchange->status = 0;
    exchange->sent = 0;
}

static enum answer_framing framing_for(const struct bight_exchange *exchange, int status,
                                       int64_t bytes)
{
    if (!bight__status_has_body(status))
        return FRAMING_NONE;
    if (bytes >= 0 && !exchange->gzip)
        return FRAMING_LENGTH;
    if (exchange->is_head)
        return FRAMING_NONE;
    return exchange->head.version == 11 ? FRAMING_CHUNKED : FRAMING_CLOSE;
}

int bight_exchange_begin(struct bight_exchange *exchange, int status, int64_t bytes)
{
    if (!exchange || status < 200 || status > 999 || (bytes > 0 && !bight__status_has_body(status)))
        return BIGHT_EINVAL;
    if (exchange->is_connect && status < 300)
        return BIGHT_EINVAL; /* the client would take what follows for what it asked for */
    if (exchange->answer != ANSWER_NONE)
        return BIGHT_EALREADY;
    if (exchange->compresses && bight__status_has_body(status)) {
        int rc = bight__compress_begin(exchange, bytes);

        if (rc)
            return rc;
    }
    exchange->framing = framing_for(exchange, status, bytes);
    exchange->has_length = bytes >= 0 && bight__status_has_body(status);
    exchange->promised = bytes > 0 ? (uint64_t)bytes : 0;
    exchange->status = status;
    exchange->answer = ANSWER_BEGUN;
    return 0;
}

int bight__answer_may_follow(struct bight_exchange *exchange, uint64_t bytes)
{
    if (exchange->answer == ANSWER_BROKEN || exchange->answer_error == BIGHT_EBROKEN)
        return BIGHT_EBROKEN;
    if (exchange->answer != ANSWER_BEGUN && exchange->answer != ANSWER_OPEN)
        return BIGHT_EINVAL;
    if (!bight__status_has_body(exchange->status) && bytes)
        return BIGHT_EINVAL;
    if (exchange->has_length && bytes > exchange->promised - exchange->sent) {
        exchange->answer_error = BIGHT_ETOOBIG;
        return BIGHT_ETOOBIG;
    }
    return 0;
}

int bight__answer_turn_begin(struct bight_exchange *exchange)
{
    if (exchange->writing)
        return BIGHT_EBUSY;
    exchange->writing = true;
    return 0;
}

int bight__answer_turn_end(struct bight_exchange *exchange, int rc)
{
    exchange->writing = false;
    return rc;
}

static int put_piece(struct bight_exchange *exchange, const void *data, size_t bytes)
{
    struct bight_slice slices[BODY_SLICES] = {{data, bytes}};
    char line[24];

    if (exchange->framing != FRAMING_CHUNKED)
        return bight__answer_put(exchange, slices, 1);
    slices[0] = (struct bight_slice){line, (size_t)snprintf(line, sizeof(line), "%zx\r\n", bytes)};
    slices[1] = (struct bight_slice){data, bytes};
    slices[2] = (struct bight_slice){"\r\n", 2};
    return bight__answer_put(exchange, slices, 3);
}

static int emit(void *arg, const void *data, size_t bytes)
{
    return put_piece(arg, data, bytes);
}

int bight__answer_put_coded(struct bight_exchange *exchange, const void *data, size_t bytes,
                            enum gzip_step step)
{
    int rc;

    if (!exchange->gzip)
        return bytes ? put_piece(exchange, data, bytes) : 0;
    rc = bight__gzip_run(exchange->gzip, data, bytes, step, emit, exchange);
    /* What it gave out does not come a second time. */
    if (rc && exchange->answer == ANSWER_OPEN)
        exchange->answer = ANSWER_BROKEN;
    else if (rc)
        exchange->answer_error = BIGHT_EBROKEN;
    return rc;
}

int bight__answer_write(struct bight_exchange *exchange, const void *data, size_t bytes,
                        enum gzip_step step)
{
    int rc;

    if (!exchange || (!data && bytes))
        return BIGHT_EINVAL;
    rc = bight__answer_turn_begin(exchange);
    if (rc)
        return rc;
    rc = bight__answer_may_follow(exchange, bytes);
    if (rc == 0)
        rc = bight_checkpoint();
    if (rc == 0 && bytes && !exchange->is_head)
        rc = bight__answer_put_coded(exchange, data, bytes, step);
    if (rc == 0)
        exchange->sent += bytes;
    if (rc == 0 && step == GZIP_FLUSH && exchange->answer != ANSWER_OPEN)
        rc = bight__answer_put(exchange, NULL, 0); /* a HEAD's */
    return bight__answer_turn_end(exchange, rc);
}

int bight_exchange_write(struct bight_exchange *exchange, const void *data, size_t bytes)
{
    return bight__answer_write(exchange, data, bytes, GZIP_GO_ON);
}

int bight_exchange_flush(struct bight_exchange *exchange)
{
    int rc;

    if (!exchange)
        return BIGHT_EINVAL;
    rc = bight__answer_turn_begin(exchange);
    if (rc)
        return rc;
    rc = bight__answer_may_follow(exchange, 0);
    if (rc == 0)
        rc = bight_checkpoint();
    if (rc == 0 && exchange->sent && !exchange->is_head)
        rc = bight__answer_put_coded(exchange, NULL, 0, GZIP_FLUSH);
    if (rc == 0 && exchange->answer != ANSWER_OPEN)
        rc = bight__answer_put(exchange, NULL, 0);
    return bight__answer_turn_end(exchange, rc);
}

static const struct bight_slice last_chunk = {"0\r\n\r\n", 5};

/* A whole body. */
static int put_compressed(struct bight_exchange *exchange, const void *body, size_t bytes)
{
    int rc = bight__answer_put_coded(exchange, body, bytes, GZIP_FINISH);

    return rc || exchange->framing != FRAMING_CHUNKED ? rc
                                                      : bight__answer_put(exchange, &last_chunk, 1);
}

int bight__answer_whole(struct bight_exchange *exchange, int status, const char *content_type,
                        const void *body, size_t bytes)
{
    const struct bight_slice slice = {body, bytes};
    int rc = content_type ? bight__answer_add_type(exchange, content_type) : 0;

    if (rc == 0)
        rc = bight_exchange_begin(exchange, status, (int64_t)bytes);
    if (rc == 0 && exchange->gzip && !exchange->is_head)
        rc = put_compressed(exchange, body, bytes);
    else if (rc == 0)
        rc = bight__answer_put(exchange, &slice, exchange->is_head ? 0 : 1);
    if (rc)
        return rc;
    exchange->sent = bytes;
    exchange->answer = ANSWER_DONE;
    return 0;
}

int bight_exchange_answer(struct bight_exchange *exchange, int status, const char *content_type,
                          const void *body, size_t bytes)
{
    int rc;

    if (!exchange || (!body && bytes) || bytes > INT64_MAX)
        return BIGHT_EINVAL;
    rc = bight__answer_turn_begin(exchange);
    if (rc)
        return rc;
    rc = bight_checkpoint();
    if (rc == 0)
        rc = bight__answer_whole(exchange, status, content_type, body, bytes);
    return bight__answer_turn_end(exchange, rc);
}

/* With the header Location, unless that is NULL. */
static int answer_status(struct bight_exchange *exchange, int status, const char *location)
{
    char text[64];
    int bytes = snprintf(text, sizeof(text), "%d %s\n", status, bight__status_text(status));
    bool has_body = bight__status_has_body(status);
    int rc = bight__answer_turn_begin(exchange);

    if (rc)
        return rc;
    rc = bight_checkpoint();
    if (rc == 0 && location)
        rc = bight_exchange_add_header(exchange, "Location", location);
    if (rc == 0)
        rc = bight__answer_whole(exchange, status, has_body ? "text/plain" : NULL, text,
                                 has_body ? (size_t)bytes : 0);
    return bight__answer_turn_end(exchange, rc);
}

int bight_exchange_answer_status(struct bight_exchange *exchange, int status)
{
    return exchange ? answer_status(exchange, status, NULL) : BIGHT_EINVAL;
}

int bight_exchange_redirect(struct bight_exchange *exchange, int status, const char *location)
{
    if (!exchange || !location)
        return BIGHT_EINVAL;
    if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
        return BIGHT_EINVAL;
    return answer_status(exchange, status, location);
}

int bight__answer_finish(struct bight_exchange *exchange)
{
    int rc = exchange->answer_error;

    switch (exchange->answer) {
    case ANSWER_NONE:
        return BIGHT_EINVAL;
    case ANSWER_BROKEN:
        return BIGHT_EBROKEN;
    case ANSWER_DONE:
    case ANSWER_UPGRADED:
        return 0;
    default:
        break;
    }
    if (rc == 0 && exchange->has_length && exchange->sent < exchange->promised &&
        !exchange->is_head)
        rc = BIGHT_EBROKEN;
    if (rc == 0 && !exchange->is_head)
        rc = bight__answer_put_coded(exchange, NULL, 0, GZIP_FINISH);
    if (rc == 0 && exchange->framing == FRAMING_CHUNKED)
        rc = bight__answer_put(exchange, &last_chunk, 1);
    else if (rc == 0 && exchange->answer == ANSWER_BEGUN)
        rc = bight__answer_put(exchange, NULL, 0);
    if (rc == 0)
        exchange->answer = ANSWER_DONE;
    return rc;
}
