/* Lines of a head. RFC 9112, sections 2.2, 3 and 5, where that leaves a choice: the strict one. */
#include "net/server/head.h"

#include <string.h>

/* What a character may be part of. */
#define TOKEN 1u  /* RFC 9110 5.6.2 */
#define TARGET 2u /* visible ASCII without "#": RFC 3986 has fewer, and clients send some more */
#define VALUE 4u  /* RFC 9110 5.5: visible, space, tab, and bytes above ASCII */
#define BLANK 8u  /* what parts a request line */

#define T (TOKEN | TARGET | VALUE)
#define V (TARGET | VALUE)
#define H (TOKEN | VALUE)
#define S (VALUE | BLANK)

static const uint8_t classes[256] = {
    ['\t'] = VALUE,    [' '] = S,
    ['!'] = T,         ['"'] = V,
    ['#'] = H,         ['$'] = T,
    ['%'] = T,         ['&'] = T,
    ['\''] = T,        ['('] = V,
    [')'] = V,         ['*'] = T,
    ['+'] = T,         [','] = V,
    ['-'] = T,         ['.'] = T,
    ['/'] = V,         ['0' ... '9'] = T,
    [':'] = V,         [';'] = V,
    ['<'] = V,         ['='] = V,
    ['>'] = V,         ['?'] = V,
    ['@'] = V,         ['A' ... 'Z'] = T,
    ['['] = V,         ['\\'] = V,
    [']'] = V,         ['^'] = T,
    ['_'] = T,         ['`'] = T,
    ['a' ... 'z'] = T, ['{'] = V,
    ['|'] = T,         ['}'] = V,
    ['~'] = T,         [0x80 ... 0xff] = VALUE,
};

/* How many characters from `at` on are of that class. */
static size_t span(const char *at, const char *end, unsigned class)
{
    const char *p = at;

    while (p < end && classes[(unsigned char)*p] & class)
        p++;
    return (size_t)(p - at);
}

bool bight__is_field_value(const char *text, size_t bytes)
{
    return span(text, text + bytes, VALUE) == bytes;
}

const char *bight__list_last(const char *begin, const char **end, size_t *bytes)
{
    const char *last = *end, *item;

    while (last > begin && (bight__is_blank(last[-1]) || last[-1] == ','))
        last--;
    if (last == begin)
        return NULL;
    item = memrchr(begin, ',', (size_t)(last - begin));
    item = item ? item + 1 : begin;
    *end = item;
    while (bight__is_blank(*item))
        item++;
    *bytes = (size_t)(last - item);
    return item;
}

void bight__head_init(struct head *head)
{
    head->scanned = head->seen = 0;
    head->version = 0;
    head->count = 0;
}

/* "HTTP/1.1" and "HTTP/1.0". Another minor version of 1 can be served as 1.1: RFC 9110 2.5. */
static int version_of(const char *text, size_t bytes)
{
    if (bytes != 8 || memcmp(text, "HTTP/", 5) != 0 || text[6] != '.' || text[5] < '0' ||
        text[5] > '9' || text[7] < '0' || text[7] > '9')
        return -400;
    if (text[5] != '1')
        return -505;
    return text[7] == '0' ? 10 : 11;
}

/* The line from `line` to `end`, where its CR is. 0 or what it is refused with. */
static int request_line(struct head *head, const char *data, const char *line, const char *end)
{
    const char *target, *version;
    size_t bytes = span(line, end, TOKEN);
    int rc;

    if (bytes == 0 || line[bytes] != ' ')
        return -400;
    target = line + bytes + 1;
    head->method = (uint32_t)(line - data);
    head->method_bytes = (uint32_t)bytes;
    bytes = span(target, end, TARGET);
    if (bytes == 0 || target[bytes] != ' ')
        return -400;
    version = target + bytes + 1;
    head->target = (uint32_t)(target - data);
    head->target_bytes = (uint32_t)bytes;
    rc = version_of(version, (size_t)(end - version));
    if (rc < 0)
        return rc;
    head->version = rc;
    return 0;
}

