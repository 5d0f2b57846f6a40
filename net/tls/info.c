/* What a connection is like. */
#include "net/tls/tls.h"

#include <openssl/x509.h>

#include <stdio.h>
#include <string.h>

static void write_subject(X509 *certificate, char *text, size_t text_bytes)
{
    BIO *memory = BIO_new(BIO_s_mem());
    int count = -1;

    text[0] = '\0';
    if (memory &&
        X509_NAME_print_ex(memory, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0)
        count = BIO_read(memory, text, (int)text_bytes - 1);
    if (count > 0)
        text[count] = '\0';
    BIO_free(memory);
}

static void describe_peer(SSL *ssl, struct bight_tls_info *info)
{
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    unsigned bytes = sizeof(info->sha256);

    info->has_certificate = certificate != NULL;
    if (!certificate)
        return;
    info->verified =
        SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE && SSL_get_verify_result(ssl) == X509_V_OK;
    write_subject(certificate, info->subject, sizeof(info->subject));
    if (X509_digest(certificate, EVP_sha256(), info->sha256, &bytes) != 1)
        memset(info->sha256, 0, sizeof(info->sha256));
    X509_free(certificate);
}

int bight_tls_get_info(const struct bight_stream *stream, struct bight_tls_info *info)
{
    const unsigned char *protocol;
    const char *name;
    unsigned bytes;
    SSL *ssl;

    if (!stream || !info)
        return BIGHT_EINVAL;
    ssl = bight_tls_native(stream);
    if (!ssl)
        return BIGHT_ENOTSUP;
    *info = (struct bight_tls_info){
        .version = SSL_get_version(ssl),
        .cipher = SSL_get_cipher_name(ssl),
        .resumed = SSL_session_reused(ssl) == 1,
    };
    SSL_get0_alpn_selected(ssl, &protocol, &bytes);
    if (bytes)
        memcpy(info->alpn, protocol, bytes); /* at most 255 bytes */
    name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(info->name, sizeof(info->name), "%s", name ? name : "");
    describe_peer(ssl, info);
    ERR_clear_error();
    return 0;
}
