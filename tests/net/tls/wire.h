/* What the suites of TLS share: an authority with a server's certificate for each run, and two ends
 * of a connection over a pair in memory. */
#ifndef TESTS_NET_TLS_WIRE_H
#define TESTS_NET_TLS_WIRE_H

#include <bight.h>
#include <bight/tls.h>

#include "tests/harness/world.h"
#include "tests/net/tls/authority.h"

/* Made before the first case: an authority, and of it a certificate for "localhost", 127.0.0.1 and
 * ::1; and another authority, which nobody trusts. */
extern struct authority authority, stranger;
extern struct identity localhost;
/* `open` and `close` of a suite. */
void wire_open(void);
void wire_close(void);

/* A context of a server with that certificate; of a client that trusts the authority. `options`
 * may be NULL; what they leave out is filled in. */
struct bight_tls_context *wire_server_context(const struct bight_tls_context_options *options,
                                              const struct identity *identity);
struct bight_tls_context *wire_client_context(const struct bight_tls_context_options *options);

/* One side of a handshake. */
struct wire_end {
    struct bight_stream *below;
    struct bight_tls_context *context;
    const char *host; /* NULL: a server */
    struct bight_tls_options options;
    struct bight_stream *stream; /* NULL: the handshake failed */
    struct bight_tls_failure failure;
    int code;
};

/* Both sides at once, each in a task of its own. A stream below is ended where it failed. */
void wire_shake(struct wire_end *client, struct wire_end *server);
/* The usual two over a new pair, and their contexts. */
void wire_connect(struct wire_end *client, struct wire_end *server,
                  const struct bight_stream_pair_options *options);
void wire_end(struct wire_end *client, struct wire_end *server);
void wire_free_contexts(struct wire_end *client, struct wire_end *server);

#endif
