/* Bodies of multipart/form-data (RFC 7578), as a source: heads of parts and boundaries from memory,
 * files from the disk while they are sent. */
#include "net/http/multipart.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>

#include <bight/file.h>

#include "net/http/response.h"

#define BOUNDARY_BYTES sizeof("bight-0123456789abcdef0123456789abcdef")

struct http_multipart {
    const struct bight_seams *seams;
    const struct bight_http_part *parts;
    size_t index;
    enum { TEXT, CONTENT, OVER } state;
    struct http_buffer text; /* in front of the part, or behind the last one */
    size_t taken;
    struct bight_file *file; /* of the part, while it is read */
    uint64_t left;           /* of its content; UINT64_MAX: nobody knows */
    char boundary[BOUNDARY_BYTES];
    char type[sizeof("Content-Type: multipart/form-data; boundary=") + BOUNDARY_BYTES];
    uint64_t lengths[]; /* of the contents */
};

static int append(struct http_multipart *body, const char *text)
{
    return http_buffer_append(body->seams, &body->text, text, strlen(text));
}

/* As browsers do: what would end the quotes or the line is encoded. */
static int append_quoted(struct http_multipart *body, const char *text)
{
    int rc = 0;

    for (; rc == 0 && *text; text++)
        rc = *text == '"'    ? append(body, "%22")
             : *text == '\r' ? append(body, "%0D")
             : *text == '\n' ? append(body, "%0A")
                             : http_buffer_append(body->seams, &body->text, text, 1);
    return rc;
}

/* What a file is called: NULL when the part is none. */
static const char *filename_of(const struct bight_http_part *part)
{
    const char *slash = part->path ? strrchr(part->path, '/') : NULL;

    if (part->filename)
        return part->filename;
    return slash ? slash + 1 : part->path;
}

static const char *type_of(const struct bight_http_part *part)
{
    if (part->content_type)
        return part->content_type;
    return filename_of(part) ? "application/octet-stream" : NULL;
}

static int append_field(struct http_multipart *body, const char *before, const char *value,
                        const char *after)
{
    int rc = append(body, before);

    if (rc == 0)
        rc = append_quoted(body, value);
    return rc ? rc : append(body, after);
}

static int append_head(struct http_multipart *body, const struct bight_http_part *part)
{
    const char *filename = filename_of(part), *type = type_of(part);
    int rc = append_field(body, "\r\nContent-Disposition: form-data; name=\"", part->name, "\"");

    if (rc == 0 && filename)
        rc = append_field(body, "; filename=\"", filename, "\"");
    if (rc == 0 && type)
        rc = append(body, "\r\nContent-Type: ");
    if (rc == 0 && type)
        rc = append(body, type);
    return rc ? rc : append(body, "\r\n\r\n");
}

/* Append what is in front of the part that is next, behind all when there is none. */
static int append_text(struct http_multipart *body)
{
    const struct bight_http_part *part = &body->parts[body->index];
    int rc = append(body, body->index ? "\r\n--" : "--");

    if (rc == 0)
        rc = append(body, body->boundary);
    if (rc)
        return rc;
    return part->name ? append_head(body, part) : append(body, "--\r\n");
}

/* --- made ------------------------------------------------------------------------------------- */

