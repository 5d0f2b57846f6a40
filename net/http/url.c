/* URLs: which origin is meant, what libcurl gets to see, and where a Location leads. Versions of
 * libcurl read paths and references differently, so this file settles those by the rules of the
 * WHATWG's URL standard. libcurl's parser decides about user info, host and port; plain ones, which
 * are nearly all, are taken apart here without it. What the short way accepts is so narrow that no
 * two parsers can disagree about it: a disagreement would be a hole in the address filter. */
#include "net/http/url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include <bight/errors.h>

#include "net/resolve/door.h"

#define SCHEME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."

/* Four decimal numbers without leading zeros: every parser reads them as the same address. */
static bool is_dotted_quad(const char *host)
{
    for (int part = 0; part < 4; part++) {
        unsigned number = 0;
        const char *at = host;
        while (*at >= '0' && *at <= '9' && number <= 255)
            number = number * 10 + (unsigned)(*at++ - '0');
        if (at == host || number > 255 || (*host == '0' && at > host + 1) ||
            *at != (part < 3 ? '.' : '\0'))
            return false;
        host = at + 1;
    }
    return true;
}

/* Where a byte may stand in a plain URL: in the host, at the end of the host, in the rest. */
#define IN_HOST 1u
#define ENDS_HOST 2u
#define IN_REST 4u

static const uint8_t classes[256] = {
    [0] = ENDS_HOST,
    ['!' ... '"'] = IN_REST,
    ['#'] = ENDS_HOST | IN_REST,
    ['$' ... ','] = IN_REST,
    ['-' ... '.'] = IN_HOST | IN_REST,
    ['/'] = ENDS_HOST | IN_REST,
    ['0' ... '9'] = IN_HOST | IN_REST,
    [':'] = ENDS_HOST | IN_REST,
    [';' ... '>'] = IN_REST,
    ['?'] = ENDS_HOST | IN_REST,
    ['@' ... '`'] = IN_REST,
    ['a' ... 'z'] = IN_HOST | IN_REST,
    ['{' ... '~'] = IN_REST,
};

static unsigned class_of(char c)
{
    return classes[(unsigned char)c];
}

/* The port behind the colon at `at`, or 0 when it is invalid. */
static unsigned parse_port(const char *at)
{
    unsigned port = 0;

    while (*++at >= '0' && *at <= '9' && port <= UINT16_MAX)
        port = port * 10 + (unsigned)(*at - '0');
    return port <= UINT16_MAX && (class_of(*at) & ENDS_HOST) && *at != ':' ? port : 0;
}

/* Parse the host and port of "http[s]://host[:port][/?#...]"; false: ask libcurl. */
static bool parse_plain(const char *url, struct http_url *out)
{
    const char *host = url + (out->https ? sizeof("https://") : sizeof("http://")) - 1;
    const char *end = host, *label = host;

    for (; class_of(*end) & IN_HOST; end++)
        if (*end == '.')
            label = end + 1;
    size_t length = (size_t)(end - host);
    if (!(class_of(*end) & ENDS_HOST) || !length || length >= HTTP_HOST_BYTES || label == end)
        return false;
    memcpy(out->host, host, length);
    out->host[length] = '\0';
    unsigned port = *end == ':' ? parse_port(end) : out->https ? 443 : 80;
    if (!port)
        return false;
    out->port = (uint16_t)port;
    for (; class_of(*end) & IN_REST; end++)
        ;
    if (*end)
        return false;
    /* A last label that begins with a digit may be one of the odd ways to write an IPv4 address. */
    out->literal = *label < 'a' && is_dotted_quad(out->host);
    return out->literal || (*label >= 'a' && *label <= 'z');
}

static int copy_host(struct http_url *out, const char *host)
{
    size_t bytes = strlen(host);
    struct bight_address address;

    out->literal = *host == '[' || bight_address_parse(host, &address) == 0;
    if (bytes > 2 && *host == '[') {
        host++;
        bytes -= 2;
    }
    if (!bytes || bytes >= sizeof(out->host))
        return BIGHT_EINVAL;
    for (size_t i = 0; i < bytes; i++)
        out->host[i] = host[i] >= 'A' && host[i] <= 'Z' ? (char)(host[i] + 32) : host[i];
    out->host[bytes] = '\0';
    return 0;
}

