/* net/server/proxy_header.c: the header of the PROXY protocol. However much of a connection is
 * there, no verdict is taken back; one about a peer is given when the header is whole, not before
 * and not later, and what follows it is not looked at. A peer that was named is named by a header
 * of version 1 that is written for it. */
#include <bight/address.h>

#include "net/server/trust.h"
#include "tests/fuzz/fuzz.h"

/* What has been said of the first `bytes`. */
struct said {
    enum proxy_verdict verdict;
    size_t length;
    struct bight_address peer;
};

static struct said ask(const uint8_t *data, size_t bytes)
{
    /* A block of exactly this size, so that a read beyond it is seen. */
    char *copy = malloc(bytes ? bytes : 1);
    struct said said = {.length = 0};

    FUZZ_CHECK(copy);
    memcpy(copy, data, bytes);
    said.verdict = bight__proxy_header(copy, bytes, &said.length, &said.peer);
    free(copy);
    return said;
}

static bool is_same(const struct bight_address *one, const struct bight_address *other)
{
    return one->family == other->family && one->port == other->port &&
           memcmp(one->bytes, other->bytes, one->family == 4 ? 4 : 16) == 0;
}

static void look_at_peer(const struct bight_address *peer)
{
    char text[BIGHT_ADDRESS_TEXT_BYTES], line[256];
    struct bight_address address = *peer;

    FUZZ_CHECK(peer->family == 4 || peer->family == 6);
    address.port = 0;
    bight_address_text(&address, text);
    if (strchr(text, '%'))
        return; /* a zone, which no other host can know */
    int bytes = snprintf(line, sizeof(line), "PROXY TCP%d %s %s %u 65535\r\n", peer->family, text,
                         text, (unsigned)peer->port);
    struct said said = ask((const uint8_t *)line, (size_t)bytes);
    FUZZ_CHECK(said.verdict == PROXY_NAMED && said.length == (size_t)bytes);
    FUZZ_CHECK(is_same(&said.peer, peer));
}

static void look_at_verdict(const struct said *whole, const uint8_t *data, size_t size)
{
    size_t step = size / 512 + 1;
    bool decided = false;

    for (size_t bytes = 0; bytes <= size; bytes += step) {
        struct said said = ask(data, bytes);

        FUZZ_CHECK(!decided || said.verdict == whole->verdict);
        decided = said.verdict != PROXY_MORE;
        FUZZ_CHECK(!decided || said.verdict == whole->verdict);
        if (whole->verdict == PROXY_NAMED || whole->verdict == PROXY_UNNAMED)
            FUZZ_CHECK(decided == (bytes >= whole->length));
        if (decided && whole->verdict != PROXY_BAD)
            FUZZ_CHECK(said.length == whole->length);
        if (decided && whole->verdict == PROXY_NAMED)
            FUZZ_CHECK(is_same(&said.peer, &whole->peer));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct said whole = ask(data, size);

    if (whole.verdict == PROXY_NAMED || whole.verdict == PROXY_UNNAMED)
        FUZZ_CHECK(whole.length >= 8 && whole.length <= size);
    if (whole.verdict == PROXY_NAMED)
        look_at_peer(&whole.peer);
    look_at_verdict(&whole, data, size);
    return 0;
}
