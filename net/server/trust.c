/* Whom a proxy in front of the server speaks for. What it says counts only where its own address is
 * one of those that are trusted: anybody can write a header. */
#include "net/server/server.h"

#include <string.h>

#define NETWORKS_MAX 64u
#define MAPPED_BITS 96u /* in front of an IPv4 address in IPv6 */

/* The address, IPv4 in IPv6 as IPv4. */
static struct bight_address plain(const struct bight_address *address)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct bight_address result = *address;

    if (address->family == 6 && memcmp(address->bytes, mapped, sizeof(mapped)) == 0) {
        result = (struct bight_address){.family = 4, .port = address->port};
        memcpy(result.bytes, address->bytes + sizeof(mapped), 4);
    }
    return result;
}

static bool is_in(const struct network *network, const struct bight_address *address)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    uint8_t mask = (uint8_t)(0xff00u >> rest);

    if (network->address.family != address->family ||
        memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

static bool is_trusted(const struct trust *trust, const struct bight_address *address)
{
    struct bight_address other = plain(address);

    for (unsigned i = 0; i < trust->count; i++) {
        if (is_in(&trust->networks[i], &other))
            return true;
    }
    return false;
}

/* An address, or a network as 10.0.0.0/8. */
static bool parse_network(const char *item, size_t bytes, struct network *network)
{
    char text[BIGHT_ADDRESS_TEXT_BYTES];
    unsigned most, bits = 0;
    const char *slash = memchr(item, '/', bytes);
    size_t length = slash ? (size_t)(slash - item) : bytes;

    if (length >= sizeof(text))
        return false;
    memcpy(text, item, length);
    text[length] = '\0';
    if (bight_address_parse(text, &network->address))
        return false;
    most = network->address.family == 4 ? 32 : 128;
    network->bits = most;
    if (!slash)
        return true;
    for (const char *p = slash + 1; p < item + bytes; p++) {
        if (*p < '0' || *p > '9' || bits > most)
            return false;
        bits = bits * 10 + (unsigned)(*p - '0');
    }
    network->bits = bits;
    return slash + 1 < item + bytes && bits <= most;
}

/* A network of IPv4 in IPv6 is one of IPv4, as its addresses are. */
static void make_plain(struct network *network)
{
    struct bight_address address = plain(&network->address);

    if (network->address.family == 4 || address.family == 6 || network->bits < MAPPED_BITS)
        return;
    network->address = address;
    network->bits -= MAPPED_BITS;
}

static bool parse_item(struct trust *trust, const char *item, size_t bytes)
{
    if (bight__is_name(item, bytes, "unix")) {
        trust->local = true;
        return true;
    }
    if (!parse_network(item, bytes, &trust->networks[trust->count]))
        return false;
    make_plain(&trust->networks[trust->count++]);
    return true;
}

int bight__trust_parse(struct trust *trust, const char *text, const struct bight_seams *seams)
{
    const char *at = text, *end, *item;
    size_t bytes;

    *trust = (struct trust){.count = 0};
    if (!text)
        return 0;
    end = text + strlen(text);
    trust->networks = bight__alloc(seams, NETWORKS_MAX * sizeof(*trust->networks));
    if (!trust->networks)
        return BIGHT_ENOMEM;
    while ((item = bight__list_next(&at, end, &bytes))) {
        if (trust->count < NETWORKS_MAX && parse_item(trust, item, bytes))
            continue;
        bight__trust_free(trust);
        return BIGHT_EINVAL;
    }
    return 0;
}

void bight__trust_free(struct trust *trust)
{
    bight__free(trust->networks);
    trust->networks = NULL;
    trust->count = 0;
}

/* What headers say */

/* The address of an element: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1]:80, the latter in
 * quotes too. */
static bool parse_address(const char *text, size_t bytes, struct bight_address *address)
{
    char copy[BIGHT_ADDRESS_TEXT_BYTES];
    char *colon;

    if (bytes >= 2 && text[0] == '"' && text[bytes - 1] == '"') {
        text++;
        bytes -= 2;
    }
    if (bytes == 0 || bytes >= sizeof(copy))
        return false;
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    colon = strrchr(copy, ':');
    if (colon && (strchr(copy, ':') == colon || (*copy == '[' && colon[-1] == ']')))
        *colon = '\0';
    if (bight_address_parse(copy, address))
        return false;
    *address = plain(address);
    return true;
}

/* The parameter `name` of an element of Forwarded, RFC 7239 4; NULL: it has none. */
static const char *parameter_of(const char *item, size_t bytes, const char *name, size_t *length)
{
    const char *end = item + bytes;

    while (item < end) {
        const char *last = memchr(item, ';', (size_t)(end - item));
        const char *equal;

        if (!last)
            last = end;
        while (item < last && (*item == ' ' || *item == '\t'))
            item++;
        equal = memchr(item, '=', (size_t)(last - item));
        if (equal && bight__is_name(item, (size_t)(equal - item), name)) {
            *length = (size_t)(last - equal - 1);
            return equal + 1;
        }
        item = last + 1;
    }
    return NULL;
}

static bool client_of(const struct bight_exchange *exchange, const char *item, size_t bytes,
                      struct bight_address *address)
{
    if (exchange->server->options.forwarded == BIGHT_FORWARDED_RFC7239)
        item = parameter_of(item, bytes, "for", &bytes);
    return item && parse_address(item, bytes, address);
}

/* Where a look at the elements of all headers of a name is, from the last one on. */
struct elements {
    const char *name;
    uint32_t field;  /* those before it are still to come */
    const char *end; /* what of field number `field` has not been seen; NULL: nothing is left */
};

static struct elements elements_of(const struct bight_exchange *exchange, const char *name)
{
    return (struct elements){.name = name, .field = exchange->head.count};
}

/* The element before the one that was seen last; NULL: there is none. */
static const char *element_before(const struct bight_exchange *exchange, struct elements *elements,
                                  size_t *bytes)
{
    for (;;) {
        const struct head_field *field = &exchange->head.fields[elements->field];
        const char *begin, *item;

        if (elements->end) {
            begin = bight__field_value(exchange, field);
            item = bight__list_last(begin, &elements->end, bytes);
            if (item)
                return item;
            elements->end = NULL;
        }
        if (elements->field-- == 0)
            return NULL;
        field--;
        if (bight__is_name(exchange->text + field->name, field->name_bytes, elements->name))
            elements->end = bight__field_value(exchange, field) + field->value_bytes;
    }
}

/* The peer of the connection, or whom the PROXY protocol names. */
static int connection_peer(const struct bight_exchange *exchange, struct bight_address *address)
{
    const struct http_connection *connection = exchange->connection;

    if (connection->has_peer) {
        *address = connection->peer;
        return 0;
    }
    return bight_stream_peer_address(exchange->stream, address);
}

bool bight__trusts(const struct trust *trust, const struct bight_address *address)
{
    return address ? is_trusted(trust, address) : trust->local;
}

bool bight__peer_is_trusted(const struct bight_exchange *exchange)
{
    struct bight_address peer;

    return bight__trusts(&exchange->server->trust, connection_peer(exchange, &peer) ? NULL : &peer);
}

/* Whether headers of the peer, which has an address unless `rc`, count. */
static bool listens(const struct bight_exchange *exchange, const struct bight_address *peer, int rc)
{
    const struct http_server *server = exchange->server;

    return server->options.forwarded != BIGHT_FORWARDED_IGNORED &&
           bight__trusts(&server->trust, rc ? NULL : peer);
}

int bight_exchange_peer(const struct bight_exchange *exchange, struct bight_address *address)
{
    struct elements elements;
    const char *item;
    size_t bytes;
    int rc;

    if (!exchange || !address)
        return BIGHT_EINVAL;
    rc = connection_peer(exchange, address);
    if (!listens(exchange, address, rc))
        return rc;
    elements = elements_of(exchange, exchange->server->options.forwarded == BIGHT_FORWARDED_RFC7239
                                         ? "forwarded"
                                         : "x-forwarded-for");
    /* From the last proxy to the first that is not ours: all before it could be made up. */
    while ((item = element_before(exchange, &elements, &bytes))) {
        struct bight_address client;

        if (!client_of(exchange, item, bytes, &client))
            break;
        *address = client;
        rc = 0;
        if (!is_trusted(&exchange->server->trust, address))
            break;
    }
    return rc;
}

bool bight_exchange_is_secure(const struct bight_exchange *exchange)
{
    const char *item = NULL;
    size_t bytes;

    if (!exchange)
        return false;
    if (exchange->server->options.forwarded != BIGHT_FORWARDED_IGNORED &&
        bight__peer_is_trusted(exchange)) {
        bool is_rfc = exchange->server->options.forwarded == BIGHT_FORWARDED_RFC7239;
        struct elements elements =
            elements_of(exchange, is_rfc ? "forwarded" : "x-forwarded-proto");

        item = element_before(exchange, &elements, &bytes);
        if (item && is_rfc)
            item = parameter_of(item, bytes, "proto", &bytes);
    }
    return item ? bight__is_name(item, bytes, "https") : exchange->server->options.layer != NULL;
}
