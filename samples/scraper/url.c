/* See url.h. What libcurl leaves open is done here: browsers' forgiveness for white space and odd
 * bytes in links, and the last steps to the normal form. So is what its versions read differently:
 * dots in disguise, relative paths, and odd hosts. */
#include "samples/scraper/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include <bight/errors.h>

/* struct url_base is never defined: it is libcurl's handle under a name of ours. */
static struct url_base *base_of(CURLU *handle)
{
    return (struct url_base *)handle;
}

static CURLU *handle_of(const struct url_base *base)
{
    return (CURLU *)base;
}

static int error_of(CURLUcode code)
{
    switch (code) {
    case CURLUE_OK:
        return 0;
    case CURLUE_OUT_OF_MEMORY:
        return BIGHT_ENOMEM;
    case CURLUE_UNSUPPORTED_SCHEME:
        return BIGHT_ENOTSUP;
    default:
        return BIGHT_EINVAL;
    }
}

static bool is_space(unsigned char c)
{
    return c <= ' ';
}

/* The bytes of "scheme" in "scheme:...", 0 when there is none. */
static size_t scheme_bytes(const char *href)
{
    size_t bytes =
        strspn(href, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    return (*href | 0x20) >= 'a' && (*href | 0x20) <= 'z' && href[bytes] == ':' ? bytes : 0;
}

/* Where the authority of `href` ends, 0 when it has none: host names keep their bytes. libcurl
 * takes one slash after a scheme, or three, for two. */
static size_t authority_end(const char *href, size_t size)
{
    size_t scheme = scheme_bytes(href);
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

static bool is_web(const char *href, size_t scheme)
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
    size_t scheme = scheme_bytes(href);

    if (scheme ? !is_web(href, scheme) : !base_scheme)
        return;
    for (size_t i = strcspn(href, "\\?#"); href[i] == '\\'; i += strcspn(href + i, "\\?#"))
        href[i] = '/';
    char *at = href + (scheme ? scheme + 1 : 0);
    size_t slashes = strspn(at, "/");
    if (slashes < 2 && !scheme)
        return;
    if (slashes < 2 && base_scheme && is_scheme(href, scheme, base_scheme)) {
        const bool dot = scheme_bytes(at); /* "http:a:b" becomes "./a:b" */
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

/* Write `href`, whose white space and slashes are right, into `out`: impossible bytes
 * percent-encoded, the host in lower case. `out` has URL_BYTES_MAX + 1 bytes. */
static int encode(const char *href, char *out)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t size = strlen(href);
    size_t host_end = authority_end(href, size);
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

/* Write `href` into `out` as browsers read it. */
static int clean(const char *href, const char *base_scheme, char *out)
{
    size_t size = strlen(href) + sizeof "//";
    char *forgiven = malloc(size);

    if (!forgiven)
        return BIGHT_ENOMEM;
    (void)snprintf(forgiven, size, "%s", href);
    strip(forgiven);
    put_slashes_right(forgiven, base_scheme);
    int rc = encode(forgiven, out);
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

/* Write the dots of `href`'s dot segments as dots, so that every version of libcurl knows them. */
static void spell_dots(char *href)
{
    char *to = href + authority_end(href, strlen(href));
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

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

/* A name with other letters than ASCII's, in the punycode form that goes over the wire. A
 * libcurl that cannot do this leaves it alone, and the lookup says what is wrong with it. */
static CURLUcode convert_host(CURLU *handle, char **host)
{
    char *converted = NULL;
    CURLUcode code = curl_url_get(handle, CURLUPART_HOST, &converted, CURLU_PUNYCODE);

    if (code == CURLUE_OK) {
        curl_free(*host);
        *host = converted;
        return CURLUE_OK;
    }
    /* libcurl leaves the unconverted name in it, and calls any failure one of memory. */
    curl_free(converted);
    return code == CURLUE_LACKS_IDN ? CURLUE_OK : CURLUE_BAD_HOSTNAME;
}

/* Lower the host's case, which libcurl keeps as written. */
static CURLUcode lower_host(CURLU *handle)
{
    char *host = NULL;
    CURLUcode code = curl_url_get(handle, CURLUPART_HOST, &host, 0);

    if (code == CURLUE_OK && !is_ascii(host))
        code = convert_host(handle, &host);
    /* Older versions accept what was encoded twice. */
    if (code == CURLUE_OK && strchr(host, '%'))
        code = CURLUE_BAD_HOSTNAME;
    for (char *c = host; code == CURLUE_OK && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    if (code == CURLUE_OK)
        code = curl_url_set(handle, CURLUPART_HOST, host, 0);
    curl_free(host);
    return code;
}

static CURLUcode drop_parts(CURLU *handle)
{
    static const CURLUPart dropped[] = {CURLUPART_FRAGMENT, CURLUPART_USER, CURLUPART_PASSWORD,
                                        CURLUPART_OPTIONS};

    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++) {
        CURLUcode code = curl_url_set(handle, dropped[i], NULL, 0);
        if (code)
            return code;
    }
    return CURLUE_OK;
}

static int check_scheme(CURLU *handle)
{
    char *scheme = NULL;
    int rc = error_of(curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0));

    if (rc == 0 && strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        rc = BIGHT_ENOTSUP;
    curl_free(scheme);
    return rc;
}

static int normal_form(CURLU *handle, char **out)
{
    char *text = NULL;
    int rc = check_scheme(handle);

    if (rc == 0)
        rc = error_of(drop_parts(handle));
    if (rc == 0)
        rc = error_of(lower_host(handle));
    if (rc == 0)
        rc = error_of(curl_url_get(handle, CURLUPART_URL, &text, CURLU_NO_DEFAULT_PORT));
    if (rc == 0 && strlen(text) > URL_BYTES_MAX)
        rc = BIGHT_ETOOBIG;
    /* libcurl decodes host names, so that bytes may stand there which no URL has. */
    if (rc == 0 && !url_is_plausible(text))
        rc = BIGHT_EINVAL;
    if (rc == 0) {
        /* A copy, so that callers free it with free() and never have to know of libcurl. */
        *out = strdup(text);
        rc = *out ? 0 : BIGHT_ENOMEM;
    }
    curl_free(text);
    return rc;
}

/* Put the directory of `handle`'s path in front of the relative path in `href`, which has
 * URL_BYTES_MAX + 1 bytes. libcurl's versions do not agree on what "./" and "../" do there. */
static int make_rooted(CURLU *handle, char *href)
{
    char *path = NULL;
    int rc = error_of(curl_url_get(handle, CURLUPART_PATH, &path, 0));

    if (rc)
        return rc;
    size_t directory = (size_t)(strrchr(path, '/') - path) + 1;
    size_t size = strlen(href) + 1;
    if (directory + size > URL_BYTES_MAX + 1) {
        rc = BIGHT_ETOOBIG;
    } else {
        memmove(href + directory, href, size);
        memcpy(href, path, directory);
    }
    curl_free(path);
    return rc;
}

/* Give `handle` its URL again, by way of `room`, which has URL_BYTES_MAX + 1 bytes, now that the
 * host is decoded: libcurl looks for numbers that are an IPv4 address before it does that. */
static int set_again(CURLU *handle, char *room)
{
    char *host = NULL, *text = NULL;
    int rc = error_of(curl_url_get(handle, CURLUPART_HOST, &host, 0));

    /* Older versions accept what was encoded twice. */
    if (rc == 0 && strchr(host, '%'))
        rc = BIGHT_EINVAL;
    if (rc == 0)
        rc = error_of(curl_url_get(handle, CURLUPART_URL, &text, 0));
    if (rc == 0)
        rc = encode(text, room);
    if (rc == 0)
        rc = error_of(curl_url_set(handle, CURLUPART_URL, room, 0));
    curl_free(host);
    curl_free(text);
    return rc;
}

/* Set the whole URL of `handle` to the cleaned form of `text`, which is relative to what it
 * holds if `based`. */
static int set_url(CURLU *handle, const char *text, bool based)
{
    char *base_scheme = NULL;
    int rc = based ? error_of(curl_url_get(handle, CURLUPART_SCHEME, &base_scheme, 0)) : 0;
    if (rc)
        return rc;
    char *cleaned = calloc(1, URL_BYTES_MAX + 1);
    rc = cleaned ? clean(text, base_scheme, cleaned) : BIGHT_ENOMEM;
    curl_free(base_scheme);
    if (rc == 0)
        spell_dots(cleaned);
    size_t scheme = rc == 0 ? scheme_bytes(cleaned) : 0;
    if (scheme && !is_web(cleaned, scheme)) {
        rc = BIGHT_ENOTSUP; /* for libcurl one of more than 40 bytes is the beginning of a path */
    } else if (rc == 0 && !scheme) {
        if (!based)
            rc = BIGHT_EINVAL;
        else if (!strchr("/?#", cleaned[0]))
            rc = make_rooted(handle, cleaned);
    }
    /* For libcurl an empty link names the directory; by RFC 3986 it names the page itself. */
    if (rc == 0 && cleaned[0] != '\0' && cleaned[0] != '#') {
        bool encoded = memchr(cleaned, '%', authority_end(cleaned, strlen(cleaned)));
        rc = error_of(curl_url_set(handle, CURLUPART_URL, cleaned, 0));
        if (rc == 0 && encoded)
            rc = set_again(handle, cleaned);
    }
    free(cleaned);
    return rc;
}

int url_base_new(struct url_base **out, const char *url)
{
    CURLU *handle = curl_url();
    if (!handle)
        return BIGHT_ENOMEM;
    int rc = set_url(handle, url, false);
    if (rc == 0)
        rc = check_scheme(handle);
    if (rc) {
        curl_url_cleanup(handle);
        return rc;
    }
    *out = base_of(handle);
    return 0;
}

void url_base_free(struct url_base *base)
{
    curl_url_cleanup(handle_of(base));
}

int url_resolve(const struct url_base *base, const char *href, char **out)
{
    CURLU *handle = curl_url_dup(handle_of(base));
    if (!handle)
        return BIGHT_ENOMEM;
    int rc = set_url(handle, href, true);
    if (rc == 0)
        rc = normal_form(handle, out);
    curl_url_cleanup(handle);
    return rc;
}

int url_normalise(const char *text, char **out)
{
    struct url_base *base;
    int rc = url_base_new(&base, text);
    if (rc == 0) {
        rc = normal_form(handle_of(base), out);
        url_base_free(base);
    }
    return rc;
}

static bool has_user_info(const struct url_base *base)
{
    char *user = NULL;
    bool has = curl_url_get(handle_of(base), CURLUPART_USER, &user, 0) == CURLUE_OK;

    curl_free(user);
    return has;
}

int url_from_user(const char *text, char **out)
{
    struct url_base *base;
    char *with_scheme = NULL;

    if (!strstr(text, "://")) {
        size_t size = strlen(text) + sizeof "http://";
        with_scheme = malloc(size);
        if (!with_scheme)
            return BIGHT_ENOMEM;
        (void)snprintf(with_scheme, size, "http://%s", text);
        text = with_scheme;
    }
    int rc = url_base_new(&base, text);
    free(with_scheme);
    if (rc)
        return rc;
    rc = has_user_info(base) ? BIGHT_EPERM : normal_form(handle_of(base), out);
    url_base_free(base);
    return rc;
}

bool url_is_plausible(const char *text)
{
    size_t origin = url_origin_bytes(text);

    if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
        return false;
    if (text[origin] != '/' || strlen(text) > URL_BYTES_MAX)
        return false;
    for (; *text; text++)
        if (is_space((unsigned char)*text) || *text == 0x7f || *text == '#')
            return false;
    return true;
}

size_t url_origin_bytes(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
}

bool url_same_origin(const char *a, const char *b)
{
    size_t size = url_origin_bytes(a);
    return size == url_origin_bytes(b) && memcmp(a, b, size) == 0;
}