static int field_line(struct head_field *field, const char *data, const char *line, const char *end)
{
    size_t bytes = span(line, end, TOKEN);
    const char *value = line + bytes + 1;

    /* A name without a colon right behind it: also a line that is folded. */
    if (bytes == 0 || line[bytes] != ':')
        return -400;
    while (value < end && bight__is_blank(*value))
        value++;
    if (span(value, end, VALUE) != (size_t)(end - value))
        return -400;
    while (end > value && bight__is_blank(end[-1]))
        end--;
    *field = (struct head_field){
        .name = (uint32_t)(line - data),
        .name_bytes = (uint32_t)bytes,
        .value = (uint32_t)(value - data),
        .value_bytes = (uint32_t)(end - value),
    };
    return 0;
}

/* Of a line that has not ended: how much of the first `bytes` is in order, *seen at least; what
 * comes last may be half of its end. -400: it cannot become a line. */
static int64_t look_ahead(const char *data, size_t bytes, size_t seen, unsigned class)
{
    if (bytes > seen && data[bytes - 1] == '\r')
        bytes--;
    return span(data + seen, data + bytes, class) == bytes - seen ? (int64_t)bytes : -400;
}

/* The next line begins at head->scanned and has not ended yet. */
static int unfinished(struct head *head, const char *data, size_t bytes,
                      const struct head_limits *limits)
{
    int64_t seen =
        look_ahead(data, bytes, head->seen, head->version ? VALUE : TOKEN | TARGET | BLANK);

    if (seen < 0)
        return -400;
    if (head->version == 0 && (size_t)seen - head->scanned > limits->line_bytes)
        return -414;
    head->seen = (size_t)seen;
    return bytes > limits->head_bytes ? -431 : 0;
}

static int next_line(struct head *head, const char *data, const char *line, const char *end,
                     const struct head_limits *limits)
{
    if (head->version && head->count == limits->fields)
        return -431;
    if (head->version)
        return field_line(&head->fields[head->count++], data, line, end);
    if (line == end) /* one empty line before a request: RFC 9112 2.2 */
        return line == data ? 0 : -400;
    if ((size_t)(end - line) > limits->line_bytes)
        return -414;
    return request_line(head, data, line, end);
}

int64_t bight__head_scan(struct head *head, const char *data, size_t bytes,
                         const struct head_limits *limits)
{
    for (;;) {
        const char *line = data + head->scanned;
        const char *end = memchr(data + head->seen, '\n', bytes - head->seen);
        int rc;

        if (!end)
            return unfinished(head, data, bytes, limits);
        if (end == line || end[-1] != '\r')
            return -400;
        if ((size_t)(end + 1 - data) > limits->head_bytes && head->version)
            return -431;
        if (end - 1 == line && head->version)
            return end + 1 - data;
        rc = next_line(head, data, line, end - 1, limits);
        if (rc)
            return rc;
        head->scanned = head->seen = (size_t)(end + 1 - data);
    }
}

int64_t bight__trailers_scan(struct trailers *trailers, const char *data, size_t bytes,
                             const struct head_limits *limits)
{
    for (;;) {
        const char *line = data + trailers->scanned;
        const char *end = memchr(data + trailers->seen, '\n', bytes - trailers->seen);
        struct head_field field;
        int64_t rc;

        if ((end ? (size_t)(end + 1 - data) : bytes) > limits->head_bytes)
            return -431;
        if (!end) {
            rc = look_ahead(data, bytes, trailers->seen, VALUE);
            trailers->seen = (size_t)rc;
            return rc < 0 ? rc : 0;
        }
        if (end == line || end[-1] != '\r')
            return -400;
        if (end - 1 == line)
            return end + 1 - data;
        if (trailers->count++ == limits->fields)
            return -431;
        rc = field_line(&field, data, line, end - 1);
        if (rc)
            return rc;
        trailers->scanned = trailers->seen = (size_t)(end + 1 - data);
    }
}
