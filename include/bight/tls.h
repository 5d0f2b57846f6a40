/* TLS over any stream, by OpenSSL (libbight-tls). A connection is a stream like others
 * (<bight/stream.h>): what is written to it goes encrypted through the stream below.
 *
 *     rc = bight_tls_connect(&stream, "example.org", 443, NULL, NULL, &failure);
 *     if (rc)
 *         fprintf(stderr, "%s\n", failure.text);
 *
 * A client checks the server's certificate and that it is for the host that was asked for; only
 * `peer` of the context's options changes that. TLS 1.2 is the oldest version, there is no
 * renegotiation, no compression and no early data.
 *
 * What is different from a plain stream: bight_stream_shutdown tells the peer that no more comes
 * (close_notify) and leaves the connection below open; a peer that ends that without having said so
 * may have been cut off by somebody else: reads return BIGHT_EPROTOCOL, not an end; and up to 64
 * KiB that were written may still be in the stream when the peer takes nothing, so give
 * bight_stream_end some time. */
#ifndef BIGHT_TLS_H
#define BIGHT_TLS_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/listener.h>
#include <bight/stream.h>
#include <bight/tcp.h>

BIGHT_BEGIN_DECLS

/* Certificates, trust and settings, for any number of connections, as client or server. */
struct bight_tls_context;

/* OpenSSL's SSL_CTX and SSL. */
struct ssl_ctx_st;
struct ssl_st;

/* Why something of TLS failed. */
struct bight_tls_failure {
    /* What the call returned. */
    int code;
    /* Why the peer's certificate was refused: OpenSSL's X509_V_ERR_*; 0: it was not. */
    int verify_code;
    /* The alert that the peer sent, as its number (RFC 8446, 6.2); 0: none. */
    int alert;
    /* A sentence without a period. */
    char text[256];
};

enum bight_tls_peer {
    /* A client requires a certificate of the server, a server asks for none of the client. */
    BIGHT_TLS_PEER_DEFAULT,
    /* Without a valid certificate there is no connection. */
    BIGHT_TLS_PEER_REQUIRED,
    /* A certificate is asked for and has to be valid if one comes. Of a server only. */
    BIGHT_TLS_PEER_OPTIONAL,
    /* None is asked for, and that of a server is not looked at: anybody can be the peer. */
    BIGHT_TLS_PEER_UNCHECKED,
};

enum bight_tls_version {
    BIGHT_TLS_VERSION_DEFAULT,
    BIGHT_TLS_VERSION_1_2,
    BIGHT_TLS_VERSION_1_3,
};

/* Zero is the default for every field. */
struct bight_tls_context_options {
    /* Who we are: a file in PEM with our certificate and behind it those that lead to the root's,
     * and one with the private key; default for the key: the same file. A server needs them. */
    const char *certificate_file;
    const char *key_file;
    /* The same as text. */
    const char *certificate_pem;
    const char *key_pem;
    /* Of the key. A key that has one is refused without it: nobody is asked. */
    const char *password;
    /* Whom we trust: a file in PEM, a folder as `openssl rehash` makes it, a text in PEM, together.
     * Default: whom the system trusts, which is read with the first connection of a client; for a
     * server that asks for certificates there is none. */
    const char *ca_file;
    const char *ca_dir;
    const char *ca_pem;
    enum bight_tls_peer peer;
    enum bight_tls_version oldest;
    enum bight_tls_version newest;
    /* Application protocols (ALPN, RFC 7301), the best first, such as "h2", "http/1.1". A server
     * refuses a client of which it knows none. */
    const char *const *alpn;
    size_t alpn_count;
    /* In OpenSSL's words: of TLS 1.2, of TLS 1.3, and the groups of the key exchange. */
    const char *ciphers;
    const char *ciphersuites;
    const char *groups;
    /* Make every handshake a full one: tickets are neither given nor used. */
    bool no_resumption;
    /* Of a server: called for each handshake with the name that the client asked for, NULL: none.
     * It may set *context to another one, whose certificates and settings are used then, but for
     * `groups`. It runs on the loop's stack and must not suspend.
     *
     * 0; anything else refuses the client (unrecognized_name). */
    int (*choose)(void *arg, const char *name, struct bight_tls_context **context);
    void *choose_arg;
    /* Called at last with the new SSL_CTX, for what has no option here. 0, or what the call that
     * makes the context is to return. */
    int (*configure)(void *arg, struct ssl_ctx_st *native);
    void *configure_arg;
};

/** Make a context. Files are read now; the thread waits for the disk.
 *
 *  @return 0; BIGHT_ETLS: a file, a text or a word of the options, or key and certificate do not
 *          fit; BIGHT_EINVAL: a contradiction; BIGHT_ENOMEM; what `configure` returned. *failure,
 *          which may be NULL, says more.
 *  Thread: any.  Ownership: borrows options, NULL for the defaults; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_tls_context_new(struct bight_tls_context **out,
                      const struct bight_tls_context_options *options,
                      struct bight_tls_failure *failure);

/** Have connections that begin from now on use `options`: certificates are renewed without a
 *  restart. Connections that exist keep what they began with. When it fails, nothing has changed.
 *  Tickets that a server gave remain valid unless it asks for certificates; a client forgets its
 *  sessions, which others may have been trusted for.
 *
 *  @return as bight_tls_context_new.
 *  Thread: any.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_tls_context_reload(struct bight_tls_context *context,
                         const struct bight_tls_context_options *options,
                         struct bight_tls_failure *failure);

/** Let go of it. Connections keep what they need.
 *
 *  Thread: any.  Ownership: takes context; NULL does nothing.
 */
