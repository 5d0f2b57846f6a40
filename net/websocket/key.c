/* What both handshakes compute: RFC 6455 4.2.2 has the server show that it read the client's key,
 * by the SHA-1 of it, which keeps nothing secret. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "net/websocket/websocket.h"
#include "runtime/door.h"

#define SHA1_BYTES 20u

static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

struct digest {
    char text[KEY_BYTES + sizeof(guid) - 1];
    unsigned char bytes[SHA1_BYTES];
    bool is_made;
};

static void make_digest(void *arg)
{
    struct digest *digest = arg;

    digest->is_made =
        EVP_Digest(digest->text, sizeof(digest->text), digest->bytes, NULL, EVP_sha1(), NULL) == 1;
    if (!digest->is_made)
        ERR_clear_error();
}

/* On the loop's stack: the first use of OpenSSL reads its configuration. */
int bight__websocket_accept_key(const char key[KEY_BYTES], char accept[ACCEPT_BYTES + 1])
{
    struct bight_runtime *runtime;
    struct digest digest;
    int rc = bight__runtime_get(&runtime);

    if (rc)
        return rc;
    memcpy(digest.text, key, KEY_BYTES);
    memcpy(digest.text + KEY_BYTES, guid, sizeof(guid) - 1);
    bight__runtime_errand(runtime, make_digest, &digest);
    if (!digest.is_made)
        return BIGHT_ENOTSUP; /* somebody has configured it so */
    (void)EVP_EncodeBlock((unsigned char *)accept, digest.bytes, SHA1_BYTES);
    return 0;
}

bool bight__websocket_make_key(char key[KEY_BYTES + 1])
{
    unsigned char random[16];

    if (!bight__websocket_random(random, sizeof(random)))
        return false;
    (void)EVP_EncodeBlock((unsigned char *)key, random, sizeof(random));
    return true;
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
