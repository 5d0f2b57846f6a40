/* See record.h. Strings come from servers and pages: whatever they hold, the line is valid JSON in
 * valid UTF-8. */
#include "samples/scraper/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How many bytes of `text` are one well-formed character of UTF-8 (Unicode, table 3-7); 0: none. */
static size_t well_formed(const unsigned char *text)
{
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t length;

    if (text[0] < 0x80)
        return 1;
    if (text[0] < 0xc2 || text[0] > 0xf4)
        return 0;
    length = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    if (text[0] == 0xe0)
        low = 0xa0; /* shorter forms exist */
    else if (text[0] == 0xed)
        high = 0x9f; /* surrogates */
    else if (text[0] == 0xf0)
        low = 0x90;
    else if (text[0] == 0xf4)
        high = 0x8f; /* beyond Unicode */
    for (size_t i = 1; i < length; i++) {
        if (text[i] < low || text[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return length;
}

static int write_escaped(struct bytes *out, unsigned char c)
{
    char code[8];
    char letter = 0;

    switch (c) {
    case '"':
    case '\\':
        letter = (char)c;
        break;
    case '\n':
        letter = 'n';
        break;
    case '\r':
        letter = 'r';
        break;
    case '\t':
        letter = 't';
        break;
    default:
        break;
    }
    if (letter)
        (void)snprintf(code, sizeof code, "\\%c", letter);
    else
        (void)snprintf(code, sizeof code, "\\u%04x", c);
    return bytes_append_text(out, code);
}

int record_write_string(struct bytes *out, const char *text)
{
    if (!text)
        return bytes_append_text(out, "null");
    int rc = bytes_append_char(out, '"');
    for (const unsigned char *at = (const unsigned char *)text; *at && rc == 0;) {
        size_t length = well_formed(at);
        if (*at == '"' || *at == '\\' || *at < ' ')
            rc = write_escaped(out, *at);
        else if (length == 0)
            rc = bytes_append_text(out, "\xef\xbf\xbd");
        else
            rc = bytes_append(out, at, length);
        at += length ? length : 1;
    }
    return rc ? rc : bytes_append_char(out, '"');
}

static int write_text(struct bytes *out, const char *name, const char *text)
{
    int rc = bytes_append_text(out, name);
    return rc ? rc : record_write_string(out, text);
}

/* A negative number is unknown. */
static int write_number(struct bytes *out, const char *name, int64_t value)
{
    char text[32];
    int rc = bytes_append_text(out, name);

    (void)snprintf(text, sizeof text, "%" PRId64, value);
    return rc ? rc : bytes_append_text(out, value < 0 ? "null" : text);
}

int record_write(struct bytes *out, const struct record *record)
{
    bool parsed = record->parsed;
    bool with_sha256 = !record->sha256 || record->sha256[0];
    int rc = write_text(out, "{\"url\":", record->url);

    if (rc == 0)
        rc = write_text(out, ",\"final_url\":", record->final_url);
    if (rc == 0)
        rc = write_number(out, ",\"status\":", record->status ? record->status : -1);
    if (rc == 0)
        rc = write_text(out, ",\"content_type\":", record->content_type);
    if (rc == 0)
        rc = write_number(out, ",\"bytes\":", record->bytes);
    if (rc == 0)
        rc = write_text(out, ",\"title\":", parsed ? record->title : NULL);
    if (rc == 0)
        rc = write_number(out, ",\"links\":", parsed ? (int64_t)record->links : -1);
    if (rc == 0)
        rc = write_number(out, ",\"words\":", parsed ? (int64_t)record->words : -1);
    if (rc == 0 && with_sha256)
        rc = write_text(out, ",\"sha256\":", record->sha256);
    if (rc == 0)
        rc = write_number(out, ",\"ms\":", record->ms);
    if (rc == 0 && record->error)
        rc = write_text(out, ",\"error\":", record->error);
    return rc ? rc : bytes_append_text(out, "}\n");
}
