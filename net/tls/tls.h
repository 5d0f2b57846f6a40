/* The private part of TLS: context.c keeps an SSL_CTX, which native.c and certificates.c make of
 * options, sessions.c a client's sessions; bio.c is how OpenSSL reads and writes, stream.c the kind
 * of stream, handshake.c how one begins, choose.c the server's choice by name, failure.c what
 * OpenSSL says when something fails. */
#ifndef BIGHT_NET_TLS_TLS_H
#define BIGHT_NET_TLS_TLS_H

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <bight/tls.h>

#include "runtime/stream/layer.h"

/* The most that may come from below before an established connection has a byte for the reader: a
 * record is at most 16 KiB, and what else a peer may send between two is short. */
#define TLS_IDLE_BYTES ((size_t)64 << 10)

#define TLS_RECORD_BYTES 16384u
#define TLS_NAME_BYTES 256u

struct bight_tls_context {
    pthread_mutex_t lock; /* of all below, but for `users` */
    atomic_uint users;
    SSL_CTX *current;
    struct bight_link sessions; /* of clients, the newest first */
    unsigned sessions_count;
};

/* What an SSL_CTX carries for us. It goes with it. */
struct tls_settings {
    enum bight_tls_peer peer;
    bool has_certificate;
    bool has_trust;     /* told whom, not the system's default */
    bool trusts_system; /* has read whom that trusts; with the context's lock */
    bool resumes;
    int (*choose)(void *arg, const char *name, struct bight_tls_context **context);
    void *choose_arg;
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH]; /* tickets say for whom they are */
    unsigned alpn_bytes;
    unsigned char alpn[]; /* as on the wire */
};

struct tls {
    struct layer layer; /* first */
    SSL *ssl;
    struct bight_tls_context *context;
    size_t idle_bytes; /* came since the last byte for the reader */
    int below_code;    /* what stopped OpenSSL from reading or writing below */
    int failed;        /* what every further use of `ssl` returns; 0: it works */
    bool established;
    bool said_end; /* close_notify */
    bool is_client;
    char session_key[]; /* "": none */
};

static inline struct tls *bight__tls_of(const struct bight_stream *stream)
{
    return (struct tls *)(uintptr_t)stream;
}

/* The seams of this thread's runtime; NULL: it has none. */
const struct bight_seams *bight__tls_seams(void);

/* failure.c. OpenSSL's queue of errors is the thread's: it is empty before each call, so that what
 * is found after it is the call's. */
static inline void bight__tls_errors_clear(void)
{
    if (unlikely(ERR_peek_error()))
        ERR_clear_error();
}

/* A call outside of a connection failed, with what OpenSSL has in its queue: BIGHT_ENOMEM or
 * BIGHT_ETLS. `what` begins the text; `failure` may be NULL. The queue is empty afterwards. */
int bight__tls_fail(struct bight_tls_failure *failure, const char *what);
/* The same with a text of our own. Returns `code`. */
int bight__tls_refuse(struct bight_tls_failure *failure, int code, const char *text);
/* A handshake failed with `code`. */
void bight__tls_explain(struct bight_tls_failure *failure, const struct tls *tls, int code);
/* What a failed SSL_read, SSL_write, ... means: 0 is an end, and BIGHT_EAGAIN is none. */
int bight__tls_error(struct tls *tls, int result);

/* certificates.c: put those of the options into the context. */
int bight__tls_certify(SSL_CTX *native, const struct bight_tls_context_options *options,
                       struct bight_tls_failure *failure);
int bight__tls_trust(SSL_CTX *native, const struct bight_tls_context_options *options,
                     struct bight_tls_failure *failure);
/* Trust whom the system does, unless the options said whom. A server never needs them, and to read
 * them takes longer than a hundred handshakes. */
int bight__tls_trust_system(struct bight_tls_context *context, SSL_CTX *native,
                            struct bight_tls_failure *failure);

/* native.c: an SSL_CTX made of options; *out is to be freed. */
int bight__tls_native_new(SSL_CTX **out, const struct bight_tls_context_options *options,
                          struct bight_tls_failure *failure);
struct tls_settings *bight__tls_settings(const SSL_CTX *native);
/* Have it take the tickets of those that have this id; whether that worked. */
bool bight__tls_set_id(SSL_CTX *native, const unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH]);
/* As SSL_set_verify wants it. */
int bight__tls_verify_mode(const struct tls_settings *settings, bool is_client);

/* context.c: one more user of it; the current SSL_CTX, to be freed. */
void bight__tls_context_hold(struct bight_tls_context *context);
SSL_CTX *bight__tls_context_current(struct bight_tls_context *context);
/* That of the runtime, with all defaults, made when it is needed. It stays the runtime's. */
int bight__tls_context_default(struct bight_tls_context **out, struct bight_tls_failure *failure);

/* choose.c: OpenSSL's callback for a client's first message. */
int bight__tls_on_hello(SSL *ssl, int *alert, void *arg);

/* sessions.c: offer the newest session of that name to the server, if there is one. */
void bight__tls_sessions_offer(struct bight_tls_context *context, SSL *ssl, const char *key);
/* OpenSSL's callback: a ticket came. */
int bight__tls_on_session(SSL *ssl, SSL_SESSION *native);
/* Forget them all. */
void bight__tls_sessions_free(struct bight_tls_context *context);

/* bio.c: what `ssl` reads from and writes to: the stream below. 0 or BIGHT_ENOMEM. */
int bight__tls_bio_attach(struct tls *tls);

/* stream.c */
extern const struct stream_ops bight__tls_ops[2];

#endif
