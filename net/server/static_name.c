/* Static files: what is in a name, and what names a version of a file. */
#include "net/server/static.h"

#include <string.h>

#include "coro/base/splitmix.h"

/* File systems count in steps of up to 2 s. */
#define STEP_S 2

/* What is left encoded in a path is a percent sign or a slash (bight_exchange_path), and no name
 * has a slash. Where `to` ends, with a NUL; NULL: there is no such name. */
static char *decode(char *to, const char *part, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        *to++ = part[i];
        if (part[i] != '%' || bytes - i < 3)
            continue;
        if (part[i + 1] == '2' && (part[i + 2] == 'F' || part[i + 2] == 'f'))
            return NULL;
        if (part[i + 1] == '2' && part[i + 2] == '5')
            i += 2;
    }
    *to = '\0';
    return to;
}

enum static_path bight__static_path(const char *path, bool dot_files, char *out)
{
    size_t bytes, length = strlen(path);
    char *to = out;

    *out = '\0';
    for (const char *at = path; *(at += strspn(at, "/")); at += bytes) {
        bytes = strcspn(at, "/");
        if (*at == '.' && (!dot_files || bytes == 1 || (bytes == 2 && at[1] == '.')))
            return STATIC_PATH_REFUSED;
        if (to != out)
            *to++ = '/';
        to = decode(to, at, bytes);
        if (!to)
            return STATIC_PATH_REFUSED;
    }
    return length > 0 && path[length - 1] == '/' ? STATIC_PATH_FOLDER : STATIC_PATH_FILE;
}

/* What may stand in a path as it is (RFC 3986, 3.3), and what is encoded already. */
static bool is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("/-._~!$&'()*+,;=:@%", c));
}

char *bight__static_encode(const char *path, char *out)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;

        if (is_plain(c)) {
            *out++ = (char)c;
        } else {
            *out++ = '%';
            *out++ = digits[c >> 4];
            *out++ = digits[c & 15];
        }
    }
    *out = '\0';
    return out;
}

bool bight__static_is_settled(const struct open_file *file, int64_t now_s)
{
    return file->modified_s < now_s - STEP_S;
}

static char *put_hex(char *at, uint64_t number)
{
    int shift = 60;

    while (shift > 0 && number >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[number >> shift & 15];
    return at;
}

/* Of inode, time and length: whoever replaces a file changes the first, and whoever writes over it
 * the second. Mixed, since an inode's number is nobody's business. */
void bight__static_etag(const struct open_file *file, const char *mark, int64_t now_s,
                        char out[ETAG_BYTES])
{
    uint64_t state = (uint64_t)file->modified_s * UINT64_C(1000000000) + file->modified_ns;
    char *at = out;

    state = splitmix_next(&state) ^ file->inode;
    if (!bight__static_is_settled(file, now_s)) {
        *at++ = 'W';
        *at++ = '/';
    }
    *at++ = '"';
    at = put_hex(at, splitmix_next(&state));
    *at++ = '-';
    at = put_hex(at, (uint64_t)file->bytes);
    at = stpcpy(at, mark);
    *at++ = '"';
    *at = '\0';
}
