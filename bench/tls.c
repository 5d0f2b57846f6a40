/* TLS: CPU time of a server on one core per full handshake and per 16 KiB that go both ways, and
 * the memory of its connections, with the load on the other core. */
#include "bench/tls.h"
#include "bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define ROUNDS 9

static void to_text(BIO *memory, char *text, size_t text_bytes)
{
    int count = BIO_read(memory, text, (int)text_bytes - 1);

    bench_check(count > 0 && !BIO_pending(memory) ? 0 : -EIO, "PEM");
    text[count] = '\0';
    BIO_free(memory);
}

void tls_identity_make(struct tls_identity *identity)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    BIO *memory = BIO_new(BIO_s_mem());

    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"bench", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    bench_check(X509_sign(certificate, key, EVP_sha256()) > 0 ? 0 : -EIO, "certificate");
    PEM_write_bio_X509(memory, certificate);
    to_text(memory, identity->certificate, sizeof identity->certificate);
    memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL);
    to_text(memory, identity->key, sizeof identity->key);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static double of_bight(void *arg, uint64_t operations)
{
    return serving_measured(arg, "bight", operations);
}

static double of_raw(void *arg, uint64_t operations)
{
    return serving_measured(arg, "raw", operations);
}

/* Bytes per connection when all have been served once, without OpenSSL's own. */
static double idle_bytes(void *arg, uint64_t connections)
{
    return serving_idle_bytes(arg, "idle", connections);
}

static struct serving large = {.connections = 64, .bytes = 16384, .put = tls_put};
static struct serving small = {.connections = 64, .bytes = 64, .put = tls_put};
static struct serving handshakes = {.one_each = true, .bytes = 1, .put = tls_put_handshakes};

static const struct bench_row rows[] = {
    {"tls_handshake", "CPU us per connection", "OpenSSL over memory BIOs", of_bight, of_raw,
     &handshakes, 600, .samples = ROUNDS},
    {"tls_16k", "CPU us per request", "OpenSSL over memory BIOs", of_bight, of_raw, &large, 12000,
     .samples = ROUNDS},
    {"tls_64", "CPU us per request", "OpenSSL over memory BIOs", of_bight, of_raw, &small, 24000,
     .samples = ROUNDS},
    {"bytes_per_connection_tls", "bytes", NULL, idle_bytes, NULL, &small, 5000, .samples = 3},
};

static int server_main(const char *server, struct serving_job *job)
{
    struct tls_identity identity;
    bool idle = strcmp(server, "idle") == 0;

    if (idle)
        tls_count_memory(job);
    tls_identity_make(&identity);
    if (strcmp(server, "raw") == 0)
        tls_raw(job, &identity);
    else
        tls_bight(job, &identity);
    if (!idle)
        serving_job_done();
    return 0;
}

int main(int argc, char **argv)
{
    struct serving_job job;

    serving_raise_descriptors();
    if (serving_job_read(argc, argv, &job))
        return server_main(argv[1], &job);
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