/* How many dots the path segment [at, end) stands for, or 0 when it is an ordinary one. */
static unsigned count_dots(const char *at, const char *end)
{
    unsigned dots = 0;

    for (; at < end && dots <= 2; dots++) {
        if (*at == '.')
            at++;
        else if (end - at >= 3 && at[0] == '%' && at[1] == '2' && (at[2] | 0x20) == 'e')
            at += 3;
        else
            return 0;
    }
    return dots <= 2 ? dots : 0;
}

/* Remove the dot segments of the path [rest, end), including those written with %2e, which libcurl
 * takes for dots only since 8.13. Returns the path's new end. */
static char *remove_dots(char *rest, const char *end)
{
    const char *at = rest, *next;
    char *to = rest;

    for (; at < end; at = next) {
        for (next = at + 1; next < end && *next != '/'; next++)
            ;
        unsigned dots = count_dots(at + 1, next);
        if (dots == 2)
            while (to > rest && *--to != '/')
                ;
        if (dots == 0) {
            if (to != at)
                memmove(to, at, (size_t)(next - at));
            to += next - at;
        } else if (next == end) {
            *to++ = '/';
        }
    }
    return to;
}

/* Bring the path that begins at `offset` into its only form; an empty one becomes "/". */
static int settle_path(const struct bight_seams *seams, struct http_buffer *text, size_t offset)
{
    char *path = text->data + offset;
    char *end = path + strcspn(path, "?#");
    size_t tail = text->bytes - (size_t)(end - text->data);

    if (end == path) {
        int rc = http_buffer_reserve(seams, text, 1);
        if (rc)
            return rc;
        path = text->data + offset;
        memmove(path + 1, path, tail);
        *path = '/';
        text->bytes++;
        end = path + 1;
    }
    char *to = remove_dots(path, end);
    /* Newer versions send no question mark when there is no query. */
    if (end[0] == '?' && (end[1] == '\0' || end[1] == '#')) {
        end++;
        tail--;
    }
    if (to != end)
        memmove(to, end, tail);
    text->bytes -= (size_t)(end - to);
    return 0;
}

/* The length of "scheme" in "scheme:...", or 0 when `text` has no scheme. */
static size_t scheme_bytes(const char *text)
{
    size_t bytes = strspn(text, SCHEME_BYTES);

    return (*text | 0x20) >= 'a' && (*text | 0x20) <= 'z' && text[bytes] == ':' ? bytes : 0;
}

/* Where the path begins, in an absolute URL or in what follows its scheme. libcurl reads one slash
 * or three in front of the host as two. */
static size_t path_offset(const char *text)
{
    size_t scheme = scheme_bytes(text);
    const char *host = text + (scheme ? scheme + 1 : 0);

    for (int slashes = 0; slashes < 3 && *host == '/'; slashes++)
        host++;
    return (size_t)(host - text) + strcspn(host, "/?#");
}

static const char wrong_port[] = "the port is not a number from 1 to 65535";

/* What libcurl says, in the words of who reads the URL. */
static const char *reason(CURLUcode code, const char *front)
{
    const char *bracket = strchr(front, '[');

    if (bracket && !strchr(bracket, ']'))
        return "the bracket in the host is not closed";
    if (code == CURLUE_BAD_PORT_NUMBER)
        return wrong_port;
    return curl_url_strerror(code);
}

