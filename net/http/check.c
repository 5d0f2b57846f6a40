/* What a caller may put on the wire. libcurl sends CR and LF in headers, methods and agents
 * unchanged, so a value from the caller's input could add headers or whole requests. */
#include "net/http/url.h"

#include <string.h>

#include <bight/errors.h>

bool bight__http_valid_value(const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool bight__http_valid_token(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr("!#$%&'*+-.^_`|~", c))))
            return false;
    }
    return bytes > 0;
}

/* "Name: value", "Name:" (do not send it), or libcurl's "Name;" (send it empty). */
int bight__http_check_headers(const char *const *headers)
{
    for (; headers && *headers; headers++) {
        size_t name = strcspn(*headers, ":;");
        if (!(*headers)[name] || !bight__http_valid_token(*headers, name) ||
            !bight__http_valid_value(*headers + name) ||
            ((*headers)[name] == ';' && (*headers)[name + 1]))
            return BIGHT_EINVAL;
    }
    return 0;
}
