/* net/http/headers.c and check.c: a block of header lines, each with its line feed as
 * libcurl hands it over, taken apart in place; the codings that they name; and that nothing passes
 * the check which would begin a second line on the wire. */
#include <bight/errors.h>

#include "net/http/buffer.h"
#include "net/http/coding.h"
#include "net/http/url.h"
#include "tests/fuzz/fuzz.h"

static const struct bight_seams seams;

static void add_lines(struct http_headers *headers, const char *text)
{
    for (const char *feed; (feed = strchr(text, '\n')); text = feed + 1)
        FUZZ_CHECK(http_headers_add(&seams, headers, text, (size_t)(feed + 1 - text)) == 0);
}

static void look_at_all(struct http_headers *headers)
{
    const char *name, *value;
    size_t count = 0;

    while (bight__http_headers_at(headers, count, &name, &value) == 0) {
        const char *end = headers->text.data + headers->text.bytes;

        FUZZ_CHECK(name >= headers->text.data && value > name && value + strlen(value) < end);
        FUZZ_CHECK(!strpbrk(name, "\n:") && !strchr(value, '\n'));
        const char *found = bight__http_headers_find(headers, name);
        FUZZ_CHECK(found && found <= value);
        count++;
    }
    FUZZ_CHECK(count == headers->count);
}

static void look_at_codings(struct http_headers *headers)
{
    struct http_codings codings;
    int rc = bight__http_codings_parse(headers, &codings);

    FUZZ_CHECK(rc == 0 || rc == BIGHT_EPROTOCOL);
    FUZZ_CHECK(codings.count <= HTTP_CODINGS_MAX);
    FUZZ_CHECK(rc == 0 || codings.count == HTTP_CODINGS_MAX);
    for (unsigned i = 0; i < codings.count; i++)
        FUZZ_CHECK(strstr(bight__http_codings_known(), codings.list[i]->name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const char *const one[] = {text, NULL};
    struct http_headers headers = {0};

    if (bight__http_check_headers(one) == 0)
        FUZZ_CHECK(!strpbrk(text, "\r\n"));
    add_lines(&headers, text);
    if (headers.text.bytes) {
        look_at_all(&headers);
        look_at_codings(&headers);
    }
    bight__http_buffer_free(&headers.text);
    free(text);
    return 0;
}