/* What libcurl makes of `front`, which has no path: `out`, and the text with a slash at its end. */
static int ask_curl(CURLU *handle, const char *front, struct http_url *out, char **text)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLUcode code;
    int rc = BIGHT_EINVAL;

    if ((code = curl_url_set(handle, CURLUPART_URL, front, 0)) ||
        (code = curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0)) ||
        (code = curl_url_get(handle, CURLUPART_HOST, &host, CURLU_PUNYCODE)) ||
        (code = curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))) {
        out->why = reason(code, front);
        if (code == CURLUE_OUT_OF_MEMORY)
            rc = BIGHT_ENOMEM;
        goto out;
    }
    out->https = strcmp(scheme, "https") == 0;
    out->port = (uint16_t)strtoul(port, NULL, 10);
    /* Older versions accept an encoded percent sign. */
    out->why = out->port == 0 ? wrong_port : "the host is not one";
    if (out->port == 0 || strchr(host, '%') || copy_host(out, host))
        goto out;
    out->why = NULL;
    rc = curl_url_get(handle, CURLUPART_URL, text, CURLU_PUNYCODE) ? BIGHT_ENOMEM : 0;
out:
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    return rc;
}

static bool is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 0x80)
        text++;
    return !*text;
}

/* Put the ASCII form of the host, which begins `at` there, into `front`. */
static int convert_host(const struct bight_seams *seams, struct http_buffer *front, size_t at,
                        const char **why)
{
    struct http_buffer whole = {0};
    size_t end = at + strcspn(front->data + at, ":");
    int rc = http_buffer_append(seams, &whole, front->data, at);

    if (rc == 0)
        rc = bight__http_idn(seams, front->data + at, end - at, &whole, why);
    if (rc == 0)
        rc = http_buffer_append(seams, &whole, front->data + end, front->bytes - end);
    if (rc) {
        bight__http_buffer_free(&whole);
        return rc;
    }
    bight__http_buffer_free(front);
    *front = whole;
    return 0;
}

/* The part of `url` before its path, and a NUL. The host is in lower case: of 0x and 0X only the
 * first begins a number for every version. */
static int copy_front(const struct bight_seams *seams, const char *url, size_t bytes,
                      struct http_buffer *front, const char **why)
{
    int rc = http_buffer_append(seams, front, url, bytes);
    const char *at;
    size_t host;

    if (rc == 0)
        rc = http_buffer_append(seams, front, "", 1);
    if (rc)
        return rc;
    at = strrchr(front->data, '@');
    host = scheme_bytes(front->data) + 1;
    host = at ? (size_t)(at + 1 - front->data) : host + strspn(front->data + host, "/");
    for (char *byte = front->data + host; *byte; byte++)
        if (*byte >= 'A' && *byte <= 'Z')
            *byte = (char)(*byte + 32);
    return is_ascii(front->data + host) ? 0 : convert_host(seams, front, host, why);
}

/* `text` becomes `front` and what of `text` begins at `rest`. */
static int replace_front(const struct bight_seams *seams, struct http_buffer *text, size_t rest,
                         const char *front, size_t front_bytes)
{
    struct http_buffer whole = {0};
    int rc = http_buffer_append(seams, &whole, front, front_bytes);

    if (rc == 0)
        rc = http_buffer_append(seams, &whole, text->data + rest, text->bytes - rest);
    if (rc) {
        bight__http_buffer_free(&whole);
        return rc;
    }
    bight__http_buffer_free(text);
    *text = whole;
    return 0;
}

bool bight__http_url_is_absolute(const char *text)
{
    return scheme_bytes(text) > 0;
}

const char *bight__http_url_junk(const char *text)
{
    while ((unsigned char)*text > ' ' && *text != 0x7f)
        text++;
    if (!*text)
        return NULL;
    return *text == ' ' ? "there is a space in it, which is written %20"
                        : "there is a control character in it";
}

/* 0: of http or https; BIGHT_ENOTSUP: of another scheme; BIGHT_EINVAL: no URL. */
static int check_scheme(const char *text, const char **why)
{
    size_t bytes = scheme_bytes(text);

    *why = "it does not begin with http:// or https://";
    if (bytes == 0 || text[bytes + 1] != '/')
        return BIGHT_EINVAL;
    const char *junk = bight__http_url_junk(text);
    if (junk) {
        *why = junk;
        return BIGHT_EINVAL;
    }
    if ((bytes == 4 || bytes == 5) && strncasecmp(text, "https", bytes) == 0) {
        *why = NULL;
        return 0;
    }
    return BIGHT_ENOTSUP;
}