static bool is_tidy(const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if ((c < 0x20 && !strchr("\t\r\n", c)) || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_part(const struct bight_http_part *part)
{
    const char *type = part->content_type;

    return (part->value != NULL) + (part->data != NULL) + (part->path != NULL) <= 1 &&
           (part->data || !part->bytes) && is_tidy(part->name) &&
           (!filename_of(part) || is_tidy(filename_of(part))) &&
           (!type || (*type && bight__http_valid_value(type)));
}

/* How long its content is. Suspends for a file. */
static int measure(const struct bight_http_part *part, uint64_t *length)
{
    struct bight_file_info info;
    int rc;

    *length = part->value ? strlen(part->value) : part->bytes;
    if (!part->path)
        return 0;
    rc = bight_file_stat(part->path, &info);
    if (rc)
        return rc;
    if (info.type == BIGHT_FILE_DIRECTORY)
        return -EISDIR;
    *length = info.type == BIGHT_FILE_REGULAR ? info.bytes : UINT64_MAX;
    return 0;
}

/* The length of it all, to *bytes; negative: nobody knows. */
static int measure_all(struct http_multipart *body, int64_t *bytes)
{
    uint64_t sum = 0;
    bool known = true;
    int rc = 0;

    while (rc == 0 && body->parts[body->index].name) {
        uint64_t *length = &body->lengths[body->index];

        rc = measure(&body->parts[body->index], length);
        if (rc == 0)
            rc = append_text(body);
        known = known && *length < INT64_MAX - sum;
        sum += known ? *length : 0;
        body->index += rc == 0;
    }
    if (rc == 0)
        rc = append_text(body);
    *bytes = known ? (int64_t)(sum + body->text.bytes) : -1;
    body->index = body->text.bytes = 0;
    return rc;
}

static int set_boundary(struct http_multipart *body)
{
    unsigned char bits[16];
    ssize_t got;
    int used;

    do
        got = getrandom(bits, sizeof(bits), 0); /* so few come at once */
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    used = snprintf(body->boundary, sizeof(body->boundary), "bight-");
    for (size_t i = 0; i < sizeof(bits); i++)
        used += snprintf(body->boundary + used, 3, "%02x", bits[i]);
    snprintf(body->type, sizeof(body->type), "Content-Type: multipart/form-data; boundary=%s",
             body->boundary);
    return 0;
}

int bight__http_multipart_new(struct http_multipart **out, const struct bight_seams *seams,
                              const struct bight_http_part *parts, int64_t *bytes)
{
    struct http_multipart *body;
    size_t count = 0;
    int rc;

    for (; parts[count].name; count++)
        if (!is_part(&parts[count]))
            return BIGHT_EINVAL;
    body = bight__alloc_zero(seams, sizeof(*body) + count * sizeof(*body->lengths));
    if (!body)
        return BIGHT_ENOMEM;
    body->seams = seams;
    body->parts = parts;
    rc = set_boundary(body);
    if (rc == 0)
        rc = measure_all(body, bytes);
    if (rc == 0)
        rc = append_text(body);
    if (rc)
        bight__http_multipart_free(body);
    else
        *out = body;
    return rc;
}

const char *bight__http_multipart_type(const struct http_multipart *body)
{
    return body->type;
}

void bight__http_multipart_free(struct http_multipart *body)
{
    if (!body)
        return;
    (void)bight_file_end(body->file); /* it was read only */
    bight__http_buffer_free(&body->text);
    bight__free(body);
}

/* --- read ------------------------------------------------------------------------------------- */

static int begin_content(struct http_multipart *body)
{
    const struct bight_http_part *part = &body->parts[body->index];

    body->state = part->name ? CONTENT : OVER;
    if (!part->name)
        return 0;
    body->left = body->lengths[body->index];
    return part->path ? bight_file_open(&body->file, part->path, O_RDONLY, 0) : 0;
}

static int end_content(struct http_multipart *body)
{
    struct bight_file *file = body->file;
    int rc;

    body->file = NULL;
    body->state = TEXT;
    body->index++;
    body->taken = body->text.bytes = 0;
    rc = append_text(body);
    (void)bight_file_end(file);
    return rc;
}

static int64_t read_content(struct http_multipart *body, char *to, size_t room)
{
    const struct bight_http_part *part = &body->parts[body->index];
    const char *from = part->value ? part->value : part->data;
    int64_t got;

    if (room > body->left)
        room = (size_t)body->left;
    if (!room)
        return 0;
    if (part->path) {
        got = bight_file_read(body->file, to, room);
        if (got <= 0)
            return got < 0 || body->left == UINT64_MAX ? got : BIGHT_EOF;
    } else {
        memcpy(to, from + (body->lengths[body->index] - body->left), room);
        got = (int64_t)room;
    }
    if (body->left != UINT64_MAX)
        body->left -= (uint64_t)got;
    return got;
}

/* How many bytes; 0: there are no more of what is next. */
static int64_t read_next(struct http_multipart *body, char *to, size_t room)
{
    size_t held = body->text.bytes - body->taken;

    if (body->state != TEXT)
        return read_content(body, to, room);
    if (room > held)
        room = held;
    memcpy(to, body->text.data + body->taken, room);
    body->taken += room;
    return (int64_t)room;
}

int64_t bight__http_multipart_read(void *arg, void *buffer, size_t bytes)
{
    struct http_multipart *body = arg;
    size_t filled = 0;

    while (filled < bytes && body->state != OVER) {
        int64_t got = read_next(body, (char *)buffer + filled, bytes - filled);

        if (got == 0)
            got = body->state == TEXT ? begin_content(body) : end_content(body);
        if (got < 0)
            return got;
        filled += (size_t)got;
    }
    return (int64_t)filled;
}
