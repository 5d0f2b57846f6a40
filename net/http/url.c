/* URLs: which origin is meant, and where a Location leads. libcurl's own parser decides; plain URLs,
 * which are nearly all, are taken apart here without it. What the short way accepts is so narrow that
 * no two parsers can disagree about it: that would be a hole in the address filter. */
#include <string.h>

#include "net/http/http.h"

/* Four decimal numbers without leading zeros: what every parser takes for the same address. */
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

/* What a byte may be in a plain URL: part of the host, the end of the host, part of the rest. */
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

/* The port behind the colon at `at`, 0 when it is none. */
static unsigned parse_port(const char *at)
{
    unsigned port = 0;

    while (*++at >= '0' && *at <= '9' && port <= UINT16_MAX)
        port = port * 10 + (unsigned)(*at - '0');
    return port <= UINT16_MAX && (class_of(*at) & ENDS_HOST) && *at != ':' ? port : 0;
}

/* The host and port of "http[s]://host[:port][/?#...]"; false: ask libcurl. */
static bool parse_plain(const char *url, struct http_url *out)
{
    const char *host = url + (out->https ? sizeof "https://" : sizeof "http://") - 1;
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

    out->literal = *host == '[' || bight__address_parse(host, &address) == 0;
    if (bytes > 2 && *host == '[') {
        host++;
        bytes -= 2;
    }
    if (!bytes || bytes >= sizeof out->host)
        return BIGHT_EINVAL;
    for (size_t i = 0; i < bytes; i++)
        out->host[i] = host[i] >= 'A' && host[i] <= 'Z' ? (char)(host[i] + 32) : host[i];
    out->host[bytes] = '\0';
    return 0;
}

static int curl_parse(CURLU *handle, const char *url, struct http_url *out, char **text)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    int rc = BIGHT_EINVAL;

    if (curl_url_set(handle, CURLUPART_URL, url, 0) ||
        curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) ||
        curl_url_get(handle, CURLUPART_HOST, &host, CURLU_PUNYCODE) ||
        curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
        goto out;
    out->https = strcmp(scheme, "https") == 0;
    if (!out->https && strcmp(scheme, "http") != 0)
        goto out;
    out->port = (uint16_t)strtoul(port, NULL, 10);
    if (out->port == 0 || copy_host(out, host) < 0)
        goto out;
    rc = curl_url_get(handle, CURLUPART_URL, text, 0) ? BIGHT_ENOMEM : 0;
out:
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    return rc;
}

int bight__http_url_parse(const char *url, struct http_url *out, char **text)
{
    *text = NULL;
    out->https = strncmp(url, "https://", 8) == 0;
    if ((out->https || strncmp(url, "http://", 7) == 0) && parse_plain(url, out))
        return 0;
    CURLU *handle = curl_url();
    if (!handle)
        return BIGHT_ENOMEM;
    int rc = curl_parse(handle, url, out, text);
    curl_url_cleanup(handle);
    return rc;
}

bool bight__http_same_origin(const struct http_url *a, const struct http_url *b)
{
    return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* CURLINFO_REDIRECT_URL would tell the same, but not for a transfer that was cut short, and without
 * the encoding of spaces and of bytes beyond ASCII. */
int bight__http_url_join(const char *base, const char *location, char **text)
{
    CURLU *handle = curl_url();
    int rc = BIGHT_EPROTOCOL;

    if (!handle)
        return BIGHT_ENOMEM;
    /* The fragment is the base's own. */
    if (curl_url_set(handle, CURLUPART_URL, base, 0) == CURLUE_OK &&
        curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
        curl_url_set(handle, CURLUPART_URL, location, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME) ==
            CURLUE_OK)
        rc = curl_url_get(handle, CURLUPART_URL, text, 0) ? BIGHT_ENOMEM : 0;
    curl_url_cleanup(handle);
    return rc;
}
