/* See parse.h. */
#include "samples/scraper/parse.h"

#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>

#include "samples/scraper/charset.h"
#include "samples/scraper/table.h"
#include "samples/scraper/url.h"

int parse_request(struct bytes *out, const char *url, const char *content_type, const char *body,
                  size_t size)
{
    int rc = bytes_reserve(out, size + strlen(url) + strlen(content_type) + 10);

    if (rc == 0)
        rc = wire_put_text(out, url, strlen(url));
    if (rc == 0)
        rc = wire_put_text(out, content_type, strlen(content_type));
    return rc ? rc : bytes_append(out, body, size);
}

/* What links are relative to: the page's <base>, itself relative to the page, if it can be used. */
static int base_of_page(struct url_base **out, const struct page *page, const char *url)
{
    struct url_base *own;
    char *absolute = NULL;
    int rc = url_base_new(&own, url);
    if (rc || !page->has_base || url_resolve(own, page->base.data, &absolute) != 0) {
        *out = own;
        return rc;
    }
    url_base_free(own);
    rc = url_base_new(out, absolute);
    free(absolute);
    return rc;
}

/* Links on their way into the reply. */
struct links {
    struct bytes *out;
    const struct url_base *base;
    /* The URLs in `out`. */
    struct table urls;
    /* Hrefs, without their fragments, that led to one of them: the first few of the page. */
    struct table hrefs;
};

/* How many hrefs are remembered, of at most URL_BYTES_MAX bytes: others are resolved again. */
static const size_t hrefs_max = (size_t)16 * 1024;

/* What of `href` says to which page it leads: what stands before the fragment. False when the rest
 * matters as well: white space belongs to the URL before a fragment, and not at the end. */
static bool key_of(const char *href, size_t *bytes)
{
    *bytes = strcspn(href, "#");
    return *bytes == 0 || (unsigned char)href[*bytes - 1] > ' ';
}

/* Remember that hrefs which begin with these bytes lead to what is in the reply. */
static int remember(struct links *links, const char *href, size_t bytes)
{
    struct table_entry *entry;
    bool added;

    if (bytes > URL_BYTES_MAX || links->hrefs.count >= hrefs_max)
        return 0;
    int rc = table_put(&links->hrefs, href, bytes, &entry, &added);
    if (rc == 0)
        entry->value = links;
    return rc;
}

/* Put the URL of `href` into the reply unless it is there. A link that is not a valid URL for us is
 * left out. */
static int put_link(struct links *links, const char *href)
{
    struct table_entry *entry;
    size_t bytes;
    bool added;
    char *url;

    bool has_key = key_of(href, &bytes);
    if (has_key && table_get(&links->hrefs, href, bytes))
        return 0;
    int rc = url_resolve(links->base, href, &url);
    if (rc)
        return rc == BIGHT_ENOMEM ? rc : 0;
    rc = table_put(&links->urls, url, strlen(url), &entry, &added);
    if (rc == 0 && added)
        rc = wire_put_text(links->out, url, strlen(url));
    free(url);
    return rc || !has_key ? rc : remember(links, href, bytes);
}

static int put_links(struct bytes *out, const struct page *page, const char *url, bool *cut)
{
    struct url_base *base;
    const char *href = page->hrefs.size ? page->hrefs.data : "";
    const char *end = href + page->hrefs.size;
    int rc = base_of_page(&base, page, url);
    if (rc)
        return rc;
    struct links links = {.out = out, .base = base};
    rc = table_init(&links.urls);
    if (rc == 0)
        rc = table_init(&links.hrefs);
    while (rc == 0 && href != end) {
        rc = put_link(&links, href);
        href += strlen(href) + 1;
    }
    table_free(&links.urls, NULL);
    table_free(&links.hrefs, NULL);
    url_base_free(base);
    *cut = rc == BIGHT_ETOOBIG;
    return *cut ? 0 : rc;
}

static int put_reply(struct bytes *out, const struct page *page, const struct bytes *links,
                     bool cut)
{
    int rc = wire_put_u8(out, page->has_title);

    if (rc == 0)
        rc = wire_put_u8(out, page->cut || cut);
    if (rc == 0)
        rc = wire_put_u64(out, page->links);
    if (rc == 0)
        rc = wire_put_u64(out, page->words);
    if (rc == 0)
        rc = wire_put_text(out, page->title.size ? page->title.data : "", page->title.size);
    return rc ? rc : bytes_append(out, links->data, links->size);
}

int parse_run(struct bytes *out, const void *request, size_t size, const struct page_stop *stop)
{
    struct wire in = {.at = request, .left = size};
    const char *url = wire_text(&in, NULL);
    const char *content_type = wire_text(&in, NULL);
    char charset[CHARSET_NAME_BYTES];
    struct page page;
    struct bytes links = {.limit = PARSE_LINK_BYTES_MAX};
    bool cut = false;

    if (in.bad)
        return BIGHT_EINVAL;
    charset_detect(charset, content_type, in.at, in.left);
    int rc = page_parse(&page, in.at, in.left, charset, stop);
    if (rc == 0)
        rc = put_links(&links, &page, url, &cut);
    if (rc == 0)
        rc = put_reply(out, &page, &links, cut);
    bytes_free(&links);
    page_free(&page);
    return rc;
}

int parse_reply(struct page_facts *facts, struct wire *links, const void *reply, size_t size)
{
    *links = (struct wire){.at = reply, .left = size};
    facts->has_title = wire_u8(links);
    facts->cut = wire_u8(links);
    facts->links = wire_u64(links);
    facts->words = wire_u64(links);
    facts->title = wire_text(links, NULL);
    return links->bad ? BIGHT_EINVAL : 0;
}

const char *parse_next_link(struct wire *links)
{
    if (!links->left || links->bad)
        return NULL;
    const char *url = wire_text(links, NULL);
    return links->bad ? NULL : url;
}
