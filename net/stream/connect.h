/* What the calls that connect share. */
#ifndef BIGHT_NET_STREAM_CONNECT_H
#define BIGHT_NET_STREAM_CONNECT_H

#include <bight/address.h>

/* order.c: have the addresses of the two families take turns, from that of the first on (RFC 8305
 * section 4). Those of one family keep their order. At most BIGHT_RESOLVE_ADDRESSES. */
void bight__connect_order(struct bight_address *addresses, size_t count);

#endif
