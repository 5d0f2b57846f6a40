/* IP addresses and their texts. No name is looked up here. */
#include "runtime/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The number of an interface given by name or number; 0: there is none. */
static uint32_t zone_number(const char *zone)
{
    unsigned index = if_nametoindex(zone);
    char *end;

    if (index || !*zone)
        return index;
    unsigned long number = strtoul(zone, &end, 10);
    return *end || number > UINT32_MAX ? 0 : (uint32_t)number;
}

/* `in_url`: as written in a URL, where the percent sign itself may be encoded (RFC 6874). */
static int parse_ipv6(const char *text, size_t bytes, bool in_url, struct bight_address *address)
{
    char copy[INET6_ADDRSTRLEN + IF_NAMESIZE];
    char *zone;

    if (bytes >= sizeof(copy))
        return BIGHT_EINVAL;
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    zone = strchr(copy, '%');
    if (zone)
        *zone++ = '\0';
    if (inet_pton(AF_INET6, copy, address->bytes) != 1)
        return BIGHT_EINVAL;
    if (zone) {
        if (in_url && strncmp(zone, "25", 2) == 0 && zone[2])
            zone += 2;
        address->scope_id = zone_number(zone);
        if (!address->scope_id)
            return BIGHT_EINVAL;
    }
    address->family = 6;
    return 0;
}

int bight_address_parse(const char *text, struct bight_address *address)
{
    size_t bytes;

    if (!text || !address)
        return BIGHT_EINVAL;
    bytes = strlen(text);
    memset(address, 0, sizeof(*address));
    if (bytes > 2 && text[0] == '[' && text[bytes - 1] == ']')
        return parse_ipv6(text + 1, bytes - 2, true, address);
    if (strchr(text, ':'))
        return parse_ipv6(text, bytes, false, address);
    if (inet_pton(AF_INET, text, address->bytes) != 1)
        return BIGHT_EINVAL;
    address->family = 4;
    return 0;
}

int bight__address_from_sockaddr(const struct sockaddr *from, struct bight_address *address)
{
    memset(address, 0, sizeof(*address));
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        address->family = 4;
        memcpy(address->bytes, &v4->sin_addr, 4);
        address->port = ntohs(v4->sin_port);
        return 0;
    }
    if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;

        address->port = ntohs(v6->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
            address->family = 4;
            memcpy(address->bytes, v6->sin6_addr.s6_addr + 12, 4);
            return 0;
        }
        address->family = 6;
        memcpy(address->bytes, &v6->sin6_addr, 16);
        address->scope_id = v6->sin6_scope_id;
        return 0;
    }
    return BIGHT_EINVAL;
}

unsigned bight__address_to_sockaddr(const struct bight_address *address,
                                    struct sockaddr_storage *to)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

    memset(to, 0, sizeof(*to));
    if (address->family == 4) {
        v4->sin_family = AF_INET;
        memcpy(&v4->sin_addr, address->bytes, 4);
        v4->sin_port = htons(address->port);
        return sizeof(*v4);
    }
    v6->sin6_family = AF_INET6;
    memcpy(&v6->sin6_addr, address->bytes, 16);
    v6->sin6_port = htons(address->port);
    v6->sin6_scope_id = address->scope_id;
    return sizeof(*v6);
}

char *bight_address_text(const struct bight_address *address, char *text)
{
    char host[INET6_ADDRSTRLEN] = "?";
    char zone[IF_NAMESIZE + 1] = "";

    if (!address || !text)
        return NULL;
    if (address->family == 4) {
        inet_ntop(AF_INET, address->bytes, host, sizeof(host));
        if (address->port)
            snprintf(text, BIGHT_ADDRESS_TEXT_BYTES, "%s:%u", host, address->port);
        else
            snprintf(text, BIGHT_ADDRESS_TEXT_BYTES, "%s", host);
        return text;
    }
    if (address->family == 6)
        inet_ntop(AF_INET6, address->bytes, host, sizeof(host));
    if (address->scope_id) {
        zone[0] = '%';
        if (!if_indextoname(address->scope_id, zone + 1))
            snprintf(zone + 1, sizeof(zone) - 1, "%u", address->scope_id);
    }
    if (address->port)
        snprintf(text, BIGHT_ADDRESS_TEXT_BYTES, "[%s%s]:%u", host, zone, address->port);
    else
        snprintf(text, BIGHT_ADDRESS_TEXT_BYTES, "%s%s", host, zone);
    return text;
}
