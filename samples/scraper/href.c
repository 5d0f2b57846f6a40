/* See href.h. */
#include "samples/scraper/href.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bight/errors.h>

#include "samples/scraper/url.h"

static bool is_space(unsigned char c)
{
    return c <= ' ';
}

size_t href_scheme_bytes(const char *href)
{
    size_t bytes =
        strspn(href, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    return (*href | 0x20) >= 'a' && (*href | 0x20) <= 'z' && href[bytes] == ':' ? bytes : 0;
}

size_t href_authority_end(const char *href, size_t size)
{
    size_t scheme = href_scheme_bytes(href);
    size_t begin = scheme ? scheme + 1 : 0;
    size_t at = begin;

    if (scheme ? href[at] != '/' : strncmp(href, "//", 2) != 0)
        return 0;
    while (at < size && at < begin + 3 && href[at] == '/')
        at++;
    while (at < size && !strchr("/?#", href[at]))
        at++;
    return at;
}

/* Bytes that cannot stand in a URL and that browsers send percent-encoded. */
static bool needs_encoding(unsigned char c)
{
    return c <= ' ' || c >= 0x7f || strchr("\"<>`{}", c);
}

static bool is_scheme(const char *href, size_t bytes, const char *scheme)
{
    return bytes == strlen(scheme) && strncasecmp(href, scheme, bytes) == 0;
}

bool href_is_web(const char *href, size_t scheme)
{
    return is_scheme(href, scheme, "http") || is_scheme(href, scheme, "https");
}

/* Take away the space around `href`, and the line ends and tabs in it. */
static void strip(char *href)
{
    char *at = href, *to = href;
    size_t size = strlen(href);

    for (; size && is_space((unsigned char)*at); size--)
        at++;
    while (size && is_space((unsigned char)at[size - 1]))
        size--;
    for (; size; at++, size--)
        if (*at != '\t' && *at != '\n' && *at != '\r')
            *to++ = *at;
    *to = '\0';
}

/* Put the slashes of `href` right, as browsers do for http and https: a backslash before the query
 * is one; of a host's two, some may be missing or too many. With fewer than two behind the scheme
 * of the page, `base_scheme` or NULL, the link is relative. There is room for two bytes more. */
static void put_slashes_right(char *href, const char *base_scheme)
{
    size_t scheme = href_scheme_bytes(href);

    if (scheme ? !href_is_web(href, scheme) : !base_scheme)
        return;
    for (size_t i = strcspn(href, "\\?#"); href[i] == '\\'; i += strcspn(href + i, "\\?#"))
        href[i] = '/';
    char *at = href + (scheme ? scheme + 1 : 0);
    size_t slashes = strspn(at, "/");
    if (slashes < 2 && !scheme)
        return;
    if (slashes < 2 && base_scheme && is_scheme(href, scheme, base_scheme)) {
        const bool dot = href_scheme_bytes(at); /* "http:a:b" becomes "./a:b" */
        memmove(href + (dot ? 2 : 0), at, strlen(at) + 1);
        if (dot) {
            href[0] = '.';
            href[1] = '/';
        }
        return;
    }
    memmove(at + 2, at + slashes, strlen(at + slashes) + 1);
    at[0] = '/';
    at[1] = '/';
}

int href_encode(const char *href, char *out)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t size = strlen(href);
    size_t host_end = href_authority_end(href, size);
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)href[i];
        bool encode = needs_encoding(c) && !(i < host_end && c >= 0x80);
        if (used + (encode ? 3 : 1) > URL_BYTES_MAX)
            return BIGHT_ETOOBIG;
        if (encode) {
            out[used++] = '%';
            out[used++] = hex[c >> 4];
            out[used++] = hex[c & 15];
        } else {
            /* Not every version takes 0X in an address for 0x. */
            out[used++] = (char)(i < host_end && c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
        }
    }
    out[used] = '\0';
    return 0;
}

int href_clean(const char *href, const char *base_scheme, char *out)
{
    size_t size = strlen(href) + sizeof "//";
    char *forgiven = malloc(size);

    if (!forgiven)
        return BIGHT_ENOMEM;
    (void)snprintf(forgiven, size, "%s", href);
    strip(forgiven);
    put_slashes_right(forgiven, base_scheme);
    int rc = href_encode(forgiven, out);
    free(forgiven);
    return rc;
}

/* How many dots the path segment of `size` bytes stands for, 0 when it is an ordinary one. */
static size_t count_dots(const char *segment, size_t size)
{
    size_t dots = 0;

    for (size_t i = 0; i < size; dots++) {
        if (segment[i] == '.')
            i++;
        else if (i + 3 <= size && strncasecmp(segment + i, "%2e", 3) == 0)
            i += 3;
        else
            return 0;
    }
    return dots <= 2 ? dots : 0;
}

void href_spell_dots(char *href)
{
    char *to = href + href_authority_end(href, strlen(href));
    const char *at = to;
    bool in_path = true;

    while (in_path) {
        size_t size = strcspn(at, "/?#");
        size_t dots = count_dots(at, size);
        in_path = at[size] == '/';
        if (dots)
            memset(to, '.', dots);
        else
            memmove(to, at, size);
        to += dots ? dots : size;
        at += size;
        if (in_path)
            *to++ = *at++;
    }
    memmove(to, at, strlen(at) + 1);
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '~' || c == '.';
}

size_t href_plain_bytes(const char *href)
{
    size_t name = 0, at = 0;

    for (; is_plain(href[at]) || (href[at] == '/' && at > name); at++) {
        if (href[at] != '/')
            continue;
        if (count_dots(href + name, at - name))
            return 0;
        name = at + 1;
    }
    return (href[at] == '\0' || href[at] == '#') && !count_dots(href + name, at - name) ? at : 0;
}
