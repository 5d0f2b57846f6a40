/* samples/scraper/charset.c, page.c, parse.c: a page as a server sent it, through the job that
 * parses it, and the reply. Input: the content type up to the first line feed, then the body. */
#include "samples/scraper/charset.h"
#include "samples/scraper/parse.h"
#include "samples/scraper/record.h"
#include "samples/scraper/url.h"
#include "tests/fuzz/fuzz.h"

static void check_reply(const struct bytes *reply)
{
    struct page_facts facts;
    struct bytes line = {0};
    struct wire links;
    uint64_t count = 0;

    FUZZ_CHECK(parse_reply(&facts, &links, reply->data, reply->size) == 0);
    FUZZ_CHECK(strlen(facts.title) <= PAGE_TITLE_BYTES_MAX);
    for (const char *url; (url = parse_next_link(&links)); count++)
        FUZZ_CHECK(url_is_plausible(url));
    FUZZ_CHECK(!links.bad && count <= facts.links);
    FUZZ_CHECK(record_write_string(&line, facts.title) == 0);
    bytes_free(&line);
}

static void parse(const char *type, const char *body, size_t size)
{
    struct bytes request = {0}, reply = {0};

    FUZZ_CHECK(parse_request(&request, "http://host.example/dir/page", type, body, size) == 0);
    FUZZ_CHECK(parse_run(&reply, request.data, request.size, NULL) == 0);
    check_reply(&reply);
    bytes_free(&request);
    bytes_free(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *feed = size ? memchr(data, '\n', size) : NULL;
    size_t head = feed ? (size_t)(feed - data) : size;
    char *type = fuzz_text(data, head);
    const char *body = feed ? (const char *)feed + 1 : "";
    size_t body_size = feed ? size - head - 1 : 0;

    (void)content_type_is_html(type);
    (void)body_looks_like_html(body, body_size);
    parse(type, body, body_size);
    free(type);
    return 0;
}
