/* The beginning of a connection. The steps of the handshake run on the loop's stack: they take more
 * of it than anything that comes later, and an idle connection's task would keep those pages. */
#include "net/tls/tls.h"

#include <bight/task.h>
#include <bight/time.h>

#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>

#define DEFAULT_HANDSHAKE_MS 30000

static const struct bight_tls_options default_options;

struct handshake {
    struct tls *tls;
    struct bight_tls_failure *failure;
    int code;
};

/* The tickets of a server go with what it says first, or when it waits for the client: a packet of
 * their own would cost as much as the reply. Before TLS 1.3 the client waits for the last message
 * of the handshake. */
static bool may_go_later(const struct tls *tls)
{
    return !tls->is_client && SSL_version(tls->ssl) >= TLS1_3_VERSION;
}

static void step(void *arg)
{
    struct handshake *handshake = arg;
    struct tls *tls = handshake->tls;
    int rc;

    bight__tls_errors_clear();
    tls->below_code = 0;
    tls->layer.corked = true; /* the two tickets of a server would be two packets */
    rc = SSL_do_handshake(tls->ssl);
    if (rc != 1 || !may_go_later(tls))
        (void)bight__layer_flush(&tls->layer);
    if (rc == 1) {
        handshake->code = 0;
        return;
    }
    handshake->code = bight__tls_error(tls, rc);
    if (handshake->code == 0)
        handshake->code = BIGHT_EOF;
    if (handshake->code != BIGHT_EAGAIN)
        bight__tls_explain(handshake->failure, tls, handshake->code);
}

static int shake(struct handshake *handshake)
{
    struct layer *layer = &handshake->tls->layer;
    int rc;

    for (;;) {
        bight__runtime_errand(layer->stream.streams->poller.runtime, step, handshake);
        if (handshake->code != BIGHT_EAGAIN)
            return handshake->code;
        if (layer->lost)
            return layer->lost;
        rc = bight__layer_again(layer) ? bight_checkpoint() : bight__layer_wait(layer);
        if (rc)
            return rc;
    }
}

static int shake_in_time(struct tls *tls, int64_t timeout_ms, struct bight_tls_failure *failure)
{
    struct handshake handshake = {tls, failure, BIGHT_EAGAIN};
    struct bight_scope scope;
    int rc = bight_checkpoint();

    if (rc == 0)
        rc = bight_scope_begin(&scope, timeout_ms ? timeout_ms : DEFAULT_HANDSHAKE_MS,
                               BIGHT_SCOPE_INHERIT);
    if (rc == 0)
        rc = bight_scope_end(&scope, shake(&handshake));
    if (rc && rc != handshake.code)
        bight__tls_explain(failure, tls, rc);
    return rc;
}

static void tls_free(struct tls *tls)
{
    SSL_free(tls->ssl);
    bight_tls_context_free(tls->context);
    bight__free(tls);
}

static struct tls *tls_make(struct bight_tls_context *context, const char *session_key)
{
    size_t key_bytes = strlen(session_key) + 1;
    struct tls *tls = bight__alloc_zero(bight__tls_seams(), sizeof(*tls) + key_bytes);
    SSL_CTX *native;

    if (!tls)
        return NULL;
    memcpy(tls->session_key, session_key, key_bytes);
    bight__tls_context_hold(context);
    tls->context = context;
    native = bight__tls_context_current(context);
    tls->ssl = SSL_new(native);
    SSL_CTX_free(native);
    if (tls->ssl && SSL_set_app_data(tls->ssl, tls) == 1 && bight__tls_bio_attach(tls) == 0)
        return tls;
    tls_free(tls);
    ERR_clear_error();
    return NULL;
}

/* From a whole record to an open stream. */
static int begin(struct bight_stream **out, struct tls *tls, struct bight_stream *below,
                 const struct bight_tls_options *options, struct bight_tls_failure *failure)
{
    int rc = bight__layer_begin(&tls->layer, below, bight__tls_ops);

    if (rc) {
        tls_free(tls);
        return bight__tls_refuse(failure, rc, bight_strerror(rc));
    }
    rc = shake_in_time(tls, options->handshake_ms, failure);
    if (rc) {
        bight__layer_undo(&tls->layer);
        return rc;
    }
    tls->established = true;
    tls->idle_bytes = 0;
    tls->layer.gives_below = options->keep_below;
    rc = bight__layer_opened(&tls->layer);
    if (rc)
        return bight__tls_refuse(failure, rc, bight_strerror(rc));
    *out = &tls->layer.stream;
    return 0;
}

/* Letters, digits and other visible ASCII, but for what only addresses have. A dot in front would
 * stand for all names below it. */
static bool is_name(const char *name)
{
    size_t bytes = strlen(name);

    if (bytes == 0 || bytes >= TLS_NAME_BYTES || name[0] == '.')
        return false;
    for (size_t i = 0; i < bytes; i++) {
        if (name[i] <= ' ' || name[i] > '~' || strchr(":%[]", name[i]))
            return false;
    }
    return true;
}

/* Have the certificate be checked for the name, and tell the server which one is meant. A dot at
 * the end belongs to neither (RFC 6066, section 3). */
static int set_name(SSL *ssl, const char *host)
{
    char name[TLS_NAME_BYTES];
    size_t bytes = strlen(host);

    if (!is_name(host))
        return BIGHT_EINVAL;
    memcpy(name, host, bytes + 1);
    if (name[bytes - 1] == '.')
        name[bytes - 1] = '\0';
    if (!is_name(name))
        return BIGHT_EINVAL;
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (SSL_set1_host(ssl, name) != 1 || SSL_set_tlsext_host_name(ssl, name) != 1)
        return BIGHT_ENOMEM;
    return 0;
}

