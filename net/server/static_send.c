/* Static files: sending one, or parts of it, or the news that there is no need to. See static.h. */
#include "net/server/static.h"

#include <stdio.h>
#include <string.h>

#include "coro/base/splitmix.h"
#include "net/server/http_date.h"
#include "net/server/server.h"
#include "net/server/types.h"

/* What is no longer goes out with its head in one write: up to about here a copy costs less than
 * another system call. */
#define SHORT_BYTES ((int64_t)16 << 10)

#define CONTENT_RANGE_BYTES 72
#define BOUNDARY_BYTES 24
#define PART_HEAD_BYTES (TYPE_BYTES + CONTENT_RANGE_BYTES + BOUNDARY_BYTES + 64)

struct header {
    const char *name;
    const char *value; /* NULL: it is not sent */
};

static int add_headers(struct bight_exchange *exchange, const struct header *headers, size_t count)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++)
        if (headers[i].value)
            rc = bight_exchange_add_header(exchange, headers[i].name, headers[i].value);
    return rc;
}

/* What also a 304 has to have (RFC 9110, 15.4.5). */
static int add_for_cache(struct visit *visit)
{
    const struct header headers[] = {
        {"ETag", visit->etag},
        {"Cache-Control", visit->files->cache_control},
        {"Vary", visit->files->precompressed ? "Accept-Encoding" : NULL},
    };

    return add_headers(visit->exchange, headers, sizeof(headers) / sizeof(*headers));
}

/* A time in the future would be one that the client cannot use (RFC 9110, 8.8.2.1). */
static int add_for_file(struct visit *visit)
{
    int64_t modified_s = visit->file.modified_s;
    char date[DATE_BYTES];
    const struct header headers[] = {
        {"Last-Modified", date},
        {"Accept-Ranges", "bytes"},
        {"X-Content-Type-Options", "nosniff"},
        {"Content-Encoding",
         visit->coding == CODING_IDENTITY ? NULL : bight__coding_names[visit->coding].name},
    };

    bight__date_format(modified_s < visit->now_s ? modified_s : visit->now_s, date);
    return add_headers(visit->exchange, headers, sizeof(headers) / sizeof(*headers));
}

static void format_content_range(char out[CONTENT_RANGE_BYTES], const struct byte_range *range,
                                 int64_t size)
{
    snprintf(out, CONTENT_RANGE_BYTES, "bytes %lld-%lld/%lld", (long long)range->first,
             (long long)(range->first + range->bytes - 1), (long long)size);
}

/* Send bytes of the file into a body that has begun. */
static int send_bytes(struct visit *visit, const struct byte_range *range)
{
    int64_t at = range->first, left = range->bytes;
    int rc = 0;

    while (left > 0 && rc == 0) {
        int64_t piece = left < FILES_PIECE ? left : FILES_PIECE;

        rc = bight__file_load(&visit->file, at, piece);
        if (rc == 0)
            rc = bight_exchange_send_file(visit->exchange, visit->file.fd, at, piece);
        at += piece;
        left -= piece;
    }
    return rc;
}

/* Send a short one by way of memory, if it can be had at once; *range is then what is left. */
static int send_short(struct visit *visit, struct byte_range *range)
{
    size_t bytes = (size_t)range->bytes;
    char *buffer;
    int rc = 0;

    if (bytes == 0)
        return 0;
    buffer = bight__alloc(visit->exchange->server->seams, bytes);
    if (!buffer)
        return BIGHT_ENOMEM;
    if (bight__file_try_read(&visit->file, buffer, bytes, range->first)) {
        rc = bight_exchange_write(visit->exchange, buffer, bytes);
        range->bytes = 0;
    }
    bight__free(buffer);
    return rc;
}

/* The whole file, or one range of it. */
static int answer_one(struct visit *visit, int status, const struct byte_range *range)
{
    struct byte_range left = *range;
    int rc = bight_exchange_add_header(visit->exchange, "Content-Type", visit->type);

    if (rc == 0)
        rc = bight_exchange_begin(visit->exchange, status, range->bytes);
    if (rc || visit->head)
        return rc;
    if (left.bytes <= SHORT_BYTES)
        rc = send_short(visit, &left);
    return rc ? rc : send_bytes(visit, &left);
}

static int answer_range(struct visit *visit, const struct byte_range *range)
{
    char text[CONTENT_RANGE_BYTES];
    int rc;

    format_content_range(text, range, visit->file.bytes);
    rc = bight_exchange_add_header(visit->exchange, "Content-Range", text);
    return rc ? rc : answer_one(visit, 206, range);
}

/* What stands before a part; for the number behind the last, what ends them all (RFC 9110, 14.6).
 * Its length. */
