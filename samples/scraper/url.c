/* See url.h. What libcurl leaves open is done here: the last steps to the normal form, and what its
 * versions read differently: relative paths and odd hosts. href.c has done its part before. */
#include "samples/scraper/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include <bight/errors.h>

#include "samples/scraper/href.h"

struct url_base {
    CURLU *handle;
    /* The normal form up to the last slash of its path; of 0 bytes when it has none. */
    char *directory;
    size_t directory_bytes;
};

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
    /* What begins with two slashes would be a host. */
    size_t dot = directory > 1 && path[1] == '/' ? 2 : 0;
    if (dot + directory + size > URL_BYTES_MAX + 1) {
        rc = BIGHT_ETOOBIG;
    } else {
        memmove(href + dot + directory, href, size);
        memcpy(href + dot, path, directory);
        memcpy(href, "/.", dot);
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
        rc = href_encode(text, room);
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
    rc = cleaned ? href_clean(text, base_scheme, cleaned) : BIGHT_ENOMEM;
    curl_free(base_scheme);
    if (rc == 0)
        href_spell_dots(cleaned);
    size_t scheme = rc == 0 ? href_scheme_bytes(cleaned) : 0;
    if (scheme && !href_is_web(cleaned, scheme)) {
        rc = BIGHT_ENOTSUP; /* for libcurl one of more than 40 bytes is the beginning of a path */
    } else if (rc == 0 && !scheme) {
        if (!based)
            rc = BIGHT_EINVAL;
        else if (!strchr("/?#", cleaned[0]))
            rc = make_rooted(handle, cleaned);
    }
    /* For libcurl an empty link names the directory; by RFC 3986 it names the page itself. */
    if (rc == 0 && cleaned[0] != '\0' && cleaned[0] != '#') {
        bool encoded = memchr(cleaned, '%', href_authority_end(cleaned, strlen(cleaned)));
        rc = error_of(curl_url_set(handle, CURLUPART_URL, cleaned, 0));
        if (rc == 0 && encoded)
            rc = set_again(handle, cleaned);
    }
    free(cleaned);
    return rc;
}

/* What is known of absolute URLs alone. Gives *out. */
static int open_url(CURLU **out, const char *url)
{
    CURLU *handle = curl_url();
    if (!handle)
        return BIGHT_ENOMEM;
    int rc = set_url(handle, url, false);
    if (rc == 0)
        rc = check_scheme(handle);
    if (rc)
        curl_url_cleanup(handle);
    else
        *out = handle;
    return rc;
}

/* --- links ------------------------------------------------------------------------------------ */

/* Let *base know its directory. That there is none is no error: each link will meet the reason. */
static int find_directory(struct url_base *base)
{
    CURLU *handle = curl_url_dup(base->handle);
    if (!handle)
        return BIGHT_ENOMEM;
    int rc = normal_form(handle, &base->directory);
    curl_url_cleanup(handle);
    if (rc)
        return rc == BIGHT_ENOMEM ? rc : 0;
    size_t bytes = strcspn(base->directory, "?");
    while (base->directory[bytes - 1] != '/')
        bytes--;
    base->directory_bytes = bytes;
    return 0;
}

int url_base_new(struct url_base **out, const char *url)
{
    struct url_base *base = calloc(1, sizeof *base);
    int rc = base ? open_url(&base->handle, url) : BIGHT_ENOMEM;

    if (rc == 0)
        rc = find_directory(base);
    if (rc)
        url_base_free(base);
    else
        *out = base;
    return rc;
}

void url_base_free(struct url_base *base)
{
    if (!base)
        return;
    curl_url_cleanup(base->handle);
    free(base->directory);
    free(base);
}

static int resolve_any(const struct url_base *base, const char *href, char **out)
{
    CURLU *handle = curl_url_dup(base->handle);
    if (!handle)
        return BIGHT_ENOMEM;
    int rc = set_url(handle, href, true);
    if (rc == 0)
        rc = normal_form(handle, out);
    curl_url_cleanup(handle);
    return rc;
}

/* The bytes of the directory above the one that is `bytes` of a normal form, itself at the root. */
static size_t parent_bytes(const char *directory, size_t bytes)
{
    size_t root = url_origin_bytes(directory) + 1;

    if (bytes > root)
        bytes--;
    while (bytes > root && directory[bytes - 1] != '/')
        bytes--;
    return bytes;
}

int url_resolve(const struct url_base *base, const char *href, char **out)
{
    const char *rest = href;
    size_t above = base->directory_bytes;

    for (; above && strncmp(rest, "../", 3) == 0; rest += 3)
        above = parent_bytes(base->directory, above);
    size_t bytes = href_plain_bytes(rest);
    if (!above || !bytes || above + bytes > URL_BYTES_MAX)
        return resolve_any(base, href, out);
    char *url = malloc(above + bytes + 1);
    if (!url)
        return BIGHT_ENOMEM;
    memcpy(url, base->directory, above);
    memcpy(url + above, rest, bytes);
    url[above + bytes] = '\0';
    *out = url;
    return 0;
}

/* --- absolute URLs ---------------------------------------------------------------------------- */

int url_normalise(const char *text, char **out)
{
    CURLU *handle;
    int rc = open_url(&handle, text);
    if (rc == 0) {
        rc = normal_form(handle, out);
        curl_url_cleanup(handle);
    }
    return rc;
}

static bool has_user_info(CURLU *handle)
{
    char *user = NULL;
    bool has = curl_url_get(handle, CURLUPART_USER, &user, 0) == CURLUE_OK;

    curl_free(user);
    return has;
}

int url_from_user(const char *text, char **out)
{
    CURLU *handle;
    char *with_scheme = NULL;

    if (!strstr(text, "://")) {
        size_t size = strlen(text) + sizeof "http://";
        with_scheme = malloc(size);
        if (!with_scheme)
            return BIGHT_ENOMEM;
        (void)snprintf(with_scheme, size, "http://%s", text);
        text = with_scheme;
    }
    int rc = open_url(&handle, text);
    free(with_scheme);
    if (rc)
        return rc;
    rc = has_user_info(handle) ? BIGHT_EPERM : normal_form(handle, out);
    curl_url_cleanup(handle);
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
        if ((unsigned char)*text <= ' ' || *text == 0x7f || *text == '#')
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