/* An address as bight_tcp_connect takes it too, in brackets or with a zone, or a name. */
static int set_host(SSL *ssl, const char *host)
{
    struct bight_address address;
    int rc;

    if (bight_address_parse(host, &address) == 0)
        rc = X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), address.bytes,
                                       address.family == 4 ? 4 : sizeof(address.bytes)) == 1
                 ? 0
                 : BIGHT_ENOMEM;
    else
        rc = set_name(ssl, host);
    ERR_clear_error();
    return rc;
}

static int client_prepare(struct tls *tls, const char *host, struct bight_tls_failure *failure)
{
    SSL_CTX *native = SSL_get_SSL_CTX(tls->ssl);
    const struct tls_settings *settings = bight__tls_settings(native);
    int mode = bight__tls_verify_mode(settings, true);
    int rc = 0;

    if (host)
        rc = set_host(tls->ssl, host);
    else if (mode != SSL_VERIFY_NONE)
        rc = BIGHT_EINVAL;
    if (rc == BIGHT_EINVAL)
        return bight__tls_refuse(failure, rc, "not the name or IP address of a host");
    if (rc)
        return bight__tls_refuse(failure, rc, bight_strerror(rc));
    if (mode != SSL_VERIFY_NONE)
        rc = bight__tls_trust_system(tls->context, native, failure);
    if (rc)
        return rc;
    tls->is_client = true;
    SSL_set_verify(tls->ssl, mode, NULL);
    SSL_set_connect_state(tls->ssl);
    if (settings->resumes)
        bight__tls_sessions_offer(tls->context, tls->ssl, tls->session_key);
    return 0;
}

/* Under which name sessions are kept. The host is part of it, since a session that is resumed is
 * not checked for its name again. "": under none. False: it is too long. */
static bool session_key(const struct bight_tls_options *options, const char *host, char *key,
                        size_t key_bytes)
{
    const char *more = options->session_key;
    int length;

    key[0] = '\0';
    if (!host || (more && !*more))
        return true;
    length = snprintf(key, key_bytes, more ? "%s %s" : "%s", host, more);
    return length >= 0 && (size_t)length < key_bytes;
}

static void no_failure(struct bight_tls_failure *failure)
{
    if (failure)
        *failure = (struct bight_tls_failure){0};
}

int bight_tls_client(struct bight_stream **out, struct bight_stream *below, const char *host,
                     struct bight_tls_context *context, const struct bight_tls_options *options,
                     struct bight_tls_failure *failure)
{
    char key[2 * TLS_NAME_BYTES];
    struct tls *tls;
    int rc;

    if (!out || !below)
        return BIGHT_EINVAL;
    if (!bight_self())
        return BIGHT_ENOTASK;
    no_failure(failure);
    if (!options)
        options = &default_options;
    if (!session_key(options, host, key, sizeof(key)))
        return bight__tls_refuse(failure, BIGHT_ETOOBIG, "the name of the session is too long");
    rc = context ? 0 : bight__tls_context_default(&context, failure);
    if (rc)
        return rc;
    tls = tls_make(context, key);
    if (!tls)
        return bight__tls_refuse(failure, BIGHT_ENOMEM, bight_strerror(BIGHT_ENOMEM));
    rc = client_prepare(tls, host, failure);
    if (rc) {
        tls_free(tls);
        return rc;
    }
    return begin(out, tls, below, options, failure);
}

static int server_prepare(struct tls *tls, struct bight_tls_failure *failure)
{
    const struct tls_settings *settings = bight__tls_settings(SSL_get_SSL_CTX(tls->ssl));
    int mode = bight__tls_verify_mode(settings, false);

    if (!settings->has_certificate && !settings->choose)
        return bight__tls_refuse(failure, BIGHT_EINVAL, "a server needs a certificate");
    if (mode != SSL_VERIFY_NONE && !settings->has_trust)
        return bight__tls_refuse(failure, BIGHT_EINVAL,
                                 "whose certificates of clients are trusted is not said");
    SSL_set_verify(tls->ssl, mode, NULL);
    SSL_set_accept_state(tls->ssl);
    return 0;
}

int bight_tls_server(struct bight_stream **out, struct bight_stream *below,
                     struct bight_tls_context *context, const struct bight_tls_options *options,
                     struct bight_tls_failure *failure)
{
    struct tls *tls;
    int rc;

    if (!out || !below || !context)
        return BIGHT_EINVAL;
    if (!bight_self())
        return BIGHT_ENOTASK;
    no_failure(failure);
    tls = tls_make(context, "");
    if (!tls)
        return bight__tls_refuse(failure, BIGHT_ENOMEM, bight_strerror(BIGHT_ENOMEM));
    rc = server_prepare(tls, failure);
    if (rc) {
        tls_free(tls);
        return rc;
    }
    return begin(out, tls, below, options ? options : &default_options, failure);
}

int bight_tls_connect(struct bight_stream **out, const char *host, uint16_t port,
                      struct bight_tls_context *context, const struct bight_tls_options *options,
                      struct bight_tls_failure *failure)
{
    struct bight_tls_options how = options ? *options : default_options;
    struct bight_stream *below;
    char key[8];
    int rc;

    if (!out || !host)
        return BIGHT_EINVAL;
    no_failure(failure);
    rc = bight_tcp_connect(&below, host, port, NULL, NULL);
    if (rc)
        return bight__tls_refuse(failure, rc, bight_strerror(rc));
    snprintf(key, sizeof(key), "%u", port);
    if (!how.session_key)
        how.session_key = key;
    how.keep_below = false;
    rc = bight_tls_client(out, below, host, context, &how, failure);
    if (rc)
        bight_stream_end(below, 0); /* not a reset: the peer may want to read why */
    return rc;
}
