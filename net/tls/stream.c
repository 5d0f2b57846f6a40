/* The kind of stream: attempts to read and write by OpenSSL. None of its calls ever waits, so both
 * directions are used by turns and need no lock. */
#include "net/tls/tls.h"

#include <stdio.h>
#include <string.h>

_Static_assert(offsetof(struct tls, layer) == 0, "the layer is the first member");

/* SSL_read returns as soon as a record with data has come. Only when it finds nothing does OpenSSL
 * give its buffer back, so it is asked until then. */
static int64_t tls_read(struct bight_stream *stream, void *buffer, size_t bytes)
{
    struct tls *tls = bight__tls_of(stream);
    size_t count;
    int rc;

    if (unlikely(tls->failed))
        return tls->failed;
    do {
        bight__tls_errors_clear();
        tls->below_code = 0;
        rc = SSL_read_ex(tls->ssl, buffer, bytes, &count);
        if (likely(rc > 0)) {
            tls->idle_bytes = 0;
            return (int64_t)count;
        }
        rc = bight__tls_error(tls, rc);
    } while (rc == BIGHT_EAGAIN && bight__layer_again(&tls->layer));
    if (unlikely(tls->layer.corked))
        (void)bight__layer_flush(&tls->layer);
    if (rc < 0 && rc != BIGHT_EAGAIN) {
        stream->in.error = rc;
        ERR_clear_error();
    }
    return rc;
}

/* A call of OpenSSL that would write failed. Where half a message of the peer's has come, a ticket
 * say, OpenSSL writes nothing before it has the rest. */
static int write_failed(struct tls *tls, int rc)
{
    rc = bight__tls_error(tls, rc);
    ERR_clear_error();
    if (rc == BIGHT_EAGAIN)
        return bight__layer_read_first(&tls->layer);
    return rc ? rc : BIGHT_EPIPE; /* the peer's end within its own message */
}

/* There is memory for the whole record before it is begun. */
static int64_t encrypt(struct tls *tls, const void *data, size_t bytes)
{
    size_t count;
    int rc;

    if (unlikely(!bight__layer_reserve(&tls->layer)))
        return BIGHT_ENOMEM;
    bight__tls_errors_clear();
    tls->below_code = 0;
    rc = SSL_write_ex(tls->ssl, data, bytes, &count);
    if (unlikely(tls->layer.corked))
        (void)bight__layer_flush(&tls->layer);
    bight__layer_release(&tls->layer);
    if (unlikely(rc <= 0))
        return write_failed(tls, rc);
    return tls->layer.lost ? tls->layer.lost : (int64_t)count;
}

/* As much of the slices as a record holds, in one piece. */
static size_t gather(char *to, const struct bight_slice *slices, size_t count)
{
    size_t done = 0;

    for (size_t i = 0; i < count && done < TLS_RECORD_BYTES; i++) {
        size_t left = TLS_RECORD_BYTES - done;
        size_t part = slices[i].bytes < left ? slices[i].bytes : left;

        if (part)
            memcpy(to + done, slices[i].data, part);
        done += part;
    }
    return done;
}

/* What was kept before goes first, the tickets of a handshake in one piece with what follows. */
static int before_write(struct tls *tls)
{
    if (unlikely(tls->failed))
        return tls->failed;
    return unlikely(tls->layer.corked) ? tls->layer.lost : bight__layer_flush(&tls->layer);
}

static int64_t tls_write(struct bight_stream *stream, const struct bight_slice *slices,
                         size_t count)
{
    struct tls *tls = bight__tls_of(stream);
    int64_t written = before_write(tls);
    char *chunk;

    if (unlikely(written))
        return written;
    if (likely(count == 1 || slices[0].bytes >= TLS_RECORD_BYTES))
        return encrypt(tls, slices[0].data, slices[0].bytes);
    chunk = bight__chunk_take(stream->streams);
    if (!chunk)
        return BIGHT_ENOMEM;
    written = encrypt(tls, chunk, gather(chunk, slices, count));
    bight__chunk_give(stream->streams, chunk);
    return written;
}

/* Say that no more comes. It is not waited for the peer's word: a second SSL_shutdown would read
 * for it, and throw away what comes before. */
static int say_end(struct tls *tls)
{
    int rc;

    if (!bight__layer_reserve(&tls->layer))
        return BIGHT_ENOMEM;
    bight__tls_errors_clear();
    tls->below_code = 0;
    rc = SSL_in_init(tls->ssl) ? SSL_do_handshake(tls->ssl) : 1; /* half a message has come */
    if (rc > 0) {
        rc = SSL_shutdown(tls->ssl) < 0 ? -1 : 1;
        tls->said_end = true;
    }
    bight__layer_release(&tls->layer);
    return rc > 0 ? 0 : write_failed(tls, rc);
}

static int tls_shutdown(struct bight_stream *stream)
{
    struct tls *tls = bight__tls_of(stream);
    int rc = tls->failed ? tls->failed : bight__layer_flush(&tls->layer);

    return rc ? rc : say_end(tls); /* what the stream below does not take goes by itself */
}

static bool may_say_end(const struct tls *tls)
{
    return tls->established && !tls->failed && !tls->said_end && !tls->layer.lost;
}

static int tls_finish(struct bight_stream *stream)
{
    struct tls *tls = bight__tls_of(stream);

    if (may_say_end(tls) && say_end(tls) == BIGHT_EAGAIN) {
        stream->in.ready = false;
        return BIGHT_EAGAIN;
    }
    return bight__layer_finish(&tls->layer);
}

static void tls_close(struct bight_stream *stream, bool reset)
{
    struct tls *tls = bight__tls_of(stream);

    if (!reset && may_say_end(tls))
        (void)say_end(tls);
    SSL_free(tls->ssl);
    bight__layer_end(&tls->layer, reset);
    bight_tls_context_free(tls->context);
    bight__free(tls);
}

static void tls_describe(const struct bight_stream *stream, char *text, size_t text_bytes)
{
    const struct bight_stream *below = stream->below;

    snprintf(text, text_bytes, "tls ");
    if (text_bytes > sizeof("tls "))
        below->ops->describe(below, text + strlen(text), text_bytes - strlen(text));
}

#define TLS_OPS                                                                                    \
    .read = tls_read, .write = tls_write, .shutdown = tls_shutdown, .finish = tls_finish,          \
    .close = tls_close, .describe = tls_describe

const struct stream_ops bight__tls_ops[2] = {{TLS_OPS}, {.inside = true, TLS_OPS}};

struct ssl_st *bight_tls_native(const struct bight_stream *stream)
{
    bool is_tls = stream && stream->ops->read == tls_read;

    return is_tls ? bight__tls_of(stream)->ssl : NULL;
}
