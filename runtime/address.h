/* IP addresses in the form that the system calls have. */
#ifndef BIGHT_RUNTIME_ADDRESS_H
#define BIGHT_RUNTIME_ADDRESS_H

#include <bight/address.h>

#include "coro/base/door.h"

struct sockaddr;
struct sockaddr_storage;

/* 0, or BIGHT_EINVAL when it is no IP address. An IPv4 address in the clothes of IPv6, as a socket
 * for both has it, is one of IPv4. */
BIGHT_INTERNAL_API int bight__address_from_sockaddr(const struct sockaddr *from,
                                                    struct bight_address *address);
/* Returns the length of what it wrote. */
unsigned bight__address_to_sockaddr(const struct bight_address *address,
                                    struct sockaddr_storage *to);

#endif
