/* The header of the PROXY protocol, versions 1 and 2: haproxy, doc/proxy-protocol.txt. */
#include "net/server/trust.h"

#include <string.h>

/* Of version 1, with its end; and of what is taken of version 2. */
#define LINE_BYTES 107u
#define BINARY_BYTES_MAX 4096u

#define FIXED_BYTES 16u

static const char signature[12] = {'\r', '\n', '\r', '\n', '\0', '\r',
                                   '\n', 'Q',  'U',  'I',  'T',  '\n'};

/* Cut the next word, behind which is a space or the end. False: there is none. */
static bool next_word(const char **at, const char *end, char *word, size_t bytes)
{
    const char *last = memchr(*at, ' ', (size_t)(end - *at));
    size_t length = (size_t)((last ? last : end) - *at);

    if (length == 0 || length >= bytes)
        return false;
    memcpy(word, *at, length);
    word[length] = '\0';
    *at = last ? last + 1 : end;
    return true;
}

static bool parse_port(const char *text, uint16_t *port)
{
    unsigned value = 0;

    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || value > 65535)
            return false;
        value = value * 10 + (unsigned)(*p - '0');
    }
    *port = (uint16_t)value;
    return value <= 65535;
}

/* What is behind "PROXY TCP4 " or "PROXY TCP6 ". */
static bool parse_addresses(const char *at, const char *end, int family, struct bight_address *peer)
{
    char from[BIGHT_ADDRESS_TEXT_BYTES], to[BIGHT_ADDRESS_TEXT_BYTES];
    char from_port[8], to_port[8];
    struct bight_address other;

    return next_word(&at, end, from, sizeof(from)) && next_word(&at, end, to, sizeof(to)) &&
           next_word(&at, end, from_port, sizeof(from_port)) &&
           next_word(&at, end, to_port, sizeof(to_port)) && at == end &&
           bight_address_parse(from, peer) == 0 && peer->family == family &&
           bight_address_parse(to, &other) == 0 && other.family == family &&
           parse_port(to_port, &other.port) && parse_port(from_port, &peer->port);
}

static enum proxy_verdict text_header(const char *data, size_t bytes, size_t *length,
                                      struct bight_address *peer)
{
    const char *end = memchr(data, '\n', bytes < LINE_BYTES ? bytes : LINE_BYTES);

    if (!end)
        return bytes < LINE_BYTES ? PROXY_MORE : PROXY_BAD;
    *length = (size_t)(end + 1 - data);
    if (*length < 8 || *--end != '\r' || memcmp(data, "PROXY ", 6) != 0)
        return PROXY_BAD;
    data += 6;
    if (end - data >= 7 && memcmp(data, "UNKNOWN", 7) == 0)
        return PROXY_UNNAMED;
    if (end - data < 5 || memcmp(data, "TCP", 3) != 0 || (data[3] != '4' && data[3] != '6') ||
        data[4] != ' ')
        return PROXY_BAD;
    return parse_addresses(data + 5, end, data[3] - '0', peer) ? PROXY_NAMED : PROXY_BAD;
}

static uint16_t big_endian(const unsigned char *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static enum proxy_verdict binary_header(const char *data, size_t bytes, size_t *length,
                                        struct bight_address *peer)
{
    const unsigned char *at = (const unsigned char *)data;
    unsigned kind;
    size_t more;

    if (bytes < FIXED_BYTES)
        return PROXY_MORE;
    more = big_endian(at + 14);
    *length = FIXED_BYTES + more;
    if (at[12] >> 4 != 2 || (at[12] & 15) > 1 || *length > BINARY_BYTES_MAX)
        return PROXY_BAD;
    if (bytes < *length)
        return PROXY_MORE;
    kind = at[13] >> 4;
    if ((at[12] & 15) == 0 || (kind != 1 && kind != 2))
        return PROXY_UNNAMED;
    if (more < (kind == 1 ? 12u : 36u))
        return PROXY_BAD;
    *peer = (struct bight_address){.family = kind == 1 ? 4 : 6};
    memcpy(peer->bytes, at + FIXED_BYTES, kind == 1 ? 4 : 16);
    peer->port = big_endian(at + FIXED_BYTES + (kind == 1 ? 8 : 32));
    return PROXY_NAMED;
}

enum proxy_verdict bight__proxy_header(const char *data, size_t bytes, size_t *length,
                                       struct bight_address *peer)
{
    size_t first = bytes < sizeof(signature) ? bytes : sizeof(signature);

    if (first == 0)
        return PROXY_MORE;
    if (memcmp(data, signature, first) != 0)
        return text_header(data, bytes, length, peer);
    return first < sizeof(signature) ? PROXY_MORE : binary_header(data, bytes, length, peer);
}
