/* bight_serve with a handshake in front of the handler. The stream below stays that of
 * bight_serve, which ends it. */
#include "net/tls/tls.h"

#include <bight/time.h>

#define DEFAULT_END_MS 5000

/* How long a client that was refused has to read why. */
#define REFUSED_MS 1000

struct serve {
    struct bight_tls_context *context;
    int (*handler)(struct bight_stream *stream, void *arg);
    void *arg;
    int64_t end_ms;
    int64_t handshake_ms;
};

/* A close with unread bytes is a reset, which would destroy the alert. */
static void let_read(struct bight_stream *below)
{
    struct bight_scope scope;
    char bytes[512];
    int64_t count = bight_scope_begin(&scope, REFUSED_MS, 0);

    if (count)
        return;
    count = bight_stream_shutdown(below);
    if (count == 0)
        count = 1;
    while (count > 0)
        count = bight_stream_read(below, bytes, sizeof(bytes));
    count = bight_scope_end(&scope, (int)count);
    (void)count; /* it was only a courtesy */
}

static int serve_connection(struct bight_stream *below, void *arg)
{
    const struct serve *serve = arg;
    struct bight_tls_options options = {.handshake_ms = serve->handshake_ms, .keep_below = true};
    struct bight_stream *stream;
    int rc = bight_tls_server(&stream, below, serve->context, &options, NULL);

    if (rc) {
        if (rc == BIGHT_ETLS)
            let_read(below);
        return rc;
    }
    rc = serve->handler(stream, serve->arg);
    if (rc >= 0)
        bight_stream_end(stream, serve->end_ms);
    else
        bight_stream_abort(stream);
    return rc;
}

int bight_tls_serve(struct bight_listener *listener, struct bight_tls_context *context,
                    int (*handler)(struct bight_stream *stream, void *arg), void *arg,
                    const struct bight_tls_serve_options *options)
{
    const struct bight_tls_serve_options how =
        options ? *options : (struct bight_tls_serve_options){0};
    struct serve serve = {
        .context = context,
        .handler = handler,
        .arg = arg,
        .end_ms = how.serve.end_ms ? how.serve.end_ms : DEFAULT_END_MS,
        .handshake_ms = how.handshake_ms,
    };

    if (!listener || !context || !handler)
        return BIGHT_EINVAL;
    return bight_serve(listener, serve_connection, &serve, &how.serve);
}
