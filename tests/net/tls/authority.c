/* See authority.h. */
#include "tests/net/tls/authority.h"

#include <check.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define DAY_S 86400L
#define DEFAULT_DAYS 30

static void to_text(BIO *memory, char *text, size_t text_bytes)
{
    int count = BIO_read(memory, text, (int)text_bytes - 1);

    ck_assert_int_gt(count, 0);
    ck_assert_int_eq(BIO_pending(memory), 0);
    text[count] = '\0';
    BIO_free(memory);
}

static void to_pem(X509 *certificate, EVP_PKEY *key, struct identity *identity)
{
    BIO *memory = BIO_new(BIO_s_mem());

    ck_assert_int_eq(PEM_write_bio_X509(memory, certificate), 1);
    to_text(memory, identity->certificate, sizeof(identity->certificate));
    memory = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL), 1);
    to_text(memory, identity->key, sizeof(identity->key));
}

static void extend(X509 *certificate, X509 *issuer, int which, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, which, value);
    ck_assert_ptr_nonnull(extension);
    ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static X509 *certificate_new(EVP_PKEY *key, const struct request *request)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    long to_day = request->to_day ? request->to_day : DEFAULT_DAYS;
    unsigned char serial[8];

    RAND_bytes(serial, sizeof(serial));
    serial[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), request->from_day * DAY_S - 60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), to_day * DAY_S);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)request->name, -1,
                               -1, 0);
    return certificate;
}

static void sign(X509 *certificate, const X509 *issuer, EVP_PKEY *key)
{
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
}

void authority_open(struct authority *authority, const char *name)
{
    const struct request request = {.name = name};

    authority->key = EVP_EC_gen("P-256");
    ck_assert_ptr_nonnull(authority->key);
    authority->certificate = certificate_new(authority->key, &request);
    extend(authority->certificate, authority->certificate, NID_basic_constraints,
           "critical,CA:TRUE");
    extend(authority->certificate, authority->certificate, NID_key_usage,
           "critical,keyCertSign,cRLSign");
    extend(authority->certificate, authority->certificate, NID_subject_key_identifier, "hash");
    sign(authority->certificate, authority->certificate, authority->key);
    to_pem(authority->certificate, authority->key, &authority->pem);
}

void authority_close(struct authority *authority)
{
    X509_free(authority->certificate);
    EVP_PKEY_free(authority->key);
}

void authority_issue(const struct authority *authority, const struct request *request,
                     struct identity *identity)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = certificate_new(key, request);
    X509 *issuer = authority ? authority->certificate : certificate;

    extend(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
    extend(certificate, issuer, NID_subject_key_identifier, "hash");
    if (authority) /* who verifies strictly wants it: Python from 3.13 on */
        extend(certificate, issuer, NID_authority_key_identifier, "keyid");
    if (request->names)
        extend(certificate, issuer, NID_subject_alt_name, request->names);
    if (request->usage)
        extend(certificate, issuer, NID_ext_key_usage, request->usage);
    sign(certificate, issuer, authority ? authority->key : key);
    to_pem(certificate, key, identity);
    X509_free(certificate);
    EVP_PKEY_free(key);
}
