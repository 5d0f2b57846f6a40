/* An SSL_CTX made of options. What belongs to it and is ours is attached, and freed with it. */
#include "net/tls/tls.h"

#include <openssl/rand.h>

#include <string.h>

#define PROTOCOL_BYTES_MAX 255

/* The place of struct tls_settings in an SSL_CTX; -1: there is none. Made once for the process. */
static int place = -1;
static pthread_once_t place_once = PTHREAD_ONCE_INIT;

static void settings_free(void *parent, void *settings, CRYPTO_EX_DATA *data, int index,
                          long number, void *arg)
{
    (void)parent;
    (void)data;
    (void)index;
    (void)number;
    (void)arg;
    bight__free(settings);
}

static void place_make(void)
{
    place = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, settings_free);
}

struct tls_settings *bight__tls_settings(const SSL_CTX *native)
{
    return SSL_CTX_get_ex_data(native, place);
}

const struct bight_seams *bight__tls_seams(void)
{
    struct bight_runtime *runtime;

    return bight__runtime_get(&runtime) ? NULL : bight__runtime_seams(runtime);
}

/* How many bytes the protocols take on the wire; 0 for one that cannot be. */
static size_t alpn_bytes(const struct bight_tls_context_options *options)
{
    size_t bytes = 0;

    for (size_t i = 0; i < options->alpn_count; i++) {
        size_t length = options->alpn[i] ? strlen(options->alpn[i]) : 0;

        if (length == 0 || length > PROTOCOL_BYTES_MAX)
            return 0;
        bytes += 1 + length;
    }
    return bytes;
}

static void alpn_fill(unsigned char *to, const struct bight_tls_context_options *options)
{
    for (size_t i = 0; i < options->alpn_count; i++) {
        size_t length = strlen(options->alpn[i]);

        *to++ = (unsigned char)length;
        memcpy(to, options->alpn[i], length);
        to += length;
    }
}

static int settings_attach(SSL_CTX *native, const struct bight_tls_context_options *options)
{
    size_t bytes = alpn_bytes(options);
    struct tls_settings *settings =
        bight__alloc_zero(bight__tls_seams(), sizeof(*settings) + bytes);

    if (!settings)
        return BIGHT_ENOMEM;
    settings->peer = options->peer;
    settings->has_certificate = options->certificate_file || options->certificate_pem;
    settings->has_trust = options->ca_file || options->ca_dir || options->ca_pem;
    settings->resumes = !options->no_resumption;
    settings->choose = options->choose;
    settings->choose_arg = options->choose_arg;
    settings->alpn_bytes = (unsigned)bytes;
    alpn_fill(settings->alpn, options);
    if (SSL_CTX_set_ex_data(native, place, settings) == 1)
        return 0;
    bight__free(settings);
    return BIGHT_ENOMEM;
}

/* The server's order decides. No protocol in common ends the handshake, as RFC 7301 wants it. */
static int on_protocols(SSL *ssl, const unsigned char **out, unsigned char *out_bytes,
                        const unsigned char *offered, unsigned offered_bytes, void *arg)
{
    const struct tls_settings *settings = bight__tls_settings(SSL_get_SSL_CTX(ssl));
    unsigned char *chosen;

    (void)arg;
    if (!settings->alpn_bytes)
        return SSL_TLSEXT_ERR_NOACK;
    if (!offered_bytes ||
        SSL_select_next_proto(&chosen, out_bytes, settings->alpn, settings->alpn_bytes, offered,
                              offered_bytes) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int version_number(enum bight_tls_version version, int otherwise)
{
    switch (version) {
    case BIGHT_TLS_VERSION_1_2:
        return TLS1_2_VERSION;
    case BIGHT_TLS_VERSION_1_3:
        return TLS1_3_VERSION;
    default:
        return otherwise;
    }
}

bool bight__tls_set_id(SSL_CTX *native, const unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH])
{
    struct tls_settings *settings = bight__tls_settings(native);

    memcpy(settings->id, id, sizeof(settings->id));
    return SSL_CTX_set_session_id_context(native, id, sizeof(settings->id)) == 1;
}

static bool set_resumption(SSL_CTX *native, const struct tls_settings *settings)
{
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];

    if (!settings->resumes) {
        SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_options(native, SSL_OP_NO_TICKET);
        return SSL_CTX_set_num_tickets(native, 0) == 1;
    }
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(native, bight__tls_on_session);
    return RAND_bytes(id, sizeof(id)) == 1 && bight__tls_set_id(native, id);
}