BIGHT_API void bight_tls_context_free(struct bight_tls_context *context);

/* Zero is the default for every field. */
struct bight_tls_options {
    /* How long the handshake may take; default 30,000; negative: as long as the scope allows. */
    int64_t handshake_ms;
    /* Of a client: sessions are kept for resumption under the name of the host and this one, such
     * as a port; "": none are. With bight_tls_connect it is the port by default. At most 250
     * bytes. */
    const char *session_key;
    /* At its end the stream gives the one below back, open, instead of ending it with itself. What
     * the peer sends behind its close_notify is lost. */
    bool keep_below;
};

/** Make `below`, a connection to `host`, a TLS connection: the handshake of a client. `host` is the
 *  name or IP literal that the certificate has to be for; NULL only where the peer is unchecked.
 *
 *  From now on `below` may not be used by others (BIGHT_EBUSY).
 *
 *  @return 0; BIGHT_ETLS: the certificate is refused, or anything else failed; BIGHT_EOF: the peer
 *          ended the connection; BIGHT_ETIMEDOUT; errors of `below`; BIGHT_EBUSY: a task is inside
 *          of it; BIGHT_ECLOSED; BIGHT_EPERM; BIGHT_EINVAL: no host, or one that is none;
 *          BIGHT_ETOOBIG: the name of the session is too long; BIGHT_ENOMEM; BIGHT_ECANCELED;
 *          BIGHT_ENOTASK. *failure, which may be NULL, says more.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; as after any failure `below` is only good to be ended.
 *  Allocates: the stream; OpenSSL about 30 KiB.  Thread: the loop's.
 *  Ownership: borrows options, NULL for the defaults; keeps context, NULL for that of the runtime,
 *  with all defaults; takes below on success; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_tls_client(struct bight_stream **out,
                                                struct bight_stream *below, const char *host,
                                                struct bight_tls_context *context,
                                                const struct bight_tls_options *options,
                                                struct bight_tls_failure *failure);

/** The handshake of a server, which `context` has to have a certificate for.
 *
 *  @return as bight_tls_client.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; as after any failure `below` is only good to be ended.
 *  Allocates: the stream; OpenSSL about 30 KiB.  Thread: the loop's.
 *  Ownership: borrows options, NULL for the defaults; keeps context; takes below on success; gives
 *  *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_tls_server(struct bight_stream **out,
                                                struct bight_stream *below,
                                                struct bight_tls_context *context,
                                                const struct bight_tls_options *options,
                                                struct bight_tls_failure *failure);

/** bight_tcp_connect and bight_tls_client.
 *
 *  @return as these two.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing is left open.
 *  Allocates: as these two.  Thread: the loop's.
 *  Ownership: borrows options, NULL for the defaults; keeps context, NULL for that of the runtime;
 *  gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_tls_connect(struct bight_stream **out, const char *host,
                                                 uint16_t port, struct bight_tls_context *context,
                                                 const struct bight_tls_options *options,
                                                 struct bight_tls_failure *failure);

/* Zero is the default for every field. */
struct bight_tls_serve_options {
    /* Its callbacks get the stream below. `on_failure` is called for a handshake that failed, too;
     * without one that is reported like the failure of a handler. */
    struct bight_serve_options serve;
    int64_t handshake_ms;
};

/** bight_serve with TLS: the handshake is done by the task of the connection, and `handler` gets
 *  the stream above. The end of that has `serve.end_ms`, and that of the one below again as much.
 *
 *  @return as bight_serve.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, after all handlers were cancelled and have returned.
 *  Allocates: two streams and a task per connection; OpenSSL about 30 KiB.  Thread: the loop's.
 *  Ownership: keeps listener, context and arg until it returns; borrows options, NULL for the
 *  defaults.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_tls_serve(struct bight_listener *listener, struct bight_tls_context *context,
                int (*handler)(struct bight_stream *stream, void *arg), void *arg,
                const struct bight_tls_serve_options *options);

struct bight_tls_info {
    /* Such as "TLSv1.3" and "TLS_AES_256_GCM_SHA384". */
    const char *version;
    const char *cipher;
    /* The application protocol that was agreed on; "": none. */
    char alpn[256];
    /* The name that the client asked for; "": none. */
    char name[256];
    /* The handshake was not a full one. */
    bool resumed;
    /* The peer showed a certificate, and it was found valid. */
    bool has_certificate;
    bool verified;
    /* Of that: its subject as RFC 2253 writes it, cut off where it is too long, and the SHA-256 of
     * all of it. */
    char subject[256];
    uint8_t sha256[32];
};

/** What a TLS connection is like.
 *
 *  @return 0; BIGHT_ENOTSUP: the stream is not one.
 *  Ownership: `version` and `cipher` are the stream's.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_tls_get_info(const struct bight_stream *stream,
                                                  struct bight_tls_info *info);

/** The SSL of a TLS connection, for what has no call here. It stays the stream's; nothing that
 *  reads, writes or shuts down may be done with it.
 *
 *  @return it; NULL: the stream is not a TLS connection.
 */
BIGHT_API struct ssl_st *bight_tls_native(const struct bight_stream *stream);

BIGHT_END_DECLS

#endif
