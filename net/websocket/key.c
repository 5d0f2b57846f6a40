/* What both handshakes compute: RFC 6455 4.2.2 has the server show that it read the client's key,
 * by the SHA-1 of it, which keeps nothing secret. So no library of cryptography is needed. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "net/websocket/websocket.h"

#define SHA1_BYTES 20u
#define BLOCK_BYTES 64u

static uint32_t turn(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static uint32_t word_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* FIPS 180-4, 6.1.2 */
static void sha1_block(uint32_t state[5], const uint8_t block[BLOCK_BYTES])
{
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    for (unsigned i = 0; i < 16; i++)
        w[i] = word_at(block + (size_t)i * 4);
    for (unsigned i = 16; i < 80; i++)
        w[i] = turn(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (unsigned i = 0; i < 80; i++) {
        uint32_t mixed = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999u
                         : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1u
                         : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu
                                  : (b ^ c ^ d) + 0xca62c1d6u;
        uint32_t next = turn(a, 5) + mixed + e + w[i];

        e = d;
        d = c;
        c = turn(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

/* Of a key and the protocol's GUID: 60 bytes, so that with its length it takes two blocks. */
static void sha1(const uint8_t *text, size_t bytes, uint8_t digest[SHA1_BYTES])
{
    uint32_t state[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
    uint8_t blocks[2 * BLOCK_BYTES] = {0};

    memcpy(blocks, text, bytes);
    blocks[bytes] = 0x80;
    blocks[sizeof(blocks) - 2] = (uint8_t)(bytes * 8 >> 8);
    blocks[sizeof(blocks) - 1] = (uint8_t)(bytes * 8);
    sha1_block(state, blocks);
    sha1_block(state, blocks + BLOCK_BYTES);
    for (unsigned i = 0; i < SHA1_BYTES; i++)
        digest[i] = (uint8_t)(state[i / 4] >> (24 - i % 4 * 8));
}

/* `text` gets a NUL behind it. */
void bight__websocket_base64(const uint8_t *bytes, size_t count, char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < count; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16;

        if (i + 1 < count)
            three |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < count)
            three |= bytes[i + 2];
        *text++ = letters[three >> 18];
        *text++ = letters[three >> 12 & 63];
        *text++ = i + 1 < count ? letters[three >> 6 & 63] : '=';
        *text++ = i + 2 < count ? letters[three & 63] : '=';
    }
    *text = '\0';
}

void bight__websocket_accept_key(const char key[KEY_BYTES], char accept[ACCEPT_BYTES + 1])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t text[KEY_BYTES + sizeof(guid) - 1], digest[SHA1_BYTES];

    _Static_assert(sizeof(text) == 60, "fits into the two blocks, and not into one");
    memcpy(text, key, KEY_BYTES);
    memcpy(text + KEY_BYTES, guid, sizeof(guid) - 1);
    sha1(text, sizeof(text), digest);
    bight__websocket_base64(digest, sizeof(digest), accept);
}

bool bight__websocket_random(void *to, size_t bytes)
{
    ssize_t got;

    do
        got = getrandom(to, bytes, 0);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)bytes; /* up to 256 bytes come at once */
}

bool bight__websocket_lists(const char *list, size_t list_bytes, const char *item, bool exact)
{
    const char *at = list, *end = list + list_bytes, *found;
    size_t bytes, wanted = strlen(item);

    while ((found = bight__list_next(&at, end, &bytes))) {
        if (bytes == wanted &&
            (exact ? memcmp(found, item, bytes) : strncasecmp(found, item, bytes)) == 0)
            return true;
    }
    return false;
}

int bight__websocket_set_protocol(struct bight_websocket *socket, const char *protocol)
{
    size_t bytes = strlen(protocol) + 1;

    socket->protocol = bight__alloc(socket->seams, bytes);
    if (!socket->protocol)
        return BIGHT_ENOMEM;
    memcpy(socket->protocol, protocol, bytes);
    return 0;
}