static int set_words(SSL_CTX *native, const struct bight_tls_context_options *options,
                     struct bight_tls_failure *failure)
{
    int oldest = version_number(options->oldest, TLS1_2_VERSION);
    int newest = version_number(options->newest, 0);

    if (SSL_CTX_set_min_proto_version(native, oldest) != 1 ||
        SSL_CTX_set_max_proto_version(native, newest) != 1)
        return bight__tls_fail(failure, "versions");
    if (options->ciphers && SSL_CTX_set_cipher_list(native, options->ciphers) != 1)
        return bight__tls_fail(failure, "ciphers");
    if (options->ciphersuites && SSL_CTX_set_ciphersuites(native, options->ciphersuites) != 1)
        return bight__tls_fail(failure, "ciphersuites");
    if (options->groups && SSL_CTX_set1_groups_list(native, options->groups) != 1)
        return bight__tls_fail(failure, "groups");
    return 0;
}

static int set_all(SSL_CTX *native, const struct bight_tls_context_options *options,
                   struct bight_tls_failure *failure)
{
    const struct tls_settings *settings = bight__tls_settings(native);
    int rc = set_words(native, options, failure);

    if (rc)
        return rc;
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* The chain is the one that was given: OpenSSL would look for one in each handshake. */
    SSL_CTX_set_mode(native, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS |
                                 SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(native, 1); /* a read takes all that has come, and not 5 bytes first */
    SSL_CTX_set_alpn_select_cb(native, on_protocols, NULL);
    SSL_CTX_set_client_hello_cb(native, bight__tls_on_hello, NULL);
    if (!set_resumption(native, settings))
        return bight__tls_fail(failure, "resumption");
    if (settings->alpn_bytes &&
        SSL_CTX_set_alpn_protos(native, settings->alpn, settings->alpn_bytes) != 0)
        return bight__tls_fail(failure, "application protocols");
    rc = bight__tls_certify(native, options, failure);
    if (rc == 0)
        rc = bight__tls_trust(native, options, failure);
    if (rc == 0 && options->configure) {
        rc = options->configure(options->configure_arg, native);
        if (rc)
            rc = bight__tls_refuse(failure, rc, "the program's configure returned it");
    }
    ERR_clear_error();
    return rc;
}

/* Why the options contradict themselves; NULL: they do not. */
static const char *contradiction(const struct bight_tls_context_options *options)
{
    if (options->certificate_file && options->certificate_pem)
        return "the certificate is given twice";
    if (options->key_file && options->key_pem)
        return "the key is given twice";
    if ((options->key_file || options->key_pem) && !options->certificate_file &&
        !options->certificate_pem)
        return "a key without a certificate";
    if (options->oldest && options->newest && options->newest < options->oldest)
        return "the newest version is older than the oldest";
    if ((unsigned)options->oldest > BIGHT_TLS_VERSION_1_3 ||
        (unsigned)options->newest > BIGHT_TLS_VERSION_1_3)
        return "there is no such version";
    if ((unsigned)options->peer > BIGHT_TLS_PEER_UNCHECKED)
        return "there is no such peer";
    if (options->alpn_count && (!options->alpn || !alpn_bytes(options)))
        return "an application protocol has 1 to 255 bytes";
    if (alpn_bytes(options) > UINT16_MAX)
        return "too many application protocols";
    return NULL;
}

int bight__tls_native_new(SSL_CTX **out, const struct bight_tls_context_options *options,
                          struct bight_tls_failure *failure)
{
    const char *why = contradiction(options);
    SSL_CTX *native;
    int rc;

    if (why)
        return bight__tls_refuse(failure, BIGHT_EINVAL, why);
    bight__tls_errors_clear();
    pthread_once(&place_once, place_make);
    native = place < 0 ? NULL : SSL_CTX_new(TLS_method());
    if (!native)
        return bight__tls_fail(failure, "OpenSSL");
    rc = settings_attach(native, options);
    if (rc)
        rc = bight__tls_refuse(failure, rc, bight_strerror(rc));
    else
        rc = set_all(native, options, failure);
    if (rc) {
        SSL_CTX_free(native);
        return rc;
    }
    *out = native;
    return 0;
}

int bight__tls_verify_mode(const struct tls_settings *settings, bool is_client)
{
    switch (settings->peer) {
    case BIGHT_TLS_PEER_REQUIRED:
        return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    case BIGHT_TLS_PEER_OPTIONAL:
        return SSL_VERIFY_PEER;
    case BIGHT_TLS_PEER_UNCHECKED:
        return SSL_VERIFY_NONE;
    default:
        return is_client ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
    }
}
