/* IP addresses with a port, and their texts. */
#ifndef BIGHT_ADDRESS_H
#define BIGHT_ADDRESS_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

/* Room for bight_address_text, with its final NUL: [address%zone]:port. */
#define BIGHT_ADDRESS_TEXT_BYTES 72

struct bight_address {
    /* 4 or 6. */
    uint8_t family;
    /* In network order; IPv4 has 4, and zeros behind them. */
    uint8_t bytes[16];
    /* In host order; 0 in what a resolver returns. */
    uint16_t port;
    /* The zone of a link-local IPv6 address, 0 for none. */
    uint32_t scope_id;
};

/** Read an IPv4 or IPv6 literal: 192.0.2.1, 2001:db8::1, fe80::1%eth0, or IPv6 in brackets; without
 *  a port, which becomes 0. No name is looked up.
 *
 *  @return 0; BIGHT_EINVAL: not a literal, or its zone is no interface.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_address_parse(const char *text, struct bight_address *address);

/** Write `address` as text: 192.0.2.1 or 2001:db8::1, with a port 192.0.2.1:80 or [2001:db8::1]:80.
 *
 *  @return text.
 *  Thread: any.  Ownership: text has room for BIGHT_ADDRESS_TEXT_BYTES.
 */
BIGHT_API char *bight_address_text(const struct bight_address *address, char *text);

BIGHT_END_DECLS

#endif