/* Have libcurl take the front of `text` apart, and put what it makes of that there. */
static int settle_front(const struct bight_seams *seams, struct http_buffer *text,
                        struct http_url *out)
{
    size_t rest = path_offset(text->data);
    struct http_buffer front = {0};
    char *normal = NULL;
    CURLU *handle;
    int rc = copy_front(seams, text->data, rest, &front, &out->why);

    if (rc == 0) {
        handle = curl_url();
        rc = handle ? ask_curl(handle, front.data, out, &normal) : BIGHT_ENOMEM;
        if (rc == 0)
            rc = replace_front(seams, text, rest, normal, path_offset(normal));
        curl_free(normal);
        curl_url_cleanup(handle);
    }
    bight__http_buffer_free(&front);
    return rc;
}

static int parse_with_curl(const struct bight_seams *seams, struct http_buffer *text,
                           struct http_url *out)
{
    int rc = check_scheme(text->data, &out->why);
    bool encoded = rc == 0 && memchr(text->data, '%', path_offset(text->data));

    if (rc == 0)
        rc = settle_front(seams, text, out);
    /* libcurl looks for numbers that are an IPv4 address before it decodes the host: the transfer,
     * which is given the host decoded, would find those in "%31" too. */
    return rc == 0 && encoded ? settle_front(seams, text, out) : rc;
}

int bight__http_url_parse(const struct bight_seams *seams, struct http_buffer *text,
                          struct http_url *out)
{
    const char *url = text->data;
    int rc = 0;

    out->why = NULL;
    out->https = strncmp(url, "https://", 8) == 0;
    if (!(out->https || strncmp(url, "http://", 7) == 0) || !parse_plain(url, out))
        rc = parse_with_curl(seams, text, out);
    return rc == 0 ? settle_path(seams, text, path_offset(text->data)) : rc;
}

bool bight__http_same_origin(const struct http_url *a, const struct http_url *b)
{
    return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* Append the reference `text` and a NUL. Bytes that no URL may have are encoded, except in the
 * host, [0, host_end); a space in a query becomes a plus, as in libcurl. */
static int append_encoded(const struct bight_seams *seams, struct http_buffer *out,
                          const char *text, size_t host_end)
{
    static const char hex[] = "0123456789ABCDEF";
    int rc = http_buffer_append(seams, out, text, host_end);
    bool query = false;

    for (text += host_end; rc == 0 && *text; text++) {
        unsigned char c = (unsigned char)*text;
        char encoded[3] = {'%', hex[c >> 4], hex[c & 15]};
        query = query || c == '?';
        if (c == ' ' && query)
            rc = http_buffer_append(seams, out, "+", 1);
        else if (c <= ' ' || c >= 0x7f)
            rc = http_buffer_append(seams, out, encoded, sizeof(encoded));
        else
            rc = http_buffer_append(seams, out, text, 1);
    }
    return rc == 0 ? http_buffer_append(seams, out, "", 1) : rc;
}

/* How much of `base` stays in front of the reference `location`, which has no scheme. */
static size_t kept_bytes(const char *base, const char *location)
{
    size_t path = path_offset(base);
    size_t path_end = path + strcspn(base + path, "?#");

    switch (*location) {
    case '/':
        return location[1] == '/' ? scheme_bytes(base) + 1 : path;
    case '?':
        return path_end;
    case '#':
    case '\0':
        return path + strcspn(base + path, "#");
    default:
        while (path_end > path && base[path_end - 1] != '/')
            path_end--;
        return path_end;
    }
}

int bight__http_url_join(const struct bight_seams *seams, const char *base, const char *location,
                         struct http_buffer *out)
{
    bool absolute = scheme_bytes(location) > 0;
    bool names_host = absolute || (location[0] == '/' && location[1] == '/');
    size_t kept = absolute ? 0 : kept_bytes(base, location);
    int rc = http_buffer_append(seams, out, base, kept);

    return rc == 0 ? append_encoded(seams, out, location, names_host ? path_offset(location) : 0)
                   : rc;
}
