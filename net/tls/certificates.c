/* Certificates, keys and trust, from files or text in PEM. */
#include "net/tls/tls.h"

#include <openssl/pem.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* OpenSSL asks on the terminal when it is given no callback. */
static int give_password(char *buffer, int bytes, int writes, void *arg)
{
    const char *password = arg;
    int length = 0;

    (void)writes;
    if (!password)
        return -1;
    for (; password[length]; length++) {
        if (length == bytes)
            return -1;
        buffer[length] = password[length];
    }
    return length;
}

static BIO *open_text(const char *text)
{
    size_t bytes = strlen(text);

    return bytes <= INT_MAX ? BIO_new_mem_buf(text, (int)bytes) : NULL;
}

static BIO *open_pem(const char *file, const char *text)
{
    return text ? open_text(text) : BIO_new_file(file, "r");
}

/* What a text is called in a failure's. */
static int fail(struct bight_tls_failure *failure, const char *what, const char *file)
{
    char text[160];

    snprintf(text, sizeof(text), "%s %s", what, file ? file : "(as text)");
    return bight__tls_fail(failure, text);
}

/* The next certificate; NULL: there is none, or it is broken, which the queue of errors says. */
static X509 *next_certificate(BIO *from)
{
    return PEM_read_bio_X509(from, NULL, give_password, NULL);
}

/* Whether the text had no further block, which is the one good reason for a read to fail. */
static bool was_end(void)
{
    unsigned long error = ERR_peek_last_error();

    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static bool use_leaf(SSL_CTX *native, BIO *from)
{
    X509 *leaf = next_certificate(from);
    bool used = leaf && SSL_CTX_use_certificate(native, leaf) == 1;

    X509_free(leaf);
    return used;
}

static bool use_chain(SSL_CTX *native, BIO *from)
{
    X509 *link;

    if (!use_leaf(native, from))
        return false;
    while ((link = next_certificate(from))) {
        if (SSL_CTX_add0_chain_cert(native, link) != 1) {
            X509_free(link);
            return false;
        }
    }
    if (!was_end())
        return false;
    ERR_clear_error();
    return true;
}

static bool use_key(SSL_CTX *native, BIO *from, const char *password)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(from, NULL, give_password, (void *)(uintptr_t)password);
    bool used = key && SSL_CTX_use_PrivateKey(native, key) == 1;

    EVP_PKEY_free(key);
    return used;
}

static int certificate(SSL_CTX *native, const struct bight_tls_context_options *options,
                       struct bight_tls_failure *failure)
{
    BIO *from = open_pem(options->certificate_file, options->certificate_pem);
    bool used = from && use_chain(native, from);

    BIO_free(from);
    return used ? 0 : fail(failure, "certificate", options->certificate_file);
}

static int key(SSL_CTX *native, const struct bight_tls_context_options *options,
               struct bight_tls_failure *failure)
{
    const char *file = options->key_file ? options->key_file : options->certificate_file;
    const char *text = options->key_pem ? options->key_pem : options->certificate_pem;
    BIO *from;
    bool used;

    if (options->key_file)
        text = NULL;
    else if (text)
        file = NULL;
    from = open_pem(file, text);
    used =
        from && use_key(native, from, options->password) && SSL_CTX_check_private_key(native) == 1;
    BIO_free(from);
    return used ? 0 : fail(failure, "private key", file);
}

int bight__tls_certify(SSL_CTX *native, const struct bight_tls_context_options *options,
                       struct bight_tls_failure *failure)
{
    int rc;

    bight__tls_errors_clear();
    if (!options->certificate_file && !options->certificate_pem)
        return 0;
    rc = certificate(native, options, failure);
    return rc ? rc : key(native, options, failure);
}

/* Those of a text are trusted, and named to clients that are asked for a certificate. */
static bool trust_all(SSL_CTX *native, BIO *from)
{
    X509_STORE *store = SSL_CTX_get_cert_store(native);
    X509 *root = next_certificate(from);

    for (; root; root = next_certificate(from)) {
        bool added =
            X509_STORE_add_cert(store, root) == 1 && SSL_CTX_add_client_CA(native, root) == 1;

        X509_free(root);
        if (!added)
            return false;
        ERR_clear_error();
    }
    return was_end() && sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) > 0;
}

static int trust(SSL_CTX *native, const char *file, const char *text,
                 struct bight_tls_failure *failure)
{
    BIO *from = open_pem(file, text);
    bool trusted = from && trust_all(native, from);

    BIO_free(from);
    if (!trusted)
        return fail(failure, "trusted certificates", file);
    ERR_clear_error();
    return 0;
}

int bight__tls_trust(SSL_CTX *native, const struct bight_tls_context_options *options,
                     struct bight_tls_failure *failure)
{
    int rc = 0;

    bight__tls_errors_clear();
    if (options->ca_file)
        rc = trust(native, options->ca_file, NULL, failure);
    if (rc == 0 && options->ca_pem)
        rc = trust(native, NULL, options->ca_pem, failure);
    if (rc == 0 && options->ca_dir && SSL_CTX_load_verify_dir(native, options->ca_dir) != 1)
        rc = fail(failure, "trusted certificates", options->ca_dir);
    return rc;
}

int bight__tls_trust_system(struct bight_tls_context *context, SSL_CTX *native,
                            struct bight_tls_failure *failure)
{
    struct tls_settings *settings = bight__tls_settings(native);
    bool trusted;

    pthread_mutex_lock(&context->lock);
    bight__tls_errors_clear();
    trusted = settings->has_trust || settings->trusts_system ||
              SSL_CTX_set_default_verify_paths(native) == 1;
    settings->trusts_system = trusted;
    pthread_mutex_unlock(&context->lock);
    return trusted ? 0 : fail(failure, "trusted certificates", "of the system");
}
