/* Fields as text: in a query, and as the body of a form. */
#include "net/http/fields.h"

static bool is_plain(char c, enum http_fields_use use)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return c == '-' || c == '.' || c == '_' || c == (use == HTTP_FIELDS_FORM ? '*' : '~');
}

/* Room for what each byte may become comes first. */
static int append_encoded(const struct bight_seams *seams, struct http_buffer *out,
                          const char *text, enum http_fields_use use)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t bytes = strlen(text);
    char *to;
    int rc;

    if (bytes > SIZE_MAX / 4)
        return BIGHT_ENOMEM;
    rc = http_buffer_reserve(seams, out, 3 * bytes);
    if (rc || !bytes || !out->data)
        return rc;
    to = out->data + out->bytes;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (is_plain(*text, use)) {
            *to++ = *text;
        } else if (c == ' ' && use == HTTP_FIELDS_FORM) {
            *to++ = '+';
        } else {
            *to++ = '%';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
        }
    }
    out->bytes = (size_t)(to - out->data);
    return 0;
}

int bight__http_fields_append(const struct bight_seams *seams, struct http_buffer *out,
                              const struct bight_http_field *fields, enum http_fields_use use)
{
    int rc = 0;

    for (const struct bight_http_field *field = fields; rc == 0 && field->name; field++) {
        if (field > fields)
            rc = http_buffer_append(seams, out, "&", 1);
        if (rc == 0)
            rc = append_encoded(seams, out, field->name, use);
        if (rc == 0 && field->value)
            rc = http_buffer_append(seams, out, "=", 1);
        if (rc == 0 && field->value)
            rc = append_encoded(seams, out, field->value, use);
    }
    return rc;
}

int bight__http_query_add(const struct bight_seams *seams, struct http_buffer *url,
                          const struct bight_http_field *query)
{
    size_t end = strcspn(url->data, "#");
    bool has_query = memchr(url->data, '?', end);
    char last = end ? url->data[end - 1] : '\0';
    struct http_buffer whole = {0};
    int rc;

    if (!query->name)
        return 0;
    rc = http_buffer_append(seams, &whole, url->data, end);
    if (rc == 0 && !(has_query && (last == '?' || last == '&')))
        rc = http_buffer_append(seams, &whole, has_query ? "&" : "?", 1);
    if (rc == 0)
        rc = bight__http_fields_append(seams, &whole, query, HTTP_FIELDS_QUERY);
    if (rc == 0)
        rc = http_buffer_append(seams, &whole, url->data + end, url->bytes - end);
    if (rc) {
        bight__http_buffer_free(&whole);
        return rc;
    }
    bight__http_buffer_free(url);
    *url = whole;
    return 0;
}
