/* samples/scraper/url.c: what comes out is in normal form: plausible, and its own normal form. */
#include "samples/scraper/url.h"
#include "tests/fuzz/fuzz.h"

static void check(const char *normal)
{
    char *again;

    FUZZ_CHECK(url_is_plausible(normal));
    FUZZ_CHECK(strlen(normal) <= URL_BYTES_MAX && !strchr(normal, '#'));
    FUZZ_CHECK(url_origin_bytes(normal) <= strlen(normal) && url_same_origin(normal, normal));
    FUZZ_CHECK(url_normalise(normal, &again) == 0);
    FUZZ_CHECK(strcmp(normal, again) == 0);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct url_base *base;
    char *normal;

    if (url_normalise(text, &normal) == 0) {
        check(normal);
        free(normal);
    }
    FUZZ_CHECK(url_base_new(&base, "http://host.example/dir/page?query") == 0);
    if (url_resolve(base, text, &normal) == 0) {
        check(normal);
        free(normal);
    }
    url_base_free(base);
    /* As another process may have sent it. */
    if (url_is_plausible(text))
        FUZZ_CHECK(url_origin_bytes(text) <= strlen(text) && url_same_origin(text, text));
    free(text);
    return 0;
}
