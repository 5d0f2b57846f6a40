/* Certificates for the suites of TLS, made for one run by OpenSSL: an authority, and what it issues
 * or what signs itself. */
#ifndef TESTS_NET_TLS_AUTHORITY_H
#define TESTS_NET_TLS_AUTHORITY_H

#include <openssl/x509.h>

/* A certificate with its key, in PEM. */
struct identity {
    char certificate[4096];
    char key[1024];
};

struct authority {
    X509 *certificate;
    EVP_PKEY *key;
    struct identity pem;
};

struct request {
    const char *name;  /* the subject's common name */
    const char *names; /* subjectAltName, as OpenSSL writes it; NULL: none */
    int from_day;      /* validity, from today */
    int to_day;        /* 0: 30 */
    const char *usage; /* extendedKeyUsage; NULL: any */
};

void authority_open(struct authority *authority, const char *name);
void authority_close(struct authority *authority);

/* Issue a certificate; with `authority` NULL it signs itself. */
void authority_issue(const struct authority *authority, const struct request *request,
                     struct identity *identity);

#endif
