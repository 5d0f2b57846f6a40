/* samples/scraper/parse.c, seen from its tests: one page, parsed as a worker does it. */
#ifndef TESTS_SAMPLES_SCRAPER_PAGE_CASE_H
#define TESTS_SAMPLES_SCRAPER_PAGE_CASE_H

#include <string.h>

#include "samples/scraper/parse.h"
#include "tests/harness/suite.h"

static const char page_html[] __attribute__((unused)) = "text/html; charset=utf-8";

struct parsed {
    struct bytes request;
    struct bytes reply;
    struct page_facts facts;
    struct wire links;
};

static inline void parse_bytes(struct parsed *parsed, const char *type, const char *body,
                               size_t size)
{
    *parsed = (struct parsed){0};
    ck_assert_int_eq(parse_request(&parsed->request, "http://h/dir/page", type, body, size), 0);
    ck_assert_int_eq(parse_run(&parsed->reply, parsed->request.data, parsed->request.size, NULL),
                     0);
    ck_assert_int_eq(
        parse_reply(&parsed->facts, &parsed->links, parsed->reply.data, parsed->reply.size), 0);
}

static inline void parse(struct parsed *parsed, const char *body)
{
    parse_bytes(parsed, page_html, body, strlen(body));
}

static inline void done(struct parsed *parsed)
{
    ck_assert_ptr_null(parse_next_link(&parsed->links));
    ck_assert(!parsed->links.bad);
    bytes_free(&parsed->request);
    bytes_free(&parsed->reply);
}

#define expect_link(parsed, url) ck_assert_str_eq(parse_next_link(&(parsed)->links), url)

#endif