static size_t format_part(const struct visit *visit, const char *boundary,
                          const struct byte_range *ranges, int count, int i,
                          char out[PART_HEAD_BYTES])
{
    char range[CONTENT_RANGE_BYTES];
    const char *line = i == 0 ? "" : "\r\n";
    int bytes;

    if (i == count) {
        bytes = snprintf(out, PART_HEAD_BYTES, "\r\n--%s--\r\n", boundary);
    } else {
        format_content_range(range, &ranges[i], visit->file.bytes);
        bytes = snprintf(out, PART_HEAD_BYTES,
                         "%s--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n", line, boundary,
                         visit->type, range);
    }
    return (size_t)bytes;
}

/* Something that a file does not have in it, unless it was made to by who knows the nanosecond. */
static void make_boundary(char out[BOUNDARY_BYTES])
{
    struct timespec now;
    uint64_t state;

    clock_gettime(CLOCK_REALTIME, &now);
    state = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    snprintf(out, BOUNDARY_BYTES, "part-%016llx", (unsigned long long)splitmix_next(&state));
}

static int send_parts(struct visit *visit, const char *boundary, const struct byte_range *ranges,
                      int count)
{
    char head[PART_HEAD_BYTES];
    int rc = 0;

    for (int i = 0; i <= count && rc == 0; i++) {
        size_t bytes = format_part(visit, boundary, ranges, count, i, head);

        rc = bight_exchange_write(visit->exchange, head, bytes);
        if (rc == 0 && i < count)
            rc = send_bytes(visit, &ranges[i]);
    }
    return rc;
}

/* Several ranges, as multipart/byteranges. */
static int answer_parts(struct visit *visit, const struct byte_range *ranges, int count)
{
    char boundary[BOUNDARY_BYTES], text[BOUNDARY_BYTES + 48];
    char head[PART_HEAD_BYTES];
    int64_t bytes = 0;
    int rc;

    make_boundary(boundary);
    for (int i = 0; i <= count; i++) {
        bytes += (int64_t)format_part(visit, boundary, ranges, count, i, head);
        bytes += i < count ? ranges[i].bytes : 0;
    }
    snprintf(text, sizeof(text), "multipart/byteranges; boundary=%s", boundary);
    rc = bight_exchange_add_header(visit->exchange, "Content-Type", text);
    if (rc == 0)
        rc = bight_exchange_begin(visit->exchange, 206, bytes);
    return rc ? rc : send_parts(visit, boundary, ranges, count);
}

static int answer_unsatisfiable(struct visit *visit)
{
    char text[CONTENT_RANGE_BYTES];
    int rc;

    snprintf(text, sizeof(text), "bytes */%lld", (long long)visit->file.bytes);
    rc = bight_exchange_add_header(visit->exchange, "Content-Range", text);
    return rc ? rc : bight_exchange_answer_status(visit->exchange, 416);
}

/* Ranges are of GET only (RFC 9110, 14.2). */
static int answer_file(struct visit *visit, const struct conditions *conditions)
{
    const char *value = visit->head ? NULL : bight__conditions_range(conditions, visit->now_s);
    const struct byte_range whole = {0, visit->file.bytes};
    struct byte_range ranges[RANGES_MAX];
    int rc, count = RANGES_WHOLE;

    if (value)
        count = bight__ranges_parse(value, visit->file.bytes, ranges);
    if (count == RANGES_UNSATISFIABLE)
        return answer_unsatisfiable(visit);
    rc = add_for_cache(visit);
    if (rc == 0)
        rc = add_for_file(visit);
    if (rc)
        return rc;
    if (count == RANGES_WHOLE)
        return answer_one(visit, 200, &whole);
    return count == 1 ? answer_range(visit, ranges) : answer_parts(visit, ranges, count);
}

/* The tag and the ranges are those of the file as it is: compressed ones lie beside it. */
int bight__static_send(struct visit *visit)
{
    struct bight_exchange *exchange = visit->exchange;
    const struct validators validators = {
        .etag = visit->etag,
        .modified_s = visit->file.modified_s,
        .date_is_strong = bight__static_is_settled(&visit->file, visit->now_s),
    };
    struct conditions conditions;
    const char *name, *value;
    int rc;

    exchange->compresses = false;
    bight__static_etag(&visit->file, bight__coding_names[visit->coding].mark, visit->now_s,
                       visit->etag);
    bight__conditions_init(&conditions, &validators);
    for (size_t i = 0; bight_exchange_header_at(exchange, i, &name, &value) == 0; i++)
        bight__conditions_take(&conditions, name, value);
    switch (bight__conditions_say(&conditions, visit->now_s)) {
    case CONDITION_FAILED:
        return bight_exchange_answer_status(exchange, 412);
    case CONDITION_NOT_MODIFIED:
        rc = add_for_cache(visit);
        return rc ? rc : bight_exchange_answer(exchange, 304, NULL, NULL, 0);
    default:
        return answer_file(visit, &conditions);
    }
}
