/* net/server/trust.c: whom the server believes. Input: addresses and networks that are trusted, a
 * line feed, the address of the peer, a line feed, and then the values of X-Forwarded-For, or of
 * Forwarded, a line each. A peer that is not trusted cannot change who it is, and nobody can by
 * putting something in front of what a trusted proxy has said. */
#include <bight/address.h>

#include "tests/fuzz/exchange.h"

static const struct bight_seams seams;

struct case_input {
    struct trust trust;
    struct bight_address peer;
    enum bight_forwarded forwarded;
};

static bool is_same(const struct bight_address *one, const struct bight_address *other)
{
    return one->family == other->family &&
           memcmp(one->bytes, other->bytes, one->family == 4 ? 4 : 16) == 0;
}

/* Who asks, by the lines in `values`. False: they cannot be headers. */
static bool ask(const struct case_input *input, const char *values, size_t bytes,
                struct bight_address *client, bool *secure)
{
    bool is_rfc = input->forwarded == BIGHT_FORWARDED_RFC7239;
    struct fuzz_exchange opened;

    if (!fuzz_exchange_open(&opened, is_rfc ? "Forwarded" : "X-Forwarded-For", values, bytes))
        return false;
    opened.server.trust = input->trust;
    opened.server.options.forwarded = input->forwarded;
    opened.connection.has_peer = true;
    opened.connection.peer = input->peer;
    FUZZ_CHECK(bight_exchange_peer(opened.exchange, client) == 0);
    *secure = bight_exchange_is_secure(opened.exchange);
    fuzz_exchange_close(&opened);
    return true;
}

/* A client that nobody trusts, and nobody has written in front of what is in the input. */
static const char *const made_up[] = {
    [BIGHT_FORWARDED_X] = "203.0.113.77, ",
    [BIGHT_FORWARDED_RFC7239] = "for=203.0.113.77;proto=https, ",
};
static const struct bight_address liar = {.family = 4, .bytes = {203, 0, 113, 77}};

static void try_client(const struct case_input *input, const char *values, size_t bytes)
{
    const char *before = made_up[input->forwarded];
    struct bight_address client, other;
    bool secure, other_secure;
    size_t before_bytes = strlen(before);
    char *more = malloc(before_bytes + bytes);

    FUZZ_CHECK(more);
    memcpy(mempcpy(more, before, before_bytes), values, bytes);
    if (ask(input, values, bytes, &client, &secure) &&
        ask(input, more, before_bytes + bytes, &other, &other_secure)) {
        if (!bight__trusts(&input->trust, &input->peer)) {
            FUZZ_CHECK(is_same(&client, &input->peer) && client.port == input->peer.port);
            FUZZ_CHECK(!secure);
        }
        /* It is asked for only behind proxies that are all trusted. */
        if (!bight__trusts(&input->trust, &client))
            FUZZ_CHECK(is_same(&client, &other) && client.port == other.port);
        else
            FUZZ_CHECK(is_same(&client, &other) || is_same(&other, &liar));
        FUZZ_CHECK(client.family == 4 || client.family == 6);
        FUZZ_CHECK(!secure || other_secure); /* the last proxy has said so */
    }
    free(more);
}

/* A network has its own address, and not the one that is different in its last bit. */
static void look_at_networks(const struct trust *trust)
{
    for (unsigned i = 0; i < trust->count; i++) {
        const struct network *network = &trust->networks[i];
        const struct trust alone = {.networks = trust->networks + i, .count = 1};
        struct bight_address address = network->address;

        FUZZ_CHECK(network->bits <= (address.family == 4 ? 32 : 128));
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
        if (address.family == 6 && memcmp(address.bytes, mapped, sizeof(mapped)) == 0)
            continue; /* it is taken for IPv4 */
        FUZZ_CHECK(bight__trusts(&alone, &address));
        if (network->bits == 0)
            continue;
        unsigned last = network->bits - 1;
        address.bytes[last / 8] ^= (uint8_t)(0x80u >> last % 8);
        FUZZ_CHECK(!bight__trusts(&alone, &address));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *end = text + size;
    const char *first = size ? memchr(text, '\n', size) : NULL;
    const char *second = first ? memchr(first + 1, '\n', (size_t)(end - first - 1)) : NULL;
    struct case_input input = {.forwarded = BIGHT_FORWARDED_X};

    if (!second)
        return 0;
    char *trusted = fuzz_text(data, (size_t)(first - text));
    char *peer = fuzz_text((const uint8_t *)first + 1, (size_t)(second - first) - 1);
    if (bight__trust_parse(&input.trust, trusted, &seams) == 0) {
        look_at_networks(&input.trust);
        if (bight_address_parse(peer, &input.peer) == 0 && !bight__trusts(&input.trust, &liar)) {
            try_client(&input, second + 1, (size_t)(end - second) - 1);
            input.forwarded = BIGHT_FORWARDED_RFC7239;
            try_client(&input, second + 1, (size_t)(end - second) - 1);
        }
        bight__trust_free(&input.trust);
    }
    free(trusted);
    free(peer);
    return 0;
}
