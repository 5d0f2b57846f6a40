/* The target taken apart: host, path and query. */
#include "net/server/server.h"

#include <string.h>

const char *bight__target_authority(const char *target, size_t *bytes, const char **path)
{
    const char *end = target + *bytes, *host, *p;

    if (*bytes > 7 && bight__is_name(target, 7, "http://"))
        host = target + 7;
    else if (*bytes > 8 && bight__is_name(target, 8, "https://"))
        host = target + 8;
    else
        return NULL;
    for (p = host; p < end && *p != '/' && *p != '?';)
        p++;
    *bytes = (size_t)(p - host);
    *path = p;
    return host;
}

/* Decode a segment to `to`: where it ends there; NULL: it is malformed. A slash stays encoded, for
 * it would be another segment, and so does a percent sign, so that there is no doubt what is. */
static char *decode(char *to, const char *from, const char *end)
{
    while (from < end) {
        int high, low, value;

        if (*from != '%') {
            *to++ = *from++;
            continue;
        }
        if (end - from < 3)
            return NULL;
        high = bight__hex(from[1]);
        low = bight__hex(from[2]);
        value = high * 16 + low;
        if (high < 0 || low < 0 || value == 0)
            return NULL;
        from += 3;
        if (value == '/' || value == '%') {
            *to++ = '%';
            *to++ = '2';
            *to++ = value == '/' ? 'F' : '5';
        } else {
            *to++ = (char)value;
        }
    }
    return to;
}

/* Back to the end of the segment before: `at` is behind a "/". */
static char *up(const char *path, char *at)
{
    if (at == path + 1)
        return at;
    at--;
    while (at[-1] != '/')
        at--;
    return at;
}

/* Write the path between `from` and `end` to `path`, which has room for two bytes more. RFC 3986,
 * 5.2.4. False: it is malformed. */
static bool make_path(char *path, const char *from, const char *end)
{
    char *at = path;

    *at++ = '/';
    while (from < end) {
        const char *last = memchr(from, '/', (size_t)(end - from));
        char *next = decode(at, from, last ? last : end);
        size_t bytes;

        if (!next)
            return false;
        bytes = (size_t)(next - at);
        if (bytes == 2 && memcmp(at, "..", 2) == 0) {
            at = up(path, at);
        } else if (bytes && !(bytes == 1 && *at == '.')) {
            at = next;
            if (last)
                *at++ = '/';
        }
        if (!last)
            break;
        from = last + 1;
    }
    *at = '\0';
    return true;
}

/* The host of a target that is a whole URL counts more than the header: RFC 9112 3.2.2. */
static int take_host(struct bight_exchange *exchange, const char *host, size_t bytes)
{
    char *copy = bight__exchange_keep(exchange, bytes + 1);

    if (!copy)
        return -503;
    memcpy(copy, host, bytes);
    copy[bytes] = '\0';
    exchange->host = copy;
    return 0;
}

int bight__path_make(struct bight_exchange *exchange)
{
    const char *path = exchange->text + exchange->head.target;
    const char *end = path + exchange->head.target_bytes, *query;
    size_t bytes = exchange->head.target_bytes;
    char *made;

    exchange->query = NULL;
    if (*path != '/') {
        const char *host = bight__target_authority(path, &bytes, &path);
        int rc = host ? take_host(exchange, host, bytes) : 0;

        if (rc || !host) /* "*", or HOST:PORT */
            return rc;
    }
    query = memchr(path, '?', (size_t)(end - path));
    if (query) {
        exchange->query = query + 1;
        end = query;
    }
    if (path < end && *path == '/')
        path++;
    made = bight__exchange_keep(exchange, (size_t)(end - path) + 2);
    if (!made)
        return -503;
    if (!make_path(made, path, end))
        return -400;
    exchange->path = made;
    return 0;
}
