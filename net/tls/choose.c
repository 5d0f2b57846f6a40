/* The server's choice of a context by the name that the client asks for, before anything else is
 * decided: a session of another context is then not taken up. */
#include "net/tls/tls.h"

#include <string.h>

/* What is left of a message. */
struct message {
    const unsigned char *at;
    size_t bytes;
};

static bool take_number(struct message *message, size_t width, size_t *number)
{
    if (message->bytes < width)
        return false;
    *number = 0;
    for (size_t i = 0; i < width; i++)
        *number = *number << 8 | message->at[i];
    message->at += width;
    message->bytes -= width;
    return true;
}

/* The name in the extension server_name (RFC 6066, section 3): a list of one. False: it is not what
 * it should be. */
static bool parse_name(struct message message, char name[TLS_NAME_BYTES])
{
    size_t list, type, bytes;

    if (!take_number(&message, 2, &list) || list != message.bytes ||
        !take_number(&message, 1, &type) || type != TLSEXT_NAMETYPE_host_name ||
        !take_number(&message, 2, &bytes) || bytes != message.bytes)
        return false;
    if (bytes == 0 || bytes >= TLS_NAME_BYTES || memchr(message.at, 0, bytes))
        return false;
    memcpy(name, message.at, bytes);
    name[bytes] = '\0';
    return true;
}

/* Have the connection go on with another context: all of it that OpenSSL lets us exchange now. */
static int use(SSL *ssl, struct bight_tls_context *context)
{
    SSL_CTX *native = bight__tls_context_current(context);
    const struct tls_settings *settings = bight__tls_settings(native);
    bool used = SSL_set_SSL_CTX(ssl, native) != NULL;

    if (used) {
        SSL_set_verify(ssl, bight__tls_verify_mode(settings, false), NULL);
        used = SSL_set_min_proto_version(ssl, SSL_CTX_get_min_proto_version(native)) == 1 &&
               SSL_set_max_proto_version(ssl, SSL_CTX_get_max_proto_version(native)) == 1 &&
               SSL_set_num_tickets(ssl, SSL_CTX_get_num_tickets(native)) == 1;
        SSL_clear_options(ssl, SSL_OP_NO_TICKET);
        SSL_set_options(ssl, SSL_CTX_get_options(native));
    }
    used = used && (settings->has_trust || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE);
    SSL_CTX_free(native);
    return used;
}

int bight__tls_on_hello(SSL *ssl, int *alert, void *arg)
{
    const struct tls_settings *settings = bight__tls_settings(SSL_get_SSL_CTX(ssl));
    struct bight_tls_context *context = NULL;
    char name[TLS_NAME_BYTES];
    struct message message;
    bool named;

    (void)arg;
    if (!settings->choose)
        return SSL_CLIENT_HELLO_SUCCESS;
    named =
        SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &message.at, &message.bytes) == 1;
    if (named && !parse_name(message, name)) {
        *alert = SSL_AD_DECODE_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (settings->choose(settings->choose_arg, named ? name : NULL, &context)) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (context && !use(ssl, context)) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}
