/* net/tls/choose.c: the name in a client's hello. The input is the extension server_name of one
 * that is otherwise in order. The server is asked for a name once, for the one that is there, and
 * not at all when the extension is not a list of one name. */
#include <bight/tls.h>

#include "net/tls/tls.h"
#include "tests/fuzz/run.h"

#define EXTENSION_BYTES_MAX 2048u

static struct asked {
    unsigned count;
    bool named;
    char name[TLS_NAME_BYTES];
} asked;

static int choose(void *arg, const char *name, struct bight_tls_context **context)
{
    (void)arg;
    (void)context;
    asked.count++;
    asked.named = name != NULL;
    if (name) {
        FUZZ_CHECK(strlen(name) < sizeof(asked.name));
        strcpy(asked.name, name);
    }
    return 0;
}

/* One for all inputs. It has no certificate: the hello is as far as it gets. */
static struct bight_tls_context *context_get(void)
{
    const struct bight_tls_context_options options = {.choose = choose};
    static struct bight_tls_context *context;

    if (!context)
        FUZZ_CHECK(bight_tls_context_new(&context, &options, NULL) == 0);
    return context;
}

static void put_number(struct fuzz_buffer *buffer, size_t number)
{
    const uint8_t bytes[] = {(uint8_t)(number >> 8), (uint8_t)number};

    fuzz_put(buffer, bytes, 2);
}

/* A record with a hello of TLS 1.2: RFC 5246, 6.2.1 and 7.4.1.2. */
static struct fuzz_buffer make_hello(const uint8_t *extension, size_t bytes)
{
    static const uint8_t version[] = {3, 3}, random[32];
    static const uint8_t middle[] = {
        0,                         /* no session */
        0, 4, 0xc0, 0x2b, 0, 0xff, /* ECDHE-ECDSA-AES128-GCM-SHA256, no renegotiation */
        1, 0,                      /* no compression */
    };
    static const uint8_t others[] = {
        0, 10, 0, 4, 0, 2, 0, 23, /* P-256 */
        0, 11, 0, 2, 1, 0,        /* not compressed */
        0, 13, 0, 4, 0, 2, 4, 3,  /* ecdsa_secp256r1_sha256 */
    };
    size_t extensions = 4 + bytes + sizeof(others);
    size_t body = sizeof(version) + sizeof(random) + sizeof(middle) + 2 + extensions;
    struct fuzz_buffer hello = {0};

    fuzz_put(&hello, "\x16\x03\x01", 3);
    put_number(&hello, body + 4);
    fuzz_put(&hello, "\x01\x00", 2);
    put_number(&hello, body);
    fuzz_put(&hello, version, sizeof(version));
    fuzz_put(&hello, random, sizeof(random));
    fuzz_put(&hello, middle, sizeof(middle));
    put_number(&hello, extensions);
    put_number(&hello, 0); /* server_name */
    put_number(&hello, bytes);
    fuzz_put(&hello, extension, bytes);
    fuzz_put(&hello, others, sizeof(others));
    return hello;
}

/* The client says no more than the hello. */
static int shake_hands(void *arg)
{
    const struct fuzz_buffer *hello = arg;
    struct bight_stream *client, *below, *stream;
    struct bight_tls_failure failure;

    FUZZ_CHECK(bight_stream_pair(&client, &below, NULL) == 0);
    FUZZ_CHECK(bight_stream_write(client, hello->data, hello->bytes) == 0);
    FUZZ_CHECK(bight_stream_shutdown(client) == 0);
    FUZZ_CHECK(bight_tls_server(&stream, below, context_get(), NULL, &failure) < 0);
    FUZZ_CHECK(failure.code < 0 && *failure.text);
    bight_stream_abort(below);
    bight_stream_abort(client);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t bytes = size > 5 ? size - 5 : 0;
    const uint8_t head[] = {(uint8_t)((bytes + 3) >> 8), (uint8_t)(bytes + 3), 0,
                            (uint8_t)(bytes >> 8), (uint8_t)bytes};
    bool is_name = bytes && bytes < TLS_NAME_BYTES && memcmp(data, head, sizeof(head)) == 0 &&
                   !memchr(data + 5, 0, bytes);

    if (size > EXTENSION_BYTES_MAX)
        return 0;
    struct fuzz_buffer hello = make_hello(data, size);
    asked.count = 0;
    fuzz_run(shake_hands, &hello);
    FUZZ_CHECK(asked.count == is_name);
    if (is_name)
        FUZZ_CHECK(asked.named && strlen(asked.name) == bytes &&
                   memcmp(asked.name, data + 5, bytes) == 0);
    free(hello.data);
    return 0;
}
