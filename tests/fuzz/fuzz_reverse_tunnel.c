/* What bight-reverse makes of a server's answer to a WebSocket: the input is all that the server
 * says before it ends its half. The client hears the same whether it comes at once or byte by byte;
 * a 101 only where the server said so, and behind it exactly what the server said. */
#include "samples/reverse/proxy.h"
#include "tests/fuzz/talk.h"

static const char request[] = "GET /chat?x=1 HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\n"
                              "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static const struct route behind = {
    .prefix = "/", .prefix_bytes = 1, .origin = "http://there", .authority = "there"};
static const struct proxy proxy = {.options = {.connect_ms = 1000, .silence_ms = 1000}};

/* Of proxy.c, without what it prints. */
const char *proxy_target(struct bight_exchange *exchange)
{
    return bight_exchange_target(exchange);
}

int proxy_refuse(struct bight_exchange *exchange, const struct route *route, int code,
                 const char *text)
{
    (void)route;
    (void)text;
    FUZZ_CHECK(code != BIGHT_EPERM && code != BIGHT_EINVAL && code != BIGHT_EBUSY);
    return bight_exchange_answer_status(exchange, 502);
}

struct input {
    const uint8_t *data;
    size_t size;
    size_t read_max;
};

static int hand_on(struct bight_exchange *exchange, void *arg)
{
    const struct input *input = arg;
    const struct bight_stream_pair_options options = {.capacity = 2 * FUZZ_RUN_BYTES,
                                                      .read_max = input->read_max};
    struct bight_stream *near, *far;
    int rc;

    FUZZ_CHECK(proxy_is_websocket(exchange));
    FUZZ_CHECK(bight_stream_pair(&near, &far, &options) == 0);
    FUZZ_CHECK(bight_stream_write(far, input->data, input->size) == 0);
    FUZZ_CHECK(bight_stream_shutdown(far) == 0);
    rc = proxy_tunnel_over(exchange, &proxy, &behind, near);
    bight_stream_abort(far);
    return rc;
}

/* Where the last head of what the server said ends, if that is a 101. */
static const char *behind_101(const struct input *input)
{
    const char *at = (const char *)input->data, *end = at + input->size;

    for (;;) {
        const char *blank = memmem(at, (size_t)(end - at), "\n\r\n", 3);
        const char *bare = memmem(at, (size_t)(end - at), "\n\n", 2);

        if (end - at < 12 || memcmp(at, "HTTP/1.", 7) != 0 || (!blank && !bare))
            return NULL;
        if (!blank || (bare && bare < blank))
            blank = bare - 1;
        blank += 3;
        if (memcmp(at + 9, "101", 3) == 0)
            return blank;
        at = blank;
    }
}

static void check(const struct input *input, const struct fuzz_talk *talk)
{
    static const char switching[] = "HTTP/1.1 101 ";
    const char *end = behind_101(input), *head = NULL;
    size_t bytes;

    FUZZ_CHECK(talk->heard_bytes > 12 && memcmp(talk->heard, "HTTP/1.1 ", 9) == 0);
    if (memcmp(talk->heard, switching, sizeof(switching) - 1) != 0)
        return;
    FUZZ_CHECK(end);
    bytes = (size_t)((const char *)input->data + input->size - end);
    head = memmem(talk->heard, talk->heard_bytes, "\r\n\r\n", 4);
    FUZZ_CHECK(head && talk->heard_bytes - (size_t)(head + 4 - talk->heard) == bytes);
    FUZZ_CHECK(!bytes || memcmp(head + 4, end, bytes) == 0);
}

/* The time of day may pass between the two. */
static void cut_date(struct fuzz_talk *talk)
{
    static const char date[] = "\r\nDate: ";
    char *at = memmem(talk->heard, talk->heard_bytes, date, sizeof(date) - 1);

    if (at && (size_t)(at - talk->heard) + 37 <= talk->heard_bytes)
        memset(at + sizeof(date) - 1, '0', 28);
}

struct both {
    struct input inputs[2];
    struct fuzz_talk talks[2];
};

static int hear_both(void *arg)
{
    struct both *both = arg;

    for (size_t i = 0; i < 2; i++) {
        struct fuzz_talk *talk = &both->talks[i];

        *talk = (struct fuzz_talk){.handler = hand_on,
                                   .arg = &both->inputs[i],
                                   .said = request,
                                   .said_bytes = sizeof(request) - 1};
        fuzz_talk(talk);
        check(&both->inputs[i], talk);
        cut_date(talk);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct both both = {.inputs = {{data, size, 0}, {data, size, 1}}};
    const struct fuzz_talk *one = &both.talks[0], *other = &both.talks[1];

    if (size > FUZZ_RUN_BYTES)
        return 0;
    fuzz_run(hear_both, &both);
    FUZZ_CHECK(one->rc == other->rc && one->heard_bytes == other->heard_bytes);
    FUZZ_CHECK(memcmp(one->heard, other->heard, one->heard_bytes) == 0);
    free(one->heard);
    free(other->heard);
    return 0;
}
