/* Bodies of responses to where they are to stay: a file, which has its name when it is whole, or a
 * stream. */
#include "net/http/response.h"

#include <bight/file.h>
#include <bight/stream.h>

#include "runtime/file/door.h"

#define PIECE_BYTES (128u << 10)

struct copy {
    struct bight_http_response *response;
    struct bight_file *file; /* NULL: to the stream */
    struct bight_stream *stream;
    int64_t bytes; /* written */
};

static int write_piece(struct copy *copy, const void *data, size_t bytes)
{
    int rc = copy->file ? bight_file_write(copy->file, data, bytes)
                        : bight_stream_write(copy->stream, data, bytes);

    copy->bytes += rc ? 0 : (int64_t)bytes;
    return rc;
}

static int write_pieces(struct copy *copy)
{
    const struct bight_http_session *session = copy->response->session;
    char *buffer = bight__alloc(session ? session->seams : NULL, PIECE_BYTES);
    int64_t got;

    if (!buffer)
        return BIGHT_ENOMEM;
    while ((got = bight_http_read(copy->response, buffer, PIECE_BYTES)) > 0) {
        int rc = write_piece(copy, buffer, (size_t)got);

        got = rc ? rc : got;
        if (rc)
            break;
    }
    bight__free(buffer);
    return (int)got;
}

static int write_body(void *arg, struct bight_file *file)
{
    struct copy *copy = arg;
    struct bight_http_response *response = copy->response;

    copy->file = file;
    if (response->collect)
        return write_piece(copy, bight_http_response_body(response, NULL), response->body.bytes);
    return write_pieces(copy);
}

int64_t bight_http_save(struct bight_http_response *response, const char *path,
                        const struct bight_file_replace_options *options)
{
    struct copy copy = {.response = response};
    int rc;

    if (!response || !path)
        return BIGHT_EINVAL;
    rc = bight__file_replace_by(path, write_body, &copy, options);
    return rc ? rc : copy.bytes;
}

int64_t bight_http_copy(struct bight_http_response *response, struct bight_stream *stream)
{
    struct copy copy = {.response = response, .stream = stream};
    int rc;

    if (!response || !stream)
        return BIGHT_EINVAL;
    rc = write_body(&copy, NULL);
    return rc ? rc : copy.bytes;
}
