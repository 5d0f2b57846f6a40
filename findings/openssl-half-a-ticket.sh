#!/bin/sh
# OpenSSL: a client that has half of a TLS 1.3 ticket can neither write nor say its end; the second comes as a fatal error.
#
# Expected: the page of SSL_write(3) lets a write want to read because of a renegotiation, and TLS 1.3 has none. A ticket
# comes after the handshake, which is over for both, is answered by nothing, and one may ignore it (RFC 8446, section
# 4.6.1): one would expect a half of it to wait in the reading direction and leave the writing one alone. Of
# SSL_ERROR_SSL the page of SSL_get_error(3) says that no further operation should be made on the connection and
# SSL_shutdown() must not be called.
# Found: once the first record of a ticket in two records has been read, the connection is "in init" again until the
# second has come. SSL_write() fails with SSL_ERROR_WANT_READ, though nothing is wrong and nothing is to be answered, and
# SSL_shutdown() with SSL_ERROR_SSL, "shutdown while in init". When the rest has come both work. A ticket is longer than
# a record where it carries a client's certificate or data of the application and the server limits its records.
# What helps: after such an answer to a write wait for the peer as after one to a read, and look whether SSL_in_init()
# before SSL_shutdown(): SSL_do_handshake() then goes on with the ticket. Do not give the connection up.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack libssl3=3.0.22-1~deb12u2 libssl-dev=3.0.22-1~deb12u2
build -lssl -lcrypto <<'C'
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

static int lengthen(SSL *ssl, void *arg) {
    static const char data[1000];
    (void)arg;
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), data, sizeof(data));
}

static SSL_TICKET_RETURN ignore(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t bytes,
                                SSL_TICKET_STATUS status, void *arg) {
    (void)ssl, (void)session, (void)name, (void)bytes, (void)status, (void)arg;
    return SSL_TICKET_RETURN_IGNORE;
}

static void identify(SSL_CTX *context) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static SSL *end_new(SSL_CTX *context) {
    SSL *ssl = SSL_new(context);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    return ssl;
}

/* Carry what one has written to the other: up to so many records. */
static int carry(SSL *from, SSL *to, int records) {
    unsigned char record[20000];
    int count = 0;
    while (count < records && BIO_read(SSL_get_wbio(from), record, 5) == 5) {
        int bytes = record[3] << 8 | record[4];
        BIO_read(SSL_get_wbio(from), record + 5, bytes);
        BIO_write(SSL_get_rbio(to), record, 5 + bytes);
        count++;
    }
    return count;
}

static const char *kind(SSL *ssl, int result) {
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_NONE: return "none";
    case SSL_ERROR_WANT_READ: return "wants to read";
    case SSL_ERROR_SSL: return ERR_reason_error_string(ERR_get_error());
    default: return "another";
    }
}

static void tries(const char *when, SSL *client) {
    char byte;
    ERR_clear_error();
    int result = SSL_read(client, &byte, 1);
    printf("%s: read %d, %s\n", when, result, kind(client, result));
    ERR_clear_error();
    result = SSL_write(client, "x", 1);
    printf("%s: write %d, %s\n", when, result, kind(client, result));
    ERR_clear_error();
    result = SSL_shutdown(client);
    printf("%s: shutdown %d, %s\n", when, result, result < 0 ? kind(client, result) : "none");
}

int main(void) {
    SSL_CTX *as_server = SSL_CTX_new(TLS_server_method()), *as_client = SSL_CTX_new(TLS_client_method());
    identify(as_server);
    SSL_CTX_set_max_send_fragment(as_server, 512);
    SSL_CTX_set_session_ticket_cb(as_server, lengthen, ignore, NULL);
    SSL_CTX_set_num_tickets(as_server, 1);
    SSL *server = end_new(as_server), *client = end_new(as_client);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    int done = 0;
    for (int i = 0; i < 10 && !done; i++) {
        int over = SSL_do_handshake(client) == 1;
        carry(client, server, 100);
        done = SSL_do_handshake(server) == 1 && over;
        carry(server, client, done ? 0 : 100);
    }
    printf("%s, handshake %s\n", SSL_get_version(client), done && SSL_is_init_finished(client) ? "over" : "not over");
    carry(server, client, 1);
    tries("half a ticket", client);
    printf("records that follow: %d\n", carry(server, client, 100) > 0);
    tries("all of it", client);
    SSL_free(server);
    SSL_free(client);
    SSL_CTX_free(as_server);
    SSL_CTX_free(as_client);
    return 0;
}
C
shows "$work/program" <<'OUTPUT'
TLSv1.3, handshake over
half a ticket: read -1, wants to read
half a ticket: write -1, wants to read
half a ticket: shutdown -1, shutdown while in init
records that follow: 1
all of it: read -1, wants to read
all of it: write 1, none
all of it: shutdown 0, none
OUTPUT
