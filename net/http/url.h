/* What a caller may ask for: URLs (url.c), and what may reach the wire (check.c). */
#ifndef BIGHT_NET_HTTP_URL_H
#define BIGHT_NET_HTTP_URL_H

#include <bight/base.h>

#include "net/http/buffer.h"

#define HTTP_HOST_BYTES 256

/* What bight has to know about a URL; libcurl gets its text. */
struct http_url {
    bool https;
    bool literal; /* the host is an IP address: nothing to resolve */
    uint16_t port;
    const char *why;            /* what is wrong with it; NULL when it is a URL */
    char host[HTTP_HOST_BYTES]; /* lower-case ASCII; literals as in the URL, without brackets */
};

/* Take apart the URL in `text`, which ends with a NUL, and bring it into the form that libcurl gets
 * and that no version of it changes: 0; BIGHT_EINVAL when it is not a URL, BIGHT_ENOTSUP when it is
 * neither http nor https; BIGHT_ENOMEM. */
int bight__http_url_parse(const struct bight_seams *seams, struct http_buffer *text,
                          struct http_url *out);
bool bight__http_same_origin(const struct http_url *a, const struct http_url *b);
/* Append to `out` the URL to which `location` leads from `base`, and a NUL. `base` was parsed; the
 * result is not parsed yet. */
int bight__http_url_join(const struct bight_seams *seams, const char *base, const char *location,
                         struct http_buffer *out);

/* Whether `text` begins with a scheme. */
bool bight__http_url_is_absolute(const char *text);
/* What may be in no URL and is in `text`, in words; NULL: nothing. */
const char *bight__http_url_junk(const char *text);

/* idn.c: append the ASCII form of a host name in UTF-8: 0; BIGHT_EINVAL and `why`; BIGHT_ENOMEM. */
int bight__http_idn(const struct bight_seams *seams, const char *name, size_t bytes,
                    struct http_buffer *out, const char **why);

/* check.c */
bool bight__http_valid_value(const char *text);
bool bight__http_valid_token(const char *text, size_t bytes);
/* 0, or BIGHT_EINVAL when a line is not a header. */
int bight__http_check_headers(const char *const *headers);

#endif
