/* Whom the server believes what it says of others, and the PROXY protocol, by which it says so
 * before a connection's first byte. */
#ifndef BIGHT_NET_SERVER_TRUST_H
#define BIGHT_NET_SERVER_TRUST_H

#include <bight/address.h>

struct bight_seams;

/* An address with the bits of it that count. */
struct network {
    struct bight_address address;
    unsigned bits;
};

struct trust {
    struct network *networks;
    unsigned count;
    bool local; /* peers without an address too */
};

/* trust.c: addresses and networks with commas between, and "unix"; 0 or a negative code. */
int bight__trust_parse(struct trust *trust, const char *text, const struct bight_seams *seams);
void bight__trust_free(struct trust *trust);
/* NULL: a peer without an address. */
bool bight__trusts(const struct trust *trust, const struct bight_address *address);

enum proxy_verdict {
    PROXY_MORE,    /* bytes are missing */
    PROXY_BAD,     /* it is no such header */
    PROXY_UNNAMED, /* the connection is the proxy's own, or of an unknown kind */
    PROXY_NAMED,
};

/* proxy_header.c: look at the first `bytes` of a connection: *length is the header's. */
enum proxy_verdict bight__proxy_header(const char *data, size_t bytes, size_t *length,
                                       struct bight_address *peer);

#endif
