/* samples/scraper/parse.c and wire.c: a reply of a worker that a page has taken over, and JSON
 * of whatever texts were in it: one line, in UTF-8. */
#include "samples/scraper/parse.h"
#include "samples/scraper/record.h"
#include "samples/scraper/url.h"
#include "tests/fuzz/fuzz.h"

static void check_json(const char *text)
{
    struct bytes line = {0};

    FUZZ_CHECK(record_write_string(&line, text) == 0);
    FUZZ_CHECK(line.size >= 2 && line.data[0] == '"' && line.data[line.size - 1] == '"');
    for (size_t i = 1; i + 1 < line.size; i++) {
        FUZZ_CHECK((unsigned char)line.data[i] >= 0x20);
        if (line.data[i] == '\\')
            i++;
        else
            FUZZ_CHECK(line.data[i] != '"');
    }
    bytes_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct page_facts facts;
    struct wire links;

    if (parse_reply(&facts, &links, data, size) == 0) {
        check_json(facts.title);
        for (const char *url; (url = parse_next_link(&links));) {
            FUZZ_CHECK(url >= (const char *)data && url + strlen(url) < (const char *)data + size);
            if (url_is_plausible(url))
                FUZZ_CHECK(url_origin_bytes(url) <= strlen(url));
            check_json(url);
        }
    }
    return 0;
}
