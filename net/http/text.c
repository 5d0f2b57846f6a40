/* Bodies as text: which charset one is in, and the conversion to UTF-8, which is iconv's. */
#include "net/http/response.h"

#include <errno.h>
#include <iconv.h>
#include <strings.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* --- which charset ---------------------------------------------------------------------------- */

/* The label of charset in a Content-Type: where it begins, and its length. NULL: there is none. */
static const char *find_label(const char *type, size_t *bytes)
{
    static const char name[] = "charset=";

    while (type && (type = strchr(type, ';'))) {
        type++;
        type += strspn(type, " \t");
        if (strncasecmp(type, name, sizeof(name) - 1) != 0)
            continue;
        type += sizeof(name) - 1;
        type += strspn(type, " \t\"'");
        *bytes = strcspn(type, " \t;\"'");
        return type;
    }
    return NULL;
}

/* What iconv calls it, and in *mark how long the byte order mark is. */
static const char *find_charset(struct bight_http_response *response, size_t *mark)
{
    static const struct {
        const char *bytes;
        size_t count;
        const char *name;
    } marks[] = {
        {"\xef\xbb\xbf", 3, "UTF-8"}, {"\xfe\xff", 2, "UTF-16BE"}, {"\xff\xfe", 2, "UTF-16LE"}};
    const struct http_buffer *body = &response->body;
    const char *name = NULL, *label;
    size_t bytes;

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        *mark = marks[i].count;
        if (body->bytes >= *mark && memcmp(body->data, marks[i].bytes, *mark) == 0)
            return marks[i].name;
    }
    *mark = 0;
    label = find_label(bight__http_headers_find(&response->headers, "Content-Type"), &bytes);
    if (label)
        name = bight_http_charset(label, bytes);
    return name ? name : "UTF-8";
}

/* --- conversion ------------------------------------------------------------------------------- */

/* The response may have outlived its session. */
static const struct bight_seams *seams_of(const struct bight_http_response *response)
{
    return response->session ? response->session->seams : NULL;
}

static int append(struct bight_http_response *response, const char *bytes, size_t count)
{
    return http_buffer_append(seams_of(response), &response->text, bytes, count);
}

/* Bytes from 0x80 on are characters for private use, from U+F780 on. */
static int convert_user_defined(struct bight_http_response *response, const char *at, size_t left)
{
    int rc = 0;

    for (; rc == 0 && left; at++, left--) {
        unsigned char c = (unsigned char)*at;
        const char wide[3] = {'\xef', (char)(0x9c | c >> 6), (char)(0x80 | (c & 0x3f))};

        rc = c < 0x80 ? append(response, at, 1) : append(response, wide, sizeof(wide));
    }
    return rc;
}

/* One step of iconv, into what room there is: 0, or what errno was. With no input it gives what it
 * has kept of the last character. */
static int step(struct http_buffer *text, iconv_t conversion, char **from, size_t *left)
{
    char *to = text->data + text->bytes;
    size_t room = text->capacity - text->bytes;
    size_t rc = iconv(conversion, from, left, &to, &room);
    int why = errno;

    text->bytes = (size_t)(to - text->data);
    return rc == (size_t)-1 ? why : 0;
}

/* `unit`: how many bytes something that is no character costs. */
static int convert(struct bight_http_response *response, iconv_t conversion, char *from,
                   size_t left, size_t unit)
{
    struct http_buffer *text = &response->text;
    int rc = 0, why = E2BIG;

    while (rc == 0 && left) {
        if (why == E2BIG)
            rc = http_buffer_reserve(seams_of(response), text,
                                     text->capacity - text->bytes + left + 16);
        if (rc)
            break;
        why = step(text, conversion, &from, &left);
        if (why == 0 || why == E2BIG)
            continue;
        /* EILSEQ: a bad character; otherwise the end cuts one, and nothing follows. */
        size_t skipped = why == EILSEQ && left > unit ? unit : left;

        from += skipped;
        left -= skipped;
        rc = append(response, replacement, sizeof(replacement) - 1);
    }
    if (rc == 0)
        rc = http_buffer_reserve(seams_of(response), text, 16);
    if (rc == 0)
        (void)step(text, conversion, NULL, NULL);
    return rc;
}

static int convert_from(struct bight_http_response *response, const char *charset, char *from,
                        size_t left)
{
    iconv_t conversion;
    int rc;

    if (strcmp(charset, "replacement") == 0)
        return left ? append(response, replacement, sizeof(replacement) - 1) : 0;
    if (strcmp(charset, "x-user-defined") == 0)
        return convert_user_defined(response, from, left);
    conversion = iconv_open("UTF-8", charset);
    if (conversion == (iconv_t)-1)
        return errno == EINVAL ? BIGHT_ENOTSUP : -errno;
    rc = convert(response, conversion, from, left, strncmp(charset, "UTF-16", 6) == 0 ? 2 : 1);
    (void)iconv_close(conversion);
    return rc;
}

int bight_http_response_text(struct bight_http_response *response, const char **text, size_t *bytes)
{
    struct http_buffer *made;
    const char *charset;
    size_t mark;
    int rc = 0;

    if (!response || !text)
        return BIGHT_EINVAL;
    made = &response->text;
    if (!made->bytes && response->collect) {
        charset = find_charset(response, &mark);
        if (response->body.bytes > mark)
            rc = convert_from(response, charset, response->body.data + mark,
                              response->body.bytes - mark);
        if (rc == 0)
            rc = append(response, "", 1);
        if (rc) {
            bight__http_buffer_free(made);
            return rc;
        }
    }
    *text = made->bytes ? made->data : "";
    if (bytes)
        *bytes = made->bytes ? made->bytes - 1 : 0;
    return 0;
}
